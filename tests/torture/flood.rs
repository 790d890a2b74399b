//! Connections that only take places: heads and bodies that never end, sockets that say nothing, bodies that are bombs. The
//! real program closes them by its deadlines and serves the others meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signalbox_testkit::{Destination, ServeProcess, TestWorkspace, http, workspace};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::compare::{Compared, p99};
use crate::program::{resident_kib, send, serve, within};
use crate::seed::count;

/// Honest requests of a round.
const HONEST: usize = 50;
/// The head's 10 s, or the body's 5 s of patience and some, and a busy machine's own.
const DEADLINE: Duration = Duration::from_secs(25);

/// Who is turned away comes again after this, as the answer says: these are slow, and no storm.
const AGAIN: Duration = Duration::from_secs(1);
/// Files and connections that the program may open meanwhile for what it does: readers of the ledger, its destination.
const OWN: usize = 32;

#[derive(Clone, Copy)]
enum Slow {
    Head,
    Body,
}

/// What became of one place that was held.
#[derive(Default)]
struct Held {
    longest: Duration,
    taken: usize,
    /// Nobody closed them. They stay open to the end, so that the program would be seen to hold them.
    ghosts: Vec<TcpStream>,
    /// Turned away before they were slow.
    refused: usize,
}

/// From another address of this machine each, a thousand at most from one.
async fn connect(ingress: &str, number: usize) -> std::io::Result<TcpStream> {
    let address = ingress.strip_prefix("http://").unwrap().parse().unwrap();
    let socket = TcpSocket::new_v4()?;
    socket.bind(format!("127.0.1.{}:0", 1 + number / 1_000).parse().unwrap())?;
    socket.connect(address).await
}

/// Says nothing. How long it was let be; the connection itself where nobody closed it: either the program holds it still, or
/// it never had it. A kernel whose queue is full completes handshakes that it then forgets (SYN cookies), and whoever waits
/// silently is never told.
async fn keep_silent(mut stream: TcpStream) -> Result<Duration, TcpStream> {
    let begun = tokio::time::Instant::now();
    let closed = tokio::time::timeout(DEADLINE, stream.read(&mut [0; 512])).await;
    if closed.is_ok() { Ok(begun.elapsed()) } else { Err(stream) }
}

/// Says a little every second. How long it was let be.
async fn hold(mut stream: TcpStream, slow: Slow) -> Duration {
    let begun = tokio::time::Instant::now();
    let first: &[u8] = match slow {
        Slow::Head => b"POST /hooks/sync HTTP/1.1\r\nhost: x\r\n",
        Slow::Body => {
            b"POST /hooks/sync HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\ncontent-type: text/plain\r\n\r\n"
        }
    };
    let mut buffer = [0; 512];
    let _closed = stream.write_all(first).await;
    loop {
        tokio::select! {
            read = stream.read(&mut buffer) => if !matches!(read, Ok(1..)) { return begun.elapsed() },
            () = tokio::time::sleep(Duration::from_secs(1)) => {
                let more: &[u8] = match slow {
                    Slow::Head => b"x-slow: 1\r\n",
                    Slow::Body => b"x",
                };
                if stream.write_all(more).await.is_err() {
                    return begun.elapsed();
                }
            }
        }
    }
}

/// Holds a place, and takes it again when it is cut off before the rounds are `over`. None: silently.
async fn hold_on(ingress: String, number: usize, slow: Option<Slow>, over: Arc<AtomicBool>) -> Held {
    let mut held = Held::default();
    loop {
        held.taken += 1;
        let stream = connect(&ingress, number).await.unwrap();
        let time = match slow {
            Some(slow) => Ok(hold(stream, slow).await),
            None => keep_silent(stream).await,
        };
        let mut lived = DEADLINE;
        match time {
            Ok(time) => {
                lived = time;
                held.longest = held.longest.max(time);
                held.refused += usize::from(time < AGAIN);
            }
            Err(stream) => held.ghosts.push(stream),
        }
        if over.load(Ordering::Relaxed) {
            return held;
        }
        tokio::time::sleep(AGAIN.saturating_sub(lived)).await;
    }
}

/// Files and connections that the process has open.
fn descriptors(process: &ServeProcess) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", process.pid())).unwrap().count()
}

/// Sends honest requests one after the other.
async fn honest(ingress: &str, round: &str) -> Duration {
    let mut times = Vec::with_capacity(HONEST);
    for number in 0..HONEST {
        let begun = tokio::time::Instant::now();
        let answer = send(ingress, &format!("{round}-{number}"), b"{\"type\":\"a\"}").await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        times.push(begun.elapsed());
    }
    p99(times)
}

async fn start() -> (TestWorkspace, Destination, ServeProcess) {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    workspace.integration("sync", &workspace::destination("crm", ""));
    let process = serve(&workspace).await;
    honest(&process.ingress(), "warm").await;
    (workspace, destination, process)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_never_end_are_closed_and_hold_up_nobody() {
    let connections = usize::try_from(count("CONNECTIONS", 500, 5_000)).unwrap();
    rlimit::increase_nofile_limit(connections as u64 + 1_000).unwrap();
    // Measured in turns with a program that is left in peace.
    let (_calm_workspace, _calm_destination, calm) = start().await;
    let (_workspace, _destination, process) = start().await;
    let ingress = process.ingress();
    let (before, open) = (resident_kib(process.pid()), descriptors(&process));
    let (mut held, over) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
    for number in 0..connections {
        let slow = [Some(Slow::Head), Some(Slow::Body), Some(Slow::Head), None][number % 4];
        held.spawn(hold_on(ingress.clone(), number, slow, over.clone()));
    }
    // But for those whose bodies found no room, all are there at a time.
    let most = || async { (descriptors(&process) >= open + connections * 2 / 3).then_some(()) };
    within(DEADLINE, "most slow connections to be open", most).await;
    let mut compared = Compared::default();
    // In the long form over some of the times when thousands are cut off, and come again.
    for round in 0..count("ROUNDS", 12, 300) {
        compared.without.push(honest(&calm.ingress(), &round.to_string()).await);
        compared.beside.push(honest(&ingress, &round.to_string()).await);
    }
    let grown = resident_kib(process.pid()).saturating_sub(before);
    over.store(true, Ordering::Relaxed);
    assert_eq!(held.len(), connections);
    let mut sum = Held::default();
    let all_closed = "every slow connection to be closed";
    while let Some(ended) = tokio::time::timeout(DEADLINE * 2, held.join_next()).await.expect(all_closed) {
        let held = ended.unwrap();
        sum.longest = sum.longest.max(held.longest);
        sum.taken += held.taken;
        sum.ghosts.extend(held.ghosts);
        sum.refused += held.refused;
    }
    // The program's own count: it holds none of those either that nobody closed.
    within(DEADLINE, all_closed, || async { (descriptors(&process) <= open + OWN).then_some(()) }).await;
    let (Held { longest, taken, refused, .. }, ghosts) = (&sum, sum.ghosts.len());
    println!(
        "flood: {connections} slow connections at a time, {taken} in all ({refused} turned away, {ghosts} that the program never had); honest \
         requests: {}; {} MiB more; all closed within {longest:?}",
        compared.judge(2.0).unwrap(),
        grown >> 10
    );
    assert!(*longest < DEADLINE, "{longest:?}");
    assert!(ghosts * 4 < taken - refused, "{ghosts} of {taken}: these were no slow connections");
    assert!(grown < 64 << 10, "{grown} KiB");
}

/// An object of so many keys.
fn keys(count: u32) -> String {
    let keys: Vec<String> = (0..count).map(|number| format!("\"k{number}\":{number}")).collect();
    format!("{{{}}}", keys.join(","))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_cost_no_memory_and_are_answered() {
    let (_workspace, _destination, process) = start().await;
    let ingress = process.ingress();
    let before = resident_kib(process.pid());
    let deep = "[".repeat(500_000);
    let (some, many) = (keys(15_000), keys(60_000));
    let number = format!("{{\"n\":{}}}", "9".repeat(900_000));
    let mut fastest = BTreeMap::new();
    for (name, body) in [("deep", &deep), ("some", &some), ("many", &many), ("number", &number)] {
        // The fastest of a few: the machine may be busy.
        for time in 0..3 {
            let begun = tokio::time::Instant::now();
            let answer = send(&ingress, &format!("{name}-{time}"), body.as_bytes()).await.unwrap();
            assert_eq!(answer.status, 200, "{name}: raw bytes are kept whatever they are: {}", answer.text());
            let took = fastest.entry(name).or_insert(Duration::MAX);
            *took = begun.elapsed().min(*took);
        }
        println!("bomb '{name}': {} bytes answered in {:?}", body.len(), fastest[name]);
    }
    // Four times as many keys: in a straight line four times as long, sixteen times if each were compared with each.
    assert!(fastest["many"] < fastest["some"] * 10, "{fastest:?}");
    let gzip = [("content-encoding", "gzip"), ("content-type", "application/json")];
    let answer = http::send(&ingress, "POST", "/hooks/sync", &gzip, &[0x1f, 0x8b, 8, 0]).await.unwrap();
    assert_eq!(answer.status, 415, "nothing is unpacked");
    let large = vec![b' '; 2 << 20];
    assert_eq!(send(&ingress, "large", &large).await.map_or(413, |answer| answer.status), 413);
    let grown = resident_kib(process.pid()).saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB");
    assert_eq!(process.ask("GET", "/readyz", None).await.status, 200);
}

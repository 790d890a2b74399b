//! Connections that only take places: heads and bodies that never end, sockets that say nothing, bodies that are bombs. The
//! real program closes them by its deadlines and serves the others meanwhile.

use std::time::Duration;

use signalbox_testkit::{Destination, TestWorkspace, http, workspace};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::program::{resident_kib, send, serve};
use crate::seed::count;

const HONEST: usize = 300;
/// The head's 10 s, or the body's 5 s of patience and some, and a busy machine's own.
const DEADLINE: Duration = Duration::from_secs(25);

#[derive(Clone, Copy)]
enum Slow {
    Silent,
    Head,
    Body,
}

/// From another address of this machine each, a thousand at most from one.
async fn connect(ingress: &str, number: usize) -> std::io::Result<TcpStream> {
    let address = ingress.strip_prefix("http://").unwrap().parse().unwrap();
    let socket = TcpSocket::new_v4()?;
    socket.bind(format!("127.0.1.{}:0", 1 + number / 1_000).parse().unwrap())?;
    socket.connect(address).await
}

/// How long it was let be.
async fn hold(mut stream: TcpStream, slow: Slow) -> Duration {
    let begun = tokio::time::Instant::now();
    let first: &[u8] = match slow {
        Slow::Silent => b"",
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
                    Slow::Silent => b"",
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

/// The time in which 99 of 100 honest requests are answered.
async fn p99(ingress: &str, round: &str) -> Duration {
    let mut times = Vec::with_capacity(HONEST);
    for number in 0..HONEST {
        let begun = tokio::time::Instant::now();
        let answer = send(ingress, &format!("{round}-{number}"), b"{\"type\":\"a\"}").await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    times[HONEST * 99 / 100]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_never_end_are_closed_and_hold_up_nobody() {
    let connections = usize::try_from(count("CONNECTIONS", 500, 5_000)).unwrap();
    rlimit::increase_nofile_limit(connections as u64 + 1_000).unwrap();
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    workspace.integration("sync", &workspace::destination("crm", ""));
    let process = serve(&workspace).await;
    let ingress = process.ingress();
    p99(&ingress, "warm").await;
    let alone = p99(&ingress, "alone").await;
    let before = resident_kib(process.pid());
    let mut held = JoinSet::new();
    for number in 0..connections {
        let slow = [Slow::Head, Slow::Body, Slow::Head, Slow::Silent][number % 4];
        let stream = connect(&ingress, number).await.unwrap();
        held.spawn(hold(stream, slow));
    }
    let beside = p99(&ingress, "beside").await;
    let grown = resident_kib(process.pid()).saturating_sub(before);
    let mut longest = Duration::ZERO;
    while let Some(time) = held.join_next().await {
        longest = longest.max(time.unwrap());
    }
    println!(
        "flood: {connections} slow connections; p99 of the honest {alone:?} alone, {beside:?} beside them; {} MiB more; all closed within {longest:?}",
        grown >> 10
    );
    assert!(longest < DEADLINE, "{longest:?}");
    assert!(grown < 64 << 10, "{grown} KiB");
    // Below some milliseconds the machine's own noise is more than a factor of two.
    assert!(beside < alone * 2 + Duration::from_millis(20), "{alone:?} alone, {beside:?} beside the slow ones");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_cost_no_memory_and_are_answered() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    workspace.integration("sync", &workspace::destination("crm", ""));
    let process = serve(&workspace).await;
    let ingress = process.ingress();
    p99(&ingress, "warm").await;
    let before = resident_kib(process.pid());
    let deep = "[".repeat(500_000);
    let keys: Vec<String> = (0..60_000).map(|number| format!("\"k{number}\":{number}")).collect();
    let keys = format!("{{{}}}", keys.join(","));
    let number = format!("{{\"n\":{}}}", "9".repeat(900_000));
    for (name, body) in [("deep", &deep), ("keys", &keys), ("number", &number)] {
        let begun = tokio::time::Instant::now();
        let answer = send(&ingress, name, body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 200, "{name}: raw bytes are kept whatever they are: {}", answer.text());
        println!("bomb '{name}': {} bytes answered in {:?}", body.len(), begun.elapsed());
    }
    let gzip = [("content-encoding", "gzip"), ("content-type", "application/json")];
    let answer = http::send(&ingress, "POST", "/hooks/sync", &gzip, &[0x1f, 0x8b, 8, 0]).await.unwrap();
    assert_eq!(answer.status, 415, "nothing is unpacked");
    let large = vec![b' '; 2 << 20];
    assert_eq!(send(&ingress, "large", &large).await.map_or(413, |answer| answer.status), 413);
    let grown = resident_kib(process.pid()).saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB");
    assert_eq!(process.ask("GET", "/readyz", None).await.status, 200);
}

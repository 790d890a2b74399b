//! The real program is killed in the middle of a call to the system: before its N-th write, sync, truncation or removal,
//! whichever thread makes it, in start, intake, delivery, checkpoint and stop.
//!
//! strace puts the kill exactly there. Where it is missing or may not trace, the kills come at random microseconds instead,
//! and the test says so.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use signalbox_testkit::load::{self, Load};
use signalbox_testkit::{TestWorkspace, until};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::program::{binary, serve};
use crate::seed::{Dice, count, seed};

/// Calls that change a file.
const CALLS: [&str; 6] = ["pwrite64", "fsync", "fdatasync", "ftruncate", "unlink", "openat"];
/// Of the life in which the calls are counted.
const REHEARSAL: Duration = Duration::from_secs(2);
/// A life that has not met its call by then ends by a kill from outside. Longer than the rehearsal: most meet theirs.
const LIFE: Duration = Duration::from_secs(4);

/// Kills of one program, and how many programs are killed at one time: most of a life is waiting.
const ROUND: u64 = 250;
const AT_ONCE: usize = 3;

struct Killer {
    strace: bool,
    /// How often each call was made in the rehearsal, by each thread that made it: strace counts for each thread alone.
    counted: BTreeMap<&'static str, Vec<u64>>,
}

impl Killer {
    async fn find() -> Self {
        let probe = Command::new("strace").args(["-f", "-o", "/dev/null", "-e", "trace=none", "true"]).output().await;
        Self { strace: probe.is_ok_and(|output| output.status.success()), counted: BTreeMap::new() }
    }

    /// A life under the same load that nothing cuts short, so that what is to be met is there.
    async fn rehearse(&mut self, dir: &Path, ingress: &watch::Sender<String>) {
        if !self.strace {
            return;
        }
        let written = dir.join("calls.txt");
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o"]).arg(&written);
        command.args(["-e", &format!("trace={}", CALLS.join(","))]).arg(binary());
        live(&mut spawn(command, dir), dir, ingress, REHEARSAL).await;
        self.counted = calls(&std::fs::read_to_string(written).unwrap());
        // Which of the two syncs SQLite makes is a matter of how it was built.
        for either in [["pwrite64"; 2], ["fsync", "fdatasync"], ["openat"; 2]] {
            assert!(either.iter().any(|call| self.counted.contains_key(call)), "no {either:?}: {:?}", self.counted);
        }
    }

    fn start(&self, dir: &Path, dice: &mut Dice) -> Child {
        if !self.strace {
            return spawn(Command::new(binary()), dir);
        }
        let (call, threads) = self.counted.iter().nth(dice.below(self.counted.len())).unwrap();
        let counted = threads[dice.below(threads.len())];
        // Most calls of a start come early; later ones belong to the load.
        let among = if dice.chance(50) { counted.min(6) } else { counted };
        let nth = 1 + dice.roll(among);
        let mut command = Command::new("strace");
        // Not with --seccomp-bpf, under which strace 6.1 injects nothing into threads.
        command.args(["-f", "-qq", "-o", "/dev/null"]);
        command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:signal=SIGKILL:when={nth}")]);
        command.arg(binary());
        spawn(command, dir)
    }
}

/// A group of processes, which a test that fails must not leave running either.
struct KilledWhenDropped(u32);

impl Drop for KilledWhenDropped {
    fn drop(&mut self) {
        let mut kill = std::process::Command::new("kill");
        let _gone = kill.args(["-KILL", "--", &format!("-{}", self.0)]).stderr(Stdio::null()).status();
    }
}

fn spawn(mut command: Command, dir: &Path) -> Child {
    command.args(["--workspace".as_ref(), dir.as_os_str()]);
    command.args(["serve", "--listen", "127.0.0.1:0", "--ingress", "127.0.0.1:0"]);
    command.env_clear().env("HOME", dir).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A group of its own: killing strace alone would leave the program running.
    command.process_group(0).kill_on_drop(true).spawn().unwrap()
}

/// What `strace -f -o` wrote: lines of a thread's number and `call(arguments) = result`.
fn calls(written: &str) -> BTreeMap<&'static str, Vec<u64>> {
    let mut counted: BTreeMap<&'static str, BTreeMap<&str, u64>> = BTreeMap::new();
    for (thread, line) in written.lines().filter_map(|line| line.split_once(' ')) {
        let name = line.trim_start().split('(').next().unwrap_or_default();
        if let Some(call) = CALLS.iter().find(|call| **call == name) {
            *counted.entry(call).or_default().entry(thread).or_default() += 1;
        }
    }
    counted.into_iter().map(|(call, threads)| (call, threads.into_values().collect())).collect()
}

/// Until it ends; tells the senders where it listens once it does. True: its own call killed it.
async fn live(child: &mut Child, dir: &Path, ingress: &watch::Sender<String>, longest: Duration) -> bool {
    let group = child.id().unwrap();
    let whole_group = KilledWhenDropped(group);
    let file = dir.join(".signalbox/runtime.json");
    let _stale = std::fs::remove_file(&file);
    let ended = tokio::time::timeout(longest, async {
        let told = async {
            loop {
                let runtime = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
                if let Some(runtime) = runtime {
                    let runtime: serde_json::Value = runtime;
                    ingress.send_replace(runtime["ingress"].as_str().unwrap().to_owned());
                    return std::future::pending::<()>().await;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            () = told => {}
            _ = child.wait() => {}
        }
    })
    .await;
    drop(whole_group);
    let _ended = child.wait().await;
    // The program may outlive strace by a moment, and it still holds the lock then.
    until("the killed program to be gone", || async {
        let sent = Command::new("kill").args(["-0", "--", &format!("-{group}")]).stderr(Stdio::null()).status().await;
        (!sent.unwrap().success()).then_some(())
    })
    .await;
    ended.is_ok()
}

/// What one program went through.
#[derive(Default)]
struct Lives {
    met: u64,
    acknowledged: u64,
    strace: bool,
}

/// A program of its own, killed so often; then nothing is lost and no key out of order.
async fn kill(seed: u64, kills: u64) -> Lives {
    let (mut dice, mut killer) = (Dice::new(seed), Killer::find().await);
    let (workspace, one, two): (TestWorkspace, _, _) = load::two_destinations().await;
    let (ingress, watched) = watch::channel("http://127.0.0.1:9".to_owned());
    let (load, mut tasks) = Load::start(watched);
    killer.rehearse(workspace.path(), &ingress).await;
    let mut met = 0;
    for _ in 0..kills {
        let mut child = killer.start(workspace.path(), &mut dice);
        let longest = if killer.strace { LIFE } else { Duration::from_micros(dice.roll(900_000)) };
        met += u64::from(live(&mut child, workspace.path(), &ingress, longest).await);
    }
    let process = serve(&workspace).await;
    ingress.send_replace(process.ingress());
    let before = load.total();
    until("events to be taken after the last kill", || async { (load.total() > before).then_some(()) }).await;
    load.stop();
    while tasks.join_next().await.is_some() {}
    load::settled(&process).await;
    load.check("one", &one.received());
    load.check("two", &two.received());
    Lives { met, acknowledged: load.total(), strace: killer.strace }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_any_call_that_changes_a_file_it_loses_nothing_and_keeps_the_order() {
    let (seed, kills) = (seed(), count("KILLS", 40, 10_000));
    assert!(kills > 0);
    // A new ledger now and then: checks at the end walk all that was ever sent.
    let mut rounds = (0..kills.div_ceil(ROUND)).map(|round| (seed + round, ROUND.min(kills - round * ROUND)));
    let (mut running, mut sum) = (tokio::task::JoinSet::new(), Lives::default());
    loop {
        while running.len() < AT_ONCE
            && let Some((seed, kills)) = rounds.next()
        {
            running.spawn(async move { (seed, tokio::spawn(kill(seed, kills)).await) });
        }
        let Some(ended) = running.join_next().await else { break };
        let (seed, lives) = ended.unwrap();
        let lives = lives.unwrap_or_else(|error| panic!("seed {seed}, {ROUND} kills at most: {error}"));
        sum.met += lives.met;
        sum.acknowledged += lives.acknowledged;
        sum.strace = lives.strace;
        println!("kills: {} events acknowledged so far, {} calls met", sum.acknowledged, sum.met);
    }
    let Lives { met, acknowledged, strace } = sum;
    let how =
        if strace { format!("{met} before a call of theirs") } else { "at random moments: no strace here".into() };
    println!("kills: {kills} ({how}), {acknowledged} events acknowledged, 0 lost, none out of order (seed {seed})");
    assert!(!strace || met * 2 > kills, "only {met} of {kills} lives met the call that was to kill them");
}

#[test]
fn calls_are_counted_for_each_thread() {
    let written = "17 openat(AT_FDCWD, \"a\") = 3\n18 pwrite64(3, \"x\", 1, 0 <unfinished ...>\n17 pwrite64(3) = 1\n\
                   18 <... pwrite64 resumed>) = 1\n18 pwrite64(3) = 1\n17 +++ killed by SIGKILL +++\n";
    assert_eq!(calls(written), BTreeMap::from([("openat", vec![1]), ("pwrite64", vec![1, 2])]));
}

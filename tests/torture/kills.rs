//! The real program is killed in the middle of a call to the system: before its N-th write, sync, truncation or removal,
//! whichever thread makes it, in start, intake, delivery, checkpoint and stop.
//!
//! strace puts the kill exactly there. Where it is missing or may not trace, the kills come at random microseconds instead,
//! and the test says so.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use signalbox_testkit::load::{self, Load};
use signalbox_testkit::{TestWorkspace, until};
use tokio::process::{Child, Command};

use crate::program::{binary, serve};
use crate::seed::{Dice, count, seed};

/// Calls that change a file.
const CALLS: [&str; 5] = ["pwrite64", "fdatasync", "ftruncate", "unlink", "openat"];
/// A life that has not met its call by then ends by a kill from outside.
const LIFE: Duration = Duration::from_millis(1_500);

struct Killer {
    strace: bool,
}

impl Killer {
    async fn find() -> Self {
        let probe = Command::new("strace").args(["-f", "-o", "/dev/null", "-e", "trace=none", "true"]).output().await;
        Self { strace: probe.is_ok_and(|output| output.status.success()) }
    }

    fn start(&self, dir: &Path, dice: &mut Dice) -> Child {
        let mut command = if self.strace {
            let call = CALLS[dice.below(CALLS.len())];
            // Most calls of a start come early; later ones belong to the load.
            let among = if dice.chance(50) { 6 } else { 60 };
            let nth = 1 + dice.roll(among);
            let mut command = Command::new("strace");
            // Not with --seccomp-bpf, under which strace 6.1 injects nothing into threads.
            command.args(["-f", "-qq", "-o", "/dev/null"]);
            command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:signal=SIGKILL:when={nth}")]);
            command.arg(binary());
            command
        } else {
            Command::new(binary())
        };
        command.args(["--workspace".as_ref(), dir.as_os_str()]);
        command.args(["serve", "--listen", "127.0.0.1:0", "--ingress", "127.0.0.1:0"]);
        command.env_clear().env("HOME", dir).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own: killing strace alone would leave the program running.
        command.process_group(0).kill_on_drop(true).spawn().unwrap()
    }
}

/// Until it ends; tells the senders where it listens once it does. True: its own call killed it.
async fn live(child: &mut Child, dir: &Path, ingress: &tokio::sync::watch::Sender<String>, longest: Duration) -> bool {
    let group = child.id().unwrap();
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
    let _gone = Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).stderr(Stdio::null()).status().await;
    let _ended = child.wait().await;
    // The program may outlive strace by a moment, and it still holds the lock then.
    until("the killed program to be gone", || async {
        let sent = Command::new("kill").args(["-0", "--", &format!("-{group}")]).stderr(Stdio::null()).status().await;
        (!sent.unwrap().success()).then_some(())
    })
    .await;
    ended.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_any_call_that_changes_a_file_it_loses_nothing_and_keeps_the_order() {
    let (seed, kills, killer) = (seed(), count("KILLS", 40, 10_000), Killer::find().await);
    let mut dice = Dice::new(seed);
    let (workspace, one, two): (TestWorkspace, _, _) = load::two_destinations().await;
    let (ingress, watched) = tokio::sync::watch::channel("http://127.0.0.1:9".to_owned());
    let (load, mut tasks) = Load::start(watched);
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
    let how = if killer.strace {
        format!("{met} before a call of theirs")
    } else {
        "at random moments: no strace here".into()
    };
    println!("kills: {kills} ({how}), {} events acknowledged, 0 lost, none out of order (seed {seed})", load.total());
    assert!(!killer.strace || met * 10 > kills, "only {met} of {kills} lives met the call that was to kill them");
}

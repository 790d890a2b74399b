//! Dead systems beside a healthy one: what waits for them must not hold up what does not.
//!
//! Two programs run at the same time, one with the dead systems and one without, and are measured in turns.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use signalbox_testkit::process::ServeOptions;
use signalbox_testkit::{Answer, Destination, ServeProcess, TestWorkspace, until, workspace};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::backlog::fill;
use crate::compare::{Compared, p99};
use crate::program::{binary, resident_kib, send_to, within};
use crate::seed::count;

/// Of each program.
const ROUNDS: u64 = 16;
/// Of one round: its p99 is the second from the top.
const EVENTS: u64 = 150;
/// On their way at one time.
const AT_ONCE: u64 = 4;
/// How much later the healthy system's events may arrive: a fifth.
const MOVED: f64 = 1.2;
const BREAKER: &str = "breaker = { window = \"30s\" }";

/// A program with an integration `well` and its healthy destination.
struct Program {
    process: ServeProcess,
    destination: Destination,
    workspace: TestWorkspace,
    sent: u64,
}

impl Program {
    /// `more` adds to the workspace before the start.
    async fn start(more: impl AsyncFnOnce(&TestWorkspace)) -> Self {
        let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
        workspace.system("well", &destination.url(), BREAKER);
        workspace.integration("well", &workspace::destination("well", ""));
        more(&workspace).await;
        let process = ServeProcess::start(binary(), workspace.path(), &ServeOptions::default()).await;
        Self { process, destination, workspace, sent: 0 }
    }

    /// Waits until the breakers of `count` systems are open.
    async fn given_up_on(&self, count: usize) {
        within(Duration::from_secs(300), "the breakers to open", || async {
            let systems = self.process.get("systems").await;
            let open = systems["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|system| matches!(system["breaker"]["state"].as_str(), Some("open" | "half-open")));
            (open.count() >= count).then_some(())
        })
        .await;
    }

    /// The time within which 99 of 100 events have gone from their sender to the destination.
    async fn p99(&mut self) -> Duration {
        let numbers = self.sent..self.sent + EVENTS;
        self.sent = numbers.end;
        let mut senders = JoinSet::new();
        for sender in 0..AT_ONCE {
            let (ingress, mine) =
                (self.process.ingress(), numbers.clone().skip(sender as usize).step_by(AT_ONCE as usize));
            senders.spawn(async move {
                let mut sent = Vec::new();
                for number in mine {
                    let body = json!({ "type": "a", "key": format!("k{number}"), "number": number }).to_string();
                    let begun = Instant::now();
                    let answer = send_to(&ingress, "/hooks/well", &number.to_string(), body.as_bytes()).await.unwrap();
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    sent.push((number, begun));
                }
                sent
            });
        }
        let sent: BTreeMap<u64, Instant> = senders.join_all().await.into_iter().flatten().collect();
        until("a round to arrive", || async { (self.destination.count() >= sent.len()).then_some(()) }).await;
        let arrived = self.destination.take();
        let took = |request: &signalbox_testkit::Received| {
            let number = request.json()["number"].as_u64().unwrap();
            request.at - sent[&number]
        };
        p99(arrived.iter().map(took).collect())
    }
}

async fn measure(without: &mut Program, beside: &mut Program) -> Compared {
    let mut compared = Compared::default();
    without.p99().await;
    beside.p99().await;
    for round in 0..ROUNDS {
        // Who goes first changes, too.
        if round % 2 == 0 {
            compared.without.push(without.p99().await);
            compared.beside.push(beside.p99().await);
        } else {
            compared.beside.push(beside.p99().await);
            compared.without.push(without.p99().await);
        }
    }
    compared
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_system_with_a_long_backlog_moves_nobody_elses_p99() {
    let rows = count("BACKLOG", 20_000, 1_000_000);
    let mut dead = Destination::start().await;
    dead.go_down();
    let url = dead.url();
    let mut without = Program::start(async |_: &TestWorkspace| {}).await;
    let mut beside = Program::start(async |workspace: &TestWorkspace| {
        workspace.system("crm", &url, BREAKER);
        workspace.integration("sync", &workspace::destination("crm", ""));
        std::fs::create_dir(workspace.path().join(".signalbox")).unwrap();
        fill(&workspace.path().join(".signalbox"), rows).await;
    })
    .await;
    beside.given_up_on(1).await;
    let compared = measure(&mut without, &mut beside).await;
    let waiting = beside.process.deliveries("destination:crm").await["total"].as_u64().unwrap();
    // A list counts up to ten thousand.
    assert!(waiting >= rows.min(10_000), "{waiting}");
    println!("neighbours: {rows} rows behind a dead system: {}", compared.judge(MOVED).unwrap());
}

/// Integrations of dead destinations, and how many each has; two of them share a system.
const DEAD: (u64, u64) = (20, 50);
/// Events for each of them: as many as a breaker counts before it opens.
const EVENTS_FOR_THE_DEAD: u64 = 20;
/// Of a destination that does not say otherwise: requests that are on the wire at one time.
const CONCURRENCY: u64 = 8;
/// What they may cost at most, however many of them come together: 50 KiB for each destination, 20 KiB for each request
/// that can hang at one time (half of the destinations hang), and 4 KiB for each delivery that waits for a place on the
/// wire (all can be claimed before the first breaker opens). Freed memory stays with the process, so its peak is seen.
const MEMORY_KIB: u64 = {
    let destinations = DEAD.0 * DEAD.1;
    destinations * 50 + destinations / 2 * CONCURRENCY * 20 + destinations * EVENTS_FOR_THE_DEAD * 4
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_dead_destinations_cost_little_and_move_nobody_elses_p99() {
    let mut refusing = Destination::start().await;
    refusing.go_down();
    // Half of them take the connection and never answer.
    let hanging = Destination::start().await;
    hanging.otherwise(Answer::Hang);
    rlimit::increase_nofile_limit(16_384).unwrap();
    let urls = [refusing.url(), hanging.url()];
    let mut without = Program::start(async |_: &TestWorkspace| {}).await;
    let mut beside = Program::start(async |workspace: &TestWorkspace| {
        for integration in 0..DEAD.0 {
            let mut destinations = String::new();
            for number in 0..DEAD.1 {
                let system = format!("dead-{integration}-{}", number / 2);
                let first = number % 2 == 0;
                if first {
                    workspace.system(&system, &urls[usize::from(number / 2 % 2 == 1)], BREAKER);
                }
                let destination = workspace::destination(&system, "");
                let name = if first { "first" } else { "second" };
                destinations += &destination.replacen(&system, &format!("{system}-{name}"), 1);
            }
            workspace.integration(&format!("dead-{integration}"), &destinations);
        }
        for number in 0..9 {
            workspace.integration(&format!("well-{number}"), &workspace::destination("well", ""));
        }
    })
    .await;
    beside.p99().await;
    let before = resident_kib(beside.process.pid());
    let begun = Instant::now();
    for number in 0..EVENTS_FOR_THE_DEAD {
        for integration in 0..DEAD.0 {
            let path = format!("/hooks/dead-{integration}");
            let answer = send_to(&beside.process.ingress(), &path, &number.to_string(), b"{\"type\":\"a\"}").await;
            assert_eq!(answer.unwrap().status, 200);
        }
    }
    let dead = DEAD.0 * DEAD.1;
    beside.given_up_on(usize::try_from(dead / 2).unwrap()).await;
    let given_up = begun.elapsed();
    let grown = resident_kib(beside.process.pid()).saturating_sub(before);
    println!(
        "neighbours: {dead} dead destinations with {EVENTS_FOR_THE_DEAD} events each: all breakers open after {given_up:?}, {} MiB more \
         than the {} MiB before",
        grown >> 10,
        before >> 10
    );
    let compared = measure(&mut without, &mut beside).await;
    println!("neighbours: {dead} dead destinations of 1,010: {}", compared.judge(MOVED).unwrap());
    assert!(grown < MEMORY_KIB, "{grown} KiB, and at most {MEMORY_KIB}");
    drop(beside.workspace);
}

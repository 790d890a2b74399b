//! One run: a seed's worth of events, failing receivers, pauses, replays, discards, clock jumps and crashes, and at the
//! end, when all is well again, the books are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::body::Body;
use http::{Request, StatusCode};
use parking_lot::Mutex;
use signalbox_engine::signals::Signals;
use signalbox_engine::view::{ControlError, PauseScope, ReplayRequest, ReplayTarget};
use signalbox_engine::{Parts, Runtime};
use signalbox_model::filter::Filter;
use signalbox_model::replay::{NewerPolicy, ReplayMode};
use signalbox_model::{Clock as _, DeliveryId, DeliveryState, DiscardId};
use signalbox_store::StoreError;
use signalbox_store::read::{DeliveryRow, Selection};
use signalbox_workspace::MapSecrets;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::clock::{SimClock, pass};
use crate::dice::Dice;
use crate::ledger::{LedgerThread, Lie, SimLedger};
use crate::receivers::{Arrived, MOODS, Receivers};
use crate::trace::Trace;

/// `strict` parks a key behind a dead letter, `loose` lets it pass.
const INTEGRATION: &str = r#"
[source]
kind = "webhook"
path = "/hooks/sync"
verify = { scheme = "none" }
type = '.body.n | tostring'
key = '.body.key'
dedupe = { id = '.body.n' }

[[destinations]]
name = "strict"
system = "shop"
request = { path = "/strict" }
retry = { schedule = ["1s", "3s", "9s"], jitter = 0.2 }
concurrency = 2

[[destinations]]
name = "loose"
system = "desk"
request = { path = "/loose" }
retry = { schedule = ["1s", "2s"], jitter = 0.2 }
on_dead = "pass"
concurrency = 4
"#;
const SHOP: &str = "base_url = \"http://127.0.0.1:9\"\nallow_private = true\n";
const DESK: &str = "base_url = \"http://127.0.0.1:9\"\nallow_private = true\n";
const PLACES: [(&str, usize); 2] = [("strict", 2), ("loose", 4)];

/// Looks at the ledger until everything has ended, a simulated half minute between: three hours, more than any wait in a
/// run, whose clock may have been set back by an hour.
const LOOKS: usize = 360;
/// Where the ledger lies, the end may never come.
const LOOKS_AT_A_LIAR: usize = 24;

#[derive(Default)]
struct Told {
    /// Counts posts and answers, so that they can be put in order.
    moment: u64,
    /// First posted at.
    posted: BTreeMap<u64, u64>,
    /// First answered with 2xx at.
    acknowledged: BTreeMap<u64, u64>,
    /// Answered with something else, to be sent again.
    refused: BTreeSet<u64>,
}

pub struct Run {
    steps: u64,
    dir: TempDir,
    clock: Arc<SimClock>,
    dice: Arc<Dice>,
    pub trace: Arc<Trace>,
    receivers: Arc<Receivers>,
    thread: Arc<LedgerThread>,
    told: Arc<Mutex<Told>>,
    /// Everything ever sent, by number.
    bodies: BTreeMap<u64, String>,
    paused: BTreeSet<&'static str>,
    discards: Vec<(DiscardId, BTreeSet<String>)>,
    /// Keys of which something was restored after later ones had gone: their order is a person's doing.
    restored: BTreeSet<String>,
    lie: Option<Lie>,
    counted: u64,
}

enum Ended {
    Crashed,
    Done(Vec<DeliveryRow>),
}

impl Run {
    pub fn new(seed: u64, steps: u64, lie: Option<Lie>) -> Self {
        let (clock, trace) = (Arc::new(SimClock::new()), Arc::new(Trace::default()));
        let dice = Arc::new(Dice::new(seed));
        let receivers = Arc::new(Receivers::new(clock.clone(), dice.clone(), trace.clone(), &PLACES));
        // Memory, where there is a file system of it: the disk's own faults are another test's.
        let memory = std::path::Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let dir = dir.expect("a folder");
        for (name, text) in
            [("integrations/sync.toml", INTEGRATION), ("systems/shop.toml", SHOP), ("systems/desk.toml", DESK)]
        {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
            std::fs::write(path, text).expect("the file is written");
        }
        Self {
            steps,
            dir,
            clock,
            dice,
            trace,
            receivers,
            thread: Arc::new(LedgerThread::start()),
            told: Arc::default(),
            bodies: BTreeMap::new(),
            paused: BTreeSet::new(),
            discards: Vec::new(),
            restored: BTreeSet::new(),
            lie,
            counted: 0,
        }
    }

    /// What does not hold; empty: all promises were kept.
    pub fn play(&mut self) -> Vec<String> {
        let mut boots = 0;
        loop {
            boots += 1;
            let (ended, store) = self.boot(boots);
            self.thread.close(store);
            match ended {
                Ended::Crashed => self.receivers.sender_died(),
                Ended::Done(rows) => return self.judge(&rows),
            }
        }
    }

    fn boot(&mut self, boot: u64) -> (Ended, Arc<signalbox_store::sqlite::SqliteStore>) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            self.clock.boot();
            self.trace.say(self.clock.now(), &format!("boot {boot}"));
            let signals = Signals::new(self.clock.clone(), boot);
            let store = self.thread.open(self.dir.path(), self.clock.clone(), signals.clone());
            let ledger = Arc::new(SimLedger {
                store: store.clone(),
                thread: self.thread.clone(),
                clock: self.clock.clone(),
                dice: self.dice.clone(),
                trace: self.trace.clone(),
                faults: AtomicBool::new(false),
                lie: self.lie,
                counted: AtomicU64::new(self.counted),
            });
            let workspace = signalbox_workspace::load(self.dir.path()).expect("the folder is there");
            assert!(workspace.problems.is_empty(), "{:?}", workspace.problems);
            let parts = Parts {
                store: ledger.clone(),
                deliver: self.receivers.clone(),
                secrets: Arc::new(MapSecrets::default()),
                clock: self.clock.clone(),
                random: Arc::new(Dice::new(self.dice.next())),
                signals,
            };
            let engine = Runtime::start(parts, workspace).await.expect("the engine starts");
            ledger.faults.store(true, Ordering::Relaxed);
            let crashed = self.live(&engine, &store).await;
            ledger.faults.store(false, Ordering::Relaxed);
            self.counted = ledger.counted.load(Ordering::Relaxed);
            let ended = if crashed { Ended::Crashed } else { Ended::Done(self.heal(&engine, &store).await) };
            (ended, store)
        })
        // Here everything that still ran is dropped where it stood, as a killed process drops it.
    }

    /// True: the process dies here.
    async fn live(&mut self, engine: &Arc<Runtime>, store: &Arc<signalbox_store::sqlite::SqliteStore>) -> bool {
        while self.steps > 0 {
            self.steps -= 1;
            match self.dice.roll(100) {
                0..=49 => self.send(engine),
                50..=54 => self.send_again(engine),
                55..=69 => {
                    let name = PLACES[self.dice.roll(2) as usize].0;
                    self.receivers.set_mood(name, MOODS[self.dice.roll(MOODS.len() as u64) as usize]);
                }
                70..=74 => self.pause(engine).await,
                75..=80 => self.resume(engine).await,
                81..=87 => self.replay(engine).await,
                88..=90 => self.discard(engine, store).await,
                91..=92 => self.undo(engine).await,
                93..=94 => {
                    let seconds = [3_600, -3_600, 8 * 3_600][self.dice.roll(3) as usize];
                    self.trace.say(self.clock.now(), &format!("the clock jumps by {seconds} s"));
                    self.clock.jump(seconds);
                    self.receivers.clock_was_set();
                }
                95..=96 => {
                    self.trace.say(self.clock.now(), "the process is killed");
                    return true;
                }
                _ => pass(self.dice.roll(20_000)).await,
            }
            let pause = if self.dice.chance(70) { self.dice.roll(30) } else { self.dice.roll(2_000) };
            pass(pause).await;
        }
        false
    }

    fn send(&mut self, engine: &Arc<Runtime>) {
        for _ in 0..1 + self.dice.roll(4) {
            let number = self.bodies.len() as u64 + 1;
            let key = match self.dice.roll(5) {
                0 => "null".to_owned(),
                which => format!("\"k{which}\""),
            };
            let body = format!(r#"{{"n": {number}, "key": {key}, "amount": 1.10}}"#);
            self.bodies.insert(number, body.clone());
            self.post(engine, number, body);
        }
    }

    /// What was refused, and sometimes what was not: vendors repeat themselves.
    fn send_again(&mut self, engine: &Arc<Runtime>) {
        let mut numbers: Vec<u64> = self.told.lock().refused.iter().copied().collect();
        if numbers.is_empty() && !self.bodies.is_empty() {
            numbers.push(1 + self.dice.roll(self.bodies.len() as u64));
        }
        for number in numbers {
            let body = self.bodies[&number].clone();
            self.post(engine, number, body);
        }
    }

    /// In a task of its own, so that a crash can meet it anywhere.
    fn post(&self, engine: &Arc<Runtime>, number: u64, body: String) {
        let (router, told, trace, clock) =
            (engine.ingress_router(), self.told.clone(), self.trace.clone(), self.clock.clone());
        {
            let mut told = told.lock();
            told.moment += 1;
            let moment = told.moment;
            told.posted.entry(number).or_insert(moment);
        }
        tokio::spawn(async move {
            let request = Request::post("/hooks/sync").header("content-type", "application/json");
            let request = request.body(Body::from(body)).expect("a request");
            let status = router.oneshot(request).await.expect("the router answers").status();
            trace.say(clock.now(), &format!("{number} is answered {status}"));
            let mut told = told.lock();
            if status == StatusCode::OK {
                told.refused.remove(&number);
                told.moment += 1;
                let moment = told.moment;
                told.acknowledged.entry(number).or_insert(moment);
            } else {
                told.refused.insert(number);
            }
        });
    }

    fn tell_pauses(&self) {
        let integration = self.paused.contains("sync");
        self.receivers.pause("strict", integration || self.paused.contains("shop"));
        self.receivers.pause("loose", integration || self.paused.contains("desk"));
    }

    async fn pause(&mut self, engine: &Arc<Runtime>) {
        let name = ["sync", "shop", "desk"][self.dice.roll(3) as usize];
        if !taken(engine.pause(scope(name)).await) {
            return self.trace.say(self.clock.now(), &format!("{name} is not paused"));
        }
        self.paused.insert(name);
        self.tell_pauses();
        self.trace.say(self.clock.now(), &format!("{name} is paused"));
    }

    async fn resume(&mut self, engine: &Arc<Runtime>) {
        let Some(name) = self.paused.iter().next().copied() else { return };
        self.paused.remove(name);
        self.tell_pauses();
        if !taken(engine.resume(scope(name)).await) {
            self.paused.insert(name);
            self.tell_pauses();
            return self.trace.say(self.clock.now(), &format!("{name} stays paused"));
        }
        self.trace.say(self.clock.now(), &format!("{name} goes on"));
    }

    async fn replay(&self, engine: &Arc<Runtime>) {
        let mode = if self.dice.chance(50) { ReplayMode::Exact } else { ReplayMode::Remap };
        let canary = self.dice.chance(30);
        // A full queue or an empty set is an answer too.
        let started = engine.start_replay(everything_dead(engine, mode, canary)).await;
        self.trace.say(self.clock.now(), &format!("replay {:?}", started.as_ref().map(|replay| replay.total).ok()));
        let Ok(replay) = started else { return };
        if self.dice.chance(30) {
            pass(self.dice.roll(500)).await;
            let moved = engine.pause_replay(replay.id).await.is_ok();
            pass(self.dice.roll(3_000)).await;
            if moved && self.dice.chance(70) {
                let _resumed = engine.resume_replay(replay.id).await;
            } else if moved {
                let _cancelled = engine.cancel_replay(replay.id).await;
            }
        }
    }

    async fn discard(&mut self, engine: &Arc<Runtime>, store: &Arc<signalbox_store::sqlite::SqliteStore>) {
        let rows = self.thread.rows(store, self.clock.now());
        let chosen: Vec<&DeliveryRow> =
            rows.iter().filter(|row| row.state == DeliveryState::Dead && self.dice.chance(50)).collect();
        let ids: Vec<DeliveryId> = chosen.iter().map(|row| row.id).collect();
        if ids.is_empty() {
            return;
        }
        let keys = chosen.iter().filter_map(|row| row.key.clone()).collect();
        self.trace.say(self.clock.now(), &format!("discard {}", ids.len()));
        if let Ok((id, _)) = engine.discard(Selection::Ids(ids), None).await {
            self.discards.push((id, keys));
        }
    }

    async fn undo(&mut self, engine: &Arc<Runtime>) {
        let Some((id, keys)) = self.discards.pop() else { return };
        self.restored.extend(keys);
        let undone = engine.undo_discard(id).await.is_ok();
        self.trace.say(self.clock.now(), &format!("undo {undone}"));
    }

    /// All is well from here on: everything must end.
    async fn heal(
        &mut self,
        engine: &Arc<Runtime>,
        store: &Arc<signalbox_store::sqlite::SqliteStore>,
    ) -> Vec<DeliveryRow> {
        self.receivers.all_well();
        while !self.paused.is_empty() {
            self.resume(engine).await;
        }
        pass(10_000).await;
        for number in self.bodies.keys() {
            if !self.told.lock().acknowledged.contains_key(number) {
                self.post(engine, *number, self.bodies[number].clone());
            }
        }
        let mut rows = Vec::new();
        let looks = if self.lie.is_some() { LOOKS_AT_A_LIAR } else { LOOKS };
        for look in 0..looks {
            pass(30_000).await;
            rows = self.thread.rows(store, self.clock.now());
            let open = rows.iter().filter(|row| !row.state.is_terminal()).count();
            let dead = rows.iter().any(|row| row.state == DeliveryState::Dead);
            if open == 0 && !dead {
                break;
            }
            // A job may be at work already, or paused by its own canary.
            if dead && look % 4 == 0 {
                for replay in engine.running_replays().await.expect("the ledger answers") {
                    let _moved = engine.cancel_replay(replay.id).await;
                }
                // An older one that was discarded and restored goes only when a person insists.
                let newer = if look < 12 { NewerPolicy::Skip } else { NewerPolicy::Send };
                let request = ReplayRequest { newer, ..everything_dead(engine, ReplayMode::Exact, false) };
                let _started = engine.start_replay(request).await;
            }
        }
        rows
    }

    fn judge(&self, rows: &[DeliveryRow]) -> Vec<String> {
        let mut wrong = self.receivers.complaints();
        let told = self.told.lock();
        for (name, _) in PLACES {
            let arrived = self.receivers.arrived(name);
            let by_number: BTreeMap<u64, &DeliveryRow> = rows
                .iter()
                .filter(|row| row.destination == name)
                .filter_map(|row| Some((row.event_type.as_deref()?.parse().ok()?, row)))
                .collect();
            if by_number.len() != rows.iter().filter(|row| row.destination == name).count() {
                wrong.push(format!("{name}: an event was accepted twice"));
            }
            for number in told.acknowledged.keys() {
                let body = &self.bodies[number];
                match by_number.get(number) {
                    None => wrong.push(format!("{name}: {number} was acknowledged and is not in the ledger")),
                    Some(row) => wrong.extend(self.judge_row(&told, name, *number, body, row, &arrived)),
                }
            }
            for one in &arrived {
                if self.bodies.get(&one.number) != Some(&one.body) {
                    wrong.push(format!("{name}: {} arrived with other bytes: {}", one.number, one.body));
                }
            }
            if name == "strict" {
                wrong.extend(self.judge_order(&told, &arrived));
            }
        }
        wrong
    }

    fn judge_row(
        &self,
        told: &Told,
        name: &str,
        number: u64,
        body: &str,
        row: &DeliveryRow,
        arrived: &[Arrived],
    ) -> Option<String> {
        let came = arrived.iter().any(|one| one.number == number && one.body == body);
        let given_back = || row.key.as_ref().is_some_and(|key| self.restored.contains(key));
        // A sender that was refused posts again: the lower number can be the newer one.
        let accepted_later = |other: u64| match (told.acknowledged.get(&other), told.posted.get(&number)) {
            (Some(acknowledged), Some(posted)) => other != number && acknowledged > posted,
            _ => other > number,
        };
        let newer = || arrived.iter().any(|one| Some(&one.key) == row.key.as_ref() && accepted_later(one.number));
        match row.state {
            DeliveryState::Delivered if came => None,
            DeliveryState::Delivered => Some(format!("{name}: {number} is delivered, and never arrived")),
            DeliveryState::Discarded => None,
            DeliveryState::Superseded if (name == "loose" || given_back()) && newer() => None,
            state => Some(format!("{name}: {number} is still {state:?} at the end: {:?}", row.message)),
        }
    }

    /// What was acknowledged before another of its key was posted arrives first, the first time that each arrives.
    fn judge_order(&self, told: &Told, arrived: &[Arrived]) -> Vec<String> {
        let mut seen: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        let mut wrong = Vec::new();
        for one in arrived.iter().filter(|one| !self.restored.contains(&one.key)) {
            let before = seen.entry(&one.key).or_default();
            if before.contains(&one.number) {
                continue;
            }
            let acknowledged = told.acknowledged.get(&one.number).copied().unwrap_or(u64::MAX);
            if let Some(early) = before.iter().find(|early| told.posted[early] > acknowledged) {
                wrong.push(format!("strict: {early} of {} arrived before {}", one.key, one.number));
            }
            before.push(one.number);
        }
        wrong
    }
}

fn scope(name: &str) -> PauseScope {
    if name == "sync" { PauseScope::Integration(name.to_owned()) } else { PauseScope::System(name.to_owned()) }
}

/// Whether the ledger took what a person wanted; a busy or full one says that it did not.
fn taken(answer: Result<(), ControlError>) -> bool {
    match answer {
        Ok(()) => true,
        Err(ControlError::Store(StoreError::Busy | StoreError::DiskFull)) => false,
        Err(error) => panic!("{error}"),
    }
}

pub fn everything_dead(engine: &Runtime, mode: ReplayMode, canary: bool) -> ReplayRequest {
    let filter = Filter::parse("state:dead").expect("a filter");
    let selection = Selection::Filter { filter, now: engine.clock().now(), gates: engine.closed_gates() };
    ReplayRequest {
        target: ReplayTarget::Selection(selection),
        mode,
        rate: Some(1_000.0),
        canary,
        newer: NewerPolicy::Skip,
        reason: None,
        edit: None,
        patch: None,
    }
}

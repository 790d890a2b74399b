//! The engine over the real ledger in simulated time, before one system that answers what it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use parking_lot::Mutex;
use signalbox_engine::connect::{Deliver, DeliverFuture};
use signalbox_engine::signals::Signals;
use signalbox_engine::{Parts, Runtime};
use signalbox_model::{Clock as _, DeliveryState};
use signalbox_net::client::{Answer, Outbound};
use signalbox_store::read::DeliveryRow;
use signalbox_store::sqlite::SqliteStore;
use signalbox_workspace::MapSecrets;
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::clock::{SimClock, pass};
use crate::dice::Dice;
use crate::ledger::{LedgerThread, SimLedger};
use crate::trace::Trace;

pub type Headers = &'static [(&'static str, &'static str)];

/// One request, as the system saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Instant,
    pub body: String,
    pub status: u16,
    /// On the wire at that moment, this one included.
    pub flying: u32,
}

/// Answers everything with what it is told, after 20 ms.
pub struct Shop {
    says: Mutex<(u16, HeaderMap)>,
    pub seen: Mutex<Vec<Seen>>,
    flying: AtomicU32,
}

impl Shop {
    pub fn says(&self, status: u16, headers: Headers) {
        let headers =
            headers.iter().map(|(name, value)| ((*name).parse().expect("a name"), HeaderValue::from_static(value)));
        *self.says.lock() = (status, headers.collect());
    }

    pub fn seen_since(&self, since: Instant) -> Vec<Seen> {
        self.seen.lock().iter().filter(|seen| seen.at >= since).cloned().collect()
    }
}

impl Deliver for Shop {
    fn deliver(&self, outbound: Outbound) -> DeliverFuture<'_> {
        Box::pin(async move {
            let (status, headers) = self.says.lock().clone();
            let body = String::from_utf8_lossy(&outbound.body).into_owned();
            let flying = self.flying.fetch_add(1, Ordering::Relaxed) + 1;
            self.seen.lock().push(Seen { at: Instant::now(), body, status, flying });
            pass(20).await;
            self.flying.fetch_sub(1, Ordering::Relaxed);
            let wait = Duration::from_millis(20);
            Ok(Answer {
                status,
                headers,
                body: Bytes::from_static(b"{}"),
                truncated: false,
                wait,
                total: wait,
                peer: None,
            })
        })
    }
}

/// The engine over the real ledger, in simulated time.
pub struct Stage {
    pub engine: Arc<Runtime>,
    pub shop: Arc<Shop>,
    trace: Arc<Trace>,
    clock: Arc<SimClock>,
    thread: Arc<LedgerThread>,
    store: Arc<SqliteStore>,
}

impl Stage {
    /// `system`: what its file says beside its URL.
    pub fn play(integration: &str, system: &str, play: impl AsyncFnOnce(&Self)) {
        let (clock, thread) = (Arc::new(SimClock::new()), Arc::new(LedgerThread::start()));
        let dir = tempfile::tempdir().expect("a folder");
        let shop = format!("base_url = \"http://127.0.0.1:9\"\nallow_private = true\n{system}\n");
        for (name, text) in [("integrations/sync.toml", integration), ("systems/shop.toml", &shop)] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
            std::fs::write(path, text).expect("the file is written");
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        let store = runtime.block_on(async {
            clock.boot();
            let (dice, trace) = (Arc::new(Dice::new(1)), Arc::new(Trace::default()));
            let signals = Signals::new(clock.clone(), 1);
            let store = thread.open(dir.path(), clock.clone(), signals.clone());
            let ledger = SimLedger {
                store: store.clone(),
                thread: thread.clone(),
                clock: clock.clone(),
                dice: dice.clone(),
                trace: trace.clone(),
                faults: AtomicBool::new(false),
                lie: None,
                counted: AtomicU64::new(0),
            };
            let shop = Arc::new(Shop {
                says: Mutex::new((200, HeaderMap::new())),
                seen: Mutex::default(),
                flying: AtomicU32::new(0),
            });
            let workspace = signalbox_workspace::load(dir.path()).expect("the folder is there");
            assert!(workspace.problems.is_empty(), "{:?}", workspace.problems);
            let parts = Parts {
                store: Arc::new(ledger),
                deliver: shop.clone(),
                secrets: Arc::new(MapSecrets::default()),
                clock: clock.clone(),
                random: dice,
                signals,
            };
            let engine = Runtime::start(parts, workspace).await.expect("the engine starts");
            let stage =
                Self { engine, shop, trace, clock: clock.clone(), thread: thread.clone(), store: store.clone() };
            play(&stage).await;
            store
        });
        drop(runtime);
        thread.close(store);
    }

    /// Events `numbers`, one after the other.
    pub async fn send(&self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            let request = Request::post("/hooks/sync").header("content-type", "application/json");
            let request = request.body(Body::from(format!(r#"{{"n":{number}}}"#))).expect("a request");
            let answer = self.engine.ingress_router().oneshot(request).await.expect("the router answers");
            assert_eq!(answer.status(), StatusCode::OK);
        }
    }

    /// The wall clock jumps; answers when.
    pub fn jump(&self, seconds: i64) -> Instant {
        self.clock.jump(seconds);
        Instant::now()
    }

    /// How often the ledger was asked for deliveries that are due.
    pub fn claims(&self) -> usize {
        let claims = ["open due", "open live due"];
        self.trace.lines().iter().filter(|line| claims.iter().any(|claim| line.ends_with(claim))).count()
    }

    pub fn rows(&self) -> Vec<DeliveryRow> {
        self.thread.rows(&self.store, self.clock.now())
    }

    pub fn assert_all(&self, state: DeliveryState, count: usize) {
        let states: Vec<DeliveryState> = self.rows().iter().map(|row| row.state).collect();
        assert_eq!(states, vec![state; count]);
    }
}

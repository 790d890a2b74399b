//! A runtime over a real ledger in a temporary folder, with a destination that answers as a test says.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test crate uses its part of the world")]

pub mod replaying;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use parking_lot::Mutex;
use signalbox_engine::connect::{Deliver, DeliverFuture};
use signalbox_engine::signals::Signals;
use signalbox_engine::{Parts, Runtime};
use signalbox_model::filter::Filter;
use signalbox_model::{Clock, Random, SecretName, SystemClock};
use signalbox_net::client::{Answer, Outbound, SendError};
use signalbox_store::Store;
use signalbox_store::read::{DeliveryRow, ListQuery};
use signalbox_store::sqlite::{SqliteOptions, SqliteStore};
use signalbox_workspace::MapSecrets;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

/// A counter in place of chance: ids and jitter are the same in every run.
struct Counter(AtomicU64);

impl Random for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
    }
}

/// Status, headers, body.
type Scripted = (u16, HeaderMap, &'static str);

/// What the destinations behind the port saw and say.
pub struct Destinations {
    pub seen: Mutex<Vec<Outbound>>,
    /// Answers by path, first come first served; 200 where none is left.
    answers: Mutex<BTreeMap<String, VecDeque<Scripted>>>,
    /// What a path answers once its script is over; 200 where nothing is said.
    otherwise: Mutex<BTreeMap<String, u16>>,
    /// A request whose body holds this text is refused with 400.
    refused: Mutex<Option<&'static str>>,
    /// Requests wait here while a test holds them.
    pub doors: Semaphore,
}

impl Destinations {
    fn new() -> Self {
        Self {
            seen: Mutex::default(),
            answers: Mutex::default(),
            otherwise: Mutex::default(),
            refused: Mutex::default(),
            doors: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }

    pub fn answer(&self, path: &str, status: u16, body: &'static str) {
        self.answer_with(path, status, &[], body);
    }

    pub fn answer_with(&self, path: &str, status: u16, headers: &[(&'static str, &'static str)], body: &'static str) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        self.answers.lock().entry(path.to_owned()).or_default().push_back((status, map, body));
    }

    pub fn refuse_bodies_with(&self, text: &'static str) {
        *self.refused.lock() = Some(text);
    }

    /// The path answers this from now on.
    pub fn always(&self, path: &str, status: u16) {
        self.otherwise.lock().insert(path.to_owned(), status);
    }

    /// What was scripted is over.
    pub fn heal(&self, path: &str) {
        self.answers.lock().remove(path);
    }

    /// Bodies in the order of arrival.
    pub fn bodies(&self) -> Vec<String> {
        self.seen.lock().iter().map(|sent| String::from_utf8_lossy(&sent.body).into_owned()).collect()
    }
}

impl Deliver for Destinations {
    fn deliver(&self, outbound: Outbound) -> DeliverFuture<'_> {
        Box::pin(async move {
            let Ok(_open) = tokio::time::timeout(outbound.timeout, self.doors.acquire()).await else {
                return Err(SendError::Unknown { message: "no answer in time".into() });
            };
            let url = url::Url::parse(&outbound.url).expect("the engine makes URLs");
            let answer = self.answers.lock().get_mut(url.path()).and_then(VecDeque::pop_front);
            let otherwise = self.otherwise.lock().get(url.path()).copied().unwrap_or(200);
            let (mut status, headers, body) = answer.unwrap_or((otherwise, HeaderMap::new(), "{}"));
            let holds = |text: &str| String::from_utf8_lossy(&outbound.body).contains(text);
            if self.refused.lock().is_some_and(holds) {
                status = 400;
            }
            self.seen.lock().push(outbound);
            let (wait, total) = (Duration::from_millis(1), Duration::from_millis(1));
            Ok(Answer {
                status,
                headers,
                body: Bytes::from_static(body.as_bytes()),
                truncated: false,
                wait,
                total,
                peer: None,
            })
        })
    }
}

pub struct World {
    pub dir: TempDir,
    pub runtime: Arc<Runtime>,
    pub store: Arc<SqliteStore>,
    pub destinations: Arc<Destinations>,
    pub secrets: Arc<MapSecrets>,
}

/// An integration whose events are ordered by `id`, and what is said of its one destination.
macro_rules! integration {
    ($destination:literal) => {
        concat!(
            "[source]\nkind = \"webhook\"\npath = \"/hooks/sync\"\nverify = { scheme = \"none\" }\n",
            "key = '.body.id'\ndedupe = \"off\"\n\n[[destinations]]\nname = \"shop\"\nsystem = \"shop\"\n",
            $destination
        )
    };
}

pub(crate) use integration;

pub const SYSTEM: &str = "base_url = \"http://127.0.0.1:9\"\nallow_private = true\n";

impl World {
    pub async fn with(integration: &str) -> Self {
        Self::of(&[("integrations/sync.toml", integration), ("systems/shop.toml", SYSTEM)]).await
    }

    pub async fn of(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        write(dir.path(), files);
        Self::start(dir).await
    }

    async fn start(dir: TempDir) -> Self {
        Self::start_before(dir, Arc::new(Destinations::new())).await
    }

    async fn start_before(dir: TempDir, destinations: Arc<Destinations>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(Counter(AtomicU64::new(1)));
        let boot = u64::try_from(clock.now().as_micros()).expect("after 1970");
        let signals = Signals::new(clock.clone(), boot);
        let store = SqliteStore::open(dir.path(), SqliteOptions::default(), clock.clone(), signals.clone())
            .await
            .expect("the ledger opens");
        let secrets = Arc::new(MapSecrets::default());
        let workspace = signalbox_workspace::load(dir.path()).expect("the folder is there");
        assert!(workspace.problems.is_empty(), "{:?}", workspace.problems);
        let parts = Parts {
            store: store.clone(),
            deliver: destinations.clone(),
            secrets: secrets.clone(),
            clock,
            random,
            signals,
        };
        let runtime = Runtime::start(parts, workspace).await.expect("the runtime starts");
        Self { dir, runtime, store, destinations, secrets }
    }

    /// Files change and the runtime takes them over, as the watcher would have it.
    pub async fn change(&self, files: &[(&str, &str)]) {
        write(self.dir.path(), files);
        let workspace = signalbox_workspace::reload(&self.runtime.workspace()).expect("the folder is there");
        assert!(workspace.problems.is_empty(), "{:?}", workspace.problems);
        self.runtime.apply(workspace).await.expect("the workspace is taken over");
    }

    pub async fn set_secret(&self, name: &str, value: &str) {
        self.secrets.set(SecretName::new(name).expect("a name"), value);
        let workspace = signalbox_workspace::load(self.dir.path()).expect("the folder is there");
        self.runtime.apply(workspace).await.expect("the workspace is taken over");
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> StatusCode {
        let mut request = Request::post(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        let answer = self.runtime.ingress_router().oneshot(request).await.expect("the router answers");
        answer.status()
    }

    pub async fn send(&self, body: &str) {
        assert_eq!(self.post("/hooks/sync", &[], body.to_owned()).await, StatusCode::OK);
    }

    pub async fn rows(&self, filter: &str) -> Vec<DeliveryRow> {
        let query = ListQuery {
            filter: Filter::parse(filter).expect("a filter"),
            now: self.runtime.clock().now(),
            gates: self.runtime.closed_gates(),
            cursor: None,
            limit: 500,
        };
        let mut rows = self.store.as_ref().list_rows(query).await;
        rows.reverse();
        rows
    }

    /// Until `count` rows match; every commit wakes it, so it sleeps only while nothing happens.
    pub async fn until(&self, filter: &str, count: usize) -> Vec<DeliveryRow> {
        let mut cursor = None;
        for _ in 0..200 {
            let rows = self.rows(filter).await;
            if rows.len() == count {
                return rows;
            }
            let batch = self.runtime.signals().live(cursor.as_deref(), Duration::from_millis(300)).await;
            cursor = Some(batch.cursor);
        }
        let all: Vec<_> = self.rows("").await.into_iter().map(|row| (row.state, row.key, row.message)).collect();
        panic!("never {count} of '{filter}': {all:?}");
    }

    /// Stops as `kill -9` would as far as the ledger can tell: nothing is drained.
    pub async fn crash(self) -> TempDir {
        self.store.close().await;
        self.dir
    }

    pub async fn restart(dir: TempDir) -> Self {
        Self::start(dir).await
    }

    /// Into a world whose destination still answers `status` at `path`.
    pub async fn restart_before(dir: TempDir, path: &str, status: u16) -> Self {
        let destinations = Destinations::new();
        destinations.always(path, status);
        Self::start_before(dir, Arc::new(destinations)).await
    }
}

trait ListRows {
    async fn list_rows(&self, query: ListQuery) -> Vec<DeliveryRow>;
}

impl ListRows for SqliteStore {
    async fn list_rows(&self, query: ListQuery) -> Vec<DeliveryRow> {
        let store: &dyn Store = self;
        store.list(query).await.expect("a page").items
    }
}

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, text).expect("the file is written");
    }
}

//! The receivers behind the port, and what they hold against the program: they see every request, and judge the
//! promises from outside, with their own books.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;
use signalbox_engine::connect::{Deliver, DeliverFuture};
use signalbox_model::{Clock as _, Timestamp};
use signalbox_net::client::{Answer, Outbound, Phase, SendError};

use crate::clock::{SimClock, pass};
use crate::dice::Dice;
use crate::trace::Trace;

/// How a receiver behaves at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Every other request fails with 500.
    Flapping,
    /// 503 to all.
    Down,
    /// 429 with a Retry-After of so many seconds.
    Busy(u64),
    /// Nobody answers the connection.
    Unreachable,
    /// It does the work, and the answer is lost.
    Forgetful,
    /// 422 to some: they die at once.
    Picky,
}

pub const MOODS: [Mood; 7] =
    [Mood::Well, Mood::Flapping, Mood::Down, Mood::Busy(7), Mood::Unreachable, Mood::Forgetful, Mood::Picky];

/// One request that reached a receiver and was processed.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub key: String,
    pub number: u64,
    pub body: String,
}

#[derive(Default)]
struct Books {
    moods: BTreeMap<String, Mood>,
    on_the_wire: BTreeMap<String, BTreeSet<String>>,
    arrived: BTreeMap<String, Vec<Arrived>>,
    /// Idempotency key by receiver and body, and the other way round.
    keys: BTreeMap<(String, String), String>,
    bodies: BTreeMap<String, (String, String)>,
    /// No request may start before: a 429 said so.
    closed_until: BTreeMap<String, Timestamp>,
    paused: BTreeSet<String>,
    wrong: Vec<String>,
}

pub struct Receivers {
    clock: Arc<SimClock>,
    dice: Arc<Dice>,
    trace: Arc<Trace>,
    books: Mutex<Books>,
    /// `concurrency` by receiver.
    places: BTreeMap<String, usize>,
}

/// Takes the request off the wire whichever way it ends: answered, or dropped with the process.
struct OnTheWire<'a> {
    receivers: &'a Receivers,
    name: String,
    key: String,
}

impl Drop for OnTheWire<'_> {
    fn drop(&mut self) {
        if let Some(keys) = self.receivers.books.lock().on_the_wire.get_mut(&self.name) {
            keys.remove(&self.key);
        }
    }
}

impl Receivers {
    pub fn new(clock: Arc<SimClock>, dice: Arc<Dice>, trace: Arc<Trace>, places: &[(&str, usize)]) -> Self {
        let places = places.iter().map(|(name, places)| ((*name).to_owned(), *places)).collect();
        Self { clock, dice, trace, books: Mutex::default(), places }
    }

    pub fn set_mood(&self, name: &str, mood: Mood) {
        self.trace.say(self.clock.now(), &format!("{name} is {mood:?}"));
        self.books.lock().moods.insert(name.to_owned(), mood);
    }

    pub fn all_well(&self) {
        for name in self.places.keys() {
            self.set_mood(name, Mood::Well);
        }
    }

    /// From now on no request to it may start.
    pub fn pause(&self, name: &str, paused: bool) {
        let mut books = self.books.lock();
        if paused {
            books.paused.insert(name.to_owned());
        } else {
            books.paused.remove(name);
        }
    }

    /// The process died: what it had been told and not yet written down, it may not know.
    pub fn sender_died(&self) {
        let mut books = self.books.lock();
        books.closed_until.clear();
        books.on_the_wire.clear();
    }

    /// The clock was set: an absolute time that was promised before means nothing any more.
    pub fn clock_was_set(&self) {
        self.books.lock().closed_until.clear();
    }

    pub fn arrived(&self, name: &str) -> Vec<Arrived> {
        self.books.lock().arrived.get(name).cloned().unwrap_or_default()
    }

    pub fn complaints(&self) -> Vec<String> {
        self.books.lock().wrong.clone()
    }

    fn begin(&self, name: &str, key: &str, number: u64, body: &str, idempotency: &str) -> Mood {
        let now = self.clock.now();
        let mut books = self.books.lock();
        let mut wrong = Vec::new();
        if !books.on_the_wire.entry(name.to_owned()).or_default().insert(key.to_owned()) {
            wrong.push(format!("{now} {name}: {number} of {key} started beside another of its key"));
        }
        let flying = books.on_the_wire.get(name).map_or(0, BTreeSet::len);
        if flying > self.places.get(name).copied().unwrap_or(usize::MAX) {
            wrong.push(format!("{now} {name}: {flying} requests at once"));
        }
        if books.closed_until.get(name).is_some_and(|until| *until > now) {
            wrong.push(format!("{now} {name}: {number} of {key} started although a Retry-After runs"));
        }
        if books.paused.contains(name) {
            wrong.push(format!("{now} {name}: {number} of {key} started although it is paused"));
        }
        let same = (name.to_owned(), body.to_owned());
        let first = books.keys.entry(same.clone()).or_insert_with(|| idempotency.to_owned()).clone();
        if first != idempotency {
            wrong.push(format!("{now} {name}: {number} of {key} came with the keys {first} and {idempotency}"));
        }
        let known = books.bodies.entry(idempotency.to_owned()).or_insert_with(|| same.clone()).clone();
        if known != same {
            wrong.push(format!("{now} {name}: the idempotency key {idempotency} came with other bytes"));
        }
        books.wrong.extend(wrong);
        books.moods.get(name).copied().unwrap_or(Mood::Well)
    }

    /// From here on it has happened, whatever the sender learns of it.
    fn process(&self, name: &str, key: &str, number: u64, body: &str) {
        let arrived = Arrived { key: key.to_owned(), number, body: body.to_owned() };
        self.books.lock().arrived.entry(name.to_owned()).or_default().push(arrived);
        self.trace.say(self.clock.now(), &format!("{name} processed {number} of {key}"));
    }

    async fn answer(&self, outbound: Outbound) -> Result<Answer, SendError> {
        let name = url::Url::parse(&outbound.url).map(|url| url.path().trim_start_matches('/').to_owned());
        let name = name.unwrap_or_default();
        let body = String::from_utf8_lossy(&outbound.body).into_owned();
        let value: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        let number = value["n"].as_u64().unwrap_or_default();
        // Without a key, an event is alone.
        let key = value["key"].as_str().map_or_else(|| format!("#{number}"), str::to_owned);
        let idempotency = outbound.headers.get("idempotency-key").and_then(|value| value.to_str().ok());
        let mood = self.begin(&name, &key, number, &body, idempotency.unwrap_or_default());
        let _wire = OnTheWire { receivers: self, name: name.clone(), key: key.clone() };
        self.trace.say(self.clock.now(), &format!("{name} gets {number} of {key} and is {mood:?}"));
        pass(1 + self.dice.roll(40)).await;
        let (status, retry_after) = match mood {
            Mood::Unreachable => {
                let message = "connection refused".to_owned();
                return Err(SendError::Network { phase: Phase::Connect, message });
            }
            Mood::Down => (503, None),
            Mood::Busy(seconds) => {
                let until = self.clock.now().plus(Duration::from_secs(seconds));
                self.books.lock().closed_until.insert(name.clone(), until);
                (429, Some(seconds))
            }
            Mood::Flapping if self.dice.chance(50) => (500, None),
            Mood::Picky if self.dice.chance(30) => (422, None),
            Mood::Forgetful => {
                self.process(&name, &key, number, &body);
                pass(self.dice.roll(2_000)).await;
                return Err(SendError::Unknown { message: "the answer did not come".to_owned() });
            }
            Mood::Well | Mood::Flapping | Mood::Picky => {
                self.process(&name, &key, number, &body);
                // Time in which the process can die between the work and its answer.
                pass(self.dice.roll(40)).await;
                (200, None)
            }
        };
        let mut headers = HeaderMap::new();
        if let Some(seconds) = retry_after {
            headers.insert("retry-after", HeaderValue::from(seconds));
        }
        let wait = Duration::from_millis(1);
        Ok(Answer { status, headers, body: Bytes::from_static(b"{}"), truncated: false, wait, total: wait, peer: None })
    }
}

impl Deliver for Receivers {
    fn deliver(&self, outbound: Outbound) -> DeliverFuture<'_> {
        Box::pin(self.answer(outbound))
    }
}

//! The ledger of what arrived: every request that a simulated system took, in bounded memory, so that it can be
//! compared with what Signalbox says it sent.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use signalbox_model::Timestamp;
use utoipa::ToSchema;

/// Requests kept; older ones are only counted.
pub const MAX_ITEMS: usize = 10_000;
/// Bytes of bodies and paths kept over all requests.
const MAX_BYTES: usize = 8 << 20;
/// Bytes kept of one body.
const MAX_BODY: usize = 64 << 10;
/// Bytes kept of one path and of one idempotency key.
const MAX_TEXT: usize = 512;

/// What a simulated system received and what it holds now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Received {
    /// Newest first.
    pub items: Vec<ReceivedItem>,
    /// Requests since the start, also those no longer kept.
    pub total: u64,
    /// Contacts that the system holds.
    pub records: usize,
    /// SHA-256 in hex over the contacts' contents, whatever their order: equal where two systems hold the same.
    pub records_hash: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceivedItem {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub method: String,
    /// With the query.
    pub path: String,
    /// None while it is being answered, and where the caller hung up before.
    pub status: Option<u16>,
    pub idempotency_key: Option<String>,
    /// The delivery that the idempotency key names.
    pub delivery: Option<String>,
    pub latency_ms: Option<u64>,
    /// As text; the first 64 KiB.
    pub body: String,
}

struct Entry {
    at: Timestamp,
    method: http::Method,
    path: String,
    key: Option<String>,
    body: Bytes,
    answer: Option<(u16, Duration)>,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.path.len() + self.body.len()
    }

    fn item(&self) -> ReceivedItem {
        ReceivedItem {
            at: self.at,
            method: self.method.to_string(),
            path: self.path.clone(),
            status: self.answer.map(|(status, _)| status),
            idempotency_key: self.key.clone(),
            delivery: self.key.as_deref().and_then(delivery),
            latency_ms: self.answer.map(|(_, latency)| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)),
            body: String::from_utf8_lossy(&self.body).into_owned(),
        }
    }
}

#[derive(Default)]
pub(crate) struct Arrivals {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: VecDeque<Entry>,
    /// Entries that were dropped from the front: the number of the first one that is kept.
    dropped: u64,
    bytes: usize,
}

impl Arrivals {
    /// Writes a request down before it is answered; `answered` takes the number.
    pub fn arrived(&self, at: Timestamp, request: &http::request::Parts, body: &[u8]) -> u64 {
        let path = request.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let entry = Entry {
            at,
            method: request.method.clone(),
            path: path.chars().take(MAX_TEXT).collect(),
            key: idempotency_key(&request.headers).map(|key| key.chars().take(MAX_TEXT).collect()),
            // A copy, since a slice would keep the whole buffer alive.
            body: Bytes::copy_from_slice(body.get(..MAX_BODY).unwrap_or(body)),
            answer: None,
        };
        let mut inner = self.inner.lock();
        inner.bytes += entry.bytes();
        inner.entries.push_back(entry);
        while inner.entries.len() > MAX_ITEMS || inner.bytes > MAX_BYTES {
            let Some(oldest) = inner.entries.pop_front() else { break };
            inner.bytes -= oldest.bytes();
            inner.dropped += 1;
        }
        inner.dropped + inner.entries.len() as u64 - 1
    }

    pub fn answered(&self, number: u64, status: u16, latency: Duration) {
        let mut inner = self.inner.lock();
        let index = number.checked_sub(inner.dropped).and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| inner.entries.get_mut(index)) {
            entry.answer = Some((status, latency));
        }
    }

    /// The newest `limit`, and how many there ever were.
    pub fn newest(&self, limit: usize) -> (Vec<ReceivedItem>, u64) {
        let inner = self.inner.lock();
        let items = inner.entries.iter().rev().take(limit).map(Entry::item).collect();
        (items, inner.dropped + inner.entries.len() as u64)
    }
}

/// The key as meant: the draft quotes it as a structured string, many clients do not.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get("idempotency-key")?.to_str().ok()?.trim();
    Some(text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text))
}

/// `dlv_….r2` is the second revision of `dlv_…`.
fn delivery(key: &str) -> Option<String> {
    let id = key.split_once('.').map_or(key, |(id, _)| id);
    id.parse::<signalbox_model::DeliveryId>().ok().map(|_| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrive(arrivals: &Arrivals, key: &str, body: &[u8]) -> u64 {
        let request = http::Request::post("/contacts?a=1").header("idempotency-key", key).body(()).unwrap();
        arrivals.arrived(Timestamp::from_secs(1), &request.into_parts().0, body)
    }

    #[test]
    fn a_request_names_its_delivery_by_the_idempotency_key() {
        let id = signalbox_model::DeliveryId::from_bits(42).to_string();
        let arrivals = Arrivals::default();
        arrive(&arrivals, &format!("\"{id}\""), b"{}");
        arrive(&arrivals, &format!("{id}.r2"), b"{}");
        arrive(&arrivals, "someone-else", b"{}");
        let (items, total) = arrivals.newest(10);
        assert_eq!(total, 3);
        assert_eq!(items[0].delivery, None);
        assert_eq!(items[1].delivery.as_deref(), Some(id.as_str()));
        assert_eq!(items[2].delivery.as_deref(), Some(id.as_str()));
        assert_eq!(items[2].idempotency_key.as_deref(), Some(id.as_str()));
        assert_eq!(items[2].path, "/contacts?a=1");
    }

    #[test]
    fn the_answer_is_written_to_its_own_request_after_older_ones_were_dropped() {
        let arrivals = Arrivals::default();
        let numbers: Vec<_> = (0..MAX_ITEMS + 5).map(|_| arrive(&arrivals, "k", b"")).collect();
        for number in [numbers[0], numbers[4], numbers[5], numbers[MAX_ITEMS + 4]] {
            arrivals.answered(number, 200, Duration::from_millis(3));
        }
        let (items, total) = arrivals.newest(usize::MAX);
        assert_eq!((items.len(), total), (MAX_ITEMS, MAX_ITEMS as u64 + 5));
        let answered: Vec<_> = items.iter().enumerate().filter_map(|(at, item)| item.status.map(|_| at)).collect();
        assert_eq!(answered, [0, MAX_ITEMS - 1], "the newest and the oldest that is still kept");
    }

    #[test]
    fn large_bodies_do_not_grow_the_ledger_without_end() {
        let arrivals = Arrivals::default();
        for _ in 0..1_000 {
            arrive(&arrivals, "k", &vec![b'x'; 1 << 20]);
        }
        let (items, total) = arrivals.newest(usize::MAX);
        assert_eq!(total, 1_000);
        assert!(items.iter().map(|item| item.body.len()).sum::<usize>() <= MAX_BYTES);
        assert_eq!(items[0].body.len(), MAX_BODY);
    }
}

//! Idempotency keys: a repeated request gets the answer of the first one and changes nothing.
//!
//! Only successes are kept. A refusal changed nothing, so the same request may succeed later under its key.

use std::collections::{HashMap, VecDeque};

use aws_lc_rs::digest::{Context, SHA256};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use crate::front::{json, with_header};

/// Keys that are remembered; the oldest make room.
const MAX_KEYS: usize = 10_000;

#[derive(Clone)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub etag: String,
    pub body: Value,
}

impl Answer {
    pub fn response(&self) -> Response {
        with_header(json(self.status, &self.body), "etag", &self.etag)
    }
}

pub(crate) enum Seen {
    Never,
    /// The same request under the same key.
    Same(Answer),
    /// Another request under the same key.
    Other,
}

#[derive(Default)]
pub(crate) struct Keys {
    answers: HashMap<String, (Vec<u8>, Answer)>,
    order: VecDeque<String>,
}

fn fingerprint(email: &str, body: &[u8]) -> Vec<u8> {
    let mut digest = Context::new(&SHA256);
    digest.update(email.as_bytes());
    digest.update(&[0]);
    digest.update(body);
    digest.finish().as_ref().to_vec()
}

impl Keys {
    pub fn look(&self, key: &str, email: &str, body: &[u8]) -> Seen {
        match self.answers.get(key) {
            None => Seen::Never,
            Some((known, answer)) if *known == fingerprint(email, body) => Seen::Same(answer.clone()),
            Some(_) => Seen::Other,
        }
    }

    pub fn remember(&mut self, key: &str, email: &str, body: &[u8], answer: Answer) {
        if self.answers.insert(key.to_owned(), (fingerprint(email, body), answer)).is_none() {
            self.order.push_back(key.to_owned());
        }
        while self.order.len() > MAX_KEYS {
            if let Some(oldest) = self.order.pop_front() {
                self.answers.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        Answer { status: StatusCode::CREATED, etag: "\"1\"".into(), body: Value::Null }
    }

    #[test]
    fn a_key_knows_its_request() {
        let mut keys = Keys::default();
        keys.remember("k", "a@x", b"{}", answer());
        assert!(matches!(keys.look("k", "a@x", b"{}"), Seen::Same(_)));
        assert!(matches!(keys.look("k", "a@x", b"{ }"), Seen::Other));
        assert!(matches!(keys.look("k", "b@x", b"{}"), Seen::Other));
        assert!(matches!(keys.look("l", "a@x", b"{}"), Seen::Never));
    }

    #[test]
    fn the_oldest_keys_make_room() {
        let mut keys = Keys::default();
        for number in 0..=MAX_KEYS {
            keys.remember(&number.to_string(), "a@x", b"", answer());
        }
        assert_eq!(keys.answers.len(), MAX_KEYS);
        assert!(matches!(keys.look("0", "a@x", b""), Seen::Never));
        assert!(matches!(keys.look("1", "a@x", b""), Seen::Same(_)));
    }
}

//! One record of a batch: what goes in, and what the answer says of it.

use bytes::Bytes;
use signalbox_model::FailureKind;
use signalbox_net::client::Answer;
use signalbox_store::delivery::OpenDelivery;
use signalbox_transform::{Value, parse_json, read_body};
use signalbox_workspace::BatchShape;

use super::{custom, hubspot, salesforce};
use crate::connect::idempotency_key;

/// The most of a record's own part of the answer that is kept, bytes.
const PART_KEPT: usize = 8 << 10;
/// Vendors' sentences are cut here, characters.
const SENTENCE: usize = 200;

pub(super) struct Record {
    pub value: Value,
    /// The delivery's own idempotency key, which names the record inside the batch.
    pub key: String,
}

impl Record {
    /// A body that is not JSON has no place in a list of records.
    pub fn read(row: &OpenDelivery) -> Result<Self, String> {
        let parsed = parse_json(&row.request.body)
            .map_err(|error| format!("it cannot go into a batch, since its body is not JSON: {error}"))?;
        Ok(Self { value: parsed.value, key: idempotency_key(row.id, row.revision) })
    }
}

/// What an answer says of one record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    /// None: the destination took it.
    pub failure: Option<RecordFailure>,
    /// Where the answer gives this record a status of its own.
    pub status: Option<u16>,
    /// Its own part of the answer, as JSON.
    pub part: Option<Bytes>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct RecordFailure {
    pub kind: FailureKind,
    pub message: String,
}

impl Outcome {
    pub fn taken(part: Option<&Value>) -> Self {
        Self { failure: None, status: None, part: part.and_then(kept) }
    }

    pub fn failed(kind: FailureKind, message: String, part: Option<&Value>) -> Self {
        Self { failure: Some(RecordFailure { kind, message }), status: None, part: part.and_then(kept) }
    }

    /// Nobody knows whether it was taken: tried again under the same key.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::failed(FailureKind::Unknown, message.into(), None)
    }
}

/// One outcome per record, whatever the answer is. Only for a 2xx: any other status is the whole request's failure.
pub(super) fn outcomes(shape: &BatchShape, system: &str, answer: &Answer, records: &[Record]) -> Vec<Outcome> {
    let content_type = answer.headers.get("content-type").and_then(|value| value.to_str().ok());
    let body = match read_body(content_type, &answer.body) {
        Ok((parsed, _)) => parsed.value,
        Err(_) => Value::null(),
    };
    let outcomes = match shape {
        BatchShape::HubSpot => hubspot::outcomes(system, answer.status, &body, records),
        BatchShape::Salesforce => salesforce::outcomes(system, &body, records),
        BatchShape::Custom { outcomes, .. } => custom::outcomes(outcomes, answer, records),
    };
    debug_assert_eq!(outcomes.len(), records.len(), "one outcome per record");
    outcomes
}

/// The same for all of them.
pub(super) fn all_unknown(records: &[Record], message: &str) -> Vec<Outcome> {
    records.iter().map(|_| Outcome::unknown(message)).collect()
}

/// The text of a member, on one line and cut; none where it says nothing.
pub(super) fn sentence(value: &Value, member: &str) -> Option<String> {
    let text = value.get(member)?;
    let text: String = text.as_str()?.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SENTENCE).collect();
    let text = text.trim_end_matches('.');
    (!text.is_empty()).then(|| text.to_owned())
}

fn kept(part: &Value) -> Option<Bytes> {
    part.to_json_bytes(PART_KEPT).ok().map(Bytes::from)
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use signalbox_model::{DeliveryId, EventId, Timestamp};
    use signalbox_store::LaneId;
    use signalbox_store::event::Request;

    use super::*;

    pub fn row(id: u128, body: &str) -> OpenDelivery {
        OpenDelivery {
            id: DeliveryId::from_bits(id),
            event: EventId::from_bits(id),
            lane: LaneId(1),
            attempt: 1,
            tries: 1,
            epoch: 1,
            revision: 1,
            accepted_at: Timestamp::from_secs(1_000),
            round_started_at: Timestamp::from_secs(1_000),
            key: None,
            event_type: None,
            replay: None,
            request: Request {
                method: "POST".into(),
                path: "/batch/upsert".into(),
                headers: vec![("content-type".into(), "application/json".into())],
                body: Bytes::copy_from_slice(body.as_bytes()),
            },
        }
    }

    pub fn record(key: &str, body: &str) -> Record {
        Record { value: parse_json(body.as_bytes()).unwrap().value, key: key.to_owned() }
    }

    pub fn json(text: &str) -> Value {
        parse_json(text.as_bytes()).unwrap().value
    }

    pub fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: http::HeaderMap::from_iter([(
                http::header::CONTENT_TYPE,
                http::HeaderValue::from_static("application/json"),
            )]),
            body: Bytes::copy_from_slice(body.as_bytes()),
            truncated: false,
            wait: Duration::from_millis(1),
            total: Duration::from_millis(1),
            peer: None,
        }
    }

    /// Kinds by record; none: taken.
    pub fn kinds(outcomes: &[Outcome]) -> Vec<Option<FailureKind>> {
        outcomes.iter().map(|outcome| outcome.failure.as_ref().map(|failure| failure.kind)).collect()
    }
}

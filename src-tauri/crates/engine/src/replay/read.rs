//! What a system holds now, read in a dry run where the destination says how (`read`): through the same client,
//! credential, gate and limits as a delivery, and counted as one by the system's breaker and quotas.

use std::time::Duration;

use bytes::Bytes;
use http::header;
use signalbox_model::DeliveryId;
use signalbox_net::client::Answer;
use signalbox_store::event::Request;
use signalbox_transform::Limits;
use signalbox_workspace::ReadRecord;
use tokio::time::Instant;

use super::ReplayService;
use crate::connect::{RESPONSE_MAX, Sender};
use crate::diff;
use crate::dispatch::gate::Verdict;
use crate::dispatch::lane::{LaneConfig, LaneRuntime};
use crate::dispatch::outcome::answer_value;
use crate::view::CurrentRecord;

/// With less than this left, no read is begun: hardly a system would answer in time.
const READ_LEAST: Duration = Duration::from_secs(1);

impl ReplayService {
    /// `None`: the destination does not say how to read.
    pub(super) async fn current_record(
        &self,
        lane: &LaneRuntime,
        request: &Request,
        delivery: DeliveryId,
        deadline: Instant,
    ) -> Option<CurrentRecord> {
        let config = lane.config.load_full();
        let config = config.as_ref().as_ref()?;
        let read = config.destination()?.read.as_ref()?;
        let looked = self.look(lane, config, read, request, delivery, deadline).await;
        Some(looked.unwrap_or_else(|reason| CurrentRecord::unreadable(None, reason)))
    }

    async fn look(
        &self,
        lane: &LaneRuntime,
        config: &LaneConfig,
        read: &ReadRecord,
        request: &Request,
        delivery: DeliveryId,
        deadline: Instant,
    ) -> Result<CurrentRecord, String> {
        let (now, title) = (self.means.clock.now(), &config.system.title);
        let closed = match lane.verdict(now) {
            Verdict::Closed(closed) => Some(closed),
            // The one request that may find out is a delivery's.
            Verdict::Probe => return Err(format!("{title} failed, and one delivery tries now whether it is back")),
            // As the replay itself, its reads leave the reserve of a quota to live traffic.
            Verdict::Clear => lane.replays_wait(now),
        };
        if let Some(closed) = closed {
            return Err(closed.explain);
        }
        let sent: serde_json::Value = serde_json::from_slice(&request.body)
            .map_err(|error| format!("the body that would be sent is not JSON, so nothing can be compared: {error}"))?;
        let path = match &read.path {
            None => request.path.clone(),
            Some(path) => {
                let value = signalbox_transform::Value::from_json(&sent);
                path.render(&value, &Limits::INLINE).map_err(|error| format!("the path of 'read' fails: {error}"))?
            }
        };
        let get = Request {
            method: "GET".into(),
            path,
            headers: vec![(header::ACCEPT.as_str().into(), "application/json".into())],
            body: Bytes::new(),
        };
        let destination = config.destination().ok_or("its destination is no longer in the workspace")?;
        let base_url = config.gates.active_url();
        let sender = Sender {
            system: &config.system,
            base_url: &base_url,
            destination,
            secrets: &config.secrets,
            // Some schemes sign an id; a read has its own.
            key: &format!("{delivery}.read"),
            now: self.means.clock.now(),
            response_cap: RESPONSE_MAX,
        };
        let mut outbound = sender.outbound(&get).map_err(|error| error.to_string())?;
        // Reading repeats nothing.
        outbound.headers.remove(&destination.idempotency.header);
        let turn = tokio::time::timeout_at(deadline, lane.place_and_turn()).await.map_err(|_| {
            format!("it was left out: the limits of {title} gave it no turn before the dry run had to end")
        })?;
        let _turn = turn.ok_or("its destination is no longer in the workspace")?;
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = outbound.timeout;
        outbound.timeout = longest(left, patience)
            .ok_or_else(|| format!("it was left out: {title} had no time to answer before the dry run had to end"))?;
        match self.dispatcher.ask(config, outbound, patience).await {
            Ok(answer) => compare(config, read, &sent, &answer),
            Err(_) if Instant::now() >= deadline => {
                Err(format!("{title} did not answer before the dry run had to end"))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// How long a read may take with so much of the dry run `left`; none: it is not begun.
fn longest(left: Duration, timeout: Duration) -> Option<Duration> {
    (left >= READ_LEAST.min(timeout)).then(|| left.min(timeout))
}

fn compare(
    config: &LaneConfig,
    read: &ReadRecord,
    sent: &serde_json::Value,
    answer: &Answer,
) -> Result<CurrentRecord, String> {
    let (status, title) = (answer.status, &config.system.title);
    if status == 404 || status == 410 {
        let reason = format!("{title} has no such record; the request would make it");
        let diff = diff::against_record(&serde_json::Value::Object(serde_json::Map::new()), sent);
        return Ok(CurrentRecord { status: Some(status), readable: true, reason: Some(reason), diff });
    }
    if !(200..300).contains(&status) {
        return Ok(CurrentRecord::unreadable(Some(status), format!("{title} answered {status} when it was read")));
    }
    let record = match &read.body {
        None => answer.body.to_vec(),
        Some(program) => {
            let made = program.run_one(&answer_value(answer), &Limits::INLINE);
            let bytes = made.and_then(|value| value.to_json_bytes(crate::steps::REQUEST_BODY_MAX));
            bytes.map_err(|error| format!("the body of 'read' fails on the answer of {title}: {error}"))?
        }
    };
    let record: serde_json::Value = serde_json::from_slice(&record)
        .map_err(|error| format!("the record that {title} answered is not JSON: {error}"))?;
    let diff = diff::against_record(&record, sent);
    Ok(CurrentRecord { status: Some(status), readable: true, reason: None, diff })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_has_its_systems_time_or_what_is_left_and_is_not_begun_with_too_little() {
        let millis = Duration::from_millis;
        let cases = [
            (5_000, 10_000, Some(5_000)),
            (5_000, 300, Some(300)),
            (1_000, 10_000, Some(1_000)),
            (999, 10_000, None),
            (999, 300, Some(300)),
            (299, 300, None),
        ];
        for (left, timeout, expected) in cases {
            assert_eq!(longest(millis(left), millis(timeout)), expected.map(millis), "{left} of {timeout}");
        }
    }
}

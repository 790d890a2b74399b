//! Ends of attempts, a batch at a time: attempt, state, promotion of the next of the key, replay item.

use std::collections::{HashMap, HashSet};

use signalbox_model::retry::WaitedFor;
use signalbox_model::{DeliveryId, DeliveryState, ReplayId, Timestamp};
use sqlx::sqlite::SqliteRow;

use super::fault::Outcome;
use super::ledger::Ledger;
use super::order::Settling;
use super::progress;
use super::sql::{Answers, Args, Columns, Many, Part, Script, corrupt};
use crate::delivery::{Completed, Completion, Next};
use crate::event::Failure;
use crate::replay::ItemState;
use crate::{Change, LaneId};

static OPEN: Many = Many::new(
    "WITH wanted (id, epoch) AS (VALUES",
    2,
    ") SELECT d.id, d.lane, d.key, d.attempts, d.tries_before, d.revision, d.accepted_at, d.replay
       FROM wanted CROSS JOIN delivery d ON d.id = wanted.id
       WHERE d.epoch = wanted.epoch AND d.state = 'sending'",
);
static LANES: Many = Many::new(
    "WITH wanted (id) AS (VALUES",
    1,
    ") SELECT d.id, d.lane FROM wanted CROSS JOIN delivery d ON d.id = wanted.id",
);
static ATTEMPTS: Many = Many::new(
    "INSERT OR FAIL INTO attempt (delivery, number, id, revision, started_at, ended_at, status, kind, error, wait_us, total_us, url,
     waited_for, next_due_at, response_size, response_truncated, response_headers, response_body) VALUES",
    18,
    "",
);
static MOVE: Many = Many::new(
    "WITH moved (id, state, due_at, ended_at, tries_before, kind, stage, status, message, grp, park, latency_us) AS (VALUES",
    12,
    ") UPDATE OR FAIL delivery SET state = moved.state, due_at = moved.due_at, sending_since = NULL, ended_at = moved.ended_at,
       tries_before = moved.tries_before, kind = moved.kind, stage = moved.stage, status = moved.status,
       message = moved.message, grp = moved.grp, park = moved.park, latency_us = moved.latency_us
       FROM moved WHERE delivery.id = moved.id",
);
static LAST_DELIVERED: Many = Many::new(
    "WITH last (lane, at) AS (VALUES",
    2,
    ") UPDATE lane SET last_delivered_at = max(ifnull(last_delivered_at, 0), last.at) FROM last WHERE lane.id = last.lane",
);

/// An open attempt as it stands.
struct Open {
    lane: LaneId,
    key: Option<String>,
    attempts: u32,
    tries_before: u32,
    revision: u32,
    accepted_at: Timestamp,
    replay: Option<ReplayId>,
}

/// An open attempt and how it ended.
struct End<'a> {
    open: Open,
    completion: &'a Completion,
    state: DeliveryState,
    due_at: Option<Timestamp>,
    failure: Option<&'a Failure>,
    latency_us: Option<u64>,
}

/// A batch of ends on its way into the ledger. Its steps go into the scripts that the batch runs anyway.
pub(super) struct Ending<'a> {
    completions: Vec<&'a Completion>,
    ends: Vec<End<'a>>,
    stale: Vec<DeliveryId>,
}

/// What the statements of [`Ending::write`] answer to.
pub(super) struct Written {
    moved: Part,
    settling: Settling,
}

impl<'a> Ending<'a> {
    /// Which of the attempts are open.
    pub fn ask(script: &mut Script, completions: Vec<&'a Completion>) -> (Self, Part) {
        let open = script.many(&OPEN, &completions, |args, completion| {
            args.id(completion.delivery).count(completion.epoch);
        });
        (Self { completions, ends: Vec::new(), stale: Vec::new() }, open)
    }

    pub fn judge(&mut self, answers: &mut Answers, open: Part) -> Outcome<()> {
        let mut open = answers.rows(open).iter().map(read_open).collect::<Outcome<HashMap<_, _>>>()?;
        for completion in &self.completions {
            // Of two ends of one attempt the first counts.
            match open.remove(&completion.delivery) {
                Some(open) => self.ends.push(end(open, completion)),
                None => self.stale.push(completion.delivery),
            }
        }
        Ok(())
    }

    pub fn write(&self, script: &mut Script, now: Timestamp) -> Written {
        script.many(&ATTEMPTS, &self.ends, bind_attempt);
        let moved = script.many(&MOVE, &self.ends, bind_move);
        let keys: HashSet<(LaneId, &str)> =
            self.ends.iter().filter(|end| end.state.is_terminal()).filter_map(key).collect();
        let keys: Vec<(LaneId, &str)> = keys.into_iter().collect();
        let settling = Settling::ask(script, &keys, now);
        last_delivered(script, &self.ends);
        Written { moved, settling }
    }

    pub async fn finish(self, ledger: &mut Ledger, answers: &mut Answers, written: Written) -> Outcome<Vec<Completed>> {
        if answers.affected(written.moved) != self.ends.len() as u64 {
            return Err(corrupt("a delivery whose attempt ended"));
        }
        for end in &self.ends {
            let record = &end.completion.attempt;
            let at = record.ended_at;
            let lane = end.open.lane;
            let (kind, status) = (record.kind, record.status);
            ledger.changes.push(Change::AttemptEnded { lane, kind, status, total_us: record.total_us, at });
            let from = DeliveryState::Sending;
            ledger.changes.push(Change::Moved { lane, from, to: end.state, at, latency_us: end.latency_us });
        }
        let now = ledger.now;
        let promoted = written.settling.told(ledger, answers, now)?;
        replays(ledger, &self.ends).await?;
        report_stale(ledger, &self.stale).await?;
        let mut applied: HashMap<DeliveryId, bool> = HashMap::with_capacity(self.ends.len());
        for end in &self.ends {
            let next =
                !promoted.is_empty() && key(end).is_some_and(|(lane, key)| promoted.contains(&(lane, key.to_owned())));
            applied.insert(end.completion.delivery, next);
        }
        // Each entry answers once; a second completion of the same delivery is the stale one.
        let answer = |completion: &&Completion| match applied.remove(&completion.delivery) {
            Some(promoted) => Completed::Applied { promoted },
            None => Completed::Stale,
        };
        Ok(self.completions.iter().map(answer).collect())
    }
}

fn key<'e>(end: &'e End<'_>) -> Option<(LaneId, &'e str)> {
    Some((end.open.lane, end.open.key.as_deref()?))
}

fn read_open(row: &SqliteRow) -> Outcome<(DeliveryId, Open)> {
    let open = Open {
        lane: row.get_lane(1)?,
        key: row.get_opt_text(2)?,
        attempts: row.get_u32(3)?,
        tries_before: row.get_u32(4)?,
        revision: row.get_u32(5)?,
        accepted_at: row.get_time(6)?,
        replay: row.get_opt_id(7)?,
    };
    Ok((row.get_id(0)?, open))
}

fn end(open: Open, completion: &Completion) -> End<'_> {
    let (state, due_at, failure) = match &completion.next {
        Next::Delivered => (DeliveryState::Delivered, None, None),
        Next::Retry { failure, due_at, .. } | Next::Wait { failure, due_at } => {
            (DeliveryState::Retrying, Some(*due_at), Some(failure))
        }
        Next::Dead(failure) => (DeliveryState::Dead, None, Some(failure)),
    };
    let latency = completion.attempt.ended_at.since(open.accepted_at).as_micros();
    let latency_us = matches!(completion.next, Next::Delivered).then(|| u64::try_from(latency).unwrap_or(u64::MAX));
    End { open, completion, state, due_at, failure, latency_us }
}

fn bind_attempt(args: &mut Args, end: &End<'_>) {
    let record = &end.completion.attempt;
    args.id(end.completion.delivery).int(end.open.attempts).id(record.id).int(end.open.revision);
    args.time(record.started_at).time(record.ended_at).opt_int(record.status);
    args.opt_text(record.kind.map(signalbox_model::FailureKind::as_str)).opt_text(record.error.as_deref());
    args.opt_count(record.wait_us).count(record.total_us).text(&record.url);
    let waited_for = match &end.completion.next {
        Next::Retry { waited_for: WaitedFor::Schedule, .. } => Some("schedule"),
        Next::Retry { waited_for: WaitedFor::RetryAfter, .. } => Some("retry-after"),
        Next::Wait { .. } => Some("gate"),
        Next::Delivered | Next::Dead(_) => None,
    };
    args.opt_text(waited_for).opt_time(end.due_at);
    match &record.response {
        Some(response) => {
            args.count(response.size).int(response.truncated).pairs(&response.headers).blob(&response.body)
        }
        None => args.opt_int(None::<i64>).opt_int(None::<i64>).opt_text(None).opt_blob(None),
    };
}

fn bind_move(args: &mut Args, end: &End<'_>) {
    let failure = end.failure;
    args.id(end.completion.delivery).text(end.state.as_str()).opt_time(end.due_at);
    args.opt_time(end.state.is_terminal().then_some(end.completion.attempt.ended_at));
    let uncounted = matches!(end.completion.next, Next::Wait { .. });
    args.int(end.open.tries_before.saturating_add(u32::from(uncounted)).min(end.open.attempts));
    args.opt_text(failure.map(|failure| failure.kind.as_str()));
    args.opt_text(failure.map(|failure| failure.stage.as_str()));
    args.opt_int(failure.map_or(end.completion.attempt.status, |failure| failure.status));
    args.opt_text(failure.map(|failure| failure.message.as_str()));
    args.opt_id(failure.map(|failure| failure.group));
    let park = end.state == DeliveryState::Dead && failure.is_some_and(|failure| failure.park);
    args.int(park).opt_count(end.latency_us);
}

async fn replays(ledger: &mut Ledger, ends: &[End<'_>]) -> Outcome<()> {
    for end in ends {
        let Some(replay) = end.open.replay else { continue };
        let to = match end.state {
            DeliveryState::Delivered => ItemState::Delivered,
            DeliveryState::Dead => ItemState::Dead,
            _ => continue,
        };
        progress::end_item(ledger, replay, end.completion.delivery, to).await?;
    }
    Ok(())
}

fn last_delivered(script: &mut Script, ends: &[End<'_>]) {
    let mut last: HashMap<LaneId, Timestamp> = HashMap::new();
    for end in ends.iter().filter(|end| end.state == DeliveryState::Delivered) {
        let at = last.entry(end.open.lane).or_default();
        *at = (*at).max(end.completion.attempt.ended_at);
    }
    let last: Vec<(LaneId, Timestamp)> = last.into_iter().collect();
    script.many(&LAST_DELIVERED, &last, |args, (lane, at)| {
        args.lane(*lane).time(*at);
    });
}

async fn report_stale(ledger: &mut Ledger, stale: &[DeliveryId]) -> Outcome<()> {
    let rows = LANES
        .query(&mut ledger.conn, stale, |args, id| {
            args.id(*id);
        })
        .await?;
    for row in rows {
        ledger.changes.push(Change::StaleCompletion { lane: row.get_lane(1)? });
    }
    Ok(())
}

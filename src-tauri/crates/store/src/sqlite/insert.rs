//! New rows of events, deliveries and revisions.

use signalbox_model::{DeliveryId, DeliveryState, EventId, Timestamp};

use super::columns::sum;
use super::dedupe::Verdict;
use super::fault::{Fault, Outcome};
use super::ledger::Ledger;
use super::sql::{Many, Script};
use crate::event::{Failure, NewEvent, Planned, Request};
use crate::replay::RevisionOrigin;
use crate::{LaneId, StoreError};

static EVENTS: Many = Many::new(
    "INSERT OR FAIL INTO event (seq, id, integration, version, received_at, source_id, event_type, key, method, path, query,
     headers, content_type, size, body_hash, notes, conflict_of, unplanned, boots, boot_epoch, part, parts, request)
     VALUES",
    23,
    "",
);
static BODIES: Many = Many::new("INSERT OR FAIL INTO event_body (seq, body) VALUES", 2, "");
static DELIVERIES: Many = Many::new(
    "INSERT OR FAIL INTO delivery (id, event, lane, state, key, event_type, accepted_at, due_at, sending_since, ended_at, attempts,
     tries_before, round_started_at, revision, epoch, kind, stage, status, message, grp, park, conflict_of) VALUES",
    22,
    "",
);
static REVISIONS: Many = Many::new(
    "INSERT OR FAIL INTO revision (delivery, number, origin, created_at, method, path, headers, body, sum) VALUES",
    9,
    "",
);

/// A delivery that comes into being.
pub(super) struct NewRow<'a> {
    pub id: DeliveryId,
    pub event: &'a NewEvent,
    pub lane: LaneId,
    pub conflict_of: Option<EventId>,
    pub state: DeliveryState,
    pub request: Option<&'a Request>,
    /// Open attempt: since when, under which epoch.
    pub open: Option<(Timestamp, u64)>,
    pub failure: Option<Failure>,
    /// The filter step that said no.
    pub step: Option<&'a str>,
}

impl<'a> NewRow<'a> {
    pub fn new(id: DeliveryId, event: &'a NewEvent, lane: LaneId, conflict_of: Option<EventId>) -> Self {
        let state = DeliveryState::Queued;
        Self { id, event, lane, conflict_of, state, request: None, open: None, failure: None, step: None }
    }

    pub fn request(self, request: &'a Request) -> Self {
        Self { request: Some(request), ..self }
    }

    pub fn queued(self) -> Self {
        Self { state: DeliveryState::Queued, ..self }
    }

    pub fn held(self) -> Self {
        Self { state: DeliveryState::Held, ..self }
    }

    pub fn sending(self, now: Timestamp, epoch: u64) -> Self {
        Self { state: DeliveryState::Sending, open: Some((now, epoch)), ..self }
    }

    pub fn filtered(self, step: &'a str) -> Self {
        Self { state: DeliveryState::Filtered, step: Some(step), ..self }
    }

    pub fn dead(self, failure: Failure) -> Self {
        Self { state: DeliveryState::Dead, failure: Some(failure), ..self }
    }

    /// Keeps later ones of its key waiting.
    pub fn blocks(&self) -> bool {
        !self.state.is_terminal() || self.failure.as_ref().is_some_and(|failure| failure.park)
    }
}

pub(super) fn events(script: &mut Script, ledger: &mut Ledger, events: &[(&NewEvent, Verdict)]) {
    let numbered: Vec<(i64, &(&NewEvent, Verdict))> = (ledger.next_seq..).zip(events).collect();
    // A rolled-back batch leaves a gap, which is harmless.
    ledger.next_seq = ledger.next_seq.saturating_add(i64::try_from(events.len()).unwrap_or(0));
    let epoch = i64::try_from(ledger.epoch).unwrap_or(i64::MAX);
    script.many(&EVENTS, &numbered, |args, (seq, (event, verdict))| {
        let conflict_of = match verdict {
            Verdict::Conflict { first } => Some(*first),
            _ => None,
        };
        let hold = conflict_of.is_some() && event.dedupe.as_ref().is_some_and(|dedupe| dedupe.hold_conflicts);
        let unplanned = matches!(event.planned, Planned::Later(_)) && !hold;
        args.int(*seq).id(event.id).text(&event.integration).text(&event.version).time(event.received_at);
        args.opt_text(event.dedupe.as_ref().map(|dedupe| dedupe.source_id.as_str()));
        args.opt_text(event.event_type.as_deref()).opt_text(event.key.as_deref());
        args.text(&event.method).text(&event.path).opt_text(event.query.as_deref()).pairs(&event.headers);
        args.opt_text(event.content_type.as_deref()).count(event.body.len() as u64).blob(&event.body_hash);
        args.owned(event.notes.join(",")).opt_id(conflict_of);
        args.int(unplanned).int(unplanned).int(epoch);
        args.opt_int(event.part.map(|part| part.index)).opt_int(event.part.map(|part| part.of));
        args.opt_id(event.part.map(|part| part.request));
    });
    script.many(&BODIES, &numbered, |args, (seq, (event, _))| {
        args.int(*seq).blob(&event.body);
    });
}

pub(super) fn deliveries(script: &mut Script, rows: &[NewRow<'_>]) -> Outcome<()> {
    if rows.iter().any(|row| row.state == DeliveryState::Sending && row.request.is_none()) {
        return Err(Fault::Refused(StoreError::Database("an attempt was opened with nothing to send".to_owned())));
    }
    script.many(&DELIVERIES, rows, |args, row| {
        let at = row.event.received_at;
        let due = matches!(row.state, DeliveryState::Queued | DeliveryState::Sending);
        args.id(row.id).id(row.event.id).lane(row.lane).text(row.state.as_str());
        args.opt_text(row.event.key.as_deref()).opt_text(row.event.event_type.as_deref());
        args.time(at).opt_time(due.then_some(at)).opt_time(row.open.map(|(since, _)| since));
        args.opt_time(row.state.is_terminal().then_some(at)).int(row.open.is_some()).int(0);
        args.time(at).int(row.request.is_some()).count(row.open.map_or(0, |(_, epoch)| epoch));
        let failure = row.failure.as_ref();
        args.opt_text(failure.map(|failure| failure.kind.as_str()));
        let stage = failure.map(|failure| failure.stage.as_str());
        args.opt_text(stage.or(row.step.map(|_| signalbox_model::Stage::Filter.as_str())));
        args.opt_int(failure.and_then(|failure| failure.status));
        args.opt_text(failure.map(|failure| failure.message.as_str()).or(row.step));
        args.opt_id(failure.map(|failure| failure.group));
        args.int(failure.is_some_and(|failure| failure.park)).opt_id(row.conflict_of);
    });
    let requests: Vec<_> = rows.iter().filter_map(|row| Some((row, row.request?))).collect();
    script.many(&REVISIONS, &requests, |args, (row, request)| {
        args.id(row.id).int(1).text(RevisionOrigin::Mapped.as_str()).time(row.event.received_at);
        args.text(&request.method).text(&request.path).pairs(&request.headers);
        args.opt_blob((request.body != row.event.body).then_some(request.body.as_ref()));
        args.opt_blob(Some(sum(row.id, 1, &request.body).as_slice()));
    });
    Ok(())
}

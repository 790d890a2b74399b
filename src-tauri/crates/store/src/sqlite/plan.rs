//! Events whose steps run behind the commit: their placeholder rows hold the places in the order of their keys.

use std::collections::{BTreeSet, HashMap, HashSet};

use signalbox_model::{DeliveryId, DeliveryState, EventId, Stage, Timestamp};

use super::columns::sum;
use super::fault::{Fault, Outcome};
use super::ledger::Ledger;
use super::order;
use super::sql::{Args, Columns, corrupt, execute, optional, rows};
use crate::event::{Failure, Fate, NewDelivery, Placement, Request, Unplanned};
use crate::replay::RevisionOrigin;
use crate::{Change, LaneId, StoreError};

pub(super) struct Plan {
    pub event: EventId,
    pub deliveries: Vec<NewDelivery>,
}

/// A placeholder as it stands.
struct Place {
    lane: LaneId,
    state: DeliveryState,
    key: Option<String>,
}

pub(super) async fn plan(ledger: &mut Ledger, input: &Plan) -> Outcome<Vec<Placement>> {
    let places = places(ledger, input.event).await?;
    let named: HashSet<DeliveryId> = input.deliveries.iter().map(|delivery| delivery.id).collect();
    let waiting = |place: &Place| matches!(place.state, DeliveryState::Queued | DeliveryState::Held);
    let forgotten = places.iter().any(|(id, place)| waiting(place) && !named.contains(id));
    let unknown = named.iter().any(|id| !places.contains_key(id));
    if forgotten || unknown {
        let message = format!("the plan of {} does not name exactly the deliveries that wait for it", input.event);
        return Err(Fault::Refused(StoreError::Database(message)));
    }
    let body = body_hash(ledger, input.event).await?;
    let mut placements = Vec::with_capacity(input.deliveries.len());
    let mut freed = BTreeSet::new();
    for delivery in &input.deliveries {
        let placed = match places.get(&delivery.id).filter(|place| waiting(place)) {
            // A person discarded it meanwhile.
            None => Placement::Ended,
            Some(place) => fill(ledger, delivery, place, body).await?,
        };
        if let (Placement::Ended, Some(place)) = (placed, places.get(&delivery.id)) {
            freed.extend(place.key.clone().map(|key| (place.lane, key)));
        }
        placements.push(placed);
    }
    let now = ledger.now;
    order::settle(ledger, freed, now).await?;
    let mut args = Args::default();
    args.id(input.event);
    execute(&mut ledger.conn, "UPDATE event SET unplanned = 0 WHERE id = ?", args).await?;
    Ok(placements)
}

async fn places(ledger: &mut Ledger, event: EventId) -> Outcome<HashMap<DeliveryId, Place>> {
    let mut args = Args::default();
    args.id(event);
    let sql = "SELECT id, lane, state, key FROM delivery WHERE event = ? AND revision = 0";
    let read = |row: &sqlx::sqlite::SqliteRow| {
        Ok((row.get_id(0)?, Place { lane: row.get_lane(1)?, state: row.get_state(2)?, key: row.get_opt_text(3)? }))
    };
    rows(&mut ledger.conn, sql, args).await?.iter().map(read).collect()
}

async fn body_hash(ledger: &mut Ledger, event: EventId) -> Outcome<[u8; 32]> {
    let mut args = Args::default();
    args.id(event);
    let row = optional(&mut ledger.conn, "SELECT body_hash FROM event WHERE id = ?", args).await?;
    let hash = row.ok_or_else(|| corrupt("an event that was to be planned"))?.get_blob(0)?;
    hash.try_into().map_err(|_| corrupt("the hash of a body"))
}

async fn fill(ledger: &mut Ledger, delivery: &NewDelivery, place: &Place, body: [u8; 32]) -> Outcome<Placement> {
    let now = ledger.now;
    let (to, placement) = match &delivery.fate {
        Fate::Filtered { step } => {
            let mut args = Args::default();
            args.time(now).text(Stage::Filter.as_str()).text(step).id(delivery.id);
            let sql = "UPDATE delivery SET state = 'filtered', due_at = NULL, ended_at = ?, stage = ?, message = ? WHERE id = ?";
            execute(&mut ledger.conn, sql, args).await?;
            (DeliveryState::Filtered, Placement::Ended)
        }
        Fate::Dead(failure) => {
            kill(ledger, delivery.id, failure, now).await?;
            (DeliveryState::Dead, Placement::Ended)
        }
        Fate::Send(request) => {
            add_revision(ledger, delivery.id, 1, RevisionOrigin::Mapped, request, body).await?;
            let open = delivery.may_open && place.state == DeliveryState::Queued;
            let mut args = Args::default();
            args.int(open).int(open).count(ledger.epoch).time(now).id(delivery.id);
            let sql = "UPDATE delivery SET revision = 1, attempts = ?1, state = iif(?2, 'sending', state),
                       epoch = iif(?2, ?3, epoch), sending_since = iif(?2, ?4, NULL) WHERE id = ?5";
            execute(&mut ledger.conn, sql, args).await?;
            match place.state {
                DeliveryState::Queued if open => (DeliveryState::Sending, Placement::Opened { epoch: ledger.epoch }),
                DeliveryState::Queued => (DeliveryState::Queued, Placement::Queued),
                _ => (DeliveryState::Held, Placement::Held),
            }
        }
    };
    if to != place.state {
        ledger.changes.push(Change::Moved { lane: place.lane, from: place.state, to, at: now, latency_us: None });
    }
    Ok(placement)
}

/// An open or dead row becomes a dead letter with this failure.
pub(super) async fn kill(ledger: &mut Ledger, id: DeliveryId, failure: &Failure, now: Timestamp) -> Outcome<()> {
    let mut args = Args::default();
    args.time(now).text(failure.kind.as_str()).text(failure.stage.as_str()).opt_int(failure.status);
    args.text(&failure.message).id(failure.group).int(failure.park).id(id);
    let sql =
        "UPDATE delivery SET state = 'dead', due_at = NULL, sending_since = NULL, ended_at = ?, kind = ?, stage = ?,
               status = ?, message = ?, grp = ?, park = ? WHERE id = ?";
    execute(&mut ledger.conn, sql, args).await?;
    Ok(())
}

/// Bytes equal to the event's own are not stored again.
pub(super) async fn add_revision(
    ledger: &mut Ledger,
    delivery: DeliveryId,
    number: u32,
    origin: RevisionOrigin,
    request: &Request,
    event_body: [u8; 32],
) -> Outcome<()> {
    let same = *blake3::hash(&request.body).as_bytes() == event_body;
    let mut args = Args::default();
    args.id(delivery).int(number).text(origin.as_str()).time(ledger.now).text(&request.method).text(&request.path);
    args.pairs(&request.headers).opt_blob((!same).then_some(request.body.as_ref()));
    args.opt_blob(Some(sum(delivery, number, &request.body).as_slice()));
    let sql = "INSERT INTO revision (delivery, number, origin, created_at, method, path, headers, body, sum)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    execute(&mut ledger.conn, sql, args).await?;
    Ok(())
}

/// Each boot counts once for an event, however often it asks.
pub(super) async fn unplanned(ledger: &mut Ledger, limit: &u32) -> Outcome<Vec<Unplanned>> {
    let mut args = Args::default();
    args.int(*limit);
    let sql = "SELECT id, integration, version, boots, boot_epoch FROM event WHERE unplanned = 1 ORDER BY id LIMIT ?";
    let found = rows(&mut ledger.conn, sql, args).await?;
    let mut events = Vec::with_capacity(found.len());
    for row in &found {
        let event: EventId = row.get_id(0)?;
        let mut boots = row.get_u32(3)?;
        if row.get_u64(4)? != ledger.epoch {
            boots = boots.saturating_add(1);
            let mut args = Args::default();
            args.int(boots).count(ledger.epoch).id(event);
            execute(&mut ledger.conn, "UPDATE event SET boots = ?, boot_epoch = ? WHERE id = ?", args).await?;
        }
        let deliveries = places(ledger, event).await?;
        let mut deliveries: Vec<(DeliveryId, LaneId)> = deliveries
            .into_iter()
            .filter(|(_, place)| !place.state.is_terminal())
            .map(|(id, place)| (id, place.lane))
            .collect();
        deliveries.sort_unstable();
        let (integration, version) = (row.get_text(1)?, row.get_text(2)?);
        events.push(Unplanned { event, integration, version, deliveries, boots });
    }
    Ok(events)
}

//! Commands over many deliveries: what a selection means, and carrying it out in bounded parts.

use std::collections::{HashMap, HashSet};

use signalbox_model::filter::{Filter, Term, Test};
use signalbox_model::replay::NewerPolicy;
use signalbox_model::{DeliveryId, DeliveryState, DiscardId, ReplayId, Timestamp};

use super::SqliteStore;
use super::discard::{self, DiscardPart, PART};
use super::predicate::Scope;
use super::readers::step;
use super::replays::{self, Begin, Freeze};
use super::select::{Count, Selecting};
use super::sql::{Columns, Many};
use super::take_back::{self, Part};
use crate::delivery::UndoneDiscard;
use crate::read::{ClosedGates, Selection};
use crate::replay::{NewReplay, PlannedReplay, REPLAY_MAX};
use crate::{LaneId, StoreError};

static FOUND: Many = Many::new(
    "WITH wanted (at, id) AS (VALUES",
    2,
    ") SELECT d.id, d.lane, d.key, d.state FROM wanted CROSS JOIN delivery d ON d.id = wanted.id ORDER BY wanted.at",
);
/// The newest delivered one of each key.
static NEWEST: Many = Many::new(
    "WITH wanted (at, lane, name) AS (VALUES",
    3,
    ") SELECT wanted.at, (SELECT d.id FROM delivery d INDEXED BY delivery_key WHERE d.key = wanted.name
         AND d.lane = wanted.lane AND d.state = 'delivered' ORDER BY d.id DESC LIMIT 1)
       FROM wanted WHERE wanted.at IS NOT NULL",
);

/// A delivery of a selection.
struct Found {
    id: DeliveryId,
    lane: LaneId,
    key: Option<String>,
    state: DeliveryState,
}

type Newest = HashMap<(LaneId, String), Option<DeliveryId>>;

impl SqliteStore {
    pub(super) async fn discard_all(
        &self,
        id: DiscardId,
        selection: Selection,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        use DeliveryState::{Dead, Held, Queued, Retrying};
        let ids = self.selected(selection, &[Dead, Held, Queued, Retrying]).await?;
        let mut discarded = 0;
        let mut parts: Vec<&[DeliveryId]> = ids.chunks(PART).collect();
        if parts.is_empty() {
            // Remembered all the same, so that undoing it is not an error.
            parts.push(&[]);
        }
        for part in parts {
            let part = DiscardPart { id, deliveries: part.to_vec(), reason: reason.clone(), now };
            discarded += self.queue.run(part, |ledger, part| step(discard::discard(ledger, part))).await?;
        }
        Ok(discarded)
    }

    pub(super) async fn undo(&self, id: DiscardId, now: Timestamp) -> Result<Option<UndoneDiscard>, StoreError> {
        let (mut done, mut after) = (UndoneDiscard::default(), None);
        loop {
            let part = self.queue.run((id, after, now), |ledger, input| step(discard::undo(ledger, input))).await?;
            done.restored += part.done.restored;
            done.superseded += part.done.superseded;
            if part.next.is_none() {
                return Ok(part.known.then_some(done));
            }
            after = part.next;
        }
    }

    pub(super) async fn put_back(&self, replay: ReplayId, now: Timestamp, parked: bool) -> Result<u64, StoreError> {
        let (mut count, mut after) = (0, None);
        loop {
            let part = Part { replay, after, now };
            let done = if parked {
                self.queue.run(part, |ledger, part| step(take_back::let_go(ledger, part))).await?
            } else {
                self.queue.run(part, |ledger, part| step(take_back::undo(ledger, part))).await?
            };
            count += done.count;
            if done.next.is_none() {
                return Ok(count);
            }
            after = done.next;
        }
    }

    pub(super) async fn plan(&self, plan: NewReplay) -> Result<PlannedReplay, StoreError> {
        let NewReplay { id, selection, settings, newer, change, created_at } = plan;
        let by_ids = matches!(selection, Selection::Ids(_));
        let mut planned = PlannedReplay { skipped_state: self.not_dead(&selection).await?, ..PlannedReplay::default() };
        let mut ids = self.selected(selection, &[DeliveryState::Dead]).await?;
        ids.sort_unstable();
        ids.dedup();
        if ids.len() as u64 > REPLAY_MAX {
            let message =
                format!("{} dead letters are more than the {REPLAY_MAX} of one replay; narrow the filter", ids.len());
            return Err(StoreError::TooMany(message));
        }
        let begin = Begin { id, settings, newer, change, created_at };
        self.queue.run(begin, |ledger, begin| step(replays::begin(ledger, begin))).await?;
        let mut by_lane: HashMap<LaneId, u64> = HashMap::new();
        let mut newest = Newest::new();
        for part in ids.chunks(PART) {
            let found = self.found(part).await?;
            self.look_up_newest(&found, &mut newest).await?;
            let mut items = Vec::with_capacity(found.len());
            for found in found {
                // Named by its id it may be sent on purpose; with `newer: skip` it is still overtaken.
                let superseded = by_ids && found.state == DeliveryState::Superseded;
                if found.state != DeliveryState::Dead && !superseded {
                    planned.skipped_state += 1;
                    continue;
                }
                let key = found.key.map(|key| (found.lane, key));
                let overtaken = key.as_ref().and_then(|key| *newest.get(key)?).is_some_and(|newest| newest > found.id);
                if overtaken || superseded {
                    planned.skipped_newer += 1;
                    if newer == NewerPolicy::Skip {
                        continue;
                    }
                }
                if planned.samples.len() < 3 && (planned.samples.is_empty() || !by_lane.contains_key(&found.lane)) {
                    planned.samples.push(found.id);
                }
                *by_lane.entry(found.lane).or_default() += 1;
                planned.with_key += u64::from(key.is_some());
                items.push(found.id);
            }
            planned.count += items.len() as u64;
            self.queue.run((id, items), |ledger, input| step(replays::add_items(ledger, input))).await?;
        }
        planned.by_lane = by_lane.into_iter().collect();
        planned.by_lane.sort_unstable();
        // What is sent all the same is not skipped.
        let skipped_newer = if newer == NewerPolicy::Skip { planned.skipped_newer } else { 0 };
        let freeze = Freeze { id, total: planned.count, skipped_newer, skipped_state: planned.skipped_state };
        self.queue.run(freeze, |ledger, freeze| step(replays::freeze(ledger, freeze))).await?;
        Ok(planned)
    }

    /// Ids of a selection. A filter is narrowed to `states`; ids are taken as they are, since their commands look
    /// again.
    async fn selected(&self, selection: Selection, states: &[DeliveryState]) -> Result<Vec<DeliveryId>, StoreError> {
        let (mut filter, now, gates) = match selection {
            Selection::Ids(ids) => return Ok(ids),
            Selection::Filter { filter, now, gates } => (filter, now, gates),
        };
        if filter.is_empty() {
            return Err(StoreError::Database(
                "a bulk command needs a filter that says which deliveries it means".to_owned(),
            ));
        }
        filter.terms.push(Term { negated: false, test: Test::State(states.to_vec()) });
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.ids(&filter, now, &gates, cursor, PART * 5).await?;
            all.extend(page.ids);
            match page.next {
                Some(next) if (all.len() as u64) <= REPLAY_MAX => cursor = Some(next),
                _ => return Ok(all),
            }
        }
    }

    async fn ids(
        &self,
        filter: &Filter,
        now: Timestamp,
        gates: &ClosedGates,
        cursor: Option<DeliveryId>,
        limit: usize,
    ) -> Result<super::select::Ids, StoreError> {
        let lanes = self.known_lanes();
        let (filter, gates) = (filter.clone(), gates.clone());
        self.readers
            .read(move |conn| {
                step(async move {
                    let scope = Scope { lanes: &lanes, gates: &gates, now };
                    Selecting::new(&filter, &scope).page(conn, cursor, limit).await
                })
            })
            .await
    }

    /// Rows that a filter finds beside the dead ones; counted as far as lists count.
    async fn not_dead(&self, selection: &Selection) -> Result<u64, StoreError> {
        let Selection::Filter { filter, now, gates } = selection else { return Ok(0) };
        let mut filter = filter.clone();
        filter.terms.push(Term { negated: true, test: Test::State(vec![DeliveryState::Dead]) });
        let count: Count = self.count(&filter, *now, gates).await?;
        Ok(count.total)
    }

    async fn count(&self, filter: &Filter, now: Timestamp, gates: &ClosedGates) -> Result<Count, StoreError> {
        let lanes = self.known_lanes();
        let (filter, gates) = (filter.clone(), gates.clone());
        self.readers
            .read(move |conn| {
                step(async move {
                    let scope = Scope { lanes: &lanes, gates: &gates, now };
                    Selecting::new(&filter, &scope).count(conn).await
                })
            })
            .await
    }

    async fn found(&self, ids: &[DeliveryId]) -> Result<Vec<Found>, StoreError> {
        let numbered: Vec<(i64, DeliveryId)> = (0..).zip(ids.iter().copied()).collect();
        self.readers
            .read(move |conn| {
                step(async move {
                    let rows = FOUND
                        .query(conn, &numbered, |args, (at, id)| {
                            args.int(*at).id(*id);
                        })
                        .await?;
                    let read = |row: &sqlx::sqlite::SqliteRow| {
                        let (id, lane) = (row.get_id(0)?, row.get_lane(1)?);
                        Ok(Found { id, lane, key: row.get_opt_text(2)?, state: row.get_state(3)? })
                    };
                    rows.iter().map(read).collect()
                })
            })
            .await
    }

    /// Once for each key, since a key may have a great many rows.
    async fn look_up_newest(&self, found: &[Found], newest: &mut Newest) -> Result<(), StoreError> {
        let keys = found.iter().filter_map(|found| Some((found.lane, found.key.clone()?)));
        let missing: HashSet<(LaneId, String)> = keys.filter(|key| !newest.contains_key(key)).collect();
        let numbered: Vec<(i64, (LaneId, String))> = (0..).zip(missing).collect();
        let asked = numbered.clone();
        let answers: Vec<(i64, Option<DeliveryId>)> = self
            .readers
            .read(move |conn| {
                step(async move {
                    let rows = NEWEST
                        .query(conn, &asked, |args, (at, (lane, key))| {
                            args.int(*at).lane(*lane).text(key);
                        })
                        .await?;
                    rows.iter().map(|row| Ok((row.get_int(0)?, row.get_opt_id(1)?))).collect()
                })
            })
            .await?;
        let mut answers: HashMap<i64, Option<DeliveryId>> = answers.into_iter().collect();
        newest.extend(numbered.into_iter().map(|(at, key)| (key, answers.remove(&at).flatten())));
        Ok(())
    }
}

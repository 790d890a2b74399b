//! Which deliveries match a filter, newest first, a page at a time.
//!
//! A filter is answered by *arms*: walks along an index in the order of ids, merged here. What the index does not
//! answer is checked row by row within a window of bounded length; where the window ends before the page is full, the
//! cursor says where to go on. So no filter can hold up a reader, however many rows there are.

use std::collections::BTreeSet;
use std::time::Duration;

use signalbox_model::filter::{Filter, Pattern, StatusRange, Test};
use signalbox_model::{DeliveryId, DeliveryState, HeldReason, Timestamp};
use sqlx::sqlite::SqliteConnection;

use super::fault::Outcome;
use super::predicate::{Binder, Scope, all};
use super::sql::{Columns, safe};
use crate::read::COUNT_MAX;

/// How many rows are looked at for one page.
#[derive(Clone, Copy)]
struct Windows {
    rows: usize,
    /// Where each row's payload is read.
    bodies: usize,
    /// Of each arm, however many there are.
    least: usize,
}

const WINDOWS: Windows = Windows { rows: 50_000, bodies: 20_000, least: 1_000 };
/// More arms than this cost more than one walk over everything.
const ARMS_MAX: usize = 32;
/// Ids carry the time of acceptance, but never go back, while a clock may be set back by so much.
const CLOCK_STEP: Duration = Duration::from_secs(3_600);

/// What a term's check may read, for walks that look at each row.
const COLUMNS: [&str; 14] = [
    "id",
    "event",
    "lane",
    "state",
    "key",
    "event_type",
    "accepted_at",
    "attempts",
    "kind",
    "stage",
    "status",
    "grp",
    "latency_us",
    "replay",
];

/// Those that these checks name, and the id: where the index of the walk has them, the rows themselves are not read.
fn columns(checks: &str) -> String {
    COLUMNS.into_iter().filter(|column| *column == "id" || checks.contains(column)).collect::<Vec<_>>().join(", ")
}

/// A filter, ready to be asked.
pub(super) struct Selecting<'a> {
    filter: &'a Filter,
    scope: &'a Scope<'a>,
    /// The term that the arms answer in full.
    answered: Option<usize>,
    windows: Windows,
}

struct Arm {
    index: &'static str,
    condition: String,
}

pub(super) struct Ids {
    /// Newest first.
    pub ids: Vec<DeliveryId>,
    /// Where the next page starts: ids before this one.
    pub next: Option<DeliveryId>,
}

pub(super) struct Count {
    pub total: u64,
    pub exact: bool,
}

impl<'a> Selecting<'a> {
    pub fn new(filter: &'a Filter, scope: &'a Scope<'a>) -> Self {
        let mut this = Self { filter, scope, answered: None, windows: WINDOWS };
        let (at, _) = this.arms(&mut Binder::default());
        this.answered =
            at.filter(|at| filter.terms.get(*at).is_some_and(|term| !term.negated && this.answers(&term.test)));
        this
    }

    /// Whether the arms of this term leave nothing of it to check.
    fn answers(&self, test: &Test) -> bool {
        match test {
            Test::Reason(_) | Test::Http(_) => false,
            Test::State(_) => self.scope.gates.is_empty(),
            _ => true,
        }
    }

    /// At most `limit` ids before `cursor`.
    pub async fn page(&self, conn: &mut SqliteConnection, cursor: Option<DeliveryId>, limit: usize) -> Outcome<Ids> {
        let mut binder = Binder::default();
        let (_, arms) = self.arms(&mut binder);
        let bounds = self.bounds(cursor, &mut binder);
        let rest = all(self.filter, self.answered, self.scope, &mut binder);
        let window = self.window(arms.len());
        let columns = columns(&rest);
        let one = |arm: &Arm| {
            let Arm { index, condition } = arm;
            let more = limit + 1;
            if rest.is_empty() {
                return format!(
                    "SELECT id FROM (SELECT id FROM delivery {index} WHERE {condition} {bounds} ORDER BY id DESC LIMIT {more})"
                );
            }
            format!(
                "SELECT id FROM (SELECT id FROM (SELECT {columns} FROM delivery {index} WHERE {condition} {bounds}
                 ORDER BY id DESC LIMIT {window}) AS delivery WHERE {rest} LIMIT {more})"
            )
        };
        let sql = arms.iter().map(one).collect::<Vec<String>>().join(" UNION ALL ");
        let rows = sqlx::query_with(safe(sql), binder.done()?).persistent(false).fetch_all(&mut *conn).await?;
        let mut ids: Vec<DeliveryId> = rows.iter().map(|row| row.get_id(0)).collect::<Outcome<_>>()?;
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.dedup();
        let mut floor = None;
        if !rest.is_empty() && (arms.len() > 1 || ids.len() <= limit) {
            floor = self.floor(conn, cursor, window).await?;
            ids.retain(|id| floor.is_none_or(|floor| *id >= floor));
        }
        let full = ids.len() > limit;
        ids.truncate(limit);
        let next = if full { ids.last().copied() } else { floor };
        Ok(Ids { ids, next })
    }

    /// The oldest row that every arm has looked at; `None`: all of them came to their ends.
    async fn floor(
        &self,
        conn: &mut SqliteConnection,
        cursor: Option<DeliveryId>,
        window: usize,
    ) -> Outcome<Option<DeliveryId>> {
        let mut binder = Binder::default();
        let (_, arms) = self.arms(&mut binder);
        let bounds = self.bounds(cursor, &mut binder);
        let last = window.saturating_sub(1);
        let one = |arm: &Arm| {
            let Arm { index, condition } = arm;
            format!(
                "SELECT id FROM (SELECT id FROM delivery {index} WHERE {condition} {bounds}
                 ORDER BY id DESC LIMIT 1 OFFSET {last})"
            )
        };
        let sql = arms.iter().map(one).collect::<Vec<String>>().join(" UNION ALL ");
        let rows = sqlx::query_with(safe(sql), binder.done()?).persistent(false).fetch_all(conn).await?;
        let floors: Vec<DeliveryId> = rows.iter().map(|row| row.get_id(0)).collect::<Outcome<_>>()?;
        Ok(floors.into_iter().max())
    }

    pub async fn count(&self, conn: &mut SqliteConnection) -> Outcome<Count> {
        let mut binder = Binder::default();
        let (_, arms) = self.arms(&mut binder);
        let bounds = self.bounds(None, &mut binder);
        let rest = all(self.filter, self.answered, self.scope, &mut binder);
        let window = self.window(arms.len());
        let more = COUNT_MAX + 1;
        let columns = columns(&rest);
        let one = |arm: &Arm| {
            let Arm { index, condition } = arm;
            if rest.is_empty() {
                return format!(
                    "SELECT count(*), 0 FROM (SELECT 1 FROM delivery {index} WHERE {condition} {bounds} LIMIT {more})"
                );
            }
            format!(
                "SELECT count(*) FILTER (WHERE {rest}), count(*) >= {window} FROM (SELECT {columns} FROM delivery {index}
                 WHERE {condition} {bounds} ORDER BY id DESC LIMIT {window}) AS delivery"
            )
        };
        let sql = arms.iter().map(one).collect::<Vec<String>>().join(" UNION ALL ");
        let rows = sqlx::query_with(safe(sql), binder.done()?).persistent(false).fetch_all(conn).await?;
        let mut total = 0;
        let mut cut = false;
        for row in &rows {
            total += row.get_u64(0)?;
            cut |= row.get_flag(1)?;
        }
        Ok(Count { total: total.min(COUNT_MAX), exact: total <= COUNT_MAX && !cut })
    }

    fn window(&self, arms: usize) -> usize {
        let reads_bodies = self.filter.terms.iter().any(|term| matches!(term.test, Test::Body { .. }));
        let window = if reads_bodies { self.windows.bodies } else { self.windows.rows };
        (window / arms.max(1)).max(self.windows.least)
    }

    /// Ids of this page: before the cursor, within the filter's times.
    fn bounds(&self, cursor: Option<DeliveryId>, binder: &mut Binder) -> String {
        let mut sql = String::new();
        let mut bound = |sign: &str, id: DeliveryId| {
            let place = binder.bind(|args| {
                args.id(id);
            });
            sql.push_str(&format!(" AND id {sign} {place}"));
        };
        if let Some(cursor) = cursor {
            bound("<", cursor);
        }
        for term in self.filter.terms.iter().filter(|term| !term.negated) {
            match &term.test {
                Test::Since(moment) => bound(">=", first_id(moment.resolve(self.scope.now).minus(CLOCK_STEP))),
                Test::Until(moment) => bound("<", first_id(moment.resolve(self.scope.now).plus(CLOCK_STEP))),
                _ => {}
            }
        }
        sql
    }

    /// The walks, and the place of the term that they follow.
    fn arms(&self, binder: &mut Binder) -> (Option<usize>, Vec<Arm>) {
        let usable = |arms: &Vec<Arm>| !arms.is_empty() && arms.len() <= ARMS_MAX;
        for rank in 0..RANKS {
            for (at, term) in self.filter.terms.iter().enumerate() {
                if self::rank(&term.test) != Some(rank) {
                    continue;
                }
                let arms = if term.negated { arms_beside(&term.test) } else { self.arms_of(&term.test, binder) };
                if let Some(arms) = arms.filter(usable) {
                    return (Some(at), arms);
                }
            }
        }
        (None, vec![Arm { index: "NOT INDEXED", condition: "1".to_owned() }])
    }

    fn arms_of(&self, test: &Test, binder: &mut Binder) -> Option<Vec<Arm>> {
        let arm = |index: &'static str, condition: String| Arm { index, condition };
        // Decided before anything is bound, so that no place is left unused.
        let arms = match test {
            Test::Id(ids) => one_each(ids, |id| arm("NOT INDEXED", format!("id = {}", bind_id(binder, *id)))),
            Test::Event(ids) => {
                one_each(ids, |id| arm("INDEXED BY delivery_event", format!("event = {}", bind_id(binder, *id))))
            }
            Test::Group(ids) => one_each(ids, |id| {
                arm("INDEXED BY delivery_group", format!("state = 'dead' AND grp = {}", bind_id(binder, *id)))
            }),
            Test::Key(patterns) => {
                let exact: Option<Vec<&str>> = patterns.iter().map(Pattern::as_exact).collect();
                one_each(&exact?, |key| {
                    let place = binder.bind(|args| {
                        args.text(key);
                    });
                    arm("INDEXED BY delivery_key", format!("key = {place}"))
                })
            }
            Test::State(states) => state_arms(states.iter().copied().flat_map(|state| self.stored(state)))?,
            Test::Reason(reasons) => state_arms(reasons.iter().flat_map(|reason| match reason {
                HeldReason::Order => vec![DeliveryState::Held],
                _ => vec![DeliveryState::Queued, DeliveryState::Retrying],
            }))?,
            Test::Kind(kinds) => {
                one_each(kinds, |kind| arm("INDEXED BY delivery_kind", format!("kind = '{}'", kind.as_str())))
            }
            Test::Http(ranges) => {
                let success = |range: &StatusRange| range.from <= 299 && range.to >= 200;
                if ranges.iter().any(success) {
                    return None;
                }
                vec![arm("INDEXED BY delivery_not_2xx", "(status < 200 OR status > 299)".to_owned())]
            }
            Test::Integration(names) => self.lane_arms(|lane| names.contains(&lane.integration)),
            Test::Destination(names) => self.lane_arms(|lane| names.contains(&lane.destination)),
            Test::System(names) => self.lane_arms(|lane| names.contains(&lane.system)),
            _ => return None,
        };
        Some(arms)
    }

    fn lane_arms(&self, wanted: impl Fn(&crate::Lane) -> bool) -> Vec<Arm> {
        let wanted = self.scope.lanes.iter().filter(|lane| wanted(lane));
        wanted
            .map(|lane| Arm { index: "INDEXED BY delivery_lane", condition: format!("lane = {}", lane.id.0) })
            .collect()
    }

    /// The stored states of rows that read as `state`.
    fn stored(&self, state: DeliveryState) -> Vec<DeliveryState> {
        match state {
            DeliveryState::Held if !self.scope.gates.is_empty() => {
                vec![DeliveryState::Held, DeliveryState::Queued, DeliveryState::Retrying]
            }
            other => vec![other],
        }
    }
}

const RANKS: u8 = 8;

/// The fewer rows a term usually leaves, the earlier it is followed.
const fn rank(test: &Test) -> Option<u8> {
    Some(match test {
        Test::Id(_) => 0,
        Test::Event(_) => 1,
        Test::Key(_) => 2,
        Test::Group(_) => 3,
        Test::Reason(_) => 4,
        Test::State(_) => 4,
        Test::Kind(_) => 5,
        Test::Http(_) => 6,
        Test::Integration(_) | Test::Destination(_) | Test::System(_) => 7,
        _ => return None,
    })
}

fn one_each<T: PartialEq>(values: &[T], mut arm: impl FnMut(&T) -> Arm) -> Vec<Arm> {
    if values.len() > ARMS_MAX {
        return Vec::new();
    }
    let first = |at: usize, value: &T| values.iter().position(|other| other == value) == Some(at);
    values.iter().enumerate().filter(|(at, value)| first(*at, value)).map(|(_, value)| arm(value)).collect()
}

/// Delivered rows are nearly all, so they have no index by state.
fn state_arms(states: impl Iterator<Item = DeliveryState>) -> Option<Vec<Arm>> {
    let states: BTreeSet<DeliveryState> = states.collect();
    if states.contains(&DeliveryState::Delivered) {
        return None;
    }
    let arm = |state: &DeliveryState| Arm {
        index: "INDEXED BY delivery_state",
        condition: format!("state = '{}' AND state <> 'delivered'", state.as_str()),
    };
    Some(states.iter().map(arm).collect())
}

/// What is not delivered is little, whatever else a term leaves out.
fn arms_beside(test: &Test) -> Option<Vec<Arm>> {
    let Test::State(states) = test else { return None };
    let left_out = |state: &DeliveryState| state.is_terminal() && states.contains(state);
    state_arms(DeliveryState::ALL.into_iter().filter(|state| !left_out(state)))
}

fn bind_id<I: super::sql::Id>(binder: &mut Binder, id: I) -> String {
    binder.bind(|args| {
        args.id(id);
    })
}

/// The smallest id of a moment.
pub(super) fn first_id(at: Timestamp) -> DeliveryId {
    let millis = u128::from(u64::try_from(at.as_millis()).unwrap_or(0) & 0xffff_ffff_ffff);
    DeliveryId::from_bits(millis << 80)
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;

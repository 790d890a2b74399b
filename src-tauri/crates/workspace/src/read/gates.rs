//! How hard a system may be asked: a system's `breaker`, `limits` and `quota`, a destination's `concurrency`.

use std::time::Duration;

use signalbox_model::limits::{BreakerSettings, Concurrency, Limits, QuotaSettings};

use crate::read::value::{Table, Value};

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(3_600);
/// Requests per second, requests at one time, calls: none of them is asked for in larger numbers.
const MOST: i64 = 10_000;
const MOST_CONCURRENCY: i64 = 256;

/// The inner `None`: switched off.
pub(crate) fn breaker(table: &Table<'_>) -> Option<Option<BreakerSettings>> {
    let default = BreakerSettings::default();
    let Some(value) = table.get("breaker") else { return Some(Some(default)) };
    if value.is_text() {
        return value.text()?.one_of(&[("off", ())]).map(|()| None);
    }
    let table = value.table("breaker", &["window", "ratio", "minimum", "open"])?;
    let window = table.duration("window", default.window, SHORTEST..=LONGEST);
    let ratio = table.get("ratio").map_or(Some(default.ratio), |value| {
        value.share().filter(|ratio| *ratio > 0.0).or_else(|| {
            value.error("out-of-range", "'ratio' must be over 0 and at most 1: the share of calls that fail");
            None
        })
    });
    let minimum = whole(&table, "minimum", MOST).map(|minimum| minimum.unwrap_or(default.minimum));
    let open = table.duration("open", default.open, SHORTEST..=LONGEST);
    Some(Some(BreakerSettings { window: window?, ratio: ratio?, minimum: minimum?, open: open? }))
}

pub(crate) fn limits(table: &Table<'_>) -> Option<Limits> {
    let Some(value) = table.get("limits") else { return Some(Limits::default()) };
    let table = value.table("limits", &["per_second", "burst", "concurrent"])?;
    let per_second = table.get("per_second").map_or(Some(None), |value| value.rate(MOST as f64).map(Some));
    let burst = whole(&table, "burst", MOST);
    let concurrent = whole(&table, "concurrent", MOST);
    let (per_second, burst, concurrent) = (per_second?, burst?, concurrent?);
    if burst.is_some() && per_second.is_none() {
        table.error("missing-key", "'burst' needs 'per_second': it says how many of them may go at once");
        return None;
    }
    Some(Limits { per_second, burst, concurrent })
}

/// The inner `None`: switched off.
pub(crate) fn quota(table: &Table<'_>) -> Option<Option<QuotaSettings>> {
    let default = QuotaSettings::default();
    let Some(value) = table.get("quota") else { return Some(Some(default)) };
    if value.is_text() {
        return value.text()?.one_of(&[("off", ())]).map(|()| None);
    }
    let table = value.table("quota", &["reserve"])?;
    let reserve = table.get("reserve").map_or(Some(default.reserve), |value| value.share());
    Some(Some(QuotaSettings { reserve: reserve? }))
}

/// A number, or `{ min, max }`.
pub(crate) fn concurrency(value: &Value<'_>) -> Option<Concurrency> {
    if !value.is_table() {
        let number = value.whole_number(1..=MOST_CONCURRENCY)?;
        return Some(Concurrency::fixed(u32::try_from(number).ok()?));
    }
    let table = value.table("concurrency", &["min", "max"])?;
    let min = whole(&table, "min", MOST_CONCURRENCY).map(|min| min.unwrap_or(1));
    let max = table
        .require("max", "the most requests at one time")
        .and_then(|value| u32::try_from(value.whole_number(1..=MOST_CONCURRENCY)?).ok());
    let (min, max) = (min?, max?);
    if min > max {
        table.error("out-of-range", format!("'min' is {min} and 'max' is {max}: 'min' cannot be the larger one"));
        return None;
    }
    Some(Concurrency { min, max })
}

fn whole(table: &Table<'_>, key: &str, most: i64) -> Option<Option<u32>> {
    let Some(value) = table.get(key) else { return Some(None) };
    u32::try_from(value.whole_number(1..=most)?).ok().map(Some)
}

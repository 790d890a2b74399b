//! What a system's answers say of its quota: HubSpot's and Salesforce's own headers, `RateLimit` with `RateLimit-Policy`
//! (draft-ietf-httpapi-ratelimit-headers-11), their older forms, and `X-RateLimit-*`.
//!
//! Whatever is not plainly right is left out: a header can make things wait, so it must not be guessed at.

use std::time::Duration;

use http::HeaderMap;
use signalbox_model::Timestamp;

/// The most quotas that one answer is believed to have.
pub const MOST: usize = 8;
/// The longest list header that is read, bytes.
const LONGEST: usize = 4_096;
const LONGEST_NAME: usize = 64;
/// No vendor has more; larger numbers would only lose digits in shares.
const LARGEST: u64 = 100_000_000_000_000;
const DAY: Duration = Duration::from_secs(86_400);
/// A reset that is further away than this is taken for this.
const LATEST: Duration = Duration::from_secs(31 * 86_400);

/// One quota as an answer told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The policy's name, or what the vendor calls it; at most 64 characters.
    pub name: String,
    /// The header, as people write it.
    pub source: &'static str,
    pub limit: Option<u64>,
    /// At most `limit`.
    pub remaining: u64,
    pub window: Option<Duration>,
    /// At most 31 days; zero: it has been reset already.
    pub resets_in: Option<Duration>,
}

/// All that are right, at most [`MOST`].
pub fn read(headers: &HeaderMap, now: Timestamp) -> Vec<Reading> {
    // All of the names below have this in them, and most answers have none of them.
    if !headers.keys().any(|name| name.as_str().contains("limit")) {
        return Vec::new();
    }
    let mut readings = hubspot(headers);
    readings.extend(salesforce(headers));
    let standard = rate_limit(headers);
    // One vendor often sends several generations of the same header: the newest tells the most.
    if standard.is_empty() {
        readings.extend(separate(headers, now));
    } else {
        readings.extend(standard);
    }
    readings.truncate(MOST);
    // A Retry-After beside them wins (draft-ietf-httpapi-ratelimit-headers-11): the vendor has said when to come back.
    if let Some(after) = retry_after(headers, now) {
        for reading in readings.iter_mut().filter(|reading| reading.remaining == 0) {
            reading.resets_in = reading.resets_in.map(|resets_in| resets_in.min(after));
        }
    }
    readings
}

fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let date = headers.get("date").map(|value| value.as_bytes());
    crate::retry_after::parse(headers.get("retry-after")?.as_bytes(), date, now)
}

/// `X-HubSpot-RateLimit-Max`, `-Remaining` and `-Interval-Milliseconds`; `-Daily` and `-Daily-Remaining`, which resets
/// at midnight where the account is, so nobody says when.
fn hubspot(headers: &HeaderMap) -> Vec<Reading> {
    let interval = number(headers, "x-hubspot-ratelimit-interval-milliseconds").map(Duration::from_millis);
    let window = interval.filter(|window| !window.is_zero() && *window <= DAY);
    let of = |name: &str, source, limit, remaining, window: Option<Duration>, resets_in| {
        let remaining = number(headers, remaining)?;
        reading(name, source, number(headers, limit), remaining, window, resets_in)
    };
    let all = [
        of(
            "interval",
            "X-HubSpot-RateLimit-Remaining",
            "x-hubspot-ratelimit-max",
            "x-hubspot-ratelimit-remaining",
            window,
            window,
        ),
        of(
            "daily",
            "X-HubSpot-RateLimit-Daily-Remaining",
            "x-hubspot-ratelimit-daily",
            "x-hubspot-ratelimit-daily-remaining",
            Some(DAY),
            None,
        ),
    ];
    all.into_iter().flatten().collect()
}

/// `Sforce-Limit-Info: api-usage=10018/100000`: used of what is allowed in 24 hours that roll on. What an app used of its
/// own share (`per-app-api-usage=17/250(appName=x)`) follows it.
fn salesforce(headers: &HeaderMap) -> Vec<Reading> {
    let Some(text) = text(headers, "sforce-limit-info") else { return Vec::new() };
    let one = |part: &str| {
        let (name, usage) = part.trim().split_once('=')?;
        let (used, limit) = usage.split('(').next()?.trim().split_once('/')?;
        let (used, limit) = (digits(used)?, digits(limit)?);
        reading(name, "Sforce-Limit-Info", Some(limit), limit.saturating_sub(used), Some(DAY), None)
    };
    text.split([';', ',']).take(MOST).filter_map(one).collect()
}

/// `RateLimit: "default";r=50;t=30` with `RateLimit-Policy: "default";q=100;w=60`, or `RateLimit: limit=100,
/// remaining=50, reset=30` as in the seventh draft.
fn rate_limit(headers: &HeaderMap) -> Vec<Reading> {
    let Some(limits) = list(headers, "ratelimit") else { return Vec::new() };
    let policies = list(headers, "ratelimit-policy").unwrap_or_default();
    let quota = |name: &str, key| policies.iter().find(|policy| policy.name == name).and_then(|policy| policy.get(key));
    let seconds = |value: Option<u64>| value.map(Duration::from_secs);
    let named = |item: &Item| {
        let limit = quota(&item.name, "q");
        let window = seconds(quota(&item.name, "w"));
        reading(&item.name, "RateLimit", limit, item.get("r")?, window, seconds(item.get("t")))
    };
    let all: Vec<Reading> = limits.iter().filter_map(named).collect();
    if !all.is_empty() {
        return all;
    }
    let member = |wanted: &str| limits.iter().find(|item| item.name == wanted).and_then(|item| item.value);
    let remaining = member("remaining");
    let old = remaining.and_then(|remaining| {
        reading("default", "RateLimit", member("limit"), remaining, None, seconds(member("reset")))
    });
    old.into_iter().collect()
}

/// `RateLimit-Limit`, `-Remaining`, `-Reset` (up to the sixth draft; the reset in seconds from now), and `X-RateLimit-*`,
/// whose reset is seconds from now with some vendors and an instant with others.
fn separate(headers: &HeaderMap, now: Timestamp) -> Option<Reading> {
    let family = |prefix: &str, name, source| {
        let part = |suffix: &str| {
            let text = text(headers, &format!("{prefix}{suffix}"))?;
            // `100, 100;w=60`: the first is the one that counts now.
            digits(text.split([',', ';']).next()?.trim())
        };
        let resets_in = part("reset").map(|reset| until(reset, now));
        reading(name, source, part("limit"), part("remaining")?, None, resets_in)
    };
    family("ratelimit-", "default", "RateLimit-Remaining")
        .or_else(|| family("x-ratelimit-", "default", "X-RateLimit-Remaining"))
        .or_else(|| family("x-rate-limit-", "default", "X-Rate-Limit-Remaining"))
}

/// Seconds from now, or seconds or milliseconds since 1970: no wait is longer than thirty years.
fn until(reset: u64, now: Timestamp) -> Duration {
    let instant = match reset {
        0..1_000_000_000 => return Duration::from_secs(reset),
        1_000_000_000..100_000_000_000 => Timestamp::from_secs(i64::try_from(reset).unwrap_or(i64::MAX)),
        _ => Timestamp::from_millis(i64::try_from(reset).unwrap_or(i64::MAX)),
    };
    instant.since(now)
}

fn reading(
    name: &str,
    source: &'static str,
    limit: Option<u64>,
    remaining: u64,
    window: Option<Duration>,
    resets_in: Option<Duration>,
) -> Option<Reading> {
    // A quota of nothing would stop everything for ever.
    let limit = limit.filter(|limit| *limit > 0);
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    let remaining = limit.map_or(remaining, |limit| remaining.min(limit));
    let (window, resets_in) = (window.filter(|window| !window.is_zero()), resets_in.map(|resets| resets.min(LATEST)));
    Some(Reading { name, source, limit, remaining, window, resets_in })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|text| text.len() <= LONGEST)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    digits(text(headers, name)?.trim())
}

/// Plain digits: no sign, point, exponent or unit.
fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().filter(|number| *number <= LARGEST)
}

/// A member of a list (RFC 9651 §3.1) with its parameters; or of a dictionary, with its value.
struct Item {
    name: String,
    value: Option<u64>,
    parameters: Vec<(String, u64)>,
}

impl Item {
    fn get(&self, key: &str) -> Option<u64> {
        self.parameters.iter().find(|(name, _)| name == key).map(|(_, value)| *value)
    }
}

/// The members that can be read, over all lines of the header; parameters that are no whole numbers are left out.
fn list(headers: &HeaderMap, name: &str) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    for value in headers.get_all(name).iter().take(MOST) {
        let Some(text) = value.to_str().ok().filter(|text| text.len() <= LONGEST) else { continue };
        let members = split(text, ',').into_iter().take(MOST.saturating_sub(items.len()));
        items.extend(members.filter_map(item));
    }
    (!items.is_empty()).then_some(items)
}

fn item(member: &str) -> Option<Item> {
    let mut parts = split(member, ';').into_iter();
    let head = parts.next()?.trim();
    let (head, value) = match head.split_once('=') {
        Some((key, value)) if !head.starts_with('"') => (key, digits(value.trim())),
        _ => (head, None),
    };
    let name = head.trim_matches('"').to_owned();
    let parameters = parts
        .take(MOST)
        .filter_map(|part| {
            let (key, value) = part.trim().split_once('=')?;
            Some((key.to_owned(), digits(value.trim())?))
        })
        .collect();
    (!name.is_empty()).then_some(Item { name, value, parameters })
}

/// At `separator`, but not within a quoted string.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped, mut from) = (false, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == separator && !quoted => {
                parts.extend(text.get(from..at));
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.extend(text.get(from..));
    parts
}

#[cfg(test)]
mod tests;

//! `systems/*.toml`.

use std::time::Duration;

use signalbox_model::auth::Auth;
use url::Url;

use crate::read::report::Report;
use crate::read::value::{Table, Text};
use crate::read::{auth, gates};
use crate::workspace::System;
use toml::de::DeTable;

const KEYS: [&str; 10] =
    ["title", "base_url", "auth", "timeout", "allow_private", "breaker", "limits", "quota", "failover", "fail_back"];
const TIMEOUT: Duration = Duration::from_secs(10);
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(600);
/// Besides `base_url`.
const MOST_ENDPOINTS: usize = 8;
const FAIL_BACK: Duration = Duration::from_secs(60);
const SHORTEST_FAIL_BACK: Duration = Duration::from_secs(1);
const LONGEST_FAIL_BACK: Duration = Duration::from_secs(86_400);

/// The system where it can be used at all. Plain http to a system that is not private is reported as an error and the
/// system is made nevertheless: the address policy refuses its requests one by one, and no event is turned away.
pub(crate) fn read<'a>(report: &'a Report<'a>, file: &'a DeTable<'a>, name: &str, version: String) -> Option<System> {
    let table = Table::file(report, file, &KEYS);
    let title = title(&table, name);
    let allow_private = table.boolean("allow_private", false);
    let base_url = table
        .require_text("base_url", "the address of the system, as in \"https://api.example.com\"")
        .and_then(|text| base_url(&text, "base_url", allow_private.unwrap_or(true)));
    let failover = failover(&table, allow_private.unwrap_or(true));
    let fail_back = table.duration("fail_back", FAIL_BACK, SHORTEST_FAIL_BACK..=LONGEST_FAIL_BACK);
    let auth = table.get("auth").map_or(Some(Auth::None), |value| auth::read(&value));
    let timeout = table.duration("timeout", TIMEOUT, SHORTEST..=LONGEST);
    let (breaker, limits, quota) = (gates::breaker(&table), gates::limits(&table), gates::quota(&table));
    Some(System {
        name: name.to_owned(),
        title: title?,
        base_url: base_url?,
        auth: auth?,
        timeout: timeout?,
        allow_private: allow_private?,
        breaker: breaker?,
        limits: limits?,
        quota: quota?,
        failover: failover?,
        fail_back: fail_back?,
        version,
    })
}

/// The title of a system or an integration; its name where there is none.
pub(crate) fn title(table: &Table<'_>, name: &str) -> Option<String> {
    let Some(text) = table.optional_text("title")? else { return Some(name.to_owned()) };
    if text.text.trim().is_empty() || text.text.chars().count() > 200 || text.text.chars().any(char::is_control) {
        text.error("wrong-value", "'title' must be one line of 1 to 200 characters");
        return None;
    }
    Some(text.text.to_owned())
}

fn failover(table: &Table<'_>, allow_private: bool) -> Option<Vec<Url>> {
    let Some(value) = table.get("failover") else { return Some(Vec::new()) };
    let urls = value.list(MOST_ENDPOINTS, "URL of 'failover'")?;
    urls.iter().map(|url| base_url(&url.text()?, "failover", allow_private)).collect()
}

fn base_url(text: &Text<'_>, key: &str, allow_private: bool) -> Option<Url> {
    let url = match Url::parse(text.text) {
        Ok(url) => url,
        Err(error) => {
            text.error("wrong-url", format!("'{key}' is not a URL: {error}"));
            return None;
        }
    };
    let wrong = if !matches!(url.scheme(), "http" | "https") {
        "it must begin with 'https://' or 'http://'"
    } else if !url.username().is_empty() || url.password().is_some() {
        "it cannot hold a user or a password: write an 'auth' table and set the secret"
    } else if url.query().is_some() || url.fragment().is_some() {
        "it cannot have a query or a fragment: write them into the destination's path"
    } else {
        if url.scheme() == "http" && !allow_private {
            let hint = "set allow_private = true for a system on a private network, or use https";
            text.error("plain-http", format!("'{key}' is plain http, and requests to it will be refused: {hint}"));
        }
        return Some(url);
    };
    text.error("wrong-url", format!("'{key}' cannot be used: {wrong}"));
    None
}

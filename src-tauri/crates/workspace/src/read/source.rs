//! An integration's `[source]`.

use std::ops::Range;
use std::time::Duration;

use signalbox_model::verify::{Scheme, Verify};
use signalbox_transform::{Format, Program};
use url::Url;

use crate::problem::Severity;
use crate::read::expression::program;
use crate::read::files::References;
use crate::read::intake;
use crate::read::names::webhook_path;
use crate::read::suggest::nearest;
use crate::read::value::{Table, Text, Value};
use crate::read::verify;
use crate::workspace::{Dedupe, DedupeId, OnConflict, Source, WebhookSource};

const WEBHOOK_KEYS: [&str; 11] =
    ["kind", "path", "verify", "format", "split", "type", "key", "dedupe", "public_url", "allowed_origins", "max_body"];
/// Named in the design, not made yet.
const LATER: [&str; 5] = ["poll", "queue", "schedule", "database", "manual"];

const WINDOW: Duration = Duration::from_secs(7 * 86_400);
const SHORTEST_WINDOW: Duration = Duration::from_secs(1);
const LONGEST_WINDOW: Duration = Duration::from_secs(365 * 86_400);
const MAX_BODY: u64 = 1 << 20;
const LARGEST_BODY: u64 = 64 << 20;

/// The source, and the place of its path for the comparison with other integrations.
pub(crate) fn read(value: &Value<'_>, files: &References<'_>) -> Option<(Source, Range<usize>)> {
    let table = value.open_table("[source]")?;
    let kind = table.require_text("kind", "use 'webhook'")?;
    match kind.text {
        "webhook" => webhook(&table, files).map(|(webhook, path)| (Source::Webhook(webhook), path)),
        later if LATER.contains(&later) => {
            kind.error("comes-later", format!("a source of kind '{later}' comes in a later version; use 'webhook'"));
            None
        }
        _ => {
            let message = format!("unknown kind of source '{}': use 'webhook'", kind.shown());
            let suggestion = nearest(kind.text, ["webhook"]);
            kind.report.say(Severity::Error, kind.span.clone(), "unknown-source", message, suggestion);
            None
        }
    }
}

fn webhook(table: &Table<'_>, files: &References<'_>) -> Option<(WebhookSource, Range<usize>)> {
    table.refuse_unknown_keys(&WEBHOOK_KEYS);
    let path = table
        .require_text("path", "where the sender posts to, as in \"/hooks/orders\"")
        .and_then(|text| webhook_path(&text).map(|path| (path, text.span)));
    let verify = table
        .require("verify", "say how a sender proves who it is; { scheme = \"none\" } lets everyone in")
        .and_then(|value| verify::read(&value, files));
    let format = intake::format(table);
    let split = optional_program(table, "split");
    let allowed_origins = intake::allowed_origins(table);
    let event_type = optional_program(table, "type");
    let key = optional_program(table, "key");
    let dedupe = dedupe(table, verify.as_ref(), format);
    let public_url = match table.optional_text("public_url") {
        Some(Some(text)) => public_url(&text).map(Some),
        Some(None) => Some(None),
        None => None,
    };
    let max_body = table.get("max_body").map_or(Some(MAX_BODY), |value| value.text()?.size(1..=LARGEST_BODY));
    if let (Some(verify), Some(None)) = (&verify, &public_url) {
        needs_public_url(table, verify);
    }
    if let Some(verify) = &verify {
        refuse_reading_of_notifications(table, verify);
    }
    let ((path, place), verify) = (path?, verify?);
    let (dedupe, on_conflict) = dedupe?;
    let source = WebhookSource {
        path,
        verify,
        format: format?,
        split: split?,
        event_type: event_type?,
        key: key?,
        dedupe,
        on_conflict,
        public_url: public_url?,
        allowed_origins: allowed_origins?,
        max_body: max_body?,
    };
    Some((source, place))
}

/// An outbound message is read in one way: each notification is an event.
fn refuse_reading_of_notifications(table: &Table<'_>, verify: &Verify) {
    if !matches!(verify.scheme, Scheme::SalesforceOutbound { .. }) {
        return;
    }
    for key in ["format", "split"] {
        if let Some(value) = table.get(key) {
            let message = format!("'{key}' goes with no salesforce-outbound: each notification is an event of JSON");
            value.error("not-together", message);
        }
    }
}

fn optional_program(table: &Table<'_>, key: &str) -> Option<Option<Program>> {
    match table.optional_text(key)? {
        Some(text) => program(&text).map(Some),
        None => Some(None),
    }
}

/// `dedupe = { id, window, on_conflict }` or `"off"`.
fn dedupe(table: &Table<'_>, verify: Option<&Verify>, format: Option<Format>) -> Option<(Dedupe, OnConflict)> {
    let notifications = verify.is_some_and(|verify| matches!(verify.scheme, Scheme::SalesforceOutbound { .. }));
    let own = || match verify.and_then(|verify| verify.scheme.id_header()) {
        _ if notifications || format == Some(Format::CloudEvents) => DedupeId::Format,
        Some(_) => DedupeId::Scheme,
        None => DedupeId::None,
    };
    let Some(value) = table.get("dedupe") else {
        let id = own();
        if verify.is_some() && matches!(id, DedupeId::None) {
            warn_no_dedupe(table);
        }
        return Some((Dedupe { id, window: WINDOW }, OnConflict::default()));
    };
    if value.is_text() {
        let id = value.text()?.one_of(&[("off", ())]).map(|()| DedupeId::None)?;
        return Some((Dedupe { id, window: WINDOW }, OnConflict::default()));
    }
    let settings = value.table("dedupe", &["id", "window", "on_conflict"])?;
    let id = match settings.optional_text("id") {
        Some(Some(text)) => program(&text).map(DedupeId::Expression),
        Some(None) => {
            let own = own();
            if verify.is_some() && matches!(own, DedupeId::None) {
                settings.error("missing-key", "'id' is missing in dedupe: this scheme has no id header of its own");
                None
            } else {
                Some(own)
            }
        }
        None => None,
    };
    let window = settings.duration("window", WINDOW, SHORTEST_WINDOW..=LONGEST_WINDOW);
    let on_conflict = settings.get("on_conflict").map_or(Some(OnConflict::default()), |value| {
        value.text()?.one_of(&[("deliver", OnConflict::Deliver), ("hold", OnConflict::Hold)])
    });
    Some((Dedupe { id: id?, window: window? }, on_conflict?))
}

fn warn_no_dedupe(table: &Table<'_>) {
    let message = "a request that the sender repeats becomes a second event, since this scheme has no id header: \
                   set dedupe = { id = … }, or \"off\" if that is meant";
    table.report.say(Severity::Warning, table.span.clone(), "no-dedupe", message, None);
}

fn public_url(text: &Text<'_>) -> Option<String> {
    match Url::parse(text.text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.fragment().is_none() => Some(text.text.to_owned()),
        _ => {
            text.error("wrong-url", "'public_url' must be the whole URL that the vendor calls, with https:// and path");
            None
        }
    }
}

/// HubSpot and Twilio sign the URL that they call; behind a proxy or a tunnel no header tells it reliably.
fn needs_public_url(table: &Table<'_>, verify: &Verify) {
    let vendor = match verify.scheme {
        Scheme::Hubspot => "HubSpot",
        Scheme::Twilio => "Twilio",
        _ => return,
    };
    let message = format!("{vendor} signs the URL that it calls: set 'public_url' to it, or signatures will not match");
    table.report.say(Severity::Warning, table.span.clone(), "no-public-url", message, None);
}

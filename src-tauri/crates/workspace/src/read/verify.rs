//! A source's `verify` table.

use std::time::Duration;

use signalbox_model::SecretName;
use signalbox_model::organization::OrganizationId;
use signalbox_model::verify::{Scheme, Verify};

use crate::problem::Severity;
use crate::read::files::References;
use crate::read::names::header_name;
use crate::read::suggest::{list, nearest};
use crate::read::value::{Table, Text, Value};
use crate::read::{hmac, jwt};

const SCHEMES: [&str; 14] = [
    "standard-webhooks",
    "stripe",
    "github",
    "shopify",
    "slack",
    "hubspot",
    "twilio",
    "bearer",
    "basic",
    "api-key",
    "hmac",
    "jwt",
    "salesforce-outbound",
    "none",
];
/// New, old, and some to spare while a rotation goes on.
const MOST_SECRETS: usize = 8;
const MOST_ORGANIZATIONS: usize = 32;
const TOLERANCE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(600));

pub(crate) fn read(value: &Value<'_>, files: &References<'_>) -> Option<Verify> {
    let table = value.open_table("verify")?;
    let word = table.require_text("scheme", &format!("use {}", list(SCHEMES)))?;
    let keys: &[&str] = match word.text {
        "standard-webhooks" | "stripe" | "slack" | "hubspot" => &["scheme", "secret", "tolerance"],
        "github" | "shopify" | "twilio" | "bearer" => &["scheme", "secret"],
        "basic" => &["scheme", "secret", "username"],
        "api-key" => &["scheme", "secret", "header"],
        "hmac" => &[&["scheme", "secret", "tolerance"][..], &hmac::KEYS[..]].concat(),
        "jwt" => &[&["scheme", "secret", "tolerance"][..], &jwt::KEYS[..]].concat(),
        "salesforce-outbound" => &["scheme", "organization"],
        "none" => &["scheme"],
        _ => return refuse(&word),
    };
    table.refuse_unknown_keys(keys);
    let scheme = match word.text {
        "standard-webhooks" => Some(Scheme::StandardWebhooks),
        "stripe" => Some(Scheme::Stripe),
        "github" => Some(Scheme::Github),
        "shopify" => Some(Scheme::Shopify),
        "slack" => Some(Scheme::Slack),
        "hubspot" => Some(Scheme::Hubspot),
        "twilio" => Some(Scheme::Twilio),
        "bearer" => Some(Scheme::Bearer),
        "basic" => username(&table).map(|username| Scheme::Basic { username }),
        "api-key" => table
            .require_text("header", "the header that carries the key")
            .and_then(|text| header_name(&text))
            .map(|header| Scheme::ApiKey { header }),
        "hmac" => hmac::read(&table).map(Scheme::Hmac),
        "jwt" => jwt::read(&table, files).map(Scheme::Jwt),
        "salesforce-outbound" => {
            organizations(&table).map(|organizations| Scheme::SalesforceOutbound { organizations })
        }
        _ => Some(Scheme::None),
    };
    let secrets = match &scheme {
        Some(scheme) if scheme.takes_secrets() => secrets(&table),
        _ => Some(Vec::new()),
    };
    let tolerance = table.duration("tolerance", Verify::TOLERANCE, TOLERANCE.0..=TOLERANCE.1);
    Some(Verify { scheme: scheme?, secrets: secrets?, tolerance: tolerance? })
}

fn refuse<T>(word: &Text<'_>) -> Option<T> {
    let message = format!("unknown scheme '{}': use {}", word.shown(), list(SCHEMES));
    let suggestion = nearest(word.text, SCHEMES);
    word.report.say(Severity::Error, word.span.clone(), "unknown-scheme", message, suggestion);
    None
}

pub(crate) fn username(table: &Table<'_>) -> Option<String> {
    let text = table.require_text("username", "the part before the colon")?;
    // RFC 7617 §2: a colon would end the name.
    if text.text.contains(':') || text.text.chars().any(char::is_control) {
        text.error("wrong-value", "'username' cannot contain ':' or control characters");
        return None;
    }
    Some(text.text.to_owned())
}

/// One organization of Salesforce, or a list of them.
fn organizations(table: &Table<'_>) -> Option<Vec<OrganizationId>> {
    let why = "the id of your Salesforce organization, as in \"00D58000000JMGaEAO\"";
    let value = table.require("organization", why)?;
    let read: Vec<Option<OrganizationId>> = value
        .texts(MOST_ORGANIZATIONS)?
        .iter()
        .map(|text| {
            let id = OrganizationId::parse(text.text);
            if id.is_none() {
                let shown = text.shown();
                text.error(
                    "wrong-organization",
                    format!("'{shown}' is not the id of a Salesforce organization: 00D and 12 or 15 more characters"),
                );
            }
            id
        })
        .collect();
    let word = "salesforce-outbound requests carry no signature: whoever knows the path and the organization's id can \
                send one. Let only Salesforce's address ranges reach it";
    value.warn("no-signature", word);
    read.into_iter().collect()
}

/// One name, or a list of them during a rotation.
fn secrets(table: &Table<'_>) -> Option<Vec<SecretName>> {
    let value = table.require("secret", "the name of the secret; its value is set by `signalbox secret set NAME`")?;
    if !value.is_list() {
        return Some(vec![value.text()?.secret_name()?]);
    }
    let items = value.list(MOST_SECRETS, "secret")?;
    if items.is_empty() {
        value.error("wrong-value", "'secret' names no secret");
        return None;
    }
    let names: Vec<Option<SecretName>> = items.iter().map(|item| item.text()?.secret_name()).collect();
    names.into_iter().collect()
}

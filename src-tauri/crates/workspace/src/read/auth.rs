//! A system's `auth` table.

use signalbox_model::SecretName;
use signalbox_model::auth::{ApiKeyPlace, Auth};

use crate::problem::Severity;
use crate::read::hmac;
use crate::read::names::sent_header_name;
use crate::read::suggest::{list, nearest};
use crate::read::value::{Table, Text, Value};
use crate::read::verify::username;

const KINDS: [&str; 6] = ["none", "bearer", "basic", "api-key", "standard-webhooks", "hmac"];
/// The new one and the old one.
const MOST_SECRETS: usize = 2;
const SECRET: &str = "the name of the secret; its value is set by `signalbox secret set NAME`";

pub(crate) fn read(value: &Value<'_>) -> Option<Auth> {
    let table = value.open_table("auth")?;
    let word = table.require_text("kind", &format!("use {}", list(KINDS)))?;
    let keys: &[&str] = match word.text {
        "none" => &["kind"],
        "bearer" | "standard-webhooks" => &["kind", "secret"],
        "basic" => &["kind", "username", "secret"],
        "api-key" => &["kind", "header", "query", "secret"],
        "hmac" => &[&["kind", "secret"][..], &hmac::KEYS[..]].concat(),
        _ => {
            let message = format!("unknown kind of auth '{}': use {}", word.shown(), list(KINDS));
            let suggestion = nearest(word.text, KINDS);
            word.report.say(Severity::Error, word.span.clone(), "unknown-auth", message, suggestion);
            return None;
        }
    };
    table.refuse_unknown_keys(keys);
    if word.text == "none" {
        return Some(Auth::None);
    }
    if matches!(word.text, "standard-webhooks" | "hmac") {
        let secrets = rotating(&table);
        let scheme = if word.text == "hmac" { hmac::read(&table).map(Some) } else { Some(None) };
        let mut secrets = secrets?.into_iter();
        let (secret, old) = (secrets.next()?, secrets.next());
        return Some(match scheme? {
            Some(scheme) => Auth::Hmac { scheme, secret, old },
            None => Auth::StandardWebhooks { secret, old },
        });
    }
    let secret = table.require_text("secret", SECRET).and_then(|text| text.secret_name());
    match word.text {
        "basic" => {
            let username = username(&table);
            Some(Auth::Basic { username: username?, secret: secret? })
        }
        "api-key" => {
            let place = place(&table);
            Some(Auth::ApiKey { place: place?, secret: secret? })
        }
        _ => Some(Auth::Bearer { secret: secret? }),
    }
}

/// One name, or the new and the old one.
fn rotating(table: &Table<'_>) -> Option<Vec<SecretName>> {
    let value = table.require("secret", SECRET)?;
    let names: Vec<Option<SecretName>> = value.texts(MOST_SECRETS)?.iter().map(Text::secret_name).collect();
    let names: Vec<SecretName> = names.into_iter().collect::<Option<_>>()?;
    if let [new, old] = names.as_slice()
        && new == old
    {
        value.error("wrong-value", format!("'secret' names '{new}' twice: in a rotation it is [\"new\", \"old\"]"));
        return None;
    }
    Some(names)
}

fn place(table: &Table<'_>) -> Option<ApiKeyPlace> {
    match (table.optional_text("header")?, table.optional_text("query")?) {
        (Some(header), None) => sent_header_name(&header).map(ApiKeyPlace::Header),
        (None, Some(query)) => {
            if query.text.is_empty() {
                query.error("wrong-value", "'query' names no parameter");
                return None;
            }
            Some(ApiKeyPlace::Query(query.text.to_owned()))
        }
        (Some(_), Some(query)) => {
            query.error("wrong-value", "an api key goes into a 'header' or the 'query', not both");
            None
        }
        (None, None) => {
            table.error("missing-key", "say where the api key goes: 'header' or 'query'");
            None
        }
    }
}

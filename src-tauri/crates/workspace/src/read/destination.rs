//! An integration's `[[destinations]]`.

use std::ops::Range;

use signalbox_model::limits::Concurrency;
use signalbox_model::retry::RetryPolicy;
use signalbox_transform::{Place, Template};

use crate::read::batch::{batch, condition};
use crate::read::expression::{program, template};
use crate::read::names::{name, sent_header_name};
use crate::read::value::{Table, Text, Value};
use crate::read::{gates, record, retry};
use crate::workspace::{Destination, Idempotency, OnDead};

const KEYS: [&str; 12] = [
    "name",
    "system",
    "request",
    "body",
    "batch",
    "condition",
    "confirm",
    "read",
    "retry",
    "on_dead",
    "concurrency",
    "idempotency",
];
const METHODS: [&str; 5] = ["POST", "PUT", "PATCH", "DELETE", "GET"];
const MOST_DESTINATIONS: usize = 64;
const MOST_HEADERS: usize = 64;

/// The name of a system as an integration writes it, with its place.
pub(crate) type NamedSystem = (String, Range<usize>);

struct Request {
    method: String,
    path: Option<Template>,
    headers: Vec<(String, Template)>,
}

/// The destinations that are right, and every system that is named, by wrong ones too. None where one is wrong.
pub(crate) fn read_all(value: &Value<'_>) -> (Option<Vec<Destination>>, Vec<NamedSystem>) {
    let Some(values) = value.list(MOST_DESTINATIONS, "destination") else { return (None, Vec::new()) };
    let mut systems = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut destinations = Some(Vec::new());
    for value in &values {
        let read = value.table(value.name.clone(), &KEYS).and_then(|table| {
            if let Some(Some(system)) = table.get("system").map(|value| value.is_text().then(|| value.text()).flatten())
            {
                systems.push((system.text.to_owned(), system.span));
            }
            read(&table, &mut names)
        });
        destinations = destinations.zip(read).map(|(mut all, one)| {
            all.push(one);
            all
        });
    }
    (destinations, systems)
}

fn read(table: &Table<'_>, names: &mut Vec<String>) -> Option<Destination> {
    let name = table.require_text("name", "what this destination is called in filters and figures").and_then(|text| {
        let name = name(&text)?;
        if names.contains(&name) {
            text.error("duplicate-destination", format!("there is a destination '{name}' above; names must differ"));
            return None;
        }
        names.push(name.clone());
        Some(name)
    });
    let system = table.require_text("system", "the name of a file in systems/, without '.toml'");
    let request = match table.get("request") {
        Some(value) => request(&value),
        None => Some(Request { method: "POST".to_owned(), path: None, headers: Vec::new() }),
    };
    let optional = |key| match table.optional_text(key)? {
        Some(text) => program(&text).map(Some),
        None => Some(None),
    };
    let body = optional("body");
    let confirm = optional("confirm");
    let method = request.as_ref().map(|request| request.method.as_str());
    let batch = table.get("batch").map_or(Some(None), |value| batch(&value, table, method).map(Some));
    let condition = table.get("condition").map_or(Some(None), |value| {
        let headers = request.as_ref().map(|request| request.headers.as_slice()).unwrap_or_default();
        let set = headers.iter().find(|(name, _)| is_conditional(name));
        if let Some((name, _)) = set {
            value.error("wrong-condition", format!("'condition' sets the header '{name}', and so does 'request'"));
        }
        condition(&value, table, method).filter(|_| set.is_none()).map(Some)
    });
    let read = table.get("read").map_or(Some(None), |value| record::read(&value, method).map(Some));
    let retry = table.get("retry").map_or_else(|| Some(RetryPolicy::default()), |value| retry::read(&value));
    let on_dead = table.get("on_dead").map_or(Some(OnDead::default()), |value| {
        value.text()?.one_of(&[("park", OnDead::Park), ("pass", OnDead::Pass)])
    });
    let concurrency = table.get("concurrency").map_or(Some(Concurrency::default()), |value| gates::concurrency(&value));
    let idempotency = match table.get("idempotency") {
        Some(value) => idempotency(&value, request.as_ref()),
        None => Some(Idempotency::default()),
    };
    let (request, system) = (request?, system?);
    let path = match request.path {
        Some(path) => path,
        None => root_path(table)?,
    };
    Some(Destination {
        name: name?,
        system: system.text.to_owned(),
        method: request.method,
        path,
        headers: request.headers,
        body: body?,
        batch: batch?,
        condition: condition?,
        confirm: confirm?,
        read: read?,
        retry: retry?,
        on_dead: on_dead?,
        concurrency: concurrency?,
        idempotency: idempotency?,
    })
}

fn is_conditional(header: &str) -> bool {
    header.eq_ignore_ascii_case("if-match") || header.eq_ignore_ascii_case("if-none-match")
}

fn root_path(table: &Table<'_>) -> Option<Template> {
    let text = Text { report: table.report, name: "path".to_owned(), span: table.span.clone(), text: "/" };
    template(&text, Place::PathAndQuery)
}

fn request(value: &Value<'_>) -> Option<Request> {
    let table = value.table("request", &["method", "path", "headers"])?;
    let method = table.get("method").map_or(Some("POST".to_owned()), |value| {
        value.text()?.one_of(&METHODS.map(|method| (method, method.to_owned())))
    });
    let path = match table.optional_text("path") {
        Some(Some(text)) if text.text.starts_with('/') => template(&text, Place::PathAndQuery).map(Some),
        Some(Some(text)) => {
            text.error("wrong-path", "'path' must begin with '/': it is appended to the system's base_url");
            None
        }
        Some(None) => Some(None),
        None => None,
    };
    let headers = match table.get("headers") {
        Some(value) => headers(&value),
        None => Some(Vec::new()),
    };
    Some(Request { method: method?, path: path?, headers: headers? })
}

fn headers(value: &Value<'_>) -> Option<Vec<(String, Template)>> {
    let table = value.open_table("headers")?;
    let mut read: Vec<(String, Template)> = Vec::new();
    let mut right = true;
    for (index, (key, value)) in table.entries().enumerate() {
        if index == MOST_HEADERS {
            table.error("out-of-range", format!("at most {MOST_HEADERS} headers can be set"));
            return None;
        }
        let name = sent_header_name(&key);
        let content = value.text().and_then(|text| template(&text, Place::Header));
        match (name, content) {
            (Some(name), _) if read.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) => {
                key.error("duplicate-header", format!("the header '{name}' is set twice; case does not matter"));
                right = false;
            }
            (Some(name), Some(content)) => read.push((name, content)),
            _ => right = false,
        }
    }
    right.then_some(read)
}

/// `idempotency = { header = "Idempotency-Key", quoted = false }`
fn idempotency(value: &Value<'_>, request: Option<&Request>) -> Option<Idempotency> {
    let table = value.table("idempotency", &["header", "quoted"])?;
    let default = Idempotency::default();
    let header = match table.optional_text("header") {
        Some(Some(text)) => {
            let set =
                |request: &Request| request.headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(text.text));
            if request.is_some_and(set) {
                text.error("duplicate-header", format!("the header '{}' is set in 'request' too", text.shown()));
                None
            } else {
                sent_header_name(&text)
            }
        }
        Some(None) => Some(default.header),
        None => None,
    };
    let quoted = table.boolean("quoted", default.quoted);
    Some(Idempotency { header: header?, quoted: quoted? })
}

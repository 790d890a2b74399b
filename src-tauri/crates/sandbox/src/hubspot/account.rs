//! The contacts of the simulated HubSpot account: created and changed by email, numbered as HubSpot does.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use signalbox_model::Timestamp;

use super::errors::Trouble;
use super::property::{kept, problem, shown};
use crate::records::{self, Fields, MAX_FIELD, MAX_RECORDS, email_key, field_text, is_email};

/// Properties that are told when none is asked for.
const USUAL: [&str; 3] = ["email", "firstname", "lastname"];
const FIRST_ID: u64 = 3_001;

#[derive(Default)]
pub(crate) struct Account {
    contacts: BTreeMap<u64, Contact>,
    by_email: HashMap<String, u64>,
}

pub(crate) struct Contact {
    id: u64,
    properties: Fields,
    created: Timestamp,
    updated: Timestamp,
}

/// What an id in a request means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Id,
    Email,
}

impl By {
    pub fn parse(id_property: Option<&str>) -> Result<Self, Trouble> {
        match id_property {
            None | Some("hs_object_id") => Ok(Self::Id),
            Some("email") => Ok(Self::Email),
            Some(other) => Err(Trouble::validation(format!("Property {other} is not a unique identifier property"))),
        }
    }
}

/// One input of a batch upsert.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Upsert {
    pub id: String,
    pub id_property: Option<String>,
    pub properties: BTreeMap<String, Value>,
    pub object_write_trace_id: Option<String>,
}

/// Why one input was refused: HubSpot's category and message.
pub(crate) struct Refused {
    pub category: &'static str,
    pub message: String,
}

impl Refused {
    /// A moment later it would be taken.
    pub fn passing() -> Self {
        Self { category: "INTERNAL_ERROR", message: "internal error".to_owned() }
    }

    fn properties(problems: &[Value]) -> Self {
        let problems = Value::from(problems);
        Self { category: "VALIDATION_ERROR", message: format!("Property values were not valid: {problems}") }
    }
}

impl Contact {
    /// As HubSpot shows it, with the properties that were asked for.
    pub fn object(&self, wanted: Option<&[String]>, renamed: bool) -> Value {
        let (created, updated) = (self.created.to_rfc3339(), self.updated.to_rfc3339());
        let mut properties = Map::new();
        properties.insert("createdate".into(), created.clone().into());
        properties.insert("hs_object_id".into(), self.id.to_string().into());
        properties.insert("lastmodifieddate".into(), updated.clone().into());
        let mut show = |kept: &str| {
            let value = self.properties.get(kept).map_or(Value::Null, |value| value.as_str().into());
            properties.insert(shown(kept, renamed).to_owned(), value);
        };
        match wanted {
            Some(names) => names.iter().filter_map(|name| kept(name, renamed)).for_each(&mut show),
            None => USUAL.into_iter().for_each(&mut show),
        }
        json!({
            "id": self.id.to_string(), "properties": properties,
            "createdAt": created, "updatedAt": updated, "archived": false,
        })
    }

    /// As the answer to a write, with everything that is set.
    fn written(&self, new: bool, trace: Option<&str>, renamed: bool) -> Value {
        let all: Vec<String> = self.properties.keys().map(|kept| shown(kept, renamed).to_owned()).collect();
        let mut object = self.object(Some(&all), renamed);
        object["new"] = new.into();
        if let Some(trace) = trace {
            object["objectWriteTraceId"] = trace.into();
        }
        object
    }
}

impl Account {
    pub fn find(&self, by: By, id: &str) -> Option<&Contact> {
        let number = match by {
            By::Id => id.parse().ok()?,
            By::Email => *self.by_email.get(&email_key(id))?,
        };
        self.contacts.get(&number)
    }

    /// Up to `limit` contacts behind the id `after`, and the id to go on from.
    pub fn page<T>(&self, after: u64, limit: usize, mut show: impl FnMut(&Contact) -> T) -> (Vec<T>, Option<u64>) {
        let mut behind = self.contacts.range((Bound::Excluded(after), Bound::Unbounded));
        let mut last = after;
        let mut shown = Vec::new();
        for (id, contact) in behind.by_ref().take(limit) {
            last = *id;
            shown.push(show(contact));
        }
        (shown, behind.next().map(|_| last))
    }

    pub fn records(&self) -> (usize, String) {
        let contacts = self
            .contacts
            .values()
            .filter_map(|contact| contact.properties.get("email").map(|email| (email.as_str(), &contact.properties)));
        (self.contacts.len(), records::hash(contacts))
    }

    /// Creates or changes one contact; properties that are not named stay.
    pub fn upsert(&mut self, input: &Upsert, renamed: bool, now: Timestamp) -> Result<Value, Refused> {
        let refuse = |category, message| Refused { category, message };
        let by = By::parse(input.id_property.as_deref())
            .map_err(|_| refuse("VALIDATION_ERROR", "idProperty must be email or absent".into()))?;
        let mut changes = checked(&input.properties, renamed)?;
        let trace = input.object_write_trace_id.as_deref();
        let known = self.find(by, &input.id).map(|contact| contact.id);
        if by == By::Id && known.is_none() {
            return Err(refuse("OBJECT_NOT_FOUND", format!("No contact has the id {}", input.id)));
        }
        if by == By::Email {
            // HubSpot makes no partial upsert by email: the email has to be among the properties.
            let email = changes.get("email").filter(|email| **email == email_key(&input.id));
            if email.is_none() {
                let message = "the property email must be there and be the id";
                return Err(Refused::properties(&[problem("email", "REQUIRED_FIELD", message)]));
            }
        } else {
            // A contact that is named by its number keeps its email here.
            changes.remove("email");
        }
        let id = match known {
            Some(id) => id,
            None if self.contacts.len() >= MAX_RECORDS => {
                return Err(refuse("LIMIT_EXCEEDED", format!("the simulated account holds {MAX_RECORDS} contacts")));
            }
            None => self.contacts.last_key_value().map_or(FIRST_ID, |(last, _)| last + 1),
        };
        let contact = self.contacts.entry(id).or_insert_with(|| Contact {
            id,
            properties: Fields::new(),
            created: now,
            updated: now,
        });
        contact.updated = now;
        for (name, value) in changes {
            if value.is_empty() {
                contact.properties.remove(name);
            } else {
                contact.properties.insert(name.to_owned(), value);
            }
        }
        if known.is_none()
            && let Some(email) = contact.properties.get("email")
        {
            self.by_email.insert(email.clone(), id);
        }
        Ok(contact.written(known.is_none(), trace, renamed))
    }
}

/// The properties under the names that are kept, or every problem with them.
fn checked(properties: &BTreeMap<String, Value>, renamed: bool) -> Result<BTreeMap<&'static str, String>, Refused> {
    let mut changes = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, value) in properties {
        let Some(kept) = kept(name, renamed) else {
            let message = format!("Property \"{name}\" does not exist");
            problems.push(problem(name, "PROPERTY_DOESNT_EXIST", &message));
            continue;
        };
        match field_text(value) {
            Some(text) if kept == "email" && !is_email(&text) => {
                problems.push(problem(name, "INVALID_EMAIL", &format!("Email address {text} is invalid")));
            }
            Some(text) if text.chars().count() > MAX_FIELD => {
                problems.push(problem(name, "PROPERTY_VALUE_TOO_LONG", "The value is longer than 1000 characters"));
            }
            Some(text) => {
                changes.insert(kept, if kept == "email" { email_key(&text) } else { text });
            }
            None => problems.push(problem(name, "INVALID_VALUE", "The value is no text, number or flag")),
        }
    }
    if problems.is_empty() { Ok(changes) } else { Err(Refused::properties(&problems)) }
}

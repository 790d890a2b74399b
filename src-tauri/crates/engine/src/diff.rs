//! What differs between two requests, field by field, for people: bounded, with numbers as they are written.

use serde_json::Value;
use signalbox_store::event::Request;

/// The most differences that are told.
const MOST: usize = 100;
/// The longest value that is shown whole, in bytes of JSON.
const LONGEST: usize = 2 << 10;

/// One field that is not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// In a JSON body a JSON Pointer (RFC 6901), which begins with `/` or is empty; else `method`, `path`, `body` or
    /// `header:<name>`.
    pub path: String,
    /// `None`: it was not there.
    pub from: Option<Value>,
    /// `None`: it is not there any more.
    pub to: Option<Value>,
}

/// Method, path, headers and body.
pub fn requests(from: &Request, to: &Request) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for (name, from, to) in [("method", &from.method, &to.method), ("path", &from.path, &to.path)] {
        if from != to {
            changes.push(text(name.to_owned(), Some(from), Some(to)));
        }
    }
    let header = |request: &Request, name: &str| {
        request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    for (name, value) in &from.headers {
        let other = header(to, name);
        if other.as_ref() != Some(value) {
            changes.push(text(format!("header:{name}"), Some(value), other.as_ref()));
        }
    }
    for (name, value) in to.headers.iter().filter(|(name, _)| header(from, name).is_none()) {
        changes.push(text(format!("header:{name}"), None, Some(value)));
    }
    changes.extend(bodies(&from.body, &to.body));
    changes.truncate(MOST);
    changes
}

/// By field where both are JSON, else as a whole.
pub fn bodies(from: &[u8], to: &[u8]) -> Vec<FieldChange> {
    if from == to {
        return Vec::new();
    }
    let json = |bytes| serde_json::from_slice::<Value>(bytes).ok();
    if let (Some(from), Some(to)) = (json(from), json(to)) {
        let mut changes = Vec::new();
        compare(&from, &to, &mut String::new(), false, &mut changes);
        return changes;
    }
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    vec![text("body".to_owned(), Some(&lossy(from)), Some(&lossy(to)))]
}

/// What `sent` would change of `record`: only the fields that are in `sent` are looked at.
pub fn against_record(record: &Value, sent: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare(record, sent, &mut String::new(), true, &mut changes);
    changes
}

/// Not deeper than `serde_json` reads: 128 levels.
fn compare(from: &Value, to: &Value, path: &mut String, only_sent: bool, changes: &mut Vec<FieldChange>) {
    if changes.len() >= MOST || from == to {
        return;
    }
    match (from, to) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                match new.get(key) {
                    Some(other) => at(path, key, |path| compare(value, other, path, only_sent, changes)),
                    None if only_sent => {}
                    None => at(path, key, |path| add(changes, path, Some(value), None)),
                }
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                at(path, key, |path| add(changes, path, None, Some(value)));
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            for index in 0..old.len().max(new.len()) {
                at(path, &index.to_string(), |path| match (old.get(index), new.get(index)) {
                    (Some(from), Some(to)) => compare(from, to, path, only_sent, changes),
                    (from, to) => add(changes, path, from, to),
                });
            }
        }
        _ => add(changes, path, Some(from), Some(to)),
    }
}

/// One step deeper; `~` and `/` are escaped (RFC 6901 §3).
fn at(path: &mut String, key: &str, run: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push('/');
    path.push_str(&key.replace('~', "~0").replace('/', "~1"));
    run(path);
    path.truncate(length);
}

fn add(changes: &mut Vec<FieldChange>, path: &str, from: Option<&Value>, to: Option<&Value>) {
    if changes.len() < MOST {
        changes.push(FieldChange { path: path.to_owned(), from: from.map(shown), to: to.map(shown) });
    }
}

fn text(path: String, from: Option<&String>, to: Option<&String>) -> FieldChange {
    let value = |text: &String| shown(&Value::String(text.clone()));
    FieldChange { path, from: from.map(value), to: to.map(value) }
}

/// A long value is shown by its beginning.
fn shown(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
        _ => return value.clone(),
    };
    if text.len() <= LONGEST {
        return value.clone();
    }
    let start: String = text.chars().take(LONGEST / 4).collect();
    Value::String(format!("{start}… ({} bytes)", text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(changes: &[FieldChange]) -> Vec<&str> {
        changes.iter().map(|change| change.path.as_str()).collect()
    }

    #[test]
    fn fields_are_compared_by_pointer_and_digits_count() {
        let changes = bodies(
            br#"{"a/b":1.10,"same":{"x":[1,2]},"gone":true,"list":[1,2]}"#,
            br#"{"a/b":1.1,"same":{"x":[1,2]},"list":[1],"new":null}"#,
        );
        assert_eq!(paths(&changes), ["/a~1b", "/gone", "/list/1", "/new"]);
        assert_eq!(changes[0].from.as_ref().map(ToString::to_string).as_deref(), Some("1.10"));
        assert_eq!((changes[1].to.clone(), changes[3].from.clone()), (None, None));
    }

    #[test]
    fn a_record_is_compared_only_where_something_is_sent() {
        let record = serde_json::json!({"id": 7, "email": "old@acme.test", "city": "Bern"});
        let sent = serde_json::json!({"email": "new@acme.test", "city": "Bern"});
        assert_eq!(paths(&against_record(&record, &sent)), ["/email"]);
    }

    #[test]
    fn what_is_not_json_differs_as_a_whole_and_long_values_are_cut() {
        let changes = bodies(b"a,b", "ä".repeat(10_000).as_bytes());
        assert_eq!(paths(&changes), ["body"]);
        assert!(changes[0].to.as_ref().and_then(Value::as_str).is_some_and(|text| text.ends_with("(20000 bytes)")));
        assert_eq!(bodies(b"same", b"same"), []);
    }

    #[test]
    fn a_great_many_differences_are_bounded() {
        let list = |from: usize| serde_json::to_vec(&(from..from + 5_000).collect::<Vec<_>>()).expect("JSON");
        assert_eq!(bodies(&list(0), &list(1)).len(), MOST);
    }

    #[test]
    fn a_request_differs_in_its_path_and_headers_too() {
        let from = Request {
            method: "PUT".into(),
            path: "/contacts/1".into(),
            headers: vec![("content-type".into(), "text/plain".into()), ("x-old".into(), "1".into())],
            body: bytes::Bytes::new(),
        };
        let to = Request {
            path: "/contacts/2".into(),
            headers: vec![("content-type".into(), "application/json".into()), ("x-new".into(), "1".into())],
            ..from.clone()
        };
        assert_eq!(paths(&requests(&from, &to)), ["path", "header:content-type", "header:x-old", "header:x-new"]);
    }
}

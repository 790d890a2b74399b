//! One JSON Patch (RFC 6902) for the bodies of a whole set: those that it does not fit are told apart and stay as they
//! are. Numbers keep their digits; white space is not kept.

use bytes::Bytes;
use json_patch::{Patch, PatchErrorKind, PatchOperation};
use serde_json::Value;

use crate::steps::REQUEST_BODY_MAX;

/// Written by a person or made from one edit; a longer one is a mistake.
const MOST_OPERATIONS: usize = 200;
/// Each may double the body.
const MOST_COPIES: usize = 20;
/// As deep as JSON is read.
const DEEPEST: usize = signalbox_transform::MAX_DEPTH;

#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    #[error("the patch is not one of RFC 6902, a list of operations: {0}")]
    Unreadable(String),
    #[error("the patch has no operation, so it changes nothing")]
    Empty,
    #[error("the patch has {0} operations; the most is {MOST_OPERATIONS}, {MOST_COPIES} of them copies")]
    TooLong(usize),
    #[error("the {0} body is not JSON, so there is no patch between the two: {1}")]
    NotJson(&'static str, String),
}

/// A patch that is checked as far as it can be without a body.
#[derive(Clone, Debug)]
pub struct BodyPatch(Patch);

impl BodyPatch {
    pub fn parse(text: &str) -> Result<Self, PatchError> {
        let patch: Patch = serde_json::from_str(text).map_err(|error| PatchError::Unreadable(error.to_string()))?;
        let copies = patch.0.iter().filter(|one| matches!(one, PatchOperation::Copy(_))).count();
        match patch.0.len() {
            0 => Err(PatchError::Empty),
            length if length > MOST_OPERATIONS || copies > MOST_COPIES => Err(PatchError::TooLong(length)),
            _ => Ok(Self(patch)),
        }
    }

    /// The body with the patch applied, or why it does not fit, in one sentence.
    pub fn apply(&self, body: &[u8]) -> Result<Bytes, String> {
        let mut value: Value =
            serde_json::from_slice(body).map_err(|error| format!("its body is not JSON: {error}"))?;
        for (index, operation) in self.0.iter().enumerate() {
            json_patch::patch(&mut value, std::slice::from_ref(operation))
                .map_err(|error| misfit(index, operation, &error.kind))?;
            check_size(&value).map_err(|why| format!("operation {} makes the body {why}", index + 1))?;
        }
        serde_json::to_vec(&value).map(Bytes::from).map_err(|error| format!("the result is not JSON: {error}"))
    }
}

/// The patch that makes `after` of `before`, as JSON.
pub fn between(before: &[u8], after: &[u8]) -> Result<Value, PatchError> {
    let read = |which, bytes| {
        serde_json::from_slice::<Value>(bytes).map_err(|error| PatchError::NotJson(which, error.to_string()))
    };
    let patch = json_patch::diff(&read("present", before)?, &read("edited", after)?);
    serde_json::to_value(patch).map_err(|error| PatchError::Unreadable(error.to_string()))
}

fn misfit(index: usize, operation: &PatchOperation, kind: &PatchErrorKind) -> String {
    let (word, from) = match operation {
        PatchOperation::Add(_) => ("add", None),
        PatchOperation::Remove(_) => ("remove", None),
        PatchOperation::Replace(_) => ("replace", None),
        PatchOperation::Move(one) => ("move", Some(one.from.as_str())),
        PatchOperation::Copy(one) => ("copy", Some(one.from.as_str())),
        PatchOperation::Test(_) => ("test", None),
    };
    let path = operation.path().as_str();
    let why = match kind {
        PatchErrorKind::TestFailed => format!("{} has another value", shown(path)),
        PatchErrorKind::InvalidFromPointer => format!("there is no {}", shown(from.unwrap_or(path))),
        PatchErrorKind::InvalidPointer => format!("there is no place {}", shown(path)),
        PatchErrorKind::CannotMoveInsideItself => format!("{} cannot be moved into itself", shown(path)),
        other => other.to_string(),
    };
    format!("operation {} ({word}): {why}", index + 1)
}

fn shown(pointer: &str) -> String {
    match pointer {
        "" => "whole body".to_owned(),
        pointer => pointer.chars().take(200).collect(),
    }
}

/// Without recursion, since the value may be as deep as the patch has made it; ends as soon as it is too large.
fn check_size(value: &Value) -> Result<(), &'static str> {
    let mut size = 0;
    let mut rest = vec![(value, 1)];
    while let Some((value, depth)) = rest.pop() {
        if depth > DEEPEST {
            return Err("too deep");
        }
        size += match value {
            Value::String(text) => text.len() + 2,
            Value::Number(number) => number.as_str().len(),
            Value::Null | Value::Bool(_) => 4,
            Value::Array(items) => {
                rest.extend(items.iter().map(|item| (item, depth + 1)));
                items.len() + 2
            }
            Value::Object(members) => {
                rest.extend(members.values().map(|member| (member, depth + 1)));
                members.keys().map(|key| key.len() + 4).sum::<usize>() + 2
            }
        };
        if size > REQUEST_BODY_MAX {
            return Err("larger than 8 MiB");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(patch: &str, body: &str) -> Result<String, String> {
        let made = BodyPatch::parse(patch).expect("a patch").apply(body.as_bytes())?;
        Ok(String::from_utf8(made.to_vec()).expect("text"))
    }

    #[test]
    fn digits_and_the_order_of_members_are_kept() {
        let made = apply(
            r#"[{"op":"replace","path":"/zip","value":8004.50}]"#,
            r#"{ "amount": 1.10, "zip": 1, "big": 1180591620717411303424 }"#,
        );
        assert_eq!(made.as_deref(), Ok(r#"{"amount":1.10,"zip":8004.50,"big":1180591620717411303424}"#));
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_operation() {
        let test = r#"[{"op":"test","path":"/country","value":"CH"},{"op":"remove","path":"/zip"}]"#;
        assert_eq!(
            apply(test, r#"{"country":"DE","zip":1}"#),
            Err("operation 1 (test): /country has another value".into())
        );
        assert_eq!(apply(test, r#"{"country":"CH"}"#), Err("operation 2 (remove): there is no place /zip".into()));
        assert!(apply(test, "a,b").is_err_and(|why| why.starts_with("its body is not JSON")));
        let copy = r#"[{"op":"copy","from":"/a","path":"/b"}]"#;
        assert_eq!(apply(copy, "{}"), Err("operation 1 (copy): there is no /a".into()));
    }

    #[test]
    fn a_patch_that_doubles_the_body_is_stopped() {
        let bomb: Vec<String> = (0..20).map(|n| format!(r#"{{"op":"copy","from":"","path":"/{n}"}}"#)).collect();
        let body = format!(r#"{{"x":"{}"}}"#, "x".repeat(100_000));
        let why = apply(&format!("[{}]", bomb.join(",")), &body).expect_err("too large");
        assert!(why.contains("larger than 8 MiB"), "{why}");
        let deep: Vec<String> =
            (0..20).map(|n| format!(r#"{{"op":"copy","from":"","path":"{}"}}"#, "/x".repeat(1 << n.min(8)))).collect();
        assert!(apply(&format!("[{}]", deep.join(",")), r#"{"x":{}}"#).is_err());
    }

    #[test]
    fn a_patch_is_made_from_an_edit_and_makes_it_again() {
        let (before, after) = (r#"{"a":1.10,"b":[1,2],"c":"x"}"#, r#"{"a":1.10,"b":[1],"d":"y"}"#);
        let patch = between(before.as_bytes(), after.as_bytes()).expect("JSON").to_string();
        let made: Value = serde_json::from_str(&apply(&patch, before).expect("it fits")).expect("JSON");
        assert_eq!(made, serde_json::from_str::<Value>(after).expect("JSON"));
    }

    #[test]
    fn wrong_patches_are_refused() {
        for wrong in
            ["{}", "[]", r#"[{"op":"merge","path":"/a"}]"#, r#"[{"op":"add","path":"a","value":1}]"#, "nonsense"]
        {
            assert!(BodyPatch::parse(wrong).is_err(), "{wrong}");
        }
        let long = format!("[{}]", vec![r#"{"op":"remove","path":"/a"}"#; 201].join(","));
        assert!(BodyPatch::parse(&long).is_err());
    }
}

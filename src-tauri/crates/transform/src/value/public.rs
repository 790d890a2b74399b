//! The value as other crates see it.

use std::fmt;

use super::{Array, Num, Object, Str, Val, number};
use crate::error::RunError;
use crate::write;

/// A JSON value: what a body was read into, what steps hand on. Cheap to clone, shared between threads.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(pub(crate) Val);

impl fmt::Debug for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&write::to_text(&self.0, 4_096).unwrap_or_else(|| self.0.kind().to_owned()))
    }
}

impl Value {
    pub fn null() -> Self {
        Self(Val::Null)
    }

    pub fn boolean(value: bool) -> Self {
        Self(Val::Bool(value))
    }

    pub fn integer(value: i64) -> Self {
        Self(Val::Num(Num::from_integral(value)))
    }

    pub fn string(text: &str) -> Self {
        Self(Val::Str(Str::new(text)))
    }

    pub fn array(items: impl IntoIterator<Item = Self>) -> Self {
        let mut array = Array::builder();
        for item in items {
            array.push(item.0);
        }
        Self(array.build())
    }

    /// Of members with the same name the last counts.
    pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let mut object = Object::new();
        for (key, value) in members {
            object.insert(Str::new(key), value.0);
        }
        Self(object.into_val())
    }

    /// The member of that name, where this is an object that has it.
    pub fn get(&self, key: &str) -> Option<Self> {
        match &self.0 {
            Val::Obj(object) => object.get(key).cloned().map(Self),
            _ => None,
        }
    }

    /// This object with one more member, or with another value of it; none where this is no object.
    pub fn with(&self, key: &str, value: Self) -> Option<Self> {
        let Val::Obj(object) = &self.0 else { return None };
        let mut object = Object::clone(object);
        object.insert(Str::new(key), value.0);
        Some(Self(object.into_val()))
    }

    /// The members in their order, where this is an object.
    pub fn members(&self) -> Option<Vec<(String, Self)>> {
        match &self.0 {
            Val::Obj(object) => {
                Some(object.iter().map(|(name, val)| (name.as_str().to_owned(), Self(val.clone()))).collect())
            }
            _ => None,
        }
    }

    /// The items, where this is an array.
    pub fn items(&self) -> Option<Vec<Self>> {
        match &self.0 {
            Val::Arr(array) => Some(array.items().iter().cloned().map(Self).collect()),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Val::Str(text) => Some(text.as_str()),
            _ => None,
        }
    }

    pub fn is_object(&self) -> bool {
        matches!(self.0, Val::Obj(_))
    }

    pub fn is_null(&self) -> bool {
        matches!(self.0, Val::Null)
    }

    /// As jq sees it: all but null and false.
    pub fn is_truthy(&self) -> bool {
        !matches!(self.0, Val::Null | Val::Bool(false))
    }

    /// "null", "a number", "an object": for messages.
    pub fn kind(&self) -> &'static str {
        self.0.kind()
    }

    /// A string as it is, a number by its digits, `true`, `false`, `null`; arrays and objects as JSON.
    pub fn to_text(&self) -> String {
        match &self.0 {
            Val::Str(text) => text.as_str().to_owned(),
            val => write::to_text(val, usize::MAX).unwrap_or_default(),
        }
    }

    /// Compact JSON, digits as they came. Over `max_bytes` it is [`RunError::OverBudget`].
    pub fn to_json_bytes(&self, max_bytes: usize) -> Result<Vec<u8>, RunError> {
        Ok(write::to_bytes(&self.0, max_bytes)?)
    }

    /// Nested as deep as `serde_json` reads, 128 levels.
    pub fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        Self(match json {
            Json::Null => Val::Null,
            Json::Bool(bool) => Val::Bool(*bool),
            Json::Number(number) => Val::Num(number::from_program(&number.to_string())),
            Json::String(text) => Val::Str(Str::new(text.as_str())),
            Json::Array(items) => return Self::array(items.iter().map(Self::from_json)),
            Json::Object(members) => {
                return Self::object(members.iter().map(|(key, value)| (key.as_str(), Self::from_json(value))));
            }
        })
    }
}

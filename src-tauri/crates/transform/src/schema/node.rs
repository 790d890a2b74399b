//! A value as the schema library sees it: nothing is copied, and every look is a step of the check.

use std::borrow::Cow;

use jsonschema::JsonType;
use jsonschema::json::{Array as JsonArray, Json, Node, NodeIdentity, Object as JsonObject};

use crate::meter;
use crate::value::{Array, Num, Object, Str, Val, number};

/// Our values as a representation of JSON.
pub(super) struct Payload;

impl Json for Payload {
    type Node<'a> = &'a Val;
    type PreparedKey = String;
    type StringBuffer = Val;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(buffer: &mut Val, string: &str, f: impl FnOnce(&Val) -> T) -> T {
        *buffer = Val::Str(Str::new(string));
        f(buffer)
    }
}

fn to_number(num: &Num) -> Option<serde_json::Number> {
    match num {
        Num::Int(int) => Some(serde_json::Number::from(*int)),
        num => serde_json::from_str(&number::to_json(num)?).ok(),
    }
}

/// Recursion is bounded by the depth of values.
fn to_json(val: &Val) -> serde_json::Value {
    use serde_json::Value as Json;
    meter::enter();
    match val {
        Val::Null => Json::Null,
        Val::Bool(bool) => Json::Bool(*bool),
        Val::Num(num) => to_number(num).map_or(Json::Null, Json::Number),
        Val::Str(text) => {
            meter::steps(text.as_str().len() / 4_096);
            Json::String(text.as_str().to_owned())
        }
        Val::Arr(array) => Json::Array(array.items().iter().map(to_json).collect()),
        Val::Obj(object) => {
            Json::Object(object.iter().map(|(key, val)| (key.as_str().to_owned(), to_json(val))).collect())
        }
    }
}

impl<'a> Node<'a, Payload> for &'a Val {
    type Object = &'a Object;
    type Array = &'a Array;
    type Number = serde_json::Number;

    fn as_object(&self) -> Option<&'a Object> {
        meter::enter();
        match self {
            Val::Obj(object) => Some(object),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<&'a Array> {
        meter::enter();
        match self {
            Val::Arr(array) => Some(array),
            _ => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        meter::enter();
        match self {
            Val::Str(text) => {
                // It is about to be searched, measured or compared.
                meter::steps(text.as_str().len() / 1_024);
                Some(Cow::Borrowed(text.as_str()))
            }
            _ => None,
        }
    }

    fn as_number(&self) -> Option<serde_json::Number> {
        meter::enter();
        match self {
            Val::Num(num) => to_number(num),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        meter::enter();
        match self {
            Val::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        meter::enter();
        matches!(self, Val::Null)
    }

    fn json_type(&self) -> JsonType {
        meter::enter();
        match self {
            Val::Null => JsonType::Null,
            Val::Bool(_) => JsonType::Boolean,
            Val::Num(_) => JsonType::Number,
            Val::Str(_) => JsonType::String,
            Val::Arr(_) => JsonType::Array,
            Val::Obj(_) => JsonType::Object,
        }
    }

    fn to_value(&self) -> Cow<'a, serde_json::Value> {
        Cow::Owned(to_json(self))
    }

    /// A part that is shared has one address in all its places, and one answer; it is never inside itself.
    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(std::ptr::from_ref::<Val>(self) as usize))
    }
}

impl<'a> JsonObject<'a, Payload> for &'a Object {
    type Node = &'a Val;
    type MemberName = &'a str;
    type MembersIter = Box<dyn Iterator<Item = (&'a str, &'a Val)> + 'a>;

    fn len(&self) -> usize {
        Object::len(self)
    }

    fn get(&self, key: &String) -> Option<&'a Val> {
        meter::step();
        Object::get(self, key)
    }

    fn members(&self) -> Self::MembersIter {
        Box::new(self.iter().map(|(key, val)| {
            meter::step();
            (key.as_str(), val)
        }))
    }
}

impl<'a> JsonArray<'a, Payload> for &'a Array {
    type Node = &'a Val;
    type ElementsIter = std::slice::Iter<'a, Val>;

    fn len(&self) -> usize {
        self.items().len()
    }

    fn elements(&self) -> Self::ElementsIter {
        self.items().iter()
    }
}

//! Equality, order and the short text of values.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::{Object, Val};
use crate::meter;

/// jq's order: null, false, true, numbers, strings, arrays, objects.
fn rank(val: &Val) -> u8 {
    match val {
        Val::Null => 0,
        Val::Bool(false) => 1,
        Val::Bool(true) => 2,
        Val::Num(_) => 3,
        Val::Str(_) => 4,
        Val::Arr(_) => 5,
        Val::Obj(_) => 6,
    }
}

/// Objects compare by their sorted names first, then by the values in that order.
fn compare_objects(left: &Object, right: &Object) -> Ordering {
    let sorted = |object: &Object| {
        let mut members: Vec<_> = object.iter().map(|(key, val)| (key.clone(), val.clone())).collect();
        members.sort_by(|(left, _), (right, _)| left.cmp(right));
        members
    };
    let (left, right) = (sorted(left), sorted(right));
    let names = left.iter().map(|(key, _)| key).cmp(right.iter().map(|(key, _)| key));
    names.then_with(|| left.iter().map(|(_, val)| val).cmp(right.iter().map(|(_, val)| val)))
}

impl Ord for Val {
    fn cmp(&self, other: &Self) -> Ordering {
        meter::step();
        match (self, other) {
            (Self::Num(left), Self::Num(right)) => left.cmp(right),
            (Self::Str(left), Self::Str(right)) => {
                meter::steps(left.as_str().len().min(right.as_str().len()) / 4_096);
                left.cmp(right)
            }
            (Self::Arr(left), Self::Arr(right)) => left.items().cmp(right.items()),
            (Self::Obj(left), Self::Obj(right)) => compare_objects(left, right),
            (left, right) => rank(left).cmp(&rank(right)),
        }
    }
}

impl PartialOrd for Val {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Val {
    fn eq(&self, other: &Self) -> bool {
        meter::step();
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Num(left), Self::Num(right)) => left == right,
            (Self::Str(left), Self::Str(right)) => {
                meter::steps(left.as_str().len().min(right.as_str().len()) / 4_096);
                left == right
            }
            (Self::Arr(left), Self::Arr(right)) => left.items() == right.items(),
            (Self::Obj(left), Self::Obj(right)) => {
                Arc::ptr_eq(left, right)
                    || left.len() == right.len()
                        && left.iter().all(|(key, val)| right.get(key.as_str()).is_some_and(|other| val == other))
            }
            _ => false,
        }
    }
}

impl Eq for Val {}

/// Only the kind of the value: this is what the library puts into its error messages, which are shown, logged and
/// grouped, and must neither leak payloads nor differ from event to event.
impl fmt::Display for Val {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.kind())
    }
}

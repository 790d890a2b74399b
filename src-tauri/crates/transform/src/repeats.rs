//! Names that may come more than once, on their way to an object: a form's fields, an XML element's children.

use std::collections::HashMap;

use crate::value::Value;

/// Names from which on there is an index beside the list.
const INDEXED: usize = 16;

/// Each name with its values, in the order of the names' first.
#[derive(Default)]
pub(crate) struct Repeats {
    list: Vec<(String, Vec<Value>)>,
    /// Name → place. Empty while the list is short.
    places: HashMap<String, usize>,
}

impl Repeats {
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn place(&self, name: &str) -> Option<usize> {
        if self.places.is_empty() {
            self.list.iter().position(|(known, _)| known == name)
        } else {
            self.places.get(name).copied()
        }
    }

    pub(crate) fn push(&mut self, name: &str, value: Value) {
        if let Some((_, values)) = self.place(name).and_then(|place| self.list.get_mut(place)) {
            values.push(value);
            return;
        }
        if !self.places.is_empty() {
            self.places.insert(name.to_owned(), self.list.len());
        }
        self.list.push((name.to_owned(), vec![value]));
        if self.places.is_empty() && self.list.len() > INDEXED {
            self.places = self.list.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
        }
    }

    /// A name that came once has its value, one that came again an array of all its values, in order.
    pub(crate) fn into_object(self) -> Value {
        let member = |(name, values): &(String, Vec<Value>)| {
            let value = match values.as_slice() {
                [one] => one.clone(),
                all => Value::array(all.iter().cloned()),
            };
            (name.clone(), value)
        };
        let members: Vec<_> = self.list.iter().map(member).collect();
        Value::object(members.iter().map(|(name, value)| (name.as_str(), value.clone())))
    }
}

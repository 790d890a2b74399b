//! The members of an object, in order. Most objects are small, and a small one is fastest as a plain list; a large
//! one has an index beside it, keyed at random against crafted names.

use std::collections::HashMap;

use super::{Str, Val};

/// Members from which on an object has an index.
const INDEXED: usize = 16;

#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    list: Vec<(Str, Val)>,
    /// Name → place in the list. Empty while the list is short.
    index: HashMap<Str, usize>,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Str, &Val)> {
        self.list.iter().map(|(name, val)| (name, val))
    }

    pub(super) fn at(&self, place: usize) -> Option<(&Str, &Val)> {
        self.list.get(place).map(|(name, val)| (name, val))
    }

    fn place(&self, name: &str) -> Option<usize> {
        if self.index.is_empty() {
            self.list.iter().position(|(other, _)| other.as_str() == name)
        } else {
            self.index.get(name).copied()
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Val> {
        self.list.get(self.place(name)?).map(|(_, val)| val)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Val> {
        let place = self.place(name)?;
        self.list.get_mut(place).map(|(_, val)| val)
    }

    /// The value that was there before. A member that was there keeps its place.
    pub(super) fn insert(&mut self, name: Str, val: Val) -> Option<Val> {
        if let Some(slot) = self.get_mut(name.as_str()) {
            return Some(std::mem::replace(slot, val));
        }
        if !self.index.is_empty() {
            self.index.insert(name.clone(), self.list.len());
        }
        self.list.push((name, val));
        if self.index.is_empty() && self.list.len() > INDEXED {
            self.build_index();
        }
        None
    }

    /// The order of the others stays.
    pub(super) fn remove(&mut self, name: &str) -> Option<(Str, Val)> {
        let place = self.place(name)?;
        let removed = self.list.remove(place);
        if !self.index.is_empty() {
            self.build_index();
        }
        Some(removed)
    }

    fn build_index(&mut self) {
        self.index = self.list.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
    }
}

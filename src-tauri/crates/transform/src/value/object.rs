//! Objects that keep the order of their members and know their weight and depth.

use std::sync::Arc;

use super::members::Members;
use super::{Str, Val};
use crate::meter::{self, Charge};

/// About the bytes of one member in the table, without its name and value.
const SLOT: usize = 96;
const EMPTY: u64 = 32;

#[derive(Debug)]
pub(crate) struct Object {
    members: Members,
    weight: u64,
    /// Never less than the true depth.
    depth: u32,
    charge: Charge,
}

impl Clone for Object {
    fn clone(&self) -> Self {
        let charge = Charge::of(self.members.len() * SLOT + 64);
        Self { members: self.members.clone(), weight: self.weight, depth: self.depth, charge }
    }
}

impl Object {
    pub(crate) fn new() -> Self {
        Self { members: Members::default(), weight: EMPTY, depth: 1, charge: Charge::of(64) }
    }

    pub(crate) fn into_val(self) -> Val {
        meter::check_container(self.weight, self.depth);
        Val::Obj(Arc::new(self))
    }

    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Val> {
        self.members.get(key)
    }

    pub(crate) fn at(&self, index: usize) -> Option<(&Str, &Val)> {
        self.members.at(index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Str, &Val)> {
        self.members.iter()
    }

    fn member_weight(key: &Str, val: &Val) -> u64 {
        32u64.saturating_add(key.as_str().len() as u64).saturating_add(val.weight())
    }

    /// The value that was there before, if any. A member that was there keeps its place.
    pub(crate) fn insert(&mut self, key: Str, val: Val) -> Option<Val> {
        self.weight = self.weight.saturating_add(Self::member_weight(&key, &val));
        self.depth = self.depth.max(val.depth() + 1);
        let key_weight = 32 + key.as_str().len() as u64;
        let before = self.members.insert(key, val);
        match &before {
            Some(old) => self.weight = self.weight.saturating_sub(key_weight.saturating_add(old.weight())),
            None => self.charge.grow(SLOT),
        }
        before
    }

    pub(crate) fn check(&self) {
        meter::check_container(self.weight, self.depth);
    }

    pub(crate) fn extend(&mut self, members: impl IntoIterator<Item = (Str, Val)>) {
        for (key, val) in members {
            meter::step();
            self.insert(key, val);
        }
        self.check();
    }

    /// Takes a member's value out, leaving null, to be put back by [`Self::insert`] or dropped by [`Self::remove`].
    pub(crate) fn take(&mut self, key: &str) -> Option<Val> {
        let slot = self.members.get_mut(key)?;
        let val = std::mem::take(slot);
        self.weight = self.weight.saturating_sub(val.weight()).saturating_add(Val::Null.weight());
        Some(val)
    }

    /// The order of the others stays.
    pub(crate) fn remove(&mut self, key: &str) {
        meter::steps(self.members.len() / 16);
        if let Some((key, val)) = self.members.remove(key) {
            self.weight = self.weight.saturating_sub(Self::member_weight(&key, &val));
        }
    }

    /// Deep merge, as `*` does. Recursion is bounded by the depth of both.
    pub(crate) fn merge(&mut self, other: &Self) {
        meter::enter();
        for (key, val) in other.iter() {
            meter::step();
            let merged = match (self.take(key.as_str()), val) {
                (Some(Val::Obj(mut left)), Val::Obj(right)) => {
                    Arc::make_mut(&mut left).merge(right);
                    Val::Obj(left)
                }
                (_, right) => right.clone(),
            };
            self.insert(key.clone(), merged);
        }
        self.check();
    }
}

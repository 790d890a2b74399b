//! Arrays that know their weight and depth.

use std::sync::Arc;

use super::Val;
use crate::meter::{self, Charge};

const SLOT: usize = std::mem::size_of::<Val>();
const EMPTY: u64 = 32;

#[derive(Debug)]
pub(crate) struct Array {
    items: Vec<Val>,
    weight: u64,
    /// Never less than the true depth; it may be more after the deepest item was replaced.
    depth: u32,
    charge: Charge,
}

impl Clone for Array {
    fn clone(&self) -> Self {
        let charge = Charge::of(self.items.len() * SLOT + 64);
        Self { items: self.items.clone(), weight: self.weight, depth: self.depth, charge }
    }
}

/// Collects items; memory is taken before it is used.
pub(crate) struct Builder(Array);

impl Builder {
    pub(crate) fn push(&mut self, item: Val) {
        self.0.push(item);
    }

    pub(crate) fn build(mut self) -> Val {
        self.0.check();
        if self.0.items.is_empty() {
            self.0.charge.grow(64);
        }
        Val::Arr(Arc::new(self.0))
    }
}

impl Array {
    pub(crate) fn builder() -> Builder {
        Builder(Self { items: Vec::new(), weight: EMPTY, depth: 1, charge: Charge::none() })
    }

    pub(crate) fn items(&self) -> &[Val] {
        &self.items
    }

    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    pub(crate) fn into_items(self) -> Vec<Val> {
        self.items
    }

    /// Appends nulls until `index` is inside.
    pub(crate) fn fill_to(&mut self, index: usize) {
        while self.items.len() <= index {
            meter::step();
            self.push(Val::Null);
        }
    }

    fn push(&mut self, item: Val) {
        if self.items.len() == self.items.capacity() {
            self.charge.grow(self.items.len().max(4) * SLOT);
        }
        self.weight = self.weight.saturating_add(item.weight());
        self.depth = self.depth.max(item.depth() + 1);
        self.items.push(item);
    }

    fn check(&self) {
        meter::check_container(self.weight, self.depth);
    }

    pub(crate) fn extend(&mut self, items: impl IntoIterator<Item = Val>) {
        for item in items {
            self.push(item);
        }
        self.check();
    }

    /// Takes an item out, leaving null, to be put back by [`Self::put`] or dropped by [`Self::remove`].
    pub(crate) fn take(&mut self, index: usize) -> Val {
        let item = self.items.get_mut(index).map(std::mem::take).unwrap_or_default();
        self.weight = self.weight.saturating_sub(item.weight());
        item
    }

    pub(crate) fn put(&mut self, index: usize, item: Val) {
        self.weight = self.weight.saturating_add(item.weight());
        self.depth = self.depth.max(item.depth() + 1);
        if let Some(slot) = self.items.get_mut(index) {
            *slot = item;
        }
        self.check();
    }

    pub(crate) fn remove(&mut self, index: usize) {
        if index < self.items.len() {
            meter::steps((self.items.len() - index) / 256);
            self.items.remove(index);
        }
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&Val) -> bool) {
        self.items.retain(keep);
        self.weight = self.items.iter().fold(EMPTY, |sum, item| sum.saturating_add(item.weight()));
    }
}

impl FromIterator<Val> for Val {
    fn from_iter<T: IntoIterator<Item = Val>>(items: T) -> Self {
        let mut array = Array::builder();
        for item in items {
            array.push(item);
        }
        array.build()
    }
}

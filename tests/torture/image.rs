//! What a disk may hold after the power went: everything before each file's last sync, and of the rest whatever chance
//! had brought there, in any order and down to single sectors.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::disk::{Files, Op, What, write_into};
use crate::seed::Dice;

/// The smallest unit that disks write whole.
const SECTOR: usize = 512;

/// What becomes of changes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsynced {
    Kept,
    Dropped,
    /// Any of them, whatever their order.
    Reordered,
    /// Any sectors of any of them.
    Torn,
    /// Of each file the first few.
    CutShort,
}

impl Unsynced {
    pub const ALL: [Self; 5] = [Self::Kept, Self::Dropped, Self::Reordered, Self::Torn, Self::CutShort];
}

/// A disk in the course of a log.
#[derive(Default)]
pub struct Platter {
    durable: Files,
    /// Not synced yet, in order.
    pending: Vec<Op>,
}

impl Platter {
    pub fn take(&mut self, op: &Op) {
        match op.what {
            What::Sync => {
                // SQLite's own layer syncs the folder with the first sync of a new journal or WAL.
                let new = |op: &&Op| matches!(op.what, What::Create) && !op.file.ends_with(".db");
                if self.pending.iter().filter(new).any(|pending| pending.file == op.file) {
                    self.sync_folder();
                }
                let (synced, rest) =
                    std::mem::take(&mut self.pending).into_iter().partition(|pending| pending.file == op.file);
                self.pending = rest;
                for op in synced {
                    apply(&mut self.durable, &op);
                }
            }
            What::Delete { durable: true } => {
                self.pending.retain(|pending| pending.file != op.file);
                self.durable.remove(&op.file);
            }
            _ => self.pending.push(op.clone()),
        }
    }

    /// Files that were removed stay so; those that were made are there, if only by name.
    fn sync_folder(&mut self) {
        for op in std::mem::take(&mut self.pending) {
            match op.what {
                What::Delete { .. } => {
                    self.pending.retain(|pending| pending.file != op.file);
                    apply(&mut self.durable, &op);
                }
                What::Create => apply(&mut self.durable, &op),
                _ => self.pending.push(op),
            }
        }
    }

    pub fn image(&self, unsynced: Unsynced, dice: &mut Dice) -> Files {
        let mut files = self.durable.clone();
        let mut left: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        if unsynced == Unsynced::CutShort {
            for op in &self.pending {
                *left.entry(&op.file).or_default() += 1;
            }
            left.values_mut().for_each(|count| *count = dice.below(*count + 1));
        }
        // A file whose making or removing did not reach the disk knows nothing of what came after it.
        let mut gone: BTreeSet<&Arc<str>> = BTreeSet::new();
        for op in &self.pending {
            if gone.contains(&op.file) {
                continue;
            }
            let whole = match unsynced {
                Unsynced::Kept => true,
                Unsynced::Dropped => false,
                Unsynced::Reordered => dice.chance(50),
                Unsynced::Torn => match &op.what {
                    What::Write { at, bytes } => {
                        tear(&mut files, op, *at, bytes, dice);
                        continue;
                    }
                    _ => dice.chance(50),
                },
                Unsynced::CutShort => match left.get_mut(&op.file) {
                    Some(count) if *count > 0 => {
                        *count -= 1;
                        true
                    }
                    _ => false,
                },
            };
            if whole {
                apply(&mut files, op);
            } else if matches!(op.what, What::Create | What::Delete { .. }) {
                gone.insert(&op.file);
            }
        }
        files
    }
}

fn apply(files: &mut Files, op: &Op) {
    match &op.what {
        What::Create => {
            files.insert(op.file.clone(), Vec::new());
        }
        What::Write { at, bytes } => {
            if let Some(file) = files.get_mut(&op.file) {
                write_into(file, *at, bytes);
            }
        }
        What::Truncate(len) => {
            if let Some(file) = files.get_mut(&op.file) {
                file.resize(*len, 0);
            }
        }
        What::Sync => {}
        What::Delete { .. } => {
            files.remove(&op.file);
        }
    }
}

fn tear(files: &mut Files, op: &Op, at: usize, bytes: &[u8], dice: &mut Dice) {
    let Some(file) = files.get_mut(&op.file) else { return };
    let mut from = 0;
    while from < bytes.len() {
        // Up to the next sector's start on the disk, not in the buffer.
        let to = (from + SECTOR - (at + from) % SECTOR).min(bytes.len());
        if dice.chance(50) {
            write_into(file, at + from, &bytes[from..to]);
        }
        from = to;
    }
}

//! Chance from a seed, for the scenario and for the program's own ids and jitter.

use std::sync::atomic::{AtomicU64, Ordering};

use signalbox_model::Random;

/// splitmix64 (Steele, Lea, Flood 2014): every seed is a good one, and the state is one number.
pub struct Dice(AtomicU64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub fn next(&self) -> u64 {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// `0..sides`
    pub fn roll(&self, sides: u64) -> u64 {
        self.next() % sides
    }

    pub fn chance(&self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.next().to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
    }
}

//! The address policy against an oracle of its own: the registries of IANA as they are published, written down a second
//! time and compared address by address. Nothing here uses the policy's own table.
//!
//! Short by default. `SIGNALBOX_TORTURE=long` asks for every IPv4 address and ten million IPv6 ones; `SIGNALBOX_SEED` repeats
//! a run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test ends where something is not as it expects"
)]

mod names;
mod oracle;
mod sweep_v4;
mod sweep_v6;
mod urls;

/// The long form of every test here.
fn long() -> bool {
    std::env::var("SIGNALBOX_TORTURE").is_ok_and(|form| form == "long")
}

/// SplitMix64 (Steele, Lea and Flood, 2014): a few lines, and the same everywhere.
struct Chance(u64);

impl Chance {
    /// Prints the seed, so that a failure can be repeated.
    fn new(what: &str) -> Self {
        let given = std::env::var("SIGNALBOX_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or(0x5167_6e61_6c62_6f78);
        println!("{what}: SIGNALBOX_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let index = self.below(all.len());
        &all[index]
    }
}

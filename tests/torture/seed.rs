//! Chance that can be repeated, and how much of it a run takes.

/// xorshift64*, so that the seed alone repeats a run.
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds must not give neighbouring rolls; zero would stay zero.
        let mixed = (seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Self((mixed ^ (mixed >> 31)) | 1)
    }

    /// `0..sides`
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % sides.max(1)
    }

    pub fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.roll(count as u64)).expect("smaller than a usize")
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    /// Up to `most` of them, in any order.
    pub fn some_of<T: Clone>(&mut self, of: &[T], most: usize) -> Vec<T> {
        let mut rest = of.to_vec();
        let count = self.below(most + 1).min(rest.len());
        (0..count).map(|_| rest.swap_remove(self.below(rest.len()))).collect()
    }
}

/// `SIGNALBOX_SEED`, else one that is the same every time: `make test` must not fail by chance.
pub fn seed() -> u64 {
    let seed = std::env::var("SIGNALBOX_SEED").ok().map(|text| text.parse().expect("SIGNALBOX_SEED is a number"));
    seed.unwrap_or(1)
}

/// `make torture`
pub fn is_long() -> bool {
    std::env::var("SIGNALBOX_TORTURE").is_ok_and(|form| form == "long")
}

/// How many of something: `SIGNALBOX_<NAME>`, else by the form of the run.
pub fn count(name: &str, short: u64, long: u64) -> u64 {
    let set = std::env::var(format!("SIGNALBOX_{name}")).ok();
    let set = set.map(|text| text.parse().unwrap_or_else(|_| panic!("SIGNALBOX_{name} is a number")));
    set.unwrap_or(if is_long() { long } else { short })
}

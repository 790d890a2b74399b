//! Seeded chance: the same seed gives the same names, the same changes and the same faults again.
//! xoshiro256** (Blackman and Vigna, 2018), its state filled by splitmix64. Not for secrets of real systems.

pub(crate) struct Prng([u64; 4]);

impl Prng {
    /// `stream` keeps users of one seed apart: turning one dial must not shift what another one does.
    pub fn new(seed: u64, stream: &str) -> Self {
        // FNV-1a folds the stream's name into the seed.
        let mut mixed = stream
            .bytes()
            .fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        Self(std::array::from_fn(|_| {
            mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = mixed;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^ (word >> 31)
        }))
    }

    pub fn word(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number in `0..end`; 0 where `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        // The bias of a remainder is below 2^-50 for the handful of choices made here.
        usize::try_from(self.word() % (end.max(1) as u64)).unwrap_or(0)
    }

    /// One of `choices`; the empty text where there is none.
    pub fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices.get(self.below(choices.len())).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence_and_streams_differ() {
        let words = |seed, stream| {
            let mut prng = Prng::new(seed, stream);
            [prng.word(), prng.word(), prng.word()]
        };
        assert_eq!(words(7, "a"), words(7, "a"));
        assert_ne!(words(7, "a"), words(8, "a"));
        assert_ne!(words(7, "a"), words(7, "b"));
    }

    #[test]
    fn units_spread_over_the_whole_range() {
        let mut prng = Prng::new(1, "units");
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            tenths[(prng.unit() * 10.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (850..1_150).contains(count)), "{tenths:?}");
    }
}

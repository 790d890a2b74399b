//! Small changes of known inputs, the same for the same seed.

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Chance(u64);

/// What the formats here give a meaning to.
const TOKENS: [&[u8]; 34] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b"{{",
    b"}}",
    b"<a>",
    b"</a>",
    b"<![CDATA[",
    b"&amp;",
    b"<!DOCTYPE",
    b"..",
    b"def f: f;",
    b"|",
    b"reduce",
    b"1e999",
    b"-1",
    b"9223372036854775808",
    b"%2e",
    b"@",
    b":",
    b"//",
    b",",
    b"=",
    b"'''",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    "😀".as_bytes(),
];
const LONGEST: usize = 8 << 10;

impl Chance {
    pub fn new(seed: u64) -> Self {
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
        (self.next() % end.max(1) as u64) as usize
    }
}

pub fn mutated(chance: &mut Chance, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut data = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(6) {
        let at = chance.below(data.len() + 1);
        let end = (at + chance.below(16)).min(data.len());
        match chance.below(9) {
            0 if at < data.len() => data[at] ^= 1 << chance.below(8),
            1 if at < data.len() => data[at] = chance.next() as u8,
            2 => drop(data.drain(at..end)),
            3 => data.truncate(at),
            4 => {
                let piece = data[at..end].to_vec();
                data.splice(at..at, piece.repeat(1 + chance.below(50)));
            }
            5 => {
                let other = &seeds[chance.below(seeds.len())];
                let from = chance.below(other.len() + 1);
                data.splice(at..end, other[from..].iter().copied());
            }
            6 => {
                let token = TOKENS[chance.below(TOKENS.len())];
                data.splice(at..end, token.iter().copied());
            }
            // Depth.
            7 => {
                let token = TOKENS[chance.below(TOKENS.len())];
                data.splice(at..at, token.repeat(1 + chance.below(400)));
            }
            _ => {
                let noise: Vec<u8> = (0..chance.below(8)).map(|_| chance.next() as u8).collect();
                data.splice(at..at, noise);
            }
        }
        data.truncate(LONGEST);
    }
    data
}

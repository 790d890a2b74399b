//! Typed ids: a prefix and 128 time-sortable bits (the layout of UUID version 7, RFC 9562 §5.7) in Crockford base 32.

use std::fmt;
use std::str::FromStr;

use parking_lot::Mutex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Random, Timestamp};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits in digits of 5 bits.
const DIGITS: usize = 26;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not an id of the form {prefix}_ and 26 characters")]
pub struct IdError {
    pub text: String,
    pub prefix: &'static str,
}

fn encode(bits: u128) -> String {
    let mut digits = [0_u8; DIGITS];
    let mut rest = bits;
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

fn decode(text: &str) -> Option<u128> {
    if text.len() != DIGITS || text.as_bytes()[0] > b'7' {
        return None;
    }
    text.bytes().try_fold(0_u128, |bits, byte| {
        let digit = ALPHABET.iter().position(|known| *known == byte)?;
        Some((bits << 5) | digit as u128)
    })
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            pub const fn bits(self) -> u128 {
                self.0
            }

            /// Big-endian, so that bytes sort as ids do.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Some(Self(u128::from_be_bytes(bytes.try_into().ok()?)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or_else(|| IdError { text: text.chars().take(64).collect(), prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

typed_id!(
    /// One accepted input.
    EventId, "evt"
);
typed_id!(
    /// Event × destination. Also the first revision's idempotency key.
    DeliveryId, "dlv"
);
typed_id!(
    /// One try at a delivery.
    AttemptId, "att"
);
typed_id!(
    /// Dead letters with one fingerprint; derived from the fingerprint, so the same failure keeps its id.
    GroupId, "grp"
);
typed_id!(
    /// A replay job, or the frozen plan of one.
    ReplayId, "rpl"
);
typed_id!(
    /// A bulk discard, named so that it can be undone.
    DiscardId, "dsc"
);
typed_id!(
    /// A request that was refused at the door and kept for inspection.
    RejectedId, "rej"
);

/// Makes ids that never repeat and never go back within one process, even when the clock does.
pub struct IdSource {
    random: std::sync::Arc<dyn Random>,
    last: Mutex<u128>,
}

impl IdSource {
    pub fn new(random: std::sync::Arc<dyn Random>) -> Self {
        Self { random, last: Mutex::new(0) }
    }

    /// Goes on above `last`, which an earlier run has given: the clock may have been set back since.
    #[must_use]
    pub fn after(self, last: u128) -> Self {
        *self.last.lock() = last;
        self
    }

    /// The next 128 bits: 48 of milliseconds, then version, variant and 74 of chance.
    pub fn next(&self, now: Timestamp) -> u128 {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        let millis = u128::from(u64::try_from(now.as_millis()).unwrap_or(0) & 0xffff_ffff_ffff);
        let chance = u128::from_be_bytes(bytes);
        let fresh = (millis << 80) | (0x7 << 76) | (chance & (0xfff << 64)) | (0b10 << 62) | (chance & ((1 << 62) - 1));
        let mut last = self.last.lock();
        // Within one millisecond, or after the clock went back, count up from the last id instead.
        let next = if fresh > *last { fresh } else { *last + 1 };
        *last = next;
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zero;
    impl Random for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn an_id_survives_its_text() {
        let id = DeliveryId::from_bits(0x0193_4f2a_7b1c_7abc_8def_0123_4567_89ab);
        let text = id.to_string();
        assert!(text.starts_with("dlv_0"), "{text}");
        assert_eq!(text.parse::<DeliveryId>(), Ok(id));
        assert!(text.replace("dlv", "evt").parse::<DeliveryId>().is_err());
        assert!("dlv_".parse::<DeliveryId>().is_err());
        assert!("dlv_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<DeliveryId>().is_err(), "more than 128 bits");
    }

    #[test]
    fn ids_go_up_even_when_the_clock_goes_back() {
        let ids = IdSource::new(std::sync::Arc::new(Zero));
        let a = ids.next(Timestamp::from_secs(100));
        let b = ids.next(Timestamp::from_secs(100));
        let c = ids.next(Timestamp::from_secs(50));
        assert!(a < b && b < c);
    }

    #[test]
    fn ids_go_on_above_those_of_an_earlier_run_even_when_the_clock_went_back() {
        let earlier = IdSource::new(std::sync::Arc::new(Zero)).next(Timestamp::from_secs(5_000));
        let ids = IdSource::new(std::sync::Arc::new(Zero)).after(earlier);
        assert!(ids.next(Timestamp::from_secs(1)) > earlier);
    }

    #[test]
    fn text_sorts_as_the_ids_do() {
        let ids = IdSource::new(std::sync::Arc::new(Zero));
        let early = EventId::from_bits(ids.next(Timestamp::from_secs(1_000)));
        let late = EventId::from_bits(ids.next(Timestamp::from_secs(2_000)));
        assert!(early.to_string() < late.to_string());
        assert!(early.to_bytes() < late.to_bytes());
    }
}

//! HMAC over a message in parts, and the spellings of its result. Comparison is in constant time.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use signalbox_model::verify::{HmacAlgorithm, SignatureEncoding};

/// The secrets of a source as keys of one algorithm, newest first.
pub(super) struct Keys(Vec<hmac::Key>);

impl Keys {
    pub(super) fn new<'s>(algorithm: hmac::Algorithm, secrets: impl Iterator<Item = &'s [u8]>) -> Self {
        Self(secrets.map(|secret| hmac::Key::new(algorithm, secret)).collect())
    }

    /// The first key under which one of the `given` MACs is right.
    pub(super) fn matching(&self, message: &[&[u8]], given: &[Vec<u8>]) -> Option<usize> {
        self.0.iter().position(|key| {
            let right = tag(key, message);
            given.iter().any(|given| constant_time::verify_slices_are_equal(right.as_ref(), given).is_ok())
        })
    }
}

pub(super) fn tag(key: &hmac::Key, message: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for part in message {
        context.update(part);
    }
    context.sign()
}

pub(super) const fn algorithm(algorithm: HmacAlgorithm) -> hmac::Algorithm {
    match algorithm {
        HmacAlgorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        HmacAlgorithm::Sha256 => hmac::HMAC_SHA256,
        HmacAlgorithm::Sha384 => hmac::HMAC_SHA384,
        HmacAlgorithm::Sha512 => hmac::HMAC_SHA512,
    }
}

pub(crate) fn encode(bytes: &[u8], encoding: SignatureEncoding) -> String {
    match encoding {
        SignatureEncoding::Hex => to_hex(bytes),
        SignatureEncoding::Base64 => STANDARD.encode(bytes),
        SignatureEncoding::Base64Url => URL_SAFE_NO_PAD.encode(bytes),
    }
}

/// One spelling per value, so that a signature cannot be varied: lower-case hex, padded base64, base64url without or
/// with its padding.
pub(crate) fn decode(text: &str, encoding: SignatureEncoding) -> Option<Vec<u8>> {
    match encoding {
        SignatureEncoding::Hex => from_hex(text),
        SignatureEncoding::Base64 => STANDARD.decode(text).ok(),
        SignatureEncoding::Base64Url => URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok(),
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| DIGITS.iter().position(|known| *known == digit).map(|value| value as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_reads_what_it_writes_and_no_other_spelling() {
        let bytes: Vec<u8> = (0..=255).collect();
        for encoding in [SignatureEncoding::Hex, SignatureEncoding::Base64, SignatureEncoding::Base64Url] {
            assert_eq!(decode(&encode(&bytes, encoding), encoding).as_deref(), Some(bytes.as_slice()));
        }
        assert_eq!(decode("AB", SignatureEncoding::Hex), None);
        assert_eq!(decode("abc", SignatureEncoding::Hex), None);
        assert_eq!(decode("é0", SignatureEncoding::Hex), None);
        assert_eq!(decode("-_8=", SignatureEncoding::Base64), None);
        assert_eq!(decode("+/8", SignatureEncoding::Base64Url), None);
    }

    /// RFC 4231 §4.3 and RFC 2202 §3, test case 2 of each.
    #[test]
    fn the_macs_are_those_of_the_rfcs() {
        let hex = |which| {
            let key = hmac::Key::new(algorithm(which), b"Jefe");
            to_hex(tag(&key, &[b"what do ya want ", b"for nothing?"]).as_ref())
        };
        assert_eq!(hex(HmacAlgorithm::Sha256), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(hex(HmacAlgorithm::Sha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert!(hex(HmacAlgorithm::Sha384).starts_with("af45d2e376484031617f78d2b58a6b1b"));
        assert!(hex(HmacAlgorithm::Sha512).starts_with("164b7a7bfcf819e2e395fbe73b56e0a3"));
    }
}

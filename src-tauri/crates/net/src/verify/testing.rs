//! What the tests of the schemes share.

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use signalbox_model::Timestamp;
use signalbox_model::verify::{Scheme, Verify};

use super::{Incoming, Refusal, Verified, Verifier};

pub(super) fn secrets(list: &[&str]) -> Vec<SecretString> {
    list.iter().map(|secret| SecretString::from(*secret)).collect()
}

pub(super) fn verify_table(scheme: Scheme) -> Verify {
    Verify { scheme, secrets: Vec::new(), tolerance: Verify::TOLERANCE }
}

pub(super) fn headers(list: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in list {
        // A flipped byte may be one that HTTP cannot carry; what arrives instead is wrong as well.
        let value =
            HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| HeaderValue::from_static("unsendable"));
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    map
}

/// A signed request that a scheme accepts, and the ways to spoil it.
#[derive(Clone)]
pub(super) struct Case {
    pub scheme: Scheme,
    pub secrets: Vec<&'static str>,
    pub method: &'static str,
    pub url: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub now: Timestamp,
}

impl Case {
    pub(super) fn run(&self) -> Result<Verified, Refusal> {
        let list: Vec<_> = self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let map = headers(&list);
        let request =
            Incoming { method: self.method, public_url: None, url_seen: self.url, headers: &map, body: &self.body };
        let verifier = Verifier::new(&verify_table(self.scheme.clone()), secrets(&self.secrets)).unwrap();
        verifier.verify(&request, self.now)
    }

    pub(super) fn code(&self) -> &'static str {
        self.run().map_or_else(|refusal| refusal.code(), |_| "accepted")
    }

    pub(super) fn with(&self, header: &'static str, value: &str) -> Self {
        let mut case = self.without(header);
        case.headers.push((header, value.to_owned()));
        case
    }

    pub(super) fn without(&self, header: &str) -> Self {
        let mut case = self.clone();
        case.headers.retain(|(name, _)| *name != header);
        case
    }

    pub(super) fn value(&self, header: &str) -> String {
        self.headers.iter().find(|(name, _)| *name == header).map(|(_, value)| value.clone()).unwrap()
    }

    /// What every scheme with a signature header must refuse or accept.
    pub(super) fn holds_the_rules_of_every_signature(&self, header: &'static str) {
        assert_eq!(self.code(), "accepted");

        for index in 0..self.body.len() {
            let mut flipped = self.clone();
            flipped.body[index] ^= 1;
            assert_eq!(flipped.code(), "signature-mismatch", "byte {index} of the body");
        }
        let signature = self.value(header);
        for index in 0..signature.len() {
            let mut bytes = signature.clone().into_bytes();
            bytes[index] ^= 1;
            let text = String::from_utf8(bytes).unwrap();
            assert_ne!(self.with(header, &text).code(), "accepted", "byte {index} of the signature");
            assert_ne!(self.with(header, signature.get(..index).unwrap()).code(), "accepted", "cut at {index}");
        }

        let mut rotated = self.clone();
        rotated.secrets.insert(0, "whsec_bmV3ZXIgc2VjcmV0IG9mIDI0IGJ5dGVz");
        assert_eq!(rotated.run().unwrap().secret_index, 1);
        rotated.secrets.truncate(1);
        assert_eq!(rotated.code(), "signature-mismatch");

        assert_eq!(self.without(header).code(), "signature-missing");
        assert_eq!(self.with(header, "").code(), "signature-empty");
        assert_eq!(self.with(header, &"a".repeat(5_000)).code(), "header-too-long");
        let mut repeated = self.clone();
        repeated.headers.push((header, signature));
        assert_eq!(repeated.code(), "header-repeated");
    }

    /// For schemes whose timestamp is in a header of its own, in whole `unit`s of so many a second.
    pub(super) fn holds_the_rules_of_every_timestamp(&self, header: &'static str, signed_at: Timestamp) {
        let mut case = self.clone();
        for (seconds, code) in [
            (300, "accepted"),
            (-300, "accepted"),
            (301, "timestamp-too-old"),
            (-301, "timestamp-in-future"),
            (400 * 86_400, "timestamp-too-old"),
        ] {
            case.now = Timestamp::from_micros(signed_at.as_micros() + seconds * 1_000_000);
            assert_eq!(case.code(), code, "{seconds} s after signing");
        }
        for now in [i64::MIN, i64::MAX] {
            case.now = Timestamp::from_micros(now);
            assert_ne!(case.code(), "accepted");
        }
        for text in
            ["9223372036854775807", "-9223372036854775808", "1e9", "1.5", "NaN", " ", "-1", "99999999999999999999"]
        {
            assert_eq!(self.with(header, text).code(), "timestamp-malformed", "{text:?}");
        }
        assert_eq!(self.without(header).code(), "timestamp-missing");
        assert_eq!(self.with(header, "").code(), "timestamp-malformed");
        assert_eq!(self.with(header, "1").code(), "signature-mismatch");
    }
}

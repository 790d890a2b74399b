//! Standard Webhooks 1.0.0 (and Svix, whose header names are its aliases): the symmetric `v1`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use signalbox_model::Timestamp;
use signalbox_model::verify::SignatureEncoding;

use super::headers::{self, MAX_SIGNATURES, Unit};
use super::mac::{self, Keys};
use super::{Incoming, Refusal, Verified, VerifierError};

/// Bytes that the specification asks of a secret.
pub(super) const LEAST_SECRET: usize = 24;
pub(super) const VERSION: &str = "v1,";

#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub id: &'static str,
    pub timestamp: &'static str,
    pub signature: &'static str,
}

const STANDARD_NAMES: Names =
    Names { id: "webhook-id", timestamp: "webhook-timestamp", signature: "webhook-signature" };
const SVIX_NAMES: Names = Names { id: "svix-id", timestamp: "svix-timestamp", signature: "svix-signature" };

/// One set of names as a whole: mixing the two would let one header stand in for another.
pub(super) fn names(headers: &HeaderMap) -> Names {
    let has =
        |names: Names| [names.id, names.timestamp, names.signature].iter().any(|name| headers.contains_key(*name));
    if !has(STANDARD_NAMES) && has(SVIX_NAMES) { SVIX_NAMES } else { STANDARD_NAMES }
}

pub(super) fn decode_secret(secret: &str, number: usize) -> Result<Vec<u8>, VerifierError> {
    let secret = secret.trim();
    if secret.starts_with("whpk_") || secret.starts_with("whsk_") {
        return Err(VerifierError::Asymmetric { number });
    }
    // The vendors' libraries take the base64 without its prefix too.
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret));
    match key {
        Ok(key) if key.is_empty() => Err(VerifierError::EmptySecret { number }),
        Ok(key) => Ok(key),
        Err(_) => Err(VerifierError::NotBase64 { number }),
    }
}

pub(super) fn message<'m>(id: &'m str, timestamp: &'m str, body: &'m [u8]) -> [&'m [u8]; 5] {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body]
}

pub(super) fn verify(
    keys: &Keys,
    request: &Incoming<'_>,
    now: Timestamp,
    tolerance: Duration,
) -> Result<Verified, Refusal> {
    let names = names(request.headers);
    let signatures = headers::signature(request.headers, names.signature)?;
    let id = headers::signed_id(request.headers, names.id)?;
    let signed = headers::timestamp(request.headers, names.timestamp, Unit::Seconds)?;
    let mut given = Vec::with_capacity(2);
    for (index, signature) in signatures.split(' ').filter(|part| !part.is_empty()).enumerate() {
        if index == MAX_SIGNATURES {
            return Err(Refusal::TooManySignatures { header: names.signature.to_owned(), limit: MAX_SIGNATURES });
        }
        // Other versions (v1a is ed25519) are not ours to judge.
        given.extend(signature.strip_prefix(VERSION).and_then(|text| mac::decode(text, SignatureEncoding::Base64)));
    }
    if given.is_empty() {
        return Err(Refusal::SignatureMalformed {
            header: names.signature.to_owned(),
            problem: "holds no signature of the form 'v1,<base64>'",
        });
    }
    let secret_index =
        keys.matching(&message(id, signed.text, request.body), &given).ok_or(Refusal::SignatureMismatch)?;
    headers::fresh(signed.at, now, tolerance)?;
    Ok(Verified { id: Some(id.to_owned()), secret_index, timestamp: Some(signed.at) })
}

#[cfg(test)]
mod tests {
    use signalbox_model::verify::Scheme;

    use super::super::testing::{Case, secrets, verify_table};
    use super::super::{Verifier, sign};
    use super::*;

    const SENT: i64 = 1_649_367_553;

    fn published() -> Case {
        Case {
            scheme: Scheme::StandardWebhooks,
            secrets: vec!["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
            method: "POST",
            url: "http://localhost/hook",
            headers: vec![
                ("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".into()),
                ("webhook-timestamp", SENT.to_string()),
                ("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=".into()),
            ],
            body: br#"{"email":"test@example.com","username":"test_user"}"#.to_vec(),
            now: Timestamp::from_secs(SENT),
        }
    }

    #[test]
    fn the_published_vectors_are_accepted() {
        let verified = published().run().unwrap();
        assert_eq!(verified.id.as_deref(), Some("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"));
        assert_eq!(verified.timestamp, Some(Timestamp::from_secs(SENT)));

        let mut second = published();
        second.secrets = vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];
        second.headers = vec![
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".into()),
            ("webhook-timestamp", "1614265330".into()),
            ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".into()),
        ];
        second.body = br#"{"test": 2432232314}"#.to_vec();
        second.now = Timestamp::from_secs(1_614_265_330);
        assert_eq!(second.code(), "accepted");
    }

    #[test]
    fn svix_headers_are_read_as_a_set() {
        let mut svix = published();
        svix.headers = vec![
            ("svix-id", svix.value("webhook-id")),
            ("svix-timestamp", svix.value("webhook-timestamp")),
            ("svix-signature", svix.value("webhook-signature")),
        ];
        assert_eq!(svix.code(), "accepted");
        let mut mixed = svix.without("svix-id");
        mixed.headers.push(("webhook-id", svix.value("svix-id")));
        assert_eq!(mixed.code(), "signature-missing");
    }

    #[test]
    fn the_rules_of_every_signature_hold() {
        published().holds_the_rules_of_every_signature("webhook-signature");
        published().holds_the_rules_of_every_timestamp("webhook-timestamp", Timestamp::from_secs(SENT));
    }

    #[test]
    fn one_right_signature_among_sixteen_is_enough_and_seventeen_are_too_many() {
        let case = published();
        let right = case.value("webhook-signature");
        let wrong = |count: usize| {
            "v1,AAAA v1a,AAAA v2,x ".repeat(count / 3 + 1).split(' ').take(count).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(case.with("webhook-signature", &format!("{} {right}", wrong(15))).code(), "accepted");
        assert_eq!(case.with("webhook-signature", &format!("{} {right}", wrong(16))).code(), "too-many-signatures");
    }

    #[test]
    fn other_spellings_of_a_right_signature_are_refused() {
        let case = published();
        let right = case.value("webhook-signature");
        let base64url = right.replace('+', "-").replace('/', "_");
        for text in [&base64url, right.trim_end_matches('='), &right.to_uppercase(), &right.replace("v1", "v2")] {
            assert_eq!(case.with("webhook-signature", text).code(), "signature-malformed", "{text}");
        }
    }

    #[test]
    fn an_id_with_a_dot_or_beyond_its_bounds_is_refused() {
        for id in ["a.b", "", "two words", "tab\t", "caf\u{e9}", &"x".repeat(256)] {
            assert_eq!(published().with("webhook-id", id).code(), "id-malformed", "{id:?}");
        }
        assert_eq!(published().without("webhook-id").code(), "id-missing");
        assert_eq!(published().with("webhook-id", "another").code(), "signature-mismatch");
    }

    #[test]
    fn bodies_that_are_not_text_are_signed_as_they_are() {
        let mut case = published();
        case.body = vec![0, 0xff, 0xfe, b'\n'];
        let signature =
            sign::sign_standard_webhooks(&secrets(&case.secrets)[0], "msg_1", case.now, &case.body).unwrap();
        let case = case.with("webhook-id", "msg_1").with("webhook-signature", &signature);
        assert_eq!(case.code(), "accepted");
    }

    #[test]
    fn a_secret_that_is_not_base64_or_not_symmetric_is_refused() {
        let new = |secret| Verifier::new(&verify_table(Scheme::StandardWebhooks), secrets(&[secret]));
        assert_eq!(new("whsec_not base64!").err(), Some(VerifierError::NotBase64 { number: 1 }));
        assert_eq!(new("whsec_").err(), Some(VerifierError::EmptySecret { number: 1 }));
        assert_eq!(new("whpk_AAAA").err(), Some(VerifierError::Asymmetric { number: 1 }));
        assert_eq!(new("whsec_AAAA").unwrap().warnings().len(), 1);
    }
}

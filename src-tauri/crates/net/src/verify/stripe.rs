//! Stripe: `Stripe-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>…]` (stripe-go `webhook/client.go`).
//!
//! The key is the whole secret, `whsec_` included. Stripe's libraries refuse only old timestamps; we refuse future ones
//! too. The event's id is in the body.

use std::time::Duration;

use signalbox_model::Timestamp;
use signalbox_model::verify::SignatureEncoding;

use super::headers::{self, MAX_SIGNATURES, Unit};
use super::mac::{self, Keys};
use super::{Incoming, Refusal, Verified};

pub(super) const HEADER: &str = "stripe-signature";

pub(super) fn message<'m>(timestamp: &'m str, body: &'m [u8]) -> [&'m [u8]; 3] {
    [timestamp.as_bytes(), b".", body]
}

pub(super) fn verify(
    keys: &Keys,
    request: &Incoming<'_>,
    now: Timestamp,
    tolerance: Duration,
) -> Result<Verified, Refusal> {
    let header = headers::signature(request.headers, HEADER)?;
    let mut timestamp = None;
    let mut signatures = 0;
    let mut given = Vec::with_capacity(2);
    for item in header.split(',') {
        match item.trim().split_once('=') {
            Some(("t", text)) if timestamp.is_none() => timestamp = Some(text),
            Some(("t", _)) => {
                return Err(Refusal::SignatureMalformed { header: HEADER.to_owned(), problem: "has two timestamps" });
            }
            Some((version, text)) => {
                signatures += 1;
                if signatures > MAX_SIGNATURES {
                    return Err(Refusal::TooManySignatures { header: HEADER.to_owned(), limit: MAX_SIGNATURES });
                }
                if version == "v1" {
                    given.extend(mac::decode(text, SignatureEncoding::Hex));
                }
            }
            None => {
                return Err(Refusal::SignatureMalformed {
                    header: HEADER.to_owned(),
                    problem: "is not of the form 't=<seconds>,v1=<hex>'",
                });
            }
        }
    }
    let timestamp = timestamp.ok_or_else(|| Refusal::TimestampMissing { header: HEADER.to_owned() })?;
    let signed = headers::parse_timestamp(timestamp, Unit::Seconds)
        .ok_or_else(|| Refusal::TimestampMalformed { header: HEADER.to_owned(), unit: "seconds" })?;
    if given.is_empty() {
        return Err(Refusal::SignatureMalformed {
            header: HEADER.to_owned(),
            problem: "holds no signature of the form 'v1=<lower-case hex>'",
        });
    }
    let secret_index = keys.matching(&message(signed.text, request.body), &given).ok_or(Refusal::SignatureMismatch)?;
    headers::fresh(signed.at, now, tolerance)?;
    Ok(Verified { id: None, secret_index, timestamp: Some(signed.at) })
}

#[cfg(test)]
mod tests {
    use signalbox_model::verify::Scheme;

    use super::super::testing::Case;
    use super::*;

    const SENT: i64 = 1_492_774_577;
    const MAC: &str = "22f7d74836ddad3284a2b80853dd2fe731655c1bfddcff3c3666a500cf3abd80";

    fn generated() -> Case {
        Case {
            scheme: Scheme::Stripe,
            secrets: vec!["whsec_test_secret"],
            method: "POST",
            url: "http://localhost/hook",
            headers: vec![(HEADER, format!("t={SENT},v1={MAC}"))],
            body: br#"{"id":"evt_test"}"#.to_vec(),
            now: Timestamp::from_secs(SENT),
        }
    }

    #[test]
    fn the_generated_vector_is_accepted_and_the_rules_hold() {
        generated().holds_the_rules_of_every_signature(HEADER);
        assert_eq!(generated().run().unwrap().timestamp, Some(Timestamp::from_secs(SENT)));
    }

    #[test]
    fn a_rolled_secret_sends_two_signatures_and_other_schemes_are_ignored() {
        let other = "0".repeat(64);
        let value = format!("t={SENT},v1={other},v1={MAC},v0={other}");
        assert_eq!(generated().with(HEADER, &value).code(), "accepted");
        assert_eq!(generated().with(HEADER, &format!("t={SENT},v0={MAC}")).code(), "signature-malformed");
    }

    #[test]
    fn old_future_and_absurd_timestamps_are_refused() {
        for (now, code) in
            [(SENT + 301, "timestamp-too-old"), (SENT - 301, "timestamp-in-future"), (SENT + 300, "accepted")]
        {
            let mut case = generated();
            case.now = Timestamp::from_secs(now);
            assert_eq!(case.code(), code);
        }
        for (text, code) in [
            ("", "timestamp-malformed"),
            ("9223372036854775807", "timestamp-malformed"),
            ("-9223372036854775808", "timestamp-malformed"),
            ("1e9", "timestamp-malformed"),
            ("1492774578", "signature-mismatch"),
        ] {
            assert_eq!(generated().with(HEADER, &format!("t={text},v1={MAC}")).code(), code, "{text:?}");
        }
        assert_eq!(generated().with(HEADER, &format!("v1={MAC}")).code(), "timestamp-missing");
        assert_eq!(generated().with(HEADER, &format!("t={SENT},t={SENT},v1={MAC}")).code(), "signature-malformed");
    }

    #[test]
    fn upper_case_hex_and_more_than_sixteen_signatures_are_refused() {
        let upper = format!("t={SENT},v1={}", MAC.to_uppercase());
        assert_eq!(generated().with(HEADER, &upper).code(), "signature-malformed");
        let many = format!("t={SENT}{},v1={MAC}", ",v1=00".repeat(16));
        assert_eq!(generated().with(HEADER, &many).code(), "too-many-signatures");
    }
}

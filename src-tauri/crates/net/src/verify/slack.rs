//! Slack: `X-Slack-Signature: v0=<hex>` over `v0:<timestamp>:<body>` (slack-go `security.go`). The event's id is in the
//! body.

use std::time::Duration;

use signalbox_model::Timestamp;
use signalbox_model::verify::SignatureEncoding;

use super::headers::{self, Unit};
use super::mac::{self, Keys};
use super::{Incoming, Refusal, Verified};

pub(super) const HEADER: &str = "x-slack-signature";
pub(super) const TIMESTAMP_HEADER: &str = "x-slack-request-timestamp";
pub(super) const PREFIX: &str = "v0=";

pub(super) fn message<'m>(timestamp: &'m str, body: &'m [u8]) -> [&'m [u8]; 4] {
    [b"v0:", timestamp.as_bytes(), b":", body]
}

pub(super) fn verify(
    keys: &Keys,
    request: &Incoming<'_>,
    now: Timestamp,
    tolerance: Duration,
) -> Result<Verified, Refusal> {
    let given = headers::signature(request.headers, HEADER)?
        .strip_prefix(PREFIX)
        .and_then(|text| mac::decode(text, SignatureEncoding::Hex))
        .ok_or_else(|| Refusal::SignatureMalformed {
            header: HEADER.to_owned(),
            problem: "is not of the form 'v0=<lower-case hex>'",
        })?;
    let signed = headers::timestamp(request.headers, TIMESTAMP_HEADER, Unit::Seconds)?;
    let secret_index =
        keys.matching(&message(signed.text, request.body), &[given]).ok_or(Refusal::SignatureMismatch)?;
    headers::fresh(signed.at, now, tolerance)?;
    Ok(Verified { id: None, secret_index, timestamp: Some(signed.at) })
}

#[cfg(test)]
mod tests {
    use signalbox_model::verify::Scheme;

    use super::super::testing::Case;
    use super::*;

    const SENT: i64 = 1_531_420_618;
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

    fn published() -> Case {
        Case {
            scheme: Scheme::Slack,
            secrets: vec!["8f742231b10e8888abcd99yyyzzz85a5"],
            method: "POST",
            url: "http://localhost/hook",
            headers: vec![
                (HEADER, "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503".into()),
                (TIMESTAMP_HEADER, SENT.to_string()),
            ],
            body: BODY.as_bytes().to_vec(),
            now: Timestamp::from_secs(SENT),
        }
    }

    #[test]
    fn the_published_vector_is_accepted_and_the_rules_hold() {
        published().holds_the_rules_of_every_signature(HEADER);
        published().holds_the_rules_of_every_timestamp(TIMESTAMP_HEADER, Timestamp::from_secs(SENT));
    }

    #[test]
    fn upper_case_hex_is_refused() {
        let upper = published().value(HEADER).to_uppercase().replace("V0", "v0");
        assert_eq!(published().with(HEADER, &upper).code(), "signature-malformed");
    }
}

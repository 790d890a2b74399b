//! HubSpot version 3: `X-HubSpot-Signature-v3`, base64 over method, URL, body and timestamp in milliseconds
//! (developers.hubspot.com, "Validating requests").
//!
//! The URL is the one that HubSpot called; behind a proxy or a tunnel set the source's `public_url`. Versions 1 and 2 have
//! no timestamp and are refused by name. `eventId` in the body is not unique; HubSpot sends no id in a header.

use std::time::Duration;

use signalbox_model::Timestamp;
use signalbox_model::verify::SignatureEncoding;

use super::headers::{self, Unit};
use super::mac::{self, Keys};
use super::{Incoming, Refusal, Verified};

pub(super) const HEADER: &str = "x-hubspot-signature-v3";
pub(super) const TIMESTAMP_HEADER: &str = "x-hubspot-request-timestamp";
const OLD_HEADER: &str = "x-hubspot-signature";
const OLD_VERSION_HEADER: &str = "x-hubspot-signature-version";

/// What HubSpot decodes in the URL before it signs it, and nothing else.
const DECODED: [(&[u8; 2], char); 12] = [
    (b"3A", ':'),
    (b"2F", '/'),
    (b"3F", '?'),
    (b"40", '@'),
    (b"21", '!'),
    (b"24", '$'),
    (b"27", '\''),
    (b"28", '('),
    (b"29", ')'),
    (b"2A", '*'),
    (b"2C", ','),
    (b"3B", ';'),
];

pub(super) fn signed_url(url: &str) -> String {
    let mut signed = String::with_capacity(url.len());
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('%') {
        signed.push_str(before);
        let code = after.as_bytes().first_chunk::<2>();
        let known = code.and_then(|code| DECODED.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)));
        rest = match known {
            Some((_, plain)) => {
                signed.push(*plain);
                after.get(2..).unwrap_or_default()
            }
            None => {
                signed.push('%');
                after
            }
        };
    }
    signed.push_str(rest);
    signed
}

pub(super) fn message<'m>(method: &'m str, url: &'m str, body: &'m [u8], timestamp: &'m str) -> [&'m [u8]; 4] {
    [method.as_bytes(), url.as_bytes(), body, timestamp.as_bytes()]
}

pub(super) fn verify(
    keys: &Keys,
    request: &Incoming<'_>,
    now: Timestamp,
    tolerance: Duration,
) -> Result<Verified, Refusal> {
    if !request.headers.contains_key(HEADER) && request.headers.contains_key(OLD_HEADER) {
        let version = request.headers.get(OLD_VERSION_HEADER).and_then(|value| value.to_str().ok()).unwrap_or("1");
        return Err(Refusal::SignatureVersion { version: version.chars().take(8).collect() });
    }
    let text = headers::signature(request.headers, HEADER)?;
    let given = mac::decode(text, SignatureEncoding::Base64)
        .ok_or_else(|| Refusal::SignatureMalformed { header: HEADER.to_owned(), problem: "is not base64" })?;
    let signed = headers::timestamp(request.headers, TIMESTAMP_HEADER, Unit::Millis)?;
    let url = signed_url(&request.called_url());
    let secret_index = keys
        .matching(&message(request.method, &url, request.body, signed.text), &[given])
        .ok_or(Refusal::SignatureMismatch)?;
    headers::fresh(signed.at, now, tolerance)?;
    Ok(Verified { id: None, secret_index, timestamp: Some(signed.at) })
}

#[cfg(test)]
mod tests {
    use signalbox_model::verify::Scheme;

    use super::super::testing::{Case, headers, secrets, verify_table};
    use super::super::{Verifier, sign};
    use super::*;

    const SENT: i64 = 1_693_657_560_000;

    fn published() -> Case {
        Case {
            scheme: Scheme::Hubspot,
            secrets: vec!["yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"],
            method: "POST",
            url: "https://www.example.com/webhook_uri",
            headers: vec![
                (HEADER, "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=".into()),
                (TIMESTAMP_HEADER, SENT.to_string()),
            ],
            body: b"{'example_field':'example_value'}".to_vec(),
            now: Timestamp::from_millis(SENT),
        }
    }

    #[test]
    fn the_published_and_generated_vectors_are_accepted() {
        assert_eq!(published().code(), "accepted");
        let mut later = published()
            .with(HEADER, "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=")
            .with(TIMESTAMP_HEADER, "1700000300000");
        later.now = Timestamp::from_millis(1_700_000_300_000);
        assert_eq!(later.code(), "accepted");
        let mut json = published().with(HEADER, "oaA3M5dEtt6kFsseJD/Hv/x+JNl1vsoxFj4oxmwP6Go=");
        json.body = br#"{"example_field":"example_value"}"#.to_vec();
        assert_eq!(json.code(), "accepted");
    }

    #[test]
    fn the_rules_of_every_signature_hold() {
        published().holds_the_rules_of_every_signature(HEADER);
        published().holds_the_rules_of_every_timestamp(TIMESTAMP_HEADER, Timestamp::from_millis(SENT));
    }

    #[test]
    fn another_method_or_url_is_refused() {
        let mut case = published();
        case.method = "PUT";
        assert_eq!(case.code(), "signature-mismatch");
        case = published();
        case.url = "https://www.example.com/webhook_uri?x=1";
        assert_eq!(case.code(), "signature-mismatch");
    }

    #[test]
    fn the_configured_public_url_stands_in_for_the_one_seen() {
        let case = published();
        let list: Vec<_> = case.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let map = headers(&list);
        let verifier = Verifier::new(&verify_table(Scheme::Hubspot), secrets(&case.secrets)).unwrap();
        let request = Incoming {
            method: "POST",
            public_url: Some("https://www.example.com/webhook_uri"),
            url_seen: "http://127.0.0.1:7421/hooks/hubspot",
            headers: &map,
            body: &case.body,
        };
        assert!(verifier.verify(&request, case.now).is_ok());
    }

    #[test]
    fn only_the_listed_escapes_are_decoded_before_signing() {
        assert_eq!(signed_url("https://a/b%2Fc%3f?d=%20%2c%3D%"), "https://a/b/c??d=%20,%3D%");
        assert_eq!(signed_url("%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B"), ":/?@!$'()*,;");
        assert_eq!(signed_url("%é%4"), "%é%4");
        let mut case = published();
        case.url = "https://www.example.com/hook?next=%2Fhome%20page";
        let signature = sign::sign_hubspot_v3(
            &secrets(&case.secrets)[0],
            "POST",
            "https://www.example.com/hook?next=/home%20page",
            &case.body,
            case.now,
        );
        assert_eq!(case.with(HEADER, &signature).code(), "accepted");
    }

    /// The right signatures of versions 2 and 1, which say nothing about when they were made.
    #[test]
    fn versions_without_a_timestamp_are_refused_by_name() {
        for (version, signature) in [
            ("v2", "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"),
            ("v1", "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"),
        ] {
            let case = published().without(HEADER).with(OLD_HEADER, signature).with(OLD_VERSION_HEADER, version);
            assert_eq!(case.run(), Err(Refusal::SignatureVersion { version: version.to_owned() }));
        }
    }
}

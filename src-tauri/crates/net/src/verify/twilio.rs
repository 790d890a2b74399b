//! Twilio: `X-Twilio-Signature: <base64 HMAC-SHA1>` over the URL and the sorted form parameters, or over a URL that carries
//! the hash of the body (twilio-node `src/webhooks/webhooks.ts`).
//!
//! The URL is the one that Twilio called: set the source's `public_url` behind a proxy. No timestamp, no id.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_lc_rs::{constant_time, digest};
use signalbox_model::verify::SignatureEncoding;

use super::mac::{self, Keys};
use super::{Incoming, Refusal, Verified, headers};

pub(super) const HEADER: &str = "x-twilio-signature";
const BODY_HASH: &str = "bodySHA256";

pub(super) fn verify(keys: &Keys, request: &Incoming<'_>) -> Result<Verified, Refusal> {
    let text = headers::signature(request.headers, HEADER)?;
    let given = mac::decode(text, SignatureEncoding::Base64)
        .ok_or_else(|| Refusal::SignatureMalformed { header: HEADER.to_owned(), problem: "is not base64" })?;
    let url = request.called_url();
    let hash = body_hash(&url);
    // Either way the body is covered: without the hash everything in it takes part as a parameter.
    let parameters = if hash.is_some() { String::new() } else { form_message(request.body) };
    let given = [given];
    let secret_index = spellings(&url)
        .iter()
        .find_map(|url| keys.matching(&[url.as_bytes(), parameters.as_bytes()], &given))
        .ok_or(Refusal::SignatureMismatch)?;
    if let Some(hash) = hash {
        let right = digest::digest(&digest::SHA256, request.body);
        let same = mac::decode(&hash, SignatureEncoding::Hex)
            .is_some_and(|given| constant_time::verify_slices_are_equal(right.as_ref(), &given).is_ok());
        if !same {
            return Err(Refusal::BodyHashMismatch);
        }
    }
    Ok(Verified { id: None, secret_index, timestamp: None })
}

fn body_hash(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == BODY_HASH)
        .map(|(_, value)| value.into_owned())
}

/// A name ordered as JavaScript orders strings, which is how Twilio sorts.
#[derive(PartialEq, Eq)]
struct ByUtf16<'t>(Cow<'t, str>);

impl Ord for ByUtf16<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.encode_utf16().cmp(other.0.encode_utf16())
    }
}

impl PartialOrd for ByUtf16<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Name and value of every parameter, sorted by name; the values of a repeated name sorted, each once.
pub(super) fn form_message(body: &[u8]) -> String {
    let mut parameters: BTreeMap<ByUtf16<'_>, std::collections::BTreeSet<ByUtf16<'_>>> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        parameters.entry(ByUtf16(name)).or_default().insert(ByUtf16(value));
    }
    let mut message = String::new();
    for (name, values) in &parameters {
        for value in values {
            message.push_str(&name.0);
            message.push_str(&value.0);
        }
    }
    message
}

/// Twilio signs the URL with or without its port, depending on the product: as it is, without the port, and with the
/// scheme's own port where it names none.
fn spellings(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return all };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    // The colons inside [::1] are not before a port.
    let port = authority.rfind(':').filter(|colon| authority.get(*colon..).is_some_and(|text| !text.contains(']')));
    match port {
        Some(colon) => {
            let host = authority.get(..colon).unwrap_or_default();
            all.push(format!("{scheme}://{host}{tail}"));
        }
        None => {
            let port = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
            all.push(format!("{scheme}://{authority}:{port}{tail}"));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use signalbox_model::Timestamp;
    use signalbox_model::verify::Scheme;

    use super::super::sign;
    use super::super::testing::{Case, secrets};
    use super::*;

    const HASHED: &str =
        "https://example.com/hook?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";

    fn published() -> Case {
        Case {
            scheme: Scheme::Twilio,
            secrets: vec!["12345"],
            method: "POST",
            url: "https://mycompany.com/myapp.php?foo=1&bar=2",
            headers: vec![(HEADER, "RSOYDt4T1cUTdK1PDd93/VVr8B8=".into())],
            body: b"To=%2B18005551212&From=%2B14158675309&Digits=1234&CallSid=CA1234567890ABCDE&Caller=%2B14158675309"
                .to_vec(),
            now: Timestamp::from_secs(0),
        }
    }

    fn json() -> Case {
        Case {
            url: HASHED,
            headers: vec![(HEADER, "2e7mH/NA6FwzvUqLZxhsETU/4bw=".into())],
            body: br#"{"a":1}"#.to_vec(),
            ..published()
        }
    }

    #[test]
    fn the_published_form_and_the_generated_json_are_accepted() {
        assert_eq!(published().code(), "accepted");
        assert_eq!(json().code(), "accepted");
    }

    #[test]
    fn a_form_with_a_changed_or_added_parameter_is_refused() {
        let mut case = published();
        case.body.extend_from_slice(b"&Extra=1");
        assert_eq!(case.code(), "signature-mismatch");
        case = published();
        case.body = b"{\"not\":\"a form\"}".to_vec();
        assert_eq!(case.code(), "signature-mismatch");
    }

    #[test]
    fn a_json_body_that_does_not_have_the_signed_hash_is_refused() {
        let mut case = json();
        case.body = br#"{"a":2}"#.to_vec();
        assert_eq!(case.code(), "body-hash-mismatch");
        case = json();
        case.url = "https://example.com/hook?bodySHA256=00";
        assert_eq!(case.code(), "signature-mismatch");
    }

    #[test]
    fn the_url_is_tried_with_and_without_its_port() {
        let body = published().body;
        let secret = &secrets(&["12345"])[0];
        for (signed, called) in [
            ("https://a.test:443/x?y=1", "https://a.test/x?y=1"),
            ("https://a.test/x?y=1", "https://a.test:8443/x?y=1"),
            ("http://a.test:80/x", "http://a.test/x"),
            ("http://[::1]:80/x", "http://[::1]/x"),
        ] {
            let mut case = published();
            case.url = called;
            let signature = sign::sign_twilio(secret, signed, &body);
            assert_eq!(case.with(HEADER, &signature).code(), "accepted", "{signed} called as {called}");
        }
    }

    #[test]
    fn repeated_values_count_once_and_in_order() {
        assert_eq!(form_message(b"b=2&a=2&a=1&a=2&b=2"), "a1a2b2");
        assert_eq!(form_message(b""), "");
    }

    #[test]
    fn the_rules_of_every_signature_hold() {
        let mut case = published();
        let right = case.value(HEADER);
        for index in 0..right.len() {
            assert_ne!(case.with(HEADER, right.get(..index).unwrap()).code(), "accepted");
        }
        assert_eq!(case.without(HEADER).code(), "signature-missing");
        assert_eq!(case.with(HEADER, "").code(), "signature-empty");
        assert_eq!(case.with(HEADER, &"A".repeat(5_000)).code(), "header-too-long");
        assert_eq!(case.with(HEADER, &right.replace('/', "_")).code(), "signature-malformed");
        case.secrets = vec!["another", "12345"];
        assert_eq!(case.run().unwrap().secret_index, 1);
        case.secrets = vec!["another"];
        assert_eq!(case.code(), "signature-mismatch");
    }
}

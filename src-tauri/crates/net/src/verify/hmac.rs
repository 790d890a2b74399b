//! The generic scheme `hmac`: an HMAC of a message made from the request, in a header of the workspace's choice.

use std::time::Duration;

use signalbox_model::Timestamp;
use signalbox_model::verify::HmacScheme;

use super::headers::{self, Signed, Unit};
use super::mac::{self, Keys};
use super::{Incoming, Refusal, Verified, VerifierError};

const BODY: &str = "{body}";
const TIMESTAMP: &str = "{timestamp}";
const ID: &str = "{id}";

/// What is wrong with a scheme as written, or weak about it.
pub(super) fn check(scheme: &HmacScheme) -> Result<Vec<String>, VerifierError> {
    for (placeholder, name, key, header) in [
        (TIMESTAMP, "timestamp", "timestamp_header", &scheme.timestamp_header),
        (ID, "id", "id_header", &scheme.id_header),
    ] {
        if scheme.message.contains(placeholder) && header.is_none() {
            return Err(VerifierError::HeaderNotNamed { placeholder: name, key });
        }
    }
    let mut warnings = Vec::new();
    if !scheme.message.contains(BODY) {
        warnings.push("the message has no {body}: the signature does not protect the body".to_owned());
    }
    if scheme.timestamp_header.is_some() && !scheme.message.contains(TIMESTAMP) {
        warnings.push("the message has no {timestamp}: the signature does not protect the timestamp".to_owned());
    }
    Ok(warnings)
}

/// The message in parts, so that the body is not copied.
pub(super) fn message<'m>(scheme: &'m HmacScheme, id: &'m str, timestamp: &'m str, body: &'m [u8]) -> Vec<&'m [u8]> {
    let values = [(BODY, body), (TIMESTAMP, timestamp.as_bytes()), (ID, id.as_bytes())];
    let mut parts = Vec::with_capacity(4);
    let mut rest = scheme.message.as_str();
    while let Some((start, name, value)) = values
        .iter()
        .filter_map(|(name, value)| rest.find(name).map(|start| (start, *name, *value)))
        .min_by_key(|(start, ..)| *start)
    {
        parts.push(rest.get(..start).unwrap_or_default().as_bytes());
        parts.push(value);
        rest = rest.get(start + name.len()..).unwrap_or_default();
    }
    parts.push(rest.as_bytes());
    parts
}

/// Seconds, or milliseconds where there are 13 digits or more.
fn timestamp<'h>(request: &Incoming<'h>, header: &str) -> Result<Signed<'h>, Refusal> {
    match headers::timestamp(request.headers, header, Unit::Seconds) {
        Err(Refusal::TimestampMalformed { .. }) => headers::timestamp(request.headers, header, Unit::Millis),
        read => read,
    }
}

pub(super) fn verify(
    scheme: &HmacScheme,
    keys: &Keys,
    request: &Incoming<'_>,
    now: Timestamp,
    tolerance: Duration,
) -> Result<Verified, Refusal> {
    let text = headers::signature(request.headers, &scheme.header)?;
    let given = text
        .strip_prefix(scheme.prefix.as_str())
        .and_then(|text| mac::decode(text, scheme.encoding))
        .ok_or_else(|| Refusal::SignatureMalformed {
            header: scheme.header.clone(),
            problem: "does not hold the prefix and the encoding that the source's verify table says",
        })?;
    let signed = scheme.timestamp_header.as_deref().map(|header| timestamp(request, header)).transpose()?;
    let id = match scheme.id_header.as_deref() {
        Some(header) if scheme.message.contains(ID) => Some(headers::signed_id(request.headers, header)?),
        Some(header) => headers::optional_id(request.headers, header)?,
        None => None,
    };
    let timestamp_text = signed.map_or("", |signed| signed.text);
    let message = message(scheme, id.unwrap_or_default(), timestamp_text, request.body);
    let secret_index = keys.matching(&message, &[given]).ok_or(Refusal::SignatureMismatch)?;
    if let Some(signed) = signed {
        headers::fresh(signed.at, now, tolerance)?;
    }
    Ok(Verified { id: id.map(str::to_owned), secret_index, timestamp: signed.map(|signed| signed.at) })
}

#[cfg(test)]
mod tests {
    use signalbox_model::verify::{HmacAlgorithm, Scheme, SignatureEncoding};

    use super::super::testing::{Case, secrets, verify_table};
    use super::super::{Verifier, sign};
    use super::*;

    fn scheme(encoding: SignatureEncoding) -> HmacScheme {
        HmacScheme {
            header: "x-signature".into(),
            algorithm: HmacAlgorithm::Sha512,
            encoding,
            prefix: "sig ".into(),
            message: "{id}:{timestamp}:{body}!".into(),
            timestamp_header: Some("x-timestamp".into()),
            id_header: Some("x-id".into()),
        }
    }

    fn signed(scheme: HmacScheme) -> Case {
        let secret = "a secret that is long enough";
        let now = Timestamp::from_secs(1_700_000_000);
        let body = b"{\"id\":\"{body}\"}".to_vec();
        let signature = sign::sign_hmac(&scheme, &secrets(&[secret])[0], "id-1", now, &body);
        Case {
            scheme: Scheme::Hmac(scheme),
            secrets: vec![secret],
            method: "POST",
            url: "http://localhost/hook",
            headers: vec![("x-signature", signature), ("x-timestamp", "1700000000".into()), ("x-id", "id-1".into())],
            body,
            now,
        }
    }

    #[test]
    fn the_rules_hold_in_every_encoding() {
        for encoding in [SignatureEncoding::Hex, SignatureEncoding::Base64, SignatureEncoding::Base64Url] {
            let case = signed(scheme(encoding));
            assert_eq!(case.run().unwrap().id.as_deref(), Some("id-1"));
            case.holds_the_rules_of_every_signature("x-signature");
        }
        let case = signed(scheme(SignatureEncoding::Hex));
        case.holds_the_rules_of_every_timestamp("x-timestamp", case.now);
        assert_eq!(case.with("x-id", "id-2").code(), "signature-mismatch");
        assert_eq!(case.with("x-id", "id.1").code(), "id-malformed");
        assert_eq!(case.without("x-id").code(), "id-missing");
    }

    #[test]
    fn github_is_a_case_of_the_generic_scheme() {
        let case = Case {
            scheme: Scheme::Hmac(HmacScheme {
                header: "X-Hub-Signature-256".into(),
                algorithm: HmacAlgorithm::Sha256,
                encoding: SignatureEncoding::Hex,
                prefix: "sha256=".into(),
                message: "{body}".into(),
                timestamp_header: None,
                id_header: None,
            }),
            secrets: vec!["It's a Secret to Everybody"],
            method: "POST",
            url: "http://localhost/",
            headers: vec![(
                "x-hub-signature-256",
                "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17".into(),
            )],
            body: b"Hello, World!".to_vec(),
            now: Timestamp::from_secs(0),
        };
        assert_eq!(case.code(), "accepted");
    }

    #[test]
    fn placeholders_inside_the_values_are_not_replaced_again() {
        let scheme = scheme(SignatureEncoding::Hex);
        let message: Vec<u8> = message(&scheme, "{body}", "{id}", b"{timestamp}").concat();
        assert_eq!(message, b"{body}:{id}:{timestamp}!");
    }

    #[test]
    fn milliseconds_are_known_by_their_digits() {
        let mut case = signed(scheme(SignatureEncoding::Hex));
        let Scheme::Hmac(inner) = &case.scheme else { unreachable!() };
        let mut inner = inner.clone();
        inner.message = "{body}".into();
        let signature = sign::sign_hmac(&inner, &secrets(&case.secrets)[0], "", case.now, &case.body);
        case.scheme = Scheme::Hmac(inner);
        let case = case.with("x-signature", &signature).with("x-timestamp", "1700000000123");
        assert_eq!(case.run().unwrap().timestamp, Some(Timestamp::from_millis(1_700_000_000_123)));
    }

    #[test]
    fn a_message_that_leaves_something_out_is_warned_of() {
        let mut weak = scheme(SignatureEncoding::Hex);
        weak.message = "fixed".into();
        let new =
            |scheme| Verifier::new(&verify_table(Scheme::Hmac(scheme)), secrets(&["a secret that is long enough"]));
        assert_eq!(new(weak.clone()).unwrap().warnings().len(), 2);
        weak.message = "{timestamp}{body}".into();
        weak.timestamp_header = None;
        assert_eq!(
            new(weak).err(),
            Some(VerifierError::HeaderNotNamed { placeholder: "timestamp", key: "timestamp_header" })
        );
    }
}

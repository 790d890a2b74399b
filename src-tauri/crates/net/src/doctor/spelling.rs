//! The right signature in another header, in another encoding, or without its prefix.

use http::{HeaderMap, HeaderName, HeaderValue};
use signalbox_model::verify::{Scheme, SignatureEncoding};

use super::trial::Trial;
use super::{Change, Finding};
use crate::verify::{Incoming, SignaturePlace, decode_signature, encode_signature, signature_place};

/// Headers of one request that are looked at, and the longest value.
const MOST_HEADERS: usize = 64;
const LONGEST: usize = 1024;
/// Of the digests that signatures are made with, in bytes.
const LENGTHS: [usize; 4] = [20, 32, 48, 64];
const PREFIXES: [&str; 12] = [
    "sha256=",
    "sha512=",
    "sha384=",
    "sha1=",
    "sha256:",
    "v0=",
    "v1=",
    "v1,",
    "hmac-sha256=",
    "HMAC-SHA256 ",
    "Bearer ",
    "0x",
];

pub(super) fn look(trial: &mut Trial<'_>) -> Option<Finding> {
    let scheme = &trial.patient.verify.scheme;
    if let Some(place) = signature_place(scheme, trial.patient.request.headers) {
        return signature(trial, &place);
    }
    match scheme {
        Scheme::Bearer => credential(trial, "authorization", "Bearer "),
        Scheme::ApiKey { header } => credential(trial, header, ""),
        _ => None,
    }
}

fn signature(trial: &mut Trial<'_>, place: &SignaturePlace) -> Option<Finding> {
    let headers = trial.patient.request.headers;
    for (name, value) in headers.iter().take(MOST_HEADERS) {
        let Some(text) = value.to_str().ok().filter(|text| text.len() <= LONGEST) else { continue };
        let own = name.as_str() == place.header;
        for (bytes, prefix, encoding) in readings(text) {
            let right = format!("{}{}", place.prefix, encode_signature(&bytes, place.encoding));
            if (own && right == text.trim()) || !passes_with_header(trial, &place.header, &right) {
                continue;
            }
            return Some(if own {
                misspelt(place, prefix, encoding)
            } else {
                elsewhere(place, name, prefix, encoding)
            });
        }
    }
    None
}

/// The signatures that a header's text may mean.
fn readings(text: &str) -> Vec<(Vec<u8>, &'static str, &'static str)> {
    let mut found: Vec<(Vec<u8>, &'static str, &'static str)> = Vec::new();
    let without = PREFIXES.iter().filter_map(|prefix| Some((text.trim().strip_prefix(prefix)?, *prefix)));
    for (rest, prefix) in without.chain([(text.trim(), "")]) {
        let rest = rest.trim();
        let readings = [
            (decode_signature(rest, SignatureEncoding::Hex), "lower-case hex"),
            (decode_signature(&rest.to_ascii_lowercase(), SignatureEncoding::Hex), "upper-case hex"),
            (decode_signature(rest, SignatureEncoding::Base64), "base64"),
            (decode_signature(rest, SignatureEncoding::Base64Url), "base64url"),
        ];
        for (bytes, encoding) in readings {
            if let Some(bytes) = bytes.filter(|bytes| LENGTHS.contains(&bytes.len()))
                && !found.iter().any(|(known, ..)| *known == bytes)
            {
                found.push((bytes, prefix, encoding));
            }
        }
    }
    found
}

fn passes_with_header(trial: &mut Trial<'_>, header: &str, value: &str) -> bool {
    let request = trial.patient.request;
    let (Ok(name), Ok(value)) = (HeaderName::from_bytes(header.as_bytes()), HeaderValue::from_str(value)) else {
        return false;
    };
    let mut headers: HeaderMap = request.headers.clone();
    headers.insert(name, value);
    trial.passes(&Incoming { headers: &headers, ..request })
}

fn described(prefix: &str, encoding: SignatureEncoding) -> String {
    let encoding = match encoding {
        SignatureEncoding::Hex => "lower-case hex",
        SignatureEncoding::Base64 => "base64",
        SignatureEncoding::Base64Url => "base64url",
    };
    if prefix.is_empty() { format!("{encoding} without a prefix") } else { format!("{encoding} after '{prefix}'") }
}

fn found_as(prefix: &str, encoding: &str) -> String {
    if prefix.is_empty() { format!("{encoding} without a prefix") } else { format!("{encoding} after '{prefix}'") }
}

fn misspelt(place: &SignaturePlace, prefix: &str, encoding: &str) -> Finding {
    let (expected, found) = (described(&place.prefix, place.encoding), found_as(prefix, encoding));
    Finding {
        change: Change::Prefix,
        text: format!(
            "The signature in {} is right, but written as {found}; this source expects {expected}.",
            place.header
        ),
        fix: format!(
            "Let the sender write {expected}. If it cannot, use the scheme 'hmac', whose prefix and encoding can be set."
        ),
        sure: true,
    }
}

fn elsewhere(place: &SignaturePlace, name: &HeaderName, prefix: &str, encoding: &str) -> Finding {
    let (expected, found) = (&place.header, found_as(prefix, encoding));
    Finding {
        change: Change::Header,
        text: format!("The signature is right, but it is in the header {name} (as {found}) instead of {expected}."),
        fix: format!(
            "Send it in {expected}, as {}, or use the scheme 'hmac' with header = \"{name}\".",
            described(&place.prefix, place.encoding)
        ),
        sure: true,
    }
}

/// A token or key that came under another name, or without the word before it.
fn credential(trial: &mut Trial<'_>, header: &str, word: &str) -> Option<Finding> {
    let headers = trial.patient.request.headers;
    let wanted = header.to_ascii_lowercase();
    for (name, value) in headers.iter().take(MOST_HEADERS) {
        let Some(text) = value.to_str().ok().filter(|text| (1..=LONGEST).contains(&text.len())) else { continue };
        let own = name.as_str() == wanted;
        let bare = text.split_once(' ').map_or(text, |(_, rest)| rest.trim());
        for reading in [text, bare] {
            let right = format!("{word}{reading}");
            if (own && right == text) || !passes_with_header(trial, header, &right) {
                continue;
            }
            let form = if word.is_empty() { "alone".to_owned() } else { format!("after '{}'", word.trim()) };
            let (change, text) = if own {
                (Change::Prefix, format!("The credential in {wanted} is right, but it must stand {form}."))
            } else {
                (
                    Change::Header,
                    format!("The credential is right, but it is in the header {name} instead of {wanted}."),
                )
            };
            let fix = if word.is_empty() {
                format!("Send it in {wanted}, or set header = \"{name}\" in this source's verify table.")
            } else {
                format!("Send '{wanted}: {word}<token>', or use the scheme 'api-key' with header = \"{name}\".")
            };
            return Some(Finding { change, text, fix, sure: true });
        }
    }
    None
}

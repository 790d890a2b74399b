//! The keys of the generic HMAC scheme, the same for what comes in (`verify`) and what goes out (`auth`).

use signalbox_model::verify::{HmacAlgorithm, HmacScheme, SignatureEncoding};

use crate::read::names::header_name;
use crate::read::suggest::list;
use crate::read::value::{Table, Text};

pub(crate) const KEYS: [&str; 7] =
    ["header", "algorithm", "encoding", "prefix", "message", "timestamp_header", "id_header"];

const PLACEHOLDERS: [&str; 3] = ["body", "timestamp", "id"];

pub(crate) fn read(table: &Table<'_>) -> Option<HmacScheme> {
    let header = table.require_text("header", "the header that carries the signature").and_then(|h| header_name(&h));
    let algorithm = table.get("algorithm").map_or(Some(HmacAlgorithm::Sha256), |value| {
        value.text()?.one_of(&[
            ("sha256", HmacAlgorithm::Sha256),
            ("sha1", HmacAlgorithm::Sha1),
            ("sha384", HmacAlgorithm::Sha384),
            ("sha512", HmacAlgorithm::Sha512),
        ])
    });
    let encoding = table.get("encoding").map_or(Some(SignatureEncoding::Hex), |value| {
        value.text()?.one_of(&[
            ("hex", SignatureEncoding::Hex),
            ("base64", SignatureEncoding::Base64),
            ("base64url", SignatureEncoding::Base64Url),
        ])
    });
    let prefix = table.optional_text("prefix").map(|text| text.map_or_else(String::new, |text| text.text.to_owned()));
    let optional_header = |key| match table.optional_text(key)? {
        Some(text) => header_name(&text).map(Some),
        None => Some(None),
    };
    let timestamp_header = optional_header("timestamp_header");
    let id_header = optional_header("id_header");
    let message = match table.optional_text("message") {
        Some(Some(text)) => {
            let has = |header: &Option<Option<String>>| !matches!(header, Some(None));
            message(&text, has(&timestamp_header), has(&id_header))
        }
        Some(None) => Some("{body}".to_owned()),
        None => None,
    };
    Some(HmacScheme {
        header: header?,
        algorithm: algorithm?,
        encoding: encoding?,
        prefix: prefix?,
        message: message?,
        timestamp_header: timestamp_header?,
        id_header: id_header?,
    })
}

/// A message that leaves out the body would accept any body.
fn message(text: &Text<'_>, has_timestamp: bool, has_id: bool) -> Option<String> {
    let mut rest = text.text;
    let mut seen = Vec::new();
    let mut right = true;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((word, tail)) = after.split_once('}') else { break };
        if PLACEHOLDERS.contains(&word) {
            seen.push(word);
        } else {
            let known = list(["{body}", "{timestamp}", "{id}"]);
            text.error("wrong-message", format!("'message' knows {known}, and not '{{{word}}}'"));
            right = false;
        }
        rest = tail;
    }
    if !seen.contains(&"body") {
        text.error("wrong-message", "'message' must contain '{body}', or the signature would not cover it");
        right = false;
    }
    for (word, has, key) in [("timestamp", has_timestamp, "timestamp_header"), ("id", has_id, "id_header")] {
        if seen.contains(&word) && !has {
            text.error("wrong-message", format!("'message' uses '{{{word}}}': name its header in '{key}'"));
            right = false;
        }
    }
    if has_timestamp && !seen.contains(&"timestamp") {
        text.warn("unsigned-timestamp", "'message' leaves out '{timestamp}', so that a sender could change the time");
    }
    right.then(|| text.text.to_owned())
}

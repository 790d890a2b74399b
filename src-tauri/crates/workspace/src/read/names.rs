//! Rules for names and places that appear in URLs, headers and the filter language.

use crate::read::value::Text;

const LONGEST_NAME: usize = 64;

/// Names of systems, integrations and destinations: they appear in URLs, metrics and filters, where a space, a comma
/// or a leading `-` would mean something else.
pub(crate) fn is_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.len() <= LONGEST_NAME
        && name.bytes().all(good)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

pub(crate) const NAME_RULE: &str =
    "use letters, digits, '-', '_' and '.', at most 64, and begin with a letter or a digit";

pub(crate) fn name(text: &Text<'_>) -> Option<String> {
    if is_name(text.text) {
        return Some(text.text.to_owned());
    }
    text.error("wrong-name", format!("'{}' cannot be '{}': {NAME_RULE}", text.name, text.shown()));
    None
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(good)
}

/// A header's name, in any case.
pub(crate) fn header_name(text: &Text<'_>) -> Option<String> {
    if is_token(text.text) {
        return Some(text.text.to_owned());
    }
    text.error("wrong-header", format!("'{}' is not the name of a header", text.shown()));
    None
}

/// Headers that belong to the connection or that the client computes; a file may not set them.
const MANAGED: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "signalbox-hop",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A header that a destination sends.
pub(crate) fn sent_header_name(text: &Text<'_>) -> Option<String> {
    let name = header_name(text)?;
    if MANAGED.contains(&name.to_ascii_lowercase().as_str()) {
        text.error("wrong-header", format!("the header '{name}' is set by Signalbox itself; leave it out"));
        return None;
    }
    Some(name)
}

/// The path of a webhook: absolute, plain, exactly what the request line says.
pub(crate) fn webhook_path(text: &Text<'_>) -> Option<String> {
    let path = text.text;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte);
    let wrong = if !path.starts_with('/') {
        "it must begin with '/'"
    } else if path.len() > 256 {
        "it is longer than 256 characters"
    } else if path.contains(['?', '#']) {
        "it has no query and no fragment"
    } else if !path.bytes().all(good) {
        "percent-encode everything but letters, digits and -._~!$&'()*+,;=:@/"
    } else if path.split('/').any(|part| part == "." || part == "..") {
        "'.' and '..' are not allowed in it"
    } else {
        return Some(path.to_owned());
    };
    text.error("wrong-path", format!("'{}' is not a webhook's path: {wrong}", text.shown()));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_filter_language_would_misread_is_refused() {
        for good in ["crm-sync", "crm_sync", "Orders.v2", "7"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-crm", "a b", "a,b", "a:b", "é", "a/b", "..", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}

//! Hides what must not be shown or logged: the values of headers that carry a credential.

/// What stands in the place of a hidden value.
pub const MASK: &str = "••••••••";

/// Headers that are always secret, lower case.
const NAMES: [&str; 9] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "api-key",
    "apikey",
    "x-auth",
    "www-authenticate",
];
/// Parts of names that make a header secret, lower case.
const PARTS: [&str; 9] =
    ["token", "secret", "signature", "password", "passwd", "credential", "api-key", "apikey", "hmac"];

/// Whether a header of this name, in any case, carries a credential.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

/// The value, or [`MASK`] where the header of this name is secret.
pub fn value<'a>(name: &str, value: &'a str) -> &'a str {
    if is_secret(name) { MASK } else { value }
}

/// A copy in which secret headers have [`MASK`] for a value.
pub fn headers<N: AsRef<str>, V: AsRef<str>>(headers: impl IntoIterator<Item = (N, V)>) -> Vec<(String, String)> {
    let masked = |(name, text): (N, V)| {
        let shown = value(name.as_ref(), text.as_ref()).to_owned();
        (name.as_ref().to_owned(), shown)
    };
    headers.into_iter().map(masked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_and_other_headers_are_not() {
        let secret = [
            "Authorization",
            "cookie",
            "X-API-Key",
            "X-Shopify-Access-Token",
            "Stripe-Signature",
            "webhook-signature",
            "X-Hub-Signature-256",
            "X-Client-Secret",
            "X-Shopify-Hmac-Sha256",
        ];
        for name in secret {
            assert!(is_secret(name), "{name}");
        }
        for name in ["content-type", "webhook-id", "Idempotency-Key", "user-agent", "webhook-timestamp"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn names_stay_and_values_go() {
        let masked = headers([("Authorization", "Bearer abc"), ("Accept", "*/*")]);
        assert_eq!(masked, [("Authorization".into(), MASK.to_owned()), ("Accept".into(), "*/*".to_owned())]);
    }
}

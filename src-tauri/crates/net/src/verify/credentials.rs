//! The schemes that show the secret itself: `bearer`, `basic`, `api-key`. They prove who sent, not what was sent.

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Incoming, Refusal, Verified, headers};

const AUTHORIZATION: &str = "authorization";

/// Digests of the secrets: comparing digests takes the same time whatever the lengths.
pub(super) struct Credentials(Vec<digest::Digest>);

fn hash(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}

fn same(one: &digest::Digest, other: &digest::Digest) -> bool {
    constant_time::verify_slices_are_equal(one.as_ref(), other.as_ref()).is_ok()
}

impl Credentials {
    pub(super) fn new(secrets: &[&[u8]]) -> Self {
        Self(secrets.iter().map(|secret| hash(secret)).collect())
    }

    fn matching(&self, given: &[u8]) -> Option<usize> {
        let given = hash(given);
        self.0.iter().position(|secret| same(secret, &given))
    }
}

/// The part after `<scheme> ` of `Authorization`; the scheme's name is case-insensitive (RFC 9110 §11.1).
fn authorization<'h>(request: &Incoming<'h>, scheme: &str, expected: &'static str) -> Result<&'h [u8], Refusal> {
    let value = headers::credential(request.headers, AUTHORIZATION)?;
    let malformed = || Refusal::CredentialsMalformed { header: AUTHORIZATION.to_owned(), expected };
    let (name, rest) = value.split_at_checked(scheme.len()).ok_or_else(malformed)?;
    let credential = rest.trim_ascii_start();
    if !name.eq_ignore_ascii_case(scheme.as_bytes()) || credential.is_empty() || credential.len() == rest.len() {
        return Err(malformed());
    }
    Ok(credential)
}

fn accepted(matched: Option<usize>) -> Result<Verified, Refusal> {
    let secret_index = matched.ok_or(Refusal::CredentialsMismatch)?;
    Ok(Verified { id: None, secret_index, timestamp: None })
}

pub(super) fn verify_bearer(secrets: &Credentials, request: &Incoming<'_>) -> Result<Verified, Refusal> {
    accepted(secrets.matching(authorization(request, "Bearer", "'Bearer <token>'")?))
}

pub(super) fn verify_basic(
    username: &str,
    passwords: &Credentials,
    request: &Incoming<'_>,
) -> Result<Verified, Refusal> {
    let expected = "'Basic <base64 of user:password>'";
    let malformed = || Refusal::CredentialsMalformed { header: AUTHORIZATION.to_owned(), expected };
    let pair = STANDARD.decode(authorization(request, "Basic", expected)?).map_err(|_| malformed())?;
    // RFC 7617 §2: a user name has no colon, a password may.
    let colon = pair.iter().position(|byte| *byte == b':').ok_or_else(malformed)?;
    let (given_name, password) = pair.split_at(colon);
    let matched = passwords.matching(password.get(1..).unwrap_or_default());
    let known = same(&hash(username.as_bytes()), &hash(given_name));
    accepted(matched.filter(|_| known))
}

pub(super) fn verify_api_key(header: &str, secrets: &Credentials, request: &Incoming<'_>) -> Result<Verified, Refusal> {
    let value = headers::credential(request.headers, header)?;
    if value.is_empty() {
        return Err(Refusal::CredentialsMalformed { header: header.to_owned(), expected: "the key" });
    }
    accepted(secrets.matching(value))
}

#[cfg(test)]
mod tests {
    use signalbox_model::Timestamp;
    use signalbox_model::verify::Scheme;

    use super::super::testing::Case;

    fn case(scheme: Scheme, header: &'static str, value: &str) -> Case {
        Case {
            scheme,
            secrets: vec!["new secret of some length", "s3cr:t"],
            method: "POST",
            url: "http://localhost/hook",
            headers: vec![(header, value.to_owned())],
            body: Vec::new(),
            now: Timestamp::from_secs(0),
        }
    }

    #[test]
    fn a_bearer_token_is_compared_whole() {
        let good = case(Scheme::Bearer, "authorization", "Bearer s3cr:t");
        assert_eq!(good.run().unwrap().secret_index, 1);
        assert_eq!(good.with("authorization", "bearer s3cr:t").code(), "accepted");
        for wrong in ["Bearer s3cr:u", "Bearer s3cr:", "Bearer s3cr:tt", "Bearer S3CR:T"] {
            assert_eq!(good.with("authorization", wrong).code(), "credentials-mismatch", "{wrong}");
        }
        for wrong in ["", "Bearer", "Bearer ", "Bearers3cr:t", "Basic s3cr:t", "s3cr:t"] {
            assert_eq!(good.with("authorization", wrong).code(), "credentials-malformed", "{wrong}");
        }
        assert_eq!(good.without("authorization").code(), "credentials-missing");
        assert_eq!(good.with("authorization", &format!("Bearer {}", "x".repeat(5_000))).code(), "header-too-long");
        let mut twice = good.clone();
        twice.headers.push(("authorization", "Bearer s3cr:t".into()));
        assert_eq!(twice.code(), "header-repeated");
    }

    #[test]
    fn basic_needs_the_right_user_and_the_right_password() {
        // RFC 7617's form: base64 of "ada:s3cr:t", "eve:s3cr:t", "ada:other", "ada".
        let good = case(Scheme::Basic { username: "ada".into() }, "authorization", "Basic YWRhOnMzY3I6dA==");
        assert_eq!(good.run().unwrap().secret_index, 1);
        assert_eq!(good.with("authorization", "Basic ZXZlOnMzY3I6dA==").code(), "credentials-mismatch");
        assert_eq!(good.with("authorization", "Basic YWRhOm90aGVy").code(), "credentials-mismatch");
        assert_eq!(good.with("authorization", "Basic YWRh").code(), "credentials-malformed");
        assert_eq!(good.with("authorization", "Basic YWRhOnMzY3I6dA").code(), "credentials-malformed");
    }

    #[test]
    fn an_api_key_is_read_from_its_header() {
        let good = case(Scheme::ApiKey { header: "X-Api-Key".into() }, "x-api-key", "s3cr:t");
        assert_eq!(good.run().unwrap().secret_index, 1);
        assert_eq!(good.with("x-api-key", "other").code(), "credentials-mismatch");
        assert_eq!(good.with("x-api-key", "").code(), "credentials-malformed");
        assert_eq!(good.without("x-api-key").code(), "credentials-missing");
    }
}

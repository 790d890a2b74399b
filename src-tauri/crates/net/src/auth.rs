//! How Signalbox identifies itself in a request: the kinds of [`signalbox_model::auth::Auth`] carried out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use signalbox_model::Timestamp;
use signalbox_model::auth::{ApiKeyPlace, Auth};
use url::Url;

use crate::verify::{VerifierError, sign};

/// What stands in the place of a secret wherever a request is shown.
pub const MASK: &str = "••••••••";

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    #[error("the auth of this system needs its secret, and there is none: set it with 'signalbox secret set'")]
    NoSecret,
    #[error("the secret contains characters that cannot stand in a header, such as a line break")]
    Unsendable,
    #[error("'{name}' is not the name of a header")]
    HeaderName { name: String },
    #[error("the user name contains ':', which basic authentication cannot carry")]
    Username,
    #[error("the request cannot be signed: {0}")]
    Signing(#[from] VerifierError),
}

/// Adds what `auth` asks for. Call it for each attempt, last before sending: signatures cover `body` and carry `now`; `id`
/// is the same for all attempts of one revision. `secrets` are those that are set, the newest first: in a rotation
/// Standard Webhooks carries a signature of each, and everything else uses the first.
#[expect(clippy::too_many_arguments, reason = "these are the parts of a request, and the request is not built yet")]
pub fn apply(
    auth: &Auth,
    secrets: &[SecretString],
    _method: &http::Method,
    url: &mut Url,
    headers: &mut HeaderMap,
    body: &[u8],
    id: &str,
    now: Timestamp,
) -> Result<(), AuthError> {
    if matches!(auth, Auth::None) {
        return Ok(());
    }
    let set = || secrets.iter().filter(|secret| !secret.expose_secret().is_empty());
    let secret = set().next().ok_or(AuthError::NoSecret)?;
    match auth {
        Auth::None => {}
        Auth::Bearer { .. } => {
            headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {}", secret.expose_secret()))?);
        }
        Auth::Basic { username, .. } => {
            // RFC 7617 §2: the first colon ends the name.
            if username.contains(':') {
                return Err(AuthError::Username);
            }
            let pair = STANDARD.encode(format!("{username}:{}", secret.expose_secret()));
            headers.insert(AUTHORIZATION, sensitive(&format!("Basic {pair}"))?);
        }
        Auth::ApiKey { place: ApiKeyPlace::Header(name), .. } => {
            headers.insert(header_name(name)?, sensitive(secret.expose_secret())?);
        }
        Auth::ApiKey { place: ApiKeyPlace::Query(name), .. } => {
            url.query_pairs_mut().append_pair(name, secret.expose_secret());
        }
        Auth::StandardWebhooks { .. } => {
            let signatures: Result<Vec<String>, VerifierError> =
                set().map(|secret| sign::sign_standard_webhooks(secret, id, now, body)).collect();
            headers.insert(HeaderName::from_static("webhook-id"), value(id)?);
            headers.insert(HeaderName::from_static("webhook-timestamp"), HeaderValue::from(now.as_secs()));
            headers.insert(HeaderName::from_static("webhook-signature"), value(&signatures?.join(" "))?);
        }
        Auth::Hmac { scheme, .. } => {
            let signature = sign::sign_hmac(scheme, secret, id, now, body);
            if let Some(name) = &scheme.id_header {
                headers.insert(header_name(name)?, value(id)?);
            }
            if let Some(name) = &scheme.timestamp_header {
                headers.insert(header_name(name)?, HeaderValue::from(now.as_secs()));
            }
            headers.insert(header_name(&scheme.header)?, value(&signature)?);
        }
    }
    Ok(())
}

fn value(text: &str) -> Result<HeaderValue, AuthError> {
    HeaderValue::from_str(text).map_err(|_| AuthError::Unsendable)
}

/// Marked, so that it is not printed with the headers and not indexed by HTTP/2's compression.
fn sensitive(text: &str) -> Result<HeaderValue, AuthError> {
    let mut value = value(text)?;
    value.set_sensitive(true);
    Ok(value)
}

fn header_name(name: &str) -> Result<HeaderName, AuthError> {
    name.parse().map_err(|_| AuthError::HeaderName { name: name.chars().take(80).collect() })
}

/// The request's headers as they may be shown and kept: secrets masked, the rest as sent. A signature is no secret.
pub fn masked_headers(auth: &Auth, headers: &HeaderMap) -> Vec<(String, String)> {
    let key = match auth {
        Auth::ApiKey { place: ApiKeyPlace::Header(name), .. } => Some(name.as_str()),
        _ => None,
    };
    headers
        .iter()
        .map(|(name, value)| {
            let secret = value.is_sensitive()
                || [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name)
                || key.is_some_and(|key| name.as_str().eq_ignore_ascii_case(key));
            let shown = if secret { MASK.into() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() };
            (name.as_str().to_owned(), shown)
        })
        .collect()
}

/// The URL as it may be shown and kept: a key in its query masked.
pub fn masked_url(auth: &Auth, url: &Url) -> String {
    let Auth::ApiKey { place: ApiKeyPlace::Query(key), .. } = auth else { return url.as_str().to_owned() };
    let Some(query) = url.query() else { return url.as_str().to_owned() };
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| {
            let is_key = url::form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == key.as_str());
            let name = pair.split('=').next().unwrap_or_default();
            if is_key { format!("{name}={MASK}") } else { pair.to_owned() }
        })
        .collect();
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    format!("{bare}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use signalbox_model::SecretName;
    use signalbox_model::verify::{HmacAlgorithm, HmacScheme, Scheme, SignatureEncoding, Verify};

    use super::*;
    use crate::verify::{Incoming, Verifier};

    fn name() -> SecretName {
        SecretName::new("hubspot-token").unwrap()
    }

    fn run(auth: &Auth, secret: &str) -> Result<(Url, HeaderMap), AuthError> {
        run_with(auth, &[secret])
    }

    fn run_with(auth: &Auth, secrets: &[&str]) -> Result<(Url, HeaderMap), AuthError> {
        let mut url = Url::parse("https://api.test/x?a=1").unwrap();
        let mut headers = HeaderMap::new();
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        let now = Timestamp::from_secs(1_700_000_000);
        apply(auth, &secrets, &http::Method::POST, &mut url, &mut headers, b"{}", "dlv_1", now)?;
        Ok((url, headers))
    }

    #[test]
    fn bearer_and_basic_fill_the_authorization_header() {
        let (_, headers) = run(&Auth::Bearer { secret: name() }, "tok").unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer tok");
        // RFC 7617 §2's example.
        let basic = Auth::Basic { username: "Aladdin".into(), secret: name() };
        assert_eq!(run(&basic, "open sesame").unwrap().1[AUTHORIZATION], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let odd = Auth::Basic { username: "a:b".into(), secret: name() };
        assert_eq!(run(&odd, "x"), Err(AuthError::Username));
    }

    #[test]
    fn an_api_key_goes_into_its_header_or_query() {
        let header = Auth::ApiKey { place: ApiKeyPlace::Header("X-Api-Key".into()), secret: name() };
        assert_eq!(run(&header, "k").unwrap().1["x-api-key"], "k");
        let query = Auth::ApiKey { place: ApiKeyPlace::Query("key".into()), secret: name() };
        assert_eq!(run(&query, "a&b=c").unwrap().0.as_str(), "https://api.test/x?a=1&key=a%26b%3Dc");
    }

    #[test]
    fn signed_requests_are_accepted_by_the_verifier_of_the_same_scheme() {
        let scheme = HmacScheme {
            header: "x-sig".into(),
            algorithm: HmacAlgorithm::Sha256,
            encoding: SignatureEncoding::Base64,
            prefix: "v9=".into(),
            message: "{id}|{timestamp}|{body}".into(),
            timestamp_header: Some("x-time".into()),
            id_header: Some("x-id".into()),
        };
        for (auth, scheme) in [
            (Auth::StandardWebhooks { secret: name(), old: None }, Scheme::StandardWebhooks),
            (Auth::Hmac { scheme: scheme.clone(), secret: name(), old: None }, Scheme::Hmac(scheme)),
        ] {
            let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
            let (_, headers) = run(&auth, secret).unwrap();
            let table = Verify { scheme, secrets: vec![name()], tolerance: Verify::TOLERANCE };
            let verifier = Verifier::new(&table, vec![SecretString::from(secret)]).unwrap();
            let request =
                Incoming { method: "POST", public_url: None, url_seen: "http://x/", headers: &headers, body: b"{}" };
            let verified = verifier.verify(&request, Timestamp::from_secs(1_700_000_000)).unwrap();
            assert_eq!(verified.id.as_deref(), Some("dlv_1"));
        }
    }

    #[test]
    fn in_a_rotation_a_receiver_with_either_secret_accepts() {
        let [new, old] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];
        let auth = Auth::StandardWebhooks { secret: name(), old: Some(name()) };
        let accepted = |sent_with: &[&str], receiver: &str| {
            let (_, headers) = run_with(&auth, sent_with).unwrap();
            let table =
                Verify { scheme: Scheme::StandardWebhooks, secrets: vec![name()], tolerance: Verify::TOLERANCE };
            let verifier = Verifier::new(&table, vec![SecretString::from(receiver)]).unwrap();
            let request =
                Incoming { method: "POST", public_url: None, url_seen: "http://x/", headers: &headers, body: b"{}" };
            verifier.verify(&request, Timestamp::from_secs(1_700_000_000)).is_ok()
        };
        assert!(accepted(&[new, old], new) && accepted(&[new, old], old));
        assert!(accepted(&[old], old) && !accepted(&[old], new));
        assert!(accepted(&["", old], old));
    }

    #[test]
    fn a_missing_or_unsendable_secret_is_an_error() {
        let auth = Auth::Bearer { secret: name() };
        assert_eq!(run(&auth, ""), Err(AuthError::NoSecret));
        assert_eq!(run(&auth, "two\nlines"), Err(AuthError::Unsendable));
        let webhooks = Auth::StandardWebhooks { secret: name(), old: None };
        assert!(matches!(run(&webhooks, "not base64!"), Err(AuthError::Signing(_))));
        let nameless = Auth::ApiKey { place: ApiKeyPlace::Header("two words".into()), secret: name() };
        assert!(matches!(run(&nameless, "k"), Err(AuthError::HeaderName { .. })));
    }

    #[test]
    fn no_secret_is_left_in_what_is_shown() {
        let secret = "c4n4ry-s3cret";
        for auth in [
            Auth::Bearer { secret: name() },
            Auth::Basic { username: "ada".into(), secret: name() },
            Auth::ApiKey { place: ApiKeyPlace::Header("X-Api-Key".into()), secret: name() },
            Auth::ApiKey { place: ApiKeyPlace::Query("key".into()), secret: name() },
        ] {
            let (url, mut headers) = run(&auth, secret).unwrap();
            headers.insert("accept", HeaderValue::from_static("application/json"));
            let shown = format!("{} {:?} {:?}", masked_url(&auth, &url), masked_headers(&auth, &headers), headers);
            assert!(!shown.contains(secret) && !shown.contains(&STANDARD.encode(format!("ada:{secret}"))), "{shown}");
            assert!(shown.contains(MASK) && shown.contains("application/json"), "{shown}");
        }
    }
}

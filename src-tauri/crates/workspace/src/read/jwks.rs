//! A pinned JWKS file (RFC 7517): public signing keys, each checked for its form.

use std::collections::BTreeSet;

use serde::Deserialize;
use signalbox_model::jwt::{JwtAlgorithm, KeyMaterial, PublicKey};

const MOST_KEYS: usize = 32;
/// RFC 7518 §3.3: 2048 bits or more.
const SHORTEST_MODULUS: usize = 256;
/// 8192 bits: larger ones are not computed with.
const LONGEST_MODULUS: usize = 1024;
const LONGEST_ID: usize = 256;

/// Reads as the end of a sentence that begins with the file's name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwksError {
    #[error("is not a JWKS, {{ \"keys\": [ … ] }}: {0}")]
    NotJwks(String),
    #[error("has {0} keys; 1 to {MOST_KEYS} are allowed")]
    Count(usize),
    #[error("has the private part of {0}: only public keys belong here, and this one is to be replaced")]
    Private(String),
    #[error("has a symmetric key ({0}): a shared secret belongs into 'secret'")]
    Symmetric(String),
    #[error("has two keys with the id '{0}'")]
    Twice(String),
    #[error("has a wrong value in {key}: {problem}")]
    Wrong { key: String, problem: &'static str },
    #[error("has no key for signatures of a known kind (RSA, P-256, P-384, Ed25519)")]
    NoneUsable,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// The private part.
    d: Option<serde::de::IgnoredAny>,
}

/// Keys for encryption, of other curves and other algorithms are left out (RFC 7517 §5).
pub(crate) fn parse(text: &str) -> Result<Vec<PublicKey>, JwksError> {
    let set: Jwks = serde_json::from_str(text).map_err(|error| JwksError::NotJwks(error.to_string()))?;
    if !(1..=MOST_KEYS).contains(&set.keys.len()) {
        return Err(JwksError::Count(set.keys.len()));
    }
    let mut ids = BTreeSet::new();
    let mut keys = Vec::with_capacity(set.keys.len());
    for (index, jwk) in set.keys.into_iter().enumerate() {
        let name = jwk.kid.clone().map_or_else(
            || format!("key {}", index + 1),
            |id| format!("the key '{}'", id.chars().take(64).collect::<String>()),
        );
        if jwk.kty == "oct" {
            return Err(JwksError::Symmetric(name));
        }
        if jwk.d.is_some() {
            return Err(JwksError::Private(name));
        }
        if let Some(id) = &jwk.kid {
            if id.is_empty() || id.len() > LONGEST_ID {
                return Err(JwksError::Wrong { key: name, problem: "'kid' must have 1 to 256 bytes" });
            }
            if !ids.insert(id.clone()) {
                return Err(JwksError::Twice(id.chars().take(64).collect()));
            }
        }
        keys.extend(key(jwk, name)?);
    }
    if keys.is_empty() { Err(JwksError::NoneUsable) } else { Ok(keys) }
}

/// `None`: a key that no source can use.
fn key(jwk: Jwk, name: String) -> Result<Option<PublicKey>, JwksError> {
    let algorithm = match &jwk.alg {
        None => None,
        Some(word) => match JwtAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == word) {
            Some(algorithm) => Some(algorithm),
            None => return Ok(None),
        },
    };
    if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return Ok(None);
    }
    let wrong = |problem| JwksError::Wrong { key: name.clone(), problem };
    // RFC 7518 §6.2.1.2: the full length, leading zeros included.
    let coordinate = |value: Option<String>, length, problem| {
        value.filter(|text| octets(text) == Some(length)).ok_or_else(|| wrong(problem))
    };
    let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => {
            let n = jwk.n.filter(|n| octets(n).is_some_and(|n| (SHORTEST_MODULUS..=LONGEST_MODULUS).contains(&n)));
            let e = jwk.e.filter(|e| octets(e).is_some_and(|e| (1..=8).contains(&e)));
            KeyMaterial::Rsa {
                n: n.ok_or_else(|| wrong("'n' must be 2048 to 8192 bits in base64url"))?,
                e: e.ok_or_else(|| wrong("'e' must be up to 64 bits in base64url"))?,
            }
        }
        ("EC", Some("P-256")) => KeyMaterial::P256 {
            x: coordinate(jwk.x, 32, "'x' must be 32 bytes in base64url")?,
            y: coordinate(jwk.y, 32, "'y' must be 32 bytes in base64url")?,
        },
        ("EC", Some("P-384")) => KeyMaterial::P384 {
            x: coordinate(jwk.x, 48, "'x' must be 48 bytes in base64url")?,
            y: coordinate(jwk.y, 48, "'y' must be 48 bytes in base64url")?,
        },
        ("OKP", Some("Ed25519")) => {
            KeyMaterial::Ed25519 { x: coordinate(jwk.x, 32, "'x' must be 32 bytes in base64url")? }
        }
        _ => return Ok(None),
    };
    let key = PublicKey { id: jwk.kid, algorithm, material };
    if key.algorithm.is_some_and(|algorithm| !key.serves(algorithm)) {
        return Err(wrong("'alg' does not fit 'kty' and 'crv'"));
    }
    Ok(Some(key))
}

/// How many bytes a base64url text without padding holds; `None` where it is none.
fn octets(text: &str) -> Option<usize> {
    let good = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    (good && text.len() % 4 != 1).then(|| text.len() * 3 / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7517 appendix A.1, the RSA key's modulus.
    const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

    fn rsa(more: &str) -> String {
        format!(r#"{{"kty":"RSA","n":"{N}","e":"AQAB"{more}}}"#)
    }

    fn set(keys: &[String]) -> String {
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    #[test]
    fn public_keys_of_known_kinds_are_read_and_others_left_out() {
        let ec = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}"#;
        let other = r#"{"kty":"EC","crv":"P-521","x":"A","y":"B"}"#;
        let keys = parse(&set(&[rsa(r#","alg":"RS256","kid":"2011-04-29""#), ec.into(), other.into()])).unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0].id.as_deref(), Some("2011-04-29"));
        assert!(keys[0].serves(JwtAlgorithm::Rs256) && !keys[0].serves(JwtAlgorithm::Rs512));
        assert!(!keys[0].serves(JwtAlgorithm::Hs256));
    }

    #[test]
    fn private_symmetric_short_repeated_and_misshapen_keys_are_refused() {
        let code = |text: &str| parse(text).unwrap_err();
        assert!(matches!(code(&set(&[rsa(r#","d":"AQAB""#)])), JwksError::Private(_)));
        assert!(matches!(code(&set(&[r#"{"kty":"oct","k":"AQAB"}"#.into()])), JwksError::Symmetric(_)));
        assert!(matches!(code(&set(&[rsa(r#","kid":"a""#), rsa(r#","kid":"a""#)])), JwksError::Twice(_)));
        assert!(matches!(code(&set(&[r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.into()])), JwksError::Wrong { .. }));
        assert!(matches!(code(&set(&[rsa(r#","alg":"ES256""#)])), JwksError::Wrong { .. }));
        assert!(matches!(code(&set(&[])), JwksError::Count(0)));
        assert!(matches!(code("[]"), JwksError::NotJwks(_)));
        assert!(matches!(code(&set(&[rsa(r#","use":"enc""#)])), JwksError::NoneUsable));
    }
}

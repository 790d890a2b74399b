//! JSON Web Tokens (RFC 7519) in the compact form, judged by the best practices of RFC 8725.
//!
//! The algorithm is one that the source lists, the key one that it pinned: `kid` chooses among those, and `jku`, `x5u`,
//! `jwk` and `x5c` are not read. A token proves who sent, not what was sent.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use signalbox_model::Timestamp;
use signalbox_model::jwt::{JwtAlgorithm, JwtScheme, KeyMaterial, PublicKey};

use super::{Incoming, Refusal, Verified, VerifierError, headers};

const AUTHORIZATION: &str = "authorization";

/// A source's `jwt` table with its keys, ready to judge tokens.
pub(super) struct Tokens {
    scheme: JwtScheme,
    /// In the order of the source's secrets or of its pinned keys.
    keys: Vec<DecodingKey>,
}

/// What of a token's header is read; everything else in it could only mislead.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

/// A claim that is there twice is an error of the reader.
#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
    nbf: Option<f64>,
    iss: Option<String>,
    aud: Option<OneOrMore>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(list) => list,
        }
    }
}

impl Tokens {
    /// `secrets` are the keys of symmetric algorithms.
    pub(super) fn new(scheme: &JwtScheme, secrets: &[&[u8]]) -> Result<Self, VerifierError> {
        let keys = if scheme.is_symmetric() {
            secrets.iter().map(|secret| DecodingKey::from_secret(secret)).collect()
        } else {
            scheme.keys.iter().enumerate().map(|(index, key)| decoding_key(index, key)).collect::<Result<_, _>>()?
        };
        Ok(Self { scheme: scheme.clone(), keys })
    }

    pub(super) fn verify(
        &self,
        request: &Incoming<'_>,
        now: Timestamp,
        tolerance: Duration,
    ) -> Result<Verified, Refusal> {
        let malformed = |problem| Refusal::TokenMalformed { header: self.scheme.header.clone(), problem };
        let token = self.token(request)?;
        let (message, signature) = token.rsplit_once('.').ok_or_else(|| malformed("is not a JSON Web Token"))?;
        let (header, claims) = message.split_once('.').ok_or_else(|| malformed("is not a JSON Web Token"))?;
        let header: Header = decoded(header).ok_or_else(|| malformed("has a header that cannot be read"))?;
        if header.crit.is_some() {
            // RFC 7515 §4.1.11: what is critical and not understood refuses the token.
            return Err(malformed("has critical extensions, and none are known"));
        }
        let known = self.scheme.algorithms.iter().find(|algorithm| algorithm.name() == header.alg);
        let algorithm =
            *known.ok_or_else(|| Refusal::TokenAlgorithm { given: header.alg.chars().take(20).collect() })?;
        let secret_index = self.matching(algorithm, header.kid.as_deref(), message, signature)?;
        let claims: Claims = decoded(claims).ok_or_else(|| malformed("has claims that cannot be read"))?;
        self.judge(&claims, now, tolerance)?;
        Ok(Verified { id: None, secret_index, timestamp: None })
    }

    fn token<'h>(&self, request: &Incoming<'h>) -> Result<&'h str, Refusal> {
        let name = self.scheme.header.as_str();
        let malformed = |problem| Refusal::TokenMalformed { header: name.to_owned(), problem };
        let value = headers::token(request.headers, name)?;
        let text = std::str::from_utf8(value).map_err(|_| malformed("is not text"))?.trim();
        let (word, rest) = text.split_once(' ').unwrap_or(("", text));
        if word.eq_ignore_ascii_case("Bearer") {
            Ok(rest.trim_start())
        } else if name == AUTHORIZATION || !word.is_empty() {
            Err(malformed("does not follow 'Bearer '"))
        } else {
            Ok(rest)
        }
    }

    /// The secret or key under which the signature is right.
    fn matching(
        &self,
        algorithm: JwtAlgorithm,
        kid: Option<&str>,
        message: &str,
        signature: &str,
    ) -> Result<usize, Refusal> {
        let serves = |index: usize| match self.scheme.keys.get(index) {
            // A key without an id may be any of the sender's.
            Some(key) => key.serves(algorithm) && (key.id.is_none() || kid.is_none() || key.id.as_deref() == kid),
            None => self.scheme.is_symmetric(),
        };
        let candidates: Vec<usize> = (0..self.keys.len()).filter(|index| serves(*index)).collect();
        if candidates.is_empty() {
            let kid = kid.unwrap_or("none").chars().take(80).collect();
            return Err(Refusal::TokenKeyUnknown { kid });
        }
        let right = |index: &usize| {
            let key = self.keys.get(*index);
            key.is_some_and(|key| {
                crypto::verify(signature, message.as_bytes(), key, implementation(algorithm)).unwrap_or(false)
            })
        };
        candidates.into_iter().find(right).ok_or(Refusal::SignatureMismatch)
    }

    fn judge(&self, claims: &Claims, now: Timestamp, tolerance: Duration) -> Result<(), Refusal> {
        let malformed = |problem| Refusal::TokenMalformed { header: self.scheme.header.clone(), problem };
        let expiry = claims.exp.ok_or_else(|| malformed("has no expiry ('exp'): it could be used for ever"))?;
        let age = now.since(moment(expiry).ok_or_else(|| malformed("has an expiry ('exp') that is no time"))?);
        if age > tolerance {
            return Err(Refusal::TokenExpired { age, tolerance });
        }
        if let Some(start) = claims.nbf {
            let start = moment(start).ok_or_else(|| malformed("has a start ('nbf') that is no time"))?;
            let ahead = start.since(now);
            if ahead > tolerance {
                return Err(Refusal::TokenNotYetValid { ahead, tolerance });
            }
        }
        let issuers = &self.scheme.issuers;
        if !issuers.is_empty() && !claims.iss.as_ref().is_some_and(|given| issuers.contains(given)) {
            return Err(Refusal::TokenIssuer { given: shown(claims.iss.as_slice()) });
        }
        let given = claims.aud.as_ref().map(OneOrMore::as_slice).unwrap_or_default();
        if !self.scheme.audiences.is_empty() && !given.iter().any(|one| self.scheme.audiences.contains(one)) {
            return Err(Refusal::TokenAudience { given: shown(given) });
        }
        Ok(())
    }
}

fn shown(names: &[String]) -> String {
    match names.first() {
        Some(name) => format!("'{}'", name.chars().take(120).collect::<String>()),
        None => "nobody named".to_owned(),
    }
}

fn decoded<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// NumericDate of RFC 7519 §2: seconds, with or without a fraction. Beyond the year 2286 is no time that a sender means.
fn moment(seconds: f64) -> Option<Timestamp> {
    (0.0..1e10).contains(&seconds).then(|| Timestamp::from_millis((seconds * 1e3) as i64))
}

fn decoding_key(index: usize, key: &PublicKey) -> Result<DecodingKey, VerifierError> {
    let made = match &key.material {
        KeyMaterial::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
        KeyMaterial::P256 { x, y } | KeyMaterial::P384 { x, y } => DecodingKey::from_ec_components(x, y),
        KeyMaterial::Ed25519 { x } => DecodingKey::from_ed_components(x),
    };
    made.map_err(|error| VerifierError::Key {
        key: key.id.clone().map_or_else(|| format!("number {}", index + 1), |id| format!("'{id}'")),
        problem: error.to_string(),
    })
}

const fn implementation(algorithm: JwtAlgorithm) -> Algorithm {
    match algorithm {
        JwtAlgorithm::Hs256 => Algorithm::HS256,
        JwtAlgorithm::Hs384 => Algorithm::HS384,
        JwtAlgorithm::Hs512 => Algorithm::HS512,
        JwtAlgorithm::Rs256 => Algorithm::RS256,
        JwtAlgorithm::Rs384 => Algorithm::RS384,
        JwtAlgorithm::Rs512 => Algorithm::RS512,
        JwtAlgorithm::Ps256 => Algorithm::PS256,
        JwtAlgorithm::Ps384 => Algorithm::PS384,
        JwtAlgorithm::Ps512 => Algorithm::PS512,
        JwtAlgorithm::Es256 => Algorithm::ES256,
        JwtAlgorithm::Es384 => Algorithm::ES384,
        JwtAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

#[cfg(test)]
mod tests;

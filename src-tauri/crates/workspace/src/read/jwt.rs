//! The keys of the scheme `jwt` of a source's `verify` table.

use signalbox_model::jwt::{JwtAlgorithm, JwtScheme, KeyFamily, PublicKey};

use crate::read::files::References;
use crate::read::jwks;
use crate::read::names::header_name;
use crate::read::value::{Table, Text};

pub(crate) const KEYS: [&str; 5] = ["algorithms", "jwks", "issuer", "audience", "header"];

const MOST_NAMES: usize = 32;

pub(crate) fn read(table: &Table<'_>, files: &References<'_>) -> Option<JwtScheme> {
    let algorithms = algorithms(table);
    let symmetric = algorithms.as_ref().map(|list| list.iter().any(|one| one.family() == KeyFamily::Secret));
    let keys = match symmetric {
        Some(true) => no_keys(table),
        Some(false) => keys(table, files, algorithms.as_deref().unwrap_or_default()),
        None => None,
    };
    let issuers = names(table, "issuer");
    let audiences = names(table, "audience");
    if matches!(&issuers, Some(list) if list.is_empty()) && matches!(&audiences, Some(list) if list.is_empty()) {
        let message =
            "any token of these keys is let in, also one meant for somebody else: set 'issuer' and 'audience'";
        table.warn("any-token", message);
    }
    let header = match table.optional_text("header") {
        Some(Some(text)) => header_name(&text).map(|name| name.to_ascii_lowercase()),
        Some(None) => Some("authorization".to_owned()),
        None => None,
    };
    Some(JwtScheme { algorithms: algorithms?, keys: keys?, issuers: issuers?, audiences: audiences?, header: header? })
}

fn algorithms(table: &Table<'_>) -> Option<Vec<JwtAlgorithm>> {
    let value = table.require("algorithms", "say which are accepted, as in [\"RS256\"]; a token may not choose")?;
    let words = JwtAlgorithm::ALL.map(|algorithm| (algorithm.name(), algorithm));
    let read: Vec<Option<JwtAlgorithm>> =
        value.texts(JwtAlgorithm::ALL.len())?.iter().map(|text| algorithm(text, &words)).collect();
    let read: Vec<JwtAlgorithm> = read.into_iter().collect::<Option<_>>()?;
    let symmetric = read.iter().filter(|algorithm| algorithm.family() == KeyFamily::Secret).count();
    if symmetric != 0 && symmetric != read.len() {
        let message = "'algorithms' mixes shared secrets (HS…) with public keys: a public key could then pass for a secret. \
                       Use one kind";
        value.error("mixed-algorithms", message);
        return None;
    }
    Some(read)
}

fn algorithm(text: &Text<'_>, words: &[(&str, JwtAlgorithm)]) -> Option<JwtAlgorithm> {
    if text.text.eq_ignore_ascii_case("none") {
        text.error("wrong-value", "the algorithm 'none' is no signature: everyone could write such a token");
        return None;
    }
    text.one_of(words)
}

/// With shared secrets `jwks` has nothing to say.
fn no_keys(table: &Table<'_>) -> Option<Vec<PublicKey>> {
    let Some(value) = table.get("jwks") else { return Some(Vec::new()) };
    value.error("wrong-value", "'jwks' goes with public keys (RS…, PS…, ES…, EdDSA); HS… takes a 'secret'");
    None
}

fn keys(table: &Table<'_>, files: &References<'_>, algorithms: &[JwtAlgorithm]) -> Option<Vec<PublicKey>> {
    if let Some(secret) = table.get("secret") {
        secret.error("wrong-value", "'secret' goes with HS256, HS384 and HS512; public keys come from 'jwks'");
        return None;
    }
    let named =
        table.require_text("jwks", "the file with the sender's public keys, as in \"keys/sender.jwks.json\"")?;
    let (file, text) = files.read(&named)?;
    let keys = match jwks::parse(&text) {
        Ok(keys) => keys,
        Err(error) => {
            named.error("wrong-jwks", format!("'jwks': {file} {error}"));
            return None;
        }
    };
    let mut right = true;
    for algorithm in algorithms {
        if !keys.iter().any(|key| key.serves(*algorithm)) {
            let message = format!("'jwks': {file} has no key for {}", algorithm.name());
            named.error("wrong-jwks", message);
            right = false;
        }
    }
    right.then_some(keys)
}

/// One name or several; none where the key is absent.
fn names(table: &Table<'_>, key: &str) -> Option<Vec<String>> {
    let Some(value) = table.get(key) else { return Some(Vec::new()) };
    let texts = value.texts(MOST_NAMES)?;
    if texts.iter().any(|text| text.text.is_empty()) {
        value.error("wrong-value", format!("'{key}' has an empty name"));
        return None;
    }
    Some(texts.iter().map(|text| text.text.to_owned()).collect())
}

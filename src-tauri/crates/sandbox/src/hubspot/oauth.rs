//! HubSpot's token route: a refresh token for an access token that lives half an hour.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use signalbox_model::Timestamp;

use super::HubSpot;
use crate::front::json as answer;
use crate::prng::Prng;
use crate::query::Query;
use crate::secrets::{HUBSPOT_CLIENT, HUBSPOT_REFRESH};

const LIFETIME: Duration = Duration::from_secs(1_800);
/// Access tokens that are valid at a time; the one that ends first makes room.
const MAX_TOKENS: usize = 100;

pub(crate) struct Tokens {
    prng: Prng,
    expires: BTreeMap<String, Timestamp>,
}

impl Tokens {
    pub fn new(seed: u64) -> Self {
        Self { prng: Prng::new(seed, "hubspot tokens"), expires: BTreeMap::new() }
    }

    pub fn is_valid(&self, token: &str, now: Timestamp) -> bool {
        self.expires.get(token).is_some_and(|expires| now < *expires)
    }

    fn issue(&mut self, now: Timestamp) -> String {
        self.expires.retain(|_, expires| now < *expires);
        if self.expires.len() >= MAX_TOKENS
            && let Some(first) =
                self.expires.iter().min_by_key(|(_, expires)| **expires).map(|(token, _)| token.clone())
        {
            self.expires.remove(&first);
        }
        let token = format!("CSandbox{:016x}{:016x}", self.prng.word(), self.prng.word());
        self.expires.insert(token.clone(), now.plus(LIFETIME));
        token
    }
}

pub(crate) async fn token(State(hubspot): State<Arc<HubSpot>>, body: Bytes) -> Response {
    let form = Query::parse(std::str::from_utf8(&body).ok());
    let refuse = |status: &str, message: &str| {
        let body = json!({ "status": status, "message": message, "correlationId": hubspot.correlation_id() });
        answer(StatusCode::BAD_REQUEST, &body)
    };
    if form.get("grant_type") != Some("refresh_token") {
        return refuse("BAD_GRANT_TYPE", "the simulated HubSpot knows grant_type=refresh_token");
    }
    let has = |field: &str, secret: &str| form.get(field) == Some(hubspot.secrets.value(secret).as_str());
    if form.get("client_id").is_none_or(str::is_empty) || !has("client_secret", HUBSPOT_CLIENT) {
        return refuse("BAD_CLIENT_SECRET", "missing or unknown client id or client secret");
    }
    if !has("refresh_token", HUBSPOT_REFRESH) {
        return refuse("BAD_REFRESH_TOKEN", "missing or unknown refresh token");
    }
    let access_token = hubspot.tokens.lock().issue(hubspot.clock.now());
    let body = json!({
        "token_type": "bearer",
        "refresh_token": hubspot.secrets.value(HUBSPOT_REFRESH),
        "access_token": access_token,
        "expires_in": LIFETIME.as_secs(),
    });
    answer(StatusCode::OK, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_and_the_number_of_tokens_is_bounded() {
        let mut tokens = Tokens::new(7);
        let start = Timestamp::from_secs(1_000);
        let first = tokens.issue(start);
        assert!(tokens.is_valid(&first, start.plus(Duration::from_secs(1_799))));
        assert!(!tokens.is_valid(&first, start.plus(LIFETIME)));
        for second in 1..=MAX_TOKENS as u64 {
            tokens.issue(start.plus(Duration::from_secs(second)));
        }
        assert_eq!(tokens.expires.len(), MAX_TOKENS);
        assert!(!tokens.is_valid(&first, start), "the one that ends first made room");
    }
}

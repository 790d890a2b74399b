//! A request as it goes on the wire, with every credential masked: for drawers, plans and the CLI.

use secrecy::SecretString;
use signalbox_model::{DeliveryId, Timestamp};
use signalbox_store::event::Request;

use crate::connect::{RESPONSE_MAX, Sender, idempotency_key};
use crate::dispatch::lane::LaneRuntime;
use crate::dispatch::outcome::MASK;

/// URL and headers. Secrets are replaced before signing, so that not even a signature leaks.
pub fn as_sent(
    lane: &LaneRuntime,
    request: &Request,
    delivery: DeliveryId,
    revision: u32,
    now: Timestamp,
) -> (String, Vec<(String, String)>) {
    let config = lane.config.load_full();
    let plain = || (request.path.clone(), request.headers.clone());
    let Some(config) = config.as_ref() else { return plain() };
    let Some(destination) = config.destination() else { return plain() };
    let stand_in = SecretString::from(STAND_IN);
    let key = idempotency_key(delivery, revision);
    let sender = Sender {
        system: &config.system,
        base_url: &config.system.base_url,
        destination,
        secrets: std::slice::from_ref(&stand_in),
        key: &key,
        now,
        response_cap: RESPONSE_MAX,
    };
    let Ok(outbound) = sender.outbound(request) else { return plain() };
    let secret_headers = ["authorization", "webhook-signature"];
    let signature = match &config.system.auth {
        signalbox_model::auth::Auth::Hmac { scheme, .. } => Some(scheme.header.to_ascii_lowercase()),
        signalbox_model::auth::Auth::ApiKey { place: signalbox_model::auth::ApiKeyPlace::Header(name), .. } => {
            Some(name.to_ascii_lowercase())
        }
        _ => None,
    };
    let headers = outbound
        .headers
        .iter()
        .map(|(name, value)| {
            let name = name.as_str();
            let hidden = secret_headers.contains(&name) || signature.as_deref() == Some(name);
            let text = if hidden { MASK.to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() };
            (name.to_owned(), text)
        })
        .collect();
    (outbound.url.replace(STAND_IN, MASK), headers)
}

/// Base64 of 24 zero bytes with the usual prefix: every scheme accepts it as a secret, none reveals anything by it.
const STAND_IN: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

//! The simulated HubSpot: contacts by batch upsert and read, with HubSpot's limits, errors and headers.
//!
//! Wire shapes follow HubSpot's CRM v3 reference (developers.hubspot.com, API reference "contacts" and
//! "usage guidelines"), so that HubSpot's own client libraries can talk to it.

mod account;
mod batch;
mod errors;
mod limit;
mod oauth;
mod property;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use parking_lot::Mutex;
use serde_json::json;
use signalbox_model::Clock;

use self::account::{Account, By};
use self::errors::Trouble;
use self::limit::Window;
use crate::dials::{Dials, Fault};
use crate::front::{bearer, json as answer, with_header};
use crate::prng::Prng;
use crate::query::Query;
use crate::secrets::Secrets;

/// Contacts on one page: HubSpot's default and its most.
const PAGE: usize = 10;
const MAX_PAGE: usize = 100;

pub(crate) struct HubSpot {
    clock: Arc<dyn Clock>,
    dials: Arc<Dials>,
    secrets: Secrets,
    account: Mutex<Account>,
    window: Mutex<Window>,
    tokens: Mutex<oauth::Tokens>,
    trace: Mutex<Prng>,
}

impl HubSpot {
    pub fn new(seed: u64, clock: Arc<dyn Clock>, dials: Arc<Dials>) -> Self {
        Self {
            clock,
            dials,
            secrets: Secrets::new(seed),
            account: Mutex::default(),
            window: Mutex::default(),
            tokens: Mutex::new(oauth::Tokens::new(seed)),
            trace: Mutex::new(Prng::new(seed, "hubspot correlation")),
        }
    }

    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/crm/v3/objects/contacts", get(list))
            .route("/crm/v3/objects/contacts/{id}", get(read))
            .route("/crm/v3/objects/contacts/batch/upsert", post(batch::upsert))
            .route("/crm/v3/objects/contacts/batch/read", post(batch::read))
            .layer(from_fn_with_state(self.clone(), admit))
            .route("/oauth/v1/token", post(oauth::token))
            .fallback(nowhere)
            .with_state(self.clone())
    }

    /// How many contacts, and the hash over them.
    pub fn records(&self) -> (usize, String) {
        self.account.lock().records()
    }

    /// What a fault dial answers.
    pub fn excuse(&self, fault: Fault) -> Response {
        match fault {
            Fault::TooMany { retry_after_s } => self.too_many(retry_after_s),
            Fault::ServerError => self.refuse(&Trouble::internal()),
        }
    }

    fn too_many(&self, retry_after_s: u64) -> Response {
        let response = self.refuse(&Trouble::rate());
        with_header(self.window.lock().exhausted(response), "retry-after", &retry_after_s.to_string())
    }

    fn refuse(&self, trouble: &Trouble) -> Response {
        answer(trouble.status, &trouble.body(&self.correlation_id()))
    }

    /// Looks like the UUID that HubSpot's support asks for.
    fn correlation_id(&self) -> String {
        let mut prng = self.trace.lock();
        let (high, low) = (prng.word(), prng.word());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            (low >> 52) & 0xfff,
            low & 0xffff_ffff_ffff
        )
    }
}

/// The credential first, then the rate limit, as HubSpot does: a stranger uses up nothing.
async fn admit(State(hubspot): State<Arc<HubSpot>>, request: Request, next: Next) -> Response {
    let now = hubspot.clock.now();
    let Some(token) = bearer(request.headers()) else { return hubspot.refuse(&Trouble::credentials_missing()) };
    let private_app = token == hubspot.secrets.value(crate::secrets::HUBSPOT_TOKEN);
    if !private_app && !hubspot.tokens.lock().is_valid(token, now) {
        return hubspot.refuse(&Trouble::credentials_expired());
    }
    let admitted = hubspot.window.lock().admit(now);
    match admitted {
        Ok(()) => {
            let response = next.run(request).await;
            hubspot.window.lock().describe(response, now, private_app)
        }
        Err(wait) => hubspot.too_many(wait),
    }
}

async fn read(State(hubspot): State<Arc<HubSpot>>, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let query = Query::parse(query.as_deref());
    let by = match By::parse(query.get("idProperty")) {
        Ok(by) => by,
        Err(trouble) => return hubspot.refuse(&trouble),
    };
    let wanted = query.list("properties");
    let renamed = hubspot.dials.renamed();
    let found = hubspot.account.lock().find(by, &id).map(|contact| contact.object(wanted.as_deref(), renamed));
    match found {
        Some(object) => answer(StatusCode::OK, &object),
        None => hubspot.refuse(&Trouble::not_found()),
    }
}

async fn list(State(hubspot): State<Arc<HubSpot>>, RawQuery(query): RawQuery) -> Response {
    let query = Query::parse(query.as_deref());
    let (limit, after) = (query.number("limit", PAGE), query.number("after", 0_u64));
    let (Some(limit @ 1..=MAX_PAGE), Some(after)) = (limit, after) else {
        return hubspot
            .refuse(&Trouble::validation("limit must be 1 to 100 and after a cursor from paging.next".into()));
    };
    let wanted = query.list("properties");
    let renamed = hubspot.dials.renamed();
    let (results, next) =
        hubspot.account.lock().page(after, limit, |contact| contact.object(wanted.as_deref(), renamed));
    let mut body = json!({ "results": results });
    if let Some(next) = next {
        let link = format!("/crm/v3/objects/contacts?limit={limit}&after={next}");
        body["paging"] = json!({ "next": { "after": next.to_string(), "link": link } });
    }
    answer(StatusCode::OK, &body)
}

async fn nowhere(State(hubspot): State<Arc<HubSpot>>) -> Response {
    hubspot.refuse(&Trouble::not_found())
}

//! Systems: what they allow, how they answer, pause and resume.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use signalbox_engine::Runtime;
use signalbox_engine::gates::Hold;
use signalbox_engine::signals::Overview as Signals;
use signalbox_engine::view::{Credential, GateView, PauseScope};

use crate::dto::system::{CredentialFigure, CredentialState, HoldBreaker, HoldWord, System, Systems};
use crate::dto::words::{duration_ms, one_decimal};
use crate::extract::{Json as Body, Name, NoBody, NoParams};
use crate::host::Instance;
use crate::overview::lanes_of;
use crate::problem::{Code, Problem};
use crate::state::Running;
use crate::view::gate;
use crate::view::problems::problem;

/// Of the reason that a person gives, characters.
const LONGEST_REASON: usize = 500;
/// The window of the figures, and of the waits.
const WINDOW: Duration = Duration::from_secs(3_600);

/// Every system of the workspace, by name.
#[utoipa::path(get, path = "/api/v1/systems", tag = "systems", responses((status = 200, body = Systems)))]
pub(super) async fn list(Running(instance): Running, _: NoParams) -> Result<Json<Systems>, Problem> {
    Ok(Json(Systems { items: all(&instance).await?, next: None }))
}

/// Stops everything that goes to the system; it waits.
#[utoipa::path(post, path = "/api/v1/systems/{name}/pause", tag = "systems",
    params(("name" = String, Path)), responses((status = 200, body = System)))]
pub(super) async fn pause(Running(instance): Running, Name(name): Name, _: NoBody) -> Result<Json<System>, Problem> {
    instance.runtime.pause(PauseScope::System(name.clone())).await?;
    Ok(Json(find(&instance, &name).await?))
}

/// Lets what waits for the system go on.
#[utoipa::path(post, path = "/api/v1/systems/{name}/resume", tag = "systems",
    params(("name" = String, Path)), responses((status = 200, body = System)))]
pub(super) async fn resume(Running(instance): Running, Name(name): Name, _: NoBody) -> Result<Json<System>, Problem> {
    instance.runtime.resume(PauseScope::System(name.clone())).await?;
    Ok(Json(find(&instance, &name).await?))
}

/// Opens or closes its breaker by hand, or lets it go by itself again.
#[utoipa::path(post, path = "/api/v1/systems/{name}/breaker", tag = "systems",
    params(("name" = String, Path)), request_body = HoldBreaker, responses((status = 200, body = System)))]
pub(super) async fn breaker(
    Running(instance): Running,
    Name(name): Name,
    Body(body): Body<HoldBreaker>,
) -> Result<Json<System>, Problem> {
    if body.reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        let detail = format!("'reason' has more than {LONGEST_REASON} characters.");
        return Err(Problem::new(Code::InvalidBody, detail));
    }
    let hold = match body.state {
        HoldWord::Open => Hold::Open,
        HoldWord::Closed => Hold::Closed,
        HoldWord::Auto => Hold::Auto,
    };
    instance.runtime.hold_breaker(&name, hold, body.reason).await?;
    Ok(Json(find(&instance, &name).await?))
}

async fn find(instance: &Instance, name: &str) -> Result<System, Problem> {
    let found = all(instance).await?.into_iter().find(|system| system.name == name);
    found.ok_or_else(|| Problem::missing("system", name))
}

async fn all(instance: &Instance) -> Result<Vec<System>, Problem> {
    let runtime = &instance.runtime;
    let signals = runtime.signals().overview(WINDOW).await?;
    let mut gates: BTreeMap<String, Vec<GateView>> = BTreeMap::new();
    for view in runtime.gates() {
        gates.entry(view.system.clone()).or_default().push(view);
    }
    let simulated = |name: &str| instance.sandbox.as_ref().is_some_and(|sandbox| sandbox.faults(name).is_some());
    let mut waits = runtime.closed_spans(WINDOW).await?;
    let workspace = runtime.workspace();
    let systems = workspace.systems.values().filter_map(|system| {
        let shared = runtime.system_gates(&system.name)?;
        let views = gates.get(&system.name).map(Vec::as_slice).unwrap_or_default();
        let figures = Figures::of(runtime, &signals, &system.name);
        Some(System {
            name: system.name.clone(),
            title: system.title.clone(),
            base_url: system.base_url.to_string(),
            auth: system.auth.kind().to_owned(),
            credential: credential(runtime.credential(&system.name)),
            gate: gate::of_system(gate::worst(views)),
            queue: figures.queue,
            oldest_age_ms: figures.oldest_age.map(duration_ms),
            p95_ms: figures.p95_ms.map(one_decimal),
            last_ok_at: figures.last_ok_at.map(Into::into),
            in_flight: views.iter().map(|view| view.in_flight).sum(),
            destinations: views.iter().map(gate::of_destination).collect(),
            simulated: simulated(&system.name),
            paused: runtime.is_paused(&PauseScope::System(system.name.clone())),
            breaker: gate::breaker(shared.breaker, figures.waiting),
            limits: shared.limits.map(gate::limits),
            waits: waits.remove(&system.name).unwrap_or_default().into_iter().map(gate::wait).collect(),
            quotas: shared.quotas.into_iter().map(gate::quota).collect(),
            endpoints: shared.endpoints.into_iter().map(gate::endpoint).collect(),
            problems: workspace.problems_of_system(&system.name).map(problem).collect(),
        })
    });
    Ok(systems.collect())
}

/// The lanes to one system taken together.
#[derive(Default)]
struct Figures {
    queue: u64,
    /// Of these, those that are not on the wire.
    waiting: u64,
    oldest_age: Option<Duration>,
    /// Percentiles do not add up: the slowest destination's.
    p95_ms: Option<f64>,
    last_ok_at: Option<signalbox_model::Timestamp>,
}

impl Figures {
    fn of(runtime: &Runtime, signals: &Signals, system: &str) -> Self {
        let mut figures = Self::default();
        for window in lanes_of(runtime, &signals.lanes, |lane| lane.system == system) {
            figures.queue = figures.queue.saturating_add(window.queue.depth);
            let queue = &window.queue;
            figures.waiting = [queue.queued, queue.retrying, queue.held]
                .iter()
                .fold(figures.waiting, |sum, n| sum.saturating_add(*n));
            figures.oldest_age = figures.oldest_age.max(window.queue.oldest_age);
            figures.last_ok_at = figures.last_ok_at.max(window.last_delivered_at);
            if let Some(latency) = &window.latency {
                figures.p95_ms = Some(figures.p95_ms.map_or(latency.p95_ms, |p95| p95.max(latency.p95_ms)));
            }
        }
        figures
    }
}

fn credential(credential: Option<Credential>) -> CredentialFigure {
    let (state, secret) = match credential {
        None | Some(Credential::None) => (CredentialState::None, None),
        Some(Credential::Ok { secret }) => (CredentialState::Ok, Some(secret)),
        Some(Credential::Missing { secret }) => (CredentialState::Missing, Some(secret)),
        Some(Credential::Refused { secret, .. }) => (CredentialState::Refused, Some(secret)),
    };
    CredentialFigure { state, secret }
}

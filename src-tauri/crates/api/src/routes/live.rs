//! News by long-poll: answers at once when something changed since the cursor, else when something does or time is up.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use signalbox_engine::Runtime;
use signalbox_model::units::parse_duration;
use utoipa::IntoParams;

use crate::dto::live::{LiveBatch, QueueNow, Snapshot};
use crate::dto::words::duration_ms;
use crate::extract::Params;
use crate::host::Instance;
use crate::overview::rates;
use crate::problem::{Code, Problem};
use crate::state::{Api, Running};
use crate::view::{gate, ledger, replay};

/// Below the idle deadlines of common proxies.
const LONGEST: Duration = Duration::from_secs(25);
/// How often a waiting request looks whether its workspace still runs.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct LiveParams {
    /// Of the batch before; without it, the present state at once.
    cursor: Option<String>,
    /// How long to wait for news: a duration up to `25s`, which is also the default.
    wait: Option<String>,
}

/// One batch of news.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", params(LiveParams),
    responses((status = 200, body = LiveBatch)))]
pub(super) async fn live(
    State(api): State<Api>,
    Running(instance): Running,
    Params(params): Params<LiveParams>,
) -> Result<Json<LiveBatch>, Problem> {
    let wait = wait(params.wait.as_deref())?;
    let Ok(_permit) = api.waiting().try_acquire() else {
        return Err(Problem::new(
            Code::TooManyWaiting,
            "Too many requests wait for news. Close a panel, or poll slower.",
        )
        .retry_after(5));
    };
    let (instance, batch) = tokio::select! {
        batch = instance.runtime.signals().live(params.cursor.as_deref(), wait) => (instance.clone(), batch),
        next = switched(&api, &instance) => {
            let next = next?;
            // A cursor of another workspace means nothing in this one.
            let batch = next.runtime.signals().live(None, Duration::ZERO).await;
            (next, batch)
        }
    };
    let runtime = &instance.runtime;
    Ok(Json(LiveBatch {
        cursor: batch.cursor,
        at: batch.at.into(),
        resync: batch.resync,
        tags: batch.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
        accepted: batch.accepted,
        failed: batch.failed,
        snapshot: snapshot(runtime).await?,
    }))
}

/// Resolves when another workspace runs, so that nobody waits for news of one that is gone.
async fn switched(api: &Api, before: &Arc<Instance>) -> Result<Arc<Instance>, Problem> {
    loop {
        tokio::time::sleep(LOOK).await;
        match api.host().current() {
            Some(now) if Arc::ptr_eq(&now, before) => {}
            Some(now) => return Ok(now),
            None if api.host().is_switching() => {}
            // Stopping: this request must not hold up the end.
            None => return Err(Problem::new(Code::Unavailable, "No workspace is running any more.").retry_after(1)),
        }
    }
}

async fn snapshot(runtime: &Runtime) -> Result<Snapshot, Problem> {
    let signals = runtime.signals();
    let queue = signals.queue();
    Ok(Snapshot {
        rates: rates(runtime),
        queue: QueueNow { depth: queue.depth, oldest_age_ms: queue.oldest_age.map(duration_ms) },
        dead_letters: signals.dead_count(),
        rejected: signals.rejected_count(),
        gates: gate::summary(&runtime.gates()),
        replays: runtime.running_replays().await?.iter().map(replay::progress).collect(),
        problems: runtime.workspace().problems.len() as u64,
        ledger: ledger::state(runtime.store().as_ref()),
    })
}

fn wait(text: Option<&str>) -> Result<Duration, Problem> {
    let Some(text) = text else { return Ok(LONGEST) };
    let wrong = |why: String| Problem::new(Code::InvalidParameter, format!("wait: {why}."));
    let wait = parse_duration(text).map_err(|error| wrong(error.to_string()))?;
    if wait > LONGEST { Err(wrong("the longest is 25s".to_owned())) } else { Ok(wait) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_a_duration_up_to_25_seconds() {
        assert_eq!(wait(None).unwrap(), LONGEST);
        assert_eq!(wait(Some("0ms")).unwrap(), Duration::ZERO);
        assert_eq!(wait(Some("25s")).unwrap(), LONGEST);
        for wrong in ["26s", "25", "", "-1s", "1d"] {
            assert!(wait(Some(wrong)).is_err(), "{wrong}");
        }
    }
}

//! Replays: plan, start, follow, pause, resume, cancel, undo.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use signalbox_engine::Runtime;
use signalbox_engine::view::{ReplayPlan as EnginePlan, ReplayRequest, ReplayTarget};
use signalbox_model::replay::{NewerPolicy, ReplayMode};
use signalbox_model::{DeliveryId, ReplayId};
use signalbox_store::read::Selection;
use utoipa::IntoParams;

use super::selection::{nothing, reason, selection};
use crate::dto::replay::{EditBody, EditPatch, Replay, ReplayBody, ReplayItems, ReplayPlan};
use crate::extract::{Id, Json as Body, NoBody, NoParams, Params, page_limit};
use crate::problem::{Code, Problem};
use crate::state::Running;
use crate::view::replay::{item, plan, progress};

const RATES: std::ops::RangeInclusive<f64> = 0.1..=1_000.0;

/// Plans a replay (`dry_run`) or starts one.
#[utoipa::path(post, path = "/api/v1/replays", tag = "replays", request_body = ReplayBody,
    responses((status = 200, description = "The plan of a dry run", body = ReplayPlan), (status = 202, body = Replay)))]
pub(super) async fn start(Running(instance): Running, Body(body): Body<ReplayBody>) -> Result<Response, Problem> {
    let runtime = &instance.runtime;
    let frozen = body.plan.is_some();
    let dry_run = body.dry_run;
    let request = request(runtime, body).await?;
    if frozen {
        if dry_run {
            return Err(Problem::new(Code::InvalidBody, "This plan is made already; leave dry_run away to start it."));
        }
        return started(runtime, request).await;
    }
    // The set that is checked here is the one that is sent: it is frozen first.
    let planned = runtime.plan_replay(request.clone()).await?;
    if dry_run {
        return Ok(Json(plan(planned)).into_response());
    }
    check_not_empty(&planned, &request)?;
    started(runtime, ReplayRequest { target: ReplayTarget::Plan(planned.id), ..request }).await
}

async fn started(runtime: &Runtime, request: ReplayRequest) -> Result<Response, Problem> {
    let replay = progress(&runtime.start_replay(request).await?);
    let location = HeaderValue::try_from(format!("/api/v1/replays/{}", replay.id)).ok();
    let mut response = (StatusCode::ACCEPTED, Json(replay)).into_response();
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn request(runtime: &Runtime, body: ReplayBody) -> Result<ReplayRequest, Problem> {
    let given = [body.filter.is_some(), body.ids.is_some(), body.plan.is_some()];
    if given.iter().filter(|given| **given).count() > 1 {
        return Err(Problem::new(Code::InvalidBody, "Give exactly one of filter, ids and plan."));
    }
    if let Some(rate) = body.rate
        && !RATES.contains(&rate)
    {
        return Err(Problem::new(Code::InvalidParameter, format!("rate must be 0.1 to 1000 per second, not {rate}.")));
    }
    // What is not said again is as it was planned.
    let mut settings = (ReplayMode::default(), false, NewerPolicy::default(), None);
    let target = match &body.plan {
        Some(text) => {
            let id = text.parse::<ReplayId>();
            let id = id.map_err(|error| Problem::new(Code::InvalidParameter, format!("plan: {error}.")))?;
            let planned = runtime.replay(id).await?.ok_or_else(|| Problem::missing("replay plan", id))?;
            settings = (planned.settings.mode, planned.settings.canary, planned.newer, planned.settings.reason);
            ReplayTarget::Plan(id)
        }
        None => ReplayTarget::Selection(selection(runtime, body.filter.as_deref(), body.ids.as_deref()).await?),
    };
    let (mode, canary, newer, planned_reason) = settings;
    Ok(ReplayRequest {
        target,
        mode: body.mode.map_or(mode, Into::into),
        rate: body.rate,
        canary: body.canary.unwrap_or(canary),
        newer: body.newer.map_or(newer, Into::into),
        reason: reason(body.reason)?.or(planned_reason),
        edit: body.edit.as_deref().map(edited).transpose()?,
        patch: body.patch.as_deref().map(|patch| patch.get().to_owned()),
    })
}

/// A string is the body itself; anything else is the body as JSON, its digits kept.
fn edited(edit: &RawValue) -> Result<Vec<u8>, Problem> {
    let text = edit.get();
    if !text.starts_with('"') {
        return Ok(text.as_bytes().to_vec());
    }
    let body: String = serde_json::from_str(text)
        .map_err(|error| Problem::new(Code::InvalidBody, format!("edit is not a readable string: {error}.")))?;
    Ok(body.into_bytes())
}

fn check_not_empty(planned: &EnginePlan, request: &ReplayRequest) -> Result<(), Problem> {
    if planned.count > 0 {
        return Ok(());
    }
    let by_ids = matches!(&request.target, ReplayTarget::Selection(Selection::Ids(_)));
    if planned.skipped_newer > 0 {
        return Err(Problem::new(
            Code::WrongState,
            "Newer data of the same keys was delivered since, which a replay would overwrite. \
             Send them all the same with newer: \"send\".",
        ));
    }
    match (by_ids, planned.skipped_state) {
        (true, 0) => Err(Problem::new(Code::NotFound, "There are no deliveries with these ids.")),
        (true, _) => {
            Err(Problem::new(Code::WrongState, "None of these is a dead letter: only dead letters are replayed."))
        }
        (false, 0) => Err(nothing("No dead letter matches, so there is nothing to replay.")),
        (false, _) => Err(nothing("What matches is not dead, and only dead letters are replayed.")),
    }
}

/// The edit of one delivery as a patch that its whole group can take.
#[utoipa::path(post, path = "/api/v1/replays/patch", tag = "replays", request_body = EditBody,
    responses((status = 200, body = EditPatch)))]
pub(super) async fn patch_of_edit(
    Running(instance): Running,
    Body(body): Body<EditBody>,
) -> Result<Json<EditPatch>, Problem> {
    let delivery = body.delivery.parse::<DeliveryId>();
    let delivery = delivery.map_err(|error| Problem::new(Code::InvalidParameter, format!("delivery: {error}.")))?;
    let patch = instance.runtime.patch_of_edit(delivery, &edited(&body.edit)?).await?;
    Ok(Json(EditPatch { patch }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemParams {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows: 1 to 500, 50 unless set.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<String>,
}

/// What has become of each delivery of its set, oldest first.
#[utoipa::path(get, path = "/api/v1/replays/{id}/items", tag = "replays",
    params(("id" = String, Path, description = "rpl_…"), ItemParams), responses((status = 200, body = ReplayItems)))]
pub(super) async fn items(
    Running(instance): Running,
    Id(id): Id<ReplayId>,
    Params(params): Params<ItemParams>,
) -> Result<Json<ReplayItems>, Problem> {
    let limit = page_limit(params.limit.as_deref())?;
    let cursor = params.cursor.as_deref().map(str::parse::<DeliveryId>).transpose();
    let cursor = cursor
        .map_err(|error| Problem::new(Code::InvalidCursor, format!("cursor: {error}. Begin again without it.")))?;
    let runtime = &instance.runtime;
    runtime.replay(id).await?.ok_or_else(|| Problem::missing("replay", id))?;
    let rows = runtime.store().replay_items(id, cursor, limit).await?;
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|last| last.delivery.to_string());
    Ok(Json(ReplayItems { items: rows.iter().map(item).collect(), next }))
}

/// Ends it and makes what was not sent exactly what it was before; a request that went out cannot be unsent.
#[utoipa::path(post, path = "/api/v1/replays/{id}/undo", tag = "replays",
    params(("id" = String, Path, description = "rpl_…")), responses((status = 202, body = Replay)))]
pub(super) async fn undo(
    Running(instance): Running,
    Id(id): Id<ReplayId>,
    _: NoBody,
) -> Result<(StatusCode, Json<Replay>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(progress(&instance.runtime.undo_replay(id).await?))))
}

/// How far a replay is, or how it ended.
#[utoipa::path(get, path = "/api/v1/replays/{id}", tag = "replays",
    params(("id" = String, Path, description = "rpl_…")), responses((status = 200, body = Replay)))]
pub(super) async fn one(
    Running(instance): Running,
    Id(id): Id<ReplayId>,
    _: NoParams,
) -> Result<Json<Replay>, Problem> {
    let row = instance.runtime.replay(id).await?.ok_or_else(|| Problem::missing("replay", id))?;
    Ok(Json(progress(&row)))
}

/// Starts nothing more until it is resumed; what is on its way ends.
#[utoipa::path(post, path = "/api/v1/replays/{id}/pause", tag = "replays",
    params(("id" = String, Path, description = "rpl_…")), responses((status = 200, body = Replay)))]
pub(super) async fn pause(
    Running(instance): Running,
    Id(id): Id<ReplayId>,
    _: NoBody,
) -> Result<Json<Replay>, Problem> {
    Ok(Json(progress(&instance.runtime.pause_replay(id).await?)))
}

/// Goes on after a pause.
#[utoipa::path(post, path = "/api/v1/replays/{id}/resume", tag = "replays",
    params(("id" = String, Path, description = "rpl_…")), responses((status = 200, body = Replay)))]
pub(super) async fn resume(
    Running(instance): Running,
    Id(id): Id<ReplayId>,
    _: NoBody,
) -> Result<Json<Replay>, Problem> {
    Ok(Json(progress(&instance.runtime.resume_replay(id).await?)))
}

/// Ends it; what has not started stays dead.
#[utoipa::path(post, path = "/api/v1/replays/{id}/cancel", tag = "replays",
    params(("id" = String, Path, description = "rpl_…")), responses((status = 200, body = Replay)))]
pub(super) async fn cancel(
    Running(instance): Running,
    Id(id): Id<ReplayId>,
    _: NoBody,
) -> Result<Json<Replay>, Problem> {
    Ok(Json(progress(&instance.runtime.cancel_replay(id).await?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_a_string_as_it_is_or_json_with_its_digits() {
        let raw = |text: &str| serde_json::from_str::<Box<RawValue>>(text).unwrap();
        assert_eq!(edited(&raw(r#""a \"b\"\né""#)).unwrap(), "a \"b\"\né".as_bytes());
        assert_eq!(edited(&raw(r#"{"amount": 1.10}"#)).unwrap(), br#"{"amount": 1.10}"#);
        assert_eq!(edited(&raw("12345678901234567890")).unwrap(), b"12345678901234567890");
    }
}

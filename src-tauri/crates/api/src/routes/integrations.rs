//! Integrations: how they do, how they are set up, pause and resume.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use signalbox_engine::Runtime;
use signalbox_engine::view::PauseScope;
use signalbox_model::verify::Scheme;
use signalbox_workspace::workspace::{Source, Workspace};

use crate::dto::integration::{Integration, Integrations};
use crate::dto::overview::IntegrationRow;
use crate::extract::{Name, NameOf, NoBody, NoParams};
use crate::overview::row;
use crate::problem::Problem;
use crate::state::Running;
use crate::view::problems::problem;

/// The window of the figures.
const WINDOW: Duration = Duration::from_secs(3_600);

/// Every integration of the workspace, by name.
#[utoipa::path(get, path = "/api/v1/integrations", tag = "integrations", responses((status = 200, body = Integrations)))]
pub(super) async fn list(Running(instance): Running, _: NoParams) -> Result<Json<Integrations>, Problem> {
    let runtime = &instance.runtime;
    let workspace = runtime.workspace();
    let items: Vec<Integration> = rows(runtime).await?.into_iter().map(|row| shown(&workspace, row)).collect();
    let told = |problem: &signalbox_workspace::Problem| {
        items.iter().any(|item| item.problems.iter().any(|own| own.file == problem.file))
    };
    let problems = workspace.problems.iter().filter(|problem| !told(problem)).map(problem).collect();
    Ok(Json(Integrations { items, next: None, problems }))
}

/// One integration.
#[utoipa::path(get, path = "/api/v1/integrations/{name}", tag = "integrations",
    params(("name" = String, Path)), responses((status = 200, body = Integration)))]
pub(super) async fn one(
    Running(instance): Running,
    Name(name): Name,
    _: NoParams,
) -> Result<Json<Integration>, Problem> {
    Ok(Json(find(&instance.runtime, &name).await?))
}

/// Stops its deliveries from being sent; events are still accepted, and wait.
#[utoipa::path(post, path = "/api/v1/integrations/{name}/pause", tag = "integrations",
    params(("name" = String, Path)), responses((status = 200, body = Integration)))]
pub(super) async fn pause(
    Running(instance): Running,
    Name(name): Name,
    _: NoBody,
) -> Result<Json<Integration>, Problem> {
    instance.runtime.pause(PauseScope::Integration(name.clone())).await?;
    Ok(Json(find(&instance.runtime, &name).await?))
}

/// Lets its deliveries go on.
#[utoipa::path(post, path = "/api/v1/integrations/{name}/resume", tag = "integrations",
    params(("name" = String, Path)), responses((status = 200, body = Integration)))]
pub(super) async fn resume(
    Running(instance): Running,
    Name(name): Name,
    _: NoBody,
) -> Result<Json<Integration>, Problem> {
    instance.runtime.resume(PauseScope::Integration(name.clone())).await?;
    Ok(Json(find(&instance.runtime, &name).await?))
}

/// Stops one of its destinations; what is for it waits.
#[utoipa::path(post, path = "/api/v1/integrations/{name}/destinations/{destination}/pause", tag = "integrations",
    params(("name" = String, Path), ("destination" = String, Path)), responses((status = 200, body = Integration)))]
pub(super) async fn pause_destination(
    Running(instance): Running,
    NameOf(integration, destination): NameOf,
    _: NoBody,
) -> Result<Json<Integration>, Problem> {
    let scope = PauseScope::Destination { integration: integration.clone(), destination };
    instance.runtime.pause(scope).await?;
    Ok(Json(find(&instance.runtime, &integration).await?))
}

/// Lets what waits for the destination go on.
#[utoipa::path(post, path = "/api/v1/integrations/{name}/destinations/{destination}/resume", tag = "integrations",
    params(("name" = String, Path), ("destination" = String, Path)), responses((status = 200, body = Integration)))]
pub(super) async fn resume_destination(
    Running(instance): Running,
    NameOf(integration, destination): NameOf,
    _: NoBody,
) -> Result<Json<Integration>, Problem> {
    let scope = PauseScope::Destination { integration: integration.clone(), destination };
    instance.runtime.resume(scope).await?;
    Ok(Json(find(&instance.runtime, &integration).await?))
}

async fn rows(runtime: &Runtime) -> Result<Vec<IntegrationRow>, Problem> {
    let signals = runtime.signals().overview(WINDOW).await?;
    let mut rows = row::all(runtime, &signals);
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

async fn find(runtime: &Runtime, name: &str) -> Result<Integration, Problem> {
    let workspace: Arc<Workspace> = runtime.workspace();
    let row = rows(runtime).await?.into_iter().find(|row| row.name == name);
    let row = row.ok_or_else(|| Problem::missing("integration", name))?;
    Ok(shown(&workspace, row))
}

fn shown(workspace: &Workspace, row: IntegrationRow) -> Integration {
    let known = workspace.integrations.get(&row.name);
    let webhook = known.map(|known| match &known.source {
        Source::Webhook(webhook) => webhook,
    });
    Integration {
        path: webhook.map(|webhook| webhook.path.clone()),
        verify: webhook.map(|webhook| scheme(&webhook.verify.scheme).to_owned()),
        version: known.map(|known| known.version.clone()),
        problems: workspace.problems_of(&row.name).iter().map(problem).collect(),
        steps: known.map(|known| known.steps.iter().map(|step| step.kind().to_owned()).collect()).unwrap_or_default(),
        row,
    }
}

/// As it is written in the file.
const fn scheme(scheme: &Scheme) -> &'static str {
    match scheme {
        Scheme::StandardWebhooks => "standard-webhooks",
        Scheme::Stripe => "stripe",
        Scheme::Github => "github",
        Scheme::Shopify => "shopify",
        Scheme::Slack => "slack",
        Scheme::Hubspot => "hubspot",
        Scheme::Twilio => "twilio",
        Scheme::Bearer => "bearer",
        Scheme::Basic { .. } => "basic",
        Scheme::ApiKey { .. } => "api-key",
        Scheme::Hmac(_) => "hmac",
        Scheme::Jwt(_) => "jwt",
        Scheme::SalesforceOutbound { .. } => "salesforce-outbound",
        Scheme::None => "none",
    }
}

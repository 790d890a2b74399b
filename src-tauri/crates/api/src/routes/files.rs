//! An integration's files: read, tried on stored events, saved.

use axum::Json;
use signalbox_engine::view::{Preview as EnginePreview, PreviewExample as EngineExample};
use signalbox_workspace::{IntegrationFiles as Files, SaveError};

use super::selection;
use crate::dto::preview::{IntegrationFiles, Preview, PreviewBody, PreviewExample, SaveBody, WorkspaceFile};
use crate::extract::{Json as Body, Name, NoParams};
use crate::problem::{Code, Problem};
use crate::state::Running;
use crate::view::problems::problem;

const LAST: u32 = 100;
const MOST: u32 = 1_000;

/// Its own file and those that it names, as they are on the disk.
#[utoipa::path(get, path = "/api/v1/integrations/{name}/files", tag = "integrations",
    params(("name" = String, Path)), responses((status = 200, body = IntegrationFiles)))]
pub(super) async fn read(
    Running(instance): Running,
    Name(name): Name,
    _: NoParams,
) -> Result<Json<IntegrationFiles>, Problem> {
    let (runtime, asked) = (instance.runtime.clone(), name.clone());
    let read = tokio::task::spawn_blocking(move || runtime.integration_files(&asked)).await;
    let files = read.ok().flatten().ok_or_else(|| Problem::missing("integration", name))?;
    Ok(Json(shown(files)))
}

/// Saves changed files after checking them; they run within about half a second, as any edit.
#[utoipa::path(post, path = "/api/v1/integrations/{name}/files", tag = "integrations", request_body = SaveBody,
    params(("name" = String, Path)), responses((status = 200, body = IntegrationFiles)))]
pub(super) async fn save(
    Running(instance): Running,
    Name(name): Name,
    Body(body): Body<SaveBody>,
) -> Result<Json<IntegrationFiles>, Problem> {
    if body.files.is_empty() {
        return Err(Problem::new(Code::InvalidBody, "There is no file to save."));
    }
    let saved = instance.runtime.save_files(name.clone(), body.files, body.version).await;
    saved.map(|files| Json(shown(files))).map_err(|error| match error {
        SaveError::Missing(_) => Problem::missing("integration", name),
        SaveError::Changed => Problem::new(Code::WrongState, capital(&error)),
        SaveError::Wrong(problems) => {
            let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let detail = format!("The files have errors, so nothing was saved. {}", said.join("; "));
            Problem::new(Code::InvalidParameter, detail)
        }
        SaveError::NotItsFile(_) => Problem::new(Code::InvalidParameter, capital(&error)),
        SaveError::Io { .. } => Problem::new(Code::Unavailable, capital(&error)),
    })
}

fn capital(error: &SaveError) -> String {
    let text = error.to_string();
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", rest.as_str())
}

/// Runs changed files over the newest stored events, and says what would become of them. Nothing is sent or saved.
#[utoipa::path(post, path = "/api/v1/integrations/{name}/preview", tag = "integrations", request_body = PreviewBody,
    params(("name" = String, Path)), responses((status = 200, body = Preview)))]
pub(super) async fn preview(
    Running(instance): Running,
    Name(name): Name,
    Body(body): Body<PreviewBody>,
) -> Result<Json<Preview>, Problem> {
    let last = body.last.unwrap_or(LAST);
    if !(1..=MOST).contains(&last) {
        return Err(Problem::new(Code::InvalidParameter, format!("last must be 1 to {MOST}, not {last}.")));
    }
    let runtime = &instance.runtime;
    let filter = selection::filter(runtime, body.filter.as_deref()).await?;
    Ok(Json(told(runtime.preview(&name, body.files, last, filter).await?)))
}

fn shown(files: Files) -> IntegrationFiles {
    let files_shown = files.files.into_iter().map(|(path, text)| WorkspaceFile { path, text }).collect();
    IntegrationFiles { version: files.version, files: files_shown }
}

fn told(preview: EnginePreview) -> Preview {
    Preview {
        version: preview.version,
        events: preview.events,
        complete: preview.complete,
        checked: preview.checked,
        same: preview.same,
        changed: preview.changed,
        new_failures: preview.new_failures,
        mended: preview.mended,
        filtered: preview.filtered,
        problems: preview.problems.iter().map(problem).collect(),
        examples: preview.examples.into_iter().map(example).collect(),
        seconds: (preview.took.as_secs_f64() * 1_000.0).round() / 1_000.0,
    }
}

fn example(example: EngineExample) -> PreviewExample {
    PreviewExample {
        event: example.event.to_string(),
        destination: example.destination,
        outcome: example.outcome.as_str().to_owned(),
        before: example.before,
        after: example.after,
        error: example.error,
        diff: example.diff.into_iter().map(Into::into).collect(),
    }
}

//! The window: one webview, one command into the router, and a quit that drains.
//!
//! The engine is the same as in `signalbox serve`; nothing here knows what the panel shows. What the page may do is in
//! `tauri.conf.json` and is held by the tests in `hardening.rs`.

mod engine;
mod frame;
#[cfg(test)]
mod hardening;
mod quit;
pub mod renderer;
mod request;
mod window;

use tauri::ipc::Response;
use tauri::{AppHandle, Manager, RunEvent, State, Webview};

use crate::app::{App, AppOptions};
use engine::Engine;
use quit::Quit;
use request::Call;

/// Opens the window over an engine with these options and returns when both have ended.
///
/// # Errors
/// Where the platform has no display or no webview, with Tauri's reason. An engine that cannot start is no error here: the
/// window opens and says why.
pub fn run(options: AppOptions) -> anyhow::Result<()> {
    let app = tauri::Builder::default()
        // First, so that a second start ends here, before it reaches for the first one's ledger.
        .plugin(tauri_plugin_single_instance::init(|app, _arguments, _directory| window::focus(app)))
        .plugin(tauri_plugin_window_state::Builder::new().build())
        .invoke_handler(tauri::generate_handler![request])
        .setup(move |app| {
            let started = tauri::async_runtime::block_on(App::start(options));
            if let Err(cause) = &started {
                tracing::error!("the engine did not start: {cause:#}");
            }
            app.manage(Engine::new(started));
            app.manage(Quit::default());
            quit::on_signals(app.handle().clone());
            window::open(app.handle())?;
            Ok(())
        })
        .build(context())?;
    app.run(on_event);
    Ok(())
}

/// `tauri.conf.json` and the built panel, compiled in.
#[expect(clippy::exit, reason = "the macro's code ends the process where the embedded assets are damaged")]
fn context() -> tauri::Context {
    tauri::generate_context!()
}

fn on_event(app: &AppHandle, event: RunEvent) {
    if let RunEvent::ExitRequested { api, .. } = event {
        app.state::<Quit>().on_exit_requested(app, &api);
    }
}

/// The one command. Its frame is described in [`frame`], its limits in [`request`].
#[tauri::command]
async fn request(
    webview: Webview,
    engine: State<'_, Engine>,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
) -> Result<Response, String> {
    // The access list says the same; this holds if someone widens it.
    if webview.label() != window::LABEL {
        return Err("only the main window may speak to the engine".to_owned());
    }
    let call = Call { method, path, headers, body };
    Ok(Response::new(request::answer(engine.router(), call).await))
}

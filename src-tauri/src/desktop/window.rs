//! The one window: opened from `tauri.conf.json`, kept on the app's own pages, brought forward by a second start.

use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager, Runtime, Url, WebviewWindowBuilder};

/// The label in `tauri.conf.json`; the only one that a capability names.
pub const LABEL: &str = "main";

/// Opens the window. It shows the app's own origin and nothing else, and opens no further window.
///
/// # Errors
/// Where the configuration names no window, or the platform cannot make one.
pub fn open<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let config =
        app.config().app.windows.iter().find(|window| window.label == LABEL).ok_or(tauri::Error::WindowNotFound)?;
    WebviewWindowBuilder::from_config(app, config)?
        .on_navigation(|url| {
            let own = is_own_page(url);
            if !own {
                tracing::warn!(%url, "the window refused to leave the panel");
            }
            own
        })
        .on_new_window(|url, _| {
            tracing::warn!(%url, "the window refused to open another one");
            NewWindowResponse::Deny
        })
        .build()?;
    Ok(())
}

/// Brings the window forward; a second start does this instead of opening a second one.
pub fn focus<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    for step in [window.unminimize(), window.show(), window.set_focus()] {
        if let Err(cause) = step {
            tracing::debug!(%cause, "the window could not be brought forward");
        }
    }
}

/// The origin under which Tauri serves the embedded panel: `tauri://localhost`, on Windows `http://tauri.localhost`.
fn is_own_page(url: &Url) -> bool {
    let no_extras = url.port().is_none() && url.username().is_empty() && url.password().is_none();
    let own = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" if cfg!(windows) => url.host_str() == Some("tauri.localhost"),
        _ => false,
    };
    own && no_extras
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(windows))]
    fn the_window_stays_on_its_own_origin() {
        for own in ["tauri://localhost", "tauri://localhost/", "tauri://localhost/index.html?a=b#/deliveries"] {
            assert!(is_own_page(&own.parse().unwrap()), "{own}");
        }
        for foreign in [
            "https://example.test/",
            "http://localhost/",
            "http://127.0.0.1:7420/",
            "http://tauri.localhost/",
            "tauri://evil.test/",
            "tauri://localhost:80/",
            "tauri://me@localhost/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
            "about:blank",
            "blob:tauri://localhost/1",
        ] {
            assert!(!is_own_page(&foreign.parse().unwrap()), "{foreign}");
        }
    }
}

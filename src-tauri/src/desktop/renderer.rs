//! Chooses WebKit's way of drawing before the window exists.

use std::ffi::OsStr;
use std::path::Path;

const DISABLE_DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// Starts this program again with WebKit's DMABUF renderer off, where the machine has no render node.
///
/// Without a `/dev/dri/renderD*`, as in many virtual machines and over remote displays, WebKitGTK 2.50 paints an empty window
/// with that renderer. A value that the person has set stays. The variable has to be there before GTK starts its
/// threads, and a process cannot change its own environment safely by then: hence the `exec`, which keeps the process id.
///
/// # Errors
/// Where the program could not be started again; the window may then stay white, but everything else works.
#[cfg(target_os = "linux")]
pub fn prepare() -> std::io::Result<()> {
    use std::os::unix::process::CommandExt;

    if !needs_fallback(std::env::var_os(DISABLE_DMABUF).as_deref(), Path::new("/dev/dri")) {
        return Ok(());
    }
    let program = std::env::current_exe()?;
    Err(std::process::Command::new(program).args(std::env::args_os().skip(1)).env(DISABLE_DMABUF, "1").exec())
}

/// Other platforms draw with a webview of their own.
///
/// # Errors
/// None; the signature is that of Linux.
#[cfg(not(target_os = "linux"))]
pub fn prepare() -> std::io::Result<()> {
    Ok(())
}

fn needs_fallback(set: Option<&OsStr>, devices: &Path) -> bool {
    set.is_none() && !has_render_node(devices)
}

fn has_render_node(devices: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(devices) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_render_node_gets_the_fallback() {
        let devices = tempfile::tempdir().unwrap();
        std::fs::write(devices.path().join("card0"), "").unwrap();
        assert!(needs_fallback(None, devices.path()));
        assert!(needs_fallback(None, &devices.path().join("missing")));
    }

    #[test]
    fn a_render_node_keeps_the_faster_renderer() {
        let devices = tempfile::tempdir().unwrap();
        std::fs::write(devices.path().join("renderD128"), "").unwrap();
        assert!(!needs_fallback(None, devices.path()));
    }

    #[test]
    fn what_the_person_has_set_stays() {
        let devices = tempfile::tempdir().unwrap();
        assert!(!needs_fallback(Some(OsStr::new("0")), devices.path()));
    }
}

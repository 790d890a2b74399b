//! Gives the window its commands and capabilities; the headless build has nothing to prepare.

fn main() {
    #[cfg(feature = "desktop")]
    desktop();
}

#[cfg(feature = "desktop")]
#[allow(clippy::exit, clippy::print_stderr, clippy::print_stdout, reason = "a build script speaks to the person by failing")]
fn desktop() {
    println!("cargo:rerun-if-changed=ui/dist");
    if !std::path::Path::new("ui/dist/index.html").exists() {
        eprintln!("The panel is not built: ui/dist/index.html is missing. Run `make panel` (or `npm ci && npm run build` in ui/).");
        std::process::exit(1);
    }
    // Listing the command puts it under the access list: a window without the permission cannot call it.
    let manifest = tauri_build::AppManifest::new().commands(&["request"]);
    let attributes = tauri_build::Attributes::new().app_manifest(manifest);
    if let Err(error) = tauri_build::try_build(attributes) {
        eprintln!("tauri.conf.json cannot be used: {error:#}");
        std::process::exit(1);
    }
}

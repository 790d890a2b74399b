//! Gives the window its command and capability; the headless build has nothing to prepare.

fn main() {
    #[cfg(feature = "desktop")]
    desktop();
}

#[cfg(feature = "desktop")]
fn desktop() {
    println!("cargo::rerun-if-changed=ui/dist");
    if !std::path::Path::new("ui/dist/index.html").exists() {
        println!("cargo::error=The panel is not built: ui/dist/index.html is missing. Run `make panel`.");
        return;
    }
    // Listing the command puts it under the access list: a window without the permission cannot call it.
    let manifest = tauri_build::AppManifest::new().commands(&["request"]);
    let attributes = tauri_build::Attributes::new().app_manifest(manifest);
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error=The window cannot be prepared from tauri.conf.json: {error:#}");
    }
}

//! Holds what `tauri.conf.json` allows the page: any relaxation has to be made here too, in sight of a reviewer.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::window::LABEL;

fn read(path: impl Into<PathBuf>) -> String {
    // Cargo runs tests in the package's folder, and clones share a folder of builds.
    let path = path.into();
    std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

fn config() -> Value {
    serde_json::from_str(&read("tauri.conf.json")).unwrap()
}

#[test]
fn the_page_may_load_its_own_files_and_speak_to_the_app_only() {
    let expected = json!({
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "ipc: http://ipc.localhost",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-src": "'none'",
        "frame-ancestors": "'none'",
    });
    assert_eq!(config()["app"]["security"]["csp"], expected);
}

#[test]
fn one_capability_lets_one_window_call_one_command() {
    let config = config();
    let capabilities = config["app"]["security"]["capabilities"].as_array().unwrap();
    assert_eq!(capabilities.len(), 1);
    let keys: Vec<&String> = capabilities[0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["identifier", "description", "windows", "permissions"],
        "`remote`, `webviews` and `platforms` widen"
    );
    assert_eq!(capabilities[0]["windows"], json!([LABEL]));
    assert_eq!(capabilities[0]["permissions"], json!(["allow-request"]));
    assert!(!Path::new("capabilities").exists(), "a capability in a file would count as well");
}

#[test]
fn nothing_else_of_the_shell_is_relaxed() {
    let config = config();
    let app = config["app"].as_object().unwrap();
    let keys: Vec<&String> = app.keys().collect();
    assert_eq!(keys, ["withGlobalTauri", "windows", "security"]);
    assert_eq!(app["withGlobalTauri"], json!(false));
    let security: Vec<&String> = app["security"].as_object().unwrap().keys().collect();
    assert_eq!(
        security,
        ["csp", "freezePrototype", "capabilities"],
        "`devCsp`, `assetProtocol`, `dangerousDisableAssetCspModification`, `pattern` and `headers` stay at their strict defaults"
    );
    assert_eq!(app["security"]["freezePrototype"], json!(true));
    assert!(config.get("plugins").is_none(), "no plugin is configured for the page");
}

#[test]
fn the_only_window_is_opened_by_our_code_with_its_guards_on() {
    let config = config();
    let windows = config["app"]["windows"].as_array().unwrap();
    assert_eq!(windows.len(), 1);
    assert_eq!((&windows[0]["label"], &windows[0]["create"]), (&json!(LABEL), &json!(false)));
    assert!(windows[0].get("url").is_none(), "the window shows the embedded panel");
}

#[test]
fn every_command_is_under_the_access_list() {
    let shell = read("src-tauri/src/desktop/mod.rs");
    let build = read("src-tauri/build.rs");
    assert!(
        shell.contains("generate_handler![request]"),
        "a new command belongs here, in build.rs and in a capability"
    );
    assert!(build.contains(".commands(&[\"request\"])"));
    assert_eq!(shell.matches("#[tauri::command]").count(), 1);
}

#[test]
fn developer_tools_do_not_ship() {
    let manifest = read("Cargo.toml");
    let tauri = manifest.lines().find(|line| line.starts_with("tauri = {") && line.contains("version")).unwrap();
    assert!(!tauri.contains("devtools"), "{tauri}");
}

//! Edits while running.

use std::sync::Arc;

use signalbox_workspace::{Integration, Workspace, integration_from_files, reload};

use crate::common::{INTEGRATION, SYSTEM, codes, said, with};

fn orders(workspace: &Workspace) -> &Arc<Integration> {
    &workspace.integrations["orders"]
}

#[test]
fn what_has_not_changed_is_the_same() {
    let folder = with(INTEGRATION);
    let first = folder.load();
    folder.write("integrations/orders.toml", format!("# a comment\n{INTEGRATION}"));
    folder.write("systems/shop.toml", format!("# a comment\n{SYSTEM}"));
    let second = reload(&first).unwrap();
    assert!(Arc::ptr_eq(orders(&first), orders(&second)));
    assert!(Arc::ptr_eq(&first.systems["shop"], &second.systems["shop"]));
}

#[test]
fn a_right_edit_is_taken() {
    let folder = with(INTEGRATION);
    let first = folder.load();
    folder.write("integrations/orders.toml", INTEGRATION.replace("/hooks/orders", "/hooks/new"));
    folder.write("systems/shop.toml", format!("{SYSTEM}timeout = \"3s\"\n"));
    let second = reload(&first).unwrap();
    assert_eq!(orders(&second).webhook_path(), "/hooks/new");
    assert_ne!(orders(&second).version, orders(&first).version);
    assert_eq!(second.systems["shop"].timeout.as_secs(), 3);
}

#[test]
fn a_wrong_edit_leaves_the_old_version_running_and_says_so() {
    let folder = with(INTEGRATION);
    let first = folder.load();
    folder.write("integrations/orders.toml", "[source\n");
    folder.write("systems/shop.toml", "base_url = \"http://example.com\"\n");
    let second = reload(&first).unwrap();
    assert!(Arc::ptr_eq(orders(&first), orders(&second)));
    assert!(Arc::ptr_eq(&first.systems["shop"], &second.systems["shop"]));
    assert!(second.broken.is_empty());
    assert!(codes(&second).contains(&"toml-syntax") && codes(&second).contains(&"plain-http"));
    assert!(!second.problems_of("orders").is_empty());

    folder.write("integrations/orders.toml", INTEGRATION);
    folder.write("systems/shop.toml", SYSTEM);
    let third = reload(&second).unwrap();
    assert_eq!(said(&third), Vec::<String>::new());
}

#[test]
fn a_removed_integration_is_gone_and_a_new_one_runs() {
    let folder = with(INTEGRATION);
    let first = folder.load();
    folder.remove("integrations/orders.toml");
    folder.write("integrations/new.toml", INTEGRATION);
    let second = reload(&first).unwrap();
    assert_eq!(second.integrations.keys().collect::<Vec<_>>(), ["new"]);
    assert_eq!(said(&second), Vec::<String>::new());
}

#[test]
fn a_removed_system_stays_for_those_that_use_it() {
    let folder = with(INTEGRATION);
    let first = folder.load();
    folder.remove("systems/shop.toml");
    let second = reload(&first).unwrap();
    assert_eq!(codes(&second), ["unknown-system"]);
    assert!(Arc::ptr_eq(orders(&first), orders(&second)));
    assert!(second.systems.contains_key("shop"));

    folder.remove("integrations/orders.toml");
    assert!(reload(&second).unwrap().systems.is_empty());
}

#[test]
fn a_running_integration_keeps_its_path_against_a_newcomer() {
    let folder = with(INTEGRATION);
    let first = folder.load();
    folder.write("integrations/a-newcomer.toml", INTEGRATION);
    let second = reload(&first).unwrap();
    assert!(second.integrations.contains_key("orders") && second.broken.contains_key("a-newcomer"));

    // Also while its own file is wrong and its old version runs on.
    folder.write("integrations/orders.toml", "=");
    let third = reload(&second).unwrap();
    assert!(third.integrations.contains_key("orders") && third.broken.contains_key("a-newcomer"));

    folder.remove("integrations/orders.toml");
    let fourth = reload(&third).unwrap();
    assert_eq!(fourth.integrations.keys().collect::<Vec<_>>(), ["a-newcomer"]);
}

#[test]
fn no_two_running_integrations_ever_share_a_path() {
    let path = |text: &str| INTEGRATION.replace("/hooks/orders", text);
    let folder = with(&path("/a"));
    folder.write("integrations/second.toml", path("/b"));
    folder.write("integrations/third.toml", path("/c"));
    let first = folder.load();
    // "orders" wants the path of "second", which is refused that of "third" and so keeps its own.
    folder.write("integrations/orders.toml", path("/b"));
    folder.write("integrations/second.toml", path("/c"));
    let second = reload(&first).unwrap();
    let paths: Vec<&str> = second.integrations.values().map(|integration| integration.webhook_path()).collect();
    assert_eq!(paths, ["/a", "/b", "/c"]);
    assert_eq!(codes(&second), ["duplicate-path", "duplicate-path"]);
}

#[test]
fn a_broken_jq_file_leaves_the_old_program_running() {
    let folder = with(&format!("{INTEGRATION}[[steps]]\nkind = \"map\"\njq_file = \"a.jq\"\n"));
    folder.write("a.jq", ".a");
    let first = folder.load();
    folder.write("a.jq", ".a | (");
    let second = reload(&first).unwrap();
    assert!(Arc::ptr_eq(orders(&first), orders(&second)));
    assert_eq!(second.problems_of("orders").len(), 1);
}

#[test]
fn a_folder_that_has_gone_is_an_error() {
    let folder = with(INTEGRATION);
    let first = folder.load();
    drop(folder);
    assert!(reload(&first).is_err());
}

#[test]
fn the_kept_files_of_a_version_make_that_version_again() {
    let folder = with(&format!("{INTEGRATION}[[steps]]\nkind = \"map\"\njq_file = \"./a.jq\"\n"));
    folder.write("a.jq", ".a");
    let kept = orders(&folder.load()).clone();
    folder.remove("a.jq");
    let again = integration_from_files("orders", &kept.files).unwrap();
    assert_eq!((again.version.as_str(), again.steps.len()), (kept.version.as_str(), 1));
    assert_eq!(again.files, kept.files);
    assert!(integration_from_files("orders", &kept.files[..1]).is_none(), "a file of it is not there");
    assert!(integration_from_files("orders", &[]).is_none());
}

//! What `init` makes is right, and it replaces nothing.

use std::fs;

use signalbox_workspace::{InitError, example_names, init, load, write_new_files};

use crate::common::{Folder, said};

#[test]
fn every_example_is_a_workspace_without_a_problem() {
    for name in example_names() {
        let folder = Folder::new(&[]);
        let made = init(folder.path(), Some(name)).unwrap();
        assert!(made.iter().all(|path| path.exists()));
        let workspace = load(folder.path()).unwrap();
        assert_eq!(said(&workspace), Vec::<String>::new(), "{name}");
        assert!(!workspace.integrations.is_empty(), "{name}");
    }
}

#[test]
fn without_an_example_a_workspace_is_empty() {
    let folder = Folder::new(&[]);
    let dir = folder.path().join("new/place");
    assert_eq!(init(&dir, None).unwrap().len(), 2);
    assert!(load(&dir).unwrap().is_empty());
    assert_eq!(init(&dir, None).unwrap().len(), 0, "a second time there is nothing to do");
}

#[test]
fn a_file_that_is_there_is_kept_and_nothing_is_written() {
    let folder = Folder::new(&[("systems/crm.toml", "mine")]);
    let refused = init(folder.path(), Some("crm-sync")).unwrap_err();
    assert!(matches!(refused, InitError::Exists { .. }), "{refused}");
    assert_eq!(fs::read_to_string(folder.path().join("systems/crm.toml")).unwrap(), "mine");
    assert!(!folder.path().join("integrations").exists());
}

#[test]
fn an_unknown_example_is_suggested() {
    let folder = Folder::new(&[]);
    let refused = init(folder.path(), Some("crm-sink")).unwrap_err().to_string();
    assert_eq!(
        refused,
        "there is no example 'crm-sink'; did you mean 'crm-sync'?: use 'webhook-to-http' or 'crm-sync'"
    );
}

#[test]
fn new_files_stay_in_the_workspace() {
    let folder = Folder::new(&[]);
    for file in ["../x", "/x", "", "a/../../x"] {
        assert!(matches!(write_new_files(folder.path(), &[(file, "")]), Err(InitError::Outside { .. })), "{file}");
    }
}

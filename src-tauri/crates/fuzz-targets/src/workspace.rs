//! The files of a workspace.

use std::fs;

use signalbox_workspace::{integration_from_files, load};

/// An integration, a system, a `.jq` file and a file of keys, with NUL bytes between them.
pub(crate) fn config(data: &[u8]) {
    let [integration, system, program, keys] = crate::texts(data);
    let files = [
        ("integrations/a.toml", integration),
        ("systems/s.toml", system),
        ("a.jq", program.clone()),
        ("keys.json", keys.clone()),
        ("schema.json", keys),
    ];
    let kept: Vec<(String, String)> = files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
    let alone = integration_from_files("a", &kept).is_some();

    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in &files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let workspace = load(folder.path()).expect("a folder with any files is a workspace, right or wrong");
    for problem in &workspace.problems {
        assert!(problem.line >= 1 && problem.column >= 1, "{problem}");
    }
    // What runs now can be built from its kept files later.
    assert!(alone || !workspace.integrations.contains_key("a"), "it runs, and could not be built again");
}

//! Schemas and `.jq` files that an integration names.

use signalbox_workspace::Step;

use crate::common::{Folder, INTEGRATION, codes, said, with};

fn with_step(step: &str) -> Folder {
    with(&format!("{INTEGRATION}[[steps]]\n{step}\n"))
}

#[test]
fn a_file_makes_part_of_the_version_and_is_kept_with_it() {
    let folder = with_step("kind = \"map\"\njq_file = \"./maps/order.jq\"");
    folder.write("maps/order.jq", ".a");
    let first = folder.load();
    assert_eq!(said(&first), Vec::<String>::new());
    let first = &first.integrations["orders"];
    let files: Vec<&str> = first.files.iter().map(|(file, _)| file.as_str()).collect();
    assert_eq!(files, ["integrations/orders.toml", "maps/order.jq"]);
    assert_eq!(first.files[1].1, ".a");

    folder.write("maps/order.jq", ".b");
    assert_ne!(folder.load().integrations["orders"].version, first.version);
}

#[test]
fn steps_keep_their_order_and_kinds() {
    let folder = with_step(
        "kind = \"validate\"\nschema = \"schemas/order.json\"\n[[steps]]\nkind = \"filter\"\njq = '.paid'\n\
         [[steps]]\nkind = \"map\"\njq = '{ id }'",
    );
    folder.write("schemas/order.json", r#"{ "type": "object" }"#);
    let workspace = folder.load();
    assert_eq!(said(&workspace), Vec::<String>::new());
    let kinds: Vec<&str> = workspace.integrations["orders"].steps.iter().map(Step::kind).collect();
    assert_eq!(kinds, ["validate", "filter", "map"]);
}

#[test]
fn a_file_that_is_missing_is_said_where_it_is_named() {
    let workspace = with_step("kind = \"validate\"\nschema = \"schemas/order.json\"").load();
    assert_eq!(said(&workspace), ["integrations/orders.toml:11:10: 'schema': schemas/order.json does not exist"]);
}

#[test]
fn a_path_out_of_the_workspace_is_refused() {
    for path in ["../secret.jq", "/etc/passwd", "maps/../../x", "", "..", "C:\\\\x", ".signalbox/runtime.json"] {
        let workspace = with_step(&format!("kind = \"map\"\njq_file = \"{path}\"")).load();
        assert_eq!(codes(&workspace), ["outside-workspace"], "{path}");
    }
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_out_of_the_workspace_is_refused_and_one_inside_is_followed() {
    let outside = Folder::new(&[("map.jq", ".a")]);
    let folder = with_step("kind = \"map\"\njq_file = \"maps/order.jq\"");
    folder.write("maps/real.jq", ".a");
    let link = folder.path().join("maps/order.jq");
    std::os::unix::fs::symlink(outside.path().join("map.jq"), &link).unwrap();
    assert_eq!(codes(&folder.load()), ["outside-workspace"]);
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("real.jq", &link).unwrap();
    assert_eq!(said(&folder.load()), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn a_named_pipe_and_a_folder_in_the_place_of_a_file_do_not_hang() {
    let folder = with_step("kind = \"map\"\njq_file = \"maps\"");
    folder.write("maps/x.jq", ".");
    assert_eq!(codes(&folder.load()), ["unreadable-file"]);

    let pipe = folder.path().join("integrations/pipe.toml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(codes(&folder.load()).contains(&"unreadable-file"));
}

#[test]
fn a_file_too_large_to_be_written_by_hand_is_refused() {
    let folder = with(INTEGRATION);
    folder.write("integrations/orders.toml", "#".repeat((4 << 20) + 1));
    let workspace = folder.load();
    assert_eq!(codes(&workspace), ["unreadable-file"]);
    assert!(said(&workspace)[0].contains("larger than 4 MiB"));
}

#[test]
fn a_schema_that_cannot_be_used_is_said_in_its_file() {
    let folder = with_step("kind = \"validate\"\nschema = \"schemas/order.json\"");
    for schema in ["{", r#"{ "type": 5 }"#, r#"{ "$ref": "https://example.com/schema.json" }"#] {
        folder.write("schemas/order.json", schema);
        let workspace = folder.load();
        assert_eq!(codes(&workspace), ["wrong-schema"], "{schema}");
        assert_eq!(workspace.problems[0].file, "schemas/order.json");
    }
}

#[test]
fn one_step_has_one_program() {
    assert_eq!(codes(&with_step("kind = \"map\"").load()), ["missing-key"]);
    let folder = with_step("kind = \"map\"\njq = '.'\njq_file = \"a.jq\"");
    folder.write("a.jq", ".");
    assert_eq!(codes(&folder.load()), ["wrong-value"]);
}

//! Problems say the right file, line and column.

use crate::common::{Folder, INTEGRATION, SYSTEM, said, with};

#[track_caller]
fn says(integration: &str, expected: &[&str]) {
    assert_eq!(said(&with(integration).load()), expected);
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_what_was_meant() {
    says(
        &INTEGRATION.replace("path =", "paht ="),
        &[
            "integrations/orders.toml:1:1: 'path' is missing in [source]: where the sender posts to, as in \"/hooks/orders\"",
            "integrations/orders.toml:3:1: unknown key 'paht' in [source]; did you mean 'path'?",
        ],
    );
    says(
        &INTEGRATION.replace("scheme = \"github\",", "scheme = \"github\", sceme = 1,"),
        &["integrations/orders.toml:4:31: unknown key 'sceme' in verify; did you mean 'scheme'?"],
    );
    says(
        &format!("colour = 1\n{INTEGRATION}"),
        &[
            "integrations/orders.toml:1:1: unknown key 'colour'; known here: 'title', 'source', 'steps' or 'destinations'",
        ],
    );
}

#[test]
fn columns_count_characters_not_bytes() {
    says(
        &INTEGRATION.replace(
            "verify = { scheme = \"github\", secret = \"orders\" }",
            "verify = { scheme = \"basic\", username = \"Zoë€𝄞\", secret = \"Orders\" }\ndedupe = \"off\"",
        ),
        &[
            "integrations/orders.toml:4:59: 'Orders' is not a secret's name: use a-z, 0-9 and '-', at most 64 characters; \
           write the name of the secret here, never its value",
        ],
    );
}

#[test]
fn lines_that_end_in_crlf_and_a_byte_order_mark_do_not_shift_a_place() {
    let wrong = INTEGRATION.replace("name = \"shop\"", "name = \"shop\"\nretriy = 3");
    let expected = "integrations/orders.toml:8:1: unknown key 'retriy' in destination 1; did you mean 'retry'?";
    says(&wrong, &[expected]);
    says(&wrong.replace('\n', "\r\n"), &[expected]);
    says(&format!("\u{feff}{wrong}"), &[expected]);
    says(
        "\u{feff}kind = 1\n[source]\nkind = \"webhook\"\npath = \"/a\"\nverify = { scheme = \"none\" }\ndedupe = \"off\"",
        &[
            "integrations/orders.toml:1:1: warning: no [[destinations]]: events are kept and go nowhere",
            "integrations/orders.toml:1:1: unknown key 'kind'; known here: 'title', 'source', 'steps' or 'destinations'",
        ],
    );
}

#[test]
fn every_mistake_of_a_files_syntax_is_said() {
    let workspace = with("title = \nsource = 5 5\n").load();
    let places: Vec<(usize, &str)> = workspace.problems.iter().map(|problem| (problem.line, problem.code)).collect();
    assert!(places.contains(&(1, "toml-syntax")) && places.contains(&(2, "toml-syntax")), "{:?}", said(&workspace));
}

#[test]
fn a_key_that_is_there_twice_is_said_at_the_second() {
    let workspace = with(&INTEGRATION.replace("kind = \"webhook\"", "kind = \"webhook\"\nkind = \"webhook\"")).load();
    let problem = &workspace.problems[0];
    assert_eq!((problem.line, problem.column, problem.code), (3, 1, "toml-syntax"));
}

#[test]
fn a_mistake_in_jq_is_said_where_it_stands_in_the_toml_file() {
    let step = |jq: &str| format!("{INTEGRATION}[[steps]]\nkind = \"map\"\njq = {jq}\n");
    let place = |jq: &str| {
        let workspace = with(&step(jq)).load();
        let problem = workspace.problems.first().unwrap_or_else(|| panic!("{jq} is taken"));
        assert_eq!(problem.code, "wrong-jq", "{problem}");
        (problem.line, problem.column)
    };
    // The unknown function stands at the same character of the program, however the program is written.
    assert_eq!(place("'.a | nosuchthing'"), (11, 12));
    assert_eq!(place("\".a | nosuchthing\""), (11, 12));
    assert_eq!(place(r#"".\"a\" | nosuchthing""#), (11, 16));
    assert_eq!(place(r#"".\"é\" | nosuchthing""#), (11, 16));
    assert_eq!(place("'''\n.a\n  | nosuchthing'''"), (13, 5));
    assert_eq!(place("\"\"\"\r\n.a\r\n  | nosuchthing\"\"\""), (13, 5));
    assert_eq!(place(r#"".a\n | nosuchthing""#), (11, 14));
}

#[test]
fn a_mistake_in_a_template_is_said_at_its_program() {
    let workspace = with(&format!("{INTEGRATION}request = {{ path = '/o/{{{{ .id | nosuchthing }}}}' }}\n")).load();
    let problem = &workspace.problems[0];
    assert_eq!((problem.line, problem.column, problem.code), (9, 33, "wrong-template"), "{problem}");
}

#[test]
fn a_mistake_in_a_jq_file_is_said_in_that_file() {
    let folder = with(&format!("{INTEGRATION}[[steps]]\nkind = \"map\"\njq_file = \"maps/order.jq\"\n"));
    folder.write("maps/order.jq", ".a\n  | nosuchthing\n");
    let workspace = folder.load();
    let problem = &workspace.problems[0];
    assert_eq!((problem.file.as_str(), problem.line, problem.column), ("maps/order.jq", 2, 5));
    assert_eq!(workspace.broken["orders"], workspace.problems);
    assert_eq!(workspace.problems_of("orders"), workspace.problems);
}

#[test]
fn text_that_is_not_utf8_is_said_at_its_first_wrong_byte() {
    let folder = with(INTEGRATION);
    folder.write("systems/shop.toml", b"title = \"a\"\nbase_url = \"\xc3\xa9\xff\"\n");
    let problem = &folder.load().problems[1];
    assert_eq!((problem.file.as_str(), problem.line, problem.column), ("systems/shop.toml", 2, 14));
    assert_eq!(problem.code, "not-utf8");
}

#[test]
fn everything_wrong_in_every_file_is_said_at_once_and_in_order() {
    let folder = Folder::new(&[
        ("systems/shop.toml", "base_url = \"ftp://example.com\"\ntimeout = \"10\"\nalow_private = true\n"),
        ("systems/crm.toml", SYSTEM),
        (
            "integrations/orders.toml",
            r#"[source]
kind = "webhook"
path = "hooks"
verify = { scheme = "githab", secret = "s" }
max_body = "1MB"

[[destinations]]
name = "a b"
system = "cmr"
on_dead = "parc"
concurrency = 0
retry = { schedule = ["1s", 5], jitter = 2 }
"#,
        ),
    ]);
    let workspace = folder.load();
    let places: Vec<String> =
        workspace.problems.iter().map(|p| format!("{}:{}:{} {}", p.file, p.line, p.column, p.code)).collect();
    assert_eq!(
        places,
        [
            "integrations/orders.toml:3:8 wrong-path",
            "integrations/orders.toml:4:21 unknown-scheme",
            "integrations/orders.toml:5:12 wrong-size",
            "integrations/orders.toml:8:8 wrong-name",
            "integrations/orders.toml:9:10 unknown-system",
            "integrations/orders.toml:10:11 wrong-value",
            "integrations/orders.toml:11:15 out-of-range",
            "integrations/orders.toml:12:29 wrong-type",
            "integrations/orders.toml:12:42 out-of-range",
            "systems/shop.toml:1:12 wrong-url",
            "systems/shop.toml:2:11 wrong-duration",
            "systems/shop.toml:3:1 unknown-key",
        ]
    );
    let suggestions: Vec<&str> = workspace.problems.iter().filter_map(|p| p.suggestion.as_deref()).collect();
    assert_eq!(suggestions, ["github", "crm", "park", "allow_private"]);
}

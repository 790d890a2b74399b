//! What is refused, and what is only warned about.

use signalbox_workspace::{LoadError, load};

use crate::common::{Folder, INTEGRATION, SYSTEM, codes, said, with};

#[track_caller]
fn refused(integration: &str, code: &str, needle: &str) {
    let workspace = with(integration).load();
    let found = workspace.problems.iter().any(|p| p.is_error() && p.code == code && p.to_string().contains(needle));
    assert!(found, "no {code} with '{needle}' in {:?}", said(&workspace));
    assert!(workspace.broken.contains_key("orders") && workspace.integrations.is_empty());
}

#[track_caller]
fn source_refused(lines: &str, code: &str, needle: &str) {
    let verify = if lines.contains("verify") { "" } else { "verify = { scheme = \"none\" }\n" };
    refused(&format!("[source]\nkind = \"webhook\"\npath = \"/a\"\n{verify}{lines}\n"), code, needle);
}

#[track_caller]
fn destination_refused(lines: &str, code: &str, needle: &str) {
    refused(&format!("{INTEGRATION}{lines}\n"), code, needle);
}

#[track_caller]
fn system_says(text: &str, code: &str, needle: &str) {
    let workspace = Folder::new(&[("systems/shop.toml", text)]).load();
    let found = workspace.problems.iter().any(|p| p.is_error() && p.code == code && p.to_string().contains(needle));
    assert!(found, "no {code} with '{needle}' in {:?}", said(&workspace));
}

#[test]
fn what_comes_later_says_so() {
    refused("[source]\nkind = \"poll\"\n", "comes-later", "'poll' comes in a later version");
    refused(&format!("{INTEGRATION}[[steps]]\nkind = \"enrich\"\n"), "comes-later", "'enrich'");
}

#[test]
fn a_source_says_who_may_send() {
    refused("[source]\nkind = \"webhook\"\npath = \"/a\"\n", "missing-key", "'verify' is missing");
    source_refused("verify = { scheme = \"github\" }", "missing-key", "'secret' is missing in verify");
    source_refused("verify = { scheme = \"none\", secret = \"s\" }", "unknown-key", "'secret'");
    source_refused("verify = { scheme = \"github\", secret = [] }", "wrong-value", "names no secret");
    source_refused(
        "verify = { scheme = \"stripe\", secret = \"s\", tolerance = \"1h\" }",
        "out-of-range",
        "30s to 10m",
    );
    source_refused("verify = \"none\"", "wrong-type", "must be a table");
}

#[test]
fn a_jwt_says_its_algorithms_and_where_its_keys_are() {
    let jwt = |keys: &str| format!("verify = {{ scheme = \"jwt\", {keys} }}");
    source_refused(&jwt("secret = \"s\""), "missing-key", "'algorithms' is missing");
    source_refused(&jwt("secret = \"s\", algorithms = [\"none\"]"), "wrong-value", "no signature");
    source_refused(&jwt("secret = \"s\", algorithms = [\"HS265\"]"), "wrong-value", "HS256");
    source_refused(&jwt("secret = \"s\", algorithms = [\"HS256\", \"RS256\"]"), "mixed-algorithms", "one kind");
    source_refused(&jwt("algorithms = [\"HS256\"]"), "missing-key", "'secret' is missing");
    source_refused(&jwt("algorithms = [\"HS256\"], secret = \"s\", jwks = \"a.json\""), "wrong-value", "'jwks'");
    source_refused(&jwt("algorithms = [\"RS256\"]"), "missing-key", "'jwks' is missing");
    source_refused(&jwt("algorithms = [\"RS256\"], secret = \"s\""), "wrong-value", "'secret' goes with HS256");
    source_refused(&jwt("algorithms = [\"RS256\"], jwks = \"keys/none.json\""), "missing-file", "keys/none.json");
    source_refused(&jwt("algorithms = [\"RS256\"], jwks = \"../keys.json\""), "outside-workspace", "'..'");
}

#[test]
fn the_pinned_keys_of_a_jwt_are_checked_when_the_workspace_is_read() {
    // RFC 8037 appendix A.2.
    const ED: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let integration = |algorithm: &str| {
        INTEGRATION.replace(
            "{ scheme = \"github\", secret = \"orders\" }",
            &format!(
                "{{ scheme = \"jwt\", algorithms = [\"{algorithm}\"], jwks = \"keys/sender.json\", issuer = \"me\" }}"
            ),
        )
    };
    let folder = with(&integration("EdDSA"));
    folder.write("keys/sender.json", ED);
    let workspace = folder.load();
    assert!(!workspace.has_errors(), "{:?}", said(&workspace));
    let before = workspace.integrations["orders"].version.clone();
    folder.write("keys/sender.json", ED.replace("11q", "21q"));
    assert_ne!(folder.load().integrations["orders"].version, before, "another key is another version");

    folder.write("keys/sender.json", ED.replace("\"x\"", "\"d\":\"AAAA\",\"x\""));
    assert_eq!(codes(&folder.load()), ["wrong-jwks"]);
    let folder = with(&integration("RS256"));
    folder.write("keys/sender.json", ED);
    assert!(said(&folder.load()).iter().any(|line| line.contains("has no key for RS256")));
}

#[test]
fn a_salesforce_organization_is_checked_and_the_missing_signature_said() {
    let with_ids =
        |ids: &str| format!("verify = {{ scheme = \"salesforce-outbound\", organization = {ids} }}\ndedupe = \"off\"");
    source_refused(&with_ids("\"00D58000000JMGaEAP\""), "wrong-organization", "00D58000000JMGaEAP");
    source_refused(&with_ids("[]"), "wrong-value", "'organization' is empty");
    let text = format!("[source]\nkind = \"webhook\"\npath = \"/a\"\n{}\n", with_ids("[\"00D58000000JMGa\"]"));
    let workspace = with(&text).load();
    assert!(!workspace.has_errors() && codes(&workspace).contains(&"no-signature"), "{:?}", said(&workspace));
}

#[test]
fn a_secrets_value_in_the_place_of_its_name_is_refused() {
    source_refused("verify = { scheme = \"github\", secret = \"Hunter2!\" }", "wrong-secret-name", "never its value");
}

#[test]
fn an_hmac_that_does_not_cover_the_body_is_refused() {
    let hmac = |rest: &str| format!("verify = {{ scheme = \"hmac\", header = \"X-Sig\", secret = \"s\", {rest} }}");
    source_refused(&hmac("message = \"{timestamp}\", timestamp_header = \"X-Time\""), "wrong-message", "{body}");
    source_refused(&hmac("message = \"{timestamp}.{body}\""), "wrong-message", "timestamp_header");
    source_refused(&hmac("message = \"{body}{nonce}\""), "wrong-message", "'{nonce}'");
    source_refused(&hmac("algorithm = \"md5\""), "wrong-value", "'sha256'");
}

#[test]
fn paths_that_no_request_could_have_are_refused() {
    for path in ["", "hooks", "/a?b=1", "/a#b", "/a b", "/ä", "/a/../b"] {
        refused(
            &INTEGRATION.replace("\"/hooks/orders\"", &format!("\"{path}\"")),
            "wrong-path",
            "is not a webhook's path",
        );
    }
}

#[test]
fn dedupe_without_any_id_is_refused() {
    source_refused("dedupe = { window = \"1d\" }", "missing-key", "'id' is missing in dedupe");
    source_refused("dedupe = \"on\"", "wrong-value", "'off'");
}

#[test]
fn a_request_cannot_set_what_belongs_to_the_connection() {
    destination_refused("request = { headers = { Host = \"x\" } }", "wrong-header", "'Host' is set by Signalbox");
    destination_refused("request = { headers = { \"a b\" = \"x\" } }", "wrong-header", "not the name of a header");
    destination_refused("request = { headers = { A = \"x\", a = \"y\" } }", "duplicate-header", "twice");
    destination_refused(
        "request = { headers = { A = \"x\" } }\nidempotency = { header = \"a\" }",
        "duplicate-header",
        "too",
    );
    destination_refused("request = { path = \"orders\" }", "wrong-path", "must begin with '/'");
    destination_refused("request = { path = '/{{ .id | nosuchthing }}' }", "wrong-template", "nosuchthing");
    destination_refused("request = { method = \"post\" }", "wrong-value", "did you mean 'POST'");
}

#[test]
fn retry_rules_are_kinds_or_statuses() {
    destination_refused("retry = { on = [\"serwer\"] }", "wrong-retry-rule", "did you mean 'server'");
    destination_refused("retry = { never = [\"700\"] }", "wrong-retry-rule", "neither a kind");
    destination_refused("retry = { schedule = [\"1 s\"] }", "wrong-duration", "is not a duration");
    destination_refused("retry = { max_age = \"400d\" }", "wrong-duration", "365 days");
}

#[test]
fn two_destinations_with_one_name_are_refused() {
    destination_refused(
        "[[destinations]]\nname = \"shop\"\nsystem = \"shop\"",
        "duplicate-destination",
        ":10:8: there is a destination 'shop' above",
    );
}

#[test]
fn a_system_that_is_not_there_is_suggested() {
    refused(
        &INTEGRATION.replace("system = \"shop\"", "system = \"shpo\""),
        "unknown-system",
        ":8:10: there is no system 'shpo': it would be the file systems/shpo.toml; did you mean 'shop'?",
    );
}

#[test]
fn a_systems_address_cannot_hold_what_belongs_elsewhere() {
    for (url, needle) in [
        ("https://user:secret@example.com", "'auth' table"),
        ("https://example.com/?a=1", "query"),
        ("file:///etc/passwd", "https://"),
        ("example.com", "not a URL"),
        ("https://", "not a URL"),
    ] {
        system_says(&format!("base_url = \"{url}\"\n"), "wrong-url", needle);
    }
    system_says("title = \"x\"\n", "missing-key", "'base_url' is missing");
    system_says(&format!("{SYSTEM}timeout = \"1h\"\n"), "out-of-range", "1ms to 10m");
}

/// The address policy refuses its requests; no event is turned away at the door for it.
#[test]
fn plain_http_to_a_public_system_is_an_error_that_keeps_no_integration_from_running() {
    let folder = with(INTEGRATION);
    folder.write("systems/shop.toml", "base_url = \"http://127.0.0.1:9000\"\n");
    let workspace = folder.load();
    assert_eq!(codes(&workspace), ["plain-http"]);
    assert!(workspace.has_errors());
    assert!(workspace.integrations.contains_key("orders") && workspace.systems.contains_key("shop"));
}

#[test]
fn a_broken_system_keeps_its_own_integrations_from_running_and_no_others() {
    let folder = with(INTEGRATION);
    folder.write("systems/shop.toml", "base_url = 5\n");
    folder.write("systems/crm.toml", SYSTEM);
    folder.write(
        "integrations/other.toml",
        INTEGRATION.replace("/hooks/orders", "/hooks/other").replace("system = \"shop\"", "system = \"crm\""),
    );
    let workspace = folder.load();
    assert_eq!(codes(&workspace), ["broken-system", "wrong-type"]);
    assert_eq!(workspace.integrations.keys().collect::<Vec<_>>(), ["other"]);
    assert_eq!(workspace.broken.keys().collect::<Vec<_>>(), ["orders"]);
}

#[test]
fn a_path_belongs_to_one_integration() {
    let folder = with(INTEGRATION);
    folder.write("integrations/zebra.toml", INTEGRATION);
    let workspace = folder.load();
    assert_eq!(
        said(&workspace),
        ["integrations/zebra.toml:3:8: the path '/hooks/orders' belongs to integrations/orders.toml already"]
    );
    assert!(workspace.integrations.contains_key("orders") && workspace.broken.contains_key("zebra"));
}

#[test]
fn vendors_that_sign_their_url_need_it_and_are_warned_about() {
    for scheme in ["hubspot", "twilio"] {
        let text = INTEGRATION.replace("\"github\"", &format!("\"{scheme}\""));
        let workspace = with(&text).load();
        assert_eq!(codes(&workspace), ["no-dedupe", "no-public-url"]);
        assert!(!workspace.has_errors() && workspace.integrations.contains_key("orders"));

        let url = "kind = \"webhook\"\ndedupe = \"off\"\npublic_url = \"https://example.com/hooks/orders\"";
        assert_eq!(codes(&with(&text.replace("kind = \"webhook\"", url)).load()), Vec::<&str>::new());
    }
}

#[test]
fn a_schedule_that_max_age_cuts_short_is_warned_about() {
    let workspace = with(&format!("{INTEGRATION}retry = {{ schedule = [\"1h\", \"2h\"], max_age = \"2h\" }}\n")).load();
    assert_eq!(codes(&workspace), ["schedule-too-long"]);
    assert!(!workspace.has_errors());
}

#[test]
fn a_file_whose_stem_cannot_be_a_name_is_refused() {
    let folder = Folder::new(&[("integrations/my orders.toml", INTEGRATION)]);
    assert_eq!(codes(&folder.load()), ["wrong-name"]);
}

#[test]
fn a_folder_with_a_slip_in_its_name_is_warned_about() {
    let folder =
        Folder::new(&[("system/shop.toml", SYSTEM), ("schemas/a.json", "{}"), ("integrations/x.toml.bak", "")]);
    assert_eq!(
        said(&folder.load()),
        ["system:1:1: warning: the files in 'system' are not read; did you mean 'systems'?"]
    );
}

#[test]
fn a_folder_that_is_not_there_says_how_to_make_one() {
    let folder = Folder::new(&[("file", "")]);
    let missing = load(&folder.path().join("nowhere")).err().unwrap();
    assert!(matches!(missing, LoadError::Missing { .. }));
    assert!(missing.to_string().contains("signalbox init"), "{missing}");
    assert!(matches!(load(&folder.path().join("file")).err().unwrap(), LoadError::NotAFolder { .. }));
}

#[test]
fn what_a_system_allows_has_bounds() {
    let wrong = [
        ("breaker = \"on\"", "wrong-value", "'breaker' cannot be 'on'"),
        ("breaker = { failures = 5 }", "unknown-key", "'failures'"),
        ("breaker = { ratio = 0 }", "out-of-range", "over 0"),
        ("breaker = { minimum = 0 }", "out-of-range", "'minimum'"),
        ("breaker = { window = \"2h\" }", "out-of-range", "'window'"),
        ("limits = { per_second = 0 }", "out-of-range", "0.001"),
        ("limits = { per_second = nan }", "out-of-range", "0.001"),
        ("limits = { per_second = \"10\" }", "wrong-type", "a number"),
        ("limits = { burst = 4 }", "missing-key", "'per_second'"),
        ("limits = { concurrent = -1 }", "out-of-range", "'concurrent'"),
        ("quota = { reserve = 1.5 }", "out-of-range", "'reserve'"),
        ("failover = \"https://b.example.com\"", "wrong-type", "a list"),
        ("failover = [\"https://u:p@b.example.com\"]", "wrong-url", "'failover'"),
        ("failover = [\"http://b.example.com\"]", "plain-http", "'failover'"),
        ("fail_back = \"10ms\"", "out-of-range", "'fail_back'"),
    ];
    for (lines, code, needle) in wrong {
        system_says(&format!("{SYSTEM}{lines}\n"), code, needle);
    }
    destination_refused("concurrency = { min = 9, max = 3 }", "out-of-range", "the larger one");
    destination_refused("concurrency = { min = 2 }", "missing-key", "'max' is missing");
    destination_refused("concurrency = { max = 1000 }", "out-of-range", "'max'");
}

//! What right files mean.

use std::time::Duration;

use signalbox_model::FailureKind;
use signalbox_model::auth::{ApiKeyPlace, Auth};
use signalbox_model::limits::{BreakerSettings, Concurrency, Limits, QuotaSettings};
use signalbox_model::retry::{RetryMatch, RetryPolicy};
use signalbox_model::verify::{HmacAlgorithm, Scheme, SignatureEncoding};
use signalbox_workspace::{DedupeId, Idempotency, OnConflict, OnDead, Source, WebhookSource, Workspace};

use crate::common::{Folder, INTEGRATION, SYSTEM, said, with};

fn webhook(workspace: &Workspace) -> &WebhookSource {
    assert!(!workspace.has_errors(), "{:?}", said(workspace));
    let Source::Webhook(webhook) = &workspace.integrations["orders"].source;
    webhook
}

fn source(lines: &str) -> Workspace {
    with(&format!("[source]\nkind = \"webhook\"\npath = \"/hooks/orders\"\n{lines}\n")).load()
}

fn destination(lines: &str) -> Workspace {
    with(&format!("{INTEGRATION}{lines}\n")).load()
}

fn system(lines: &str) -> Workspace {
    Folder::new(&[("systems/shop.toml", &format!("{SYSTEM}{lines}\n"))]).load()
}

#[test]
fn what_is_left_out_takes_its_documented_default() {
    let workspace = with(INTEGRATION).load();
    assert_eq!(said(&workspace), Vec::<String>::new());
    let shop = &workspace.systems["shop"];
    assert_eq!((shop.title.as_str(), shop.timeout, shop.allow_private), ("shop", Duration::from_secs(10), false));
    assert_eq!(shop.auth, Auth::None);

    let orders = &workspace.integrations["orders"];
    assert_eq!((orders.title.as_str(), orders.steps.len(), orders.version.len()), ("orders", 0, 12));
    let source = webhook(&workspace);
    assert!(source.event_type.is_none() && source.key.is_none() && source.public_url.is_none());
    assert!(matches!(source.dedupe.id, DedupeId::Scheme));
    assert_eq!(source.dedupe.window, Duration::from_secs(7 * 86_400));
    assert_eq!((source.on_conflict, source.max_body), (OnConflict::Deliver, 1 << 20));
    assert_eq!(source.verify.tolerance, Duration::from_secs(300));

    let destination = &orders.destinations[0];
    assert_eq!((destination.method.as_str(), destination.concurrency), ("POST", Concurrency::fixed(8)));
    assert_eq!(destination.retry, RetryPolicy::default());
    assert_eq!(destination.on_dead, OnDead::Park);
    assert_eq!(destination.idempotency, Idempotency { header: "Idempotency-Key".to_owned(), quoted: false });
    assert!(destination.body.is_none() && destination.confirm.is_none() && destination.headers.is_empty());
}

#[test]
fn the_schemes_without_an_id_header_say_that_repeats_are_new_events() {
    let workspace = source(r#"verify = { scheme = "stripe", secret = ["new", "old"] }"#);
    let warnings: Vec<_> = workspace.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(warnings, ["no-dedupe", "no-destination"]);
    assert!(!workspace.has_errors());
    assert!(matches!(webhook(&workspace).dedupe.id, DedupeId::None));
    assert_eq!(webhook(&workspace).verify.secrets.len(), 2);

    let workspace = source("verify = { scheme = \"stripe\", secret = \"s\" }\ndedupe = \"off\"");
    assert!(workspace.problems.iter().all(|problem| problem.code != "no-dedupe"));
}

#[test]
fn dedupe_takes_an_expression_a_window_and_what_to_do_on_a_conflict() {
    let workspace = source(
        "verify = { scheme = \"none\" }\ndedupe = { id = '.body.id', window = \"10m\", on_conflict = \"hold\" }",
    );
    let source = webhook(&workspace);
    assert!(matches!(source.dedupe.id, DedupeId::Expression(_)));
    assert_eq!((source.dedupe.window, source.on_conflict), (Duration::from_secs(600), OnConflict::Hold));
}

#[test]
fn every_verify_scheme_is_read() {
    for (verify, scheme) in [
        (r#"{ scheme = "standard-webhooks", secret = "s", tolerance = "1m" }"#, Scheme::StandardWebhooks),
        (r#"{ scheme = "stripe", secret = "s" }"#, Scheme::Stripe),
        (r#"{ scheme = "github", secret = "s" }"#, Scheme::Github),
        (r#"{ scheme = "shopify", secret = "s" }"#, Scheme::Shopify),
        (r#"{ scheme = "slack", secret = "s" }"#, Scheme::Slack),
        (r#"{ scheme = "hubspot", secret = "s" }"#, Scheme::Hubspot),
        (r#"{ scheme = "twilio", secret = "s" }"#, Scheme::Twilio),
        (r#"{ scheme = "bearer", secret = "s" }"#, Scheme::Bearer),
        (r#"{ scheme = "basic", username = "u", secret = "s" }"#, Scheme::Basic { username: "u".to_owned() }),
        (r#"{ scheme = "api-key", header = "X-Key", secret = "s" }"#, Scheme::ApiKey { header: "X-Key".to_owned() }),
        (r#"{ scheme = "none" }"#, Scheme::None),
    ] {
        assert_eq!(webhook(&source(&format!("verify = {verify}"))).verify.scheme, scheme, "{verify}");
    }
}

#[test]
fn hmac_takes_its_parts_and_their_defaults() {
    let least = source(r#"verify = { scheme = "hmac", header = "X-Signature", secret = "s" }"#);
    let Scheme::Hmac(hmac) = &webhook(&least).verify.scheme else { panic!() };
    assert_eq!((hmac.algorithm, hmac.encoding), (HmacAlgorithm::Sha256, SignatureEncoding::Hex));
    assert_eq!((hmac.prefix.as_str(), hmac.message.as_str()), ("", "{body}"));

    let most = source(
        r#"verify = { scheme = "hmac", header = "X-Sig", secret = "s", algorithm = "sha512", encoding = "base64",
           prefix = "v1=", message = "{id}.{timestamp}.{body}", timestamp_header = "X-Time", id_header = "X-Id" }"#,
    );
    let source = webhook(&most);
    let Scheme::Hmac(hmac) = &source.verify.scheme else { panic!() };
    assert_eq!((hmac.algorithm, hmac.encoding), (HmacAlgorithm::Sha512, SignatureEncoding::Base64));
    assert_eq!((hmac.timestamp_header.as_deref(), hmac.id_header.as_deref()), (Some("X-Time"), Some("X-Id")));
    assert!(matches!(source.dedupe.id, DedupeId::Scheme), "its id header tells repeats apart");
}

#[test]
fn every_auth_kind_is_read() {
    for (auth, kind) in [
        (r#"{ kind = "none" }"#, "none"),
        (r#"{ kind = "bearer", secret = "s" }"#, "bearer"),
        (r#"{ kind = "basic", username = "u", secret = "s" }"#, "basic"),
        (r#"{ kind = "api-key", header = "X-Key", secret = "s" }"#, "api-key"),
        (r#"{ kind = "api-key", query = "key", secret = "s" }"#, "api-key"),
        (r#"{ kind = "standard-webhooks", secret = "s" }"#, "standard-webhooks"),
        (r#"{ kind = "hmac", header = "X-Sig", secret = "s" }"#, "hmac"),
    ] {
        let workspace = system(&format!("auth = {auth}"));
        assert_eq!(said(&workspace), Vec::<String>::new());
        assert_eq!(workspace.systems["shop"].auth.kind(), kind);
    }
    let workspace = system(r#"auth = { kind = "api-key", query = "key", secret = "s" }"#);
    let Auth::ApiKey { place: ApiKeyPlace::Query(query), .. } = &workspace.systems["shop"].auth else { panic!() };
    assert_eq!(query, "key");
}

#[test]
fn a_system_may_be_private_and_plain_and_say_that_it_has_no_breaker() {
    let text =
        "base_url = \"http://127.0.0.1:9000/base\"\nallow_private = true\nbreaker = \"off\"\ntimeout = \"250ms\"\n";
    let workspace = Folder::new(&[("systems/crm.toml", text)]).load();
    assert_eq!(said(&workspace), Vec::<String>::new());
    let crm = &workspace.systems["crm"];
    assert_eq!((crm.base_url.as_str(), crm.timeout), ("http://127.0.0.1:9000/base", Duration::from_millis(250)));
}

#[test]
fn retry_takes_waits_kinds_and_statuses() {
    let workspace = destination(
        r#"retry = { schedule = ["10ms", "2m"], jitter = 0, max_age = "1h", on = ["409", 410], never = ["rate", "500-503", "5xx"] }
on_dead = "pass"
concurrency = 256"#,
    );
    assert_eq!(said(&workspace), Vec::<String>::new());
    let destination = &workspace.integrations["orders"].destinations[0];
    let retry = &destination.retry;
    assert_eq!(retry.schedule, [Duration::from_millis(10), Duration::from_secs(120)]);
    assert_eq!((retry.jitter, retry.max_age), (0.0, Duration::from_secs(3_600)));
    let status = |from, to| RetryMatch::Status { from, to };
    assert_eq!(retry.on, [status(409, 409), status(410, 410)]);
    assert_eq!(retry.never, [RetryMatch::Kind(FailureKind::Rate), status(500, 503), status(500, 599)]);
    assert_eq!((destination.on_dead, destination.concurrency), (OnDead::Pass, Concurrency::fixed(256)));
}

#[test]
fn a_request_takes_method_path_headers_and_the_name_of_its_idempotency_header() {
    let workspace = destination(
        r#"request = { method = "PUT", path = '/o/{{ .id | @uri }}', headers = { Accept = "application/json", X-Id = "{{ .id }}" } }
body = '{ id }'
confirm = '.status == 200'
idempotency = { header = "X-Request-Id", quoted = true }"#,
    );
    assert_eq!(said(&workspace), Vec::<String>::new());
    let destination = &workspace.integrations["orders"].destinations[0];
    assert_eq!(destination.method, "PUT");
    let names: Vec<&str> = destination.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Accept", "X-Id"]);
    assert_eq!(destination.idempotency, Idempotency { header: "X-Request-Id".to_owned(), quoted: true });
}

#[test]
fn a_comment_is_not_a_new_version_and_a_setting_is() {
    let version = |text: &str| with(text).load().integrations["orders"].version.clone();
    let plain = version(INTEGRATION);
    assert_eq!(plain, version(&format!("# a comment\n\n{}", INTEGRATION.replace(" = ", "  =  "))));
    assert_ne!(plain, version(&INTEGRATION.replace("\"/hooks/orders\"", "\"/hooks/other\"")));
}

#[test]
fn every_secret_that_is_named_is_listed_once() {
    let workspace = Folder::new(&[
        ("systems/shop.toml", &format!("{SYSTEM}auth = {{ kind = \"bearer\", secret = \"token\" }}\n")),
        ("integrations/orders.toml", INTEGRATION),
        ("integrations/more.toml", &INTEGRATION.replace("/hooks/orders", "/hooks/more")),
    ])
    .load();
    let names: Vec<String> = workspace.secrets().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["orders", "token"]);
}

#[test]
fn files_that_are_not_ours_are_left_alone() {
    let folder = with(INTEGRATION);
    folder.write("integrations/.orders.toml.swp", "{{{");
    folder.write("integrations/.hidden.toml", "{{{");
    folder.write("integrations/notes.md", "{{{");
    folder.write("README.md", "{{{");
    assert_eq!(said(&folder.load()), Vec::<String>::new());
}

#[test]
fn an_empty_folder_is_an_empty_workspace() {
    let folder = Folder::new(&[]);
    assert!(folder.load().is_empty());
    folder.write("integrations/broken.toml", "=");
    assert!(!folder.load().is_empty(), "a broken workspace is not an empty one");
}

#[test]
fn a_system_says_how_hard_it_may_be_asked() {
    let plain = Folder::new(&[("systems/shop.toml", SYSTEM)]).load();
    let shop = &plain.systems["shop"];
    assert_eq!(shop.breaker, Some(BreakerSettings::default()));
    assert_eq!((shop.limits, shop.quota), (Limits::default(), Some(QuotaSettings { reserve: 0.1 })));
    assert_eq!((shop.failover.len(), shop.fail_back), (0, Duration::from_secs(60)));

    let text = format!(
        "{SYSTEM}breaker = {{ window = \"1m\", ratio = 0.25, minimum = 4, open = \"5s\" }}
         limits = {{ per_second = 2.5, burst = 10, concurrent = 4 }}\nquota = {{ reserve = 0 }}
         failover = [\"https://b.example.com/v1\", \"https://c.example.com\"]\nfail_back = \"30s\"\n"
    );
    let set = Folder::new(&[("systems/shop.toml", &text)]).load();
    assert!(!set.has_errors(), "{:?}", said(&set));
    let shop = &set.systems["shop"];
    let seconds = Duration::from_secs;
    let breaker = BreakerSettings { window: seconds(60), ratio: 0.25, minimum: 4, open: seconds(5) };
    assert_eq!(shop.breaker, Some(breaker));
    assert_eq!(shop.limits, Limits { per_second: Some(2.5), burst: Some(10), concurrent: Some(4) });
    assert_eq!(shop.quota, Some(QuotaSettings { reserve: 0.0 }));
    assert_eq!(
        shop.failover.iter().map(|url| url.as_str()).collect::<Vec<_>>(),
        ["https://b.example.com/v1", "https://c.example.com/"]
    );
    assert_eq!(shop.fail_back, seconds(30));

    let off = Folder::new(&[("systems/shop.toml", &format!("{SYSTEM}breaker = \"off\"\nquota = \"off\"\n"))]).load();
    assert_eq!((off.systems["shop"].breaker, off.systems["shop"].quota), (None, None));
}

#[test]
fn a_destination_says_between_which_numbers_its_concurrency_may_move() {
    let workspace = with(&format!("{INTEGRATION}concurrency = {{ min = 2, max = 32 }}\n")).load();
    assert!(!workspace.has_errors(), "{:?}", said(&workspace));
    assert_eq!(workspace.integrations["orders"].destinations[0].concurrency, Concurrency { min: 2, max: 32 });
}

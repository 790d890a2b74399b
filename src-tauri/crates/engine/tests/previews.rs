//! Mapping time-travel over stored events, and where a delivery comes from.

#![allow(clippy::expect_used, clippy::panic, reason = "a test says what it expects and ends where it is not so")]

mod world;

use std::collections::BTreeMap;

use signalbox_engine::view::{Preview, PreviewOutcome, ReplayRequest, ReplayTarget};
use signalbox_model::filter::Filter;
use signalbox_store::read::Selection;
use world::World;
use world::replaying::exact;

fn mapped(steps: &str) -> String {
    format!(
        r#"
# what a person wrote stays
[source]
kind = "webhook"
path = "/hooks/sync"
verify = {{ scheme = "none" }}
dedupe = "off"

{steps}
[[destinations]]
name = "shop"
system = "shop"
request = {{ path = "/in" }}
retry = {{ schedule = [] }}
"#
    )
}

fn map(jq: &str) -> String {
    mapped(&format!("[[steps]]\nkind = \"map\"\njq = '{jq}'\n"))
}

async fn preview(world: &World, text: &str, filter: &str) -> Preview {
    let files = BTreeMap::from([("integrations/sync.toml".to_owned(), text.to_owned())]);
    let filter = Filter::parse(filter).expect("a filter");
    world.runtime.preview("sync", files, 100, filter).await.expect("it is previewed")
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_outputs_new_failures_and_mended_ones_are_told_apart_and_nothing_is_sent() {
    let world = World::with(&map("if .n == 3 then error(\"three\") else {n} end")).await;
    for n in 1..=4 {
        world.send(&format!(r#"{{"id":"k{n}","n":{n},"amount":1.10}}"#)).await;
    }
    world.until("state:delivered", 3).await;
    let told =
        preview(&world, &map("if .n == 1 then error(\"one\") elif .n == 2 then {n} else {n, amount} end"), "").await;
    assert!(told.problems.is_empty() && told.complete);
    assert_eq!((told.events, told.checked), (4, 4));
    assert_eq!((told.same, told.changed, told.new_failures, told.mended, told.filtered), (1, 1, 1, 1, 0));
    let of = |outcome| told.examples.iter().find(|one| one.outcome == outcome).expect("an example");
    let changed = of(PreviewOutcome::Changed);
    assert_eq!(
        (changed.before.as_deref(), changed.after.as_deref()),
        (Some(r#"{"n":4}"#), Some(r#"{"n":4,"amount":1.10}"#))
    );
    assert_eq!(
        (changed.diff[0].path.as_str(), changed.diff[0].to.as_ref().map(ToString::to_string)),
        ("/amount", Some("1.10".into()))
    );
    assert!(of(PreviewOutcome::NewFailure).error.as_deref().is_some_and(|why| why.contains("one")));
    assert!(of(PreviewOutcome::Mended).error.as_deref().is_some_and(|why| why.contains("three")));
    assert_eq!(world.destinations.seen.lock().len(), 3, "nothing is sent");

    let fewer = preview(&world, &mapped("[[steps]]\nkind = \"filter\"\njq = '.n > 100'\n"), "state:delivered").await;
    assert_eq!((fewer.events, fewer.filtered), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_files_are_told_with_their_place_and_run_nothing() {
    let world = World::with(&map("{n}")).await;
    world.send(r#"{"n":1}"#).await;
    world.until("state:delivered", 1).await;
    let told = preview(&world, &map("{n: .}}"), "").await;
    assert_eq!((told.checked, told.version.as_str()), (0, ""));
    let problem = &told.problems[0];
    assert_eq!((problem.file.as_str(), problem.line), ("integrations/sync.toml", 11));
    let elsewhere = preview(&world, &map("{n}").replace("system = \"shop\"", "system = \"shoq\""), "").await;
    assert_eq!(elsewhere.problems[0].suggestion.as_deref(), Some("shop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integrations_files_are_read_and_saved_as_they_are_written() {
    let named = mapped("[[steps]]\nkind = \"map\"\njq_file = \"maps/order.jq\"\n");
    let world = World::of(&[
        ("integrations/sync.toml", &named),
        ("systems/shop.toml", world::SYSTEM),
        ("maps/order.jq", "{ a }"),
    ])
    .await;
    let files = world.runtime.integration_files("sync").expect("the integration is there");
    let paths: Vec<&str> = files.files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["integrations/sync.toml", "maps/order.jq"]);
    let change = |path: &str, text: &str| BTreeMap::from([(path.to_owned(), text.to_owned())]);
    let save = |files, version: &str| world.runtime.save_files("sync".into(), files, version.to_owned());
    let saved = save(change("maps/order.jq", "# mine\n{ b: .a }"), &files.version).await.expect("it is saved");
    assert_ne!(saved.version, files.version);
    let on_disk = std::fs::read_to_string(world.dir.path().join("maps/order.jq")).expect("the file");
    assert_eq!(on_disk, "# mine\n{ b: .a }");
    assert!(
        save(change("maps/order.jq", "."), &files.version)
            .await
            .is_err_and(|why| why.to_string().contains("have changed"))
    );
    assert!(save(change("maps/order.jq", "{"), &saved.version).await.is_err());
    for outside in ["systems/shop.toml", "../x.jq", ".signalbox/token", "maps/other.jq", "integrations/other.toml"] {
        assert!(save(change(outside, "."), &saved.version).await.is_err(), "{outside}");
    }
    assert_eq!(
        world.runtime.integration_files("sync").expect("there").version,
        saved.version,
        "nothing else was saved"
    );
    assert!(world.runtime.integration_files("../sync").is_none());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_leads_elsewhere_is_not_written() {
    let world = World::with(&map(".")).await;
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("x.jq"), ".").expect("written");
    std::os::unix::fs::symlink(outside.path(), world.dir.path().join("maps")).expect("linked");
    let version = world.runtime.integration_files("sync").expect("there").version;
    let named = mapped("[[steps]]\nkind = \"map\"\njq_file = \"maps/x.jq\"\n");
    let files = BTreeMap::from([("integrations/sync.toml".into(), named), ("maps/x.jq".into(), ".a".into())]);
    assert!(world.runtime.save_files("sync".into(), files, version).await.is_err());
    assert_eq!(std::fs::read_to_string(outside.path().join("x.jq")).expect("there"), ".");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_tells_where_it_comes_from() {
    let world = World::with(&mapped("").replace("schedule = []", "schedule = [\"10ms\"], jitter = 0")).await;
    world.destinations.answer("/in", 500, "{}");
    world.destinations.answer("/in", 500, "{}");
    world.send(r#"{"n":1}"#).await;
    let dead = world.until("state:dead", 1).await[0].id;
    let (discard, _) =
        world.runtime.discard(Selection::Ids(vec![dead]), Some("by mistake".into())).await.expect("discards");
    world.runtime.undo_discard(discard).await.expect("restores");
    let edit = Some(br#"{"n":2}"#.to_vec());
    let request = ReplayRequest { edit, ..exact(ReplayTarget::Selection(Selection::Ids(vec![dead]))) };
    let replay = world.runtime.start_replay(request).await.expect("starts");
    world.until("state:delivered", 1).await;
    let lineage = world.runtime.lineage(dead).await.expect("answers").expect("there");
    let whats: Vec<&str> = lineage.iter().map(|step| step.what).collect();
    assert_eq!(whats, ["accepted", "retried", "discarded", "restored", "edited", "replayed"]);
    assert!(lineage[1].text.contains("dead after 2 attempts"), "{lineage:#?}");
    assert_eq!(
        (lineage[2].text.as_str(), lineage[2].id.as_deref()),
        ("Discarded: by mistake", Some(discard.to_string().as_str()))
    );
    assert_eq!(lineage[5].text, format!("Replayed by {} (edited), delivered after 1 attempt", replay.id));
}

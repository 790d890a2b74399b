//! `batch` and `condition` of a destination: what is read, and every wrong combination.

use std::time::Duration;

use signalbox_workspace::{BatchShape, Condition, Destination};

use crate::common::{INTEGRATION, said, with};

#[track_caller]
fn refused(lines: &str, problem: &str) {
    let workspace = with(&format!("{INTEGRATION}{lines}\n")).load();
    assert!(said(&workspace).iter().any(|said| said.contains(problem)), "no '{problem}' in {:?}", said(&workspace));
    assert!(workspace.broken.contains_key("orders"));
}

#[track_caller]
fn read<T>(lines: &str, look: impl Fn(&Destination) -> T) -> T {
    let workspace = with(&format!("{INTEGRATION}{lines}\n")).load();
    let integration = workspace.integrations.get("orders").unwrap_or_else(|| panic!("{:?}", said(&workspace)));
    look(&integration.destinations[0])
}

#[test]
fn a_preset_needs_nothing_else() {
    let (max, linger, name) = read("batch = { preset = \"hubspot\" }", |destination| {
        let batch = destination.batch.as_ref().unwrap();
        (batch.max, batch.linger, batch.shape.name())
    });
    assert_eq!((max, linger, name), (100, Duration::from_millis(200), "hubspot"));
}

#[test]
fn a_batch_of_ones_own_has_a_body_and_outcomes() {
    let lines = "batch = { max = 50, linger = \"2s\", body = '{ items: . }', outcomes = '.body.results | map(.ok)' }";
    assert!(read(lines, |destination| {
        let batch = destination.batch.as_ref().unwrap();
        batch.max == 50 && matches!(batch.shape, BatchShape::Custom { .. })
    }));
}

#[test]
fn a_condition_is_a_version_or_a_read() {
    let put = "request = { method = \"PUT\", path = \"/x\" }\n";
    assert!(read(&format!("{put}condition = {{ read = true }}"), |destination| {
        matches!(destination.condition, Some(Condition::Read))
    }));
    assert!(read(&format!("{put}condition = {{ if_match = '.etag' }}"), |destination| {
        matches!(destination.condition, Some(Condition::IfMatch(_)))
    }));
}

#[test]
fn a_batch_that_cannot_be_is_refused_at_its_place() {
    refused("batch = {}", "integrations/orders.toml:9:9: 'preset' is missing in batch: name \"hubspot\"");
    refused("batch = { preset = \"hubspt\" }", "9:20: 'preset' cannot be 'hubspt'");
    refused("batch = { preset = \"hubspot\", max = 101 }", "'max' must be from 2 to 100");
    refused("batch = { preset = \"salesforce\", max = 1 }", "'max' must be from 2 to 200");
    refused("batch = { preset = \"hubspot\", linger = \"31s\" }", "'linger' must be from 1ms to 30s");
    refused("batch = { preset = \"hubspot\", body = '.' }", "'body' is what 'preset' says already");
    refused("batch = { body = '{ items: . }' }", "'outcomes' is missing in batch: without it nobody knows");
    refused("batch = { outcomes = '.body' }", "'body' is missing in batch");
    refused("batch = { body = '.[', outcomes = '.' }", "9:");
    refused(
        "batch = { preset = \"hubspot\" }\nconfirm = 'true'",
        "10:11: 'confirm' judges one answer for one delivery",
    );
    refused(
        "batch = { preset = \"hubspot\" }\nrequest = { method = \"GET\" }",
        "9:9: a GET carries no list of records",
    );
    refused(
        "batch = { preset = \"hubspot\" }\nrequest = { method = \"DELETE\" }",
        "a DELETE carries no list of records",
    );
}

#[test]
fn a_condition_that_cannot_hold_is_refused_at_its_place() {
    let put = |rest: &str| format!("request = {{ method = \"PUT\", path = \"/x\" }}\n{rest}");
    refused("condition = { read = true }", "9:13: 'condition' guards the record at the request's URL");
    refused(&put("condition = {}"), "10:13: 'if_match' is missing in condition");
    refused(&put("condition = { read = false }"), "'read' can only be true");
    refused(&put("condition = { read = true, if_match = '.etag' }"), "two ways to say the version");
    refused(&put("condition = { if_match = '.etag' }\nbatch = { preset = \"hubspot\" }"), "holds for one record");
    let own =
        "request = { method = \"PUT\", path = \"/x\", headers = { If-Match = \"*\" } }\ncondition = { read = true }";
    refused(own, "10:13: 'condition' sets the header 'If-Match', and so does 'request'");
}

//! Where nothing waits, nothing is looked for: a lane at rest leaves the ledger alone.

use signalbox_model::DeliveryState;

use crate::clock::pass;
use crate::stage::Stage;

const ALONE: &str = "";
const IN_BATCHES: &str =
    "batch = { max = 4, linger = \"1s\", body = '{ items: map(.n) }', outcomes = '.records | map(true)' }\n";

fn integration(destination: &str) -> String {
    format!(
        r#"
[source]
kind = "webhook"
path = "/hooks/sync"
verify = {{ scheme = "none" }}
dedupe = {{ id = '.body.n' }}

[[destinations]]
name = "shop"
system = "shop"
request = {{ path = "/shop" }}
{destination}"#
    )
}

#[test]
fn a_lane_that_has_sent_everything_asks_the_ledger_no_more() {
    for destination in [ALONE, IN_BATCHES] {
        Stage::play(&integration(destination), "", async |stage: &Stage| {
            stage.send(0..10).await;
            pass(10_000).await;
            stage.assert_all(DeliveryState::Delivered, 10);
            let claims = stage.claims();
            assert!(claims > 0, "a start looks for what is due");
            pass(600_000).await;
            assert_eq!(stage.claims(), claims, "claims in ten minutes without an event: '{destination}'");
            stage.send(10..11).await;
            pass(10_000).await;
            stage.assert_all(DeliveryState::Delivered, 11);
        });
    }
}

//! Pages of the list of deliveries by its common filters, and the figures of the overview, over a large ledger.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use serde_json::json;

use super::ledger;
use super::program::{Program, Workspace};
use super::report::{Percentiles, Report};
use super::sink::Sinks;

/// Of each question.
const TIMES: usize = 40;

/// What is asked, by its name.
const QUESTIONS: [(&str, &str); 13] = [
    ("list", "deliveries?limit=50"),
    ("state:dead", "deliveries?limit=50&filter=state:dead"),
    ("state:retrying", "deliveries?limit=50&filter=state:retrying"),
    ("destination:second", "deliveries?limit=50&filter=destination:second"),
    ("state:dead system:first", "deliveries?limit=50&filter=state:dead%20system:first"),
    ("kind:server", "deliveries?limit=50&filter=kind:server"),
    ("http:5xx", "deliveries?limit=50&filter=http:5xx"),
    ("key:…", "deliveries?limit=50&filter=key:00300000000"),
    ("since:1h", "deliveries?limit=50&filter=since:1h"),
    ("-state:delivered", "deliveries?limit=50&filter=-state:delivered"),
    ("groups", "dead-letters/groups"),
    ("overview", "overview?window=1h"),
    ("systems", "systems"),
];

/// # Errors
/// Where the ledger cannot be made, and where the program refuses a question.
pub fn measure(binary: &Path, sinks: &Sinks, deliveries: u32, report: &mut Report) -> Result<()> {
    report.section(&format!("Pages of 50 and figures over {deliveries} deliveries"));
    let workspace = Workspace::make("lists", &sinks.addresses)?;
    ledger::fill(&workspace.folder, deliveries, false)?;
    let program = Program::start(binary, &workspace)?;
    let ready = program.ready_after.as_secs_f64() * 1000.0;
    for (name, path) in QUESTIONS {
        let mut latencies = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let asked = Instant::now();
            program.get(path)?;
            latencies.push(asked.elapsed());
        }
        let spread = Percentiles::of(latencies);
        report.line(&format!("{name} over {deliveries}"), name, &spread.text(), spread.json());
    }
    let text = format!("ready after {ready:.0} ms");
    report.line(&format!("start over {deliveries}"), "start", &text, json!({ "ready_ms": ready }));
    program.stop()
}

//! What reads bytes of strangers, one function each, with what must hold for any bytes. No function may panic, take
//! more than a second or 256 MiB.
//!
//! Two drivers call them: `tests/short` with seeded mutations for a few seconds, in every test run, and libFuzzer in
//! `src-tauri/fuzz` (`make fuzz`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a target ends where something is not as it must be"
)]

mod filter;
mod formats;
mod programs;
mod signature;
mod urls;
mod workspace;

/// A function over any bytes, by the name of its folder of seeds.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

pub const TARGETS: [Target; 10] = [
    Target { name: "signature", run: signature::signature },
    Target { name: "json", run: formats::json },
    Target { name: "xml", run: formats::xml },
    Target { name: "csv", run: formats::csv },
    Target { name: "filter", run: filter::filter },
    Target { name: "config", run: workspace::config },
    Target { name: "url", run: urls::url },
    Target { name: "retry_after", run: urls::retry_after },
    Target { name: "jq", run: programs::jq },
    Target { name: "template", run: programs::template },
];

/// Runs the target of that name.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target's name");
    (target.run)(data);
}

/// The parts between NUL bytes, as text; those that are missing are empty.
fn texts<const N: usize>(data: &[u8]) -> [String; N] {
    let mut parts = data.splitn(N, |byte| *byte == 0);
    std::array::from_fn(|_| String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned())
}

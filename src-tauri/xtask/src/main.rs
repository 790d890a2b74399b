//! The repository's own chores: `cargo run -p xtask -- check | gen [--check] | tidy | bench [--json] [--large]`.

#![allow(clippy::print_stdout, reason = "a command line tool that speaks to the person who runs it")]

mod bench;
mod directions;
mod gen_types;
mod lengths;
mod repo;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            println!("{cause:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["check"] => check(),
        ["gen"] => gen_types::write(),
        ["gen", "--check"] => gen_types::check(),
        ["tidy"] => tidy::run(),
        ["bench", options @ ..] => bench(options),
        _ => bail!(
            "usage: cargo run -p xtask -- COMMAND\n\
             \x20 check         hold the directions between crates, report long files\n\
             \x20 gen           write the API description and the panel's types from the code\n\
             \x20 gen --check   fail where the committed ones are not those of the code\n\
             \x20 tidy          format everything\n\
             \x20 bench [--json] [--large]\n\
             \x20               measure the release build on this machine; lists over 10,000,000 deliveries too"
        ),
    }
}

fn bench(words: &[&str]) -> Result<()> {
    let mut options = bench::Options::default();
    for word in words {
        match *word {
            "--json" => options.json = true,
            "--large" => options.large = true,
            _ => bail!("'{word}' is no option of bench: --json, --large"),
        }
    }
    bench::run(options)
}

fn check() -> Result<()> {
    let root = repo::root();
    let broken = directions::check(&root)?;
    for long in lengths::report(&root)? {
        println!("long: {long}");
    }
    for violation in &broken {
        println!("{violation}\n");
    }
    if !broken.is_empty() {
        bail!("{} broken directions; the rules are in src-tauri/xtask/src/directions/rules.rs", broken.len());
    }
    Ok(())
}

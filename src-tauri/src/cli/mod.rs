//! The command line: `serve`, the commands that ask a running program, and those that work on the workspace's files.
//!
//! Exit codes: 0 done; 1 a negative answer, or it could not be done; 2 wrong usage; 3 no program runs for the workspace.

mod check;
mod client;
mod deliveries;
mod discard;
mod error;
mod init;
mod openapi;
mod output;
mod preview;
mod replay;
mod sandbox;
mod secret;
mod serve;
mod show;
mod status;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::app::default_workspace;
use crate::logging::{self, LogFormat};
use error::CliError;
use output::Output;

/// Receives, checks, reshapes and delivers events between systems, and shows every step.
#[derive(Parser)]
#[command(name = "signalbox", version, about, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Args)]
struct Global {
    /// The workspace folder; without it, the current folder where it holds one, else the one in the data folder
    #[arg(long, global = true, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// How the log on standard error is written; its levels come from SIGNALBOX_LOG
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    log: LogFormat,
}

#[derive(Subcommand)]
enum Command {
    /// Run a workspace: take events, deliver them, serve the API and the panel
    Serve(serve::Arguments),
    /// Say everything that is wrong in a workspace's files
    Check(check::Arguments),
    /// Make a workspace
    Init(init::Arguments),
    /// How the running program is doing
    Status,
    /// List deliveries
    Deliveries(deliveries::Arguments),
    /// Everything about one delivery, event or replay
    Show(show::Arguments),
    /// Decide that deliveries are not to be sent
    Discard(discard::Arguments),
    /// Send dead letters again
    Replay(replay::Arguments),
    /// Try changed files on stored events, before they are saved
    Preview(preview::Arguments),
    /// Set, list and remove secrets
    Secret(secret::Arguments),
    /// Run the simulated systems alone
    Sandbox(sandbox::Arguments),
    /// Print the API's description
    Openapi,
}

/// What a command works with.
struct Context {
    workspace: Option<PathBuf>,
    output: Output,
}

impl Context {
    /// The folder that the person means.
    fn workspace(&self) -> Result<PathBuf, CliError> {
        if let Some(dir) = &self.workspace {
            return Ok(dir.clone());
        }
        let here = PathBuf::from(".");
        if holds_a_workspace(&here) {
            return Ok(here);
        }
        default_workspace().ok_or_else(|| {
            CliError::Usage("This is no workspace, and no home folder is known: name one with --workspace.".to_owned())
        })
    }
}

fn holds_a_workspace(dir: &std::path::Path) -> bool {
    ["integrations", "systems", ".signalbox"].iter().any(|folder| dir.join(folder).is_dir())
}

/// Reads the arguments of the process, runs the command, and says how it went.
pub fn main() -> ExitCode {
    let matches = match Arguments::command().try_get_matches_from(std::env::args_os().map(keep_negated_terms)) {
        Ok(matches) => matches,
        // Prints help and version too, which are no failures.
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            return if error.print().is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE };
        }
    };
    let Ok(arguments) = Arguments::from_arg_matches(&matches) else { return ExitCode::from(2) };
    let context = Context { workspace: arguments.global.workspace, output: Output::new(arguments.global.json) };
    logging::start(arguments.global.log);
    match run(&context, arguments.command) {
        Ok(code) => code,
        Err(error) => context.output.error(&error),
    }
}

fn run(context: &Context, command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Serve(arguments) => threads()?.block_on(serve::run(context, arguments)),
        Command::Check(arguments) => one_thread()?.block_on(check::run(context, &arguments)),
        Command::Init(arguments) => init::run(context, &arguments),
        Command::Status => one_thread()?.block_on(status::run(context)),
        Command::Deliveries(arguments) => one_thread()?.block_on(deliveries::run(context, &arguments)),
        Command::Show(arguments) => one_thread()?.block_on(show::run(context, &arguments)),
        Command::Discard(arguments) => one_thread()?.block_on(discard::run(context, &arguments)),
        Command::Replay(arguments) => one_thread()?.block_on(replay::run(context, &arguments)),
        Command::Secret(arguments) => secret::run(context, arguments),
        Command::Sandbox(arguments) => one_thread()?.block_on(sandbox::run(context, &arguments)),
        Command::Preview(arguments) => one_thread()?.block_on(preview::run(context, &arguments)),
        Command::Openapi => openapi::run(context),
    }
}

fn threads() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::failed("no threads could be started"))
}

fn one_thread() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::failed("no thread could be started"))
}

/// `-destination:crm` is a term of a filter and no option: a space before it, which filters skip, tells clap so.
fn keep_negated_terms(argument: OsString) -> OsString {
    match argument.to_str() {
        Some(text) if text.starts_with('-') && !text.starts_with("--") && text.contains(':') => {
            format!(" {text}").into()
        }
        _ => argument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_negated_term_is_a_filter_and_not_an_option() {
        let arguments = ["signalbox", "deliveries", "-destination:crm", "state:dead", "--json"];
        let read = Arguments::try_parse_from(arguments.map(|text| keep_negated_terms(text.into()))).unwrap();
        assert!(read.global.json);
        let Command::Deliveries(deliveries) = read.command else { panic!("another command") };
        assert_eq!(deliveries.filter.join(" "), " -destination:crm state:dead");
    }

    #[test]
    fn a_wrong_command_line_is_refused() {
        for wrong in
            [&["signalbox"][..], &["signalbox", "serv"], &["signalbox", "replay"], &["signalbox", "deliveries", "-x"]]
        {
            assert!(Arguments::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }
}

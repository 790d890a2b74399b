//! The window: `signalbox-desktop [--workspace DIR]`.

// No console window beside the app on Windows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use signalbox::app::AppOptions;
use signalbox::desktop;
use signalbox::logging::{self, LogFormat};

/// Signalbox in a window.
#[derive(Parser)]
#[command(name = "signalbox-desktop", version, about)]
struct Arguments {
    /// The workspace folder; without it, the one in the platform's data folder.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Where the API listens for the command line tool; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7420")]
    listen: SocketAddr,
    /// Where webhooks come in; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7421")]
    ingress: SocketAddr,
    /// How the log on standard error is written.
    #[arg(long, value_enum, default_value_t)]
    log: LogFormat,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    logging::start(arguments.log);
    if let Err(cause) = desktop::renderer::prepare() {
        tracing::warn!(%cause, "WebKit's renderer could not be chosen");
    }
    let options = AppOptions {
        workspace: arguments.workspace,
        listen: arguments.listen,
        ingress: arguments.ingress,
        ..AppOptions::default()
    };
    desktop::run(options)
}

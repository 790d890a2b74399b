//! Where the panel is.

use serde::Serialize;
use utoipa::ToSchema;

/// The program and its workspace.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Session {
    /// Of Signalbox.
    pub version: String,
    pub workspace: SessionWorkspace,
    /// Nobody has set anything up: the workspace is empty and no sandbox was ever started.
    pub first_run: bool,
    pub can_start_sandbox: bool,
    /// Where webhooks come in: `http://host:port`.
    pub ingress: String,
    /// Where this API is: `http://host:port`.
    pub api: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionWorkspace {
    pub name: String,
    pub path: String,
    /// The simulated systems run in it.
    pub sandbox: bool,
    /// It has no integrations.
    pub empty: bool,
}

/// A new link to sign a browser in with.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignInLink {
    /// Good for one browser.
    pub link: String,
    /// How long the link works.
    pub valid_ms: u64,
}

//! Integrations and what is wrong with their files.

use serde::Serialize;
use utoipa::ToSchema;

use super::overview::IntegrationRow;

/// The overview's row (over the last hour) and how the integration is set up.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Integration {
    #[serde(flatten)]
    pub row: IntegrationRow,
    /// Of its webhook on the ingress.
    pub path: Option<String>,
    /// The verify scheme.
    pub verify: Option<String>,
    /// Of its files; null where it does not run.
    pub version: Option<String>,
    pub problems: Vec<WorkspaceProblem>,
    /// Kinds, in order.
    pub steps: Vec<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Integrations {
    pub items: Vec<Integration>,
    pub next: Option<String>,
    /// Problems of files that belong to no integration.
    pub problems: Vec<WorkspaceProblem>,
}

/// Something wrong in a file of the workspace.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkspaceProblem {
    /// Relative to the workspace.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub code: String,
    pub message: String,
    pub suggestion: Option<String>,
    /// `error` or `warning`.
    pub severity: String,
}

//! RFC 9457 as JSON.

use serde::Serialize;
use utoipa::ToSchema;

/// Why an answer is not the wished one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// The page about the code: `/errors/<code>`, served by this program.
    #[schema(example = "/errors/invalid-filter")]
    pub r#type: String,
    pub title: String,
    pub status: u16,
    /// Stable, for programs.
    #[schema(example = "invalid-filter")]
    pub code: String,
    /// What happened, to which thing, what to do next.
    pub detail: String,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

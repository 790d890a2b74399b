//! Dead letters by what killed them.

use serde::Serialize;
use utoipa::ToSchema;

use super::words::{FailedAt, Kind, Time};

/// Dead letters with one fingerprint.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FailureGroup {
    pub id: String,
    pub count: u64,
    pub integration: String,
    pub integration_title: String,
    pub destination: String,
    pub system: String,
    pub stage: FailedAt,
    pub kind: Kind,
    pub status: Option<u16>,
    pub message: String,
    pub first_at: Time,
    pub last_at: Time,
    /// A delivery to look at.
    pub sample: String,
    /// Distinct keys.
    pub key_count: u64,
    /// Dead letters in 24 equal parts of `first_at` to `last_at`.
    pub series: Vec<u32>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FailureGroups {
    pub items: Vec<FailureGroup>,
    /// Always null: at most 200 groups, largest newest first.
    pub next: Option<String>,
}

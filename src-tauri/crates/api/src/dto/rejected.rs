//! Requests that were refused at the door.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::{Header, Time};

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RejectedRequest {
    pub id: String,
    pub at: Time,
    /// Null where no integration has the path.
    pub integration: Option<String>,
    pub path: String,
    /// What the sender was answered.
    pub status: u16,
    pub code: String,
    pub reason: String,
    pub remote: String,
    #[schema(value_type = Vec<Vec<String>>)]
    pub headers: Vec<Header>,
    /// The first 16 KiB, where they are UTF-8.
    pub body_preview: Option<String>,
    /// Bytes of the whole body, as far as it was read.
    pub size: u64,
    /// What would have made a refused signature pass. Null where the signature is not the matter, or nothing is known yet.
    pub doctor: Option<Doctor>,
}

/// What the signature doctor found out, after the sender was answered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Doctor {
    /// One sentence.
    pub summary: String,
    /// The likeliest first.
    pub findings: Vec<DoctorFinding>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DoctorFinding {
    pub change: DoctorChange,
    pub text: String,
    /// What to do.
    pub fix: String,
    /// The request was tried and passes with this change; otherwise it is a hint.
    pub sure: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DoctorChange {
    OtherSecret,
    Clock,
    Body,
    Url,
    Scheme,
    Header,
    Prefix,
}

/// Newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RejectedPage {
    pub items: Vec<RejectedRequest>,
    pub next: Option<String>,
}

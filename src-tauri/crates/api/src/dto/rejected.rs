//! Requests that were refused at the door.

use serde::Serialize;
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
}

/// Newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RejectedPage {
    pub items: Vec<RejectedRequest>,
    pub next: Option<String>,
}

//! Events.

use serde::Serialize;
use utoipa::ToSchema;

use super::delivery::Sibling;
use super::words::{Header, Time};

/// One accepted input. Its bytes are at `events/{id}/body`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Event {
    pub id: String,
    pub integration: String,
    /// Of the integration's files when it was accepted.
    pub version: String,
    pub received_at: Time,
    /// The sender's own id.
    pub source_id: Option<String>,
    pub r#type: Option<String>,
    pub key: Option<String>,
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    /// As received; signatures are masked.
    #[schema(value_type = Vec<Vec<String>>)]
    pub headers: Vec<Header>,
    pub content_type: Option<String>,
    /// Bytes.
    pub size: u64,
    /// What the strict reader noticed, such as `duplicate-keys`.
    pub notes: Vec<String>,
    /// The event that came earlier under the same id with other bytes.
    pub conflict_of: Option<String>,
    /// Null where the request was one event.
    pub split: Option<Split>,
    pub deliveries: Vec<Sibling>,
}

/// The place of an event among those that its request was split into.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Split {
    /// From 1.
    pub index: u32,
    pub of: u32,
    /// All that were new, this one too, in the order of the request.
    pub events: Vec<String>,
}

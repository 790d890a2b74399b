//! What differs between two requests or records.

use serde::Serialize;
use utoipa::ToSchema;

/// One field that is not the same.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldChange {
    /// A JSON Pointer (RFC 6901) in a JSON body; else `method`, `path`, `body` or `header:<name>`.
    pub path: String,
    /// Null where it was not there.
    #[schema(value_type = Option<Object>)]
    pub from: Option<serde_json::Value>,
    /// Null where it is not there any more.
    #[schema(value_type = Option<Object>)]
    pub to: Option<serde_json::Value>,
}

impl From<signalbox_engine::view::FieldChange> for FieldChange {
    fn from(change: signalbox_engine::view::FieldChange) -> Self {
        Self { path: change.path, from: change.from, to: change.to }
    }
}

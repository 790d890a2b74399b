//! How a destination sends: several deliveries in one request, or one only if its record is what it was.

use std::time::Duration;

use signalbox_transform::Program;

/// The most records of one request; vendors take 100 to 200.
pub const MOST_RECORDS: u32 = 200;
/// HubSpot's batch routes take 100 inputs (developers.hubspot.com, CRM API, "Limits").
pub const MOST_HUBSPOT_RECORDS: u32 = 100;

/// A destination that takes several deliveries in one request and answers for each.
pub struct Batch {
    /// Records in one request; 100 unless set, 2 to [`MOST_RECORDS`].
    pub max: u32,
    /// How long the first record waits for more; 200 ms unless set, 1 ms to 30 s.
    pub linger: Duration,
    pub shape: BatchShape,
}

/// How records become a body, and an answer becomes one outcome per record.
pub enum BatchShape {
    /// `{ inputs: […] }`, each with its `objectWriteTraceId`; 200, 201 and 207 with `results` and `errors`.
    HubSpot,
    /// `{ allOrNone: false, records: […] }`; 200 with a list in the order of the records.
    Salesforce,
    Custom {
        /// jq over the list of records.
        body: Program,
        /// jq over `{ status, headers, body, records }`; a list with one entry per record.
        outcomes: Program,
    },
}

impl BatchShape {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::HubSpot => "hubspot",
            Self::Salesforce => "salesforce",
            Self::Custom { .. } => "custom",
        }
    }
}

/// The version that a record must still have for a write to happen (RFC 9110 §13.1).
pub enum Condition {
    /// jq over the value that the steps made: the entity tag for `If-Match`.
    IfMatch(Program),
    /// The record is read first, and its `ETag` is sent as `If-Match`; `If-None-Match: *` where there is none yet.
    Read,
}

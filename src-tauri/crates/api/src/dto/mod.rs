//! The JSON of the API: what `openapi.json` describes and the panel's types are generated from.
//!
//! Times are RFC 3339 UTC with milliseconds, durations whole milliseconds, shares and rates `0..1`, ids text.

pub mod attempt;
pub mod change;
pub mod delivery;
pub mod event;
pub mod group;
pub mod integration;
pub mod live;
pub mod overview;
pub mod preview;
pub mod problem;
pub mod rejected;
pub mod replay;
pub mod session;
pub mod system;
pub mod test_event;
pub mod words;

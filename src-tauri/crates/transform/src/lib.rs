//! What may be done with a payload: read it strictly, check it, reshape it, write it.
//!
//! Pure and bounded. Nothing here reads a clock, a file, the environment or the network, and no input, neither a
//! payload nor a program, ends the process: reading is limited in depth, and a jq program runs under [`Limits`] on
//! steps, time, stack, memory and output. The limits are enforced from below, by the interpreter's own value type and
//! lookup table (see `meter`), so that no library function can run past them.

mod body;
pub mod cloudevents;
mod csv;
mod error;
mod jq;
mod json;
mod limits;
pub mod mask;
mod meter;
mod pieces;
mod repeats;
mod schema;
mod template;
mod value;
mod write;
mod xml;

pub use body::{BodyFormat, Format, read_body, read_body_as, read_body_located};
pub use error::{Budget, CompileError, ReadError, RunError};
pub use jq::Program;
pub use json::{MAX_DEPTH, Parsed, parse_json};
pub use limits::Limits;
pub use pieces::Piece;
pub use schema::{MAX_VIOLATIONS, Schema, Violation};
pub use template::{Place, Template};
pub use value::Value;
pub use xml::MAX_XML_DEPTH;

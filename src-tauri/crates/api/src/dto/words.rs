//! The model's words and times as JSON Schema knows them; their values come from the model, so they cannot drift.

use serde::{Deserialize, Serialize};
use signalbox_model::{DeliveryState, FailureKind, HeldReason, Stage, Timestamp};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// An instant: `2026-11-21T14:03:18.604Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Time(pub Timestamp);

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let format = Some(SchemaFormat::KnownFormat(KnownFormat::DateTime));
        let about = Some("RFC 3339 in UTC with milliseconds: 2026-11-21T14:03:18.604Z");
        ObjectBuilder::new().schema_type(Type::String).format(format).description(about).into()
    }
}

impl ToSchema for Time {}

macro_rules! words {
    ($(#[$doc:meta] $name:ident $values:expr,)*) => {
        $(
            #[$doc]
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub signalbox_model::$name);

            impl From<signalbox_model::$name> for $name {
                fn from(word: signalbox_model::$name) -> Self {
                    Self(word)
                }
            }

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    ObjectBuilder::new().schema_type(Type::String).enum_values(Some($values.map(|word| word.as_str()))).into()
                }
            }

            impl ToSchema for $name {}
        )*
    };
}

mod states {
    use super::*;
    words! {
        /// Where a delivery stands.
        DeliveryState super::DeliveryState::ALL,
        /// Why a delivery waits.
        HeldReason super::HeldReason::ALL,
        /// Why an attempt, or a step before it, failed.
        FailureKind super::FailureKind::ALL,
        /// Where on its way a delivery failed.
        Stage super::Stage::ALL,
    }
}

pub use states::{DeliveryState as State, FailureKind as Kind, HeldReason as Reason, Stage as FailedAt};

/// A header's name and value.
pub type Header = (String, String);

/// Whole milliseconds, rounded to the nearest.
pub(crate) fn millis(micros: u64) -> u64 {
    micros.saturating_add(500) / 1_000
}

pub(crate) fn duration_ms(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// One decimal is all that a chart shows.
pub(crate) fn one_decimal(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// `part` of `whole`; none of nothing.
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

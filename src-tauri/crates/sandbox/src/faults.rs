//! The fault dials as people and the API see them: what each system has, what a change may be.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest an answer can be held back: one minute, past every sensible timeout.
pub const MAX_LATENCY_MS: u64 = 60_000;
/// The longest `Retry-After` that the dial gives: one day.
pub const MAX_RETRY_AFTER_S: u64 = 86_400;
/// Events per second that the simulated Salesforce can be set to.
pub const PER_SECOND: std::ops::RangeInclusive<f64> = 0.1..=100.0;

/// The dials, where they stand and in a change: of a 429 a change may say a part.
macro_rules! dials {
    ($(#[$about:meta])* $name:ident, $rate:ident) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// Every answer waits this long; 0 to 60,000.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub latency_ms: Option<u64>,
            /// A share of requests is answered 429 with Retry-After.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub rate_429: Option<$rate>,
            /// A share of requests is answered 500.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub error_500: Option<Share>,
            /// Connections are refused.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub outage: Option<bool>,
            /// `firstname` is called `first_name`; the old name is refused.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub renamed_field: Option<bool>,
            /// A share of a batch's records is refused for a reason that passes; the others are taken.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub partial: Option<Share>,
            /// A share of answers to batches leaves out one record, and tells the others in another order where they are named.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub miscount: Option<Share>,
            /// A share of events is signed with a wrong key.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub bad_signature: Option<Share>,
            /// No events are sent.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub paused: Option<bool>,
            /// Events per second; 0.1 to 100.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub per_second: Option<f64>,
        }
    };
}

dials! {
    /// Where a system's dials stand. A dial that the system does not have is absent.
    Faults, Rate429
}

dials! {
    /// A change of some dials; the others stay where they are.
    FaultsPatch, Rate429Patch
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate429 {
    /// 0 to 1.
    pub share: f64,
    /// Seconds, 0 to 86,400.
    pub retry_after_s: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// 0 to 1.
    pub share: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate429Patch {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FaultsError {
    #[error("there is no simulated system '{0}'; there are salesforce, hubspot and crm")]
    UnknownSystem(String),
    #[error("the simulated system '{system}' has no dial '{dial}'; it has {known}")]
    UnknownDial { system: &'static str, dial: &'static str, known: String },
    #[error("{dial} must be {range}, not {value}")]
    OutOfRange { dial: &'static str, range: &'static str, value: String },
    #[error(
        "the simulated system '{system}' could not come back on {address}: {cause}; try again, or start the sandbox anew"
    )]
    Mend { system: &'static str, address: std::net::SocketAddr, cause: String },
}

impl Faults {
    /// A system that answers requests: all dials at rest.
    pub(crate) fn receiver() -> Self {
        Self {
            latency_ms: Some(0),
            // At rest the share is 0; the wait is short so that 429s end as dead letters within seconds.
            rate_429: Some(Rate429 { share: 0.0, retry_after_s: 2 }),
            error_500: Some(Share { share: 0.0 }),
            outage: Some(false),
            renamed_field: Some(false),
            ..Self::default()
        }
    }

    /// A system that sends events.
    pub(crate) fn sender(per_second: f64) -> Self {
        Self {
            bad_signature: Some(Share { share: 0.0 }),
            paused: Some(false),
            per_second: Some(per_second),
            ..Self::default()
        }
    }

    /// The same system, which takes batches too.
    pub(crate) fn with_batches(self) -> Self {
        let at_rest = Some(Share { share: 0.0 });
        Self { partial: at_rest, miscount: at_rest, ..self }
    }

    /// The dials that this system has.
    fn known(&self) -> String {
        let dials = [
            ("latency_ms", self.latency_ms.is_some()),
            ("rate_429", self.rate_429.is_some()),
            ("error_500", self.error_500.is_some()),
            ("outage", self.outage.is_some()),
            ("renamed_field", self.renamed_field.is_some()),
            ("partial", self.partial.is_some()),
            ("miscount", self.miscount.is_some()),
            ("bad_signature", self.bad_signature.is_some()),
            ("paused", self.paused.is_some()),
            ("per_second", self.per_second.is_some()),
        ];
        dials.into_iter().filter_map(|(name, has)| has.then_some(name)).collect::<Vec<_>>().join(", ")
    }

    /// These dials after `patch`. Nothing changes where one of its values is wrong.
    pub(crate) fn patched(&self, system: &'static str, patch: &FaultsPatch) -> Result<Self, FaultsError> {
        let unknown = |dial| FaultsError::UnknownDial { system, dial, known: self.known() };
        let mut next = self.clone();
        if let Some(millis) = patch.latency_ms {
            *next.latency_ms.as_mut().ok_or_else(|| unknown("latency_ms"))? =
                at_most(millis, MAX_LATENCY_MS, "latency_ms", "0 to 60000 milliseconds")?;
        }
        if let Some(rate) = patch.rate_429 {
            let dial = next.rate_429.as_mut().ok_or_else(|| unknown("rate_429"))?;
            if let Some(part) = rate.share {
                dial.share = share(part, "rate_429.share")?;
            }
            if let Some(seconds) = rate.retry_after_s {
                dial.retry_after_s =
                    at_most(seconds, MAX_RETRY_AFTER_S, "rate_429.retry_after_s", "0 to 86400 seconds")?;
            }
        }
        if let Some(error) = patch.error_500 {
            next.error_500.as_mut().ok_or_else(|| unknown("error_500"))?.share = share(error.share, "error_500.share")?;
        }
        if let Some(outage) = patch.outage {
            *next.outage.as_mut().ok_or_else(|| unknown("outage"))? = outage;
        }
        if let Some(renamed) = patch.renamed_field {
            *next.renamed_field.as_mut().ok_or_else(|| unknown("renamed_field"))? = renamed;
        }
        if let Some(partial) = patch.partial {
            next.partial.as_mut().ok_or_else(|| unknown("partial"))?.share = share(partial.share, "partial.share")?;
        }
        if let Some(miscount) = patch.miscount {
            next.miscount.as_mut().ok_or_else(|| unknown("miscount"))?.share = share(miscount.share, "miscount.share")?;
        }
        if let Some(bad) = patch.bad_signature {
            next.bad_signature.as_mut().ok_or_else(|| unknown("bad_signature"))?.share =
                share(bad.share, "bad_signature.share")?;
        }
        if let Some(paused) = patch.paused {
            *next.paused.as_mut().ok_or_else(|| unknown("paused"))? = paused;
        }
        if let Some(rate) = patch.per_second {
            *next.per_second.as_mut().ok_or_else(|| unknown("per_second"))? = per_second(rate)?;
        }
        Ok(next)
    }
}

pub(crate) fn per_second(rate: f64) -> Result<f64, FaultsError> {
    if PER_SECOND.contains(&rate) {
        return Ok(rate);
    }
    Err(FaultsError::OutOfRange {
        dial: "per_second",
        range: "0.1 to 100 events per second (paused stops them)",
        value: rate.to_string(),
    })
}

fn share(value: f64, dial: &'static str) -> Result<f64, FaultsError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(FaultsError::OutOfRange { dial, range: "a share from 0 to 1", value: value.to_string() })
}

fn at_most(value: u64, most: u64, dial: &'static str, range: &'static str) -> Result<u64, FaultsError> {
    if value <= most { Ok(value) } else { Err(FaultsError::OutOfRange { dial, range, value: value.to_string() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(json: &str) -> FaultsPatch {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_empty_patch_changes_nothing() {
        let faults = Faults::receiver();
        assert_eq!(faults.patched("hubspot", &patch("{}")), Ok(faults));
    }

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let faults = Faults::receiver().patched("hubspot", &patch(r#"{"rate_429":{"retry_after_s":30}}"#)).unwrap();
        let faults = faults.patched("hubspot", &patch(r#"{"rate_429":{"share":0.4},"outage":true}"#)).unwrap();
        assert_eq!(faults.rate_429, Some(Rate429 { share: 0.4, retry_after_s: 30 }));
        assert_eq!(faults.outage, Some(true));
        assert_eq!(faults.error_500, Some(Share { share: 0.0 }));
    }

    #[test]
    fn a_value_out_of_range_is_refused_by_name() {
        for (json, dial) in [
            (r#"{"rate_429":{"share":1.1}}"#, "rate_429.share"),
            (r#"{"rate_429":{"retry_after_s":86401}}"#, "rate_429.retry_after_s"),
            (r#"{"error_500":{"share":-0.1}}"#, "error_500.share"),
            (r#"{"latency_ms":60001}"#, "latency_ms"),
        ] {
            let error = Faults::receiver().patched("hubspot", &patch(json)).unwrap_err();
            assert!(error.to_string().starts_with(dial), "{json}: {error}");
        }
        let error = Faults::sender(2.0).patched("salesforce", &patch(r#"{"per_second":0}"#)).unwrap_err();
        assert!(error.to_string().contains("paused"), "{error}");
    }

    #[test]
    fn a_dial_of_another_system_is_refused_with_the_ones_there_are() {
        let error = Faults::sender(2.0).patched("salesforce", &patch(r#"{"outage":true}"#)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the simulated system 'salesforce' has no dial 'outage'; it has bad_signature, paused, per_second"
        );
    }

    #[test]
    fn an_unknown_dial_does_not_parse() {
        assert!(serde_json::from_str::<FaultsPatch>(r#"{"latencyms":5}"#).is_err());
        assert!(serde_json::from_str::<FaultsPatch>(r#"{"error_500":{"share":1,"x":2}}"#).is_err());
    }

    #[test]
    fn only_the_dials_that_a_system_has_are_shown() {
        let shown = serde_json::to_string(&Faults::sender(2.0)).unwrap();
        assert_eq!(shown, r#"{"bad_signature":{"share":0.0},"paused":false,"per_second":2.0}"#);
    }
}

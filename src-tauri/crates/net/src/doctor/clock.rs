//! A right signature with a wrong time: whose clock is off.

use signalbox_model::units::format_duration;

use super::trial::{Offset, Trial, offset};
use super::{Change, Finding, Patient};

pub(super) fn look(trial: &mut Trial<'_>) -> Option<Finding> {
    offset(trial.patient.refusal).map(|offset| finding(trial.patient, offset))
}

pub(super) fn finding(patient: &Patient<'_>, offset: Offset) -> Finding {
    let tolerance = format_duration(patient.verify.tolerance);
    let agrees = patient.clock_agrees;
    let here = patient.now;
    let (text, fix) = match (offset, agrees) {
        (Offset::Old(age), true) => (
            format!(
                "The signature is right, but its time is {} ago and {tolerance} are allowed. This machine's clock agrees with \
                 another sender's, so that sender's clock is behind, or the request was held up or sent again.",
                format_duration(age)
            ),
            "Set the sender's clock by NTP. If it sends old requests again, let it sign them anew.".to_owned(),
        ),
        (Offset::Old(age), false) => (
            format!(
                "The signature is right, but its time is {} ago and {tolerance} are allowed: the sender's clock is behind, this \
                 machine's is ahead, or the request was held up or sent again.",
                format_duration(age)
            ),
            format!(
                "Compare both clocks; this machine's says {here}. If old requests are sent again, let them be signed anew."
            ),
        ),
        (Offset::Ahead(ahead), true) => (
            format!(
                "The signature is right, but its time is {} ahead and {tolerance} are allowed. This machine's clock agrees with \
                 another sender's, so that sender's clock is ahead.",
                format_duration(ahead)
            ),
            "Set the sender's clock by NTP.".to_owned(),
        ),
        (Offset::Ahead(ahead), false) => (
            format!(
                "The signature is right, but its time is {} ahead and {tolerance} are allowed: the sender's clock is ahead, or \
                 this machine's is behind.",
                format_duration(ahead)
            ),
            format!("Compare both clocks; this machine's says {here}."),
        ),
    };
    Finding { change: Change::Clock, text, fix, sure: true }
}

//! The signature doctor: which single change would have made a refused request pass. It tries what goes wrong in practice,
//! one change at a time: another secret, a clock, the body as another program would write it, the URL as the sender
//! may have called it, another vendor's scheme, another header, another spelling of the signature.
//!
//! For the operator only. It runs after the sender was answered, and what it finds names secrets and never holds one,
//! nor a signature that would have been right.

mod address;
mod body;
mod clock;
mod json;
mod scheme;
mod secrets;
mod spelling;
#[cfg(test)]
mod tests;
mod trial;

use secrecy::SecretString;
use serde::Serialize;
use signalbox_model::verify::Verify;
use signalbox_model::{SecretName, Timestamp};

use crate::verify::{Incoming, Refusal};
use trial::Trial;

/// A longer body is not examined, in bytes.
pub const MAX_BODY: usize = 64 << 10;
/// The most changes that are tried for one request.
pub const MAX_TRIES: u32 = 256;

/// A secret that a source of this workspace names.
#[derive(Clone, Debug)]
pub struct Known {
    pub name: SecretName,
    /// The integration whose source names it.
    pub integration: String,
    pub value: SecretString,
}

/// A refused request with what its source would have accepted.
#[derive(Clone, Copy, Debug)]
pub struct Patient<'a> {
    pub verify: &'a Verify,
    /// The source's own secrets, newest first.
    pub own: &'a [Known],
    /// Secrets of the other sources.
    pub others: &'a [Known],
    pub request: Incoming<'a>,
    pub refusal: &'a Refusal,
    pub now: Timestamp,
    /// A short while ago another signed request agreed with this machine's clock.
    pub clock_agrees: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// One sentence.
    pub summary: String,
    /// The likeliest first.
    pub findings: Vec<Finding>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub change: Change,
    /// What was found.
    pub text: String,
    /// What to do about it.
    pub fix: String,
    /// The request was found to pass with this change; otherwise it is a hint.
    pub sure: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    OtherSecret,
    Clock,
    Body,
    Url,
    Scheme,
    Header,
    Prefix,
}

/// `None`: the refusal says all there is to say. `over` tells when the time is up: it is asked between two tries.
pub fn diagnose(patient: &Patient<'_>, over: &dyn Fn() -> bool) -> Option<Diagnosis> {
    if !is_about_the_signature(patient.refusal) {
        return None;
    }
    if patient.request.body.len() > MAX_BODY {
        let summary = "The body is larger than 64 KiB, so that no other spelling of it was tried.".to_owned();
        return Some(Diagnosis { summary, findings: Vec::new() });
    }
    let mut trial = Trial::new(patient, over);
    let looks: [fn(&mut Trial<'_>) -> Option<Finding>; 6] =
        [clock::look, secrets::look, spelling::look, scheme::look, address::look, body::look];
    let found = looks.into_iter().find_map(|look| look(&mut trial));
    Some(told(found, trial))
}

fn told(found: Option<Finding>, trial: Trial<'_>) -> Diagnosis {
    let Some(found) = found else {
        let summary = match trial.hints.first() {
            Some(hint) => format!("No single change that was tried makes it pass. {}", hint.text),
            None if trial.is_spent() => "Not everything could be tried in the time there is; nothing so far makes it pass.".to_owned(),
            None => "No single change that was tried makes it pass: most likely the sender signs with a secret that is not stored here."
                .to_owned(),
        };
        return Diagnosis { summary, findings: trial.hints };
    };
    let summary = found.text.clone();
    let mut findings = vec![found];
    if let Some(offset) = trial.offset {
        findings.push(clock::finding(trial.patient, offset));
    }
    Diagnosis { summary, findings }
}

const fn is_about_the_signature(refusal: &Refusal) -> bool {
    !matches!(
        refusal,
        Refusal::HeaderRepeated { .. }
            | Refusal::HeaderTooLong { .. }
            | Refusal::TooManySignatures { .. }
            | Refusal::TokenMalformed { .. }
            | Refusal::TokenAlgorithm { .. }
            | Refusal::TokenKeyUnknown { .. }
            | Refusal::TokenIssuer { .. }
            | Refusal::TokenAudience { .. }
            | Refusal::NotAnOutboundMessage { .. }
            | Refusal::OrganizationUnknown { .. }
    )
}

//! One try after the other, within bounds.

use std::time::Duration;

use secrecy::ExposeSecret;
use signalbox_model::verify::Scheme;

use super::{Finding, MAX_TRIES, Patient};
use crate::verify::{Incoming, Refusal, Verifier};

/// The signature is right, and its time is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offset {
    Old(Duration),
    Ahead(Duration),
}

pub(super) struct Trial<'a> {
    pub patient: &'a Patient<'a>,
    /// Of the change that made the signature right.
    pub offset: Option<Offset>,
    /// What may be wrong, where nothing was found to be.
    pub hints: Vec<Finding>,
    over: &'a dyn Fn() -> bool,
    tries: u32,
    own: Vec<Vec<u8>>,
}

impl<'a> Trial<'a> {
    pub(super) fn new(patient: &'a Patient<'a>, over: &'a dyn Fn() -> bool) -> Self {
        let own = own_keys(patient, &patient.verify.scheme);
        Self { patient, offset: None, hints: Vec::new(), over, tries: 0, own }
    }

    /// No further try is made.
    pub(super) fn is_spent(&self) -> bool {
        self.tries >= MAX_TRIES || (self.over)()
    }

    /// The source as it is, on a changed request.
    pub(super) fn passes(&mut self, request: &Incoming<'_>) -> bool {
        let own = std::mem::take(&mut self.own);
        let keys: Vec<&[u8]> = own.iter().map(Vec::as_slice).collect();
        let passes = self.passes_with(&self.patient.verify.scheme, &keys, request);
        self.own = own;
        passes
    }

    /// The source's own secrets under another scheme, on the request as it came.
    pub(super) fn passes_as(&mut self, scheme: &Scheme) -> bool {
        let own = own_keys(self.patient, scheme);
        let keys: Vec<&[u8]> = own.iter().map(Vec::as_slice).collect();
        self.passes_with(scheme, &keys, &self.patient.request)
    }

    pub(super) fn passes_with(&mut self, scheme: &Scheme, keys: &[&[u8]], request: &Incoming<'_>) -> bool {
        if keys.is_empty() || self.is_spent() {
            return false;
        }
        self.tries += 1;
        let Some(verifier) = Verifier::with_keys(scheme, self.patient.verify.tolerance, keys) else { return false };
        match verifier.verify(request, self.patient.now) {
            Ok(_) => true,
            // Judged after the signature, which therefore is right.
            Err(refusal) => {
                let offset = offset(&refusal);
                self.offset = offset;
                offset.is_some()
            }
        }
    }
}

pub(super) fn offset(refusal: &Refusal) -> Option<Offset> {
    match refusal {
        Refusal::TimestampTooOld { age, .. } | Refusal::TokenExpired { age, .. } => Some(Offset::Old(*age)),
        Refusal::TimestampInFuture { ahead, .. } | Refusal::TokenNotYetValid { ahead, .. } => {
            Some(Offset::Ahead(*ahead))
        }
        _ => None,
    }
}

fn own_keys(patient: &Patient<'_>, scheme: &Scheme) -> Vec<Vec<u8>> {
    patient.own.iter().filter_map(|known| scheme_key(scheme, known.value.expose_secret())).collect()
}

/// The key that a secret is under a scheme; `None` where it cannot be one.
pub(super) fn scheme_key(scheme: &Scheme, secret: &str) -> Option<Vec<u8>> {
    crate::verify::key_of(scheme, secret).ok().filter(|key| !key.is_empty())
}

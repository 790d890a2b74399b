//! Another secret: one of another source, or the right one as a slip of the hand has stored it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::ExposeSecret;
use signalbox_model::verify::{Scheme, SignatureEncoding};

use super::trial::{Trial, scheme_key};
use super::{Change, Finding, Known};
use crate::verify::decode_signature;

const PREFIX: &str = "whsec_";
/// More secrets than this are not tried.
const MOST_OTHERS: usize = 64;

/// A secret as it may be meant.
struct Slip {
    key: Vec<u8>,
    /// Ends the sentence "It passes with the secret 'x' …".
    what: &'static str,
    fix: &'static str,
}

pub(super) fn look(trial: &mut Trial<'_>) -> Option<Finding> {
    let patient = trial.patient;
    for known in patient.own {
        for slip in slips(&patient.verify.scheme, known.value.expose_secret()) {
            if trial.passes_with(&patient.verify.scheme, &[&slip.key], &patient.request) {
                let text = format!("The signature is right for the secret '{}' {}.", known.name, slip.what);
                return Some(Finding { change: Change::OtherSecret, text, fix: slip.fix.to_owned(), sure: true });
            }
        }
    }
    for known in patient.others.iter().take(MOST_OTHERS) {
        let exact = scheme_key(&patient.verify.scheme, known.value.expose_secret());
        if exact.is_some_and(|key| trial.passes_with(&patient.verify.scheme, &[&key], &patient.request)) {
            return Some(of_another_source(known));
        }
    }
    let spaced = patient.own.iter().find(|known| {
        let value = known.value.expose_secret();
        value.trim() != value
    });
    if let Some(known) = spaced {
        trial.hints.push(Finding {
            change: Change::OtherSecret,
            text: format!("The secret '{}' begins or ends with white space, which counts as part of it.", known.name),
            fix: format!("Set it again without: printf %s 'the secret' | signalbox secret set {}", known.name),
            sure: false,
        });
    }
    None
}

fn of_another_source(known: &Known) -> Finding {
    let (name, integration) = (&known.name, &known.integration);
    Finding {
        change: Change::OtherSecret,
        text: format!("The signature was made with the secret '{name}', which the integration '{integration}' names."),
        fix: format!(
            "If this sender is meant, name '{name}' in this source's verify table; otherwise point the sender at the path of \
             '{integration}'."
        ),
        sure: true,
    }
}

fn slips(scheme: &Scheme, secret: &str) -> Vec<Slip> {
    let mut slips = Vec::new();
    let mut add = |key: Option<Vec<u8>>, what, fix| {
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            slips.push(Slip { key, what, fix });
        }
    };
    let key = |text: &str| scheme_key(scheme, text);
    let trimmed = secret.trim();
    let bare = trimmed.strip_prefix(PREFIX);
    if trimmed != secret {
        let fix = "Set the secret again without the white space around it, as in: printf %s 'the secret' | signalbox secret set NAME";
        add(key(trimmed), "without the white space around it", fix);
    }
    let broken = "The sender's copy of the secret ends with white space: store it there again without.";
    if !matches!(scheme, Scheme::StandardWebhooks) {
        // A decoded key has no end to add to.
        add(key(&format!("{trimmed}\n")), "with a line break after it", broken);
        add(key(&format!("{trimmed}\r\n")), "with a line break after it", broken);
        add(key(&format!("{trimmed} ")), "with a space after it", broken);
        add(
            key(&format!("{PREFIX}{trimmed}")),
            "with 'whsec_' before it",
            "Set the secret again as the vendor shows it, with 'whsec_'.",
        );
        add(bare.and_then(key), "without its 'whsec_'", "Set the secret again without 'whsec_'.");
    }
    let text_fix = "The sender signs with the text of the secret as it is written: let it decode the base64 after 'whsec_' \
                    first, as Standard Webhooks has it, or use the scheme 'hmac'.";
    if matches!(scheme, Scheme::StandardWebhooks) {
        add(Some(secret.as_bytes().to_vec()), "taken as text instead of base64", text_fix);
        add(
            bare.map(|text| text.as_bytes().to_vec()),
            "without its 'whsec_' and taken as text instead of base64",
            text_fix,
        );
    }
    let bytes_fix = "The sender decodes the secret before it signs: let it sign with the text as it is written. Where it cannot, \
                     have a secret made whose text is the key.";
    let decoded = |engine: &base64::engine::GeneralPurpose| engine.decode(bare.unwrap_or(trimmed)).ok();
    add(decoded(&STANDARD).or_else(|| decoded(&URL_SAFE_NO_PAD)), "decoded from base64", bytes_fix);
    let hex = decode_signature(&bare.unwrap_or(trimmed).to_ascii_lowercase(), SignatureEncoding::Hex);
    add(hex, "decoded from hexadecimal", bytes_fix);
    slips
}

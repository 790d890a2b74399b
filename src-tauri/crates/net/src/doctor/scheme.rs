//! A request of another vendor, or of the same one under another digest.

use signalbox_model::verify::{HmacAlgorithm, HmacScheme, Scheme};

use super::trial::Trial;
use super::{Change, Finding};

/// The header by which a vendor's request is known, the scheme's word, and the vendor as people say it.
const VENDORS: [(&str, Scheme, &str, &str); 8] = [
    ("webhook-signature", Scheme::StandardWebhooks, "standard-webhooks", "Standard Webhooks"),
    ("svix-signature", Scheme::StandardWebhooks, "standard-webhooks", "Svix"),
    ("stripe-signature", Scheme::Stripe, "stripe", "Stripe"),
    ("x-hub-signature-256", Scheme::Github, "github", "GitHub"),
    ("x-shopify-hmac-sha256", Scheme::Shopify, "shopify", "Shopify"),
    ("x-slack-signature", Scheme::Slack, "slack", "Slack"),
    ("x-hubspot-signature-v3", Scheme::Hubspot, "hubspot", "HubSpot"),
    ("x-twilio-signature", Scheme::Twilio, "twilio", "Twilio"),
];

const ALGORITHMS: [(HmacAlgorithm, &str); 4] = [
    (HmacAlgorithm::Sha256, "sha256"),
    (HmacAlgorithm::Sha512, "sha512"),
    (HmacAlgorithm::Sha384, "sha384"),
    (HmacAlgorithm::Sha1, "sha1"),
];

pub(super) fn look(trial: &mut Trial<'_>) -> Option<Finding> {
    let patient = trial.patient;
    if let Scheme::Hmac(hmac) = &patient.verify.scheme
        && let Some(found) = other_digest(trial, hmac)
    {
        return Some(found);
    }
    for (header, scheme, word, vendor) in &VENDORS {
        if !patient.request.headers.contains_key(*header) || *scheme == patient.verify.scheme {
            continue;
        }
        let fix =
            format!("Set scheme = \"{word}\" in this source's verify table, or point {vendor} at a path of its own.");
        if trial.passes_as(scheme) {
            let text =
                format!("The request is signed the way of {vendor} (header {header}), with this source's secret.");
            return Some(Finding { change: Change::Scheme, text, fix, sure: true });
        }
        trial.hints.push(Finding {
            change: Change::Scheme,
            text: format!("The request carries {vendor}'s header {header}, and this source expects another sender."),
            fix,
            sure: false,
        });
    }
    None
}

fn other_digest(trial: &mut Trial<'_>, hmac: &HmacScheme) -> Option<Finding> {
    ALGORITHMS.iter().find_map(|(algorithm, word)| {
        let other = Scheme::Hmac(HmacScheme { algorithm: *algorithm, ..hmac.clone() });
        let passes = *algorithm != hmac.algorithm && trial.passes_as(&other);
        passes.then(|| Finding {
            change: Change::Scheme,
            text: format!("The signature is right under the digest {word}."),
            fix: format!("Set algorithm = \"{word}\" in this source's verify table."),
            sure: true,
        })
    })
}

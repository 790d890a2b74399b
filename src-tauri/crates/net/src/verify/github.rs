//! GitHub: `X-Hub-Signature-256: sha256=<hex>` (docs.github.com, "Validating webhook deliveries").
//!
//! There is no timestamp, so that dedupe by `X-GitHub-Delivery` is all that stands against a replay; that header is not
//! signed. The SHA-1 header `X-Hub-Signature` is not read.

use signalbox_model::verify::SignatureEncoding;

use super::mac::{self, Keys};
use super::{Incoming, Refusal, Verified, headers};

pub(super) const HEADER: &str = "x-hub-signature-256";
pub(super) const ID_HEADER: &str = "x-github-delivery";
pub(super) const PREFIX: &str = "sha256=";

pub(super) fn verify(keys: &Keys, request: &Incoming<'_>) -> Result<Verified, Refusal> {
    let given = headers::signature(request.headers, HEADER)?
        .strip_prefix(PREFIX)
        .and_then(|text| mac::decode(text, SignatureEncoding::Hex))
        .ok_or_else(|| Refusal::SignatureMalformed {
            header: HEADER.to_owned(),
            problem: "is not of the form 'sha256=<lower-case hex>'",
        })?;
    let secret_index = keys.matching(&[request.body], &[given]).ok_or(Refusal::SignatureMismatch)?;
    let id = headers::optional_id(request.headers, ID_HEADER)?.map(str::to_owned);
    Ok(Verified { id, secret_index, timestamp: None })
}

#[cfg(test)]
mod tests {
    use signalbox_model::Timestamp;
    use signalbox_model::verify::Scheme;

    use super::super::testing::Case;
    use super::*;

    fn published() -> Case {
        Case {
            scheme: Scheme::Github,
            secrets: vec!["It's a Secret to Everybody"],
            method: "POST",
            url: "http://localhost/hook",
            headers: vec![
                (HEADER, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17".into()),
                (ID_HEADER, "72d3162e-cc78-11e3-81ab-4c9367dc0958".into()),
            ],
            body: b"Hello, World!".to_vec(),
            now: Timestamp::from_secs(0),
        }
    }

    #[test]
    fn the_published_vector_is_accepted_and_the_rules_hold() {
        assert_eq!(published().run().unwrap().id.as_deref(), Some("72d3162e-cc78-11e3-81ab-4c9367dc0958"));
        published().holds_the_rules_of_every_signature(HEADER);
    }

    #[test]
    fn upper_case_hex_and_the_sha1_header_alone_are_refused() {
        let upper = published().value(HEADER).to_uppercase().replace("SHA256", "sha256");
        assert_eq!(published().with(HEADER, &upper).code(), "signature-malformed");
        let sha1 = published().without(HEADER).with("x-hub-signature", "sha1=00");
        assert_eq!(sha1.code(), "signature-missing");
    }

    #[test]
    fn a_missing_delivery_id_is_no_id_and_a_wrong_one_is_refused() {
        assert_eq!(published().without(ID_HEADER).run().unwrap().id, None);
        assert_eq!(published().with(ID_HEADER, "two words").code(), "id-malformed");
    }
}

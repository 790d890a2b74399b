//! Shopify: `X-Shopify-Hmac-SHA256: <base64>` (shopify.dev, "Verify deliveries").
//!
//! No timestamp; repeats are known by `X-Shopify-Webhook-Id`, which is not signed. After a rotation signatures of the old
//! secret may come for an hour, so keep both secrets for that long.

use signalbox_model::verify::SignatureEncoding;

use super::mac::{self, Keys};
use super::{Incoming, Refusal, Verified, headers};

pub(super) const HEADER: &str = "x-shopify-hmac-sha256";
pub(super) const ID_HEADER: &str = "x-shopify-webhook-id";

pub(super) fn verify(keys: &Keys, request: &Incoming<'_>) -> Result<Verified, Refusal> {
    let text = headers::signature(request.headers, HEADER)?;
    let given = mac::decode(text, SignatureEncoding::Base64)
        .ok_or_else(|| Refusal::SignatureMalformed { header: HEADER.to_owned(), problem: "is not base64" })?;
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

    fn generated() -> Case {
        Case {
            scheme: Scheme::Shopify,
            secrets: vec!["shop-secret"],
            method: "POST",
            url: "http://localhost/hook",
            headers: vec![
                (HEADER, "plW8VGqq0nDMIEhDqaNNW99asdUCy7EIqLZVcQwtAZ0=".into()),
                (ID_HEADER, "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043".into()),
            ],
            body: br#"{"id":1}"#.to_vec(),
            now: Timestamp::from_secs(0),
        }
    }

    #[test]
    fn the_generated_vector_is_accepted_and_the_rules_hold() {
        assert_eq!(generated().run().unwrap().id.as_deref(), Some("b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"));
        generated().holds_the_rules_of_every_signature(HEADER);
    }

    #[test]
    fn a_signature_without_padding_or_in_hex_is_refused() {
        let right = generated().value(HEADER);
        assert_eq!(generated().with(HEADER, right.trim_end_matches('=')).code(), "signature-malformed");
        let hex = "a655bc546aaad270cc204843a9a34d5bdf5ab1d502cbb108a8b655710c2d019d";
        assert_eq!(generated().with(HEADER, hex).code(), "signature-mismatch");
    }
}

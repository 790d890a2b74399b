//! Signature headers of every scheme, and what the doctor says of them.

use std::cell::Cell;

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use signalbox_model::jwt::{JwtAlgorithm, JwtScheme, KeyMaterial, PublicKey};
use signalbox_model::organization::OrganizationId;
use signalbox_model::verify::{HmacAlgorithm, HmacScheme, Scheme, SignatureEncoding, Verify};
use signalbox_model::{SecretName, Timestamp};
use signalbox_net::doctor::{Known, Patient, diagnose};
use signalbox_net::verify::{Incoming, Verifier, scheme_id};

/// Nothing in the seeds is signed with it.
const SECRET: &str = "whsec_bm9ib2R5IGhhcyBzaWduZWQgd2l0aCB0aGlz";

fn schemes() -> Vec<Scheme> {
    let hmac = |message: &str, encoding| {
        Scheme::Hmac(HmacScheme {
            header: "X-Signature".to_owned(),
            algorithm: HmacAlgorithm::Sha512,
            encoding,
            prefix: "v1=".to_owned(),
            message: message.to_owned(),
            timestamp_header: Some("X-Timestamp".to_owned()),
            id_header: Some("X-Id".to_owned()),
        })
    };
    let jwt = |algorithms: Vec<JwtAlgorithm>, keys| {
        let (issuers, audiences) = (vec!["me".to_owned()], Vec::new());
        Scheme::Jwt(JwtScheme { algorithms, keys, issuers, audiences, header: "authorization".to_owned() })
    };
    // RFC 8037 appendix A.2.
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned();
    let key = PublicKey { id: Some("k".to_owned()), algorithm: None, material: KeyMaterial::Ed25519 { x } };
    vec![
        Scheme::StandardWebhooks,
        Scheme::Stripe,
        Scheme::Github,
        Scheme::Shopify,
        Scheme::Slack,
        Scheme::Hubspot,
        Scheme::Twilio,
        Scheme::Bearer,
        Scheme::Basic { username: "ada".to_owned() },
        Scheme::ApiKey { header: "X-Api-Key".to_owned() },
        hmac("{id}.{timestamp}.{body}", SignatureEncoding::Base64Url),
        hmac("{body}", SignatureEncoding::Hex),
        jwt(vec![JwtAlgorithm::Hs256, JwtAlgorithm::Hs512], Vec::new()),
        jwt(vec![JwtAlgorithm::EdDsa], vec![key]),
        Scheme::SalesforceOutbound { organizations: OrganizationId::parse("00D58000000JMGaEAO").into_iter().collect() },
    ]
}

/// The first byte chooses the scheme; header lines follow, then an empty line and the body.
pub(crate) fn signature(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let schemes = schemes();
    let scheme = schemes[usize::from(*choice) % schemes.len()].clone();
    let cut = rest.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = cut.map_or((rest, &[][..]), |cut| (&rest[..cut], &rest[cut + 2..]));
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n').take(64) {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = (&line[..colon], line.get(colon + 1..).unwrap_or_default());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value.trim_ascii())) {
            headers.append(name, value);
        }
    }
    let name = SecretName::new("own").expect("a name");
    let verify = Verify { secrets: vec![name.clone()], tolerance: Verify::TOLERANCE, scheme };
    let verifier = Verifier::new(&verify, vec![SecretString::from(SECRET)]).expect("a scheme with its secret");
    let request = Incoming {
        method: "POST",
        public_url: None,
        url_seen: "http://127.0.0.1:7421/hooks/a?b=c",
        headers: &headers,
        body,
    };
    let now = Timestamp::from_secs(1_700_000_000);
    let _id = scheme_id(&verify.scheme, &headers);
    let unsigned = matches!(verify.scheme, Scheme::SalesforceOutbound { .. });
    let refusal = match verifier.verify(&request, now) {
        Ok(_) if unsigned => return,
        Ok(verified) => panic!("a forged request was accepted: {verified:?}"),
        Err(refusal) => refusal,
    };
    let own = [Known { name, integration: "a".to_owned(), value: SECRET.into() }];
    let patient =
        Patient { verify: &verify, own: &own, others: &[], request, refusal: &refusal, now, clock_agrees: false };
    let asked = Cell::new(0_u32);
    let over = || {
        asked.set(asked.get() + 1);
        asked.get() > 100
    };
    let _said = diagnose(&patient, &over);
}

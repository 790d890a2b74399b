//! The same schemes from the sender's side: for outbound requests, for the sandbox, and for tests.
//!
//! Each function gives the value of the scheme's signature header.

use aws_lc_rs::hmac as aws;
use secrecy::{ExposeSecret, SecretString};
use signalbox_model::Timestamp;
use signalbox_model::verify::{HmacScheme, SignatureEncoding};

use super::{VerifierError, github, hmac, hubspot, mac, slack, standard_webhooks, stripe, twilio};

fn signed(key: &[u8], algorithm: aws::Algorithm, message: &[&[u8]], encoding: SignatureEncoding) -> String {
    mac::encode(mac::tag(&aws::Key::new(algorithm, key), message).as_ref(), encoding)
}

fn sha256(secret: &SecretString, message: &[&[u8]], encoding: SignatureEncoding) -> String {
    signed(secret.expose_secret().as_bytes(), aws::HMAC_SHA256, message, encoding)
}

/// `webhook-signature`, over the id and `at` in whole seconds.
pub fn sign_standard_webhooks(
    secret: &SecretString,
    id: &str,
    at: Timestamp,
    body: &[u8],
) -> Result<String, VerifierError> {
    let key = standard_webhooks::decode_secret(secret.expose_secret(), 1)?;
    let timestamp = at.as_secs().to_string();
    let message = standard_webhooks::message(id, &timestamp, body);
    Ok(format!("v1,{}", signed(&key, aws::HMAC_SHA256, &message, SignatureEncoding::Base64)))
}

/// `Stripe-Signature`
pub fn sign_stripe(secret: &SecretString, at: Timestamp, body: &[u8]) -> String {
    let timestamp = at.as_secs().to_string();
    let mac = sha256(secret, &stripe::message(&timestamp, body), SignatureEncoding::Hex);
    format!("t={timestamp},v1={mac}")
}

/// `X-Hub-Signature-256`
pub fn sign_github(secret: &SecretString, body: &[u8]) -> String {
    format!("{}{}", github::PREFIX, sha256(secret, &[body], SignatureEncoding::Hex))
}

/// `X-Shopify-Hmac-SHA256`
pub fn sign_shopify(secret: &SecretString, body: &[u8]) -> String {
    sha256(secret, &[body], SignatureEncoding::Base64)
}

/// `X-Slack-Signature`, for an `X-Slack-Request-Timestamp` of `at` in whole seconds.
pub fn sign_slack(secret: &SecretString, at: Timestamp, body: &[u8]) -> String {
    let timestamp = at.as_secs().to_string();
    format!("{}{}", slack::PREFIX, sha256(secret, &slack::message(&timestamp, body), SignatureEncoding::Hex))
}

/// `X-HubSpot-Signature-v3`, for an `X-HubSpot-Request-Timestamp` of `at` in whole milliseconds.
pub fn sign_hubspot_v3(secret: &SecretString, method: &str, url: &str, body: &[u8], at: Timestamp) -> String {
    let timestamp = at.as_millis().to_string();
    let url = hubspot::signed_url(url);
    sha256(secret, &hubspot::message(method, &url, body, &timestamp), SignatureEncoding::Base64)
}

/// `X-Twilio-Signature` of a form. (A JSON body is covered by `bodySHA256` in the URL: sign that URL with an empty form.)
pub fn sign_twilio(auth_token: &SecretString, url: &str, form: &[u8]) -> String {
    let parameters = twilio::form_message(form);
    signed(
        auth_token.expose_secret().as_bytes(),
        aws::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        &[url.as_bytes(), parameters.as_bytes()],
        SignatureEncoding::Base64,
    )
}

/// The header of a generic scheme, prefix included; `{timestamp}` is `at` in whole seconds.
pub fn sign_hmac(scheme: &HmacScheme, secret: &SecretString, id: &str, at: Timestamp, body: &[u8]) -> String {
    let timestamp = at.as_secs().to_string();
    let mac = signed(
        secret.expose_secret().as_bytes(),
        mac::algorithm(scheme.algorithm),
        &hmac::message(scheme, id, &timestamp, body),
        scheme.encoding,
    );
    format!("{}{mac}", scheme.prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn the_published_vectors_come_out() {
        assert_eq!(
            sign_standard_webhooks(
                &secret("whsec_plJ3nmyCDGBKInavdOK15jsl"),
                "msg_loFOjxBNrRLzqYUf",
                Timestamp::from_secs(1_731_705_121),
                br#"{"event_type":"ping","data":{"success":true}}"#
            )
            .unwrap(),
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
        );
        assert_eq!(
            sign_standard_webhooks(
                &secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                Timestamp::from_secs(1_614_265_330),
                br#"{"test": 2432232314}"#
            )
            .unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_eq!(
            sign_stripe(&secret("whsec_test_secret"), Timestamp::from_secs(1_492_774_577), br#"{"id":"evt_test"}"#),
            "t=1492774577,v1=22f7d74836ddad3284a2b80853dd2fe731655c1bfddcff3c3666a500cf3abd80"
        );
        assert_eq!(
            sign_github(&secret("It's a Secret to Everybody"), b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
        assert_eq!(
            sign_shopify(&secret("shop-secret"), br#"{"id":1}"#),
            "plW8VGqq0nDMIEhDqaNNW99asdUCy7EIqLZVcQwtAZ0="
        );
        assert_eq!(
            sign_hubspot_v3(
                &secret("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"),
                "POST",
                "https://www.example.com/webhook_uri",
                b"{'example_field':'example_value'}",
                Timestamp::from_millis(1_693_657_560_000)
            ),
            "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="
        );
        assert_eq!(
            sign_twilio(
                &secret("12345"),
                "https://mycompany.com/myapp.php?foo=1&bar=2",
                b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
            ),
            "RSOYDt4T1cUTdK1PDd93/VVr8B8="
        );
    }
}

//! Each kind of finding on the vendors' published vectors, spoilt in one way.

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use signalbox_model::verify::{HmacAlgorithm, HmacScheme, Scheme, SignatureEncoding};

use super::*;
use crate::verify::{Verifier, sign};

const GITHUB_SECRET: &str = "It's a Secret to Everybody";
const SENT: i64 = 1_700_000_000;

struct Case {
    scheme: Scheme,
    own: Vec<Known>,
    others: Vec<Known>,
    headers: HeaderMap,
    body: Vec<u8>,
    url: &'static str,
    public_url: Option<&'static str>,
    now: Timestamp,
    clock_agrees: bool,
}

fn known(name: &str, integration: &str, value: &str) -> Known {
    Known { name: SecretName::new(name).unwrap(), integration: integration.to_owned(), value: value.to_owned().into() }
}

fn case(scheme: Scheme, secret: &str) -> Case {
    Case {
        scheme,
        own: vec![known("own", "orders", secret)],
        others: Vec::new(),
        headers: HeaderMap::new(),
        body: b"{\"a\":1}".to_vec(),
        url: "http://127.0.0.1:7421/hooks/orders",
        public_url: None,
        now: Timestamp::from_secs(SENT),
        clock_agrees: false,
    }
}

impl Case {
    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn diagnosis_within(&self, over: &dyn Fn() -> bool) -> Option<Diagnosis> {
        let verify = Verify {
            scheme: self.scheme.clone(),
            secrets: self.own.iter().map(|known| known.name.clone()).collect(),
            tolerance: Verify::TOLERANCE,
        };
        let request = Incoming {
            method: "POST",
            public_url: self.public_url,
            url_seen: self.url,
            headers: &self.headers,
            body: &self.body,
        };
        let secrets = self.own.iter().map(|known| known.value.expose_secret().to_owned().into()).collect();
        let refusal = Verifier::new(&verify, secrets).unwrap().verify(&request, self.now).expect_err("it is refused");
        let patient = Patient {
            verify: &verify,
            own: &self.own,
            others: &self.others,
            request,
            refusal: &refusal,
            now: self.now,
            clock_agrees: self.clock_agrees,
        };
        diagnose(&patient, over)
    }

    fn diagnosis(&self) -> Diagnosis {
        self.diagnosis_within(&|| false).expect("this is about the signature")
    }

    #[track_caller]
    fn finds(&self, change: Change, words: &str) {
        let diagnosis = self.diagnosis();
        let first = diagnosis.findings.first().unwrap_or_else(|| panic!("{}", diagnosis.summary));
        assert!(first.sure && first.change == change && first.text.contains(words), "{diagnosis:#?}");
        assert_eq!(diagnosis.summary, first.text);
    }
}

fn signed(secret: &str, body: &[u8]) -> String {
    sign::sign_github(&secret.to_owned().into(), body)
}

fn github(secret_here: &str, secret_there: &str) -> Case {
    let case = case(Scheme::Github, secret_here);
    let signature = signed(secret_there, &case.body);
    case.with("x-hub-signature-256", &signature)
}

fn standard_webhooks(body: &[u8], key: &[u8]) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key);
    let message = [format!("msg_1.{SENT}.").as_bytes(), body].concat();
    format!("v1,{}", encode(aws_lc_rs::hmac::sign(&key, &message).as_ref()))
}

fn encode(bytes: &[u8]) -> String {
    crate::verify::encode_signature(bytes, SignatureEncoding::Base64)
}

#[test]
fn the_secret_of_another_source_is_named() {
    let mut case = github("another secret of some length", GITHUB_SECRET);
    case.others =
        vec![known("unused", "a", "a third secret of some length"), known("shop-hook", "shop", GITHUB_SECRET)];
    case.finds(Change::OtherSecret, "the secret 'shop-hook', which the integration 'shop' names");
}

#[test]
fn slips_in_a_secret_are_told_apart() {
    for (here, there, words) in [
        ("secret of some length\n", "secret of some length", "'own' without the white space around it"),
        ("secret of some length", "secret of some length\n", "with a line break after it"),
        ("secret of some length", "secret of some length ", "with a space after it"),
        ("whsec_c2VjcmV0", "c2VjcmV0", "without its 'whsec_'"),
        ("c2VjcmV0", "whsec_c2VjcmV0", "with 'whsec_' before it"),
        ("c2VjcmV0", "secret", "decoded from base64"),
        ("whsec_c2VjcmV0", "secret", "decoded from base64"),
        ("73656372657421", "secret!", "decoded from hexadecimal"),
    ] {
        github(here, there).finds(Change::OtherSecret, words);
    }
}

#[test]
fn a_standard_webhooks_secret_that_was_not_decoded_is_seen() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    for (key, words) in [
        (secret, "taken as text instead of base64"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "without its 'whsec_' and taken as text"),
    ] {
        let case = case(Scheme::StandardWebhooks, secret);
        let signature = standard_webhooks(&case.body, key.as_bytes());
        case.with("webhook-id", "msg_1")
            .with("webhook-timestamp", &SENT.to_string())
            .with("webhook-signature", &signature)
            .finds(Change::OtherSecret, words);
    }
}

#[test]
fn a_clock_that_is_off_is_told_with_whose_it_is() {
    // The published vector of Standard Webhooks.
    let mut case = case(Scheme::StandardWebhooks, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        .with("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
        .with("webhook-timestamp", "1614265330")
        .with("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        .body("{\"test\": 2432232314}");
    case.now = Timestamp::from_secs(1_614_265_330 + 420);
    case.finds(
        Change::Clock,
        "its time is 7m ago and 5m are allowed: the sender's clock is behind, this machine's is ahead",
    );
    case.clock_agrees = true;
    case.finds(Change::Clock, "This machine's clock agrees with another sender's");
    case.now = Timestamp::from_secs(1_614_265_330 - 3_600);
    case.finds(Change::Clock, "its time is 1h ahead and 5m are allowed. This machine's clock agrees");
}

#[test]
fn a_body_that_was_written_anew_is_recognised() {
    let value = r#"{"zoo":"é","b":[1.10,2],"url":"https://a.test/x"}"#;
    for (signed_body, words) in [
        (format!("{value}\n"), "with a line break at its end"),
        (r#"{"b":[1.10,2],"url":"https://a.test/x","zoo":"é"}"#.to_owned(), "without spaces, its keys sorted"),
        (
            r#"{"zoo": "\u00e9", "b": [1.10, 2], "url": "https://a.test/x"}"#.to_owned(),
            "with a space after ':' and ','",
        ),
        (r#"{"zoo":"\u00e9","b":[1.10,2],"url":"https:\/\/a.test\/x"}"#.to_owned(), "'/' as '\\/'"),
        (
            "{\n  \"zoo\": \"é\",\n  \"b\": [\n    1.10,\n    2\n  ],\n  \"url\": \"https://a.test/x\"\n}".to_owned(),
            "over several lines, 2 spaces deep",
        ),
    ] {
        let case = case(Scheme::Github, GITHUB_SECRET).body(value);
        case.with("x-hub-signature-256", &signed(GITHUB_SECRET, signed_body.as_bytes())).finds(Change::Body, words);
    }
    let lines = case(Scheme::Github, GITHUB_SECRET).body("a\nb\n");
    lines.with("x-hub-signature-256", &signed(GITHUB_SECRET, b"a\r\nb\r\n")).finds(Change::Body, "Windows");
    let compact = case(Scheme::Github, GITHUB_SECRET).body("{ \"a\" : 1 }");
    compact.with("x-hub-signature-256", &signed(GITHUB_SECRET, b"{\"a\":1}")).finds(Change::Body, "without spaces");
}

#[test]
fn the_url_that_the_vendor_called_is_found() {
    // HubSpot's published vector.
    let hubspot = |public_url, url| {
        let mut case = case(Scheme::Hubspot, "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy")
            .with("x-hubspot-signature-v3", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=")
            .with("x-hubspot-request-timestamp", "1693657560000")
            .body("{'example_field':'example_value'}");
        case.now = Timestamp::from_secs(1_693_657_560);
        (case.public_url, case.url) = (public_url, url);
        case
    };
    let right = "for the URL https://www.example.com/webhook_uri";
    let seen = "http://127.0.0.1:7421/webhook_uri";
    for public_url in [
        "http://www.example.com/webhook_uri",
        "https://www.example.com:8443/webhook_uri",
        "https://www.example.com/webhook_uri/",
    ] {
        hubspot(Some(public_url), seen).finds(Change::Url, right);
    }
    hubspot(None, seen).with("host", "www.example.com").finds(Change::Url, right);
    hubspot(None, seen).with("x-forwarded-host", "www.example.com, proxy").finds(Change::Url, right);
    let unknown = hubspot(None, seen).diagnosis();
    assert!(unknown.findings.iter().any(|hint| hint.change == Change::Url && !hint.sure), "{unknown:#?}");
}

#[test]
fn another_vendors_request_is_recognised_by_its_header() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let body = b"{\"a\":1}";
    let key = crate::verify::key_of(&Scheme::StandardWebhooks, secret).unwrap();
    case(Scheme::Github, secret)
        .with("svix-id", "msg_1")
        .with("svix-timestamp", &SENT.to_string())
        .with("svix-signature", &standard_webhooks(body, &key))
        .finds(Change::Scheme, "signed the way of Svix");
    let at = Timestamp::from_secs(SENT);
    let stripe = sign::sign_stripe(&secret.to_owned().into(), at, body);
    case(Scheme::Github, secret).with("stripe-signature", &stripe).finds(Change::Scheme, "signed the way of Stripe");
    let hint = case(Scheme::Github, "another secret of some length").with("stripe-signature", &stripe).diagnosis();
    assert!(!hint.findings[0].sure && hint.summary.contains("carries Stripe's header"), "{hint:#?}");
}

fn generic() -> HmacScheme {
    HmacScheme {
        header: "X-Signature".into(),
        algorithm: HmacAlgorithm::Sha256,
        encoding: SignatureEncoding::Hex,
        prefix: "sha256=".into(),
        message: "{body}".into(),
        timestamp_header: None,
        id_header: None,
    }
}

fn generic_signature(change: impl FnOnce(&mut HmacScheme)) -> String {
    let mut scheme = generic();
    change(&mut scheme);
    sign::sign_hmac(&scheme, &GITHUB_SECRET.to_owned().into(), "", Timestamp::from_secs(SENT), b"{\"a\":1}")
}

#[test]
fn another_digest_is_found() {
    let sha512 = generic_signature(|scheme| scheme.algorithm = HmacAlgorithm::Sha512);
    case(Scheme::Hmac(generic()), GITHUB_SECRET)
        .with("x-signature", &sha512)
        .finds(Change::Scheme, "right under the digest sha512");
}

#[test]
fn another_encoding_or_a_missing_prefix_is_found() {
    let bare = generic_signature(|scheme| scheme.prefix.clear());
    let base64 = generic_signature(|scheme| scheme.encoding = SignatureEncoding::Base64);
    let upper = bare.to_uppercase();
    for (signature, words) in [
        (bare.clone(), "lower-case hex without a prefix"),
        (base64, "base64 after 'sha256='"),
        (format!("sha256={upper}"), "upper-case hex after 'sha256='"),
        (format!("sha1={bare}"), "lower-case hex after 'sha1='"),
    ] {
        for scheme in [Scheme::Hmac(generic()), Scheme::Github] {
            let header = if scheme == Scheme::Github { "x-hub-signature-256" } else { "x-signature" };
            case(scheme, GITHUB_SECRET).with(header, &signature).finds(Change::Prefix, words);
        }
    }
}

#[test]
fn a_signature_in_another_header_is_found() {
    let bare = generic_signature(|scheme| scheme.prefix.clear());
    case(Scheme::Github, GITHUB_SECRET).with("accept", "*/*").with("x-my-signature", &bare).finds(
        Change::Header,
        "in the header x-my-signature (as lower-case hex without a prefix) instead of x-hub-signature-256",
    );
    case(Scheme::Bearer, "token-of-some-length")
        .with("x-api-key", "token-of-some-length")
        .finds(Change::Header, "in the header x-api-key instead of authorization");
    case(Scheme::Bearer, "token-of-some-length")
        .with("authorization", "Token token-of-some-length")
        .finds(Change::Prefix, "must stand after 'Bearer'");
    case(Scheme::ApiKey { header: "X-Api-Key".into() }, "token-of-some-length")
        .with("authorization", "Bearer token-of-some-length")
        .finds(Change::Header, "in the header authorization instead of x-api-key");
}

#[test]
fn a_change_that_leaves_the_clock_off_says_both() {
    let secret = "a signing secret of some length";
    let at = Timestamp::from_secs(SENT - 900);
    let mut case = case(Scheme::Stripe, "another secret of some length");
    case.others = vec![known("pay", "payments", secret)];
    let signature = sign::sign_stripe(&secret.to_owned().into(), at, &case.body);
    let diagnosis = case.with("stripe-signature", &signature).diagnosis();
    let changes: Vec<Change> = diagnosis.findings.iter().map(|finding| finding.change).collect();
    assert_eq!(changes, [Change::OtherSecret, Change::Clock], "{diagnosis:#?}");
}

#[test]
fn a_forged_request_finds_nothing_and_nothing_secret_is_said() {
    let mut case = github("c4n4ry-of-some-length\n", "a forger's own secret");
    case.others =
        vec![known("pay", "payments", "c4n4ry-two-of-some-length"), known("whs", "w", "whsec_YzRuNHJ5LXRocmVl")];
    let diagnosis = case.diagnosis();
    assert!(diagnosis.findings.iter().all(|finding| !finding.sure), "{diagnosis:#?}");
    let shown = serde_json::to_string(&diagnosis).unwrap();
    let right = signed("c4n4ry-of-some-length\n", &case.body);
    for secret in ["c4n4ry", "YzRuNHJ5", right.strip_prefix("sha256=").unwrap()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn time_tries_and_size_are_bounded() {
    let mut large = github("one secret of some length", "another secret of some length");
    large.body = vec![b'x'; MAX_BODY + 1];
    assert!(large.diagnosis().summary.contains("larger than 64 KiB"));

    let asked = std::cell::Cell::new(0);
    let mut many = github("one secret of some length", "another secret of some length").body(vec![b' '; 1_000]);
    many.others =
        (0..200).map(|number| known(&format!("n{number}"), "x", &format!("secret number {number}"))).collect();
    let diagnosis = many.diagnosis_within(&|| {
        asked.set(asked.get() + 1);
        asked.get() > 10
    });
    assert!(diagnosis.unwrap().summary.contains("in the time there is"));
    asked.set(0);
    let _all = many.diagnosis_within(&|| {
        asked.set(asked.get() + 1);
        false
    });
    assert!(asked.get() <= MAX_TRIES + 10, "{}", asked.get());
}

#[test]
fn a_refusal_that_says_it_all_is_not_examined() {
    let case = github(GITHUB_SECRET, GITHUB_SECRET);
    let mut twice = case;
    twice.headers.append("x-hub-signature-256", HeaderValue::from_static("sha256=00"));
    assert_eq!(twice.diagnosis_within(&|| false), None);
}

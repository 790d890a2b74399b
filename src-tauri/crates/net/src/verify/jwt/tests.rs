use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};
use signalbox_model::jwt::KeyMaterial;
use signalbox_model::verify::Scheme;

use super::super::testing::Case;
use super::*;

const NOW: i64 = 1_700_000_000;

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn scheme(algorithms: &[JwtAlgorithm], keys: Vec<PublicKey>) -> JwtScheme {
    JwtScheme {
        algorithms: algorithms.to_vec(),
        keys,
        issuers: Vec::new(),
        audiences: Vec::new(),
        header: AUTHORIZATION.to_owned(),
    }
}

fn case(scheme: JwtScheme, secrets: Vec<&'static str>, token: &str) -> Case {
    Case {
        scheme: Scheme::Jwt(scheme),
        secrets,
        method: "POST",
        url: "http://localhost/hook",
        headers: vec![(AUTHORIZATION, format!("Bearer {token}"))],
        body: b"{}".to_vec(),
        now: Timestamp::from_secs(NOW),
    }
}

const SECRET: &str = "a shared secret of forty or so characters";

fn hs256(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let mac = base64(aws_lc_rs::hmac::sign(&key, message.as_bytes()).as_ref());
    format!("{message}.{mac}")
}

fn good() -> String {
    hs256(r#"{"alg":"HS256"}"#, &format!(r#"{{"exp":{}}}"#, NOW + 60))
}

fn shared() -> JwtScheme {
    scheme(&[JwtAlgorithm::Hs256], Vec::new())
}

/// One key pair of each kind, and a token that it signed over `claims`.
struct Signer {
    ed: Ed25519KeyPair,
    rsa: RsaKeyPair,
}

impl Signer {
    fn new() -> Self {
        Self { ed: Ed25519KeyPair::generate().unwrap(), rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap() }
    }

    fn keys(&self) -> Vec<PublicKey> {
        let n = self.rsa.public_key().modulus().big_endian_without_leading_zero().to_vec();
        let e = self.rsa.public_key().exponent().big_endian_without_leading_zero().to_vec();
        vec![
            PublicKey {
                id: Some("ed".into()),
                algorithm: None,
                material: KeyMaterial::Ed25519 { x: base64(self.ed.public_key().as_ref()) },
            },
            PublicKey {
                id: Some("rsa".into()),
                algorithm: None,
                material: KeyMaterial::Rsa { n: base64(&n), e: base64(&e) },
            },
        ]
    }

    fn ed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()));
        format!("{message}.{}", base64(self.ed.sign(message.as_bytes()).as_ref()))
    }

    fn rs256(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()));
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        self.rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", base64(&signature))
    }
}

#[test]
fn the_published_es256_token_is_accepted_until_it_expires() {
    // RFC 7515 appendix A.3.
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let key = PublicKey {
        id: None,
        algorithm: None,
        material: KeyMaterial::P256 {
            x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".into(),
            y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".into(),
        },
    };
    let mut case = case(scheme(&[JwtAlgorithm::Es256], vec![key]), vec![], token);
    for (now, code) in [(0, "accepted"), (300, "accepted"), (301, "token-expired")] {
        case.now = Timestamp::from_secs(1_300_819_380 + now);
        assert_eq!(case.code(), code, "{now} s after the expiry");
    }
}

#[test]
fn every_flipped_byte_of_a_token_is_refused() {
    let good = case(shared(), vec!["another secret of some length", SECRET], &good());
    assert_eq!(good.run().unwrap().secret_index, 1);
    let value = good.value(AUTHORIZATION);
    // The last character of base64url may hold bits that count for nothing; the decoder refuses those.
    for index in "Bearer ".len()..value.len() {
        let mut bytes = value.clone().into_bytes();
        bytes[index] ^= 1;
        let flipped = String::from_utf8(bytes).unwrap();
        assert_ne!(good.with(AUTHORIZATION, &flipped).code(), "accepted", "byte {index}");
        assert_ne!(good.with(AUTHORIZATION, value.get(..index).unwrap()).code(), "accepted", "cut at {index}");
    }
    assert_eq!(good.without(AUTHORIZATION).code(), "credentials-missing");
    assert_eq!(good.with(AUTHORIZATION, &format!("Bearer {}", "a".repeat(9_000))).code(), "header-too-long");
    assert_eq!(good.with(AUTHORIZATION, value.strip_prefix("Bearer ").unwrap()).code(), "token-malformed");
}

#[test]
fn a_token_cannot_choose_its_algorithm_or_bring_its_key() {
    let signer = Signer::new();
    let claims = format!(r#"{{"exp":{}}}"#, NOW + 60);
    let asymmetric =
        |token: &str| case(scheme(&[JwtAlgorithm::Rs256, JwtAlgorithm::EdDsa], signer.keys()), vec![], token).code();
    assert_eq!(asymmetric(&signer.ed(r#"{"alg":"EdDSA","kid":"ed"}"#, &claims)), "accepted");
    assert_eq!(asymmetric(&signer.rs256(r#"{"alg":"RS256"}"#, &claims)), "accepted");
    // The right signature under another name.
    assert_eq!(asymmetric(&signer.rs256(r#"{"alg":"RS512"}"#, &claims)), "token-algorithm");
    assert_eq!(asymmetric(&signer.rs256(r#"{"alg":"EdDSA"}"#, &claims)), "signature-mismatch");
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let header = base64(format!(r#"{{"alg":"{none}"}}"#).as_bytes());
        let claims = base64(claims.as_bytes());
        assert_eq!(asymmetric(&format!("{header}.{claims}.")), "token-algorithm", "{none}");
    }
    // The public key as an HMAC secret (RFC 8725 §2.1).
    assert_eq!(asymmetric(&good()), "token-algorithm");

    let other = Signer::new();
    let header = format!(
        r#"{{"alg":"EdDSA","kid":"ed","jku":"https://evil.test/jwks","x5u":"https://evil.test/x","jwk":{{"kty":"OKP","crv":"Ed25519","x":"{}"}}}}"#,
        base64(other.ed.public_key().as_ref())
    );
    assert_eq!(asymmetric(&other.ed(&header, &claims)), "signature-mismatch");
    assert_eq!(asymmetric(&signer.ed(&header, &claims)), "accepted");
    let unknown = signer.ed(r#"{"alg":"EdDSA","kid":"../../etc/passwd"}"#, &claims);
    assert_eq!(asymmetric(&unknown), "token-key-unknown");
    // A key of another kind does not help, whatever its id.
    assert_eq!(asymmetric(&signer.ed(r#"{"alg":"EdDSA","kid":"rsa"}"#, &claims)), "token-key-unknown");
    assert_eq!(asymmetric(&signer.ed(r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#, &claims)), "token-malformed");
}

#[test]
fn expiry_and_start_are_judged_with_the_tolerance() {
    let with = |claims: &str| case(shared(), vec![SECRET], &hs256(r#"{"alg":"HS256"}"#, claims)).code();
    for (claims, code) in [
        (format!(r#"{{"exp":{}}}"#, NOW - 300), "accepted"),
        (format!(r#"{{"exp":{}.5}}"#, NOW - 301), "token-expired"),
        (format!(r#"{{"exp":{},"nbf":{}}}"#, NOW + 9, NOW + 300), "accepted"),
        (format!(r#"{{"exp":{},"nbf":{}}}"#, NOW + 9, NOW + 301), "token-not-yet-valid"),
        (format!(r#"{{"nbf":{NOW}}}"#), "token-malformed"),
        (format!(r#"{{"exp":"{NOW}"}}"#), "token-malformed"),
        (format!(r#"{{"exp":{},"exp":{}}}"#, NOW - 900, NOW + 900), "token-malformed"),
        (r#"{"exp":1e300}"#.to_owned(), "token-malformed"),
        (r#"{"exp":-1}"#.to_owned(), "token-malformed"),
        (r#"{"exp":9223372036854775807}"#.to_owned(), "token-malformed"),
        ("[]".to_owned(), "token-malformed"),
    ] {
        assert_eq!(with(&claims), code, "{claims}");
    }
}

#[test]
fn issuer_and_audience_are_required_where_they_are_set() {
    let mut wanted = shared();
    wanted.issuers = vec!["https://login.acme.test".into(), "https://old.acme.test".into()];
    wanted.audiences = vec!["signalbox".into()];
    let with = |claims: &str| {
        let claims = format!(r#"{{"exp":{},{claims}}}"#, NOW + 60);
        case(wanted.clone(), vec![SECRET], &hs256(r#"{"alg":"HS256"}"#, &claims)).code()
    };
    for (claims, code) in [
        (r#""iss":"https://login.acme.test","aud":"signalbox""#, "accepted"),
        (r#""iss":"https://old.acme.test","aud":["other","signalbox"]"#, "accepted"),
        (r#""iss":"https://login.acme.test.evil","aud":"signalbox""#, "token-issuer"),
        (r#""aud":"signalbox""#, "token-issuer"),
        (r#""iss":"https://login.acme.test","aud":["other"]"#, "token-audience"),
        (r#""iss":"https://login.acme.test","aud":[]"#, "token-audience"),
        (r#""iss":"https://login.acme.test""#, "token-audience"),
    ] {
        assert_eq!(with(claims), code, "{claims}");
    }
}

#[test]
fn a_token_may_come_in_another_header() {
    let mut other = shared();
    other.header = "x-token".into();
    let case = case(other, vec![SECRET], "").without(AUTHORIZATION);
    for value in [good(), format!("Bearer {}", good())] {
        assert_eq!(case.with("x-token", &value).code(), "accepted");
    }
    assert_eq!(case.with("x-token", &format!("Token {}", good())).code(), "token-malformed");
}

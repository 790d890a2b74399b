//! Two thousand spellings of URLs that lead inward; a canary listens where none of them may arrive.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use signalbox_net::address::AddressPolicy;
use signalbox_net::client::{Client, Outbound, Resolve, SendError};
use signalbox_net::url_policy;

use super::Chance;
use super::oracle::{Reach, reach_4};

const SPELLINGS: usize = 2_000;

/// A listener that no request may ever reach.
pub struct Canary(TcpListener);

impl Canary {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The kernel completes a connection before anyone accepts it, so none is still on its way.
    pub fn assert_untouched(&self, what: &str) {
        let accepted = self.0.accept().map(|(_, peer)| peer).map_err(|error| error.kind());
        assert_eq!(accepted, Err(ErrorKind::WouldBlock), "{what}");
    }
}

/// Every name leads to the canary's address: a spelling that is taken for a name is judged there.
pub struct Inward;

impl Resolve for Inward {
    fn resolve(&self, _: &str, port: u16) -> BoxFuture<'_, std::io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]) })
    }
}

pub fn outbound(url: &str) -> Outbound {
    Outbound {
        method: Method::POST,
        url: url.to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"x"),
        allow_private: false,
        timeout: Duration::from_secs(10),
        response_cap: 1024,
    }
}

/// One number of an address, as `inet_aton` reads numbers.
fn number(chance: &mut Chance, value: u32) -> String {
    match chance.below(4) {
        0 => format!("0x{value:x}"),
        1 => format!("0X{value:X}"),
        2 => format!("0{value:o}"),
        _ => value.to_string(),
    }
}

fn v4(chance: &mut Chance, address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets().map(u32::from);
    let parts: Vec<u32> = match chance.below(4) {
        0 => vec![u32::from(address)],
        1 => vec![a, b << 16 | c << 8 | d],
        2 => vec![a, b, c << 8 | d],
        _ => vec![a, b, c, d],
    };
    let parts: Vec<String> = parts.into_iter().map(|part| number(chance, part)).collect();
    let dot = *chance.pick(&[".", ".", ".", "。", "．", "｡", "%2e"]);
    let end = *chance.pick(&["", "", "", "."]);
    let text = format!("{}{end}", parts.join(dot));
    if text.contains('%') {
        return text;
    }
    match chance.below(5) {
        // Full width, percent-encoded, and with a letter that IDNA maps away.
        0 => text.chars().map(|letter| if letter.is_ascii_digit() { wide(letter) } else { letter }).collect(),
        1 => {
            let encoded = |letter: char| {
                if letter.is_ascii_digit() { format!("%{:02x}", letter as u32) } else { letter.to_string() }
            };
            text.chars().map(encoded).collect()
        }
        2 if text.is_ascii() => format!("{}\u{ad}{}", &text[..1], &text[1..]),
        _ => text,
    }
}

fn wide(digit: char) -> char {
    char::from_u32(u32::from(digit) - u32::from('0') + 0xff10).unwrap()
}

fn v6(chance: &mut Chance, address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    let hex = format!("{:x}:{:x}", u16::from(a) << 8 | u16::from(b), u16::from(c) << 8 | u16::from(d));
    let prefix =
        *chance.pick(&["::ffff:", "::", "64:ff9b::", "0:0:0:0:0:ffff:", "0000:0000:0000:0000:0000:FFFF:", "2002:"]);
    let inside = match (prefix, chance.below(2)) {
        ("2002:", _) => format!("{hex}::"),
        (_, 0) => address.to_string(),
        _ => hex,
    };
    let zone = *chance.pick(&["", "", "", "%25lo", "%lo"]);
    format!("[{prefix}{inside}{zone}]")
}

fn spelling(chance: &mut Chance, port: u16) -> String {
    let inward = [
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::new(127, 255, 3, 1),
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::new(10, 1, 2, 3),
        Ipv4Addr::new(192, 168, 0, 1),
        Ipv4Addr::new(169, 254, 169, 254),
        Ipv4Addr::new(100, 100, 100, 200),
        Ipv4Addr::new(255, 255, 255, 255),
    ];
    let address = *chance.pick(&inward);
    assert_ne!(reach_4(address), Reach::Always);
    let host = match chance.below(8) {
        0..=3 => v4(chance, address),
        4 | 5 => v6(chance, address),
        6 => (*chance.pick(&["[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fe80::1]", "[fd00:ec2::254]", "[::1%25lo]"]))
            .to_owned(),
        _ => (*chance.pick(&["localhost", "LOCALHOST.", "inward.test", "ⓛocalhost", "127.0.0.1.nip.test", "xn--a"]))
            .to_owned(),
    };
    let user = *chance.pick(&["", "", "", "user@", "public.example.com@", "user:secret@", "@", "a%40b@"]);
    let scheme =
        *chance.pick(&["https://", "https://", "http://", "HTTPS://", "https:/", "https:\\\\", "https:", "hTTp://"]);
    let port = match chance.below(4) {
        0 => String::new(),
        1 => format!(":0{port}"),
        _ => format!(":{port}"),
    };
    let path = *chance.pick(&["/", "", "/hooks", "/?x=1", "#a", "/..//", "\\x", "/%2e%2e/", "?@public.example.com/"]);
    format!("{scheme}{user}{host}{port}{path}")
}

#[tokio::test]
async fn no_spelling_of_a_url_reaches_inward() {
    let mut chance = Chance::new("no_spelling_of_a_url_reaches_inward");
    let canary = Canary::new();
    let client = Client::new(Arc::new(Inward), Arc::new(Vec::new)).unwrap();
    let mut literal = 0;
    for _ in 0..SPELLINGS {
        let url = spelling(&mut chance, canary.port());
        // Judged by text alone, an address in it is never one that may not be reached.
        if let Ok(parsed) = url_policy::check(&url, AddressPolicy { allow_private: false })
            && let Some(address) = url_policy::literal(&parsed)
        {
            panic!("{url} was let through as {address}");
        }
        match client.send(outbound(&url)).await {
            Err(SendError::Refused(refused)) => literal += usize::from(refused.code() == "address-refused"),
            other => panic!("{url}: {other:?}"),
        }
        canary.assert_untouched(&url);
    }
    assert!(
        literal > SPELLINGS / 4,
        "only {literal} were understood as an address: the spellings are too odd to prove anything"
    );
}

#[test]
fn a_public_address_is_let_through_in_every_spelling_that_a_browser_takes() {
    let mut chance = Chance::new("a_public_address_is_let_through");
    let public = Ipv4Addr::new(93, 184, 215, 14);
    for _ in 0..200 {
        let url = format!("https://{}/", v4(&mut chance, public));
        let parsed = url_policy::check(&url, AddressPolicy { allow_private: false })
            .unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(url_policy::literal(&parsed), Some(IpAddr::V4(public)), "{url}");
    }
}

//! What an outbound URL may look like, judged by the same parser that the connection uses.

use std::net::IpAddr;

use url::{Host, Url};

use crate::address::{AddressPolicy, Class};

/// Ports of services that read an HTTP request as commands of their own, or that answer to whoever reaches them.
const DENIED_PORTS: [u16; 31] = [
    22, 23, 25, 53, 110, 135, 139, 143, 389, 445, 465, 587, 636, 873, 993, 995, 1433, 2049, 2375, 2376, 3306, 3389,
    5432, 5900, 6379, 6443, 8500, 9042, 9200, 10250, 11211,
];
const DENIED_MONGO_PORT: u16 = 27017;

/// The longest URL that is sent, in bytes.
const MAX_URL: usize = 8 * 1024;

/// The request was not sent, because its destination is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefused {
    #[error("'{url}' is not a URL: {problem}")]
    Malformed { url: String, problem: String },
    #[error("the URL is longer than {MAX_URL} bytes")]
    TooLong,
    #[error("the URL contains a space or a control character; encode it as %20 or the like")]
    ControlCharacter,
    #[error("'{scheme}:' is not a scheme that requests are sent by: use https")]
    Scheme { scheme: String },
    #[error(
        "plain http would send everything in the open to {host}: use https, or set allow_private = true for a system on \
         this machine or network"
    )]
    PlainHttp { host: String },
    #[error("the URL contains a user name or password: name the secret in the system's auth instead")]
    UserInfo,
    #[error("port {port} belongs to another kind of service and is never sent HTTP requests")]
    Port { port: u16 },
    #[error("{host} is {}: {}", described(*.class, *.address), advice(*.class))]
    Address { host: String, address: IpAddr, class: Class },
    #[error("{host} has more than {limit} addresses")]
    TooManyAddresses { host: String, limit: usize },
    #[error("{host} is this program's own listener at {address}: the request would come back as an event for ever")]
    OwnListener { host: String, address: IpAddr },
}

fn described(class: Class, address: IpAddr) -> String {
    format!("at the {} address {address}", class.name())
}

const fn advice(class: Class) -> &'static str {
    match class {
        Class::Loopback | Class::Private => "requests go there only where the system's file says allow_private = true",
        _ => "requests never go there",
    }
}

impl AddressRefused {
    /// Stable, for filters and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "url-malformed",
            Self::TooLong => "url-too-long",
            Self::ControlCharacter => "url-control-character",
            Self::Scheme { .. } => "url-scheme",
            Self::PlainHttp { .. } => "url-plain-http",
            Self::UserInfo => "url-userinfo",
            Self::Port { .. } => "url-port",
            Self::Address { .. } => "address-refused",
            Self::TooManyAddresses { .. } => "too-many-addresses",
            Self::OwnListener { .. } => "own-listener",
        }
    }
}

/// A URL that may be sent to as far as its text tells. Literal addresses are judged here, in every spelling that the parser
/// takes for one (`2130706433`, `0x7f.1`, `0177.0.0.1`, `[::ffff:7f00:1]`, `127.0.0.1.`); names when they are resolved.
pub fn check(text: &str, policy: AddressPolicy) -> Result<Url, AddressRefused> {
    if text.len() > MAX_URL {
        return Err(AddressRefused::TooLong);
    }
    // The parser would take them out in silence.
    if text.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
        return Err(AddressRefused::ControlCharacter);
    }
    let url = Url::parse(text).map_err(|error| AddressRefused::Malformed {
        url: text.chars().take(200).collect(),
        problem: error.to_string(),
    })?;
    // As it goes on the wire, it may be longer than it was written: characters are escaped.
    if url.as_str().len() > MAX_URL {
        return Err(AddressRefused::TooLong);
    }
    check_parsed(&url, policy)?;
    Ok(url)
}

fn check_parsed(url: &Url, policy: AddressPolicy) -> Result<(), AddressRefused> {
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => {}
        "http" if policy.allow_private => {}
        "http" => return Err(AddressRefused::PlainHttp { host: host.to_owned() }),
        scheme => return Err(AddressRefused::Scheme { scheme: scheme.to_owned() }),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressRefused::UserInfo);
    }
    let port = url.port_or_known_default().unwrap_or(0);
    if port == 0 || port == DENIED_MONGO_PORT || DENIED_PORTS.contains(&port) {
        return Err(AddressRefused::Port { port });
    }
    match literal(url) {
        Some(address) => check_address(host, address, policy),
        None => Ok(()),
    }
}

/// The address that the URL itself names, if it names one.
pub fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

pub fn check_address(host: &str, address: IpAddr, policy: AddressPolicy) -> Result<(), AddressRefused> {
    if policy.allows(address) {
        return Ok(());
    }
    Err(AddressRefused::Address { host: host.to_owned(), address, class: AddressPolicy::classify(address) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: AddressPolicy = AddressPolicy { allow_private: false };
    const OPEN: AddressPolicy = AddressPolicy { allow_private: true };

    fn code(text: &str, policy: AddressPolicy) -> &'static str {
        check(text, policy).map_or_else(|refused| refused.code(), |_| "allowed")
    }

    #[test]
    fn every_spelling_of_a_loopback_address_is_refused() {
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "0x7f.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:0:0:1]",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "127。0。0。1",
            "127.0.0.1:8443",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "0",
            "0.0.0.0",
            "[::]",
        ] {
            assert_eq!(code(&format!("https://{host}/"), STRICT), "address-refused", "{host}");
        }
    }

    #[test]
    fn private_link_local_and_metadata_literals_are_refused() {
        for host in
            ["10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "[fd00::1]", "[fe80::1]", "100.100.100.200"]
        {
            assert_eq!(code(&format!("https://{host}/"), STRICT), "address-refused", "{host}");
        }
        assert_eq!(code("http://169.254.169.254/latest/meta-data/", OPEN), "address-refused");
        assert_eq!(code("http://0xa9fea9fe/", OPEN), "address-refused");
        assert_eq!(code("http://[::ffff:a9fe:a9fe]/", OPEN), "address-refused");
        assert_eq!(code("http://127.0.0.1:8080/", OPEN), "allowed");
    }

    #[test]
    fn only_https_goes_out_unless_private_is_allowed() {
        assert_eq!(code("https://example.com/", STRICT), "allowed");
        assert_eq!(code("http://example.com/", STRICT), "url-plain-http");
        assert_eq!(code("http://example.com/", OPEN), "allowed");
        for text in
            ["file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "javascript:alert(1)", "data:,x"]
        {
            assert_eq!(code(text, OPEN), "url-scheme", "{text}");
        }
    }

    #[test]
    fn credentials_odd_ports_and_odd_characters_are_refused() {
        for (text, expected) in [
            ("https://user@example.com/", "url-userinfo"),
            ("https://user:secret@example.com/", "url-userinfo"),
            ("https://:secret@example.com/", "url-userinfo"),
            ("https://example.com:22/", "url-port"),
            ("https://example.com:6379/", "url-port"),
            ("https://example.com:27017/", "url-port"),
            ("https://example.com:0/", "url-port"),
            ("https://exa\tmple.com/", "url-control-character"),
            ("https://example.com/\r\nX: y", "url-control-character"),
            (" https://example.com/", "url-control-character"),
            ("https://example.com/\u{7f}", "url-control-character"),
            ("https://", "url-malformed"),
            ("https://[fe80::1%25eth0]/", "url-malformed"),
            ("https://[::1", "url-malformed"),
            ("https://256.256.256.256/", "url-malformed"),
            ("https://example.com:99999/", "url-malformed"),
            ("/relative", "url-malformed"),
            ("", "url-malformed"),
        ] {
            assert_eq!(code(text, STRICT), expected, "{text:?}");
        }
        assert_eq!(code(&format!("https://example.com/{}", "a".repeat(9_000)), STRICT), "url-too-long");
    }

    #[test]
    fn the_password_in_a_url_never_shows_in_the_error() {
        let refused = check("https://user:hunter2@example.com/", STRICT).unwrap_err();
        assert!(!refused.to_string().contains("hunter2"));
    }
}

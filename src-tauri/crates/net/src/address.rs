//! Which IP addresses an outbound request may reach (the IANA special-purpose registries, RFC 6890 and successors, and
//! the clouds' metadata services).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// What kind of address this is, IPv4-mapped ones unwrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    Public,
    Loopback,
    /// RFC 1918, shared address space (RFC 6598) and unique local addresses (RFC 4193).
    Private,
    /// Includes 169.254.169.254 of most clouds.
    LinkLocal,
    /// A cloud's metadata service outside link-local.
    Metadata,
    Unspecified,
    Multicast,
    /// Documentation, benchmarking, translation and tunnel prefixes, and what IANA has not given out.
    Reserved,
}

impl Class {
    /// As it stands in an error: "a … address".
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::Metadata => "cloud metadata",
            Self::Unspecified => "unspecified",
            Self::Multicast => "multicast",
            Self::Reserved => "reserved",
        }
    }
}

/// What a system may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressPolicy {
    /// The system's `allow_private`: loopback and private addresses too. Never link-local or metadata.
    pub allow_private: bool,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8, class: Class) -> (Ipv4Net, Class) {
    (Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix), class)
}

const fn v6(high: [u16; 4], low: [u16; 4], prefix: u8, class: Class) -> (Ipv6Net, Class) {
    let address = Ipv6Addr::new(high[0], high[1], high[2], high[3], low[0], low[1], low[2], low[3]);
    (Ipv6Net::new_assert(address, prefix), class)
}

/// The first match holds; what is in no row is public.
const IPV4: [(Ipv4Net, Class); 21] = [
    v4(100, 100, 100, 200, 32, Class::Metadata),
    v4(168, 63, 129, 16, 32, Class::Metadata),
    v4(0, 0, 0, 0, 32, Class::Unspecified),
    v4(0, 0, 0, 0, 8, Class::Reserved),
    v4(10, 0, 0, 0, 8, Class::Private),
    v4(100, 64, 0, 0, 10, Class::Private),
    v4(127, 0, 0, 0, 8, Class::Loopback),
    v4(169, 254, 0, 0, 16, Class::LinkLocal),
    v4(172, 16, 0, 0, 12, Class::Private),
    v4(192, 0, 0, 0, 24, Class::Reserved),
    v4(192, 0, 2, 0, 24, Class::Reserved),
    v4(192, 88, 99, 0, 24, Class::Reserved),
    v4(192, 168, 0, 0, 16, Class::Private),
    v4(198, 18, 0, 0, 15, Class::Reserved),
    v4(198, 51, 100, 0, 24, Class::Reserved),
    v4(203, 0, 113, 0, 24, Class::Reserved),
    v4(224, 0, 0, 0, 4, Class::Multicast),
    v4(240, 0, 0, 0, 4, Class::Reserved),
    // AS112 and AMT relays answer for everybody, near the client: nothing of a customer's is there.
    v4(192, 31, 196, 0, 24, Class::Reserved),
    v4(192, 52, 193, 0, 24, Class::Reserved),
    v4(192, 175, 48, 0, 24, Class::Reserved),
];

/// The first match holds; what is in no row is reserved, since only 2000::/3 is given out.
const IPV6: [(Ipv6Net, Class); 12] = [
    v6([0, 0, 0, 0], [0, 0, 0, 0], 128, Class::Unspecified),
    v6([0, 0, 0, 0], [0, 0, 0, 1], 128, Class::Loopback),
    v6([0xfd00, 0xec2, 0, 0], [0, 0, 0, 0x254], 128, Class::Metadata),
    v6([0xfc00, 0, 0, 0], [0, 0, 0, 0], 7, Class::Private),
    v6([0xfe80, 0, 0, 0], [0, 0, 0, 0], 10, Class::LinkLocal),
    v6([0xff00, 0, 0, 0], [0, 0, 0, 0], 8, Class::Multicast),
    v6([0x2001, 0, 0, 0], [0, 0, 0, 0], 23, Class::Reserved),
    v6([0x2001, 0xdb8, 0, 0], [0, 0, 0, 0], 32, Class::Reserved),
    v6([0x2002, 0, 0, 0], [0, 0, 0, 0], 16, Class::Reserved),
    v6([0x3fff, 0, 0, 0], [0, 0, 0, 0], 20, Class::Reserved),
    v6([0x2620, 0x4f, 0x8000, 0], [0, 0, 0, 0], 48, Class::Reserved),
    v6([0x2000, 0, 0, 0], [0, 0, 0, 0], 3, Class::Public),
];

impl AddressPolicy {
    pub fn classify(address: IpAddr) -> Class {
        // ::ffff:a.b.c.d reaches a.b.c.d.
        match address.to_canonical() {
            IpAddr::V4(address) => {
                IPV4.iter().find(|(net, _)| net.contains(&address)).map_or(Class::Public, |(_, class)| *class)
            }
            IpAddr::V6(address) => {
                IPV6.iter().find(|(net, _)| net.contains(&address)).map_or(Class::Reserved, |(_, class)| *class)
            }
        }
    }

    pub fn allows(self, address: IpAddr) -> bool {
        match Self::classify(address) {
            Class::Public => true,
            Class::Loopback | Class::Private => self.allow_private,
            Class::LinkLocal | Class::Metadata | Class::Unspecified | Class::Multicast | Class::Reserved => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Class {
        AddressPolicy::classify(text.parse().unwrap())
    }

    #[test]
    fn both_ends_of_every_range_are_in_it_and_their_neighbours_are_not() {
        for (first, last, expected) in [
            ("0.0.0.1", "0.255.255.255", Class::Reserved),
            ("10.0.0.0", "10.255.255.255", Class::Private),
            ("100.64.0.0", "100.127.255.255", Class::Private),
            ("127.0.0.0", "127.255.255.255", Class::Loopback),
            ("169.254.0.0", "169.254.255.255", Class::LinkLocal),
            ("172.16.0.0", "172.31.255.255", Class::Private),
            ("192.0.0.0", "192.0.0.255", Class::Reserved),
            ("192.0.2.0", "192.0.2.255", Class::Reserved),
            ("192.88.99.0", "192.88.99.255", Class::Reserved),
            ("192.168.0.0", "192.168.255.255", Class::Private),
            ("198.18.0.0", "198.19.255.255", Class::Reserved),
            ("198.51.100.0", "198.51.100.255", Class::Reserved),
            ("203.0.113.0", "203.0.113.255", Class::Reserved),
            ("224.0.0.0", "239.255.255.255", Class::Multicast),
            ("240.0.0.0", "255.255.255.255", Class::Reserved),
            ("100.100.100.200", "100.100.100.200", Class::Metadata),
            ("168.63.129.16", "168.63.129.16", Class::Metadata),
        ] {
            let number = |text: &str| u32::from(text.parse::<Ipv4Addr>().unwrap());
            assert_eq!(class(first), expected, "{first}");
            assert_eq!(class(last), expected, "{last}");
            if let Some(before) = number(first).checked_sub(1) {
                assert_ne!(AddressPolicy::classify(Ipv4Addr::from(before).into()), expected, "before {first}");
            }
            if let Some(after) = number(last).checked_add(1) {
                assert_ne!(AddressPolicy::classify(Ipv4Addr::from(after).into()), expected, "after {last}");
            }
        }
    }

    #[test]
    fn the_standard_library_calls_nothing_special_that_we_call_public() {
        // Every /16's first, some middle and last address: 2^18 of them.
        for high in 0..=u16::MAX {
            for low in [0_u16, 1, 0x6464, u16::MAX] {
                let address = Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
                let special = address.is_private()
                    || address.is_loopback()
                    || address.is_link_local()
                    || address.is_multicast()
                    || address.is_broadcast()
                    || address.is_documentation()
                    || address.is_unspecified();
                let public = AddressPolicy::classify(address.into()) == Class::Public;
                assert!(!(special && public), "{address}");
                let mapped = address.to_ipv6_mapped();
                assert_eq!(AddressPolicy::classify(mapped.into()), AddressPolicy::classify(address.into()));
            }
        }
    }

    #[test]
    fn ipv6_is_public_only_where_addresses_are_given_out() {
        for text in ["2606:4700::1111", "2a00:1450:4001:80b::200e", "2001:4860:4860::8888", "2003::1"] {
            assert_eq!(class(text), Class::Public, "{text}");
        }
        for text in [
            "::2",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fec0::1",
            "1::1",
        ] {
            assert_eq!(class(text), Class::Reserved, "{text}");
        }
        assert_eq!(class("::"), Class::Unspecified);
        assert_eq!(class("::1"), Class::Loopback);
        assert_eq!(class("fd12::1"), Class::Private);
        assert_eq!(class("fe80::1"), Class::LinkLocal);
        assert_eq!(class("ff02::1"), Class::Multicast);
        assert_eq!(class("fd00:ec2::254"), Class::Metadata);
        assert_eq!(class("::ffff:169.254.169.254"), Class::LinkLocal);
    }

    #[test]
    fn allow_private_opens_loopback_and_private_and_nothing_else() {
        let open = AddressPolicy { allow_private: true };
        let strict = AddressPolicy { allow_private: false };
        for text in ["127.0.0.1", "::1", "10.1.2.3", "fd12::1", "::ffff:192.168.0.1", "100.64.0.1"] {
            assert!(open.allows(text.parse().unwrap()) && !strict.allows(text.parse().unwrap()), "{text}");
        }
        for text in
            ["169.254.169.254", "fe80::1", "100.100.100.200", "fd00:ec2::254", "0.0.0.0", "224.0.0.1", "192.0.2.1"]
        {
            assert!(!open.allows(text.parse().unwrap()) && !strict.allows(text.parse().unwrap()), "{text}");
        }
        assert!(strict.allows("93.184.215.14".parse().unwrap()));
    }
}

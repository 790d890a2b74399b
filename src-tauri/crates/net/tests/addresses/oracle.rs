//! What may be reached, by the registries: "IANA IPv4 Special-Purpose Address Registry", "IANA IPv6 Special-Purpose
//! Address Registry" (RFC 6890, RFC 8190), "IPv4 Multicast Address Space", "IPv6 Global Unicast Address Assignments", and
//! the metadata services of the clouds. Addresses as numbers, ranges with both ends, so that this shares nothing with
//! the policy's masks.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a range may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By every system.
    Always,
    /// Only where a system says `allow_private`.
    Private,
    Never,
}

/// First and last address, and which entry says so.
pub type Range4 = ([u8; 4], [u8; 4], Reach, &'static str);

use Reach::{Never, Private};

pub const SPECIAL_4: [Range4; 22] = [
    ([0, 0, 0, 0], [0, 255, 255, 255], Never, "\"this network\", RFC 791"),
    ([10, 0, 0, 0], [10, 255, 255, 255], Private, "private use, RFC 1918"),
    ([100, 64, 0, 0], [100, 127, 255, 255], Private, "shared address space, RFC 6598"),
    ([100, 100, 100, 200], [100, 100, 100, 200], Never, "metadata of Alibaba Cloud, inside the shared address space"),
    ([127, 0, 0, 0], [127, 255, 255, 255], Private, "loopback, RFC 1122"),
    ([168, 63, 129, 16], [168, 63, 129, 16], Never, "wire server of Azure"),
    ([169, 254, 0, 0], [169, 254, 255, 255], Never, "link local, RFC 3927; metadata of most clouds"),
    ([172, 16, 0, 0], [172, 31, 255, 255], Private, "private use, RFC 1918"),
    ([192, 0, 0, 0], [192, 0, 0, 255], Never, "IETF protocol assignments, RFC 6890"),
    ([192, 0, 2, 0], [192, 0, 2, 255], Never, "documentation TEST-NET-1, RFC 5737"),
    ([192, 31, 196, 0], [192, 31, 196, 255], Never, "AS112-v4, RFC 7535"),
    ([192, 52, 193, 0], [192, 52, 193, 255], Never, "AMT, RFC 7450"),
    ([192, 88, 99, 0], [192, 88, 99, 255], Never, "deprecated 6to4 relay anycast, RFC 7526"),
    ([192, 168, 0, 0], [192, 168, 255, 255], Private, "private use, RFC 1918"),
    ([192, 175, 48, 0], [192, 175, 48, 255], Never, "direct delegation AS112, RFC 7534"),
    ([198, 18, 0, 0], [198, 19, 255, 255], Never, "benchmarking, RFC 2544"),
    ([198, 51, 100, 0], [198, 51, 100, 255], Never, "documentation TEST-NET-2, RFC 5737"),
    ([203, 0, 113, 0], [203, 0, 113, 255], Never, "documentation TEST-NET-3, RFC 5737"),
    ([224, 0, 0, 0], [239, 255, 255, 255], Never, "multicast, RFC 5771"),
    ([240, 0, 0, 0], [255, 255, 255, 254], Never, "reserved, RFC 1112"),
    ([255, 255, 255, 255], [255, 255, 255, 255], Never, "limited broadcast, RFC 8190"),
    ([0, 0, 0, 0], [0, 0, 0, 0], Never, "\"this host on this network\", RFC 1122"),
];

/// The strictest entry that holds the address.
pub fn reach_4(address: Ipv4Addr) -> Reach {
    let octets = address.octets();
    let entries = SPECIAL_4.iter().filter(|(first, last, ..)| *first <= octets && octets <= *last);
    entries.fold(Reach::Always, |so_far, (_, _, reach, _)| match (so_far, reach) {
        (Never, _) | (_, Never) => Never,
        (Private, _) | (_, Private) => Private,
        _ => Reach::Always,
    })
}

/// First and last address, and which entry says so. What is in none of them and outside of 2000::/3 is not given out.
pub type Range6 = (&'static str, &'static str, Reach, &'static str);

pub const SPECIAL_6: [Range6; 15] = [
    ("::1", "::1", Private, "loopback, RFC 4291"),
    ("64:ff9b::", "64:ff9b::ffff:ffff", Never, "IPv4-IPv6 translation, RFC 6052"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Never, "IPv4-IPv6 translation, RFC 8215"),
    ("100::", "100::ffff:ffff:ffff:ffff", Never, "discard only, RFC 6666"),
    (
        "2001::",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        Never,
        "IETF protocol assignments, RFC 2928 (Teredo, ORCHID…)",
    ),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Never, "documentation, RFC 3849"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Never, "6to4, RFC 3056: leads to an IPv4 address"),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", Never, "direct delegation AS112, RFC 7534"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Never, "documentation, RFC 9637"),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Never, "segment routing SIDs, RFC 9602"),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Private, "unique local, RFC 4193"),
    ("fd00:ec2::254", "fd00:ec2::254", Never, "metadata of AWS, inside unique local"),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Never, "link local, RFC 4291"),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Never, "deprecated site local, RFC 3879"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Never, "multicast, RFC 4291"),
];

/// The ranges with their ends as numbers.
pub fn ranges_6() -> Vec<(u128, u128, Reach)> {
    let number = |text: &str| u128::from(text.parse::<Ipv6Addr>().unwrap());
    SPECIAL_6.iter().map(|(first, last, reach, _)| (number(first), number(last), *reach)).collect()
}

pub fn reach_6(address: Ipv6Addr, ranges: &[(u128, u128, Reach)]) -> Reach {
    let number = u128::from(address);
    // ::ffff:0:0/96 reaches the IPv4 address in its last 32 bits.
    if number >> 32 == 0xffff {
        return reach_4(Ipv4Addr::from(number as u32));
    }
    let of =
        |reach: Reach| ranges.iter().any(|(first, last, kind)| *kind == reach && (*first..=*last).contains(&number));
    if of(Never) {
        Never
    } else if of(Private) {
        Private
    } else if number >> 125 == 0b001 {
        Reach::Always
    } else {
        Never
    }
}

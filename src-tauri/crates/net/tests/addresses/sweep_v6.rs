//! Ten million IPv6 addresses in the long form, 200,000 in the short one: anywhere, near the ends of ranges, and those that
//! carry an IPv4 address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use signalbox_net::address::AddressPolicy;

use super::oracle::{Reach, ranges_6, reach_6};
use super::{Chance, long};

const STRICT: AddressPolicy = AddressPolicy { allow_private: false };
const OPEN: AddressPolicy = AddressPolicy { allow_private: true };

fn check(address: Ipv6Addr, ranges: &[(u128, u128, Reach)]) {
    let reach = reach_6(address, ranges);
    let (strict, open) = (STRICT.allows(IpAddr::V6(address)), OPEN.allows(IpAddr::V6(address)));
    assert_eq!(
        (strict, open),
        (reach == Reach::Always, reach != Reach::Never),
        "{address}: the registry says {reach:?}"
    );
}

#[test]
fn both_ends_of_every_range_and_their_neighbours_are_as_the_registry_says() {
    let ranges = ranges_6();
    let mut ends: Vec<u128> = ranges.iter().flat_map(|(first, last, _)| [*first, *last]).collect();
    ends.extend([0, 1 << 125, 2 << 125, 0xffff << 32, (0xffff << 32) | 0xffff_ffff]);
    for end in ends {
        for number in [end.wrapping_sub(1), end, end.wrapping_add(1)] {
            check(Ipv6Addr::from(number), &ranges);
        }
    }
}

#[test]
fn random_ipv6_addresses_are_as_the_registry_says() {
    let mut chance = Chance::new("random_ipv6_addresses_are_as_the_registry_says");
    let ranges = ranges_6();
    let count = if long() { 10_000_000 } else { 200_000 };
    for _ in 0..count {
        let random = u128::from(chance.next()) << 64 | u128::from(chance.next());
        let number = match chance.below(6) {
            // Anywhere, where addresses are given out, and in each range or just beside it.
            0 => random,
            1 => random >> 3 | 1 << 125,
            2 => {
                let (first, last, _) = *chance.pick(&ranges);
                first + random % (last - first + 1).max(1)
            }
            3 => {
                let (first, last, _) = *chance.pick(&ranges);
                let end = if random & 1 == 0 { first } else { last };
                end.wrapping_add(random >> 120).wrapping_sub(64)
            }
            4 => 0xffff << 32 | random & 0xffff_ffff,
            _ => {
                // Prefixes that translate to IPv4: the address inside must not be reached by them.
                let inside = u128::from(u32::from(Ipv4Addr::new(127, 0, 0, 1)));
                *chance.pick(&[inside, 0x64_ff9b << 96 | inside, 0x2002 << 112 | inside << 80, 0x2001 << 112 | inside])
            }
        };
        check(Ipv6Addr::from(number), &ranges);
    }
}

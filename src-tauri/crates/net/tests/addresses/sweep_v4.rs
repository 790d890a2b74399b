//! Every IPv4 address: all of them in the long form, all ends of ranges and a sample of every /16 in the short one.

use std::net::{IpAddr, Ipv4Addr};

use signalbox_net::address::AddressPolicy;

use super::oracle::{Reach, SPECIAL_4, reach_4};
use super::{Chance, long};

const STRICT: AddressPolicy = AddressPolicy { allow_private: false };
const OPEN: AddressPolicy = AddressPolicy { allow_private: true };

fn check(number: u32) {
    let address = Ipv4Addr::from(number);
    let reach = reach_4(address);
    let (strict, open) = (STRICT.allows(IpAddr::V4(address)), OPEN.allows(IpAddr::V4(address)));
    assert_eq!(
        (strict, open),
        (reach == Reach::Always, reach != Reach::Never),
        "{address}: the registry says {reach:?}"
    );
}

#[test]
fn both_ends_of_every_range_and_their_neighbours_are_as_the_registry_says() {
    for (first, last, ..) in SPECIAL_4 {
        for end in [u32::from_be_bytes(first), u32::from_be_bytes(last)] {
            for number in [end.wrapping_sub(1), end, end.wrapping_add(1)] {
                check(number);
                let mapped = Ipv4Addr::from(number).to_ipv6_mapped();
                let plain = IpAddr::V4(Ipv4Addr::from(number));
                assert_eq!(STRICT.allows(mapped.into()), STRICT.allows(plain), "{mapped}");
            }
        }
    }
}

#[test]
fn every_ipv4_address_is_as_the_registry_says() {
    if long() {
        let threads = std::thread::available_parallelism().map_or(2, usize::from) as u64;
        let share = (1_u64 << 32).div_ceil(threads);
        std::thread::scope(|scope| {
            for thread in 0..threads {
                scope.spawn(move || {
                    let end = ((thread + 1) * share).min(1 << 32);
                    (thread * share..end).for_each(|number| check(number as u32));
                });
            }
        });
        return;
    }
    let mut chance = Chance::new("every_ipv4_address_is_as_the_registry_says");
    for high in 0..=u16::MAX {
        for low in [0, 1, u16::MAX, chance.next() as u16, chance.next() as u16] {
            check(u32::from(high) << 16 | u32::from(low));
        }
    }
}

//! Every IPv4 address: all of them in the long form, all ends of ranges and a sample of every /16 in the short one.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use signalbox_net::address::AddressPolicy;

use super::oracle::{Reach, SPECIAL_4, reach_4};
use super::{Chance, long};

const STRICT: AddressPolicy = AddressPolicy { allow_private: false };
const OPEN: AddressPolicy = AddressPolicy { allow_private: true };

fn check(number: u32) {
    check_against(number, reach_4(Ipv4Addr::from(number)));
}

fn check_against(number: u32, reach: Reach) {
    let address = Ipv4Addr::from(number);
    let (strict, open) = (STRICT.allows(IpAddr::V4(address)), OPEN.allows(IpAddr::V4(address)));
    assert_eq!(
        (strict, open),
        (reach == Reach::Always, reach != Reach::Never),
        "{address}: the registry says {reach:?}"
    );
}

/// The stretches between the ends of all entries, over which the registry says one thing: first and last address.
fn stretches() -> Vec<(u32, u32, Reach)> {
    let begins = SPECIAL_4.iter().flat_map(|(first, last, ..)| {
        [Some(u32::from_be_bytes(*first)), u32::from_be_bytes(*last).checked_add(1)].into_iter().flatten()
    });
    let begins: BTreeSet<u32> = begins.chain([0]).collect();
    let ends = begins.iter().skip(1).map(|begin| begin - 1).chain([u32::MAX]);
    begins.iter().zip(ends).map(|(first, last)| (*first, last, reach_4(Ipv4Addr::from(*first)))).collect()
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
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let stretches = stretches();
        let checked: u64 = std::thread::scope(|scope| {
            let begin = |thread| {
                let stretches = &stretches;
                scope.spawn(move || {
                    let mut checked = 0;
                    for (first, last, reach) in stretches {
                        // Each thread its own ones of all, for there are short stretches and long ones.
                        for number in (*first..=*last).skip(thread).step_by(threads) {
                            check_against(number, *reach);
                            checked += 1;
                        }
                    }
                    checked
                })
            };
            let running: Vec<_> = (0..threads).map(begin).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        println!("{checked} addresses, all as the registry says");
        assert_eq!(checked, 1 << 32);
        return;
    }
    let mut chance = Chance::new("every_ipv4_address_is_as_the_registry_says");
    for high in 0..=u16::MAX {
        for low in [0, 1, u16::MAX, chance.next() as u16, chance.next() as u16] {
            check(u32::from(high) << 16 | u32::from(low));
        }
    }
}

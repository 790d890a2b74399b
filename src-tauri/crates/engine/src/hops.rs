//! Through how many integrations an event has gone, of this Signalbox and of others: what ends a cycle between
//! integrations and destinations that are ingresses themselves.
//!
//! Every request that goes out says its number in `Signalbox-Hop`: one more than the event had that it comes from. The
//! stored request says it from the second on; the first is added when it is sent.

use http::HeaderMap;

pub const HEADER: &str = "signalbox-hop";
/// A request with a larger number is refused at the ingress.
pub const MOST: u8 = 8;

/// Of a request that comes in: 0 where nothing says it. Where it is said more than once the largest counts, and what is
/// no number does not.
pub fn of(headers: &HeaderMap) -> u8 {
    headers.get_all(HEADER).iter().filter_map(|value| read(value.to_str().ok()?)).max().unwrap_or(0)
}

/// The same of an event's stored headers.
pub fn of_stored(headers: &[(String, String)]) -> u8 {
    let said = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(HEADER));
    said.filter_map(|(_, value)| read(value)).max().unwrap_or(0)
}

fn read(text: &str) -> Option<u8> {
    text.split(',').filter_map(|part| part.trim().parse().ok()).max()
}

/// What the request of an event with so many hops says of itself.
pub fn next(hops: u8) -> u8 {
    hops.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_largest_number_counts_and_nonsense_does_not() {
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers), 0);
        for value in ["3", "-1", "x", "", "7, 2", "256", "1e1"] {
            headers.append(HEADER, HeaderValue::from_static(value));
        }
        assert_eq!(of(&headers), 7);
        assert_eq!(of_stored(&[("Signalbox-Hop".into(), "4".into()), ("other".into(), "9".into())]), 4);
        assert_eq!(next(u8::MAX), u8::MAX);
    }
}

//! Where a request may go, and when it may go there again.

use std::time::Duration;

use signalbox_model::Timestamp;
use signalbox_net::address::{AddressPolicy, Class};
use signalbox_net::{retry_after, url_policy};

/// A URL that is let through is one again, and leads to no address that is not public.
pub(crate) fn url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for allow_private in [false, true] {
        let policy = AddressPolicy { allow_private };
        let Ok(url) = url_policy::check(text, policy) else { continue };
        assert!(url.scheme() == "https" || (allow_private && url.scheme() == "http"), "{url}");
        let again = url_policy::check(url.as_str(), policy).expect("what was let through once is let through again");
        assert_eq!(again, url);
        if let Some(address) = url_policy::literal(&url)
            && !allow_private
        {
            assert_eq!(AddressPolicy::classify(address), Class::Public, "{text:?} leads to {address}");
        }
    }
}

/// The value of `Retry-After`, a NUL byte, the value of `Date`.
pub(crate) fn retry_after(data: &[u8]) {
    let [value, date] = crate::texts(data);
    let now = Timestamp::from_secs(1_795_000_000);
    for date in [None, Some(date.as_bytes())] {
        if let Some(wait) = retry_after::parse(value.as_bytes(), date, now) {
            // A due time is made of it.
            assert!(now.plus(wait) >= now && wait < Duration::MAX, "{value:?}: {wait:?}");
        }
    }
}

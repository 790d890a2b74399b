//! How a browser comes to its cookie: a one-time link that the program prints, traded for a signed cookie.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::{constant_time, digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use signalbox_model::{Clock, Random, Timestamp};

/// A link that nobody opened stops working after this.
pub const LINK_LIVES: Duration = Duration::from_secs(600);
/// A browser signs in again after this.
pub const COOKIE_LIVES: Duration = Duration::from_secs(30 * 86_400);
/// Links that wait to be opened; making more forgets the oldest.
const MOST_LINKS: usize = 16;
/// What a code and a signature are made for, so that neither can stand in for anything else.
const PURPOSE: &str = "signalbox session v1";

pub struct SignIn {
    key: hmac::Key,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// Hashes of the codes that are still good: a dump of the memory opens nothing.
    links: Mutex<VecDeque<Link>>,
}

struct Link {
    hash: [u8; 32],
    made_at: Timestamp,
}

impl SignIn {
    /// Cookies are signed with a key made from the API's token: they outlive a restart, and a new token ends them all.
    pub fn new(token: &str, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
        Self { key, clock, random, links: Mutex::default() }
    }

    /// A link for one browser: good once, for [`LINK_LIVES`]. `base` is `http://host:port`.
    pub fn new_link(&self, base: &str) -> String {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        let code = URL_SAFE_NO_PAD.encode(bytes);
        let mut links = self.links.lock();
        while links.len() >= MOST_LINKS {
            links.pop_front();
        }
        links.push_back(Link { hash: hash(&code), made_at: self.clock.now() });
        format!("{}/sign-in?code={code}", base.trim_end_matches('/'))
    }

    /// Uses up the code; the cookie's value where it was good.
    pub(crate) fn open(&self, code: &str) -> Option<String> {
        let now = self.clock.now();
        let wanted = hash(code);
        let mut links = self.links.lock();
        links.retain(|link| now.since(link.made_at) < LINK_LIVES);
        let at = links.iter().position(|link| constant_time::verify_slices_are_equal(&link.hash, &wanted).is_ok())?;
        links.remove(at);
        drop(links);
        let until = now.plus(COOKIE_LIVES).as_secs();
        Some(format!("{until}.{}", URL_SAFE_NO_PAD.encode(self.signature(until))))
    }

    /// Whether a cookie's value is one of ours and still good.
    pub(crate) fn accepts(&self, cookie: &str) -> bool {
        let Some((until, signature)) = cookie.split_once('.') else { return false };
        let (Ok(until), Ok(signature)) = (until.parse::<i64>(), URL_SAFE_NO_PAD.decode(signature)) else {
            return false;
        };
        constant_time::verify_slices_are_equal(self.signature(until).as_ref(), &signature).is_ok()
            && self.clock.now().as_secs() < until
    }

    fn signature(&self, until: i64) -> hmac::Tag {
        hmac::sign(&self.key, format!("{PURPOSE} {until}").as_bytes())
    }
}

fn hash(code: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = digest::digest(&digest::SHA256, code.as_bytes());
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// One per port, since browsers keep cookies by host name only.
pub(crate) fn cookie_name(port: u16) -> String {
    format!("signalbox-{port}")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

    use super::*;

    #[derive(Default)]
    struct Seams {
        seconds: AtomicI64,
        byte: AtomicU8,
    }

    impl Clock for Seams {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(self.seconds.load(Ordering::Relaxed))
        }
    }

    impl Random for Seams {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.byte.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn sign_in(token: &str) -> (SignIn, Arc<Seams>) {
        let seams = Arc::new(Seams::default());
        (SignIn::new(token, seams.clone(), seams.clone()), seams)
    }

    fn code(link: &str) -> String {
        link.strip_prefix("http://127.0.0.1:7420/sign-in?code=").unwrap().to_owned()
    }

    #[test]
    fn a_link_opens_once() {
        let (sign_in, _) = sign_in("token");
        let code = code(&sign_in.new_link("http://127.0.0.1:7420"));
        assert!(sign_in.open("guess").is_none());
        let cookie = sign_in.open(&code).unwrap();
        assert!(sign_in.accepts(&cookie));
        assert!(sign_in.open(&code).is_none(), "used twice");
    }

    #[test]
    fn a_link_and_a_cookie_grow_old() {
        let (sign_in, seams) = sign_in("token");
        let first = code(&sign_in.new_link("http://127.0.0.1:7420/"));
        seams.seconds.store(600, Ordering::Relaxed);
        assert!(sign_in.open(&first).is_none());
        let cookie = sign_in.open(&code(&sign_in.new_link("http://127.0.0.1:7420"))).unwrap();
        seams.seconds.store(600 + 30 * 86_400 - 1, Ordering::Relaxed);
        assert!(sign_in.accepts(&cookie));
        seams.seconds.store(600 + 30 * 86_400, Ordering::Relaxed);
        assert!(!sign_in.accepts(&cookie));
    }

    #[test]
    fn a_cookie_cannot_be_made_up_or_stretched() {
        let (sign_in, _) = sign_in("token");
        let cookie = sign_in.open(&code(&sign_in.new_link("http://127.0.0.1:7420"))).unwrap();
        let (until, signature) = cookie.split_once('.').unwrap();
        let later = format!("{}.{signature}", until.parse::<i64>().unwrap() + 1);
        for forged in
            [later.as_str(), "", ".", "9999999999.", &format!("{until}."), &format!("{until}.AAAA"), signature]
        {
            assert!(!sign_in.accepts(forged), "{forged}");
        }
        let (other, _) = self::sign_in("another token");
        assert!(!other.accepts(&cookie));
    }

    #[test]
    fn old_links_are_forgotten_before_memory_grows() {
        let (sign_in, _) = sign_in("token");
        let first = code(&sign_in.new_link("http://127.0.0.1:7420"));
        for _ in 0..MOST_LINKS {
            sign_in.new_link("http://127.0.0.1:7420");
        }
        assert!(sign_in.open(&first).is_none());
        assert_eq!(sign_in.links.lock().len(), MOST_LINKS);
    }
}

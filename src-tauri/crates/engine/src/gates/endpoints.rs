//! A system's base URLs: the one that is used, and those to go to while it fails. Pure, and as of the steady instants it
//! is given.

use std::time::Duration;

use signalbox_model::Timestamp;
use url::Url;

use super::steady::Steady;
use super::view::EndpointView;

/// Failures in a row, none of them a refusal, after which the next one is used.
const FAILURES: u32 = 3;

#[derive(Debug)]
pub struct Endpoints {
    all: Vec<Endpoint>,
    active: usize,
    fail_back: Duration,
}

#[derive(Debug)]
struct Endpoint {
    url: Url,
    in_a_row: u32,
    failed: Option<Failed>,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    at: Timestamp,
    next_try_at: Timestamp,
    trying: bool,
}

/// Where one request goes. Its end is to be told with [`Endpoints::ended`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub url: Url,
    /// It tries an endpoint that had failed.
    pub trying: bool,
}

/// What the end of a request changed, as sentences for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Switch {
    FailedOver { from: Url, to: Url },
    FailedBack { to: Url },
}

impl Endpoints {
    pub fn new(base: &Url, failover: &[Url], fail_back: Duration) -> Self {
        let all = std::iter::once(base).chain(failover);
        let endpoint = |url: &Url| Endpoint { url: url.clone(), in_a_row: 0, failed: None };
        Self { all: all.map(endpoint).collect(), active: 0, fail_back }
    }

    /// Other URLs begin anew; the same ones go on as they are.
    pub fn configure(&mut self, base: &Url, failover: &[Url], fail_back: Duration) {
        let same = self.all.iter().map(|endpoint| &endpoint.url).eq(std::iter::once(base).chain(failover));
        if same {
            self.fail_back = fail_back;
        } else {
            *self = Self::new(base, failover, fail_back);
        }
    }

    /// The active one; or, when it is time and nobody else does, an earlier one that had failed, to see whether it is back.
    pub fn choose(&mut self, now: Timestamp) -> Option<Chosen> {
        let earlier = self.all.iter_mut().take(self.active);
        let due = earlier.filter_map(|endpoint| Some((&endpoint.url, endpoint.failed.as_mut()?)));
        for (url, failed) in due {
            if !failed.trying && failed.next_try_at <= now {
                failed.trying = true;
                return Some(Chosen { url: url.clone(), trying: true });
            }
        }
        self.all.get(self.active).map(|endpoint| Chosen { url: endpoint.url.clone(), trying: false })
    }

    pub fn active(&self) -> Option<Url> {
        self.all.get(self.active).map(|endpoint| endpoint.url.clone())
    }

    pub fn is_active(&self, url: &Url) -> bool {
        self.all.get(self.active).is_some_and(|endpoint| endpoint.url == *url)
    }

    /// `failed`: `None` where the request was never sent, else whether the endpoint let it down.
    pub fn ended(&mut self, chosen: &Chosen, failed: Option<bool>, now: Timestamp) -> Option<Switch> {
        let index = self.all.iter().position(|endpoint| endpoint.url == chosen.url)?;
        let fail_back = self.fail_back;
        let endpoint = self.all.get_mut(index)?;
        match failed {
            None => {
                if let Some(known) = endpoint.failed.as_mut().filter(|_| chosen.trying) {
                    known.trying = false;
                }
                None
            }
            Some(false) => {
                endpoint.in_a_row = 0;
                endpoint.failed = None;
                if index >= self.active {
                    return None;
                }
                self.active = index;
                Some(Switch::FailedBack { to: chosen.url.clone() })
            }
            Some(true) => {
                endpoint.in_a_row = endpoint.in_a_row.saturating_add(1);
                if let Some(known) = endpoint.failed.as_mut().filter(|_| chosen.trying) {
                    *known = Failed { next_try_at: now.plus(fail_back), trying: false, ..*known };
                    return None;
                }
                let enough = endpoint.in_a_row >= FAILURES;
                if index == self.active && enough { self.fail_over(now) } else { None }
            }
        }
    }

    /// Leaves the active one for the next that is not known to fail; none: it stays.
    pub fn fail_over(&mut self, now: Timestamp) -> Option<Switch> {
        let next = self.all.iter().skip(self.active + 1).position(|endpoint| endpoint.failed.is_none());
        let next = self.active + 1 + next?;
        let to = self.all.get(next)?.url.clone();
        let from = self.all.get_mut(self.active)?;
        from.failed = Some(Failed { at: now, next_try_at: now.plus(self.fail_back), trying: false });
        from.in_a_row = 0;
        let from = from.url.clone();
        self.active = next;
        Some(Switch::FailedOver { from, to })
    }

    pub fn view(&self, steady: Steady) -> Vec<EndpointView> {
        let view = |(index, endpoint): (usize, &Endpoint)| EndpointView {
            url: endpoint.url.to_string(),
            active: index == self.active,
            failed_at: endpoint.failed.map(|failed| steady.to_wall(failed.at)),
            next_try_at: endpoint.failed.map(|failed| steady.to_wall(failed.next_try_at)),
        };
        self.all.iter().enumerate().map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_000 + secs)
    }

    fn url(name: &str) -> Url {
        Url::parse(&format!("https://{name}.example.com/")).expect("a URL")
    }

    fn three() -> Endpoints {
        Endpoints::new(&url("a"), &[url("b"), url("c")], Duration::from_secs(60))
    }

    /// Asks once; the endpoint fails where `fails` says so.
    fn ask(endpoints: &mut Endpoints, fails: bool, now: Timestamp) -> (String, Option<Switch>) {
        let chosen = endpoints.choose(now).expect("there is one");
        let switch = endpoints.ended(&chosen, Some(fails), now);
        (chosen.url.host_str().unwrap_or_default().chars().take(1).collect(), switch)
    }

    fn failed_over() -> Endpoints {
        let mut endpoints = three();
        assert_eq!(ask(&mut endpoints, true, at(0)).1, None);
        assert_eq!(ask(&mut endpoints, true, at(0)).1, None);
        assert_eq!(ask(&mut endpoints, true, at(0)).1, Some(Switch::FailedOver { from: url("a"), to: url("b") }));
        endpoints
    }

    #[test]
    fn three_failures_in_a_row_lead_to_the_next_and_two_do_not() {
        let mut endpoints = three();
        for fails in [true, true, false, true, true] {
            assert_eq!(ask(&mut endpoints, fails, at(0)).1, None);
        }
        assert_eq!(ask(&mut failed_over(), false, at(59)).0, "b");
    }

    #[test]
    fn one_delivery_tries_the_first_again_and_its_answer_leads_back() {
        let mut endpoints = failed_over();
        let trying = endpoints.choose(at(60)).expect("there is one");
        assert_eq!((trying.url.clone(), trying.trying), (url("a"), true));
        assert_eq!(ask(&mut endpoints, false, at(60)).0, "b", "the others go on meanwhile");
        assert_eq!(endpoints.ended(&trying, Some(true), at(61)), None, "it is not back yet");
        assert_eq!(ask(&mut endpoints, false, at(120)).0, "b");
        let (asked, switch) = ask(&mut endpoints, false, at(121));
        assert_eq!((asked.as_str(), switch), ("a", Some(Switch::FailedBack { to: url("a") })));
        assert_eq!(ask(&mut endpoints, false, at(121)).0, "a");
    }

    #[test]
    fn a_try_that_sent_nothing_is_left_to_another() {
        let mut endpoints = failed_over();
        let trying = endpoints.choose(at(60)).expect("there is one");
        assert_eq!(endpoints.ended(&trying, None, at(60)), None);
        assert!(endpoints.choose(at(60)).is_some_and(|chosen| chosen.trying));
    }

    #[test]
    fn the_last_one_stays_when_all_fail() {
        let mut endpoints = failed_over();
        for _ in 0..3 {
            ask(&mut endpoints, true, at(1));
        }
        for _ in 0..30 {
            let (asked, switch) = ask(&mut endpoints, true, at(2));
            assert_eq!((asked.as_str(), switch), ("c", None));
        }
    }

    #[test]
    fn the_same_urls_keep_what_is_known_of_them_over_a_reload() {
        let mut endpoints = failed_over();
        endpoints.configure(&url("a"), &[url("b"), url("c")], Duration::from_secs(5));
        assert_eq!(ask(&mut endpoints, false, at(1)).0, "b");
        endpoints.configure(&url("d"), &[], Duration::from_secs(5));
        assert_eq!(ask(&mut endpoints, false, at(1)).0, "d");
    }
}

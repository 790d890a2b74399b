//! HubSpot's rate limit: a rolling window of ten seconds and a daily sum, told in headers on every answer.

use std::collections::VecDeque;
use std::time::Duration;

use axum::response::Response;
use signalbox_model::Timestamp;

use crate::front::with_header;

const INTERVAL: Duration = Duration::from_secs(10);
/// Requests per interval and per day of a Professional account (developers.hubspot.com, usage guidelines).
const MAX: usize = 190;
const DAILY: u64 = 625_000;

#[derive(Default)]
pub(crate) struct Window {
    admitted: VecDeque<Timestamp>,
    today: u64,
}

impl Window {
    /// Counts a request in, or says after how many whole seconds there is room again.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), u64> {
        self.forget(now);
        if self.admitted.len() >= MAX {
            let oldest = self.admitted.front().map_or(Duration::ZERO, |oldest| now.since(*oldest));
            return Err(INTERVAL.saturating_sub(oldest).as_millis().div_ceil(1_000).try_into().unwrap_or(10).max(1));
        }
        self.admitted.push_back(now);
        self.today += 1;
        Ok(())
    }

    fn forget(&mut self, now: Timestamp) {
        // A clock that was set back must not keep entries of the future for ever.
        while self.admitted.front().is_some_and(|oldest| now.since(*oldest) >= INTERVAL || *oldest > now) {
            self.admitted.pop_front();
        }
    }

    /// The headers of an answer. Tokens of OAuth see no daily figures.
    pub fn describe(&mut self, response: Response, now: Timestamp, daily: bool) -> Response {
        self.forget(now);
        let response = interval(response, MAX.saturating_sub(self.admitted.len()));
        if !daily {
            return response;
        }
        let response = with_header(response, "x-hubspot-ratelimit-daily", &DAILY.to_string());
        with_header(response, "x-hubspot-ratelimit-daily-remaining", &DAILY.saturating_sub(self.today).to_string())
    }

    /// The headers of a 429: nothing remains.
    pub fn exhausted(&self, response: Response) -> Response {
        interval(response, 0)
    }
}

fn interval(response: Response, remaining: usize) -> Response {
    let response = with_header(response, "x-hubspot-ratelimit-max", &MAX.to_string());
    let response = with_header(response, "x-hubspot-ratelimit-remaining", &remaining.to_string());
    with_header(response, "x-hubspot-ratelimit-interval-milliseconds", &INTERVAL.as_millis().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_rolls() {
        let mut window = Window::default();
        let start = Timestamp::from_secs(1_000);
        for _ in 0..MAX {
            assert_eq!(window.admit(start), Ok(()));
        }
        assert_eq!(window.admit(start), Err(10));
        assert_eq!(window.admit(start.plus(Duration::from_millis(9_500))), Err(1));
        assert_eq!(window.admit(start.plus(INTERVAL)), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_does_not_lock_the_account() {
        let mut window = Window::default();
        for _ in 0..MAX {
            assert_eq!(window.admit(Timestamp::from_secs(1_000)), Ok(()));
        }
        assert_eq!(window.admit(Timestamp::from_secs(500)), Ok(()));
    }
}

//! What a system's own headers say is left, what is kept of it for live traffic, and when it will run out. Pure, and as of
//! the steady instants it is given.

use std::time::Duration;

use signalbox_model::Timestamp;
use signalbox_model::limits::QuotaSettings;
use signalbox_net::quota::{MOST, Reading};

use super::steady::Steady;
use super::view::QuotaView;

/// The longest that one header is believed. Then deliveries go again and their answers say what is true: a wrong header
/// must not stop live traffic for long.
const BELIEVED: Duration = Duration::from_secs(60);
/// A quota that no answer has mentioned for this long is not shown any more.
const SHOWN: Duration = Duration::from_secs(3_600);
/// Readings closer together than this say too little about the pace.
const SAMPLE: Duration = Duration::from_secs(1);
/// How far back the moving average looks, about.
const PACE_OVER: f64 = 60.0;

#[derive(Debug, Default)]
pub struct Quotas {
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    reading: Reading,
    at: Timestamp,
    resets_at: Option<Timestamp>,
    /// Where the sample of the pace began.
    mark: (Timestamp, u64),
    per_minute: Option<f64>,
}

/// A quota that makes something wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Spent {
    pub name: String,
    pub limit: Option<u64>,
    pub remaining: u64,
    pub reserve: u64,
    pub since: Timestamp,
    /// When this is looked at again, at the latest.
    pub until: Timestamp,
    pub resets_at: Option<Timestamp>,
}

impl Quotas {
    pub fn learn(&mut self, readings: Vec<Reading>, now: Timestamp) {
        for reading in readings {
            if let Some(held) = self.held.iter_mut().find(|held| held.reading.name == reading.name) {
                held.learn(reading, now);
            } else if self.held.len() < MOST {
                self.held.push(Held::new(reading, now));
            } else if let Some(oldest) = self.held.iter_mut().min_by_key(|held| held.at) {
                // The one that was silent longest makes place, so that invented names cannot fill it for good.
                *oldest = Held::new(reading, now);
            }
        }
    }

    pub fn forget(&mut self) {
        self.held.clear();
    }

    /// What live traffic waits for: nothing is left.
    pub fn spent(&self, now: Timestamp) -> Option<Spent> {
        let spent = self.held.iter().filter(|held| held.reading.remaining == 0 && held.resets_at.is_some());
        spent.filter_map(|held| held.waits(0, now)).max_by_key(|spent| spent.until)
    }

    /// What replays wait for: only the reserve is left.
    pub fn spent_but_reserve(&self, settings: QuotaSettings, now: Timestamp) -> Option<Spent> {
        let spent = self.held.iter().filter_map(|held| {
            let reserve = held.reserve(settings);
            (held.reading.remaining <= reserve).then(|| held.waits(reserve, now))?
        });
        spent.max_by_key(|spent| spent.until)
    }

    pub fn view(&self, settings: QuotaSettings, now: Timestamp, steady: Steady) -> Vec<QuotaView> {
        let fresh = self.held.iter().filter(|held| now.since(held.at) < SHOWN);
        fresh
            .map(|held| QuotaView {
                name: held.reading.name.clone(),
                source: held.reading.source,
                limit: held.reading.limit,
                remaining: held.reading.remaining,
                window: held.reading.window,
                resets_at: held.resets_at.map(|at| steady.to_wall(at)),
                per_minute: held.per_minute.unwrap_or(0.0),
                runs_out_at: held.runs_out_at().map(|at| steady.to_wall(at)),
                reserve: held.reading.limit.map(|_| held.reserve(settings)),
                at: steady.to_wall(held.at),
            })
            .collect()
    }
}

impl Held {
    fn new(reading: Reading, now: Timestamp) -> Self {
        let resets_at = reading.resets_in.map(|wait| now.plus(wait));
        let mark = (now, reading.remaining);
        Self { reading, at: now, resets_at, mark, per_minute: None }
    }

    fn learn(&mut self, reading: Reading, now: Timestamp) {
        let (since, before) = self.mark;
        let passed = now.since(since);
        if reading.remaining > before {
            // It was filled up again, or an answer overtook another: the sample begins anew.
            self.mark = (now, reading.remaining);
        } else if passed >= SAMPLE {
            let pace = (before - reading.remaining) as f64 / (passed.as_secs_f64() / 60.0);
            let weight = 1.0 - (-passed.as_secs_f64() / PACE_OVER).exp();
            self.per_minute = Some(self.per_minute.map_or(pace, |known| known + weight * (pace - known)));
            self.mark = (now, reading.remaining);
        }
        self.resets_at = reading.resets_in.map(|wait| now.plus(wait));
        self.at = now;
        self.reading = reading;
    }

    fn reserve(&self, settings: QuotaSettings) -> u64 {
        // A limit has at most 15 digits, which a float holds.
        (self.reading.limit.unwrap_or(0) as f64 * settings.reserve.clamp(0.0, 1.0)).floor() as u64
    }

    fn waits(&self, reserve: u64, now: Timestamp) -> Option<Spent> {
        let believed = self.at.plus(BELIEVED);
        let until = self.resets_at.map_or(believed, |resets| resets.min(believed));
        (until > now).then(|| Spent {
            name: self.reading.name.clone(),
            limit: self.reading.limit,
            remaining: self.reading.remaining,
            reserve,
            since: self.at,
            until,
            resets_at: self.resets_at,
        })
    }

    /// At the pace of the last minutes; none where it is reset before.
    fn runs_out_at(&self) -> Option<Timestamp> {
        let pace = self.per_minute.filter(|pace| *pace > 0.0)?;
        let minutes = self.reading.remaining as f64 / pace;
        // A year is as good as never.
        let seconds = (minutes * 60.0).min(366.0 * 86_400.0);
        let at = self.at.plus(Duration::from_secs_f64(seconds));
        let end = self.resets_at.or_else(|| self.reading.window.map(|window| self.at.plus(window)));
        (end.is_none_or(|end| at < end)).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);
    const SETTINGS: QuotaSettings = QuotaSettings { reserve: 0.1 };

    fn at(secs: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(secs))
    }

    fn reading(remaining: u64, resets_in: Option<u64>) -> Reading {
        let resets_in = resets_in.map(Duration::from_secs);
        Reading { name: "day".into(), source: "RateLimit", limit: Some(1_000), remaining, window: None, resets_in }
    }

    fn told(remaining: u64, resets_in: Option<u64>) -> Quotas {
        let mut quotas = Quotas::default();
        quotas.learn(vec![reading(remaining, resets_in)], NOW);
        quotas
    }

    #[test]
    fn replays_wait_at_the_reserve_and_live_traffic_does_not() {
        let quotas = told(100, Some(30));
        assert_eq!(
            quotas.spent_but_reserve(SETTINGS, NOW).map(|spent| (spent.reserve, spent.until)),
            Some((100, at(30)))
        );
        assert_eq!(quotas.spent(NOW), None);
        assert_eq!(told(101, Some(30)).spent_but_reserve(SETTINGS, NOW), None);
        assert_eq!(quotas.spent_but_reserve(QuotaSettings { reserve: 0.0 }, NOW), None);
    }

    #[test]
    fn live_traffic_waits_when_nothing_is_left_until_the_reset() {
        let quotas = told(0, Some(30));
        assert_eq!(quotas.spent(at(29)).map(|spent| spent.until), Some(at(30)));
        assert_eq!(quotas.spent(at(30)), None);
    }

    #[test]
    fn a_header_without_a_reset_stops_no_live_traffic() {
        assert_eq!(told(0, None).spent(NOW), None);
    }

    #[test]
    fn a_header_is_believed_for_a_minute_however_far_its_reset() {
        let quotas = told(0, Some(31 * 86_400));
        assert_eq!(quotas.spent(at(59)).map(|spent| spent.until), Some(at(60)));
        assert_eq!(quotas.spent(at(60)), None);
        assert_eq!(quotas.spent_but_reserve(SETTINGS, at(60)), None);
    }

    #[test]
    fn the_pace_says_when_it_runs_out() {
        let mut quotas = told(900, Some(86_400));
        for second in 1..=300 {
            quotas.learn(vec![reading(900 - second, Some(86_400 - second))], at(second));
        }
        let view = &quotas.view(SETTINGS, at(300), Steady::default())[0];
        assert!((59.0..61.0).contains(&view.per_minute), "{}", view.per_minute);
        let left = view.runs_out_at.expect("it runs out").since(at(300)).as_secs();
        assert!((595..605).contains(&left), "{left}");
        assert_eq!(view.reserve, Some(100));
    }

    #[test]
    fn what_is_reset_in_time_does_not_run_out() {
        let mut quotas = told(900, Some(60));
        quotas.learn(vec![reading(890, Some(50))], at(10));
        assert_eq!(quotas.view(SETTINGS, at(10), Steady::default())[0].runs_out_at, None);
        quotas.learn(vec![reading(1_000, Some(60))], at(60));
        assert_eq!(quotas.spent_but_reserve(SETTINGS, at(60)), None);
    }

    #[test]
    fn invented_names_do_not_pile_up() {
        let mut quotas = Quotas::default();
        for name in 0..10_000_u64 {
            quotas.learn(vec![Reading { name: name.to_string(), ..reading(0, Some(5)) }], at(name));
        }
        assert_eq!(quotas.held.len(), MOST);
    }
}

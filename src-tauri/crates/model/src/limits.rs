//! What a system's file says of how hard it may be asked: breaker, limits, quota, concurrency. `engine/gates` holds to it.

use std::time::Duration;

/// `breaker = { window, ratio, minimum, open }` of a system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerSettings {
    /// How far back calls are counted; 1 s to 1 h.
    pub window: Duration,
    /// The share of failed calls, `0.0..=1.0` and over 0, at which it opens.
    pub ratio: f64,
    /// Fewer calls than this within the window open nothing; 1 to 10,000.
    pub minimum: u32,
    /// How long it stays open before the first probe; doubled after each probe that fails, up to 5 min.
    pub open: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { window: Duration::from_secs(30), ratio: 0.5, minimum: 20, open: Duration::from_secs(30) }
    }
}

/// `limits = { per_second, burst, concurrent }` of a system; each `None`: unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Requests per second over all its destinations; over 0, to 10,000.
    pub per_second: Option<f64>,
    /// Requests that may go at once after a quiet time; 1 to 10,000. Without it, what one second allows.
    pub burst: Option<u32>,
    /// Requests on the wire at one time over all its destinations; 1 to 10,000.
    pub concurrent: Option<u32>,
}

impl Limits {
    pub const fn is_unlimited(&self) -> bool {
        self.per_second.is_none() && self.concurrent.is_none()
    }
}

/// `quota = { reserve }` of a system: what the vendor's own headers are used for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuotaSettings {
    /// The share of the vendor's limit, `0.0..=1.0`, that replays leave to live traffic.
    pub reserve: f64,
}

impl Default for QuotaSettings {
    fn default() -> Self {
        Self { reserve: 0.1 }
    }
}

/// `concurrency = 8` or `{ min, max }` of a destination: its requests on the wire at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency {
    /// 1 to 256.
    pub min: u32,
    /// `min` to 256; equal to `min` where it is a fixed number.
    pub max: u32,
}

impl Concurrency {
    pub const fn fixed(number: u32) -> Self {
        Self { min: number, max: number }
    }

    pub const fn is_fixed(self) -> bool {
        self.min == self.max
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        Self::fixed(8)
    }
}

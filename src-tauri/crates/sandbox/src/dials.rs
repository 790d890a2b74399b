//! The dials at work: how they stand now and what they do to the next request or event.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::faults::{Faults, FaultsError, FaultsPatch};
use crate::prng::Prng;

/// What the dials make of one request instead of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    TooMany { retry_after_s: u64 },
    ServerError,
}

pub(crate) struct Dials {
    inner: Mutex<Inner>,
    /// Wakes the sender, which may be asleep for ten seconds at the lowest rate.
    pub changed: Notify,
}

struct Inner {
    faults: Faults,
    // One stream each, so that the same dial gives the same faults whatever the others do.
    rate: Prng,
    error: Prng,
    signature: Prng,
    record: Prng,
    count: Prng,
}

impl Dials {
    pub fn new(system: &str, seed: u64, faults: Faults) -> Self {
        let stream = |dial: &str| Prng::new(seed, &format!("{system} {dial}"));
        Self {
            inner: Mutex::new(Inner {
                faults,
                rate: stream("429"),
                error: stream("500"),
                signature: stream("signature"),
                record: stream("record"),
                count: stream("count"),
            }),
            changed: Notify::new(),
        }
    }

    pub fn faults(&self) -> Faults {
        self.inner.lock().faults.clone()
    }

    /// Sets the dials. `outage` is told how the outage dial turns before anything is stored, and can refuse.
    pub fn patch(
        &self,
        system: &'static str,
        patch: &FaultsPatch,
        outage: impl FnOnce(bool) -> Result<(), FaultsError>,
    ) -> Result<Faults, FaultsError> {
        let mut inner = self.inner.lock();
        let next = inner.faults.patched(system, patch)?;
        if let Some(down) = next.outage
            && inner.faults.outage != Some(down)
        {
            outage(down)?;
        }
        inner.faults = next.clone();
        drop(inner);
        self.changed.notify_one();
        Ok(next)
    }

    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.inner.lock().faults.latency_ms.unwrap_or(0))
    }

    /// Rolls the dice for one request.
    pub fn roll(&self) -> Option<Fault> {
        let inner = &mut *self.inner.lock();
        if let Some(rate) = inner.faults.rate_429
            && rate.share > 0.0
            && inner.rate.unit() < rate.share
        {
            return Some(Fault::TooMany { retry_after_s: rate.retry_after_s });
        }
        let error = inner.faults.error_500.is_some_and(|error| error.share > 0.0 && inner.error.unit() < error.share);
        error.then_some(Fault::ServerError)
    }

    pub fn renamed(&self) -> bool {
        self.inner.lock().faults.renamed_field == Some(true)
    }

    /// Whether the next record of a batch is refused.
    pub fn refuse_record(&self) -> bool {
        let inner = &mut *self.inner.lock();
        inner.faults.partial.is_some_and(|dial| dial.share > 0.0 && inner.record.unit() < dial.share)
    }

    /// Whether the next answer to a batch leaves out one record.
    pub fn miscount(&self) -> bool {
        let inner = &mut *self.inner.lock();
        inner.faults.miscount.is_some_and(|dial| dial.share > 0.0 && inner.count.unit() < dial.share)
    }

    /// Whether the next event is to be signed with a wrong key.
    pub fn sign_badly(&self) -> bool {
        let inner = &mut *self.inner.lock();
        inner.faults.bad_signature.is_some_and(|bad| bad.share > 0.0 && inner.signature.unit() < bad.share)
    }

    /// The time between two events; none while paused.
    pub fn interval(&self) -> Option<Duration> {
        let inner = self.inner.lock();
        if inner.faults.paused == Some(true) {
            return None;
        }
        inner.faults.per_second.map(|rate| Duration::from_secs_f64(1.0 / rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{Rate429Patch, Share};

    fn rolls(seed: u64, patch: &FaultsPatch) -> Vec<Option<Fault>> {
        let dials = Dials::new("hubspot", seed, Faults::receiver());
        dials.patch("hubspot", patch, |_| Ok(())).unwrap();
        (0..1_000).map(|_| dials.roll()).collect()
    }

    fn rate(share: f64) -> FaultsPatch {
        let rate_429 = Some(Rate429Patch { share: Some(share), retry_after_s: None });
        FaultsPatch { rate_429, ..FaultsPatch::default() }
    }

    #[test]
    fn the_same_dials_give_the_same_faults_again() {
        assert_eq!(rolls(7, &rate(0.4)), rolls(7, &rate(0.4)));
        assert_ne!(rolls(7, &rate(0.4)), rolls(8, &rate(0.4)));
    }

    #[test]
    fn a_share_of_requests_fails() {
        assert!(rolls(7, &rate(0.0)).iter().all(Option::is_none));
        assert!(rolls(7, &rate(1.0)).iter().all(Option::is_some));
        let some = rolls(7, &rate(0.4)).iter().flatten().count();
        assert!((350..450).contains(&some), "{some} of 1000");
    }

    #[test]
    fn an_outage_that_cannot_be_turned_leaves_every_dial_as_it_was() {
        let dials = Dials::new("crm", 7, Faults::receiver());
        let patch = FaultsPatch { outage: Some(true), error_500: Some(Share { share: 1.0 }), ..FaultsPatch::default() };
        let refused = FaultsError::UnknownSystem("stands for any refusal".into());
        assert_eq!(dials.patch("crm", &patch, |_| Err(refused.clone())), Err(refused));
        assert_eq!(dials.faults(), Faults::receiver());
    }
}

//! What a lane asks before a request of it may go: a place in its window, a turn under its system's limits, a place on
//! the wire.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use signalbox_model::Timestamp;
use tokio::time::Instant;

use super::gate::Verdict;
use super::lane::LaneRuntime;
use super::window::OpenPlace;
use crate::gates::concurrency::Place;
use crate::gates::{Limiter, Turn};

/// Permission to have one attempt open; given back when its outcome is committed.
pub struct Permit {
    _place: OpenPlace,
    /// Its turn under the system's limits, where there are any.
    pub turn: Option<Turn>,
}

impl Permit {
    /// Nothing was opened with it.
    pub fn unused(self) {
        if let Some(turn) = self.turn {
            turn.unused();
        }
    }
}

impl LaneRuntime {
    /// For a row that is about to be inserted: a permit, if nothing waits before it and the gate is clear.
    ///
    /// Where only the window is full, waits for a place in it, at most until `patience` ends: a row that waits in the
    /// ledger costs a claim, and all rows after it wait behind it. So senders that are a little faster than the
    /// destination are slowed down a little, instead of building up a backlog that takes power from its own reduction.
    pub async fn reserve_direct(&self, now: Timestamp, patience: Instant) -> Option<Permit> {
        if !self.goes_direct(now) {
            return None;
        }
        let place = match self.window.try_take() {
            Some(place) => place,
            None => self.wait_for_place(now, patience).await?,
        };
        let turn = match self.limiter() {
            Some(limiter) => Some(limiter.try_turn()?),
            None => None,
        };
        Some(Permit { _place: place, turn })
    }

    /// Ends early when a backlog begins: whoever comes then waits in the ledger, and must not get past who was here first.
    async fn wait_for_place(&self, now: Timestamp, patience: Instant) -> Option<OpenPlace> {
        let overtaken = self.overtaken.notified();
        tokio::pin!(overtaken);
        overtaken.as_mut().enable();
        // What was left over from a backlog is being claimed: it took the places, so there is no waiting for some.
        if self.claiming.load(Ordering::Acquire) || !self.goes_direct(now) {
            return None;
        }
        tokio::select! {
            biased;
            () = overtaken => None,
            place = self.window.take(patience) => place.filter(|_| self.goes_direct(now)),
        }
    }

    fn goes_direct(&self, now: Timestamp) -> bool {
        // A batch is opened when it goes.
        let batches = || self.config.load().as_ref().as_ref().is_some_and(|to| to.batch().is_some());
        !self.backlog.load(Ordering::Acquire) && !batches() && self.plain_verdict(now) == Verdict::Clear
    }

    fn limiter(&self) -> Option<Arc<Limiter>> {
        self.config.load().as_ref().as_ref().and_then(|config| config.gates.limiter())
    }

    /// Waits for a turn under the system's limits. `None`: it has none.
    pub async fn turn(&self) -> Option<Turn> {
        loop {
            // The limits may be changed while it waits: then it asks the new ones.
            if let Some(turn) = self.limiter()?.turn().await {
                return Some(turn);
            }
        }
    }

    /// Up to `most` permits, at least one (waits for it).
    pub async fn reserve(&self, most: usize) -> Vec<Permit> {
        let mut places = self.window.take_together(most).await.into_iter();
        let Some(first) = places.next() else { return Vec::new() };
        let mut permits = vec![Permit { _place: first, turn: self.turn().await }];
        let limiter = self.limiter();
        for place in places {
            let turn = match limiter.as_ref().map(|limiter| limiter.try_turn()) {
                Some(None) => break,
                Some(turn) => turn,
                None => None,
            };
            permits.push(Permit { _place: place, turn });
        }
        permits
    }

    /// A place on the wire and a turn under the system's limits, in the order in which the lane's own requests take them:
    /// otherwise each of two could hold what the other waits for. None where the destination was removed.
    pub async fn place_and_turn(&self) -> Option<(Place, Option<Turn>)> {
        let batches = self.config.load().as_ref().as_ref()?.batch().is_some();
        if batches {
            let place = self.place().await?;
            return Some((place, self.turn().await));
        }
        let turn = self.turn().await;
        Some((self.place().await?, turn))
    }

    /// A place on the wire; none where the destination was removed.
    pub async fn place(&self) -> Option<Place> {
        let places = self.config.load().as_ref().as_ref()?.places.clone();
        places.take().await
    }
}

//! How many refused requests are kept.

/// At most this many refused requests are written per second, so that a flood cannot fill the ledger's queue; the rest
/// are counted.
pub struct RefusalBudget {
    per_second: u32,
    second: std::sync::atomic::AtomicI64,
    used: std::sync::atomic::AtomicU32,
    pub dropped: std::sync::atomic::AtomicU64,
}

impl Default for RefusalBudget {
    fn default() -> Self {
        Self::of(Self::PER_SECOND)
    }
}

impl RefusalBudget {
    const PER_SECOND: u32 = 100;

    pub(crate) fn of(per_second: u32) -> Self {
        Self { per_second, second: 0.into(), used: 0.into(), dropped: 0.into() }
    }

    pub(crate) fn take(&self, second: i64) -> bool {
        use std::sync::atomic::Ordering::Relaxed;
        if self.second.swap(second, Relaxed) != second {
            self.used.store(0, Relaxed);
        }
        let taken = self.used.fetch_add(1, Relaxed) < self.per_second;
        if !taken {
            self.dropped.fetch_add(1, Relaxed);
        }
        taken
    }
}

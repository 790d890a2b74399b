//! How much a run may use.

use std::time::Duration;

/// The bounds of one run. All are hard: the run ends with [`crate::RunError::OverBudget`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of the interpreter. One costs about 20 to 100 ns, and may hold back about half a kilobyte of the
    /// interpreter's own memory, which is why fuel is bounded beside time.
    pub fuel: u64,
    /// Wall time.
    pub time: Duration,
    /// Bytes of the values that the run makes and holds, and the size of any one value written out in full.
    pub memory: usize,
    /// Bytes of the result as JSON text.
    pub output_bytes: usize,
    /// Bytes of stack below which the run ends.
    pub stack_reserve: usize,
    /// Bytes of stack to run on where the thread has less left; fresh pages are only touched when needed.
    pub stack: usize,
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

impl Limits {
    /// For a run on a thread that also serves others: a usual mapping needs a hundredth of this.
    pub const INLINE: Self = Self {
        fuel: 100_000,
        time: Duration::from_millis(5),
        memory: 16 * MIB,
        output_bytes: MIB,
        stack_reserve: 256 * KIB,
        stack: 2 * MIB,
    };

    /// For a run on a thread of its own, behind the commit.
    pub const BEHIND: Self = Self {
        fuel: 1_000_000,
        time: Duration::from_millis(250),
        memory: 64 * MIB,
        output_bytes: 16 * MIB,
        stack_reserve: 256 * KIB,
        stack: 16 * MIB,
    };
}

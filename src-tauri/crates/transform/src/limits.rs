//! How much a run may use.

use std::time::Duration;

/// The bounds of one run. All are hard: the run ends with [`crate::RunError::OverBudget`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of the interpreter. The interpreter's own bookkeeping is not in `memory`; the worst program tried held back
    /// about 65 MB in a million steps, which is why steps are bounded beside time and memory.
    pub fuel: u64,
    pub time: Duration,
    /// Whether `time` goes on while the thread waits for a processor. Where it does not, a busy machine cannot make a
    /// dead letter of an event whose steps are short. Only Unix tells a thread its own time; elsewhere it always goes on.
    pub counts_waiting: bool,
    /// Bytes of the values that the run makes and holds at a time, and the size of any one value written out in full.
    pub memory: usize,
    /// Bytes of the result as JSON text.
    pub output_bytes: usize,
    /// Bytes of stack that are never used: what it takes to end a run in an orderly way.
    pub stack_reserve: usize,
    /// Bytes of stack that must be there; a thread that has less left gets a new one for the run. A run may use half.
    pub stack: usize,
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

impl Limits {
    /// For a run on a thread that also serves others. An eight-field mapping of a 430-byte body took 45 µs of CPU.
    pub const INLINE: Self = Self {
        fuel: 100_000,
        time: Duration::from_millis(5),
        counts_waiting: true,
        memory: 16 * MIB,
        output_bytes: MIB,
        stack_reserve: 256 * KIB,
        stack: MIB,
    };

    /// For a run on a thread of its own, behind the commit. Endless programs mostly end by fuel; the time is for
    /// the few functions that do much in one step.
    pub const BEHIND: Self = Self {
        fuel: 1_500_000,
        time: Duration::from_secs(1),
        counts_waiting: false,
        memory: 64 * MIB,
        output_bytes: 16 * MIB,
        stack_reserve: 256 * KIB,
        stack: 16 * MIB,
    };
}

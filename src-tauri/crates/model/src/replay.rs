//! Words of a replay job.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplayMode {
    /// Run the steps again with the integration as it is now.
    #[default]
    Remap,
    /// Send the same bytes again, under the same idempotency key.
    Exact,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NewerPolicy {
    /// Leave out a dead letter when a newer event of its key has been delivered: it would overwrite newer data.
    #[default]
    Skip,
    Send,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplayState {
    /// The set is frozen, nothing is sent yet.
    Planned,
    Running,
    Paused,
    /// Every delivery of the set has ended or was skipped.
    Done,
    /// By a person; what had not started stays dead.
    Cancelled,
    /// By itself: the canary failed.
    Stopped,
}

impl ReplayState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Stopped => "stopped",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Planned, Self::Running, Self::Paused, Self::Done, Self::Cancelled, Self::Stopped]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

impl ReplayMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Remap => "remap",
            Self::Exact => "exact",
        }
    }
}

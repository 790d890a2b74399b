//! The states of a delivery. One place of three that must agree: these docs, the transitions of the store, and the
//! CHECK constraints of its schema.

use serde::{Deserialize, Serialize};

/// Exclusive; `is_terminal` ones have an `ended_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// Ready for its first attempt (of this revision) as soon as its gate and a permit allow.
    Queued,
    /// An attempt is open: the row is leased to this process under its epoch.
    Sending,
    /// An attempt failed in a way worth repeating; `due_at` says when.
    Retrying,
    /// Waits behind an earlier delivery of the same key (stored reason `order`).
    Held,
    /// The destination confirmed. Terminal.
    Delivered,
    /// Given up, by whichever stage; waits for a person. Terminal, and may park its key.
    Dead,
    /// A person decided that it is not to be sent. Terminal.
    Discarded,
    /// A filter step said no. Terminal.
    Filtered,
    /// Went into an aggregate. Terminal.
    Collected,
    /// Something newer of the same key made it pointless. Terminal.
    Superseded,
}

impl DeliveryState {
    pub const ALL: [Self; 10] = [
        Self::Queued,
        Self::Sending,
        Self::Retrying,
        Self::Held,
        Self::Delivered,
        Self::Dead,
        Self::Discarded,
        Self::Filtered,
        Self::Collected,
        Self::Superseded,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Retrying => "retrying",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
            Self::Filtered => "filtered",
            Self::Collected => "collected",
            Self::Superseded => "superseded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Queued | Self::Sending | Self::Retrying | Self::Held)
    }
}

/// Why a delivery waits. Only `Order` is stored in the row; the others belong to the gate of its system and are
/// derived when a row is read or filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeldReason {
    Order,
    Breaker,
    Rate,
    Pause,
    Quota,
    Credential,
}

impl HeldReason {
    pub const ALL: [Self; 6] = [Self::Order, Self::Breaker, Self::Rate, Self::Pause, Self::Quota, Self::Credential];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Breaker => "breaker",
            Self::Rate => "rate",
            Self::Pause => "pause",
            Self::Quota => "quota",
            Self::Credential => "credential",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

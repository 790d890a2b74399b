//! Kinds of failure and the stage at which a delivery failed.

use serde::{Deserialize, Serialize};

/// Why an attempt, or a step before any attempt, failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureKind {
    /// 3xx, 4xx that repeating would not change, confirm said no, answer too large, address refused.
    Rejected,
    /// 429, 425, 423, 403 with a quota error, 503 with Retry-After.
    Rate,
    /// 401, 403, no token.
    Auth,
    /// A step or the request's own templates could not make a request.
    Mapping,
    /// 5xx, 408.
    Server,
    /// The request was not fully written: name resolution, connect, TLS, reset.
    Network,
    /// Fully written, no whole answer: the receiver may have processed it.
    Unknown,
}

impl FailureKind {
    /// In the fixed order in which charts stack them.
    pub const ALL: [Self; 7] =
        [Self::Rejected, Self::Rate, Self::Auth, Self::Mapping, Self::Server, Self::Network, Self::Unknown];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Rate => "rate",
            Self::Auth => "auth",
            Self::Mapping => "mapping",
            Self::Server => "server",
            Self::Network => "network",
            Self::Unknown => "unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Where on the way of an event a delivery failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Reading the body, or the source's own `type` and `key` expressions.
    Accept,
    Validate,
    Filter,
    Map,
    /// Making the request: body, path, headers.
    Request,
    /// Sending it.
    Deliver,
    /// The destination's `confirm` expression.
    Confirm,
}

impl Stage {
    pub const ALL: [Self; 7] =
        [Self::Accept, Self::Validate, Self::Filter, Self::Map, Self::Request, Self::Deliver, Self::Confirm];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Validate => "validate",
            Self::Filter => "filter",
            Self::Map => "map",
            Self::Request => "request",
            Self::Deliver => "deliver",
            Self::Confirm => "confirm",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

//! What can go wrong with a request, told apart by whether the receiver may have acted on it.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use signalbox_model::FailureKind;
use signalbox_model::units::format_duration;

use super::Answer;
use super::body::Progress;
use crate::url_policy::AddressRefused;

/// How far a request had come when the network failed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Resolve,
    Connect,
    Tls,
    Write,
}

/// No answer that can be judged.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SendError {
    /// The destination is not allowed; nothing was sent.
    #[error("not sent: {0}")]
    Refused(#[source] AddressRefused),
    /// The request was not fully written, so the receiver has not acted on it.
    #[error("{message}")]
    Network { phase: Phase, message: String },
    /// Fully written, and no whole answer: the receiver may have acted on it.
    #[error("{message}; the request was sent completely, so it may have been processed")]
    Unknown { message: String },
    /// A success whose body is longer than the cap, so that it cannot be judged.
    #[error("the system answered {} with more than {cap} bytes, too many to judge the answer", .answer.status)]
    AnswerTooLarge { answer: Box<Answer>, cap: usize },
}

impl SendError {
    pub const fn kind(&self) -> FailureKind {
        match self {
            Self::Refused(_) | Self::AnswerTooLarge { .. } => FailureKind::Rejected,
            Self::Network { .. } => FailureKind::Network,
            Self::Unknown { .. } => FailureKind::Unknown,
        }
    }

    /// Stable, for filters and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.code(),
            Self::Network { phase: Phase::Resolve, .. } => "network-resolve",
            Self::Network { phase: Phase::Connect, .. } => "network-connect",
            Self::Network { phase: Phase::Tls, .. } => "network-tls",
            Self::Network { phase: Phase::Write, .. } => "network-write",
            Self::Unknown { .. } => "no-answer",
            Self::AnswerTooLarge { .. } => "answer-too-large",
        }
    }
}

/// The deadline passed.
pub(super) fn too_late(progress: &Progress, timeout: Duration) -> SendError {
    let timeout = format_duration(timeout);
    if progress.is_written() {
        return SendError::Unknown {
            message: match progress.status() {
                Some(status) => format!("the answer ({status}) had not ended after {timeout}"),
                None => format!("no answer within {timeout}"),
            },
        };
    }
    if progress.has_started() {
        return SendError::Network {
            phase: Phase::Write,
            message: format!("the system did not take the whole request within {timeout}"),
        };
    }
    SendError::Network { phase: Phase::Connect, message: format!("no connection within {timeout}") }
}

/// The machine's certificates cannot be read.
pub(super) fn no_tls(error: &(dyn Error + 'static)) -> SendError {
    SendError::Network {
        phase: Phase::Tls,
        message: format!(
            "https cannot be used on this machine: {}; install its CA certificates (on Debian the package \
             ca-certificates)",
            innermost(error)
        ),
    }
}

pub(super) fn judge(error: reqwest::Error, progress: &Progress) -> SendError {
    let error = error.without_url();
    if let Some(refused) = find::<AddressRefused>(&error) {
        return SendError::Refused(refused.clone());
    }
    let cause = innermost(&error);
    let network = |phase, message| SendError::Network { phase, message };
    if error.is_builder() {
        return SendError::Refused(AddressRefused::Malformed { url: String::new(), problem: cause });
    }
    if error.is_dns() {
        return network(Phase::Resolve, format!("the name of the system cannot be resolved: {cause}"));
    }
    if error.is_connect() {
        return if is_tls(&error) {
            network(Phase::Tls, format!("no secure connection: {cause}"))
        } else {
            network(Phase::Connect, format!("no connection: {cause}"))
        };
    }
    if !progress.is_written() {
        return network(Phase::Write, format!("the connection broke while the request was being sent: {cause}"));
    }
    SendError::Unknown {
        message: match progress.status() {
            Some(status) => format!("the answer ({status}) broke off: {cause}"),
            None => format!("no answer: {cause}"),
        },
    }
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'e (dyn Error + 'static) = *error;
        // An I/O error hides what it wraps from `source`.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    chain(error).find_map(|error| error.downcast_ref())
}

fn is_tls(error: &(dyn Error + 'static)) -> bool {
    // A peer that hangs up in the handshake is an end of file, which connecting never gives.
    find::<rustls::Error>(error).is_some()
        || find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}

/// The cause at the end of the chain says the most.
fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Write => "write",
        })
    }
}

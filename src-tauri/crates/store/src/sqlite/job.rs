//! What waits in the writer's queue: a command and who asked.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::oneshot;

use super::fault::Outcome;
use super::ledger::Ledger;
use crate::StoreError;
use crate::delivery::{Completed, Completion};
use crate::event::{Accepted, Fate, NewEvent, Planned};

/// A command with the place where its answer goes.
pub(super) struct Waiting<C, A> {
    pub command: C,
    pub reply: oneshot::Sender<Result<A, StoreError>>,
}

impl<C, A> Waiting<C, A> {
    /// Nobody may be waiting any more: the caller went away, the command happened all the same.
    pub fn answer(self, answer: Result<A, StoreError>) {
        let _gone = self.reply.send(answer);
    }
}

#[expect(clippy::large_enum_variant, reason = "the queue is made once; a box would cost each end of an attempt")]
pub(super) enum Job {
    /// The two hot commands are carried out for the whole batch at once.
    Accept(Waiting<Vec<NewEvent>, Vec<Accepted>>),
    Complete(Waiting<Completion, Completed>),
    /// The others one by one.
    Other(Box<dyn Other>),
    /// Writes what is queued before it, then ends.
    Close(oneshot::Sender<()>),
}

/// Fixed share of rows and indexes, so that tiny commands count too.
const ROW: usize = 512;

impl Job {
    /// About how much it writes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Accept(waiting) => waiting.command.iter().map(event_bytes).sum(),
            Self::Complete(waiting) => {
                ROW + waiting.command.attempt.response.as_ref().map_or(0, |response| response.body.len())
            }
            Self::Other(_) | Self::Close(_) => ROW,
        }
    }
}

pub(super) fn event_bytes(event: &NewEvent) -> usize {
    let headers: usize = event.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let deliveries: usize = match &event.planned {
        Planned::Now(deliveries) => deliveries
            .iter()
            .map(|delivery| match &delivery.fate {
                // Equal bytes are stored once.
                Fate::Send(request) if request.body != event.body => ROW + request.body.len(),
                _ => ROW,
            })
            .sum(),
        Planned::Later(places) => places.len() * ROW,
    };
    ROW + event.body.len() + headers + deliveries
}

/// Jobs that share a commit.
#[derive(Default)]
pub(super) struct Batch {
    pub completions: Vec<Waiting<Completion, Completed>>,
    pub accepts: Vec<Waiting<Vec<NewEvent>, Vec<Accepted>>>,
    pub others: Vec<Box<dyn Other>>,
    pub bytes: usize,
    /// Of these, what intake counts against its bound.
    pub intake_bytes: usize,
}

impl Batch {
    pub fn len(&self) -> usize {
        self.completions.len() + self.accepts.len() + self.others.len()
    }

    /// Nothing but ends of attempts.
    pub fn may_linger(&self) -> bool {
        self.accepts.is_empty() && self.others.is_empty()
    }

    pub fn fail(self, error: impl Fn() -> StoreError) {
        self.completions.into_iter().for_each(|waiting| waiting.answer(Err(error())));
        self.accepts.into_iter().for_each(|waiting| waiting.answer(Err(error())));
        self.others.into_iter().for_each(|other| other.answer(Err(error())));
    }
}

pub(super) type Step<'a, T> = Pin<Box<dyn Future<Output = Outcome<T>> + Send + 'a>>;

/// A command that runs by itself inside the batch's transaction. It may run twice: once in the batch and, when that
/// had to be rolled back, once alone.
pub(super) trait Other: Send {
    fn run<'a>(&'a mut self, ledger: &'a mut Ledger) -> Step<'a, ()>;
    fn answer(self: Box<Self>, result: Result<(), StoreError>);
}

pub(super) struct Command<I, A> {
    pub input: I,
    pub run: for<'a> fn(&'a mut Ledger, &'a I) -> Step<'a, A>,
    pub answer: Option<A>,
    pub reply: oneshot::Sender<Result<A, StoreError>>,
}

impl<I: Send + Sync, A: Send> Other for Command<I, A> {
    fn run<'a>(&'a mut self, ledger: &'a mut Ledger) -> Step<'a, ()> {
        Box::pin(async move {
            self.answer = Some((self.run)(ledger, &self.input).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, result: Result<(), StoreError>) {
        let answer = match (result, self.answer) {
            (Ok(()), Some(answer)) => Ok(answer),
            (Ok(()), None) => Err(StoreError::Closed),
            (Err(error), _) => Err(error),
        };
        let _gone = self.reply.send(answer);
    }
}

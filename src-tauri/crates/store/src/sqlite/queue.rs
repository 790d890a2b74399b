//! The bounded way to the writer.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::job::{Command, Job, Step, Waiting, event_bytes};
use super::ledger::Ledger;
use super::room::Room;
use crate::StoreError;
use crate::delivery::{Completed, Completion};
use crate::event::{Accepted, NewEvent};

/// Commands that may wait.
pub(super) const QUEUE: usize = 4_096;
/// Of these, kept for what must not be turned away: ends of attempts and commands of people.
const KEPT_FREE: usize = QUEUE / 4;
/// Bytes of events that may wait.
const QUEUE_BYTES: usize = 64 << 20;
/// A place in the queue is waited for this long by everything but intake.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the writer and its callers both see.
pub(super) struct Shared {
    pub room: std::sync::Arc<Room>,
    bytes: AtomicUsize,
    sealed: OnceLock<String>,
}

impl Shared {
    pub fn new(room: std::sync::Arc<Room>) -> Self {
        Self { room, bytes: AtomicUsize::new(0), sealed: OnceLock::new() }
    }

    pub fn sealed(&self) -> Option<String> {
        self.sealed.get().cloned()
    }

    /// The first reason stays.
    pub fn seal(&self, reason: String) {
        let _first = self.sealed.set(reason);
    }

    /// Events of so many bytes have left the queue.
    pub fn taken(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[derive(Clone)]
pub(super) struct Queue {
    pub jobs: mpsc::Sender<Job>,
    pub shared: std::sync::Arc<Shared>,
}

impl Queue {
    /// Turned away at once when the writer is behind, so that the sender hears 503 before memory grows.
    pub async fn accept(&self, events: Vec<NewEvent>) -> Result<Vec<Accepted>, StoreError> {
        self.open()?;
        if self.shared.room.is_low() {
            return Err(StoreError::DiskFull);
        }
        let bytes = events.iter().map(event_bytes).sum();
        if self.jobs.capacity() <= KEPT_FREE || self.shared.bytes.load(Ordering::Relaxed) > QUEUE_BYTES {
            return Err(StoreError::Busy);
        }
        let (reply, answer) = oneshot::channel();
        self.shared.bytes.fetch_add(bytes, Ordering::Relaxed);
        if let Err(error) = self.jobs.try_send(Job::Accept(Waiting { command: events, reply })) {
            self.shared.taken(bytes);
            return Err(match error {
                mpsc::error::TrySendError::Full(_) => StoreError::Busy,
                mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            });
        }
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    pub async fn complete(&self, completion: Completion) -> Result<Completed, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Complete(Waiting { command: completion, reply })).await?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    pub async fn run<I, A>(
        &self,
        input: I,
        run: for<'a> fn(&'a mut Ledger, &'a I) -> Step<'a, A>,
    ) -> Result<A, StoreError>
    where
        I: Send + Sync + 'static,
        A: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Other(Box::new(Command { input, run, answer: None, reply }))).await?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// After everything that waits now.
    pub async fn close(&self) {
        let (closed, ended) = oneshot::channel();
        if self.jobs.send(Job::Close(closed)).await.is_ok() {
            let _ended = ended.await;
        }
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        self.open()?;
        match self.jobs.send_timeout(job, PATIENCE).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(StoreError::Busy),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(StoreError::Closed),
        }
    }

    fn open(&self) -> Result<(), StoreError> {
        match self.shared.sealed() {
            Some(reason) => Err(StoreError::Sealed(reason)),
            None => Ok(()),
        }
    }
}

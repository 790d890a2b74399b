//! The one writer: takes what waits in its queue as a batch, commits it, tells the observer, answers.
//!
//! The running commit is the batching window: whatever arrived meanwhile is the next batch. Only ends of attempts that
//! nobody waits for linger: both of an event, and the next event, then share a commit.

use std::sync::Arc;
use std::time::Duration;

use signalbox_model::Clock;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::accept::Intake;
use super::complete::Ending;
use super::connect;
use super::fault::{Fault, Outcome, Severity, severity, store_error};
use super::job::{Batch, Job};
use super::ledger::Ledger;
use super::queue::Shared;
use super::sql::Script;
use super::wal::Checkpoints;
use crate::delivery::{Completed, Completion};
use crate::event::{Accepted, NewEvent};
use crate::{Observer, StoreError};

const BATCH_COMMANDS: usize = 256;
const BATCH_BYTES: usize = 1 << 20;
const IDLE: Duration = Duration::from_secs(1);

/// Answers of the set-based commands; the others keep their own.
pub(super) struct Answers {
    pub completions: Vec<Completed>,
    /// Of all commands, one after the other.
    pub accepts: Vec<Accepted>,
}

pub(super) struct Writer {
    pub ledger: Ledger,
    pub queue: mpsc::Receiver<Job>,
    pub shared: Arc<Shared>,
    pub clock: Arc<dyn Clock>,
    pub observer: Arc<dyn Observer>,
    pub checkpoints: Checkpoints,
    pub linger: Duration,
    /// The last ends of attempts let others of their keys go: the next ones may do so too.
    pub keys_wait: bool,
}

impl Writer {
    pub async fn run(mut self) {
        let closed = loop {
            let first = match tokio::time::timeout(IDLE, self.queue.recv()).await {
                Ok(Some(job)) => job,
                // Every handle is gone.
                Ok(None) => break None,
                Err(_idle) => {
                    self.checkpoints.idle(&mut self.ledger.conn).await;
                    // Nothing to do until the next command: no reason to wake up each second.
                    match self.queue.recv().await {
                        Some(job) => job,
                        None => break None,
                    }
                }
            };
            let (batch, closing) = self.gather(first).await;
            if batch.len() > 0 {
                let bytes = batch.intake_bytes;
                self.write(batch).await;
                self.shared.taken(bytes);
                self.checkpoints.after_commit(&mut self.ledger.conn).await;
            }
            if let Some(closing) = closing {
                break Some(closing);
            }
        };
        self.queue.close();
        while let Ok(job) = self.queue.try_recv() {
            refuse(job);
        }
        self.checkpoints.settle().await;
        let whole = self.shared.sealed().is_none() && self.ledger.statement(super::damage::CLOSED).await.is_ok();
        if !whole {
            self.checkpoints.abandon();
            connect::abandon(self.ledger.conn);
        } else if !self.checkpoints.last(&mut self.ledger.conn).await {
            connect::abandon(self.ledger.conn);
        } else if let Err(error) = connect::close(self.ledger.conn).await {
            tracing::warn!(%error, "the ledger did not close cleanly; nothing committed is lost");
        }
        if let Some(closed) = closed {
            let _gone = closed.send(());
        }
    }

    /// What waits now, up to a batch's bounds. Ends of attempts wait a little for more where nobody waits for them.
    async fn gather(&mut self, first: Job) -> (Batch, Option<oneshot::Sender<()>>) {
        let mut batch = Batch::default();
        let mut next = Some(first);
        let mut patience = None;
        while let Some(job) = next {
            let bytes = job.bytes();
            batch.bytes += bytes;
            match job {
                Job::Accept(waiting) => {
                    batch.intake_bytes += bytes;
                    batch.accepts.push(waiting);
                }
                Job::Complete(waiting) => batch.completions.push(waiting),
                Job::Other(other) => batch.others.push(other),
                Job::Close(closed) => return (batch, Some(closed)),
            }
            let full = batch.len() >= BATCH_COMMANDS || batch.bytes >= BATCH_BYTES;
            if full {
                break;
            }
            next = self.queue.try_recv().ok();
            if next.is_none() && batch.may_linger() && !self.keys_wait {
                let until = *patience.get_or_insert_with(|| Instant::now() + self.linger);
                next = tokio::time::timeout_at(until, self.queue.recv()).await.ok().flatten();
            }
        }
        (batch, None)
    }

    async fn write(&mut self, mut batch: Batch) {
        if let Some(reason) = self.shared.sealed() {
            return batch.fail(|| StoreError::Sealed(reason.clone()));
        }
        if !batch.accepts.is_empty() && self.shared.room.look() {
            std::mem::take(&mut batch.accepts).into_iter().for_each(|event| event.answer(Err(StoreError::DiskFull)));
            if batch.len() == 0 {
                return;
            }
        }
        self.ledger.now = self.clock.now();
        let mut fault = match self.try_together(&mut batch).await {
            Ok(answers) => return self.answer(batch, answers),
            Err(fault) => fault,
        };
        let full = matches!(&fault, Fault::Sql(error) if severity(error) == Severity::DiskFull);
        if full && self.shared.room.release() {
            fault = match self.try_together(&mut batch).await {
                Ok(answers) => return self.answer(batch, answers),
                Err(fault) => fault,
            };
        }
        let error = match &fault {
            Fault::Sql(error) if severity(error) != Severity::Command => error,
            _ if batch.len() > 1 => return self.one_by_one(batch).await,
            _ => return self.fail(batch, &fault),
        };
        self.give_up(batch, error);
    }

    /// Leaves nothing behind when it fails.
    async fn try_together(&mut self, batch: &mut Batch) -> Outcome<Answers> {
        self.ledger.changes.clear();
        let result = self.together(batch).await;
        if result.is_err() {
            // SQLite may have ended the transaction itself; then there is nothing to roll back.
            let _ended = self.ledger.statement("ROLLBACK").await;
            self.ledger.changes.clear();
        }
        result
    }

    async fn together(&mut self, batch: &mut Batch) -> Outcome<Answers> {
        let completions = batch.completions.iter().map(|waiting| &waiting.command).collect();
        let accepts = batch.accepts.iter().flat_map(|waiting| &waiting.command).collect();
        let mut script = Script::default();
        script.add("BEGIN IMMEDIATE");
        let ledger = &mut self.ledger;
        let last = if batch.others.is_empty() { Some("COMMIT") } else { None };
        let answers = hot(ledger, script, completions, accepts, last).await?;
        if !batch.others.is_empty() {
            for other in &mut batch.others {
                other.run(ledger).await?;
            }
            ledger.statement("COMMIT").await?;
        }
        Ok(answers)
    }

    /// The observer first: whoever has an answer finds it in the figures.
    fn answer(&mut self, batch: Batch, answers: Answers) {
        // A sync beside this commit failed: what it left on the disk is not known, so nobody is told that it is safe.
        if let Some(reason) = self.shared.sealed() {
            return batch.fail(|| StoreError::Sealed(reason.clone()));
        }
        self.tell();
        if !answers.completions.is_empty() {
            let promoted = |completed: &Completed| *completed == Completed::Applied { promoted: true };
            self.keys_wait = answers.completions.iter().any(promoted);
        }
        for (waiting, answer) in batch.completions.into_iter().zip(answers.completions) {
            waiting.answer(Ok(answer));
        }
        let mut accepted = answers.accepts.into_iter();
        for waiting in batch.accepts {
            let own = accepted.by_ref().take(waiting.command.len()).collect();
            waiting.answer(Ok(own));
        }
        for other in batch.others {
            other.answer(Ok(()));
        }
    }

    pub(super) fn tell(&mut self) {
        if !self.ledger.changes.is_empty() {
            self.observer.committed(&self.ledger.changes);
            self.ledger.changes.clear();
        }
    }

    /// The only command of its batch is wrong.
    fn fail(&mut self, batch: Batch, fault: &Fault) {
        let text = match fault {
            Fault::Sql(error) => store_error(error),
            Fault::Refused(error) => copy(error),
        };
        tracing::error!(error = %text, "the ledger refused a command");
        batch.fail(|| copy(&text));
    }

    /// Nothing of the batch is stored, and trying its commands alone would not help.
    pub(super) fn give_up(&mut self, batch: Batch, error: &sqlx::Error) {
        match severity(error) {
            Severity::DiskFull => {
                tracing::error!("the disk that holds the ledger is full");
                batch.fail(|| StoreError::DiskFull);
            }
            Severity::Busy => {
                tracing::warn!(%error, "the ledger could not be written just now");
                batch.fail(|| StoreError::Busy);
            }
            Severity::Seal | Severity::Command => {
                let reason = error.to_string();
                tracing::error!(error = %reason, "the ledger is sealed: restart Signalbox");
                self.shared.seal(reason.clone());
                batch.fail(|| StoreError::Sealed(reason.clone()));
            }
        }
    }
}

/// The set-based commands: reads, then ends, then events, which see what the ends promote or free. `script` holds what
/// comes first, `last` what comes after all of it.
pub(super) async fn hot(
    ledger: &mut Ledger,
    mut script: Script,
    completions: Vec<&Completion>,
    accepts: Vec<&NewEvent>,
    last: Option<&'static str>,
) -> Outcome<Answers> {
    let (mut ending, open) = Ending::ask(&mut script, completions);
    let (mut intake, known) = Intake::ask(&mut script, accepts);
    let mut answers = script.run(&mut ledger.conn).await?;
    ending.judge(&mut answers, open)?;
    intake.judge(&mut answers, known)?;

    let mut script = Script::default();
    let written = ending.write(&mut script, ledger.now);
    let blocked = intake.look(&mut script);
    let mut answers = script.run(&mut ledger.conn).await?;
    let completions = ending.finish(ledger, &mut answers, written).await?;

    let mut script = Script::default();
    let accepts = intake.write(&mut script, ledger, &mut answers, blocked)?;
    if let Some(last) = last {
        script.add(last);
    }
    script.run(&mut ledger.conn).await?;
    Ok(Answers { completions, accepts })
}

fn refuse(job: Job) {
    match job {
        Job::Accept(waiting) => waiting.answer(Err(StoreError::Closed)),
        Job::Complete(waiting) => waiting.answer(Err(StoreError::Closed)),
        Job::Other(other) => other.answer(Err(StoreError::Closed)),
        Job::Close(closed) => {
            let _gone = closed.send(());
        }
    }
}

/// One error for several callers.
pub(super) fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy => StoreError::Busy,
        StoreError::Sealed(reason) => StoreError::Sealed(reason.clone()),
        StoreError::DiskFull => StoreError::DiskFull,
        StoreError::Open { path, reason } => StoreError::Open { path: path.clone(), reason: reason.clone() },
        StoreError::Corrupt(what) => StoreError::Corrupt(what.clone()),
        StoreError::Database(what) => StoreError::Database(what.clone()),
        StoreError::InvalidCursor => StoreError::InvalidCursor,
        StoreError::TooMany(what) => StoreError::TooMany(what.clone()),
        StoreError::Closed => StoreError::Closed,
    }
}

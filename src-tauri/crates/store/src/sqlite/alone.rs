//! When one command spoils a batch: each again by itself inside one transaction, so that only that one fails.

use super::fault::{Fault, Outcome, Severity, severity};
use super::job::{Batch, Other, Waiting};
use super::ledger::Ledger;
use super::sql::Script;
use super::writer::{Writer, copy, hot};
use crate::StoreError;
use crate::delivery::{Completed, Completion};
use crate::event::{Accepted, NewEvent};

impl Writer {
    /// One command spoiled the batch: each again by itself inside one transaction, so that only that one fails.
    pub(super) async fn one_by_one(&mut self, batch: Batch) {
        let mut batch = batch;
        let result = self.each_alone(&mut batch).await;
        match result {
            Ok(settled) => {
                self.tell();
                settled.answer();
            }
            Err(Fault::Sql(error)) => {
                let _ended = self.ledger.statement("ROLLBACK").await;
                self.ledger.changes.clear();
                self.give_up(batch, &error);
            }
            Err(Fault::Refused(error)) => {
                let _ended = self.ledger.statement("ROLLBACK").await;
                self.ledger.changes.clear();
                batch.fail(|| copy(&error));
            }
        }
    }

    async fn each_alone(&mut self, batch: &mut Batch) -> Outcome<Settled> {
        let ledger = &mut self.ledger;
        let mut settled = Settled::default();
        ledger.statement("BEGIN IMMEDIATE").await?;
        let mut completions = Vec::with_capacity(batch.completions.len());
        for waiting in &batch.completions {
            let mark = begin_one(ledger).await?;
            let result = hot(ledger, Script::default(), vec![&waiting.command], Vec::new(), None).await;
            let result = result.map(|answers| answers.completions);
            completions.push(end_one(ledger, mark, result).await?);
        }
        let mut accepts = Vec::with_capacity(batch.accepts.len());
        for waiting in &batch.accepts {
            let mark = begin_one(ledger).await?;
            let result = hot(ledger, Script::default(), Vec::new(), waiting.command.iter().collect(), None).await;
            let result = result.map(|answers| answers.accepts);
            accepts.push(end_one(ledger, mark, result).await?);
        }
        let mut others = Vec::with_capacity(batch.others.len());
        for other in &mut batch.others {
            let mark = begin_one(ledger).await?;
            let result = other.run(ledger).await;
            others.push(end_one(ledger, mark, result).await?);
        }
        ledger.statement("COMMIT").await?;
        settled.completions = std::mem::take(&mut batch.completions).into_iter().zip(completions).collect();
        settled.accepts = std::mem::take(&mut batch.accepts).into_iter().zip(accepts).collect();
        settled.others = std::mem::take(&mut batch.others).into_iter().zip(others).collect();
        Ok(settled)
    }
}

/// Commands of one sort with the answers to each.
type Tried<C, A, B> = Vec<(Waiting<C, A>, Result<Vec<B>, StoreError>)>;

/// A batch that was carried out one by one.
#[derive(Default)]
struct Settled {
    completions: Tried<Completion, Completed, Completed>,
    accepts: Tried<Vec<NewEvent>, Vec<Accepted>, Accepted>,
    others: Vec<(Box<dyn Other>, Result<(), StoreError>)>,
}

impl Settled {
    fn answer(self) {
        fn only<T>(answers: Vec<T>) -> Result<T, StoreError> {
            answers.into_iter().next().ok_or(StoreError::Closed)
        }
        for (waiting, result) in self.completions {
            waiting.answer(result.and_then(only));
        }
        for (waiting, result) in self.accepts {
            waiting.answer(result);
        }
        for (other, result) in self.others {
            other.answer(result);
        }
    }
}

async fn begin_one(ledger: &mut Ledger) -> Outcome<usize> {
    ledger.statement("SAVEPOINT one").await?;
    Ok(ledger.changes.len())
}

/// An error that concerns the whole database ends the batch; any other one undoes this command alone.
async fn end_one<T>(ledger: &mut Ledger, changes: usize, result: Outcome<T>) -> Outcome<Result<T, StoreError>> {
    let result = match result {
        Err(Fault::Sql(error)) if severity(&error) != Severity::Command => return Err(Fault::Sql(error)),
        Err(fault) => {
            ledger.statement("ROLLBACK TO one").await?;
            ledger.changes.truncate(changes);
            let error = StoreError::from(fault);
            tracing::error!(%error, "the ledger refused a command");
            Err(error)
        }
        Ok(answer) => Ok(answer),
    };
    ledger.statement("RELEASE one").await?;
    Ok(result)
}

//! Gates that outlive a restart, and when they were closed.

use signalbox_model::{HeldReason, Timestamp};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Args, Columns, corrupt, execute, rows};
use crate::lane::{GateScope, GateSpan, GateStep, MOST_SPANS, SavedGate};

pub(super) async fn save(ledger: &mut Ledger, input: &(SavedGate, GateStep)) -> Outcome<()> {
    let (gate, step) = input;
    if *step == GateStep::Opens {
        let sql = "DELETE FROM gate WHERE scope = ? AND name = ? AND reason = ?";
        execute(&mut ledger.conn, sql, named(gate)).await?;
        return end_spans(ledger, gate).await;
    }
    let mut args = named(gate);
    args.time(gate.since).opt_time(gate.until).text(&gate.explain);
    let sql = "INSERT OR REPLACE INTO gate (scope, name, reason, since, until, explain) VALUES (?, ?, ?, ?, ?, ?)";
    execute(&mut ledger.conn, sql, args).await?;
    if *step == GateStep::KeptClear {
        return end_spans(ledger, gate).await;
    }
    let mut args = named(gate);
    args.time(gate.since).opt_time(gate.until.filter(|_| gate.reason == HeldReason::Rate));
    let sql = "INSERT INTO gate_span (scope, name, reason, since, until) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET until = excluded.until";
    execute(&mut ledger.conn, sql, args).await?;
    Ok(())
}

async fn end_spans(ledger: &mut Ledger, gate: &SavedGate) -> Outcome<()> {
    // What begins in the future was written before the clock was set back; when it really was, nobody knows.
    let mut args = named(gate);
    args.time(ledger.now);
    let sql = "DELETE FROM gate_span WHERE scope = ? AND name = ? AND reason = ? AND since > ?";
    execute(&mut ledger.conn, sql, args).await?;
    let mut args = Args::default();
    args.time(ledger.now).text(scope(gate.scope)).text(&gate.name).text(gate.reason.as_str()).time(ledger.now);
    let sql = "UPDATE gate_span SET until = ? WHERE scope = ? AND name = ? AND reason = ?
               AND (until IS NULL OR until > ?)";
    execute(&mut ledger.conn, sql, args).await?;
    Ok(())
}

fn named(gate: &SavedGate) -> Args {
    let mut args = Args::default();
    args.text(scope(gate.scope)).text(&gate.name).text(gate.reason.as_str());
    args
}

pub(super) async fn all(conn: &mut SqliteConnection) -> Outcome<Vec<SavedGate>> {
    let sql = "SELECT scope, name, reason, since, until, explain FROM gate ORDER BY scope, name, reason";
    let read = |row: &SqliteRow| {
        let GateSpan { scope, name, reason, since, until } = span(row)?;
        Ok(SavedGate { scope, name, reason, since, until, explain: row.get_text(5)? })
    };
    rows(conn, sql, Args::default()).await?.iter().map(read).collect()
}

pub(super) async fn spans(conn: &mut SqliteConnection, from: Timestamp) -> Outcome<Vec<GateSpan>> {
    let mut args = Args::default();
    args.time(from).int(i64::from(MOST_SPANS));
    let sql = "SELECT scope, name, reason, since, until FROM gate_span WHERE until IS NULL OR until > ?
               ORDER BY until IS NULL DESC, since DESC LIMIT ?";
    let mut spans = rows(conn, sql, args).await?.iter().map(span).collect::<Outcome<Vec<_>>>()?;
    spans.sort_by_key(|span| span.since);
    Ok(spans)
}

pub(super) async fn prune_spans(ledger: &mut Ledger, before: &Timestamp) -> Outcome<u64> {
    let mut args = Args::default();
    args.time(*before);
    execute(&mut ledger.conn, "DELETE FROM gate_span WHERE until < ?", args).await
}

fn span(row: &SqliteRow) -> Outcome<GateSpan> {
    let found = row.get_text(0)?;
    let scopes = [GateScope::System, GateScope::Integration, GateScope::Lane];
    Ok(GateSpan {
        scope: scopes.into_iter().find(|one| scope(*one) == found).ok_or_else(|| corrupt("a gate's scope"))?,
        name: row.get_text(1)?,
        reason: HeldReason::parse(&row.get_text(2)?).ok_or_else(|| corrupt("a gate's reason"))?,
        since: row.get_time(3)?,
        until: row.get_opt_time(4)?,
    })
}

const fn scope(scope: GateScope) -> &'static str {
    match scope {
        GateScope::System => "system",
        GateScope::Integration => "integration",
        GateScope::Lane => "lane",
    }
}

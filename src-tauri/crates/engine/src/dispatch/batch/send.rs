//! A batch lane at work: wait for the batch to fill and for a place on the wire, open the attempts, send, end them.

use std::sync::Arc;

use signalbox_store::delivery::{EndedBatch, OpenDelivery};
use signalbox_workspace::{Batch, Destination};

use super::RESPONSE_MAX;
use super::compose::{compose, key, request};
use super::judge::{judge_batch, kind_of_call, refused_by_one};
use super::record::Record;
use crate::connect::Sender;
use crate::dispatch::Dispatcher;
use crate::dispatch::attempt::{Call, Called, Ends, Load, To};
use crate::dispatch::gate::Verdict;
use crate::dispatch::lane::{LaneConfig, LaneRuntime, Probe};
use crate::dispatch::outcome::{Case, GateEffect, Judged, judge_unsendable};
use crate::gates::Turn;
use crate::gates::concurrency::Place;

impl Dispatcher {
    /// The rest of a lane's turn, once a batch is to go. `early`: a probe, and nothing is due.
    pub(in crate::dispatch) async fn turn_batch(self: &Arc<Self>, lane: &Arc<LaneRuntime>, max: u32, early: bool) {
        // While every place is taken, the batch goes on filling.
        let Some(place) = lane.place().await else { return };
        let turn = lane.turn().await;
        let now = self.means.clock.now();
        let probe = match lane.plain_verdict(now) {
            Verdict::Clear => None,
            Verdict::Probe => match self.begin_probe(lane, now, early) {
                Some(probe) => Some(probe),
                None => return,
            },
            Verdict::Closed(_) => return,
        };
        let dispatcher = self.clone();
        let lane = lane.clone();
        // From here the turn must not be dropped half way: rows that were opened must be sent or released.
        let claimed = async move { dispatcher.claim_batch(lane, max, (place, turn), probe, early).await };
        if self.sends.spawn(claimed).await.is_err() {
            tracing::error!("claiming deliveries stopped unexpectedly; the lane goes on");
        }
    }

    async fn claim_batch(
        self: &Arc<Self>,
        lane: Arc<LaneRuntime>,
        max: u32,
        (place, mut turn): (Place, Option<Turn>),
        mut probe: Option<Probe>,
        early: bool,
    ) {
        lane.linger.begin_claim();
        let limit = if probe.is_some() { 1 } else { max };
        let rows = self.open_due(&lane, limit, probe.as_ref(), early).await;
        if let Some(rows) = &rows {
            lane.linger.end_claim(rows.len() >= max as usize);
        }
        let mut place = Some(place);
        for rows in compose(rows.unwrap_or_default(), max as usize) {
            let mut load = Load::together(rows);
            load.turn = turn.take();
            let (dispatcher, lane, place, probe) = (self.clone(), lane.clone(), place.take(), probe.take());
            self.sends.spawn(async move { dispatcher.send_load(lane, load, place, probe).await });
        }
        if let Some(turn) = turn {
            turn.unused();
        }
    }

    /// One request for all of them; where it is refused for what may be one record's fault, halves that go alone.
    pub(in crate::dispatch) async fn attempt_batch(
        &self,
        config: &LaneConfig,
        destination: &Destination,
        batch: &Batch,
        rows: &[OpenDelivery],
        to: &To,
    ) -> Called {
        let started_at = self.means.clock.now();
        let key = key(rows);
        let mut call = Call::begin(started_at, to);
        let prepared = prepare(batch, rows);
        let result = match &prepared {
            Ok((_, request)) => {
                let sender = Sender { response_cap: RESPONSE_MAX, ..config.sender(destination, &key, to, started_at) };
                match sender.outbound(request) {
                    Ok(outbound) => Ok(call.make(&*self.means.deliver, outbound, &config.system.auth).await),
                    Err(error) => Err(error.to_string()),
                }
            }
            Err(message) => Err(message.clone()),
        };
        let refused = result.as_ref().map_or_else(|_| prepared.is_err(), refused_by_one);
        if refused && rows.len() > 1 {
            let (first, second) = rows.split_at(rows.len() / 2);
            return Called::again(vec![Load::together(first.to_vec()), Load::together(second.to_vec())]);
        }
        let ended_at = self.means.clock.now().max(started_at);
        // The same chance for all: what fails together is due again together, and goes together.
        let chance = self.means.random.unit();
        let cases: Vec<Case<'_>> =
            rows.iter().map(|open| config.case(destination, open, to, ended_at, chance)).collect();
        let records = prepared.map(|(records, _)| records).unwrap_or_default();
        let (judged, kind) = match &result {
            Ok(result) => {
                let judged = judge_batch(&batch.shape, &cases, &records, result);
                let kind = kind_of_call(result, &judged);
                (judged, kind)
            }
            Err(message) => {
                let judged: Vec<Judged> = cases.iter().map(|case| judge_unsendable(case, message.clone())).collect();
                let kind = judged.first().and_then(|judged| judged.kind);
                (judged, kind)
            }
        };
        let effect = judged.first().map_or(GateEffect::None, |judged| judged.gate.clone());
        let completions: Vec<_> =
            rows.iter().zip(judged).map(|(open, judged)| call.end(&self.means, open, ended_at, judged)).collect();
        let ends = match completions.first() {
            Some(first) => Ends::Together(EndedBatch { id: first.attempt.id, key, completions }),
            None => Ends::Again(Vec::new()), // Nothing was to be sent.
        };
        Called { ends, effect, kind, heard: Some(call.heard()) }
    }
}

type Prepared = (Vec<Record>, signalbox_store::event::Request);

fn prepare(batch: &Batch, rows: &[OpenDelivery]) -> Result<Prepared, String> {
    let records = rows.iter().map(Record::read).collect::<Result<Vec<_>, _>>()?;
    let first = rows.first().ok_or("there is nothing to send")?;
    let request = request(&batch.shape, &first.request, &records)?;
    Ok((records, request))
}

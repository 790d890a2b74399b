//! What a person may do: pause and resume, replay, discard and undo.

use std::sync::Arc;

use signalbox_model::replay::ReplayState;
use signalbox_model::{DeliveryId, DiscardId, HeldReason, ReplayId};
use signalbox_store::StoreError;
use signalbox_store::delivery::UndoneDiscard;
use signalbox_store::lane::{GateScope, GateStep, SavedGate};
use signalbox_store::read::Selection;
use signalbox_store::replay::ReplayRow;

use super::Runtime;
use crate::gates::Hold;
use crate::signals::Tag;
use crate::view::{ControlError, PauseScope, ReplayPlan, ReplayRequest};

impl Runtime {
    pub async fn pause(self: &Arc<Self>, scope: PauseScope) -> Result<(), ControlError> {
        self.set_pause(scope, true).await
    }

    pub async fn resume(self: &Arc<Self>, scope: PauseScope) -> Result<(), ControlError> {
        self.set_pause(scope, false).await
    }

    /// Goes on to its end even when the caller hangs up: what is saved must also be applied.
    async fn set_pause(self: &Arc<Self>, scope: PauseScope, paused: bool) -> Result<(), ControlError> {
        let runtime = self.clone();
        let set = tokio::spawn(async move { runtime.set_pause_now(scope, paused).await });
        set.await.map_err(|_| ControlError::WrongState("changing the pause stopped unexpectedly".into()))?
    }

    async fn set_pause_now(&self, scope: PauseScope, paused: bool) -> Result<(), ControlError> {
        let workspace = self.workspace();
        let now = self.means.clock.now();
        let integration = |name: &String| workspace.integrations.get(name);
        let (gate_scope, name, known, what) = match &scope {
            PauseScope::System(name) => {
                (GateScope::System, name.clone(), workspace.systems.contains_key(name), "system")
            }
            PauseScope::Integration(name) => {
                (GateScope::Integration, name.clone(), integration(name).is_some(), "integration")
            }
            PauseScope::Destination { integration: of, destination } => {
                let known = integration(of).is_some_and(|of| of.destinations.iter().any(|to| to.name == *destination));
                (GateScope::Lane, format!("{of}/{destination}"), known, "destination")
            }
        };
        if !known {
            return Err(ControlError::Missing { what, name });
        }
        let saved = SavedGate {
            scope: gate_scope,
            name: name.clone(),
            reason: HeldReason::Pause,
            since: now,
            until: None,
            explain: String::new(),
        };
        let step = if paused { GateStep::Closes } else { GateStep::Opens };
        self.means.store.save_gate(saved, step).await?;
        {
            let mut pauses = self.pauses.lock();
            let set = match gate_scope {
                GateScope::System => &mut pauses.systems,
                GateScope::Integration => &mut pauses.integrations,
                GateScope::Lane => &mut pauses.destinations,
            };
            if paused {
                set.entry(name.clone()).or_insert(now);
            } else {
                set.remove(&name);
            }
        }
        self.apply_pauses();
        self.signals.touch(Tag::Systems);
        self.signals.touch(Tag::Integrations);
        self.signals.touch(Tag::Deliveries);
        tracing::info!(what, name, paused, "a person changed a pause");
        Ok(())
    }

    /// Opens or closes a system's breaker by hand, or lets it go by itself again. Saved, and said in the log.
    pub async fn hold_breaker(
        self: &Arc<Self>,
        system: &str,
        hold: Hold,
        reason: Option<String>,
    ) -> Result<(), ControlError> {
        let missing = || ControlError::Missing { what: "system", name: system.to_owned() };
        if !self.workspace().systems.contains_key(system) {
            return Err(missing());
        }
        let gates = self.systems.get(system).ok_or_else(missing)?;
        // Goes on to its end even when the caller hangs up: what is applied must also be saved.
        let runtime = self.clone();
        let name = system.to_owned();
        let held = tokio::spawn(async move {
            if !gates.hold(hold, runtime.means.clock.now(), reason.as_deref()) {
                let message = format!("the breaker of '{name}' is switched off in systems/{name}.toml");
                return Err(ControlError::WrongState(message));
            }
            gates.save_breaker(|gate, step| runtime.means.store.save_gate(gate, step)).await?;
            let reason = reason.as_deref().unwrap_or("none given");
            tracing::info!(system = name, ?hold, reason, "a person operated a breaker");
            if hold != Hold::Open {
                runtime.dispatcher.catch_up(&name);
            }
            for tag in [Tag::Systems, Tag::Integrations, Tag::Deliveries] {
                runtime.signals.touch(tag);
            }
            Ok(())
        });
        held.await.map_err(|_| ControlError::WrongState("operating the breaker stopped unexpectedly".into()))?
    }

    pub fn is_paused(&self, scope: &PauseScope) -> bool {
        let pauses = self.pauses.lock();
        match scope {
            PauseScope::System(name) => pauses.systems.contains_key(name),
            PauseScope::Integration(name) => pauses.integrations.contains_key(name),
            PauseScope::Destination { integration, destination } => {
                pauses.destinations.contains_key(&format!("{integration}/{destination}"))
            }
        }
    }

    pub async fn plan_replay(&self, request: ReplayRequest) -> Result<ReplayPlan, ControlError> {
        self.replays.plan(request).await
    }

    pub async fn start_replay(&self, request: ReplayRequest) -> Result<ReplayRow, ControlError> {
        self.replays.start(request).await
    }

    pub async fn pause_replay(&self, id: ReplayId) -> Result<ReplayRow, ControlError> {
        self.replays.move_to(id, ReplayState::Paused).await
    }

    pub async fn resume_replay(&self, id: ReplayId) -> Result<ReplayRow, ControlError> {
        self.replays.move_to(id, ReplayState::Running).await
    }

    pub async fn cancel_replay(&self, id: ReplayId) -> Result<ReplayRow, ControlError> {
        self.replays.move_to(id, ReplayState::Cancelled).await
    }

    pub async fn undo_replay(&self, id: ReplayId) -> Result<ReplayRow, ControlError> {
        self.replays.undo(id).await
    }

    /// The RFC 6902 patch that makes `edit` of the delivery's present body.
    pub async fn patch_of_edit(&self, delivery: DeliveryId, edit: &[u8]) -> Result<serde_json::Value, ControlError> {
        self.replays.patch_of_edit(delivery, edit).await
    }

    pub async fn replay(&self, id: ReplayId) -> Result<Option<ReplayRow>, StoreError> {
        self.replays.replay(id).await
    }

    /// Running and paused ones, newest first.
    pub async fn running_replays(&self) -> Result<Vec<ReplayRow>, StoreError> {
        self.means.store.replays(true, 20).await
    }

    pub async fn discard(
        &self,
        selection: Selection,
        reason: Option<String>,
    ) -> Result<(DiscardId, u64), ControlError> {
        let now = self.means.clock.now();
        let id = DiscardId::from_bits(self.means.ids.next(now));
        let count = self.means.store.discard(id, selection, reason, now).await?;
        Ok((id, count))
    }

    pub async fn undo_discard(&self, id: DiscardId) -> Result<UndoneDiscard, ControlError> {
        let undone = self.means.store.undo_discard(id, self.means.clock.now()).await?;
        let undone = undone.ok_or_else(|| ControlError::Missing { what: "discard", name: id.to_string() })?;
        // Some may have been discarded before their steps had run.
        self.intake.resume_unplanned(&self.active.load()).await?;
        Ok(undone)
    }

    pub(super) fn apply_pauses(&self) {
        let pauses = self.pauses.lock();
        for system in self.systems.all() {
            system.set_paused(pauses.systems.get(&system.name).copied());
        }
        for lane in self.dispatcher.lanes() {
            pauses.close(&lane, &mut lane.gate.lock());
            lane.nudge();
        }
    }
}

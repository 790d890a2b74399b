//! One event of a request before it has an id: what its source's expressions say of it, and what becomes of it. Pure,
//! and asked alike by what is accepted and by what is only tried out.

use bytes::Bytes;
use signalbox_store::event::Fate;
use signalbox_transform::{Limits, Value};
use signalbox_workspace::Integration;

use super::Input;
use super::facts::{Facts, Patience, facts};
use super::fates::plan_fates;
use crate::hops;
use crate::reading::{Element, Raw};
use crate::steps::StepInput;

pub(super) struct Outline {
    pub body: Bytes,
    pub content_type: Option<String>,
    pub value: Result<Value, String>,
    pub facts: Facts,
    pub hops: u8,
    /// One per destination; `None`: over the inline budget.
    pub fates: Option<Vec<Fate>>,
}

impl Outline {
    /// `index`: of its part, where the request was split.
    pub fn of(
        integration: &Integration,
        input: &Input,
        element: Element,
        index: Option<usize>,
        patience: &Patience,
    ) -> Self {
        let Element { body, content_type, value, notes, named } = element;
        let raw = Raw { headers: &input.headers, query: input.query.as_deref(), body: &body };
        let scheme_id = input.scheme_id.as_ref().map(|id| match index {
            Some(index) => crate::reading::part_id(id, index),
            None => id.clone(),
        });
        let facts = facts(integration, &raw, value.as_ref().ok(), notes, named, scheme_id, patience);
        let hops = hops::of(&input.headers);
        let step_input =
            StepInput { method: &input.method, content_type: content_type.as_deref(), hops, raw: &body, body: value };
        let fates = plan_fates(integration, &step_input, facts.key_failure.as_deref(), &Limits::INLINE);
        let value = step_input.body;
        Self { body, content_type, value, facts, hops, fates }
    }
}

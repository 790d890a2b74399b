//! What would become of an input: read, split and sent through the steps as any, and then neither stored nor sent.

use signalbox_store::event::Fate;
use signalbox_transform::Limits;
use signalbox_workspace::{Integration, Source};
use tokio::time::Instant;

use super::Input;
use super::facts::{Facts, Patience};
use super::fates::plan_fates;
use super::outline::Outline;
use crate::reading::{self, Raw, Reading, Unfit};
use crate::steps::StepInput;

/// One event that an input would make.
pub(crate) struct Trial {
    pub content_type: Option<String>,
    pub facts: Facts,
    /// One per destination, in their order.
    pub fates: Vec<Fate>,
}

pub(crate) struct Trials {
    /// How many events the input would make.
    pub count: usize,
    /// The first of them.
    pub events: Vec<Trial>,
}

impl Trials {
    /// At most `most` events, and none begun after `deadline`. Steps over the inline budget get the larger one here,
    /// which they would be given behind the commit.
    pub fn of(integration: &Integration, input: &Input, most: usize, deadline: Instant) -> Result<Self, Unfit> {
        let Source::Webhook(source) = &integration.source;
        let raw = Raw { headers: &input.headers, query: input.query.as_deref(), body: &input.body };
        let (elements, split) = match reading::read(source, &raw)? {
            Reading::One(element) => (vec![element], false),
            Reading::Split(elements) => (elements, true),
        };
        let count = elements.len();
        let patience = Patience::begin();
        let begun = (1..).zip(elements).take(most).take_while(|_| Instant::now() < deadline);
        let events = begun.map(|(index, element)| {
            let outline = Outline::of(integration, input, element, split.then_some(index), &patience);
            Trial::end(integration, input, outline)
        });
        Ok(Self { count, events: events.collect() })
    }
}

impl Trial {
    fn end(integration: &Integration, input: &Input, outline: Outline) -> Self {
        let Outline { body, content_type, value, facts, hops, fates } = outline;
        let fates = fates.unwrap_or_else(|| {
            let kind = content_type.as_deref();
            let again = StepInput { method: &input.method, content_type: kind, hops, raw: &body, body: value };
            plan_fates(integration, &again, None, &Limits::BEHIND).unwrap_or_default()
        });
        Self { content_type, facts, fates }
    }
}

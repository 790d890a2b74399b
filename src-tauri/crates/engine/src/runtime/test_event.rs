//! An event that a person makes: shown what would become of it, or sent on its way as if its source had received it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use signalbox_model::DeliveryId;
use signalbox_store::StoreError;
use signalbox_store::event::Fate;
use signalbox_workspace::Source;
use tokio::time::Instant;

use super::Runtime;
use crate::accept::{AcceptError, ActiveIntegration, Input, Receipt, Trial, Trials};
use crate::background::in_background;
use crate::dispatch::lane::LaneRuntime;
use crate::hops;
use crate::reading::Unfit;
use crate::sources::webhook::{TEST_HEADER, answers_by_itself};
use crate::view::{ControlError, DryRun, TestEvent, TriedDelivery, TriedEvent, TriedOutcome};

/// Events of one dry run that are shown.
const SHOWN: usize = 20;
const LONGEST: Duration = Duration::from_secs(10);
/// Headers of one test event.
const HEADERS_MAX: usize = 100;
/// Their names and values together, bytes: as at the ingress.
const HEADER_BYTES_MAX: usize = 16 << 10;

impl Runtime {
    /// What would become of the event. Nothing is stored or sent; one at a time, with the previews.
    pub async fn dry_run(&self, name: &str, event: TestEvent) -> Result<DryRun, ControlError> {
        let active = self.testable(name)?;
        let input = self.test_input(&active, event)?;
        let _one_at_a_time = self.previewing.lock().await;
        let deadline = Instant::now() + LONGEST;
        let integration = active.integration.clone();
        // Steps may take their whole budget.
        let tried = in_background(move || Trials::of(&integration, &input, SHOWN, deadline)).await;
        let tried = tried.ok_or_else(|| ControlError::WrongState("A step stopped unexpectedly.".into()))?;
        let tried = tried.map_err(|unfit| refused(&unfit))?;
        let events = tried.events.into_iter().map(|trial| self.tried(&active, trial)).collect();
        Ok(DryRun { count: tried.count, events })
    }

    /// Accepts the event on the way of any other, with the same commit, but for its signature: the caller is known.
    pub async fn send_test_event(&self, name: &str, event: TestEvent) -> Result<Receipt, ControlError> {
        let active = self.testable(name)?;
        let mut input = self.test_input(&active, event)?;
        let room = self.ingress.room_for(input.body.len());
        input.room = Some(room.ok_or(ControlError::Store(StoreError::Busy))?);
        self.ingress.accept.clone().accept(active, input).await.map_err(|error| match error {
            AcceptError::Unfit(unfit) => refused(&unfit),
            AcceptError::Store(error) => ControlError::Store(error),
        })
    }

    fn testable(&self, name: &str) -> Result<Arc<ActiveIntegration>, ControlError> {
        if let Some(active) = self.active.load().get(name) {
            return Ok(active.clone());
        }
        if self.workspace().broken.contains_key(name) {
            return Err(ControlError::Broken(name.to_owned()));
        }
        Err(ControlError::Missing { what: "integration", name: name.to_owned() })
    }

    /// The request that a sender would have made; checked as the ingress checks one.
    fn test_input(&self, active: &ActiveIntegration, event: TestEvent) -> Result<Input, ControlError> {
        let Source::Webhook(source) = &active.integration.source;
        let size = u64::try_from(event.body.len()).unwrap_or(u64::MAX);
        if size > source.max_body {
            let most = source.max_body;
            let message = format!("The event's body has {size} bytes, and this source takes {most} (its max_body).");
            return Err(ControlError::TooLarge(message));
        }
        let headers = headers(&event)?;
        if hops::of(&headers) > hops::MOST {
            let message = format!("A source refuses a request that has gone through {} integrations.", hops::MOST);
            return Err(ControlError::Invalid(message));
        }
        let body = Bytes::from(event.body);
        if answers_by_itself(source, &body) {
            let message = "The source answers Slack's url_verification by itself, and makes no event of it.";
            return Err(ControlError::Invalid(message.to_owned()));
        }
        Ok(Input {
            received_at: self.means.clock.now(),
            method: "POST".to_owned(),
            path: source.path.clone(),
            query: None,
            scheme_id: signalbox_net::verify::scheme_id(&source.verify.scheme, &headers),
            headers,
            body,
            room: None,
        })
    }

    fn tried(&self, active: &ActiveIntegration, trial: Trial) -> TriedEvent {
        let Trial { content_type, facts, fates } = trial;
        let destinations = active.lanes.iter().zip(fates).map(|(lane, fate)| self.tried_delivery(lane, fate)).collect();
        TriedEvent {
            event_type: facts.event_type,
            key: facts.key,
            source_id: facts.source_id,
            content_type,
            notes: facts.notes,
            destinations,
        }
    }

    fn tried_delivery(&self, lane: &LaneRuntime, fate: Fate) -> TriedDelivery {
        let now = self.means.clock.now();
        let outcome = match fate {
            Fate::Send(request) => {
                // The idempotency key is the delivery's id, and there is no delivery: this one is of its form.
                let id = DeliveryId::from_bits(self.means.ids.next(now));
                let (url, headers) = crate::masked::as_sent(lane, &request, id, 1, now);
                let gate = crate::gates::view::lane(lane, now);
                let waits = Some(gate.explain).filter(|sentence| !sentence.is_empty());
                TriedOutcome::Send { method: request.method, url, headers, body: request.body, waits }
            }
            Fate::Filtered { step } => TriedOutcome::Filtered { step },
            Fate::Dead(failure) => TriedOutcome::Dead { stage: failure.stage, message: failure.message },
        };
        TriedDelivery { destination: lane.destination.clone(), system: lane.system_name().unwrap_or_default(), outcome }
    }
}

fn refused(unfit: &Unfit) -> ControlError {
    let (status, code) = (unfit.status().as_u16(), unfit.code());
    ControlError::Invalid(format!("The source would refuse this with {status} {code}: {unfit}."))
}

/// Those that were given, the content type, and the mark that the event is kept with.
fn headers(event: &TestEvent) -> Result<HeaderMap, ControlError> {
    let invalid = |message: String| Err(ControlError::Invalid(message));
    let bytes: usize = event.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if event.headers.len() > HEADERS_MAX || bytes > HEADER_BYTES_MAX {
        return invalid(format!(
            "A test event takes at most {HEADERS_MAX} headers of {HEADER_BYTES_MAX} bytes together; these are {} of {bytes}.",
            event.headers.len()
        ));
    }
    let mut headers = HeaderMap::with_capacity(event.headers.len() + 2);
    for (name, value) in &event.headers {
        let shown: String = name.chars().take(80).collect();
        let (Ok(known), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) else {
            return invalid(format!("The header '{shown}' has a character that a header cannot carry."));
        };
        if known == header::CONTENT_TYPE || known == TEST_HEADER {
            return invalid(format!("The header '{shown}' is set by the test itself; content_type says the type."));
        }
        if known == header::CONTENT_ENCODING && value != "identity" {
            return invalid("A source takes no compressed bodies; leave content-encoding away.".to_owned());
        }
        if headers.insert(known, value).is_some() {
            return invalid(format!("The header '{shown}' is given twice."));
        }
    }
    let Ok(content_type) = HeaderValue::from_str(&event.content_type) else {
        return invalid("content_type has a character that a header cannot carry.".to_owned());
    };
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(TEST_HEADER, HeaderValue::from_static("1"));
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(given: &[(&str, &str)]) -> Result<HeaderMap, ControlError> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        headers(&TestEvent { body: String::new(), content_type: "text/plain".to_owned(), headers: given })
    }

    #[test]
    fn a_test_event_carries_its_own_headers_its_type_and_its_mark() {
        let made = with(&[("X-Kind", "a")]).expect("they fit");
        assert_eq!(
            (made.len(), &made["x-kind"], &made["content-type"]),
            (3, &"a".parse().expect("a value"), &"text/plain".parse().expect("a value"))
        );
        assert_eq!(made[TEST_HEADER], "1");
    }

    #[test]
    fn headers_that_no_sender_could_send_are_refused() {
        let long = "x".repeat(HEADER_BYTES_MAX);
        let wrong =
            [("a b", "1"), ("a", "1\r\nb: 2"), ("Content-Type", "a/b"), ("X-Signalbox-Test", "0"), ("a", &long)];
        for (name, value) in wrong {
            assert!(matches!(with(&[(name, value)]), Err(ControlError::Invalid(_))), "{name}");
        }
        assert!(with(&[("content-encoding", "gzip")]).is_err());
        assert!(with(&[("X-Kind", "a"), ("x-kind", "b")]).is_err(), "one name twice");
        let many: Vec<String> = (0..=HEADERS_MAX).map(|number| format!("h{number}")).collect();
        assert!(with(&many.iter().map(|name| (name.as_str(), "")).collect::<Vec<_>>()).is_err());
    }
}

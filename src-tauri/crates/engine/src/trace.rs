//! A delivery's trace: what each step saw and made, recomputed when someone looks, since steps are pure and every
//! version of an integration is kept.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use signalbox_store::read::{DeliveryRow, EventRow};
use signalbox_transform::cloudevents::{self, CloudEventMode};
use signalbox_transform::{BodyFormat, Format, Limits, Value};
use signalbox_workspace::{Integration, Source, WebhookSource};

use crate::hops;
use crate::reading::Raw;
use crate::sources::webhook::TEST_HEADER;
use crate::steps::{RequestOutcome, StepInput, Stepped, StepsOutcome, make_request, run_step};
use crate::view::TraceStep;

/// The most of an input or output that is shown.
const SHOWN: usize = 64 << 10;

fn shown(value: &Value) -> Option<String> {
    let bytes = value.to_json_bytes(SHOWN).ok()?;
    String::from_utf8(bytes).ok()
}

fn step(name: &str, outcome: &'static str, detail: String) -> TraceStep {
    TraceStep { step: name.to_owned(), at: None, took: None, outcome, detail, input: None, output: None }
}

pub fn compute(integration: &Arc<Integration>, row: &DeliveryRow, event: &EventRow, raw: &Bytes) -> Vec<TraceStep> {
    let mut trace = vec![received(event)];
    let Source::Webhook(source) = &integration.source;
    let unverified = source.verify.scheme == signalbox_model::verify::Scheme::None;
    let test = event.headers.iter().any(|(name, _)| name == TEST_HEADER);
    trace.push(if test {
        step("verified", "skipped", "a test event, made by a person with the API's token".into())
    } else if unverified {
        step("verified", "skipped", "this source verifies nothing".into())
    } else {
        step("verified", "ok", "signature or credential accepted".into())
    });
    let body = crate::reading::stored(&integration.source, event, raw);
    let hops = hops::of_stored(&event.headers);
    let input =
        StepInput { method: &event.method, content_type: event.content_type.as_deref(), hops, raw, body: body.clone() };
    let value = match body {
        Ok(value) => value,
        Err(error) => {
            trace.push(step("read", "failed", format!("the body cannot be read: {error}")));
            return trace;
        }
    };
    if let Some(part) = event.part {
        let detail = format!("event {} of the {} in one request", part.index, part.of);
        trace.push(TraceStep { output: shown(&value), ..step("split", "ok", detail) });
    } else if let Some(kind) = read_as(source, event) {
        trace.push(TraceStep { output: shown(&value), ..step("read", "ok", format!("as {kind}")) });
    }
    if let Some(failure) = key_failure(source, event, raw, &value) {
        trace.push(step("key", "failed", failure));
        return trace;
    }
    let mut stepped = Stepped { value, mapped: false };
    for (index, one) in integration.steps.iter().enumerate() {
        let started = tokio::time::Instant::now();
        let outcome = run_step(one, index, &stepped, &Limits::BEHIND);
        let mut line = step(one.kind(), "ok", String::new());
        line.took = Some(started.elapsed());
        line.input = shown(&stepped.value);
        match outcome {
            StepsOutcome::Done(next) => {
                line.output = shown(&next.value);
                stepped = next;
                trace.push(line);
            }
            StepsOutcome::Filtered { step } => {
                trace.push(TraceStep { outcome: "filtered", detail: step, ..line });
                return trace;
            }
            StepsOutcome::Failed(failed) => {
                trace.push(TraceStep { outcome: "failed", detail: failed.message, ..line });
                return trace;
            }
            StepsOutcome::OverBudget => {
                trace.push(TraceStep { outcome: "failed", detail: "ran over its budget".into(), ..line });
                return trace;
            }
        }
    }
    if let Some(destination) = integration.destinations.iter().find(|to| to.name == row.destination) {
        let started = tokio::time::Instant::now();
        let made = make_request(destination, &stepped, &input, &Limits::BEHIND);
        let mut line = step("request", "ok", String::new());
        line.took = Some(started.elapsed());
        line.input = shown(&stepped.value);
        match made {
            RequestOutcome::Made(request) => {
                line.detail = format!("{} {}", request.method, request.path);
                let text = std::str::from_utf8(&request.body).ok().filter(|text| text.len() <= SHOWN);
                line.output = text.map(str::to_owned);
            }
            RequestOutcome::Failed(failed) => {
                line.outcome = "failed";
                line.detail = failed.message;
            }
            RequestOutcome::OverBudget => {
                line.outcome = "failed";
                line.detail = "ran over its budget".into();
            }
        }
        trace.push(line);
    }
    trace
}

/// What the body was turned into JSON from, where that is not plain.
fn read_as(source: &WebhookSource, event: &EventRow) -> Option<&'static str> {
    let content_type = event.content_type.as_deref();
    match source.format {
        Format::CloudEvents => Some(match cloudevents::mode(content_type) {
            Ok(CloudEventMode::Binary) => "a CloudEvent in binary mode",
            _ => "a CloudEvent in structured mode",
        }),
        Format::Auto => match BodyFormat::of_type(content_type) {
            Some(BodyFormat::Xml) => Some("XML"),
            Some(BodyFormat::Csv) => Some("CSV"),
            Some(BodyFormat::Form) => Some("a form"),
            _ => None,
        },
        Format::Xml => Some("XML"),
        Format::Csv => Some("CSV"),
        Format::Form => Some("a form"),
        Format::Text => Some("text"),
        Format::Json => None,
    }
}

fn key_failure(source: &WebhookSource, event: &EventRow, raw: &Bytes, value: &Value) -> Option<String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &event.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str())) {
            headers.append(name, value);
        }
    }
    let raw = Raw { headers: &headers, query: event.query.as_deref(), body: raw };
    crate::accept::facts::key_failure(source, &raw, value)
}

fn received(event: &EventRow) -> TraceStep {
    let mut detail = format!("{} {}, {} bytes", event.method, event.path, event.size);
    for note in &event.notes {
        detail.push_str(", ");
        detail.push_str(note);
    }
    if let Some(first) = event.conflict_of {
        detail.push_str(&format!(", other bytes under the id of {first}"));
    }
    TraceStep { at: Some(event.received_at), took: None::<Duration>, ..step("received", "ok", detail) }
}

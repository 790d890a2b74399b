//! Runs an integration's steps and makes the request of each destination: pure and bounded.

use bytes::Bytes;
use http::HeaderMap;
use signalbox_model::{FailureKind, Stage};
use signalbox_store::event::Request;
use signalbox_transform::{Limits, RunError, Value};
use signalbox_workspace::{Condition, Destination, Step};

use crate::hops;

/// What one input looks like to the steps.
pub struct StepInput<'a> {
    pub method: &'a str,
    pub content_type: Option<&'a str>,
    /// See [`crate::hops`].
    pub hops: u8,
    pub raw: &'a Bytes,
    /// The body as read by the strict reader, or why it could not be read.
    pub body: Result<Value, String>,
}

/// The value after the steps, and whether a map has made it differ from the raw bytes.
#[derive(Clone)]
pub struct Stepped {
    pub value: Value,
    pub mapped: bool,
}

pub enum StepsOutcome {
    Done(Stepped),
    Filtered {
        step: String,
    },
    Failed(StepFailure),
    /// Ran over its budget: run again behind the commit with a larger one.
    OverBudget,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFailure {
    pub stage: Stage,
    pub message: String,
}

impl StepFailure {
    /// Steps fail in one way for the chart: the mapping is wrong.
    pub const KIND: FailureKind = FailureKind::Mapping;
}

/// The most the value may grow to, in bytes of JSON.
pub const REQUEST_BODY_MAX: usize = 8 << 20;

pub fn run_steps(steps: &[Step], body: &Value, limits: &Limits) -> StepsOutcome {
    let mut stepped = Stepped { value: body.clone(), mapped: false };
    for (index, step) in steps.iter().enumerate() {
        match run_step(step, index, &stepped, limits) {
            StepsOutcome::Done(next) => stepped = next,
            other => return other,
        }
    }
    StepsOutcome::Done(stepped)
}

/// One step, also used alone to recompute a trace.
pub fn run_step(step: &Step, index: usize, before: &Stepped, limits: &Limits) -> StepsOutcome {
    let fail = |stage, message| StepsOutcome::Failed(StepFailure { stage, message });
    match step {
        Step::Validate { schema, .. } => match schema.check(&before.value) {
            Ok(()) => StepsOutcome::Done(before.clone()),
            Err(violations) => {
                let first = violations.first().map(|violation| {
                    let at = if violation.path.is_empty() { "the body" } else { &violation.path };
                    format!("{at}: {}", violation.message)
                });
                let more = violations.len().saturating_sub(1);
                let tail = if more > 0 { format!(" (and {more} more)") } else { String::new() };
                fail(Stage::Validate, format!("{}{tail}", first.unwrap_or_else(|| "the schema says no".into())))
            }
        },
        Step::Filter { jq } => match jq.is_truthy(&before.value, limits) {
            Ok(true) => StepsOutcome::Done(before.clone()),
            Ok(false) => StepsOutcome::Filtered { step: format!("step {}, filter", index + 1) },
            Err(error) if error.is_over_budget() => over(limits, Stage::Filter, &error),
            Err(error) => fail(Stage::Filter, error.to_string()),
        },
        Step::Map { jq } => match jq.run_one(&before.value, limits) {
            Ok(value) => StepsOutcome::Done(Stepped { value, mapped: true }),
            Err(error) if error.is_over_budget() => over(limits, Stage::Map, &error),
            Err(error) => fail(Stage::Map, error.to_string()),
        },
    }
}

/// Over the inline budget means "try behind the commit"; over the larger one is the step's failure.
fn over(limits: &Limits, stage: Stage, error: &RunError) -> StepsOutcome {
    if limits.time <= Limits::INLINE.time {
        StepsOutcome::OverBudget
    } else {
        StepsOutcome::Failed(StepFailure { stage, message: error.to_string() })
    }
}

/// Most expressions end within the inline budget; the others get the larger one, off the way of other tasks.
pub fn with_larger_budget<T>(run: impl Fn(&Limits) -> Result<T, RunError>) -> Result<T, RunError> {
    match run(&Limits::INLINE) {
        Err(error) if error.is_over_budget() => off_the_way(|| run(&Limits::BEHIND)),
        answer => answer,
    }
}

/// Runs what takes long; other tasks of this thread go on elsewhere, where the runtime has other threads.
pub fn off_the_way<T>(run: impl FnOnce() -> T) -> T {
    match tokio::runtime::Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(tokio::runtime::RuntimeFlavor::MultiThread) => tokio::task::block_in_place(run),
        _ => run(),
    }
}

pub enum RequestOutcome {
    Made(Request),
    Failed(StepFailure),
    OverBudget,
}

/// Raw bytes go out exactly as they came where neither a map nor a `body` changes them.
pub fn make_request(
    destination: &Destination,
    stepped: &Stepped,
    input: &StepInput<'_>,
    limits: &Limits,
) -> RequestOutcome {
    match build(destination, Some(stepped), input, limits) {
        Ok(request) => RequestOutcome::Made(request),
        Err(error) if error.is_over_budget() && limits.time <= Limits::INLINE.time => RequestOutcome::OverBudget,
        Err(error) => RequestOutcome::Failed(StepFailure { stage: Stage::Request, message: error.to_string() }),
    }
}

/// For a body that is not readable but needs no reading: nothing looks inside it.
pub fn make_raw_request(destination: &Destination, input: &StepInput<'_>) -> Option<Request> {
    let literal = destination.path.literal().is_some()
        && destination.headers.iter().all(|(_, template)| template.literal().is_some())
        && destination.body.is_none()
        && !matches!(destination.condition, Some(Condition::IfMatch(_)));
    if literal { build(destination, None, input, &Limits::INLINE).ok() } else { None }
}

fn build(
    destination: &Destination,
    stepped: Option<&Stepped>,
    input: &StepInput<'_>,
    limits: &Limits,
) -> Result<Request, RunError> {
    let null = Value::null();
    let value = stepped.map_or(&null, |stepped| &stepped.value);
    let path = destination.path.render(value, limits)?;
    let (body, content_type) = match (&destination.body, stepped) {
        (Some(program), _) => {
            let made = program.run_one(value, limits)?;
            (Bytes::from(made.to_json_bytes(REQUEST_BODY_MAX)?), Some("application/json"))
        }
        (None, Some(stepped)) if stepped.mapped => {
            (Bytes::from(stepped.value.to_json_bytes(REQUEST_BODY_MAX)?), Some("application/json"))
        }
        _ => (input.raw.clone(), input.content_type),
    };
    let mut headers = Vec::with_capacity(destination.headers.len() + 1);
    let sets_content_type = destination.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let (Some(content_type), false) = (content_type, sets_content_type) {
        headers.push(("content-type".to_owned(), content_type.to_owned()));
    }
    for (name, template) in &destination.headers {
        headers.push((name.to_ascii_lowercase(), template.render(value, limits)?));
    }
    if input.hops > 0 {
        headers.push((hops::HEADER.to_owned(), hops::next(input.hops).to_string()));
    }
    if let Some(Condition::IfMatch(program)) = &destination.condition {
        let made = program.run_optional(value, limits)?.unwrap_or_else(Value::null);
        headers.push(("if-match".to_owned(), entity_tags(&made)?));
    }
    Ok(Request { method: destination.method.clone(), path, headers, body })
}

/// What `If-Match` takes (RFC 9110 §13.1.1): never nothing, since a write without a version could undo another one.
fn entity_tags(made: &Value) -> Result<String, RunError> {
    let wrong = |what: String| RunError::Failed { message: format!("condition.if_match made {what}") };
    let Some(text) = made.as_str() else {
        return Err(wrong(format!("{}, and not the text of an entity tag", made.kind())));
    };
    let is_tag = |tag: &str| {
        let opaque = tag.strip_prefix("W/").unwrap_or(tag);
        opaque.len() >= 2 && opaque.starts_with('"') && opaque.ends_with('"')
    };
    if is_tag(text) || text == "*" {
        return Ok(text.to_owned());
    }
    Err(wrong(r#"a text that is no entity tag: it stands in double quotes, as in "\"\(.version)\"""#.to_owned()))
}

/// `{ headers, query, body }`: what a source's `type`, `key` and `dedupe.id` look at. Header names lower case; a
/// repeated header or parameter shows its first value.
pub fn envelope(headers: &HeaderMap, query: Option<&str>, body: &Value) -> Value {
    let mut pairs: Vec<(&str, Value)> = Vec::with_capacity(headers.len());
    for name in headers.keys() {
        if let Some(text) = headers.get(name).and_then(|value| value.to_str().ok()) {
            pairs.push((name.as_str(), Value::string(text)));
        }
    }
    let parsed: Vec<(String, String)> =
        query.map(|query| url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()).unwrap_or_default();
    let mut seen = std::collections::BTreeMap::new();
    for (name, value) in &parsed {
        seen.entry(name.as_str()).or_insert_with(|| Value::string(value));
    }
    Value::object([("headers", Value::object(pairs)), ("query", Value::object(seen)), ("body", body.clone())])
}

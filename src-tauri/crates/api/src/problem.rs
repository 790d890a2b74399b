//! What an answer that is not the wished one says: RFC 9457 problem documents with a stable code.
//!
//! Each code has a page in `docs/errors/`, which the program serves under `/errors/<code>`: the document's `type`.

use std::any::Any;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, Uri, header};
use signalbox_engine::view::ControlError;
use signalbox_model::filter::FilterError;
use signalbox_store::StoreError;

use crate::dto::problem::ProblemDocument;
use crate::host::HostError;

macro_rules! codes {
    ($($name:ident $text:literal $status:ident $title:literal,)*) => {
        /// What is wrong, for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($name,)* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    BadRequest "bad-request" BAD_REQUEST "The request cannot be read",
    InvalidBody "invalid-body" BAD_REQUEST "The body is not what this route takes",
    UnknownKey "unknown-key" BAD_REQUEST "The body or query has a key that does not exist",
    InvalidParameter "invalid-parameter" BAD_REQUEST "A parameter has a wrong value",
    InvalidFilter "invalid-filter" BAD_REQUEST "The filter is wrong",
    InvalidCursor "invalid-cursor" BAD_REQUEST "The cursor is not one of this list",
    EmptySelection "empty-selection" BAD_REQUEST "Nothing is selected",
    Unauthorized "unauthorized" UNAUTHORIZED "No token, or a wrong one",
    ForeignOrigin "foreign-origin" FORBIDDEN "The request comes from another site",
    NotFound "not-found" NOT_FOUND "There is no such thing",
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED "The route does not take this method",
    WrongState "wrong-state" CONFLICT "Not possible in this state",
    PayloadTooLarge "payload-too-large" PAYLOAD_TOO_LARGE "The body is too large",
    UnsupportedMediaType "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE "The body is not JSON",
    WrongHost "wrong-host" MISDIRECTED_REQUEST "The request is for another host",
    TooManyWaiting "too-many-waiting" TOO_MANY_REQUESTS "Too many requests wait for news",
    Internal "internal" INTERNAL_SERVER_ERROR "Signalbox made a mistake",
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Not available at this moment",
    IntegrationBroken "integration-broken" SERVICE_UNAVAILABLE "The integration's file has errors",
    LedgerBusy "ledger-busy" SERVICE_UNAVAILABLE "The ledger has too much to write",
    LedgerSealed "ledger-sealed" SERVICE_UNAVAILABLE "The ledger is sealed after a disk error",
    DiskFull "disk-full" SERVICE_UNAVAILABLE "The disk is full",
    LedgerDamaged "ledger-damaged" INTERNAL_SERVER_ERROR "The ledger is damaged",
}

/// A problem document on its way out.
#[derive(Clone, Debug)]
pub struct Problem {
    pub code: Code,
    /// One or two sentences for a person: what happened to which thing, what to do next.
    pub detail: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
    /// Seconds.
    retry_after: Option<u32>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), suggestion: None, retry_after: None }
    }

    #[must_use]
    pub fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// `what` is "delivery", "system" and so on.
    pub fn missing(what: &str, name: impl std::fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("There is no {what} '{name}'."))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = ProblemDocument {
            r#type: format!("/errors/{}", self.code.as_str()),
            title: self.code.title().to_owned(),
            status: self.code.status().as_u16(),
            code: self.code.as_str().to_owned(),
            detail: self.detail,
            suggestion: self.suggestion,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"signalbox\""));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::Busy => Self::new(Code::LedgerBusy, detail).retry_after(1),
            StoreError::Sealed(_) => Self::new(Code::LedgerSealed, detail),
            StoreError::DiskFull => Self::new(Code::DiskFull, detail).retry_after(30),
            StoreError::InvalidCursor => Self::new(Code::InvalidCursor, detail),
            StoreError::TooMany(_) => Self::new(Code::InvalidParameter, detail),
            StoreError::Closed => Self::new(Code::Unavailable, detail).retry_after(1),
            StoreError::Corrupt(_) => {
                tracing::error!(%error, "the ledger is damaged");
                Self::new(Code::LedgerDamaged, format!("{detail}. Stop Signalbox and run: signalbox check --ledger."))
            }
            error => {
                tracing::error!(%error, "the ledger could not answer a request");
                Self::new(Code::Internal, format!("{detail}. The log has more; a restart opens the ledger anew."))
            }
        }
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Missing { what, name } => Self::missing(what, name),
            ControlError::Broken(_) => Self::new(Code::IntegrationBroken, format!("{error}.")),
            ControlError::TooLarge(detail) => Self::new(Code::PayloadTooLarge, detail),
            ControlError::WrongState(detail) => Self::new(Code::WrongState, detail),
            ControlError::Invalid(detail) => Self::new(Code::InvalidParameter, detail),
            ControlError::Store(error) => error.into(),
        }
    }
}

impl From<FilterError> for Problem {
    fn from(error: FilterError) -> Self {
        let place = error.at.saturating_add(1);
        Self::new(Code::InvalidFilter, format!("{} (at character {place} of the filter).", error.message))
            .suggest(error.suggestion)
    }
}

impl From<HostError> for Problem {
    fn from(error: HostError) -> Self {
        match error {
            HostError::WrongState(detail) => Self::new(Code::WrongState, detail),
            HostError::Failed(detail) => Self::new(Code::Unavailable, detail),
        }
    }
}

pub(crate) async fn no_such_route(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(120).collect();
    Problem::new(Code::NotFound, format!("There is no route {method} {path}. GET /api/v1/openapi.json lists them all."))
}

pub(crate) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(120).collect();
    Problem::new(
        Code::MethodNotAllowed,
        format!("{path} does not take {method}. GET /api/v1/openapi.json says what it takes."),
    )
}

/// A handler panicked: the request fails, the program goes on.
pub(crate) fn after_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = text, "a request ended in a panic");
    Problem::new(
        Code::Internal,
        "The request was not carried out, because of a mistake in Signalbox. The log has more.",
    )
    .into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_its_page_and_says_its_status_there() {
        let folder = "../../../docs/errors";
        for code in Code::ALL {
            let page = std::fs::read_to_string(format!("{folder}/{}.md", code.as_str()))
                .unwrap_or_else(|error| panic!("docs/errors/{}.md: {error}", code.as_str()));
            let status = code.status().as_str().to_owned();
            assert!(page.starts_with(&format!("# {}\n", code.as_str())), "{page}");
            assert!(page.contains(&status), "{} does not name {status}", code.as_str());
            assert!(page.contains("## What to do"), "{}", code.as_str());
        }
    }

    #[test]
    fn codes_are_distinct() {
        let distinct: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(distinct.len(), Code::ALL.len());
    }

    #[test]
    fn a_busy_ledger_asks_to_come_back() {
        let response = Problem::from(StoreError::Busy).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
    }
}

//! What a sender is answered: JSON and problem documents, or for Salesforce an acknowledgement in SOAP.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use signalbox_store::StoreError;

use crate::accept::{Receipt, Received};

/// What a sender is told to wait when its request cannot be taken now.
const RETRY_AFTER_SECONDS: &str = "2";

/// The language of a source's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    Json,
    /// Salesforce outbound messages: anything but `Ack` true is sent again.
    SoapAck,
}

impl Voice {
    pub fn receipt(self, receipt: &Receipt) -> Response {
        match (self, receipt.events.as_slice()) {
            (Self::SoapAck, _) => ack(StatusCode::OK, true),
            (Self::Json, [one]) if !receipt.split => Json(received(one)).into_response(),
            (Self::Json, all) => {
                Json(serde_json::json!({ "events": all.iter().map(in_split).collect::<Vec<_>>() })).into_response()
            }
        }
    }

    pub fn unavailable(self, error: &StoreError) -> Response {
        let code = match error {
            StoreError::Busy => "ledger-busy",
            StoreError::DiskFull => "disk-full",
            _ => "ledger-unavailable",
        };
        self.problem(StatusCode::SERVICE_UNAVAILABLE, code, &error.to_string())
    }

    pub fn problem(self, status: StatusCode, code: &str, detail: &str) -> Response {
        let mut response = match self {
            Self::Json => problem(status, code, detail),
            Self::SoapAck => ack(status, false),
        };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        response
    }
}

fn received(one: &Received) -> serde_json::Value {
    match (one.duplicate, one.conflict_of) {
        (true, _) => serde_json::json!({ "event": one.event, "duplicate": true }),
        (false, None) => serde_json::json!({ "event": one.event }),
        (false, Some(first)) => serde_json::json!({ "event": one.event, "conflict_of": first }),
    }
}

fn in_split(one: &Received) -> serde_json::Value {
    let mut answer = received(one);
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("duplicate".to_owned(), one.duplicate.into());
    }
    answer
}

/// RFC 9457.
fn problem(status: StatusCode, code: &str, detail: &str) -> Response {
    let body = serde_json::json!({
        "type": format!("/errors/{code}"),
        "title": signalbox_model::outcome::reason_phrase(status.as_u16()),
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    (status, content_type("application/problem+json"), body.to_string()).into_response()
}

/// SOAP API developer guide, "Outbound Messaging": the answer to `notifications`.
fn ack(status: StatusCode, taken: bool) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
         <notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\"><Ack>{taken}</Ack>\
         </notificationsResponse></soapenv:Body></soapenv:Envelope>"
    );
    (status, content_type("text/xml; charset=utf-8"), body).into_response()
}

fn content_type(text: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(text))])
}

//! HubSpot's error bodies.

use http::StatusCode;
use serde_json::{Value, json};

pub(crate) struct Trouble {
    pub status: StatusCode,
    message: String,
    category: &'static str,
}

impl Trouble {
    fn new(status: StatusCode, category: &'static str, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), category }
    }

    pub fn validation(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "OBJECT_NOT_FOUND", "resource not found")
    }

    pub fn credentials_missing() -> Self {
        let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication.";
        Self::new(StatusCode::UNAUTHORIZED, "INVALID_AUTHENTICATION", message)
    }

    pub fn credentials_expired() -> Self {
        let message = "The OAuth token used to make this call is unknown or has expired.";
        Self::new(StatusCode::UNAUTHORIZED, "EXPIRED_AUTHENTICATION", message)
    }

    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "internal error")
    }

    pub fn rate() -> Self {
        let message = "You have reached your ten_secondly_rolling limit.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITS", message)
    }

    pub fn body(&self, correlation_id: &str) -> Value {
        let mut body = json!({ "status": "error", "message": self.message, "correlationId": correlation_id });
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            body["errorType"] = "RATE_LIMIT".into();
            body["policyName"] = "TEN_SECONDLY_ROLLING".into();
            body["requestId"] = correlation_id.replace('-', "").into();
        } else {
            body["category"] = self.category.into();
        }
        body
    }
}

//! One answer of the router as one run of bytes, for the panel in the window.
//!
//! Tauri hands a command's answer to the page as an `ArrayBuffer`; status, headers and body must share it:
//!
//! ```text
//! offset 0      u32 big endian   H, the length of the head in bytes
//! offset 4      H bytes, UTF-8   {"status":200,"headers":[["content-type","application/json"], …]}
//! offset 4 + H  the rest         the body as the router made it; may be empty
//! ```
//!
//! `ui/src/host` reads it. Every answer has this shape, refusals too, so that the panel has one way to read them.

use axum::body::Body;
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use serde::Serialize;

/// The longest body that goes to the page: an event's body is at most 1 MiB by default, a page of a list far less.
pub const MAX_BODY: usize = 16 * 1024 * 1024;

#[derive(Serialize)]
struct Head<'a> {
    status: u16,
    headers: Vec<(&'a str, String)>,
}

/// Reads the whole answer and lays it out as one frame.
///
/// # Errors
/// Where the body ends early or is longer than [`MAX_BODY`]; nothing of it is kept then.
pub async fn encode(answer: Response<Body>) -> Result<Vec<u8>, FrameError> {
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|cause| FrameError::Body(cause.to_string()))?;
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    join(&Head { status: parts.status.as_u16(), headers }, &body.to_bytes())
}

fn join(head: &Head<'_>, body: &[u8]) -> Result<Vec<u8>, FrameError> {
    let head = serde_json::to_vec(head).map_err(|cause| FrameError::Head(cause.to_string()))?;
    let length = u32::try_from(head.len()).map_err(|cause| FrameError::Head(cause.to_string()))?;
    let mut frame = Vec::with_capacity(4 + head.len() + body.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&head);
    frame.extend_from_slice(body);
    Ok(frame)
}

/// Why an answer could not be framed.
#[derive(Debug)]
pub enum FrameError {
    /// The body broke off, or is longer than [`MAX_BODY`].
    Body(String),
    /// The head could not be written.
    Head(String),
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Body(cause) => write!(f, "the engine's answer could not be read to its end: {cause}"),
            Self::Head(cause) => write!(f, "the head of the engine's answer could not be written: {cause}"),
        }
    }
}

impl std::error::Error for FrameError {}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Reads a frame the way the panel does.
    pub(in crate::desktop) fn decode(frame: &[u8]) -> (u16, Vec<(String, String)>, Vec<u8>) {
        let length = u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize;
        let head: serde_json::Value = serde_json::from_slice(&frame[4..4 + length]).unwrap();
        let headers = serde_json::from_value(head["headers"].clone()).unwrap();
        let status = head["status"].as_u64().unwrap();
        (u16::try_from(status).unwrap(), headers, frame[4 + length..].to_vec())
    }

    #[tokio::test]
    async fn status_headers_and_body_arrive_as_the_router_made_them() {
        let body: Vec<u8> = (0..=255).collect();
        let answer =
            Response::builder().status(418).header("content-type", "x/y").body(Body::from(body.clone())).unwrap();
        let frame = encode(answer).await.unwrap();
        assert_eq!(decode(&frame), (418, vec![("content-type".to_owned(), "x/y".to_owned())], body));
    }

    #[tokio::test]
    async fn an_answer_without_a_body_is_a_head_alone() {
        let answer = Response::builder().status(204).body(Body::empty()).unwrap();
        let frame = encode(answer).await.unwrap();
        assert_eq!(decode(&frame), (204, vec![], vec![]));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused() {
        let answer = Response::new(Body::from(vec![0_u8; MAX_BODY + 1]));
        assert!(matches!(encode(answer).await, Err(FrameError::Body(_))));
    }

    #[tokio::test]
    async fn a_header_that_is_not_text_does_not_spoil_the_frame() {
        let answer = Response::builder().header("x-odd", &b"\xff"[..]).body(Body::empty()).unwrap();
        let (status, headers, _) = decode(&encode(answer).await.unwrap());
        assert_eq!((status, headers), (200, vec![("x-odd".to_owned(), "\u{fffd}".to_owned())]));
    }
}

//! Reading an answer within its bounds.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use tokio::time::Instant;

use super::SendError;
use super::body::Progress;
use super::error;

/// Of an answer's headers, names and values together.
pub(super) const MAX_HEADER_BYTES: usize = 32 * 1024;

/// What a system answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// Up to `response_cap` bytes, as they came: nothing is decompressed.
    pub body: Bytes,
    /// Headers or body were longer than what is here. A success is never cut in its body: that is
    /// [`SendError::AnswerTooLarge`].
    pub truncated: bool,
    /// From the call to the answer's headers.
    pub wait: Duration,
    /// From the call to the answer's end.
    pub total: Duration,
    pub peer: Option<SocketAddr>,
}

/// A failure is told by its status, so a long error page is cut; a long success cannot be judged and is an error.
/// Dropping what is unread closes the connection.
pub(super) async fn read(
    mut response: reqwest::Response,
    peer: Option<SocketAddr>,
    cap: usize,
    progress: &Progress,
    started: Instant,
) -> Result<Answer, SendError> {
    let wait = started.elapsed();
    let status = response.status();
    let mut headers = std::mem::take(response.headers_mut());
    let headers_cut = cut(&mut headers);
    let mut body = Body::default();
    let mut body_cut = false;
    while let Some(chunk) = response.chunk().await.map_err(|error| error::judge(error, progress))? {
        let room = cap - body.len();
        if chunk.len() > room {
            body.push(chunk.slice(..room));
            body_cut = true;
            break;
        }
        body.push(chunk);
    }
    let answer = Answer {
        status: status.as_u16(),
        headers,
        body: body.finish(),
        truncated: headers_cut || body_cut,
        wait,
        total: started.elapsed(),
        peer,
    };
    if body_cut && status.is_success() {
        return Err(SendError::AnswerTooLarge { answer: Box::new(answer), cap });
    }
    Ok(answer)
}

/// Most answers come as one chunk, which is kept without copying it.
#[derive(Default)]
struct Body {
    first: Bytes,
    all: BytesMut,
}

impl Body {
    fn len(&self) -> usize {
        self.first.len().max(self.all.len())
    }

    fn push(&mut self, chunk: Bytes) {
        if self.len() == 0 {
            self.first = chunk;
            return;
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&chunk);
    }

    fn finish(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

/// Keeps the first headers up to the cap, and `Retry-After` and `Date` in any case. True if something went.
fn cut(headers: &mut HeaderMap) -> bool {
    let size =
        |headers: &HeaderMap| -> usize { headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum() };
    if size(headers) <= MAX_HEADER_BYTES {
        return false;
    }
    let whole = std::mem::take(headers);
    for name in [http::header::RETRY_AFTER, http::header::DATE] {
        if let Some(value) = whole.get(&name).filter(|value| value.len() <= 128) {
            headers.insert(name, value.clone());
        }
    }
    let mut room = MAX_HEADER_BYTES.saturating_sub(size(headers));
    for (name, value) in &whole {
        let length = name.as_str().len() + value.len();
        if headers.contains_key(name) || length > room {
            continue;
        }
        room -= length;
        headers.append(name, value.clone());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_headers_is_cut_and_retry_after_kept() {
        let mut headers = HeaderMap::new();
        for index in 0..60 {
            let name: http::HeaderName = format!("x-flood-{index}").parse().unwrap();
            headers.insert(name, "y".repeat(1_000).parse().unwrap());
        }
        headers.insert("retry-after", "7".parse().unwrap());
        assert!(cut(&mut headers));
        assert_eq!(headers["retry-after"], "7");
        assert!(headers.len() > 20 && headers.len() < 40);
        assert!(!cut(&mut headers));
    }

    #[test]
    fn chunks_are_put_together_in_order() {
        let mut body = Body::default();
        for chunk in ["", "a", "bc", "", "def"] {
            body.push(Bytes::from_static(chunk.as_bytes()));
        }
        assert_eq!(body.len(), 6);
        assert_eq!(body.finish(), "abcdef");
    }
}

//! The request's body, watched: how far the connection has taken it decides whether the receiver may have acted on it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The connection buffers a few frames ahead; small ones keep "taken" close to "written".
const FRAME: usize = 64 * 1024;

const STARTED: u8 = 1;
const WRITTEN: u8 = 2;

/// How far a request has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    stage: AtomicU8,
    status: AtomicU16,
}

impl Progress {
    /// A connection has been made and takes the request.
    pub(super) fn has_started(&self) -> bool {
        self.stage.load(Ordering::Acquire) >= STARTED
    }

    /// The connection has taken the request to its last byte.
    pub(super) fn is_written(&self) -> bool {
        self.stage.load(Ordering::Acquire) == WRITTEN
    }

    pub(super) fn answered(&self, status: u16) {
        self.status.store(status, Ordering::Release);
    }

    /// The status, once the answer has begun.
    pub(super) fn status(&self) -> Option<u16> {
        Some(self.status.load(Ordering::Acquire)).filter(|status| *status != 0)
    }

    fn reach(&self, stage: u8) {
        self.stage.fetch_max(stage, Ordering::AcqRel);
    }
}

pub(super) struct WatchedBody {
    left: Bytes,
    progress: Arc<Progress>,
}

impl WatchedBody {
    pub(super) fn new(body: Bytes, progress: Arc<Progress>) -> Self {
        Self { left: body, progress }
    }
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.left.len().min(FRAME);
        let frame = self.left.split_to(length);
        self.progress.reach(if self.left.is_empty() { WRITTEN } else { STARTED });
        Poll::Ready(if frame.is_empty() { None } else { Some(Ok(Frame::data(frame))) })
    }

    /// hyper asks once it writes the head, and never polls a body that has ended before it began.
    fn is_end_stream(&self) -> bool {
        if self.left.is_empty() {
            self.progress.reach(WRITTEN);
        }
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use http_body::Body;

    use super::*;

    #[test]
    fn a_body_is_written_with_its_last_frame_and_not_before() {
        let progress = Arc::new(Progress::default());
        let mut body = WatchedBody::new(Bytes::from(vec![7; FRAME + 1]), Arc::clone(&progress));
        let mut context = Context::from_waker(Waker::noop());
        assert!(!body.is_end_stream() && !progress.has_started());
        assert!(Pin::new(&mut body).poll_frame(&mut context).is_ready());
        assert!(progress.has_started() && !progress.is_written());
        assert!(Pin::new(&mut body).poll_frame(&mut context).is_ready());
        assert!(progress.is_written() && body.is_end_stream());
    }

    #[test]
    fn an_empty_body_is_written_with_its_head() {
        let progress = Arc::new(Progress::default());
        let body = WatchedBody::new(Bytes::new(), Arc::clone(&progress));
        assert!(!progress.is_written());
        assert!(body.is_end_stream() && progress.is_written());
    }
}

//! Request bodies: not slower than a minimum, not longer than a cap.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::BoxError;

/// How slow a body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinRate {
    /// On average since the body's start.
    pub bytes_per_second: u64,
    /// For so long nothing is asked.
    pub grace: Duration,
}

impl Default for MinRate {
    fn default() -> Self {
        Self { bytes_per_second: 500, grace: Duration::from_secs(5) }
    }
}

impl MinRate {
    /// By when more than `bytes` must have come.
    fn due(self, start: Instant, bytes: u64) -> Instant {
        let millis = bytes.saturating_mul(1_000) / self.bytes_per_second.max(1);
        // A day is longer than any body that is accepted takes at any rate.
        start + self.grace + Duration::from_millis(millis.min(86_400_000))
    }
}

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body is longer than {cap} bytes")]
    TooLarge { cap: usize },
    #[error("the body came slower than {} bytes a second", .rate.bytes_per_second)]
    TooSlow { rate: MinRate },
    #[error("the body broke off: {0}")]
    Broken(#[source] BoxError),
}

/// The error of a body that was too slow.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("slower than {} bytes a second", .0.bytes_per_second)]
struct Slow(MinRate);

/// A body that ends with an error when it falls behind its rate. The timer is set only when there is something to wait for.
struct Paced<B> {
    inner: B,
    rate: MinRate,
    start: Option<Instant>,
    read: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> Paced<B> {
    fn new(inner: B, rate: MinRate) -> Self {
        Self { inner, rate, start: None, read: 0, timer: None }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Paced<B> {
    fn poll_paced(&mut self, context: &mut Context<'_>) -> Poll<PacedFrame<B::Error>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref) {
                self.read += data.len() as u64;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(PacedError::Inner)));
        }
        let start = *self.start.get_or_insert_with(Instant::now);
        let due = self.rate.due(start, self.read);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Some(Err(PacedError::Slow(Slow(self.rate)))))
    }
}

/// The next frame, or why there is none; `None` at the end.
type PacedFrame<E> = Option<Result<Frame<Bytes>, PacedError<E>>>;

enum PacedError<E> {
    Slow(Slow),
    Inner(E),
}

/// A request's body as services get it: it keeps the listener's minimum rate.
pub struct RequestBody {
    paced: Paced<hyper::body::Incoming>,
    /// Tells the connection, which then answers 408 whatever the service made of the error.
    too_slow: Arc<AtomicBool>,
}

impl RequestBody {
    pub(super) fn new(inner: hyper::body::Incoming, rate: MinRate, too_slow: Arc<AtomicBool>) -> Self {
        Self { paced: Paced::new(inner, rate), too_slow }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(self.paced.poll_paced(context));
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|error| match error {
                PacedError::Slow(slow) => {
                    self.too_slow.store(true, Ordering::Release);
                    slow.into()
                }
                PacedError::Inner(error) => error.into(),
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.paced.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.paced.inner.size_hint()
    }
}

/// The whole body, at most `cap` bytes of it held at any time. A longer one is refused at its announced length or at the
/// first byte beyond the cap.
pub async fn read_body<B>(body: B, cap: usize, min_rate: MinRate) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let too_large = || BodyError::TooLarge { cap };
    if body.size_hint().lower() > cap as u64 {
        return Err(too_large());
    }
    let expected = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let mut body = PacedBody(Paced::new(body, min_rate));
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error {
            PacedError::Slow(_) => BodyError::TooSlow { rate: min_rate },
            PacedError::Inner(error) => judge(error.into()),
        })?;
        let Ok(data) = frame.into_data() else { continue };
        let held = first.as_ref().map_or(all.len(), Bytes::len);
        if data.len() > cap - held {
            return Err(too_large());
        }
        if held == 0 {
            // Most bodies are one piece, which is kept as it is.
            first = Some(data);
            continue;
        }
        if let Some(first) = first.take() {
            all.reserve(expected.unwrap_or(first.len() + data.len()).min(cap));
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&data);
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}

/// Both the listener and `read_body` pace; whichever noticed, it is the same thing.
fn judge(error: BoxError) -> BodyError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&*error);
    while let Some(error) = cause {
        if let Some(Slow(rate)) = error.downcast_ref() {
            return BodyError::TooSlow { rate: *rate };
        }
        cause = error.source();
    }
    BodyError::Broken(error)
}

struct PacedBody<B>(Paced<B>);

impl<B: Body<Data = Bytes> + Unpin> PacedBody<B> {
    async fn frame(&mut self) -> PacedFrame<B::Error> {
        std::future::poll_fn(|context| self.0.poll_paced(context)).await
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::{Full, StreamBody};

    use super::*;

    fn chunks(list: &'static [&'static str]) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        StreamBody::new(stream::iter(list.iter().map(|chunk| Ok(Frame::data(Bytes::from_static(chunk.as_bytes()))))))
    }

    #[tokio::test]
    async fn a_body_up_to_the_cap_is_read_and_one_byte_more_is_too_large() {
        let rate = MinRate::default();
        assert_eq!(read_body(Full::new(Bytes::from_static(b"12345")), 5, rate).await.unwrap(), "12345");
        assert_eq!(read_body(chunks(&["12", "", "34", "5"]), 5, rate).await.unwrap(), "12345");
        assert_eq!(read_body(chunks(&[]), 0, rate).await.unwrap(), "");
        let whole = read_body(Full::new(Bytes::from_static(b"123456")), 5, rate).await;
        assert!(matches!(whole, Err(BodyError::TooLarge { cap: 5 })));
        let pieces = read_body(chunks(&["123", "456"]), 5, rate).await;
        assert!(matches!(pieces, Err(BodyError::TooLarge { cap: 5 })));
    }

    #[tokio::test]
    async fn a_body_that_stops_coming_is_too_slow() {
        let rate = MinRate { bytes_per_second: 1_000, grace: Duration::from_millis(20) };
        let first = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"0123456789")))]);
        let body = StreamBody::new(futures_util::StreamExt::chain(first, stream::pending()));
        let started = Instant::now();
        let slow = read_body(body, 1_000, rate).await;
        assert!(matches!(slow, Err(BodyError::TooSlow { .. })));
        assert!(started.elapsed() >= Duration::from_millis(30), "the ten bytes pay for 10 ms more");
    }

    #[test]
    fn every_byte_that_came_earns_time_for_the_next() {
        let rate = MinRate { bytes_per_second: 500, grace: Duration::from_secs(5) };
        let start = Instant::now();
        assert_eq!(rate.due(start, 0), start + Duration::from_secs(5));
        assert_eq!(rate.due(start, 1_000), start + Duration::from_secs(7));
        assert!(rate.due(start, u64::MAX) > start);
        assert!(MinRate { bytes_per_second: 0, ..rate }.due(start, 1) > start);
    }
}

//! A connection's socket with a deadline for each head and for writing, and a watch on its framing.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::framing::Framing;

/// hyper's own deadline also runs while a connection is idle. This one runs from a head's first byte, so that a head may be
/// cut off early while an idle connection may stay.
pub(super) struct Socket {
    stream: TcpStream,
    framing: Arc<Mutex<Framing>>,
    header_timeout: Duration,
    write_timeout: Duration,
    head_due: Option<Pin<Box<Sleep>>>,
    write_due: Option<Pin<Box<Sleep>>>,
    /// Read by [`Socket::read_first_head`], and not yet by who serves the connection.
    begun: BytesMut,
}

/// The most of a head that is read at once: nearly all come whole.
const PIECE: usize = 4_096;

impl Socket {
    pub(super) fn new(
        stream: TcpStream,
        framing: Arc<Mutex<Framing>>,
        header_timeout: Duration,
        write_timeout: Duration,
    ) -> Self {
        Self { stream, framing, header_timeout, write_timeout, head_due: None, write_due: None, begun: BytesMut::new() }
    }

    /// Until the first request's head is there, or more than `most` bytes of what may be none. Who serves a connection makes
    /// buffers for it: a connection that only takes a place is to cost less. False: it ended without a word.
    pub(super) async fn read_first_head(&mut self, most: usize) -> io::Result<bool> {
        loop {
            let read = poll_fn(|context| {
                let mut piece = [const { MaybeUninit::uninit() }; PIECE];
                let mut piece = ReadBuf::uninit(&mut piece);
                ready!(self.read_on(context, &mut piece))?;
                self.begun.extend_from_slice(piece.filled());
                Poll::Ready(io::Result::Ok(piece.filled().len()))
            });
            let ended = read.await? == 0;
            if ended || self.begun.len() > most || self.framing.lock().heads() > 0 {
                return Ok(!self.begun.is_empty());
            }
        }
    }

    /// Nothing has come yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.begun.is_empty()
    }

    fn read_on(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        let mut framing = self.framing.lock();
        if outcome.is_ready() {
            let heads = framing.heads();
            framing.read(buffer.filled().get(before..).unwrap_or_default());
            // Another head that begins behind one that has ended has its own time.
            if framing.heads() > heads || !framing.waits_for_head() {
                self.head_due = None;
            }
            return outcome;
        }
        if framing.waits_for_head() {
            let what = "the request's head did not come in time";
            return Self::overdue(&mut self.head_due, self.header_timeout, what, context).map(Err);
        }
        Poll::Pending
    }

    /// Arms the timer at the first wait and fails once it has run out.
    fn overdue(
        timer: &mut Option<Pin<Box<Sleep>>>,
        timeout: Duration,
        what: &'static str,
        context: &mut Context<'_>,
    ) -> Poll<io::Error> {
        let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + timeout)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, what))
    }

    fn written<T>(&mut self, outcome: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write_due = None;
            return outcome;
        }
        let what = "the peer takes nothing of the answer";
        Self::overdue(&mut self.write_due, self.write_timeout, what, context).map(Err)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.begun.is_empty() {
            return self.read_on(context, buffer);
        }
        let some = self.begun.len().min(buffer.remaining());
        buffer.put_slice(&self.begun.split_to(some));
        if self.begun.is_empty() {
            // Its memory too.
            self.begun = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(outcome, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.written(outcome, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

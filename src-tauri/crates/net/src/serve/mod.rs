//! The accept loop of every listener: bounded in connections, headers, time and body rate, and draining when told to.
//!
//! `axum::serve` sets none of these: without a timer hyper's own header deadline does nothing. One loop serves ingress, API
//! and sandbox, so that a bound holds everywhere.

mod admission;
mod body;
mod connection;
mod framing;
mod socket;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use admission::Admission;
pub use body::{BodyError, MinRate, RequestBody, read_body};
use connection::Shared;

/// A service's or body's error, whatever it is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The bounds of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// From the first byte of a head (or the connection's start) to its end; then the connection is closed.
    pub header_timeout: Duration,
    /// A body slower than this is answered with 408.
    pub min_rate: MinRate,
    /// More headers are answered with 431.
    pub max_headers: usize,
    /// Request line and headers together; more is answered with 431. At most 60 KiB.
    pub max_header_bytes: usize,
    /// Connections at a time, those from this machine apart.
    pub max_connections: usize,
    /// Connections at a time from one address.
    pub max_per_ip: usize,
    /// Connections at a time from this machine, where other programs of the same person share one address.
    pub max_loopback: usize,
    /// How long a connection may wait for its next request.
    pub keep_alive_idle: Duration,
    /// How long the peer may take nothing of an answer.
    pub write_timeout: Duration,
    /// How long requests that run may go on after the order to stop.
    pub drain: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            min_rate: MinRate::default(),
            max_headers: 64,
            max_header_bytes: 32 * 1024,
            max_connections: 1_024,
            max_per_ip: 64,
            max_loopback: 8_192,
            keep_alive_idle: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}

/// Connections that the system completes before the loop has taken them. Beyond it, it drops what a sender says first, who
/// then waits a second to say it again, or believes in a connection that is not there. Systems may allow fewer (Linux: `somaxconn`).
const BACKLOG: u32 = 1_024;

/// Listens there, ready for a thousand senders at once.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Elsewhere than on Windows, where it would let two programs share a port: a restart need not wait for old connections.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// How a listener ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that had not ended in time and were cut.
    pub cut: usize,
}

const LEAST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Serves until `shutdown`, then lets running requests end. Each request carries its peer's `SocketAddr` in its extensions.
/// A request is checked before `service` sees it: one `Host`, no `Content-Length` beside `Transfer-Encoding`, bounded headers.
pub async fn serve<S, B>(listener: TcpListener, service: S, limits: ServeLimits, shutdown: CancellationToken) -> Drained
where
    S: tower::Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let tasks = TaskTracker::new();
    let cut = CancellationToken::new();
    let admission = Admission::new(&limits);
    let shared = Arc::new(Shared { limits, shutdown: shutdown.clone(), cut: cut.clone() });
    let mut pause = LEAST_PAUSE;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                // Out of descriptors or memory: what is open goes on and gives them back.
                tracing::error!(%error, retry_in = ?pause, "no connection can be accepted");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = shutdown.cancelled() => break,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        pause = LEAST_PAUSE;
        match admission.admit(peer.ip()) {
            Some(permit) => {
                let serving = connection::run(stream, peer, service.clone(), Arc::clone(&shared));
                tasks.spawn(async move {
                    serving.await;
                    drop(permit);
                });
            }
            None => connection::turn_away(&stream, peer),
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(limits.drain, tasks.wait()).await.is_ok() {
        return Drained { cut: 0 };
    }
    let left = tasks.len();
    tracing::warn!(connections = left, "cutting connections that did not end in time");
    cut.cancel();
    tasks.wait().await;
    Drained { cut: left }
}

/// The peer went away before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

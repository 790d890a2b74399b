//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::body::RequestBody;
use super::framing::Framing;
use super::socket::Socket;
use super::{BoxError, ServeLimits};

/// hyper reads at most this much ahead; it must hold the longest head.
const READ_BUFFER: usize = 64 * 1024;

/// What all connections of a listener share.
pub(super) struct Shared {
    pub(super) limits: ServeLimits,
    pub(super) shutdown: CancellationToken,
    /// The time to drain is over.
    pub(super) cut: CancellationToken,
}

type Body<B> = Either<B, Full<Bytes>>;

pub(super) async fn run<S, B>(stream: TcpStream, peer: SocketAddr, service: S, shared: Arc<Shared>)
where
    S: tower::Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let limits = shared.limits;
    // Answers are small and whole; waiting to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY");
    }
    let framing = Arc::new(Mutex::new(Framing::new()));
    let mut socket = Socket::new(stream, Arc::clone(&framing), limits.header_timeout, limits.write_timeout);
    let begun = tokio::select! {
        begun = socket.read_first_head(limits.max_header_bytes) => begun,
        () = shared.shutdown.cancelled() => Ok(!socket.is_untouched()),
    };
    match begun {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => {
            tracing::debug!(%peer, %error, "connection ended");
            return;
        }
    }
    let requests = AtomicU64::new(0);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let nth = requests.fetch_add(1, Ordering::Relaxed) + 1;
        let chunked = request.headers().contains_key(TRANSFER_ENCODING);
        let trusted = !framing.lock().distrusts(nth, chunked);
        answer(service.clone(), request, peer, limits, trusted)
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // The socket cuts off slow heads; this one ends idle connections.
        .header_read_timeout(limits.keep_alive_idle)
        .max_header_size(limits.max_header_bytes)
        .max_buf_size(READ_BUFFER);
    // Boxed: the task of a connection that sends nothing is small.
    let mut connection = Box::pin(builder.serve_connection(TokioIo::new(socket), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shared.shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = shared.cut.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        // Peers that go away or talk nonsense are nothing that an operator can act on.
        tracing::debug!(%peer, %error, "connection ended");
    }
}

/// There is no place for this connection: says so if the socket takes it at once, and closes.
pub(super) fn turn_away(stream: &TcpStream, peer: SocketAddr) {
    const BUSY: &[u8] =
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let told = stream.try_write(BUSY).is_ok();
    tracing::debug!(%peer, told, "too many connections");
}

async fn answer<S, B>(
    service: S,
    request: Request<Incoming>,
    peer: SocketAddr,
    limits: ServeLimits,
    trusted: bool,
) -> Result<Response<Body<B>>, Infallible>
where
    S: tower::Service<Request<RequestBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
{
    if !trusted {
        return Ok(refusal(
            StatusCode::BAD_REQUEST,
            "ambiguous-length",
            "Content-Length and Transfer-Encoding exclude each other",
        ));
    }
    if request.headers().len() > limits.max_headers {
        return Ok(refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too-many-headers", "too many headers"));
    }
    // RFC 9112 §3.2
    let mut hosts = request.headers().get_all(HOST).iter();
    let has_host = hosts.next().is_some();
    if hosts.next().is_some() || (!has_host && request.version() == Version::HTTP_11) {
        return Ok(refusal(StatusCode::BAD_REQUEST, "host-header", "a request has exactly one Host header"));
    }
    let too_slow = Arc::new(AtomicBool::new(false));
    let (mut head, body) = request.into_parts();
    head.extensions.insert(peer);
    let body = RequestBody::new(body, limits.min_rate, Arc::clone(&too_slow));
    match service.oneshot(Request::from_parts(head, body)).await {
        _ if too_slow.load(Ordering::Acquire) => {
            Ok(refusal(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "the body came too slowly"))
        }
        Ok(response) => Ok(response.map(Either::Left)),
        Err(error) => {
            let error: BoxError = error.into();
            tracing::error!(error = %error, "a request's service failed");
            Ok(refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the request could not be handled"))
        }
    }
}

/// Answers in place of the service, and ends the connection: what follows on it is not to be trusted.
fn refusal<B>(status: StatusCode, code: &'static str, detail: &'static str) -> Response<Body<B>> {
    let title = status.canonical_reason().unwrap_or_default();
    let problem = format!(
        r#"{{"type":"about:blank","title":"{title}","status":{},"code":"{code}","detail":"{detail}"}}"#,
        status.as_u16()
    );
    let mut response = Response::new(Either::Right(Full::new(Bytes::from(problem))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

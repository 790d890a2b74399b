//! The accept loop against raw sockets.

mod framing;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Full, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;

const CAP: usize = 1_000;
/// No test waits this long unless it fails.
const PATIENCE: Duration = Duration::from_secs(10);

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<Drained>,
    calls: Arc<AtomicUsize>,
    entered: Arc<Notify>,
    release: Arc<Notify>,
}

fn limits() -> ServeLimits {
    ServeLimits {
        header_timeout: Duration::from_millis(200),
        min_rate: MinRate { bytes_per_second: 1_000, grace: Duration::from_millis(100) },
        drain: PATIENCE,
        ..ServeLimits::default()
    }
}

/// `/hold` waits to be released, `/flood` answers without end, `/fail` fails; all else tells its peer and the body's length.
async fn start(limits: ServeLimits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let (calls, entered, release) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let state = (Arc::clone(&calls), Arc::clone(&entered), Arc::clone(&release));
    let service = tower::service_fn(move |request: Request<RequestBody>| {
        let (calls, entered, release) = state.clone();
        async move {
            calls.fetch_add(1, Ordering::SeqCst);
            let peer = *request.extensions().get::<SocketAddr>().unwrap();
            match request.uri().path() {
                "/hold" => {
                    entered.notify_one();
                    release.notified().await;
                }
                "/flood" => {
                    let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
                    let frames =
                        std::iter::repeat_with(move || Ok::<_, Infallible>(http_body::Frame::data(chunk.clone())));
                    let flood = StreamBody::new(futures_util::stream::iter(frames));
                    return Ok(Response::new(Either::Right(flood)));
                }
                "/fail" => return Err(BoxError::from("on purpose")),
                _ => {}
            }
            let (status, text) = match read_body(request.into_body(), CAP, MinRate::default()).await {
                Ok(body) => (StatusCode::OK, format!("{} {}", peer.ip(), body.len())),
                Err(BodyError::TooLarge { .. }) => (StatusCode::PAYLOAD_TOO_LARGE, String::new()),
                Err(BodyError::TooSlow { .. }) => (StatusCode::IM_A_TEAPOT, String::new()),
                Err(BodyError::Broken(_)) => (StatusCode::BAD_REQUEST, String::new()),
            };
            let mut response = Response::new(Either::Left(Full::new(Bytes::from(text))));
            *response.status_mut() = status;
            Ok(response)
        }
    });
    let ended = tokio::spawn(serve(listener, service, limits, stop.clone()));
    Server { address, stop, ended, calls, entered, release }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends, and reads until the server closes.
    async fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        to_end(&mut stream).await
    }
}

/// All that comes until the end; a reset is an end.
async fn to_end(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        match tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await.expect("the server closes") {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&all).into_owned(),
            Ok(length) => all.extend_from_slice(&buffer[..length]),
        }
    }
}

/// One answer of at most one read, from a connection that stays open.
async fn one_answer(stream: &mut TcpStream) -> String {
    let mut buffer = vec![0; 4_096];
    let length = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("closed")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn senders_that_come_at_once_are_let_in_before_anybody_takes_them() {
    let most: usize = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse().unwrap();
    let senders = 300.min(most);
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let connecting = (0..senders).map(|_| TcpStream::connect(address));
    let connected = tokio::time::timeout(PATIENCE, futures_util::future::join_all(connecting)).await.expect("at once");
    // Who is only believed to be there would not be found here.
    for connected in &connected {
        assert!(connected.is_ok(), "{connected:?}");
        tokio::time::timeout(PATIENCE, listener.accept()).await.expect("a connection is waiting").unwrap();
    }
}

#[tokio::test]
async fn a_request_is_answered_and_knows_its_peer() {
    let server = start(limits()).await;
    let answer =
        server.exchange("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc").await;
    assert_eq!(status(&answer), "200");
    assert!(answer.ends_with("127.0.0.1 3"), "{answer}");
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off_however_it_trickles() {
    let server = start(limits()).await;
    for request in ["", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        assert_eq!(status(&server.exchange(request).await), "closed");
    }
    let (mut read, mut write) = server.connect().await.into_split();
    let trickle = tokio::spawn(async move {
        write.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").await.unwrap();
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            if write.write_all(b"x").await.is_err() {
                return;
            }
        }
    });
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, read.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "bytes of a head do not buy it time");
    trickle.abort();
    assert_eq!(server.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_request_is_answered_though_the_head_behind_it_does_not_end() {
    let server = start(limits()).await;
    // In one piece, and the second is cut off.
    let answers = server.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHo").await;
    assert_eq!((status(&answers), server.calls.load(Ordering::SeqCst)), ("200", 1), "{answers}");
}

#[tokio::test]
async fn a_connection_may_wait_longer_for_its_next_request_than_a_head_may_take() {
    let server = start(limits()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(status(&one_answer(&mut stream).await), "200");
    let mut byte = [0];
    let waited = tokio::time::timeout(limits().header_timeout * 2, stream.read(&mut byte)).await;
    assert!(waited.is_err(), "the connection is still open");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(status(&one_answer(&mut stream).await), "200");
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_the_end() {
    let server = start(ServeLimits { keep_alive_idle: Duration::from_millis(50), ..limits() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(status(&to_end(&mut stream).await), "200");
}

#[tokio::test]
async fn a_body_that_is_too_slow_is_answered_with_408() {
    let server = start(limits()).await;
    for head in ["Content-Length: 900\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"] {
        let answer = server.exchange(&format!("POST / HTTP/1.1\r\nHost: a\r\n{head}")).await;
        assert_eq!(status(&answer), "408", "{head}");
    }
}

#[tokio::test]
async fn a_service_that_fails_is_a_500_and_not_the_end() {
    let server = start(limits()).await;
    assert_eq!(status(&server.exchange("GET /fail HTTP/1.1\r\nHost: a\r\n\r\n").await), "500");
    assert_eq!(status(&server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await), "200");
}

#[tokio::test]
async fn connections_beyond_the_cap_are_turned_away_and_places_come_back() {
    let server = start(ServeLimits { max_loopback: 1, ..limits() }).await;
    let mut first = server.connect().await;
    first.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(status(&one_answer(&mut first).await), "200");
    let mut second = server.connect().await;
    assert_eq!(status(&to_end(&mut second).await), "503");
    drop(first);
    // The server notices the closed one in its own time.
    let mut answer = String::new();
    for _ in 0..1_000 {
        answer = server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        if status(&answer) == "200" {
            break;
        }
    }
    assert_eq!(status(&answer), "200");
}

#[tokio::test]
async fn a_peer_that_takes_nothing_of_an_answer_loses_it() {
    let server = start(ServeLimits { write_timeout: Duration::from_millis(100), ..limits() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /flood HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    // Reading starts once the server has gone: the drain ends only if no connection is left.
    while server.calls.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    server.stop.cancel();
    let drained = tokio::time::timeout(PATIENCE, server.ended).await.unwrap().unwrap();
    assert_eq!(drained, Drained { cut: 0 });
}

#[tokio::test]
async fn a_running_request_ends_before_the_server_does() {
    let server = start(limits()).await;
    let mut held = server.connect().await;
    held.write_all(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.entered.notified().await;
    let mut idle = server.connect().await;
    server.stop.cancel();
    assert_eq!(to_end(&mut idle).await, "", "an idle connection is closed at once");
    assert!(!server.ended.is_finished());
    server.release.notify_one();
    assert_eq!(status(&to_end(&mut held).await), "200");
    assert_eq!(server.ended.await.unwrap(), Drained { cut: 0 });
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_when_the_time_to_drain_is_over() {
    let server = start(ServeLimits { drain: Duration::from_millis(50), ..limits() }).await;
    let mut held = server.connect().await;
    held.write_all(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.entered.notified().await;
    server.stop.cancel();
    assert_eq!(server.ended.await.unwrap(), Drained { cut: 1 });
    assert_eq!(to_end(&mut held).await, "");
}

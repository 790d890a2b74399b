//! The client against raw servers that behave badly, and against names that lead inward.

mod hostile;
mod inward;

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method};
use signalbox_model::FailureKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Long enough that only what is meant to time out does.
const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(300);
const CAP: usize = 64 * 1024;

/// Answers every name with the same addresses.
struct Names(Result<Vec<SocketAddr>, io::ErrorKind>);

impl Resolve for Names {
    fn resolve(&self, _: &str, _: u16) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
        Box::pin(async { self.0.clone().map_err(io::Error::from) })
    }
}

/// Never answers.
struct Silence;

impl Resolve for Silence {
    fn resolve(&self, _: &str, _: u16) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
        Box::pin(std::future::pending())
    }
}

fn client_with(resolver: impl Resolve, own: Vec<SocketAddr>) -> Client {
    Client::new(Arc::new(resolver), Arc::new(move || own.clone())).unwrap()
}

fn client() -> Client {
    client_with(Names(Ok(Vec::new())), Vec::new())
}

fn post(url: impl Into<String>, body: impl Into<Bytes>) -> Outbound {
    Outbound {
        method: Method::POST,
        url: url.into(),
        headers: HeaderMap::new(),
        body: body.into(),
        allow_private: true,
        timeout: LONG,
        response_cap: CAP,
    }
}

/// A server whose connections are handled by `handle`, and the number of connections so far.
async fn server<F, R>(handle: F) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Fn(TcpStream) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(handle(stream));
        }
    });
    (address, count)
}

/// Reads one request to its end, by its `Content-Length`.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut all = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&all).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            if body.len() >= length.parse::<usize>().unwrap() {
                return Some(text);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => all.extend_from_slice(&buffer[..length]),
        }
    }
}

/// A server that reads the request, then says `answer` and keeps the connection open.
async fn answering(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    server(move |mut stream| async move {
        while read_request(&mut stream).await.is_some() {
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await
}

/// A listener that no request may ever reach.
struct Canary(StdListener);

impl Canary {
    fn new() -> Self {
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The kernel completes a connection before anyone accepts it, so none is still on its way.
    fn assert_untouched(&self, what: &str) {
        let accepted = self.0.accept().map(|(_, peer)| peer).map_err(|error| error.kind());
        assert_eq!(accepted, Err(io::ErrorKind::WouldBlock), "{what}");
    }
}

#[tokio::test]
async fn an_answer_comes_back_with_its_times() {
    let (address, _) = answering("HTTP/1.1 201 Created\r\nX-Id: 7\r\nContent-Length: 2\r\n\r\nok").await;
    let answer = client().send(post(format!("http://{address}/x"), "{}")).await.unwrap();
    assert_eq!((answer.status, answer.body.as_ref(), answer.truncated), (201, b"ok".as_slice(), false));
    assert_eq!(answer.headers["x-id"], "7");
    assert_eq!(answer.peer, Some(address));
    assert!(answer.wait <= answer.total);
}

#[tokio::test]
async fn connections_are_kept_and_one_that_the_server_closed_is_replaced() {
    let (address, count) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let client = client();
    for _ in 0..5 {
        assert_eq!(client.send(post(format!("http://{address}/"), "x")).await.unwrap().status, 200);
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);

    let (closing, count) = answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
    for _ in 0..3 {
        assert_eq!(client.send(post(format!("http://{closing}/"), "x")).await.unwrap().status, 200);
    }
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_connection_that_is_too_old_is_not_used_again() {
    let (address, count) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    for (lifetime, connections) in [(CONNECTION_LIFETIME, 1), (Duration::ZERO, 3)] {
        let client = Client::with_lifetime(Arc::new(Names(Ok(Vec::new()))), Arc::new(Vec::new), lifetime).unwrap();
        let before = count.load(Ordering::SeqCst);
        for _ in 0..3 {
            assert_eq!(client.send(post(format!("http://{address}/"), "x")).await.unwrap().status, 200);
        }
        assert_eq!(count.load(Ordering::SeqCst) - before, connections, "{lifetime:?}");
    }
}

#[tokio::test]
async fn the_client_says_what_belongs_to_the_connection() {
    let (address, _) = server(|mut stream| async move {
        let request = read_request(&mut stream).await.unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{request}", request.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let mut outbound = post(format!("http://{address}/x?y=1"), "");
    for (name, value) in
        [("host", "evil.test"), ("content-length", "99"), ("transfer-encoding", "chunked"), ("x-kept", "yes")]
    {
        outbound.headers.insert(name, HeaderValue::from_static(value));
    }
    let request = String::from_utf8(client().send(outbound).await.unwrap().body.to_vec()).unwrap();
    assert!(request.starts_with("post /x?y=1 http/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {address}\r\n")) && !request.contains("evil.test"), "{request}");
    assert!(request.contains("content-length: 0\r\n") && !request.contains("chunked"), "{request}");
    assert!(request.contains("x-kept: yes\r\n") && request.contains("user-agent: signalbox/"), "{request}");
}

#[tokio::test]
async fn an_error_never_shows_the_url_with_its_query() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = client().send(post(format!("http://{free}/?key=c4n4ry"), "x")).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("c4n4ry"), "{error:?}");
}

//! A destination on loopback that answers as told, well or badly, and remembers what it received.
//!
//! It speaks HTTP by hand, so that it can also hang, trickle, never end and talk nonsense.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::PATIENCE;

/// What one request is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    Reply {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// After a while.
    Late(Duration, Box<Answer>),
    /// Reads the request and never answers.
    Hang,
    /// Good headers, then one byte of the body every 50 ms for ever.
    Trickle,
    /// Good headers, then zeros for ever, as fast as they are taken.
    Endless,
    /// Bytes that are no HTTP.
    Nonsense,
    /// Closes the connection after the request.
    Close,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self::json(status, "{}")
    }

    pub fn json(status: u16, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self::Reply { status, headers, body: body.as_bytes().to_vec() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Reply { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The status that it was answered; none where the answer was none.
    pub answered: Option<u16>,
    /// When all of it was there.
    pub at: tokio::time::Instant,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct State {
    script: VecDeque<Answer>,
    otherwise: Option<Answer>,
    received: Vec<Received>,
}

pub struct Destination {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    arrived: Arc<Notify>,
    /// Keeps the port from all others while nobody listens; connections to it are refused.
    _port: TcpSocket,
    serving: JoinHandle<()>,
}

impl Destination {
    /// Answers 200 `{}` until told otherwise.
    pub async fn start() -> Self {
        let port = shared(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = port.local_addr().unwrap();
        let (state, arrived) = (Arc::default(), Arc::default());
        let serving = Self::serve(address, &state, &arrived);
        Self { address, state, arrived, _port: port, serving }
    }

    fn serve(address: SocketAddr, state: &Arc<Mutex<State>>, arrived: &Arc<Notify>) -> JoinHandle<()> {
        let listener = shared(address).listen(1024).unwrap();
        let (state, arrived) = (state.clone(), arrived.clone());
        tokio::spawn(async move {
            // Connections end with the listener.
            let mut connections = tokio::task::JoinSet::new();
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    connections.spawn(converse(stream, state.clone(), arrived.clone()));
                }
            }
        })
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The answers to the next requests, in order.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.lock().script.extend(answers);
    }

    /// The answer to every request that the script has none for.
    pub fn otherwise(&self, answer: Answer) {
        self.state.lock().otherwise = Some(answer);
    }

    /// Connections are refused from now on.
    pub fn go_down(&mut self) {
        self.serving.abort();
    }

    /// Listens again where it did.
    pub async fn come_back(&mut self) {
        self.serving.abort();
        // Two that listen would share what comes.
        let _ended = (&mut self.serving).await;
        self.serving = Self::serve(self.address, &self.state, &self.arrived);
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.lock().received.clone()
    }

    /// What was received since it was last taken; it is not remembered any longer.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.state.lock().received)
    }

    /// How many requests were received.
    pub fn count(&self) -> usize {
        self.state.lock().received.len()
    }

    /// What was received, once it is at least `count`.
    ///
    /// # Panics
    /// When it does not come to that.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let enough = async {
            loop {
                let arrived = self.arrived.notified();
                let received = self.received();
                if received.len() >= count {
                    return received;
                }
                arrived.await;
            }
        };
        match tokio::time::timeout(PATIENCE, enough).await {
            Ok(received) => received,
            Err(_) => panic!("{} of {count} requests arrived: {:#?}", self.received().len(), self.received()),
        }
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        self.go_down();
    }
}

/// A port that one who listens and one who keeps it can both have; nobody else gets it.
fn shared(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

async fn converse(mut stream: TcpStream, state: Arc<Mutex<State>>, arrived: Arc<Notify>) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        let answer = {
            let mut state = state.lock();
            let answer = state.script.pop_front().or_else(|| state.otherwise.clone());
            answer.unwrap_or_else(|| Answer::status(200))
        };
        // Written down before it is answered: who got the answer finds the request here.
        state.lock().received.push(Received { answered: status_of(&answer), ..request });
        arrived.notify_waiters();
        if !give(&mut stream, answer).await {
            return;
        }
    }
}

fn status_of(answer: &Answer) -> Option<u16> {
    match answer {
        Answer::Reply { status, .. } => Some(*status),
        Answer::Late(_, answer) => status_of(answer),
        _ => None,
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut line = lines.next()?.split(' ');
    let (method, path) = (line.next()?.to_owned(), line.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse::<usize>().unwrap());
    let end = head_end + 4 + length;
    while buffer.len() < end {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = buffer[head_end + 4..end].to_vec();
    buffer.drain(..end);
    Some(Received { method, path, headers, body, answered: None, at: tokio::time::Instant::now() })
}

/// Whether the connection goes on.
async fn give(stream: &mut TcpStream, answer: Answer) -> bool {
    match answer {
        Answer::Reply { status, headers, body } => {
            let mut text = format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n", body.len()).into_bytes();
            for (name, value) in headers {
                text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
            text.extend_from_slice(b"\r\n");
            text.extend_from_slice(&body);
            stream.write_all(&text).await.is_ok()
        }
        Answer::Late(wait, answer) => {
            tokio::time::sleep(wait).await;
            Box::pin(give(stream, *answer)).await
        }
        Answer::Hang => std::future::pending().await,
        Answer::Trickle => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{";
            let mut going = stream.write_all(head).await.is_ok();
            while going {
                tokio::time::sleep(Duration::from_millis(50)).await;
                going = stream.write_all(b" ").await.is_ok();
            }
            false
        }
        Answer::Endless => {
            let mut going = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.is_ok();
            let mut chunk = b"10000\r\n".to_vec();
            chunk.resize(chunk.len() + 0x10000, b'0');
            chunk.extend_from_slice(b"\r\n");
            while going {
                going = stream.write_all(&chunk).await.is_ok();
            }
            false
        }
        Answer::Nonsense => {
            stream.write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n").await.ok();
            false
        }
        Answer::Close => false,
    }
}

//! A destination: answers 204 to everything and counts by idempotency key.

use std::collections::HashSet;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

use super::http;

#[derive(Default)]
struct Seen {
    keys: HashSet<String>,
    repeats: usize,
}

/// Lives as long as the process.
pub struct Sink {
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Sink {
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let sink = Self { address: listener.local_addr()?, seen: Arc::default() };
        let seen = sink.seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = seen.clone();
                // A connection that breaks is the program's to open again.
                std::thread::spawn(move || drop(answer(stream, &seen)));
            }
        });
        Ok(sink)
    }

    /// Distinct deliveries that arrived.
    pub fn distinct(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).keys.len()
    }

    /// Deliveries that arrived again.
    pub fn repeats(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).repeats
    }
}

fn answer(stream: TcpStream, seen: &Mutex<Seen>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = http::read(&mut reader)? {
        let key = request.header("idempotency-key").unwrap_or_default().to_owned();
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if !seen.keys.insert(key) {
                seen.repeats += 1;
            }
        }
        writer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    }
    Ok(())
}

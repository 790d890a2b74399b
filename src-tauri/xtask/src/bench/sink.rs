//! Two destinations that answer 204 to everything, and the record of when each event arrived at both.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::http;

/// Stands before an event's number in its body, and stays there through the mapping.
pub const MARK: &str = "bench-event-";
/// Destinations of each event.
pub const SINKS: usize = 2;
/// The most events of one run.
const EVENTS: usize = 1 << 20;

#[derive(Default)]
struct Event {
    /// Microseconds since the record began, plus one; 0: not yet.
    due: AtomicU64,
    arrived: [AtomicU64; SINKS],
    accepted: AtomicBool,
}

/// What was sent, accepted and has arrived.
pub struct Arrivals {
    began: Instant,
    next: AtomicUsize,
    events: Vec<Event>,
    repeats: AtomicUsize,
}

impl Arrivals {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            next: AtomicUsize::new(0),
            events: std::iter::repeat_with(Event::default).take(EVENTS).collect(),
            repeats: AtomicUsize::new(0),
        }
    }

    /// The number of the next event; none where the record is full.
    pub fn next(&self, due: Instant) -> Option<usize> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.events.get(number)?.due.store(self.stamp(due), Ordering::Relaxed);
        Some(number)
    }

    pub fn accepted(&self, number: usize) {
        if let Some(event) = self.events.get(number) {
            event.accepted.store(true, Ordering::Relaxed);
        }
    }

    fn arrived(&self, sink: usize, number: usize) {
        let Some(at) = self.events.get(number).and_then(|event| event.arrived.get(sink)) else { return };
        let now = self.stamp(Instant::now());
        if at.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            self.repeats.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn stamp(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_micros()).unwrap_or(u64::MAX) + 1
    }

    pub fn repeats(&self) -> usize {
        self.repeats.load(Ordering::Relaxed)
    }

    /// From here on, later numbers are another run's.
    pub fn mark(&self) -> usize {
        self.next.load(Ordering::Relaxed)
    }

    /// Of the accepted since `from`: from when each was due until it had arrived at both; and how many have not.
    pub fn both(&self, from: usize) -> (Vec<Duration>, usize) {
        let mut latencies = Vec::new();
        let mut missing = 0;
        for event in self.events.iter().take(self.mark()).skip(from) {
            if !event.accepted.load(Ordering::Relaxed) {
                continue;
            }
            let arrived = event.arrived.each_ref().map(|at| at.load(Ordering::Relaxed));
            if arrived.contains(&0) {
                missing += 1;
                continue;
            }
            let last = arrived.into_iter().max().unwrap_or(0);
            latencies.push(Duration::from_micros(last.saturating_sub(event.due.load(Ordering::Relaxed))));
        }
        (latencies, missing)
    }

    /// Waits until all that was accepted since `from` has arrived at both, at most so long.
    pub fn wait(&self, from: usize, most: Duration) {
        let end = Instant::now() + most;
        while Instant::now() < end && self.both(from).1 > 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Lives as long as the process.
pub struct Sinks {
    pub addresses: Vec<SocketAddr>,
    pub arrivals: Arc<Arrivals>,
}

impl Sinks {
    pub fn start() -> Result<Self> {
        let arrivals = Arc::new(Arrivals::new());
        let mut addresses = Vec::new();
        for sink in 0..SINKS {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            addresses.push(listener.local_addr()?);
            let arrivals = arrivals.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let arrivals = arrivals.clone();
                    // A connection that breaks is the sender's to open again.
                    std::thread::spawn(move || drop(answer(stream, sink, &arrivals)));
                }
            });
        }
        Ok(Self { addresses, arrivals })
    }
}

fn answer(stream: TcpStream, sink: usize, arrivals: &Arrivals) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = http::read(&mut reader)? {
        if let Some(number) = number(&request.body) {
            arrivals.arrived(sink, number);
        }
        writer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    }
    Ok(())
}

/// The number of the event that a body was made of.
pub fn number(body: &[u8]) -> Option<usize> {
    let at = body.windows(MARK.len()).position(|window| window == MARK.as_bytes())?;
    let digits = body.get(at + MARK.len()..)?;
    let digits: Vec<u8> = digits.iter().copied().take_while(u8::is_ascii_digit).collect();
    String::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_arrived_when_both_sinks_have_it() {
        let arrivals = Arrivals::new();
        let number = arrivals.next(Instant::now()).unwrap();
        arrivals.accepted(number);
        arrivals.arrived(0, number);
        assert_eq!(arrivals.both(0).1, 1);
        arrivals.arrived(1, number);
        arrivals.arrived(1, number);
        assert_eq!((arrivals.both(0).0.len(), arrivals.both(0).1), (1, 0));
        assert_eq!(arrivals.repeats(), 1);
    }
}

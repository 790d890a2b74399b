//! Senders of signed events, each waiting for its answer before the next.

use std::io::BufReader;
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::http;
use super::program::SIGNING_KEY;

/// The size of an event's body, in bytes.
const EVENT: usize = 1024;

pub struct Load {
    /// `host:port` of the ingress.
    pub ingress: String,
    pub senders: usize,
    pub lasts: Duration,
}

#[derive(Default)]
pub struct Outcome {
    pub accepted: usize,
    pub refused: usize,
    /// From the first byte sent to the whole answer, of the accepted.
    pub latencies: Vec<Duration>,
}

impl Load {
    /// Sends until the time is over.
    ///
    /// # Errors
    /// Where a connection cannot be opened, or breaks.
    pub fn run(&self) -> Result<Outcome> {
        let outcomes: Vec<Result<Outcome>> = std::thread::scope(|scope| {
            let senders: Vec<_> = (0..self.senders).map(|sender| scope.spawn(move || self.send(sender))).collect();
            senders.into_iter().map(|sender| sender.join().map_err(|_| anyhow!("a sender broke"))?).collect()
        });
        let mut sum = Outcome::default();
        for outcome in outcomes {
            let outcome = outcome?;
            sum.accepted += outcome.accepted;
            sum.refused += outcome.refused;
            sum.latencies.extend(outcome.latencies);
        }
        Ok(sum)
    }

    fn send(&self, sender: usize) -> Result<Outcome> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SIGNING_KEY);
        let mut stream =
            TcpStream::connect(&self.ingress).with_context(|| format!("no ingress at {}", self.ingress))?;
        stream.set_nodelay(true)?;
        let mut answers = BufReader::new(stream.try_clone()?);
        let mut outcome = Outcome::default();
        let end = Instant::now() + self.lasts;
        for number in 0_usize.. {
            let began = Instant::now();
            if began >= end {
                break;
            }
            let id = format!("msg_{sender}_{number}");
            let body = event(sender, number);
            let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().to_string();
            let signed = [id.as_bytes(), b".", seconds.as_bytes(), b".", &body].concat();
            let signature = format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)));
            let headers = [
                ("content-type", "application/json"),
                ("webhook-id", id.as_str()),
                ("webhook-timestamp", seconds.as_str()),
                ("webhook-signature", signature.as_str()),
            ];
            http::send(&mut stream, "POST", "/hooks/bench", &headers, &body)?;
            let answer = http::read(&mut answers)?.context("the ingress closed a connection")?;
            if (200..300).contains(&answer.status()?) {
                outcome.accepted += 1;
                outcome.latencies.push(began.elapsed());
            } else {
                outcome.refused += 1;
            }
        }
        Ok(outcome)
    }
}

/// A contact of exactly [`EVENT`] bytes.
fn event(sender: usize, number: usize) -> Vec<u8> {
    let head = format!(
        r#"{{"type":"contact.changed","data":{{"Id":"003-{sender}-{number}","Email":"p{number}@acme.test","LastName":"Doe","Note":""#
    );
    let tail = r#""}}"#;
    let filling = EVENT.saturating_sub(head.len() + tail.len());
    [head.as_bytes(), "x".repeat(filling).as_bytes(), tail.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_kibibyte_of_json() {
        let body = event(31, 123_456);
        assert_eq!(body.len(), EVENT);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["data"]["Id"], "003-31-123456");
    }
}

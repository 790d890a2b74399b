//! Senders of signed events: as many as the program takes (each waits for its answer before its next), or at a fixed
//! rate.

use std::io::BufReader;
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::http;
use super::program::SIGNING_KEY;
use super::sink::{Arrivals, MARK};

/// The size of an event's body, in bytes.
const EVENT: usize = 1024;

#[derive(Clone, Copy)]
pub enum Pace {
    /// The next event when the answer to the last is there.
    Closed,
    /// So many events a second, whatever the answers do. Latencies count from when an event was due, so that one slow
    /// answer does not hide the others that it kept from being sent.
    Open { per_second: u32 },
}

pub struct Load {
    /// `host:port`.
    pub to: String,
    pub senders: usize,
    pub lasts: Duration,
    pub pace: Pace,
}

#[derive(Default)]
pub struct Outcome {
    pub accepted: usize,
    pub refused: usize,
    pub took: Duration,
    /// From when an event was due to the whole answer, of the accepted.
    pub latencies: Vec<Duration>,
}

impl Load {
    /// Sends until the time is over, and tells `arrivals` what was accepted.
    ///
    /// # Errors
    /// Where a connection cannot be opened, or breaks.
    pub fn run(&self, arrivals: &Arrivals) -> Result<Outcome> {
        let began = Instant::now();
        let outcomes: Vec<Result<Outcome>> = std::thread::scope(|scope| {
            let send = |sender| scope.spawn(move || self.send(sender, began, arrivals));
            let senders: Vec<_> = (0..self.senders).map(send).collect();
            senders.into_iter().map(|sender| sender.join().map_err(|_| anyhow!("a sender broke"))?).collect()
        });
        let mut sum = Outcome { took: began.elapsed(), ..Outcome::default() };
        for outcome in outcomes {
            let outcome = outcome?;
            sum.accepted += outcome.accepted;
            sum.refused += outcome.refused;
            sum.latencies.extend(outcome.latencies);
        }
        Ok(sum)
    }

    fn send(&self, sender: usize, began: Instant, arrivals: &Arrivals) -> Result<Outcome> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SIGNING_KEY);
        let mut stream = TcpStream::connect(&self.to).with_context(|| format!("nothing listens at {}", self.to))?;
        stream.set_nodelay(true)?;
        let mut answers = BufReader::new(stream.try_clone()?);
        let mut outcome = Outcome::default();
        for turn in 0_u32.. {
            let due = match self.pace {
                Pace::Closed => Instant::now(),
                Pace::Open { per_second } => {
                    let number = f64::from(turn) * self.senders as f64 + sender as f64;
                    let due = began + Duration::from_secs_f64(number / f64::from(per_second));
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    due
                }
            };
            if due >= began + self.lasts {
                break;
            }
            let Some(number) = arrivals.next(due) else { break };
            let id = format!("msg_{}_{number}", std::process::id());
            let body = event(number);
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
            let answer = http::read(&mut answers)?.context("the other side closed a connection")?;
            if (200..300).contains(&answer.status()?) {
                outcome.accepted += 1;
                outcome.latencies.push(due.elapsed());
                arrivals.accepted(number);
            } else {
                outcome.refused += 1;
            }
        }
        Ok(outcome)
    }
}

/// A contact of exactly [`EVENT`] bytes, each of another key.
fn event(number: usize) -> Vec<u8> {
    let head = format!(
        r#"{{"type":"contact.changed","data":{{"Id":"003{number}","Email":"P{number}@acme.test","LastName":"Doe","Note":"{MARK}{number}."#
    );
    let tail = r#""}}"#;
    let filling = EVENT.saturating_sub(head.len() + tail.len());
    [head.as_bytes(), "x".repeat(filling).as_bytes(), tail.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_kibibyte_of_json_and_tells_its_number() {
        let body = event(123_456);
        assert_eq!(body.len(), EVENT);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["data"]["Id"], "003123456");
        assert_eq!(super::super::sink::number(&body), Some(123_456));
    }
}

//! What was measured: lines for people that stay the same from run to run, or JSON for programs.

use std::time::Duration;

use serde_json::{Map, Value, json};

#[derive(Default)]
pub struct Report {
    json: bool,
    sections: Map<String, Value>,
}

impl Report {
    pub fn new(json: bool) -> Self {
        Self { json, sections: Map::new() }
    }

    pub fn section(&self, title: &str) {
        if !self.json {
            println!("\n{title}");
        }
    }

    /// One figure or a few that belong together: under `key` in the JSON, after `name` in the text.
    pub fn line(&mut self, key: &str, name: &str, text: &str, value: Value) {
        if !self.json {
            println!("  {name:<34} {text}");
        }
        self.sections.insert(key.to_owned(), value);
    }

    pub fn finish(self) {
        if self.json {
            println!("{}", Value::Object(self.sections));
        }
    }
}

/// The median, the 95th and the 99th percentile, in milliseconds.
pub struct Percentiles {
    p50: f64,
    p95: f64,
    p99: f64,
}

impl Percentiles {
    pub fn of(mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        let at = |share: f64| {
            let index = ((latencies.len() as f64 * share).ceil() as usize).saturating_sub(1);
            latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
        };
        Self { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
    }

    pub fn text(&self) -> String {
        format!("p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms", self.p50, self.p95, self.p99)
    }

    pub fn json(&self) -> Value {
        json!({ "p50_ms": self.p50, "p95_ms": self.p95, "p99_ms": self.p99 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let latencies = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(Percentiles::of(latencies).text(), "p50 50.0 ms, p95 95.0 ms, p99 99.0 ms");
    }
}

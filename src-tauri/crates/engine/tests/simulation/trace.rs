//! Everything that happened in a run, in order: its hash tells whether two runs were the same.

use parking_lot::Mutex;
use signalbox_model::Timestamp;

#[derive(Default)]
pub struct Trace(Mutex<Vec<String>>);

impl Trace {
    pub fn say(&self, at: Timestamp, what: &str) {
        self.0.lock().push(format!("{at} {what}"));
    }

    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for line in self.0.lock().iter() {
            hasher.update(line.as_bytes());
            hasher.update(b"\n");
        }
        hasher.finalize().to_hex().to_string()
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().clone()
    }

    /// The end of the story, for a failure's message.
    pub fn tail(&self, lines: usize) -> String {
        let all = self.0.lock();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

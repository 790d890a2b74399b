//! Everything that happened in a run, in order: two runs of one seed have the same.

use parking_lot::Mutex;
use signalbox_model::Timestamp;

#[derive(Default)]
pub struct Trace(Mutex<Vec<String>>);

impl Trace {
    pub fn say(&self, at: Timestamp, what: &str) {
        self.0.lock().push(format!("{at} {what}"));
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

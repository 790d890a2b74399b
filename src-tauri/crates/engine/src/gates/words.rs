//! Times and spans in sentences.

use std::time::Duration;

use signalbox_model::Timestamp;

/// `14:01:20`, UTC.
pub fn time_of_day(at: Timestamp) -> String {
    at.to_utc().format("%H:%M:%S").to_string()
}

pub fn span(wait: Duration) -> String {
    match wait.as_secs() {
        0 => "less than a second".into(),
        seconds @ 1..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} m", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

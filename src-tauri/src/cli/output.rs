//! What commands print: text for people, or JSON.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use chrono::{DateTime, Local};
use serde_json::Value;

use super::error::CliError;

pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    pub(super) fn line(&self, text: &str) -> Result<(), CliError> {
        Ok(writeln!(io::stdout().lock(), "{text}")?)
    }

    pub(super) fn json(&self, value: &Value) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
        Ok(writeln!(out)?)
    }

    /// Replaces the line before on a terminal; elsewhere only the last one is worth a line.
    pub(super) fn progress(&self, text: &str, last: bool) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        if out.is_terminal() {
            write!(out, "\r\x1b[K{text}")?;
            if last {
                writeln!(out)?;
            }
            out.flush()?;
        } else if last {
            writeln!(out, "{text}")?;
        }
        Ok(())
    }

    pub(super) fn error(&self, error: &CliError) -> ExitCode {
        let code = ExitCode::from(error.code());
        if let CliError::Output(source) = error
            && source.kind() == io::ErrorKind::BrokenPipe
        {
            // `signalbox deliveries | head` has what it wanted.
            return ExitCode::SUCCESS;
        }
        let printed = if self.json {
            self.json(&error.to_json())
        } else {
            writeln!(io::stderr().lock(), "signalbox: {}", clean(&error.to_string())).map_err(CliError::from)
        };
        if printed.is_ok() { code } else { ExitCode::FAILURE }
    }
}

/// Aligned columns; the last one may be as long as it likes. Empty where there are no rows.
pub(super) fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
    let cell_width = |text: &str| text.chars().count();
    let widths: Vec<usize> = headers
        .iter()
        .enumerate()
        .map(|(column, header)| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell_width(cell));
            cells.chain([cell_width(header)]).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (cell, width) in cells.zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell_width(cell)) + 2));
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(&mut headers.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

/// Payloads choose some of what is printed: nothing of it may move the cursor or turn the writing round.
pub(super) fn clean(text: &str) -> String {
    let hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if hidden(letter) { '\u{fffd}' } else { letter }).collect()
}

/// The text at a path of keys; a dash where there is none.
pub(super) fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}

pub(super) fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

pub(super) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// An RFC 3339 time as the clock on the wall says it: date and seconds.
pub(super) fn local_time(value: &Value, key: &str) -> String {
    let Some(text) = value.get(key).and_then(Value::as_str) else { return "-".to_owned() };
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at.with_timezone(&Local).format("%m-%d %H:%M:%S").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// `184 ms`, `1.2 s`, `3 m`, `5 h`
pub(super) fn duration(value: &Value, key: &str) -> String {
    match value.get(key).and_then(Value::as_f64) {
        None => "-".to_owned(),
        Some(ms) if ms < 1_000.0 => format!("{ms:.0} ms"),
        Some(ms) if ms < 120_000.0 => format!("{:.1} s", ms / 1_000.0),
        Some(ms) if ms < 7_200_000.0 => format!("{:.0} m", ms / 60_000.0),
        Some(ms) => format!("{:.0} h", ms / 3_600_000.0),
    }
}

/// `98.4%`
pub(super) fn percent(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_f64).map_or_else(|| "-".to_owned(), |share| format!("{:.1}%", share * 100.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_stand_under_their_headers() {
        let rows = [vec!["dead".to_owned(), "1".to_owned()], vec!["é".to_owned(), "22".to_owned()]];
        assert_eq!(table(&["STATE", "N"], &rows), "STATE  N\ndead   1\né      22");
        assert_eq!(table(&["STATE"], &[]), "");
    }

    #[test]
    fn a_payload_cannot_steer_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\r\n\u{202e}c"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c");
    }

    #[test]
    fn figures_are_short() {
        let value = json!({ "a": 184, "b": 1_200, "c": 180_000, "d": 0.984, "e": null });
        assert_eq!(duration(&value, "a"), "184 ms");
        assert_eq!(duration(&value, "b"), "1.2 s");
        assert_eq!(duration(&value, "c"), "3 m");
        assert_eq!(duration(&value, "e"), "-");
        assert_eq!(percent(&value, "d"), "98.4%");
        assert_eq!(text(&value, "e"), "-");
    }
}

//! The body as another program would have written it: between the sender and here something may have read the JSON and
//! written it anew.

use serde_json::Value;

use super::json::{Style, pretty, write};
use super::trial::Trial;
use super::{Change, Finding};
use crate::verify::Incoming;

const BOM: &[u8] = b"\xef\xbb\xbf";

pub(super) fn look(trial: &mut Trial<'_>) -> Option<Finding> {
    let request = trial.patient.request;
    let mut found = |body: &[u8], what: &str| {
        (body != request.body && trial.passes(&Incoming { body, ..request })).then(|| finding(what))
    };
    for (body, what) in endings(request.body) {
        if let Some(finding) = found(&body, what) {
            return Some(finding);
        }
    }
    let value: Value = serde_json::from_slice(request.body).ok()?;
    for (sorted, order) in [(false, ""), (true, ", its keys sorted")] {
        for (spaced, space) in [(false, "without spaces"), (true, "with a space after ':' and ','")] {
            for (ascii, letters) in [(false, ""), (true, ", other letters than ASCII as \\u…")] {
                for (slashes, slash) in [(false, ""), (true, ", '/' as '\\/'")] {
                    let text = write(&value, Style { spaced, sorted, ascii, slashes });
                    let what = format!("written {space}{order}{letters}{slash}");
                    if let Some(finding) = found(text.as_bytes(), &what) {
                        return Some(finding);
                    }
                }
            }
        }
    }
    for indent in [2, 4] {
        for end in ["", "\n"] {
            let mut text = pretty(&value, indent);
            text.extend_from_slice(end.as_bytes());
            let what = format!("written over several lines, {indent} spaces deep");
            if let Some(finding) = found(&text, &what) {
                return Some(finding);
            }
        }
    }
    let mut compact = write(&value, Style::default());
    compact.push('\n');
    found(compact.as_bytes(), "written without spaces, with a line break at its end")
}

/// Changes of the bytes alone.
fn endings(body: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let with = |end: &[u8]| [body, end].concat();
    let mut unix = Vec::with_capacity(body.len());
    for (index, byte) in body.iter().enumerate() {
        if !(*byte == b'\r' && body.get(index + 1) == Some(&b'\n')) {
            unix.push(*byte);
        }
    }
    let windows = unix.iter().flat_map(|byte| if *byte == b'\n' { &b"\r\n"[..] } else { std::slice::from_ref(byte) });
    let windows: Vec<u8> = windows.copied().collect();
    vec![
        (body.trim_ascii_end().to_vec(), "without the white space at its end"),
        (with(b"\n"), "with a line break at its end"),
        (with(b"\r\n"), "with a line break at its end"),
        (unix, "with line ends of Unix instead of Windows"),
        (windows, "with line ends of Windows instead of Unix"),
        (body.strip_prefix(BOM).unwrap_or(body).to_vec(), "without the byte order mark"),
        ([BOM, body].concat(), "with a byte order mark"),
        (Vec::new(), "left out"),
    ]
}

fn finding(what: &str) -> Finding {
    Finding {
        change: Change::Body,
        text: format!("The signature is right for the same body {what}: the bytes that were signed are not those that arrived."),
        fix: "Let the sender sign the very bytes that it sends, and let proxies and functions in between pass the body on \
              unread."
            .to_owned(),
        sure: true,
    }
}

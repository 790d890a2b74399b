//! Bodies in the formats that senders use.

use signalbox_transform::{Format, Value, parse_json, read_body_as};

const LARGEST: usize = 64 << 20;

/// What was read and written is read as the same again.
fn holds(value: &Value) {
    // Larger than the budget is an answer too.
    let Ok(written) = value.to_json_bytes(LARGEST) else { return };
    let again = parse_json(&written).expect("what was written can be read").value;
    assert_eq!(again.to_json_bytes(LARGEST).expect("it was written before"), written);
}

pub(crate) fn json(data: &[u8]) {
    if let Ok(parsed) = parse_json(data) {
        holds(&parsed.value);
    }
}

pub(crate) fn xml(data: &[u8]) {
    if let Ok((parsed, _)) = read_body_as(Format::Xml, None, data) {
        holds(&parsed.value);
    }
}

pub(crate) fn csv(data: &[u8]) {
    for content_type in ["text/csv", "text/csv; header=absent"] {
        if let Ok((parsed, _)) = read_body_as(Format::Csv, Some(content_type), data) {
            holds(&parsed.value);
        }
    }
}

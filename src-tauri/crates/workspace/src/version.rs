//! Versions: a digest over settings, so that an edit of a comment is not a new version.

use toml::de::{DeTable, DeValue};

/// 12 hexadecimal digits: 48 bits, plenty to tell the versions of one file apart.
const DIGITS: usize = 12;

pub(crate) fn version_of(table: &DeTable<'_>, files: &[(String, String)]) -> String {
    let mut hasher = blake3::Hasher::new();
    hash_table(&mut hasher, table);
    for (file, text) in files {
        hash_text(&mut hasher, b'f', file);
        hash_text(&mut hasher, b'c', text);
    }
    hasher.finalize().to_hex().chars().take(DIGITS).collect()
}

/// Tag and length before every text, so that two different trees cannot give the same bytes.
fn hash_text(hasher: &mut blake3::Hasher, tag: u8, text: &str) {
    hasher.update(&[tag]);
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

fn hash_table(hasher: &mut blake3::Hasher, table: &DeTable<'_>) {
    hasher.update(b"{");
    hasher.update(&(table.len() as u64).to_le_bytes());
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.get_ref().to_string());
    for (key, value) in entries {
        hash_text(hasher, b'k', key.get_ref());
        hash_value(hasher, value.get_ref());
    }
}

fn hash_value(hasher: &mut blake3::Hasher, value: &DeValue<'_>) {
    match value {
        DeValue::String(text) => hash_text(hasher, b's', text),
        DeValue::Integer(number) => hash_text(hasher, b'i', &number.to_string()),
        DeValue::Float(number) => hash_text(hasher, b'n', number.as_str()),
        DeValue::Boolean(yes) => hash_text(hasher, b'b', if *yes { "true" } else { "false" }),
        DeValue::Datetime(at) => hash_text(hasher, b'd', &at.to_string()),
        DeValue::Array(values) => {
            hasher.update(b"[");
            hasher.update(&(values.len() as u64).to_le_bytes());
            for value in values {
                hash_value(hasher, value.get_ref());
            }
        }
        DeValue::Table(table) => hash_table(hasher, table),
    }
}

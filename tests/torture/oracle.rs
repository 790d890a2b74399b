//! What is right with a ledger, asked past the store.

use std::path::Path;

use signalbox_store::sqlite::SqliteStore;

use crate::sqlite::Ledger;

/// Everything in the ledger but its count of boots; the same for the same rows, however they lie in the file.
pub type Digest = u128;

/// Rows that SQLite itself would allow and the rules forbid.
const RULES: [(&str, &str); 4] = [
    (
        "two deliveries of one key are on their way",
        "SELECT hex(min(id)) FROM delivery WHERE key IS NOT NULL AND state IN ('queued', 'retrying', 'sending')
         GROUP BY lane, key HAVING count(*) > 1",
    ),
    (
        "a delivery is held and nothing of its key goes before it",
        "SELECT hex(h.id) FROM delivery h WHERE h.state = 'held' AND NOT EXISTS (
           SELECT 1 FROM delivery b WHERE b.lane = h.lane AND b.key = h.key AND b.id <> h.id
           AND (b.state IN ('queued', 'retrying', 'sending') OR b.state = 'dead' AND b.park = 1 AND b.id < h.id))",
    ),
    (
        "a delivery has no event, or nothing to send",
        "SELECT hex(d.id) FROM delivery d LEFT JOIN event e ON e.id = d.event
         WHERE e.id IS NULL OR d.revision > 0 AND NOT EXISTS (
           SELECT 1 FROM revision r WHERE r.delivery = d.id AND r.number = d.revision)",
    ),
    (
        "an event has no body",
        "SELECT hex(e.id) FROM event e LEFT JOIN event_body b ON b.seq = e.seq
         WHERE b.seq IS NULL OR length(b.body) <> e.size",
    ),
];

/// Opens the image as the program does and looks at everything. `Err` says what is wrong.
pub async fn examine(
    store: Result<std::sync::Arc<SqliteStore>, signalbox_store::StoreError>,
    dir: &Path,
) -> Result<Digest, String> {
    let store = store.map_err(|error| error.to_string())?;
    let looked = look(dir);
    store.close().await;
    looked
}

/// At a ledger that the store has open, or nobody.
pub fn look(dir: &Path) -> Result<Digest, String> {
    let ledger = Ledger::on_disk(dir)?;
    let found = ledger.texts("PRAGMA integrity_check(5)")?;
    if found != ["ok"] {
        return Err(format!("integrity_check: {}", found.join("; ")));
    }
    for (wrong, sql) in RULES {
        let rows = ledger.texts(sql)?;
        if let Some(first) = rows.first() {
            return Err(format!("{wrong}: {first} and {} more", rows.len() - 1));
        }
    }
    let mut whole = true;
    ledger.each("SELECT e.body_hash, b.body FROM event e JOIN event_body b ON b.seq = e.seq", |columns| {
        let (hash, body) = (columns.next(), columns.next());
        let same = hash.zip(body).is_some_and(|((_, hash), (_, body))| hash == blake3::hash(body).as_bytes());
        whole &= same;
    })?;
    if !whole {
        return Err("the body of an event is not what was accepted".to_owned());
    }
    digest(&ledger)
}

pub fn digest(ledger: &Ledger) -> Result<Digest, String> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'meta'";
    let (mut sum, mut whole): (Digest, Vec<u8>) = (0, Vec::new());
    for table in ledger.texts(tables)? {
        ledger.each(&format!("SELECT * FROM {table}"), |columns| {
            whole.clear();
            whole.extend_from_slice(table.as_bytes());
            for (kind, bytes) in columns {
                whole.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                whole.push(kind);
                whole.extend_from_slice(bytes);
            }
            let hash = *blake3::hash(&whole).as_bytes();
            sum = sum.wrapping_add(u128::from_le_bytes(hash[..16].try_into().expect("16 of 32 bytes")));
        })?;
    }
    Ok(sum)
}

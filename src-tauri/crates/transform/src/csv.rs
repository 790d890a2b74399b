//! CSV (RFC 4180) as JSON: the first row names the columns, each further row is an object of strings.

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use crate::error::{ReadError, position};
use crate::value::Value;

const MAX_COLUMNS: usize = 1_000;
/// Fields of one document.
const MAX_FIELDS: usize = 500_000;

/// Reads a document with a header row. Blank lines are left out.
pub(crate) fn read_csv(bytes: &[u8], delimiter: u8) -> Result<Value, ReadError> {
    if let Err(fault) = std::str::from_utf8(bytes) {
        let (line, column) = position(bytes, fault.valid_up_to());
        let message = "the CSV is not UTF-8, the only encoding that is read".to_owned();
        return Err(ReadError { message, line, column });
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).has_headers(true).flexible(false).from_reader(bytes);
    let names = reader.headers().map_err(|error| fault(&error))?.clone();
    check_names(&names).map_err(|message| ReadError { message, line: 1, column: 1 })?;
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    let mut fields = 0;
    while reader.read_record(&mut record).map_err(|error| fault(&error))? {
        fields += names.len();
        if fields > MAX_FIELDS {
            let line = record.position().map_or(1, |position| line(position.line()));
            return Err(ReadError { message: format!("the CSV has more than {MAX_FIELDS} fields"), line, column: 1 });
        }
        rows.push(Value::object(names.iter().zip(record.iter().map(Value::string))));
    }
    Ok(Value::array(rows))
}

fn check_names(names: &StringRecord) -> Result<(), String> {
    if names.len() > MAX_COLUMNS {
        return Err(format!("the CSV has more than {MAX_COLUMNS} columns"));
    }
    let mut seen = std::collections::HashSet::new();
    for (at, name) in (1..).zip(names) {
        if name.is_empty() {
            return Err(format!("column {at} of the CSV has no name in the first row"));
        }
        if !seen.insert(name) {
            let name: String = name.chars().take(64).collect();
            return Err(format!("two columns of the CSV are named '{name}'"));
        }
    }
    Ok(())
}

fn fault(error: &csv::Error) -> ReadError {
    let at = error.position().map_or(1, |position| line(position.line()));
    let message = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("a row of the CSV has {len} fields where the first row names {expected_len}")
        }
        _ => format!("the CSV cannot be read: {error}"),
    };
    ReadError { message, line: at, column: 1 }
}

fn line(line: u64) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}

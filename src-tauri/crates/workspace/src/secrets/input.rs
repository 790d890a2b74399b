//! A secret's value as a person or a program hands it in: on standard input.

use std::io::Read;

use secrecy::SecretString;
use zeroize::Zeroizing;

/// Longer than any token or key that a vendor hands out, and short enough for every keyring.
const LONGEST: usize = 64 << 10;

#[derive(Debug, thiserror::Error)]
pub enum InputError {
    #[error("the value is empty: write it to standard input, as in `printf %s \"$TOKEN\" | signalbox secret set NAME`")]
    Empty,
    #[error("the value is longer than 64 KiB")]
    TooLong,
    #[error("the value is not UTF-8 text")]
    NotText,
    #[error("standard input cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

/// Reads to the end and takes one line break off, which `echo` and the return key add.
///
/// # Errors
/// See [`InputError`].
pub fn read_value(input: impl Read) -> Result<SecretString, InputError> {
    // With its whole capacity from the start, so that growing leaves no copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 3));
    input.take(LONGEST as u64 + 3).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| InputError::NotText)?;
    let value = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if value.is_empty() {
        return Err(InputError::Empty);
    }
    if value.len() > LONGEST {
        return Err(InputError::TooLong);
    }
    Ok(SecretString::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_the_value() {
        for (input, value) in
            [("abc", "abc"), ("abc\n", "abc"), ("abc\r\n", "abc"), ("abc\n\n", "abc\n"), (" a ", " a ")]
        {
            assert_eq!(read_value(input.as_bytes()).unwrap().expose_secret(), value);
        }
    }

    #[test]
    fn an_empty_an_endless_and_a_binary_value_are_refused() {
        assert!(matches!(read_value("\n".as_bytes()), Err(InputError::Empty)));
        assert!(matches!(read_value(std::io::repeat(b'x')), Err(InputError::TooLong)));
        assert!(matches!(read_value(&b"\xff"[..]), Err(InputError::NotText)));
    }
}

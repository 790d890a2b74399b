//! What may stand in a path, a query and a header value, and how values are encoded for them.

use std::fmt::Write;

/// What a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The path and query of a request (RFC 3986, sections 3.3 and 3.4), from its first `/`.
    PathAndQuery,
    /// The value of a header: visible ASCII, spaces and tabs (RFC 9110, section 5.5). Other text of a payload is
    /// percent-encoded as UTF-8, as CloudEvents do (HTTP protocol binding 1.0.2, section 3.1.3.2).
    Header,
}

/// Where in its place a hole stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    Path { encoded: bool },
    Query { encoded: bool },
    Header,
}

/// A fault in a literal part: byte offset and what is wrong.
type Fault = (usize, String);

impl Place {
    /// Checks text that the author wrote.
    pub(super) fn check_text(self, text: &str) -> Result<(), Fault> {
        let allowed = |char: &char| match self {
            Self::PathAndQuery => char.is_ascii_graphic() && !"\"<>\\^`{|}#".contains(*char),
            Self::Header => matches!(char, '\t' | ' '..='~'),
        };
        let Some((at, char)) = text.char_indices().find(|(_, char)| !allowed(char)) else { return Ok(()) };
        let hint = match self {
            Self::PathAndQuery => {
                format!("the character {char:?} cannot stand in a URL: write it as {}", percent(char))
            }
            Self::Header => format!("the character {char:?} cannot stand in a header"),
        };
        Err((at, hint))
    }

    /// `text` is all the literal text before the hole.
    pub(super) fn position(self, text: &str, expression: &str) -> Position {
        match self {
            Self::Header => Position::Header,
            Self::PathAndQuery => {
                let piped = expression.trim_end().strip_suffix("@uri").map(str::trim_end);
                let encoded = piped.is_some_and(|before| before.ends_with('|'));
                if text.contains('?') { Position::Query { encoded } } else { Position::Path { encoded } }
            }
        }
    }

    /// `first` is the literal text before the first hole.
    pub(super) fn check_template(self, first: &str, literal: Option<&str>) -> Result<(), String> {
        if self == Self::Header {
            return Ok(());
        }
        if !first.starts_with('/') {
            return Err("a path starts with '/'".to_owned());
        }
        self.check_result(literal.unwrap_or(first))
    }

    /// What came out must still be a path below this host, with the segments that the template says.
    pub(super) fn check_result(self, text: &str) -> Result<(), String> {
        if self == Self::Header {
            return Ok(());
        }
        let path = text.split('?').next().unwrap_or_default();
        if !path.starts_with('/') || path.starts_with("//") {
            return Err("the path must start with exactly one '/': after two comes the name of another host".to_owned());
        }
        if path.split('/').any(is_dots) {
            return Err("the path has a segment '.' or '..', which would name another resource".to_owned());
        }
        Ok(())
    }
}

/// Whether URL parsers take the segment for `.` or `..`, which they do in these spellings (WHATWG URL, 4.1).
fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

impl Position {
    /// `Err` says what the value is, as in "… gave an empty text".
    pub(super) fn encode(self, text: &str) -> Result<String, String> {
        match self {
            Self::Path { .. } if text.is_empty() => {
                Err("an empty text, which would make the path name another resource".to_owned())
            }
            Self::Path { encoded } | Self::Query { encoded } => Ok(encode(text, encoded)),
            // A line break would begin another header; other control characters mean nothing there.
            Self::Header => match text.chars().find(|char| char.is_ascii_control() && *char != '\t') {
                Some(char) => {
                    Err(format!("text with the character U+{:04X}, which cannot stand in a header", u32::from(char)))
                }
                None if text.is_ascii() => Ok(text.to_owned()),
                None => {
                    Ok(text.chars().map(|char| if char.is_ascii() { char.into() } else { percent(char) }).collect())
                }
            },
        }
    }
}

/// Only unreserved characters (RFC 3986, section 2.3) stay. Of text that the program has encoded, `%41` stays as well.
fn encode(text: &str, encoded: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        let escape = || text.as_bytes().get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        if char.is_ascii_alphanumeric() || "-._~".contains(char) || (char == '%' && encoded && escape()) {
            out.push(char);
        } else {
            out.push_str(&percent(char));
        }
    }
    out
}

fn percent(char: char) -> String {
    let mut buffer = [0; 4];
    let mut out = String::new();
    for byte in char.encode_utf8(&mut buffer).bytes() {
        // Writing to a string cannot fail.
        let _ = write!(out, "%{byte:02X}");
    }
    out
}

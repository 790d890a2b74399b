//! The strict JSON reader: RFC 8259 and nothing beside it.
//!
//! Numbers keep their digits, members keep their order. Of members with one name the last counts, as everywhere, but
//! the document is flagged. A byte order mark at the start is skipped (RFC 8259, section 8.1, allows it). What the
//! grammar allows and text cannot hold, a lone surrogate, is an error.

use crate::error::{ReadError, position};
use crate::meter;
use crate::pieces::Places;
use crate::value::{Array, Num, Object, Str, Val, Value, number};

/// Containers inside containers that a document may have.
pub const MAX_DEPTH: usize = 128;
/// Values in one document: a bound on what a body of many tiny values takes in memory.
const MAX_VALUES: usize = 2_000_000;

/// A document and what is odd about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    pub value: Value,
    /// Some object names a member twice. The last one is in `value`.
    pub duplicate_keys: bool,
    pub(crate) places: Places,
}

/// Reads one JSON document.
pub fn parse_json(bytes: &[u8]) -> Result<Parsed, ReadError> {
    parse(bytes, Places::none())
}

pub(crate) fn parse(bytes: &[u8], places: Places) -> Result<Parsed, ReadError> {
    let error = |message: String, offset: usize| {
        let (line, column) = position(bytes, offset);
        ReadError { message, line, column }
    };
    let text =
        std::str::from_utf8(bytes).map_err(|fault| error("the text is not UTF-8".to_owned(), fault.valid_up_to()))?;
    read(text, places).map_err(|fault| error(fault.message, fault.at))
}

/// Reads one JSON document inside a run. The error has no line and column: the text is a value of the program.
pub(crate) fn parse_text(text: &str) -> Result<Val, String> {
    read(text, Places::none()).map(|parsed| parsed.value.0).map_err(|fault| fault.message)
}

fn read(text: &str, places: Places) -> Result<Parsed, Fault> {
    let mut reader = Reader { text, at: 0, values: 0, duplicate_keys: false, places };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    reader.space();
    let val = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(Parsed { value: Value(val), duplicate_keys: reader.duplicate_keys, places: reader.places }),
        Some(_) => Err(reader.fault("there is more after the end of the JSON document")),
    }
}

struct Fault {
    message: String,
    /// Byte offset.
    at: usize,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    values: usize,
    duplicate_keys: bool,
    places: Places,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { message: message.into(), at: self.at }
    }

    fn expected(&self, what: &str) -> Fault {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => self.fault(format!("the JSON ends where {what} is expected")),
            Some(found) if found.is_control() => {
                self.fault(format!("expected {what}, found the character U+{:04X}", u32::from(found)))
            }
            Some(found) => self.fault(format!("expected {what}, found '{found}'")),
        }
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn slice(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// Recursion is bounded by [`MAX_DEPTH`].
    fn value(&mut self, depth: usize) -> Result<Val, Fault> {
        meter::step();
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(self.fault(format!("the document has more than {MAX_VALUES} values")));
        }
        match self.peek() {
            Some(b'"') => Ok(Val::Str(self.string()?)),
            Some(b'{' | b'[') => {
                let start = self.at;
                let val = if self.peek() == Some(b'{') { self.object(depth + 1) } else { self.array(depth + 1) }?;
                self.places.note(&val, start..self.at);
                Ok(val)
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(Val::Num),
            Some(b't') => self.word("true", Val::Bool(true)),
            Some(b'f') => self.word("false", Val::Bool(false)),
            Some(b'n') => self.word("null", Val::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &str, val: Val) -> Result<Val, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(val)
    }

    fn deeper(&self, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return Err(self.fault(format!("nested more than {MAX_DEPTH} levels deep")));
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<Val, Fault> {
        self.deeper(depth)?;
        self.at += 1;
        self.space();
        let mut array = Array::builder();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(array.build());
        }
        loop {
            self.space();
            array.push(self.value(depth)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(array.build());
                }
                _ => return Err(self.expected("',' or ']'")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Val, Fault> {
        self.deeper(depth)?;
        self.at += 1;
        self.space();
        let mut object = Object::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(object.into_val());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.expected("a member name in double quotes"));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.expected("':'"));
            }
            self.at += 1;
            self.space();
            let val = self.value(depth)?;
            self.duplicate_keys |= object.insert(key, val).is_some();
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(object.into_val());
                }
                _ => return Err(self.expected("',' or '}'")),
            }
        }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Num, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if let Some(b'0'..=b'9') = self.peek() {
                return Err(self.fault("a number may not start with 0"));
            }
        } else {
            self.digits()?;
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.slice(start);
        if text.len() > number::MAX_CHARS {
            self.at = start;
            return Err(self.fault(number::too_long()));
        }
        Ok(number::from_json(text, whole))
    }

    /// At the opening quote.
    fn string(&mut self) -> Result<Str, Fault> {
        self.at += 1;
        let mut start = self.at;
        let mut unescaped: Option<String> = None;
        loop {
            match self.peek() {
                None => return Err(self.fault("the JSON ends inside a string")),
                Some(b'"') => {
                    let tail = self.slice(start);
                    self.at += 1;
                    return Ok(Str::new(match unescaped {
                        None => tail.to_owned(),
                        Some(mut text) => {
                            text.push_str(tail);
                            text
                        }
                    }));
                }
                Some(b'\\') => {
                    let text = unescaped.get_or_insert_default();
                    text.push_str(self.text.get(start..self.at).unwrap_or_default());
                    let char = self.escape()?;
                    unescaped.get_or_insert_default().push(char);
                    start = self.at;
                }
                Some(0..=0x1f) => {
                    return Err(self.fault("a control character in a string must be written as an escape, such as \\n"));
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// At the backslash.
    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.at += 1;
        let Some(kind) = self.peek() else { return Err(self.fault("the JSON ends inside a string")) };
        self.at += 1;
        Ok(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(start),
            _ => {
                self.at = start;
                return Err(self.fault("a backslash in a string is followed by one of \" \\ / b f n r t u"));
            }
        })
    }

    /// After `\u`. `start` is at the backslash.
    fn unicode(&mut self, start: usize) -> Result<char, Fault> {
        let first = self.hex()?;
        let lone = Fault { message: "a lone surrogate is half a character".to_owned(), at: start };
        let code = match first {
            0xd800..=0xdbff => {
                if !self.text.get(self.at..).unwrap_or_default().starts_with("\\u") {
                    return Err(lone);
                }
                self.at += 2;
                let second = self.hex()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(lone);
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            code => code,
        };
        char::from_u32(code).ok_or(lone)
    }

    fn hex(&mut self) -> Result<u32, Fault> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.fault("\\u is followed by four hexadecimal digits"))?;
        self.at += 4;
        Ok(code)
    }
}

//! A look at a program's tokens before the recursive parser sees them.
//!
//! The parser and the compiler of the jq library call themselves for every bracket, operator and keyword that nests.
//! Counting the tokens on the way to any place bounds how deep they go, without recursion.

use crate::error::CompileError;
use crate::value::number;

/// Bytes of a program.
pub(crate) const MAX_SOURCE: usize = 64 << 10;
/// Tokens between the start of a program and its deepest place, not counting what was closed before it.
const MAX_PATH: usize = 4_000;
/// Brackets, definitions and interpolations inside one another.
const MAX_NESTING: usize = 100;

enum Level {
    /// Waits for this closing bracket.
    Bracket(char),
    /// `\( … )` in a string: back to the string at the end.
    Interpolation,
    /// `def … ;`
    Definition,
}

struct Scan<'a> {
    source: &'a str,
    at: usize,
    levels: Vec<Level>,
    /// Tokens on each open level, and on the outermost.
    tokens: Vec<usize>,
    path: usize,
    words: Vec<&'a str>,
}

enum End {
    Source,
    /// Byte offset of the `}}`.
    Hole(usize),
}

/// Checks length and nesting. Gives every word of the program: the names it may call, and more.
pub(crate) fn check(source: &str) -> Result<Vec<&str>, CompileError> {
    if source.len() > MAX_SOURCE {
        let message = format!("the program is longer than {} KiB", MAX_SOURCE >> 10);
        return Err(CompileError { message, line: 1, column: 1, suggestion: None });
    }
    let mut scan = Scan::new(source);
    scan.run(false).map_err(|(at, message)| CompileError::at(source, at, message))?;
    Ok(scan.words)
}

/// Where the `}}` that ends a template's hole is, seen from the start of the program in it.
pub(crate) fn hole_end(source: &str) -> Option<usize> {
    match Scan::new(source).run(true) {
        Ok(End::Hole(at)) => Some(at),
        _ => None,
    }
}

type Fault = (usize, String);

impl<'a> Scan<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, at: 0, levels: Vec::new(), tokens: vec![0], path: 0, words: Vec::new() }
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn run(&mut self, in_hole: bool) -> Result<End, Fault> {
        while let Some(char) = self.rest().chars().next() {
            if in_hole && self.levels.is_empty() && self.rest().starts_with("}}") {
                return Ok(End::Hole(self.at));
            }
            let start = self.at;
            self.at += char.len_utf8();
            match char {
                '#' => self.comment(),
                '"' => {
                    self.token(start)?;
                    self.string()?;
                }
                '(' => self.open(start, Level::Bracket(')'))?,
                '[' => self.open(start, Level::Bracket(']'))?,
                '{' => self.open(start, Level::Bracket('}'))?,
                ')' | ']' | '}' => self.close(char)?,
                ';' => self.semicolon(),
                ',' => self.comma(),
                'a'..='z' | 'A'..='Z' | '_' | '@' | '$' => self.word(start)?,
                char if char.is_whitespace() => {}
                '0'..='9' => {
                    let literal = self.source.get(start..).unwrap_or_default().bytes();
                    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.';
                    if literal.take_while(part).nth(number::MAX_CHARS).is_some() {
                        return Err((start, number::too_long()));
                    }
                    self.skip(|char| char.is_ascii_alphanumeric());
                    self.token(start)?;
                }
                _ => self.token(start)?,
            }
        }
        Ok(End::Source)
    }

    fn skip(&mut self, part_of: impl Fn(char) -> bool) {
        self.at = self.source.len() - self.rest().trim_start_matches(part_of).len();
    }

    fn token(&mut self, at: usize) -> Result<(), Fault> {
        if let Some(count) = self.tokens.last_mut() {
            *count += 1;
        }
        self.path += 1;
        if self.path > MAX_PATH {
            let message =
                "too long a chain of operators, items or keywords: split it into definitions, or make it an object";
            return Err((at, message.to_owned()));
        }
        Ok(())
    }

    fn open(&mut self, at: usize, level: Level) -> Result<(), Fault> {
        self.token(at)?;
        if self.levels.len() >= MAX_NESTING {
            return Err((at, format!("nested more than {MAX_NESTING} levels deep")));
        }
        self.levels.push(level);
        self.tokens.push(0);
        Ok(())
    }

    fn leave(&mut self) -> Option<Level> {
        let level = self.levels.pop()?;
        self.path -= self.tokens.pop().unwrap_or(0);
        Some(level)
    }

    /// A bracket that closes nothing is left for the parser to complain about.
    fn close(&mut self, bracket: char) -> Result<(), Fault> {
        while let Some(Level::Definition) = self.levels.last() {
            self.leave();
        }
        match self.levels.last() {
            Some(Level::Interpolation) if bracket == ')' => {
                self.leave();
                self.string()
            }
            Some(Level::Bracket(expected)) if *expected == bracket => {
                self.leave();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Ends a definition, or an argument.
    fn semicolon(&mut self) {
        match self.levels.last() {
            Some(Level::Definition) => {
                self.leave();
            }
            _ => self.reset(),
        }
    }

    /// The members of an object stand beside each other; elsewhere a comma is an operator.
    fn comma(&mut self) {
        if let Some(Level::Bracket('}')) = self.levels.last() {
            self.reset();
        } else if let Some(count) = self.tokens.last_mut() {
            *count += 1;
            self.path += 1;
        }
    }

    fn reset(&mut self) {
        if let Some(count) = self.tokens.last_mut() {
            self.path -= std::mem::take(count);
        }
    }

    fn word(&mut self, start: usize) -> Result<(), Fault> {
        self.skip(|char| char.is_ascii_alphanumeric() || char == '_');
        let word = self.source.get(start..self.at).unwrap_or_default();
        self.words.push(word);
        if word == "def" { self.open(start, Level::Definition) } else { self.token(start) }
    }

    /// To the end of the line, or further where the line ends in an odd number of backslashes.
    fn comment(&mut self) {
        loop {
            let line = self.rest().split_inclusive('\n').next().unwrap_or_default();
            self.at += line.len();
            let line = line.trim_end_matches(['\n', '\r']);
            let backslashes = line.len() - line.trim_end_matches('\\').len();
            if backslashes.is_multiple_of(2) || self.rest().is_empty() {
                return;
            }
        }
    }

    /// Inside a string, after its opening quote or after an interpolation.
    fn string(&mut self) -> Result<(), Fault> {
        loop {
            self.skip(|char| char != '"' && char != '\\');
            let mut chars = self.rest().chars();
            match chars.next() {
                Some('\\') => {
                    let escaped = chars.next();
                    self.at += 1 + escaped.map_or(0, char::len_utf8);
                    if escaped == Some('(') {
                        return self.open(self.at - 1, Level::Interpolation);
                    }
                }
                Some(_) => {
                    self.at += 1;
                    return Ok(());
                }
                // Unterminated: the parser says so.
                None => return Ok(()),
            }
        }
    }
}

//! Regular expressions for programs: linear in the text, and bounded in text times pattern.

use std::cell::RefCell;
use std::collections::HashMap;

use jaq_core::Cv;
use regex::{Captures, Regex, RegexBuilder};

use super::Jq;
use crate::meter;
use crate::value::{Error, Object, Str, Val, ValR};

/// Bytes of a text to search.
const MAX_TEXT: usize = 1 << 20;
/// Bytes of a compiled pattern times bytes of the text. A search visits at most every state at every byte. Taking a state
/// for 32 bytes and a visit for 10 ns, which are estimates, the worst search is below a second.
const MAX_WORK: usize = 1 << 31;
const MAX_PATTERN: usize = 1 << 20;
/// Patterns are compiled on first use and kept per thread.
const KEPT: usize = 64;

/// What to give of the text.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Parts {
    Matches,
    /// The texts between matches.
    Between,
    Both,
}

/// Flags that say how to search, not how to compile.
#[derive(Default)]
struct Flags {
    global: bool,
    ignore_empty: bool,
    compiled: String,
}

/// The input is searched for a pattern; the arguments are the pattern and its flags.
pub(super) fn find<'a>(mut cv: Cv<'a, Jq>, parts: Parts) -> ValR {
    let flags = cv.0.pop_var();
    let pattern = cv.0.pop_var();
    let (text, pattern) = match (&cv.1, &pattern) {
        (Val::Str(text), Val::Str(pattern)) => (text.as_str(), pattern.as_str()),
        (Val::Str(_), pattern) => {
            return Err(Error::str(format_args!("a regular expression is a string, not {}", pattern.kind())));
        }
        (val, _) => return Err(Error::str(format_args!("cannot match {}: it is not a string", val.kind()))),
    };
    if text.len() > MAX_TEXT {
        return Err(Error::str("regular expressions work on strings of at most 1 MiB"));
    }
    let flags = read_flags(&flags)?;
    let regex = compile(pattern, &flags.compiled, text.len())?;
    meter::steps(1 + text.len() / 64);
    search(text, &regex, &flags, parts)
}

fn read_flags(flags: &Val) -> Result<Flags, Error> {
    let mut read = Flags::default();
    let text = match flags {
        Val::Null => "",
        Val::Str(text) => text.as_str(),
        val => {
            return Err(Error::str(format_args!("the flags of a regular expression are a string, not {}", val.kind())));
        }
    };
    for flag in text.chars() {
        match flag {
            'g' => read.global = true,
            'n' => read.ignore_empty = true,
            'i' | 'm' | 's' | 'l' | 'x' if !read.compiled.contains(flag) => read.compiled.push(flag),
            'i' | 'm' | 's' | 'l' | 'x' => {}
            'p' => read.compiled.push_str("ms"),
            flag => return Err(Error::str(format_args!("'{flag}' is not a flag of regular expressions"))),
        }
    }
    Ok(read)
}

fn compile(pattern: &str, flags: &str, text_len: usize) -> Result<Regex, Error> {
    thread_local! {
        static COMPILED: RefCell<HashMap<(String, usize), Regex>> = RefCell::new(HashMap::new());
    }
    // Rounded down to a power of two, so that texts of different lengths share a pattern.
    let limit = (MAX_WORK / (text_len + 1)).min(MAX_PATTERN);
    let limit = 1usize << limit.max(1).ilog2();
    let key = (format!("{flags}/{pattern}"), limit);
    if let Some(regex) = COMPILED.with_borrow(|compiled| compiled.get(&key).cloned()) {
        return Ok(regex);
    }
    meter::steps(200 + pattern.len());
    let regex = RegexBuilder::new(pattern)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .dot_matches_new_line(flags.contains('s'))
        .swap_greed(flags.contains('l'))
        .ignore_whitespace(flags.contains('x'))
        .size_limit(limit)
        .dfa_size_limit(256 << 10)
        .build()
        .map_err(|fault| match fault {
            regex::Error::CompiledTooBig(_) => {
                Error::str("the regular expression is too large for a text of this length")
            }
            fault => Error::str(format_args!("the regular expression is not valid: {fault}")),
        })?;
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        compiled.insert(key, regex.clone());
    });
    Ok(regex)
}

fn search(text: &str, regex: &Regex, flags: &Flags, parts: Parts) -> ValR {
    let mut found = Vec::new();
    let mut counted = Position { text, byte: 0, chars: 0 };
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        // Looks at the clock: each search may have gone over the whole text.
        meter::steps(1);
        let Some(whole) = captures.get(0) else { continue };
        if flags.ignore_empty && whole.is_empty() {
            continue;
        }
        if parts != Parts::Matches {
            found.push(Val::from(text.get(end..whole.start()).unwrap_or_default()));
            end = whole.end();
        }
        if parts != Parts::Between {
            found.push(groups(&captures, regex, &mut counted));
        }
        if !flags.global {
            break;
        }
    }
    if parts != Parts::Matches {
        found.push(Val::from(text.get(end..).unwrap_or_default()));
    }
    Ok(found.into_iter().collect())
}

/// One match: an object for the whole and one for each group, where a group that took no part is null.
fn groups(captures: &Captures<'_>, regex: &Regex, counted: &mut Position<'_>) -> Val {
    let start = captures.get(0).map_or(0, |whole| whole.start());
    let base = counted.chars_at(start);
    let named = captures.iter().zip(regex.capture_names());
    let groups = named.map(|(group, name)| {
        let mut object = Object::new();
        let (offset, length, string) = match group {
            None => (Val::from(-1isize), Val::int(0), Val::Null),
            Some(group) => {
                let before = counted.text.get(start..group.start()).unwrap_or_default().chars().count();
                (Val::int(base + before), Val::int(group.as_str().chars().count()), Val::from(group.as_str()))
            }
        };
        object.insert(Str::new("offset"), offset);
        object.insert(Str::new("length"), length);
        object.insert(Str::new("string"), string);
        if let Some(name) = name {
            object.insert(Str::new("name"), Val::from(name));
        }
        object.into_val()
    });
    groups.collect()
}

/// Counts characters up to a byte, going forward only.
struct Position<'a> {
    text: &'a str,
    byte: usize,
    chars: usize,
}

impl Position<'_> {
    fn chars_at(&mut self, byte: usize) -> usize {
        self.chars += self.text.get(self.byte..byte).unwrap_or_default().chars().count();
        self.byte = byte;
        self.chars
    }
}

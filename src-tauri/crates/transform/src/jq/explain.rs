//! The compiler's complaints, in words, with their place in the program.

use jaq_core::compile::{self, Undefined};
use jaq_core::load::{self, lex};

use super::{natives, prelude};
use crate::error::CompileError;

/// Of jq, but not of a mapping: it must give the same result whenever and wherever it runs.
const OUTSIDE: [&str; 16] = [
    "now",
    "localtime",
    "strflocaltime",
    "env",
    "$ENV",
    "input",
    "inputs",
    "debug",
    "stderr",
    "halt",
    "halt_error",
    "input_line_number",
    "input_filename",
    "get_search_list",
    "getpass",
    "$__prog_args",
];

pub(super) fn refuse_modules(source: &str, words: &[&str]) -> Result<(), CompileError> {
    match words.first() {
        Some(word @ (&"import" | &"include" | &"module")) if source.trim_start().starts_with(*word) => {
            Err(CompileError::at(source, offset(source, word).unwrap_or(0), "a program cannot load other files"))
        }
        _ => Ok(()),
    }
}

/// Where `part` lies in `source`, if it is a slice of it.
fn offset(source: &str, part: &str) -> Option<usize> {
    let offset = (part.as_ptr() as usize).checked_sub(source.as_ptr() as usize)?;
    (offset <= source.len()).then_some(offset)
}

fn error(source: &str, found: &str, message: String) -> CompileError {
    CompileError::at(source, offset(source, found).unwrap_or(0), message)
}

/// The start of what was found: one word, or one sign.
fn shown(found: &str) -> String {
    let word = found.len() - found.trim_start_matches(|char: char| char.is_alphanumeric() || char == '_').len();
    let word: String = found.get(..word).unwrap_or_default().chars().take(30).collect();
    match (word.is_empty(), found.chars().next()) {
        (false, _) => format!("'{word}'"),
        (true, Some(char)) => format!("'{char}'"),
        (true, None) => "the end".to_owned(),
    }
}

pub(super) fn load(source: &str, errors: &load::Errors<&str, ()>) -> CompileError {
    let first = errors.first().map(|(_, error)| error);
    let found = match first {
        Some(load::Error::Lex(faults)) => faults.first().map(|(expected, found)| {
            let message = match expected {
                lex::Expect::Delim(open) => format!("{} is never closed", shown(open)),
                lex::Expect::Token => format!("{} is not jq", shown(found)),
                expected => format!("expected {}, found {}", expected.as_str(), shown(found)),
            };
            error(source, found, message)
        }),
        Some(load::Error::Parse(faults)) => faults.first().map(|(expected, found)| {
            let expected = match expected.as_str() {
                "nothing" => "an operator or the end".to_owned(),
                word if word.chars().all(|char| char.is_alphabetic()) && word.len() < 5 => format!("'{word}'"),
                word => word.to_owned(),
            };
            error(source, found, format!("expected {expected}, found {}", shown(found)))
        }),
        Some(load::Error::Io(faults)) => faults.first().map(|(path, reason)| error(source, path, reason.clone())),
        None => None,
    };
    found.unwrap_or_else(|| CompileError::at(source, 0, "this is not a jq program"))
}

pub(super) fn undefined(source: &str, errors: &compile::Errors<&str, ()>) -> CompileError {
    let all = errors.iter().flat_map(|(_, errors)| errors);
    let Some((name, kind)) =
        all.clone().find(|(name, _)| offset(source, name).is_some()).or_else(|| all.clone().next())
    else {
        return CompileError::at(source, 0, "this jq program cannot be compiled");
    };
    if OUTSIDE.contains(name) {
        let message = format!(
            "'{name}' is not available: a program sees its input and nothing else, so that it gives the same result on every run"
        );
        return error(source, name, message);
    }
    let message = match kind {
        Undefined::Var => format!("the variable {name} is not defined"),
        Undefined::Label => format!("there is no label {name} to break out to"),
        Undefined::Mod => format!("there is no module '{name}'"),
        Undefined::Filter(arity) => match arities(name) {
            known if known.is_empty() => format!("there is no function '{name}'"),
            known => format!("'{name}' takes {} arguments, not {arity}", known.join(" or ")),
        },
        _ => format!("'{name}' is not defined"),
    };
    let suggestion = match kind {
        Undefined::Filter(_) if arities(name).is_empty() => similar(name),
        _ => None,
    };
    CompileError { suggestion, ..error(source, name, message) }
}

/// The numbers of arguments that a function of this name may have.
fn arities(name: &str) -> Vec<String> {
    let defined = prelude::arities(name).into_iter();
    let native = natives::all().filter(|fun| fun.0 == name).map(|fun| fun.1.len());
    let mut arities: Vec<usize> = defined.chain(native).collect();
    arities.sort_unstable();
    arities.dedup();
    arities.into_iter().map(|arity| arity.to_string()).collect()
}

fn similar(name: &str) -> Option<String> {
    let close = |known: &&str| strsim::damerau_levenshtein(known, name) <= 1 + name.len() / 5;
    let known = prelude::names().chain(natives::all().map(|fun| fun.0));
    known.filter(close).min_by_key(|known| strsim::damerau_levenshtein(known, name)).map(str::to_owned)
}

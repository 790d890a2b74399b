//! The functions that are not written in jq: the library's harmless ones, and ours.

use jaq_core::RunPtr;
use jaq_core::native::{Fun, bome, run, unary, v};

use super::{Jq, regexes};
use crate::json;
use crate::meter;
use crate::value::{Error, Num, Val, ValR, paths};

/// Library functions that reach outside the run (clock, environment, process, log, time zone files), that loop as
/// often as a number says (`jn`, `yn`), or that ours replace.
const LEFT_OUT: [&str; 12] = [
    "env",
    "now",
    "halt",
    "debug_empty",
    "stderr_empty",
    "localtime",
    "strflocaltime",
    "jn",
    "yn",
    "matches",
    "split_matches",
    "split_",
];

/// Called through checks of the prelude, which takes over the name.
fn renamed(name: &'static str) -> &'static str {
    match name {
        "gmtime" => "unbounded_gmtime",
        "strftime" => "unbounded_strftime",
        "strptime" => "unbounded_strptime",
        "mktime" => "unbounded_mktime",
        "todateiso8601" => "unbounded_todateiso8601",
        name => name,
    }
}

pub(super) fn all() -> impl Iterator<Item = Fun<Jq>> {
    let library = jaq_core::funs::<Jq>().chain(jaq_std::funs::<Jq>());
    let library = library.filter(|fun| !LEFT_OUT.contains(&fun.0));
    library
        .map(|(name, args, native)| (renamed(name), args, native))
        .chain(ours().into_iter().map(|fun| run::<Jq>(fun)))
}

type Native = (&'static str, Box<[jaq_core::Bind]>, RunPtr<Jq>);

fn ours() -> [Native; 12] {
    [
        ("nan", v(0), |_| bome(Ok(Val::from(f64::NAN)))),
        ("infinite", v(0), |_| bome(Ok(Val::from(f64::INFINITY)))),
        ("fromjson", v(0), |cv| bome(from_json(&cv.1))),
        ("tojson", v(0), |cv| bome(Ok(Val::Str(cv.1.to_json_text())))),
        ("length", v(0), |cv| bome(length(&cv.1))),
        ("contains", v(1), |cv| unary(cv, |val, part| contains(&val, &part).map(Val::from))),
        ("has", v(1), |cv| unary(cv, |val, key| has(&val, &key).map(Val::from))),
        ("indices", v(1), |cv| unary(cv, |val, part| indices(&val, &part))),
        ("bsearch", v(1), |cv| unary(cv, |val, item| search(&val, &item))),
        ("matches", v(2), |cv| bome(regexes::find(cv, regexes::Parts::Matches))),
        ("split_matches", v(2), |cv| bome(regexes::find(cv, regexes::Parts::Both))),
        ("split_", v(2), |cv| bome(regexes::find(cv, regexes::Parts::Between))),
    ]
}

fn from_json(val: &Val) -> ValR {
    match val {
        Val::Str(text) => {
            meter::steps(text.as_str().len() / 256);
            json::parse_text(text.as_str())
                .map_err(|fault| Error::str(format_args!("this string is not JSON: {fault}")))
        }
        val => Err(Error::str(format_args!("cannot read {} as JSON text", val.kind()))),
    }
}

fn length(val: &Val) -> ValR {
    Ok(match val {
        Val::Null => Val::int(0),
        Val::Bool(_) => return Err(Error::str("a boolean has no length")),
        Val::Num(num) if *num < Num::Int(0) => Val::Num(-num.clone()),
        Val::Num(num) => Val::Num(num.clone()),
        Val::Str(text) => Val::int(text.as_str().chars().count()),
        Val::Arr(array) => Val::int(array.items().len()),
        Val::Obj(object) => Val::int(object.len()),
    })
}

/// Recursion is bounded by the depth of both.
fn contains(val: &Val, part: &Val) -> Result<bool, Error> {
    meter::enter();
    Ok(match (val, part) {
        (Val::Str(text), Val::Str(part)) => {
            meter::steps(text.as_str().len() / 1_024);
            text.as_str().contains(part.as_str())
        }
        (Val::Arr(array), Val::Arr(parts)) => {
            for part in parts.items() {
                if !any(array.items(), |item| contains_inside(item, part)) {
                    return Ok(false);
                }
            }
            true
        }
        (Val::Obj(_), Val::Obj(_)) => contains_inside(val, part),
        (Val::Null | Val::Bool(_) | Val::Num(_), _) if val.kind() == part.kind() => val == part,
        (val, part) => {
            return Err(Error::str(format_args!("cannot look for {} inside {}", part.kind(), val.kind())));
        }
    })
}

/// Members of different kinds just differ.
fn contains_inside(val: &Val, part: &Val) -> bool {
    meter::enter();
    match (val, part) {
        (Val::Obj(object), Val::Obj(parts)) => {
            parts.iter().all(|(key, part)| object.get(key.as_str()).is_some_and(|val| contains_inside(val, part)))
        }
        (val, part) => contains(val, part).unwrap_or(false),
    }
}

fn any(items: &[Val], mut test: impl FnMut(&Val) -> bool) -> bool {
    items.iter().any(|item| {
        meter::step();
        test(item)
    })
}

fn has(val: &Val, key: &Val) -> Result<bool, Error> {
    match (val, key) {
        (Val::Obj(_), Val::Str(_)) | (Val::Arr(_), Val::Num(_)) => Ok(val.lookup(key)?.is_some()),
        (val, key) => Err(Error::str(format_args!("cannot ask {} whether it has {}", val.kind(), key.kind()))),
    }
}

/// Where `part` starts: in a string counted in characters.
fn indices(val: &Val, part: &Val) -> ValR {
    match (val, part) {
        (Val::Null, _) => Ok(Val::Null),
        (Val::Str(text), Val::Str(part)) => Ok(text_indices(text.as_str(), part.as_str())),
        (Val::Arr(array), Val::Arr(part)) => {
            meter::steps(array.items().len().saturating_mul(part.items().len().min(16)) / 16);
            Ok(paths::occurrences(array.items(), part.items()))
        }
        (Val::Arr(array), item) => {
            let found = array.items().iter().enumerate().filter(|(_, other)| *other == item);
            Ok(found.map(|(at, _)| Val::int(at)).collect())
        }
        (val, part) => Err(Error::str(format_args!("cannot look for {} in {}", part.kind(), val.kind()))),
    }
}

fn text_indices(text: &str, part: &str) -> Val {
    if part.is_empty() {
        return Val::from_iter([]);
    }
    let starts = text.char_indices().enumerate().filter(|(_, (byte, _))| {
        meter::steps(part.len() / 256);
        text.get(*byte..).is_some_and(|rest| rest.starts_with(part))
    });
    starts.map(|(at, _)| Val::int(at)).collect()
}

fn search(val: &Val, item: &Val) -> ValR {
    let Val::Arr(array) = val else {
        return Err(Error::str(format_args!("cannot search {}: it must be a sorted array", val.kind())));
    };
    let found = array.items().binary_search(item);
    // Not found at position p is -1 - p, as in jq.
    let found = found.map_or_else(|place| -1 - place as isize, |place| place as isize);
    Ok(Val::from(found))
}

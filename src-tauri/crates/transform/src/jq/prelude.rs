//! The definitions that come with the language, cut down to those a program can reach.
//!
//! A compiled program keeps a table of all its definitions; with the whole standard library that is a hundred times
//! the size of a usual mapping.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::{Part, Path};

/// Library definitions that reach outside, or that ours replace.
const LEFT_OUT: [&str; 7] = ["debug", "stderr", "halt", "halt_error", "todate", "nan", "infinite"];

struct Entry {
    def: Def<&'static str>,
    calls: BTreeSet<&'static str>,
}

fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let ours = jaq_core::load::parse(include_str!("prelude.jq"), |parser| parser.defs()).unwrap_or_default();
        let library = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let library = library.filter(|def| !LEFT_OUT.contains(&def.name));
        library.chain(ours).map(|def| Entry { calls: calls_of(&def), def }).collect()
    })
}

/// Every name defined, for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    entries().iter().map(|entry| entry.def.name)
}

/// How many arguments the definitions of this name take.
pub(super) fn arities(name: &str) -> Vec<usize> {
    entries().iter().filter(|entry| entry.def.name == name).map(|entry| entry.def.args.len()).collect()
}

/// What a program with these words may call, in the order of definition.
pub(super) fn reachable(words: &[&str]) -> Vec<Def<&'static str>> {
    let mut wanted: BTreeSet<&str> = words.iter().copied().collect();
    // Later definitions call earlier ones, or themselves.
    let kept: Vec<_> = entries()
        .iter()
        .rev()
        .filter(|entry| {
            let wants = wanted.contains(entry.def.name);
            if wants {
                wanted.extend(&entry.calls);
            }
            wants
        })
        .collect();
    kept.into_iter().rev().map(|entry| entry.def.clone()).collect()
}

fn calls_of(def: &Def<&'static str>) -> BTreeSet<&'static str> {
    let mut calls = BTreeSet::new();
    term(&def.body, &mut calls);
    calls
}

type Calls = BTreeSet<&'static str>;
type T = Term<&'static str>;

fn term(body: &T, calls: &mut Calls) {
    let mut all = |terms: &[T]| terms.iter().for_each(|body| term(body, calls));
    match body {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) | Term::Arr(None) => {}
        Term::Str(format, parts) => {
            calls.extend(format);
            for part in parts {
                if let StrPart::Term(body) = part {
                    term(body, calls);
                }
            }
        }
        Term::Arr(Some(body)) | Term::Neg(body) | Term::Label(_, body) | Term::TryCatch(body, None) => {
            term(body, calls)
        }
        Term::Obj(members) => {
            for (key, val) in members {
                term(key, calls);
                val.iter().for_each(|val| term(val, calls));
            }
        }
        Term::BinOp(left, op, right) => {
            if let BinaryOp::Pipe(Some(bound)) = op {
                pattern(bound, calls);
            }
            term(left, calls);
            term(right, calls);
        }
        Term::Fold(_, source, bound, bodies) => {
            all(bodies);
            term(source, calls);
            pattern(bound, calls);
        }
        Term::TryCatch(body, Some(catch)) => {
            term(body, calls);
            term(catch, calls);
        }
        Term::IfThenElse(arms, otherwise) => {
            for (condition, then) in arms {
                term(condition, calls);
                term(then, calls);
            }
            otherwise.iter().for_each(|body| term(body, calls));
        }
        Term::Def(defs, body) => {
            defs.iter().for_each(|def| term(&def.body, calls));
            term(body, calls);
        }
        Term::Call(name, args) => {
            all(args);
            calls.insert(name);
        }
        Term::Path(body, Path(parts)) => {
            term(body, calls);
            for (part, _) in parts {
                match part {
                    Part::Index(index) => term(index, calls),
                    Part::Range(start, end) => start.iter().chain(end).for_each(|bound| term(bound, calls)),
                }
            }
        }
    }
}

fn pattern(bound: &Pattern<&'static str>, calls: &mut Calls) {
    match bound {
        Pattern::Var(_) => {}
        Pattern::Arr(parts) => parts.iter().for_each(|part| pattern(part, calls)),
        Pattern::Obj(members) => {
            for (key, part) in members {
                term(key, calls);
                pattern(part, calls);
            }
        }
    }
}

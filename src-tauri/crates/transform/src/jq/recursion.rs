//! Refuses functions that take a filter and call themselves.
//!
//! Each such call wraps the filter of the call before it, and the interpreter takes the whole chain apart by recursion:
//! a program that goes on for its whole budget would overflow the stack then, which ends the process. Recursion without
//! arguments, or with values (`$x`), builds no chain.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::Part;

/// The first function of `source` that takes a filter and calls itself. None where the source does not parse: the
/// compiler says why.
pub(super) fn find(source: &str) -> Option<&str> {
    let term = jaq_core::load::parse(source, |parser| parser.term())?;
    Search { open: Vec::new(), found: None }.run(&term)
}

struct Search<'s> {
    /// Definitions around the place that is looked at: name, number of parameters, and whether one is a filter.
    open: Vec<(&'s str, usize, bool)>,
    found: Option<&'s str>,
}

impl<'s> Search<'s> {
    fn run(mut self, term: &Term<&'s str>) -> Option<&'s str> {
        self.term(term);
        self.found
    }

    fn def(&mut self, def: &Def<&'s str>) {
        let takes_filter = def.args.iter().any(|parameter| !parameter.starts_with('$'));
        self.open.push((def.name, def.args.len(), takes_filter));
        self.term(&def.body);
        self.open.pop();
    }

    fn pattern(&mut self, pattern: &Pattern<&'s str>) {
        match pattern {
            Pattern::Var(_) => {}
            Pattern::Arr(items) => items.iter().for_each(|item| self.pattern(item)),
            Pattern::Obj(entries) => entries.iter().for_each(|(key, value)| {
                self.term(key);
                self.pattern(value);
            }),
        }
    }

    fn call(&mut self, name: &'s str, args: &[Term<&'s str>]) {
        let itself = |open: &&(&str, usize, bool)| open.0 == name && open.1 == args.len();
        if self.open.iter().rev().find(itself).is_some_and(|(_, _, takes_filter)| *takes_filter) {
            self.found.get_or_insert(name);
        }
        args.iter().for_each(|arg| self.term(arg));
    }

    fn term(&mut self, term: &Term<&'s str>) {
        match term {
            Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => {}
            Term::Str(_, parts) => parts.iter().for_each(|part| {
                if let StrPart::Term(term) = part {
                    self.term(term);
                }
            }),
            Term::Arr(items) => items.iter().for_each(|item| self.term(item)),
            Term::Obj(entries) => entries.iter().for_each(|(key, value)| {
                self.term(key);
                value.iter().for_each(|value| self.term(value));
            }),
            Term::Neg(inner) | Term::Label(_, inner) => self.term(inner),
            Term::BinOp(left, op, right) => {
                self.term(left);
                if let BinaryOp::Pipe(Some(pattern)) = op {
                    self.pattern(pattern);
                }
                self.term(right);
            }
            Term::Fold(_, over, pattern, arms) => {
                self.term(over);
                self.pattern(pattern);
                arms.iter().for_each(|arm| self.term(arm));
            }
            Term::TryCatch(body, handler) => {
                self.term(body);
                handler.iter().for_each(|handler| self.term(handler));
            }
            Term::IfThenElse(cases, otherwise) => {
                for (test, then) in cases {
                    self.term(test);
                    self.term(then);
                }
                otherwise.iter().for_each(|otherwise| self.term(otherwise));
            }
            Term::Def(defs, body) => {
                defs.iter().for_each(|def| self.def(def));
                self.term(body);
            }
            Term::Call(name, args) => self.call(name, args),
            Term::Path(of, path) => {
                self.term(of);
                for (part, _) in &path.0 {
                    match part {
                        Part::Index(index) => self.term(index),
                        Part::Range(from, to) => from.iter().chain(to).for_each(|bound| self.term(bound)),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_takes_a_filter_and_calls_itself_is_found_wherever_it_hides() {
        for program in [
            "def g(x): g(x|x); g(.)",
            "def g(x): g(x+x); g(.)",
            "def g(x): [g(.a)]; g(.)",
            "def g(x): x as $y | g($y); g(1)",
            "def g(x): def h: x; g(h); g(.)",
            "def g(f;h): g(h|f;f|h); g(.;.)",
            "def g($n; f): if $n > 9 then . else g($n+1; f) end; g(0; .)",
            "def a(x): x; def g(x): a(g(x)); g(.)",
            r#"def g(x): "\(g(x))"; g(.)"#,
            "def g(x): {a: g(x)}; g(.)",
            "def g(x): .[g(x)]?; g(.)",
            "def g(x): reduce .[] as $i (0; g(x)); g(.)",
        ] {
            assert!(find(program).is_some(), "{program}");
        }
    }

    #[test]
    fn recursion_that_builds_no_chain_is_allowed() {
        for program in [
            "def f: if . > 9 then . else .+1 | f end; f",
            "def g($n): if $n > 9 then $n else g($n+1) end; g(0)",
            "def w(f): def r: f | if . > 9 then . else r end; r; w(.+1)",
            "def g(x): x; g(g(.a))",
            "map(.a) | walk(.)",
        ] {
            assert_eq!(find(program), None, "{program}");
        }
    }
}

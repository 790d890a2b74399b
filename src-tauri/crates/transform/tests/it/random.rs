//! Random programs on random input: whatever they do, they end in one of the ways that are promised.

use std::time::Duration;

use proptest::prelude::*;
use signalbox_transform::{Limits, Program, RunError, parse_json};

const LEAVES: [&str; 40] = [
    ".",
    "..",
    ".a",
    ".[0]",
    ".[]",
    ".[]?",
    ".[1:]",
    ".[-1:2]",
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e300",
    "1180591620717411303424",
    "\"x\"",
    "\"é\\u0000\"",
    "[]",
    "{}",
    "empty",
    "length",
    "keys",
    "add",
    "tojson",
    "fromjson",
    "tostring",
    "tonumber",
    "explode",
    "implode",
    "sort",
    "unique",
    "reverse",
    "floor",
    "not",
    "type",
    "to_entries",
    "from_entries",
    "todate",
    "mktime",
    "flatten",
];

const ONE: [&str; 36] = [
    "[@]",
    "{a: @}",
    "{(@): 1}",
    "(@)?",
    "-(@)",
    "\"<\\(@)>\"",
    "map(@)",
    "select(@)",
    "first(@)",
    "last(@)",
    "path(@)",
    "[paths(@)]",
    "sort_by(@)",
    "group_by(@)",
    "min_by(@)",
    "del(@)",
    "with_entries(@)",
    "walk(@)",
    "recurse(@)",
    "limit(3; @)",
    "test(@)",
    "split(@)",
    "join(@)",
    "has(@)",
    "contains(@)",
    "indices(@)",
    "range(@)",
    "getpath(@)",
    "ltrimstr(@)",
    "strftime(@)",
    "error(@)",
    "(@) | ascii_downcase",
    "try @ catch .",
    "any(@)",
    "gsub(@; \"y\")",
    "def f: @; f",
];

const TWO: [&str; 28] = [
    "@ | @",
    "@, @",
    "(@) + (@)",
    "(@) - (@)",
    "(@) * (@)",
    "(@) / (@)",
    "(@) % (@)",
    "(@) == (@)",
    "(@) < (@)",
    "(@) and (@)",
    "(@) // (@)",
    "(@) = (@)",
    "(@) |= (@)",
    "(@) += (@)",
    "(@) //= (@)",
    ".[@]?[@]",
    ".[(@):(@)]",
    "if @ then @ end",
    "@ as $x | @",
    "@ as [$x, {a: $y}] | @",
    "reduce (@) as $x (0; @)",
    "foreach (@) as $x (.; @)",
    "range(@; @)",
    "limit(@; @)",
    "setpath(@; @)",
    "def f(g): g | @; f(@)",
    "label $out | (@), break $out, (@)",
    "sub(@; @; \"g\")",
];

fn program() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(LEAVES.as_slice()).prop_map(str::to_owned);
    leaf.prop_recursive(6, 40, 2, |inner| {
        prop_oneof![
            (prop::sample::select(ONE.as_slice()), inner.clone()).prop_map(|(form, part)| form.replacen('@', &part, 1)),
            (prop::sample::select(TWO.as_slice()), inner.clone(), inner)
                .prop_map(|(form, left, right)| form.replacen('@', &left, 1).replacen('@', &right, 1)),
        ]
    })
}

const INPUTS: [&str; 6] = [
    "null",
    "\"añ\"",
    "[3,1,[2,\"x\"],{\"a\":null}]",
    r#"{"a":{"b":[1.10,2]},"key":"k","value":1}"#,
    "1795255200",
    r#"[[0,1],["a","b"],{"a":1},{"a":2}]"#,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn any_program_ends_as_promised(source in program(), input in prop::sample::select(INPUTS.as_slice())) {
        let Ok(program) = Program::compile(&source) else { return Ok(()) };
        let limits = Limits { fuel: 30_000, time: Duration::from_secs(5), ..Limits::INLINE };
        let outcome = program.run_optional(&parse_json(input.as_bytes()).unwrap().value, &limits);
        prop_assert!(!matches!(outcome, Err(RunError::Internal { .. })), "{source}: {outcome:?}");
        if let Ok(Some(value)) = outcome {
            // What came out can be written, and read again as the same.
            let text = value.to_json_bytes(limits.output_bytes).unwrap();
            let again = parse_json(&text);
            prop_assert!(again.is_ok_and(|again| again.value == value), "{source}: {value:?}");
        }
    }

    #[test]
    fn any_text_is_a_program_or_an_error(source in "[\\[\\](){}|,.:;?$\"\\\\#@a-c0-2 =+*/<-]{0,40}") {
        if let Ok(program) = Program::compile(&source) {
            drop(program.run_optional(&parse_json(b"[1]").unwrap().value, &Limits::INLINE));
        }
    }
}

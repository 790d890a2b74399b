//! What programs give, and what they are told when they cannot.

use signalbox_transform::{Limits, Program, RunError, Value, parse_json};

fn run(source: &str, input: &str) -> Result<String, RunError> {
    let program = Program::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let input = parse_json(input.as_bytes()).unwrap().value;
    // The library's code is not optimised in tests.
    let limits = Limits { time: std::time::Duration::from_secs(5), ..Limits::INLINE };
    let value = program.run_one(&input, &limits)?;
    Ok(String::from_utf8(value.to_json_bytes(1 << 20)?).unwrap())
}

fn gives(source: &str, input: &str, output: &str) {
    assert_eq!(run(source, input).as_deref(), Ok(output), "{source}");
}

const ORDER: &str = r#"{"event":"order.created","ts":"2026-11-21T10:00:00Z","data":{"Id":"a1","Email":"Ann@Example.COM",
    "lines":[{"sku":"A1","qty":2,"price":10.50},{"sku":"B2","qty":1,"price":99.0},{"sku":"C3","qty":7,"price":3.25}]}}"#;

#[test]
fn a_usual_mapping_works() {
    gives(
        r#"{kind: .event, at: (.ts | fromdateiso8601), email: (.data.Email | ascii_downcase),
            total: ([.data.lines[] | .qty * .price] | add), skus: [.data.lines[].sku],
            big: (.data.lines | map(select(.qty > 1)) | length), text: "\(.data.Id)-\(.data.lines | length)"}"#,
        ORDER,
        r#"{"kind":"order.created","at":1795255200,"email":"ann@example.com","total":142.75,"skus":["A1","B2","C3"],"big":2,"text":"a1-3"}"#,
    );
}

#[test]
fn numbers_that_are_passed_on_keep_their_digits() {
    gives(
        "{a: .a, b: .b[0], c: .c}",
        r#"{"a":1.10,"b":[1180591620717411303424],"c":-0}"#,
        r#"{"a":1.10,"b":1180591620717411303424,"c":-0}"#,
    );
    gives(".a + 1", r#"{"a":1180591620717411303424}"#, "1180591620717411303425");
    gives("[1.10, 007, 1e3]", "null", "[1.10,7,1e3]");
    gives("\"\\(.)\"", "1.10", "\"1.10\"");
}

#[test]
fn whole_results_are_written_without_a_fraction() {
    gives("[10 / 2, 1.5 * 2, 0.1 + 0.2, 1e17 * 10, -1 / 4]", "null", "[5,3,0.30000000000000004,1e18,-0.25]");
}

#[test]
fn jq_behaves_as_its_manual_says() {
    for (source, input, output) in [
        (".[1:3]", "[0,1,2,3]", "[1,2]"),
        (".[-2:]", "\"añb漢\"", "\"b漢\""),
        (".[-1]", "[1,2]", "2"),
        (".[1.7]", "[1,2]", "2"),
        (".a.b.c", "{}", "null"),
        (".a[0].b = 1", "{}", r#"{"a":[{"b":1}]}"#),
        (".a.b |= . + 1", r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":2,"c":2}}"#),
        ("del(.a)", r#"{"z":0,"a":1,"b":2,"c":3}"#, r#"{"z":0,"b":2,"c":3}"#),
        ("del(.[1])", "[1,2,3]", "[1,3]"),
        (".[1:2] = [9,9]", "[1,2,3]", "[1,9,9,3]"),
        ("to_entries", r#"{"a":1}"#, r#"[{"key":"a","value":1}]"#),
        ("with_entries(.value += 1)", r#"{"a":1}"#, r#"{"a":2}"#),
        ("keys", r#"{"b":1,"a":2}"#, r#"["a","b"]"#),
        ("[paths]", r#"{"a":[1]}"#, r#"[["a"],["a",0]]"#),
        ("[..|numbers]", r#"{"a":[1,{"b":2}]}"#, "[1,2]"),
        ("[.[] | tostring]", r#"[1,"1",[1],{"a":1},null]"#, r#"["1","1","[1]","{\"a\":1}","null"]"#),
        ("[.[] | length]", r#"[[1,2],"añ",{"a":1},null,-5]"#, "[2,2,1,0,5]"),
        ("[.[] | tonumber]", r#"["1.50",2]"#, "[1.50,2]"),
        ("map(has(\"a\"))", r#"[{"a":null},{}]"#, "[true,false]"),
        (". * {a:{b:2}}", r#"{"a":{"c":1,"b":1}}"#, r#"{"a":{"c":1,"b":2}}"#),
        (". - [2]", "[1,2,3,2]", "[1,3]"),
        ("split(\", \")", "\"a, b\"", r#"["a","b"]"#),
        ("[.[] * 2]", r#"["ab"]"#, r#"["abab"]"#),
        ("\"x\" * 0", "null", "null"),
        (
            "[match(\"(?<x>b)|(?<y>z)\"; \"g\") | {offset, length, string}]",
            "\"añbzb\"",
            r#"[{"offset":2,"length":1,"string":"b"},{"offset":3,"length":1,"string":"z"},{"offset":4,"length":1,"string":"b"}]"#,
        ),
        ("capture(\"(?<a>\\\\d+)-(?<b>x)?\")", "\"12-\"", r#"{"a":"12","b":null}"#),
        ("gsub(\"(?<d>[0-9])\"; \"<\\(.d)>\")", "\"a1b2\"", "\"a<1>b<2>\""),
        ("sub(\"^\\\\s+\"; \"\")", "\"  a\"", "\"a\""),
        ("[scan(\"[a-z]+\")]", "\"ab 12 cd\"", r#"["ab","cd"]"#),
        ("test(\"ANN\"; \"i\")", "\"ann\"", "true"),
        ("ascii_downcase | @base64", "\"AB\"", "\"YWI=\""),
        ("@base64d", "\"YWI=\"", "\"ab\""),
        ("@uri", "\"a b/é\"", "\"a%20b%2F%C3%A9\""),
        ("@html", "\"<a&'>\"", "\"&lt;a&amp;&apos;&gt;\""),
        ("@json", "[1.10]", "\"[1.10]\""),
        ("@csv", "[1,\"a\\\"b\",null,true]", "\"1,\\\"a\\\"\\\"b\\\",,true\""),
        ("@tsv", "[1,\"a\\tb\"]", "\"1\\ta\\\\tb\""),
        ("@uri \"/x?q=\\(.)\"", "\"a b\"", "\"/x?q=a%20b\""),
        ("group_by(.a) | map(length)", r#"[{"a":2},{"a":1},{"a":2}]"#, "[1,2]"),
        ("unique", "[3,1,3,2]", "[1,2,3]"),
        ("[min, max, add]", "[3,1,2]", "[1,3,6]"),
        ("sort_by(.a, -.b) | map(.b)", r#"[{"a":2,"b":1},{"a":1,"b":2},{"a":1,"b":3}]"#, "[3,2,1]"),
        ("[.[] as [$a, {b: $c}] | $a + $c]", r#"[[1,{"b":2}]]"#, "[3]"),
        ("reduce .[] as $x (0; . + $x)", "[1,2,3]", "6"),
        ("[foreach .[] as $x (0; . + $x; [$x, .])]", "[1,2]", "[[1,1],[2,3]]"),
        ("[limit(2; .[]), first(.[]), last(.[]), nth(1; .[])]", "[1,2,3]", "[1,2,1,3,2]"),
        (".a // \"none\"", "{}", "\"none\""),
        ("try error({code: 1}) catch .code", "null", "1"),
        ("[.[] | try tonumber catch \"bad\"]", r#"["1","x"]"#, r#"[1,"bad"]"#),
        ("[.[]?]", "1", "[]"),
        ("[range(10;0;-3)]", "null", "[10,7,4,1]"),
        ("[range(0;10;3)]", "null", "[0,3,6,9]"),
        ("def f(g): [g, g]; f(. + 1)", "1", "[2,2]"),
        ("indices(\"a\")", "\"aña\"", "[0,2]"),
        ("contains({a: \"b\"})", r#"{"a":"abc","c":1}"#, "true"),
        ("inside([1,2,3])", "[1]", "true"),
        ("transpose", "[[1,2],[3]]", "[[1,3],[2,null]]"),
        ("[splits(\", *\")]", "\"a,  b\"", r#"["a","b"]"#),
        ("ltrimstr(\"a\") | rtrimstr(\"c\")", "\"abc\"", "\"b\""),
        ("join(\"-\")", r#"["a",1,null]"#, "\"a-1-null\""),
        ("todate", "1795255200", "\"2026-11-21T10:00:00Z\""),
        ("gmtime | mktime", "1795255200", "1795255200"),
        ("strftime(\"%Y-%m-%d\")", "1795255200", "\"2026-11-21\""),
        ("strptime(\"%Y-%m-%d\") | mktime", "\"2026-11-21\"", "1795219200"),
        ("walk(if type == \"number\" then . + 1 else . end)", "[1,[2]]", "[2,[3]]"),
        ("INDEX(.id) | keys", r#"[{"id":1},{"id":"b"}]"#, r#"["1","b"]"#),
        ("[.[] | IN(1, 2)]", "[1,3]", "[true,false]"),
        ("fromjson", "\"{\\\"a\\\":1.10}\"", r#"{"a":1.10}"#),
        ("[nan | tojson, isnan]", "null", "[\"null\",true]"),
        ("implode", "[97,8364]", "\"a€\""),
        ("first(.[] | select(. > 1))", "[1,2,3]", "2"),
        ("isempty(empty)", "null", "true"),
        ("getpath([\"a\",0])", r#"{"a":[5]}"#, "5"),
        ("pick(.a.b)", r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":1}}"#),
        ("tojson | fromjson", "[1,{\"a\":\"\\u0001\"}]", "[1,{\"a\":\"\\u0001\"}]"),
        ("if . then 1 elif false then 2 end", "false", "false"),
        ("ascii_upcase, \"x\" | select(. != \"x\")", "\"a\"", "\"A\""),
        ("bsearch(2)", "[1,2,3]", "1"),
        ("bsearch(5)", "[1,2,3]", "-4"),
        ("flatten", "[1,[2,[3]]]", "[1,2,3]"),
        ("[.[] | floor, ceil, round]", "[1.5]", "[1,2,2]"),
        ("{\"a b\": 1} | .\"a b\"", "null", "1"),
        ("{(.k): 1, \"\\(.k)2\": 2}", r#"{"k":"x"}"#, r#"{"x":1,"x2":2}"#),
    ] {
        gives(source, input, output);
    }
}

#[test]
fn failures_name_kinds_and_never_the_payload() {
    for (source, input, message) in [
        (".[]", "null", "cannot iterate over null"),
        (".a", "\"secret\"", "cannot index a string with \"a\""),
        (".[0]", r#"{"a":"secret"}"#, "cannot index an object with a number"),
        (". + 1", "\"secret\"", "cannot add a string and a number"),
        ("ascii_downcase", "5", "cannot use a number as string"),
        (". - 1", "\"secret\"", "cannot subtract a number from a string"),
        ("1 / .", "0", "cannot divide by zero"),
        ("tonumber", "\"secret\"", "this string is not JSON: expected a value, found 's'"),
        ("{(.): 1}", "5", "the name of an object's member must be a string, not a number"),
        ("error(\"no email\")", "null", "no email"),
        ("error({a: 1})", "null", "{\"a\":1}"),
        ("error", "null", "the program failed without a message"),
        ("1 | nan", "null", "the result holds a number that JSON cannot express: NaN, or an infinite one"),
        ("-infinite", "null", "the result holds a number that JSON cannot express: NaN, or an infinite one"),
        ("test(\"(\")", "\"a\"", "the regular expression is not valid"),
        ("test(1)", "\"a\"", "a regular expression is a string, not a number"),
        ("keys", "1", "cannot iterate over a number"),
        ("has(0)", "{}", "cannot ask an object whether it has a number"),
        ("@csv", "{}", "a CSV row is an array"),
        ("1e13 | todate", "null", "the time is outside the years -9999 to 9999"),
    ] {
        let error = run(source, input).unwrap_err();
        let shown = error.to_string();
        assert!(matches!(error, RunError::Failed { .. }) && shown.starts_with(message), "{source}: {shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[test]
fn a_mapping_gives_exactly_one_result() {
    assert_eq!(run("empty", "1"), Err(RunError::Cardinality { several: false }));
    assert_eq!(run(".[]", "[1,2]"), Err(RunError::Cardinality { several: true }));
    let shown = run(".[]", "[1,2]").unwrap_err().to_string();
    assert!(shown.contains("[ … ]"), "{shown}");
}

#[test]
fn a_filter_may_give_none() {
    let program = Program::compile("select(.a)").unwrap();
    let of = |text: &str| program.run_optional(&parse_json(text.as_bytes()).unwrap().value, &Limits::INLINE);
    assert_eq!(of("{}"), Ok(None));
    assert!(of("{\"a\":1}").unwrap().is_some());
}

#[test]
fn truth_is_all_but_null_and_false_and_nothing() {
    for (source, truth) in
        [("1", true), ("0", true), ("\"\"", true), ("null", false), ("false", false), ("empty", false)]
    {
        assert_eq!(Program::compile(source).unwrap().is_truthy(&Value::null(), &Limits::INLINE), Ok(truth), "{source}");
    }
    assert!(Program::compile("true, true").unwrap().is_truthy(&Value::null(), &Limits::INLINE).is_err());
}

#[test]
fn nothing_outside_the_input_can_be_reached() {
    for source in [
        "now",
        "env",
        "$ENV",
        "$ENV.PATH",
        "env.PATH",
        "input",
        "inputs",
        "debug",
        "debug(1)",
        "stderr",
        "halt",
        "halt(0)",
        "halt_error",
        "halt_error(1)",
        "input_line_number",
        "input_filename",
        "localtime",
        "strflocaltime(\"%c\")",
        "$__prog_args",
        "get_search_list",
        "debug_empty",
        "stderr_empty",
    ] {
        assert!(Program::compile(source).is_err(), "{source}");
    }
    let shown = Program::compile(".a | now").unwrap_err();
    assert!(shown.message.starts_with("'now' is not available") && (shown.line, shown.column) == (1, 6), "{shown}");
    for source in ["import \"a\" as a; 1", "include \"a\"; 1", "import \"a\" as $a; $a"] {
        let error = Program::compile(source).unwrap_err();
        assert!(error.message.contains("cannot load other files"), "{error}");
    }
}

#[test]
fn a_wrong_program_is_told_where_and_what_was_meant() {
    for (source, line, column, message, suggestion) in [
        ("{a:\n  .b | mapp(.)}", 2, 8, "there is no function 'mapp'", Some("map")),
        (".a | ascii_downcas", 1, 6, "there is no function 'ascii_downcas'", Some("ascii_downcase")),
        ("map(1; 2)", 1, 1, "'map' takes 1 arguments, not 2", None),
        (".a | $x", 1, 6, "the variable $x is not defined", None),
        ("if . then 1 ele 2 end", 1, 13, "expected else or end, found 'ele'", None),
        ("{a: 1", 1, 6, "'{' is never closed", None),
        ("1 +", 1, 4, "expected 'term', found the end", None),
        (".a & .b", 1, 4, "'&' is not jq", None),
        ("", 1, 1, "expected 'term', found the end", None),
        ("break $x", 1, 7, "there is no label $x to break out to", None),
    ] {
        let error = Program::compile(source).unwrap_err();
        assert_eq!(error.message, message, "{source}");
        assert_eq!((error.line, error.column), (line, column), "{source}: {error}");
        assert_eq!(error.suggestion.as_deref(), suggestion, "{source}");
    }
}

#[test]
fn a_program_may_define_what_is_left_out() {
    gives("def now: 5; now", "null", "5");
}

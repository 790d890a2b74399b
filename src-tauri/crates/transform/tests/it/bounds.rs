//! Programs and payloads that would end an unguarded process, or keep it busy for ever.

use std::time::{Duration, Instant};

use signalbox_transform::{Budget, Limits, Program, RunError, Value, parse_json};

/// Far above what a run may take, so that a loaded machine passes; far below what an unbounded one takes.
const GENEROUS: Duration = Duration::from_secs(10);

fn timed<T>(source: &str, work: impl FnOnce() -> T) -> T {
    #[expect(clippy::disallowed_methods, reason = "measures the run itself")]
    let start = Instant::now();
    let outcome = work();
    let taken = start.elapsed();
    assert!(taken < GENEROUS, "{source} took {taken:?}");
    outcome
}

fn run(source: &str, limits: &Limits) -> Result<Value, RunError> {
    let program = Program::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    timed(source, || program.run_one(&Value::null(), limits))
}

fn is_stopped(source: &str) {
    // Fewer steps than in use: tests are not optimised. Memory and stack are the real ones.
    for limits in [Limits::INLINE, Limits { fuel: 300_000, ..Limits::BEHIND }] {
        let outcome = run(source, &limits);
        assert!(matches!(&outcome, Err(RunError::OverBudget { .. })), "{source}: {outcome:?}");
    }
}

#[test]
fn programs_that_never_end_are_stopped() {
    for source in [
        "def f: f; f",
        "def f: 1, f; [f]",
        "[range(infinite)]",
        "[range(1e18)]",
        "last(range(1e12))",
        "first(range(1e12) | select(. < 0))",
        "[repeat(1)]",
        "last(repeat(1))",
        "reduce range(1e12) as $i (0; . + 1)",
        "reduce range(1e12) as $i (0; ., .)",
        "last(foreach range(1e12) as $i (0; . + $i))",
        "until(false; .)",
        "[limit(1e10; repeat(1))] | length",
        "last(limit(1e10; range(1e12)))",
        "[1 | while(true; . + 1)] | length",
        "[recurse(.)] | length",
        "last(label $out | foreach repeat(1) as $x (0; . + $x; .))",
        "sort_by(range(infinite))?, ([3, 1] | sort_by(range(infinite)))",
        "[1] | group_by(range(infinite))",
        "any(repeat(1); . == 2)",
        "isempty(repeat(1) | select(. == 2))",
        "\"a\" | [splits(\"a\"; repeat(\"g\"))]",
        "def f: reduce range(1000) as $i (0; f); f",
        "[range(0; 1; 0)]",
        "[path(repeat(.a))] | length",
    ] {
        is_stopped(source);
    }
}

#[test]
fn a_program_cannot_catch_its_own_end() {
    is_stopped("try last(range(1e12)) catch 1");
    is_stopped("def f: try (1 + f) catch f; f");
    is_stopped("last(range(1e12))? // 1");
    is_stopped("(last(range(1e12)) | error)? // 1");
    is_stopped("def f: (try f catch 1), (try f catch 1); [f]");
}

/// No definition, no loop: only ever more branches.
#[test]
fn branches_that_multiply_are_stopped() {
    let branches = vec!["(., .)"; 60];
    is_stopped(&format!("[{} | empty]", branches.join(" | ")));
    is_stopped(&format!("last({})", vec!["(1, 2)"; 60].join(" | ")));
    is_stopped(&format!("[.{}]", "[(1, 1, 1, 1)]".repeat(40)));
    is_stopped(&format!("[1 | .{}]", "[(1, 1, 1, 1)]?".repeat(40)));
    is_stopped(&format!("[{}]", vec!["(1, 2)"; 60].join(" + ")));
    is_stopped("[[range(10)] | combinations(50)] | length");
}

#[test]
fn a_function_that_takes_a_filter_may_not_call_itself() {
    for source in ["def f(g): f(g | g) | g; f(.)", "def g(x): g(x | x); g(.)", "def g(x): x as $y | g($y); g(1)"] {
        let refused = signalbox_transform::Program::compile(source).expect_err(source);
        assert!(refused.message.contains("calls itself"), "{source}: {}", refused.message);
        assert!(refused.suggestion.is_some(), "{source}");
    }
}

#[test]
fn endless_recursion_does_not_overflow_the_stack() {
    for source in [
        "def f: 1 + f; f",
        "def f: [f]; f",
        "def f: {a: f}; f",
        "def f: f | .; f",
        "def f: f | f; f",
        "def f: (f | f) // f; f",
        "def f($x): f($x) + 1; f(1)",
        "def f: . as [$x] | f | $x; f",
        "def f: if f then 1 else 2 end; f",
        "def f: try f catch error; f",
        "def f: reduce f as $x (0; 1); f",
        "def f: .a |= f; f",
        "def f: \"\\(f)\"; f",
        "def f: -f; f",
        "def f: .[f]; f",
        "def f: f and f; f",
        "def f: label $x | f | break $x; f",
        "(reduce range(1000000) as $i (.; .a)) |= 1",
        "(foreach range(1000000) as $i (.; .)) |= .",
        "[limit(1; def f: 1 + f; f)]",
        "first(def f: 1 + f; f)",
        "def f: getpath([f]); f",
        "def f: [., .] | sort_by(f); f",
        "def f: def g: f; g + 1; f",
    ] {
        is_stopped(source);
    }
}

#[test]
fn recursion_ends_on_the_stack_budget_and_names_it() {
    assert_eq!(run("def f: 1 + f; f", &Limits::BEHIND), Err(RunError::OverBudget { what: Budget::Stack }));
}

#[test]
fn values_that_grow_without_end_are_stopped() {
    for source in [
        "\"x\" * 4e9",
        "\"x\" * 1e300",
        "\"x\" * 100000000000000000000",
        "reduce range(60) as $i (\"x\"; . + .)",
        "reduce range(60) as $i (\"x\"; \"\\(.)\\(.)\")",
        "reduce range(60) as $i ([1]; . + .)",
        "reduce range(60) as $i ({a: 1}; {a: [.a, .a]})",
        "reduce range(60) as $i ([]; [., .])",
        "reduce range(60) as $i (2; . * .)",
        "reduce range(60) as $i (\"<\"; . * 10 | @html)",
        "reduce range(60) as $i (\"é\"; . + . | @uri)",
        "reduce range(60) as $i (\"a\"; @base64)",
        "reduce range(60) as $i (\"'\"; @sh)",
        "reduce range(60) as $i (\"\\\"\"; tojson)",
        "reduce range(60) as $i (\"x\"; [., ., .] | join(\"y\"))",
        "reduce range(60) as $i (\"x\"; gsub(\"x\"; \"xx\"))",
        "reduce range(60) as $i ([65]; . + . | implode | explode)",
        "[range(1e9)] | length",
        "[range(1e9) | \"x\" * 1000] | length",
        "[.[1e12]] | .[0] = 1 | .[1e12] = 1",
        ".[1e9] = 1",
        "reduce range(1e9) as $i ({}; .[$i | tostring] = $i)",
        "reduce range(1e9) as $i ([]; .[$i] = $i)",
        "[[range(1e4)] as $a | range(1e4) | $a] | tojson | length",
        "[range(3000)] as $a | [$a[] | $a] as $b | [$b[] | $b]",
        "[limit(1e9; repeat(\"x\"))] | join(\"y\")",
    ] {
        is_stopped(source);
    }
}

/// Shared parts make a small value that is huge when it is walked or written.
#[test]
fn a_shared_nest_is_refused_when_it_is_made() {
    let nest = "reduce range(40) as $i ([]; [., .])";
    for use_ in [
        ".",
        "tojson",
        "tostring",
        "length",
        "[..]",
        "flatten",
        ". == .",
        "try .a catch .",
        "sort",
        "unique",
        "@text",
        "walk(.)",
    ] {
        is_stopped(&format!("{nest} | {use_}"));
    }
}

#[test]
fn deep_values_are_refused_when_they_are_made() {
    is_stopped("reduce range(200000) as $i (null; [.])");
    is_stopped("reduce range(200000) as $i (null; {a: .})");
    is_stopped("reduce range(200000) as $i (null; .a = {b: .})");
    is_stopped("[range(200000)] | reduce .[] as $i (null; [[.]])");
}

#[test]
fn a_value_nested_as_deep_as_a_body_may_be_is_not_too_deep() {
    let deep = format!("{}1{}", "[".repeat(128), "]".repeat(128));
    let body = parse_json(deep.as_bytes()).unwrap().value;
    let wrapped = Program::compile("{body: ., again: [.]}").unwrap().run_one(&body, &Limits::INLINE).unwrap();
    assert!(wrapped.to_json_bytes(1 << 20).is_ok());
}

#[test]
fn a_body_of_thirty_thousand_brackets_is_an_error() {
    for open in ["[", "{\"a\":", "[{\"a\":"] {
        let error = parse_json(open.repeat(30_000).as_bytes()).unwrap_err();
        assert!(error.message.contains("128 levels"), "{error}");
    }
}

#[test]
fn fromjson_reads_as_strictly_as_a_body_is_read() {
    let error = run("\"[\" * 30000 | fromjson", &Limits::BEHIND).unwrap_err();
    assert!(error.to_string().contains("128 levels"), "{error}");
    for text in ["NaN", "+1", "nan", "Infinity", "[1,]", "1 2", "'a'", ""] {
        let error = run(&format!("{text:?} | fromjson"), &Limits::BEHIND).unwrap_err();
        assert!(error.to_string().contains("not JSON"), "{text}: {error}");
    }
}

#[test]
fn deeply_nested_programs_are_refused_before_they_are_parsed() {
    for (open, close) in
        [("(", ")"), ("[", "]"), ("{a:", "}"), ("\"\\(", ")\""), ("def f: ", "; f"), ("if ", " then 1 end")]
    {
        let source = format!("{}1{}", open.repeat(4_500), close.repeat(4_500));
        let error = timed(open, || Program::compile(&source)).unwrap_err();
        assert!(error.message.contains("too long") || error.message.contains("nested"), "{open}: {error}");
    }
    let error = Program::compile(&"(".repeat(20_000)).unwrap_err();
    assert!(error.message.contains("nested"), "{error}");
}

#[test]
fn long_chains_of_operators_are_refused_or_run() {
    for step in [
        "- ",
        "try ",
        "1 + ",
        "1, ",
        ". | ",
        "1 // ",
        ". as $x | ",
        "label $x | ",
        "not | ",
        "reduce ",
        ".a = ",
        "1 and ",
        "def f: 1; ",
    ] {
        for times in [100, 1_000, 3_000, 20_000] {
            let source = format!("{}1", step.repeat(times));
            if let Ok(program) = timed(step, || Program::compile(&source)) {
                drop(timed(step, || program.run_optional(&Value::null(), &Limits::INLINE)));
            }
        }
    }
}

#[test]
fn a_program_of_more_than_64_kib_is_refused() {
    let error = Program::compile(&format!("\"{}\"", "x".repeat(65 << 10))).unwrap_err();
    assert!(error.message.contains("64 KiB"), "{error}");
}

#[test]
fn regular_expressions_do_not_outrun_the_deadline() {
    for source in [
        "\"a\" * 100000000 | test(\"(a+)+$\")",
        "\"a\" * 1000000 | test(\"(a|aa)+$\")",
        "\"a\" * 1000000 | [match(\"(.*)(.*)(.*)b\"; \"g\")]",
        "\"a\" * 200000 | [match(\".*?b|a\"; \"g\")] | length",
        "\"a\" * 1000000 | test(\"(a?){1000}\")",
        "\"a\" | test(\"((a{1000}){1000}){1000}\")",
        "\"a\" * 100000 | test(\"\\\\w{200}\\\\W{200}$\")",
        "[range(10000) | tostring as $p | \"abc\" | test($p)] | length",
    ] {
        let program = Program::compile(source).unwrap();
        // A result, an error of its own or a stop: what counts is that it ends.
        drop(timed(source, || program.run_one(&Value::null(), &Limits::BEHIND)));
    }
}

#[test]
fn library_functions_on_large_values_end() {
    for source in [
        "[range(100000)] | indices([range(50000)])",
        "\"a\" * 4000000 | indices(\"a\" * 2000000)",
        "\"a\" * 4000000 | ascii_downcase | explode | length",
        "[range(200000) | -.] | sort | .[0]",
        "[range(100000) | {a: ., b: \"x\"}] | unique | length",
        "[range(100000)] - [range(100000)]",
        "[range(3000)] | contains([range(3000)])",
        "jn(2147483647; 1)?",
        "1e300 | gmtime",
        "10000000000000 | gmtime",
        "\"%c\" * 1000000 as $f | 0 | strftime($f)",
        "[1, 127, 1, 1, 1, 1] | mktime",
        "\"x\" * 8000000 | @uri",
        "\"<\" * 8000000 | @html",
    ] {
        if let Ok(program) = Program::compile(source) {
            drop(timed(source, || program.run_one(&Value::null(), &Limits::BEHIND)));
        }
    }
}

#[test]
fn a_result_larger_than_the_output_limit_is_refused() {
    let limits = Limits { output_bytes: 100, ..Limits::INLINE };
    assert_eq!(run("\"x\" * 99", &limits), Err(RunError::OverBudget { what: Budget::Output }));
    assert!(run("\"x\" * 98", &limits).is_ok());
}

#[test]
fn what_is_too_much_inline_may_be_done_behind() {
    let source = "[range(20000) | . * 2] | add";
    assert!(run(source, &Limits { fuel: 10_000, ..Limits::INLINE }).unwrap_err().is_over_budget());
    assert!(run(source, &Limits { time: GENEROUS, ..Limits::BEHIND }).is_ok());
}

#[test]
fn a_stopped_run_leaves_nothing_behind_for_the_next() {
    for _ in 0..5 {
        is_stopped("[range(infinite)]");
        assert_eq!(run("1 + 1", &Limits::INLINE).map(|value| value.to_text()), Ok("2".to_owned()));
    }
    // Values of an ended run are dropped here, where no run is on.
    let kept: Vec<_> = (0..50).map(|_| run("[range(100)]", &Limits::INLINE)).collect();
    drop(kept);
    assert!(run("[range(100)]", &Limits::INLINE).is_ok());
}

#[test]
fn memory_given_back_during_a_run_may_be_used_again() {
    // In all a hundred times the limit, at any time a hundredth of it.
    let limits = Limits { memory: 4 << 20, time: GENEROUS, ..Limits::BEHIND };
    assert!(run("reduce range(1000) as $i (0; . + (\"x\" * 400000 | length))", &limits).is_ok());
}

#[test]
fn a_number_that_no_document_may_hold_is_refused_in_a_program_and_in_its_result() {
    let digits = "1".repeat(4_096);
    assert!(Program::compile(&digits).is_ok());
    for source in [format!("{digits}1"), format!("[.a, {digits}1]"), format!("1.{digits}")] {
        let error = Program::compile(&source).expect_err("too long");
        assert!(error.message.contains("more than 4096 characters"), "{error}");
    }
    assert!(run("[range(400)] | reduce .[] as $i (1; . * 1000000000)", &Limits::BEHIND).is_ok());
    let outcome = run("[range(500)] | {n: reduce .[] as $i (1; . * 1000000000)}", &Limits::BEHIND);
    let Err(RunError::Failed { message }) = outcome else { panic!("{outcome:?}") };
    assert!(message.contains("more than 4096 characters"), "{message}");
    let text = run("[range(500)] | reduce .[] as $i (1; . * 1000000000) | tostring | length", &Limits::BEHIND);
    assert_eq!(text.map(|value| value.to_text()), Ok("4501".to_owned()), "as text it may be used");
}

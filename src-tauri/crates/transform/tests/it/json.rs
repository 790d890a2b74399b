//! The strict reader and the writer.

use proptest::prelude::*;
use signalbox_transform::{Value, parse_json};

fn round(text: &str) -> String {
    let value = parse_json(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}")).value;
    String::from_utf8(value.to_json_bytes(usize::MAX).unwrap()).unwrap()
}

#[test]
fn what_is_read_is_written_back_with_its_digits_and_order() {
    for text in [
        "1.10",
        "-0",
        "-0.0",
        "0",
        "1e400",
        "1E+2",
        "0.1e-7",
        "1180591620717411303424",
        "-1180591620717411303424",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "123456789012345678901234567890.123456789012345678901234567890",
        r#"{"b":1,"a":2,"":3,"__proto__":{"constructor":4}}"#,
        r#"[[],{},"",null,true,false]"#,
        r#""é 漢 🦀 \" \\ \n \r \t \b \f \u0001 \u007f""#,
    ] {
        assert_eq!(round(text), text);
    }
}

#[test]
fn escapes_are_read_as_what_they_mean() {
    assert_eq!(round(r#" "\u0041\/\ud83e\udd80\u00e9" "#), r#""A/🦀é""#);
    assert_eq!(parse_json(br#""\u0000""#).unwrap().value.as_str(), Some("\0"));
}

#[test]
fn space_and_a_byte_order_mark_around_a_document_are_skipped() {
    assert_eq!(round("\u{feff} \t\r\n {\"a\" : [ 1 , 2 ] } \n"), r#"{"a":[1,2]}"#);
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    let cases: [(&[u8], usize, usize, &str); 34] = [
        (b"", 1, 1, "ends where a value"),
        (b"  ", 1, 3, "ends where a value"),
        (b"NaN", 1, 1, "expected a value, found 'N'"),
        (b"Infinity", 1, 1, "expected a value"),
        (b"-Infinity", 1, 2, "expected a digit"),
        (b"+1", 1, 1, "expected a value, found '+'"),
        (b"01", 1, 2, "start with 0"),
        (b"-", 1, 2, "digit"),
        (b"1.", 1, 3, "digit"),
        (b".5", 1, 1, "expected a value"),
        (b"1e", 1, 3, "digit"),
        (b"0x10", 1, 2, "more after the end"),
        (b"1 2", 1, 3, "more after the end"),
        (b"{} {}", 1, 4, "more after the end"),
        (b"[1,]", 1, 4, "expected a value, found ']'"),
        (b"[1 2]", 1, 4, "',' or ']'"),
        (b"[1", 1, 3, "ends where ',' or ']'"),
        (b"{\"a\":1,}", 1, 8, "member name"),
        (b"{a:1}", 1, 2, "member name in double quotes"),
        (b"{'a':1}", 1, 2, "member name"),
        (b"{\"a\" 1}", 1, 6, "expected ':'"),
        (b"{\"a\":1", 1, 7, "',' or '}'"),
        (b"{1:2}", 1, 2, "member name"),
        (b"\"a", 1, 3, "inside a string"),
        (b"\"a\nb\"", 1, 3, "control character"),
        (b"\"\\x\"", 1, 2, "backslash"),
        (b"\"\\u12\"", 1, 4, "four hexadecimal"),
        (b"\"\\u+123\"", 1, 4, "four hexadecimal"),
        (b"\"\\ud800\"", 1, 2, "surrogate"),
        (b"\"\\ude00\"", 1, 2, "surrogate"),
        (b"\"\\ud800\\u0041\"", 1, 2, "surrogate"),
        (b"{\n  \"a\": tru\n}", 2, 8, "expected a value, found 't'"),
        ("{\n \"é漢\": \u{1}}".as_bytes(), 2, 8, "U+0001"),
        (b"[\"\xff\"]", 1, 3, "not UTF-8"),
    ];
    for (bytes, line, column, message) in cases {
        let error = parse_json(bytes).unwrap_err();
        let shown = String::from_utf8_lossy(bytes);
        assert!(error.message.contains(message), "{shown}: {error}");
        assert_eq!((error.line, error.column), (line, column), "{shown}: {error}");
    }
}

#[test]
fn of_members_with_one_name_the_last_counts_and_the_document_is_flagged() {
    let parsed = parse_json(br#"{"a":1,"b":2,"a":3}"#).unwrap();
    assert!(parsed.duplicate_keys);
    assert_eq!(parsed.value.to_text(), r#"{"a":3,"b":2}"#);
    assert!(parse_json(br#"[{"x":{"a":1,"\u0061":2}}]"#).unwrap().duplicate_keys);
    assert!(!parse_json(br#"[{"a":1},{"a":2}]"#).unwrap().duplicate_keys);
}

#[test]
fn a_document_of_128_levels_is_read_and_one_of_129_is_not() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(round(&nested(128)), nested(128));
    let error = parse_json(nested(129).as_bytes()).unwrap_err();
    assert!(error.message.contains("128 levels"), "{error}");
}

#[test]
fn a_number_of_megabytes_is_refused() {
    let error = parse_json("9".repeat(1 << 20).as_bytes()).unwrap_err();
    assert!(error.message.contains("4096 characters"), "{error}");
}

#[test]
fn values_cross_between_threads_and_outlive_them() {
    let value = std::thread::spawn(|| parse_json(br#"{"a":[1,{"b":1180591620717411303424}]}"#).unwrap().value).join();
    assert_eq!(value.unwrap().to_text(), r#"{"a":[1,{"b":1180591620717411303424}]}"#);
}

#[test]
fn text_of_scalars_is_bare_and_of_others_is_json() {
    let cases = [
        (Value::null(), "null"),
        (Value::boolean(true), "true"),
        (Value::integer(-5), "-5"),
        (Value::string("a\"b"), "a\"b"),
        (Value::array([Value::string("a")]), "[\"a\"]"),
        (Value::object([("a", Value::integer(1))]), "{\"a\":1}"),
    ];
    for (value, text) in cases {
        assert_eq!(value.to_text(), text);
    }
}

#[test]
fn output_over_its_limit_is_over_budget() {
    let value = Value::string("12345678");
    assert_eq!(value.to_json_bytes(10).unwrap(), b"\"12345678\"");
    assert!(value.to_json_bytes(9).unwrap_err().is_over_budget());
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(|int| int.to_string()),
        "-?(0|[1-9][0-9]{0,40})",
        "-?(0|[1-9][0-9]{0,5})\\.[0-9]{1,20}([eE][+-]?[0-9]{1,3})?",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::Bool),
        number.prop_map(|text| serde_json::from_str(&text).unwrap()),
        any::<String>().prop_map(serde_json::Value::String),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(serde_json::Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Compared as text: digits and order count.
    #[test]
    fn any_document_survives_reading_and_writing(json in any_json()) {
        let text = serde_json::to_string(&json).unwrap();
        let value = parse_json(text.as_bytes()).unwrap().value;
        let written = value.to_json_bytes(usize::MAX).unwrap();
        let again: serde_json::Value = serde_json::from_slice(&written).unwrap();
        prop_assert_eq!(serde_json::to_string(&again).unwrap(), text);
        prop_assert_eq!(Value::from_json(&json).to_json_bytes(usize::MAX).unwrap(), written);
    }

    #[test]
    fn any_bytes_are_read_or_refused_as_serde_json_does(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        agree(&bytes)?;
    }

    #[test]
    fn any_nearly_json_text_is_read_or_refused_as_serde_json_does(
        text in "[\\[\\]{}:,\"\\\\ntrufalse0-9.eE+\\- u\\u{e9}]{0,24}"
    ) {
        agree(text.as_bytes())?;
    }
}

fn agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    let ours = parse_json(bytes);
    let theirs = serde_json::from_slice::<serde_json::Value>(bytes);
    prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "ours {:?}, serde_json {:?}", ours, theirs);
    Ok(())
}

#[test]
fn an_object_of_two_hundred_thousand_members_is_read() {
    let members: Vec<_> = (0..200_000).map(|number| format!("\"k{number}\":{number}")).collect();
    let parsed = parse_json(format!("{{{},\"k7\":0}}", members.join(",")).as_bytes()).unwrap();
    assert!(parsed.duplicate_keys);
    assert_eq!(parsed.value.get("k199999").map(|value| value.to_text()), Some("199999".to_owned()));
    assert_eq!(parsed.value.get("k7").map(|value| value.to_text()), Some("0".to_owned()));
}

#[test]
fn programs_and_values_are_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Value>();
    shared::<signalbox_transform::Program>();
    shared::<signalbox_transform::Template>();
    shared::<signalbox_transform::Schema>();
}

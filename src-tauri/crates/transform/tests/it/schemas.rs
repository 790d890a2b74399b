//! JSON Schema checks.

use signalbox_transform::{MAX_VIOLATIONS, Schema, parse_json};

const CONTACT: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["Email", "Id"],
    "properties": {
        "Email": {"type": "string", "pattern": "^[^@]+@[^@]+$"},
        "Id": {"type": "string"},
        "Age": {"type": "integer", "minimum": 0},
        "Friends": {"type": "array", "items": {"$ref": "#"}}
    }
}"##;

fn check(schema: &str, body: &str) -> Vec<(String, String)> {
    let body = parse_json(body.as_bytes()).unwrap().value;
    let violations = Schema::compile(schema).unwrap().check(&body).err().unwrap_or_default();
    violations.into_iter().map(|violation| (violation.path, violation.message)).collect()
}

#[test]
fn what_fits_passes() {
    assert!(check(CONTACT, r#"{"Email":"a@b","Id":"1","Age":3,"Friends":[{"Email":"c@d","Id":"2"}]}"#).is_empty());
}

#[test]
fn what_does_not_fit_is_named_by_pointer_and_without_its_value() {
    let violations = check(CONTACT, r#"{"Email":"secret","Friends":[{"Email":"c@d","Id":7}]}"#);
    let paths: Vec<_> = violations.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["", "/Email", "/Friends/0/Id"]);
    assert!(
        violations.iter().all(|(_, message)| !message.contains("secret") && !message.contains('7')),
        "{violations:?}"
    );
    assert!(violations[0].1.contains("Id"), "{violations:?}");
}

#[test]
fn at_most_ten_violations_are_reported() {
    let body = format!("[{}]", vec!["1"; 50].join(","));
    assert_eq!(check(r#"{"items":{"type":"string"}}"#, &body).len(), MAX_VIOLATIONS);
}

#[test]
fn a_reference_to_anything_outside_is_refused() {
    for reference in ["http://169.254.169.254/x", "https://example.com/schema.json", "file:///etc/passwd", "other.json"]
    {
        let error = Schema::compile(&format!(r#"{{"$ref":"{reference}"}}"#)).unwrap_err();
        assert!(error.message.contains("not a valid JSON Schema"), "{error}");
    }
}

#[test]
fn a_schema_that_is_not_one_is_refused_with_its_place() {
    let error = Schema::compile("{\n \"type\": }").unwrap_err();
    assert_eq!((error.line, error.column), (2, 10), "{error}");
    assert!(Schema::compile(r#"{"type":"strin"}"#).is_err());
    assert!(Schema::compile(r#"{"pattern":"("}"#).is_err());
    assert!(Schema::compile("[]").is_err());
}

/// Patterns run in linear time: look-around and back references, which cannot, are refused.
#[test]
fn patterns_do_not_backtrack() {
    assert!(Schema::compile(r#"{"pattern":"(a)\\1"}"#).is_err());
    let body = format!("\"{}!\"", "a".repeat(50_000));
    assert_eq!(check(r#"{"pattern":"^(a+)+$"}"#, &body).len(), 1);
}

#[test]
fn large_and_exact_numbers_are_checked() {
    assert!(check(r#"{"type":"integer"}"#, "1180591620717411303424").is_empty());
    assert_eq!(check(r#"{"type":"integer"}"#, "1.10").len(), 1);
    assert_eq!(check(r#"{"maximum":10}"#, "1180591620717411303424").len(), 1);
}

/// A schema may refer to itself without going into the value. Such a reference says nothing, and must not loop.
#[test]
fn a_schema_that_only_refers_to_itself_ends() {
    for schema in [
        r##"{"$ref":"#"}"##,
        r##"{"allOf":[{"$ref":"#"}]}"##,
        r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}"##,
        r##"{"if":{"$ref":"#"},"then":true}"##,
        r##"{"$id":"https://x.example/s","$ref":"https://x.example/s"}"##,
        r##"{"$anchor":"me","oneOf":[{"$ref":"#me"}]}"##,
        r##"{"$dynamicAnchor":"me","allOf":[{"$dynamicRef":"#me"}]}"##,
    ] {
        assert!(check(schema, "1").is_empty(), "{schema}");
    }
}

#[test]
fn the_deepest_body_is_checked_by_a_recursive_schema() {
    let body = format!("{}1{}", "[".repeat(128), "]".repeat(128));
    let violations = check(r##"{"type":"array","items":{"$ref":"#"}}"##, &body);
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].0, "/0".repeat(128));
}

#[test]
fn a_schema_that_doubles_at_every_level_ends() {
    let schema = r##"{"anyOf":[{"items":{"$ref":"#"},"not":{"type":"number"}},{"items":{"$ref":"#"},"not":{"type":"number"}}]}"##;
    let body = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let violations = check(schema, &body);
    assert!(violations[0].1.contains("too many ways"), "{violations:?}");
}

#[test]
fn a_deeply_nested_schema_is_read_or_refused() {
    let nested = |levels: usize| format!("{}{{}}{}", "{\"items\":".repeat(levels), "}".repeat(levels));
    assert!(Schema::compile(&nested(100)).is_ok());
    assert!(Schema::compile(&nested(30_000)).is_err());
}

#[test]
fn messages_say_what_is_wrong_in_words() {
    for (schema, body, message) in [
        (r#"{"type":"string"}"#, "1", "it is not of type \"string\""),
        (r#"{"required":["Id"]}"#, "{}", "\"Id\" is a required property"),
        (r#"{"enum":["a","b"]}"#, "\"c\"", "it is not one of \"a\" or \"b\""),
        (r#"{"pattern":"^a"}"#, "\"b\"", "it does not match \"^a\""),
        (r#"{"maxLength":1}"#, "\"bb\"", "it is longer than 1 character"),
        (r#"{"minimum":5}"#, "1", "it is less than the minimum of 5"),
        (
            r#"{"properties":{"a":{}},"additionalProperties":false}"#,
            r#"{"x":1}"#,
            "Additional properties are not allowed ('x' was unexpected)",
        ),
    ] {
        assert_eq!(check(schema, body), [(String::new(), message.to_owned())]);
    }
}

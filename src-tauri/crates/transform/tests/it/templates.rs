//! Templates of paths and headers.

use proptest::prelude::*;
use signalbox_transform::{CompileError, Limits, Place, RunError, Template, Value, parse_json};

fn limits() -> Limits {
    Limits { time: std::time::Duration::from_secs(5), ..Limits::INLINE }
}

fn render(source: &str, place: Place, input: &str) -> Result<String, RunError> {
    let template = Template::compile(source, place).unwrap_or_else(|error| panic!("{source}: {error}"));
    template.render(&parse_json(input.as_bytes()).unwrap().value, &limits())
}

fn path(source: &str, input: &str) -> Result<String, RunError> {
    render(source, Place::PathAndQuery, input)
}

fn wrong(source: &str, place: Place) -> CompileError {
    Template::compile(source, place).unwrap_err()
}

#[test]
fn a_hole_is_filled_and_encoded_once() {
    let input = r#"{"email":"a/b@x.org","n":1.10,"yes":true}"#;
    for (source, filled) in [
        ("/contacts/{{ .email | @uri }}", "/contacts/a%2Fb%40x.org"),
        ("/contacts/{{ .email }}", "/contacts/a%2Fb%40x.org"),
        ("/contacts/{{.email|@uri}}/x", "/contacts/a%2Fb%40x.org/x"),
        ("/c?email={{ .email }}&n={{ .n }}", "/c?email=a%2Fb%40x.org&n=1.10"),
        ("/c/{{ .yes }}", "/c/true"),
        ("/c/{{ \"}}\" }}", "/c/%7D%7D"),
        ("/c/{{ {a: {b: \"x\"}} | .a.b }}", "/c/x"),
        ("/c/{{ \"a\\(.n)}}\" | length }}", "/c/7"),
        ("/plain?x=%20", "/plain?x=%20"),
    ] {
        assert_eq!(path(source, input).as_deref(), Ok(filled), "{source}");
    }
}

#[test]
fn a_payload_cannot_leave_its_segment() {
    for (value, filled) in [
        ("../../admin", "/c/..%2F..%2Fadmin/x"),
        ("a?b=c#d", "/c/a%3Fb%3Dc%23d/x"),
        ("a%2e%2e", "/c/a%252e%252e/x"),
        ("//evil.example", "/c/%2F%2Fevil.example/x"),
        ("\\\\evil", "/c/%5C%5Cevil/x"),
        ("a\r\nHost: b", "/c/a%0D%0AHost%3A%20b/x"),
        ("\u{0}", "/c/%00/x"),
        ("é", "/c/%C3%A9/x"),
    ] {
        let input = Value::object([("v", Value::string(value))]);
        for source in ["/c/{{ .v }}/x", "/c/{{ .v | @uri }}/x"] {
            let template = Template::compile(source, Place::PathAndQuery).unwrap();
            assert_eq!(template.render(&input, &limits()).as_deref(), Ok(filled), "{source} {value:?}");
        }
    }
}

#[test]
fn dots_and_nothing_are_refused_in_a_path() {
    for value in ["..", ".", ""] {
        for source in ["/c/{{ .v }}", "/c/{{ .v | @uri }}/x", "/{{ .v }}/c?q=1"] {
            let input = Value::object([("v", Value::string(value))]);
            let template = Template::compile(source, Place::PathAndQuery).unwrap();
            let outcome = template.render(&input, &limits());
            assert!(matches!(outcome, Err(RunError::Failed { .. })), "{source} {value:?}: {outcome:?}");
        }
    }
    // Two holes may not make dots together either, nor spell them.
    assert!(path("/c/{{ .v }}{{ .v }}/x", r#"{"v":"."}"#).is_err());
    assert!(path("/c/{{ \"%2e%2E\" # | @uri }}\n | @uri }}", "null").is_ok_and(|text| text == "/c/%252e%252E"));
    assert_eq!(path("/c?q={{ .v }}", r#"{"v":""}"#).as_deref(), Ok("/c?q="));
}

#[test]
fn a_comment_that_looks_like_encoding_does_not_open_the_path() {
    assert_eq!(path("/c/{{ \"a/../b\" # | @uri\n}}", "null").as_deref(), Ok("/c/a%2F..%2Fb"));
}

#[test]
fn a_hole_must_give_one_scalar() {
    for (source, message) in [
        ("/c/{{ .missing }}", "'{{ .missing }}' gave null: it must give text"),
        ("/c/{{ [1] }}", "'{{ [1] }}' gave an array: it must give text"),
        ("/c/{{ {} }}", "'{{ {} }}' gave an object: it must give text"),
        ("/c/{{ 1, 2 }}", "gave more than one result"),
        ("/c/{{ empty }}", "gave no result"),
        ("/c/{{ .missing[] }}", "cannot iterate over null"),
    ] {
        let error = path(source, "{}").unwrap_err().to_string();
        assert!(error.starts_with(message), "{source}: {error}");
    }
}

#[test]
fn a_template_that_is_wrong_is_refused_with_its_place() {
    for (source, column, message) in [
        ("contacts", 1, "a path starts with '/'"),
        ("", 1, "a path starts with '/'"),
        ("{{ .path }}", 1, "a path starts with '/'"),
        ("https://evil.example/", 1, "a path starts with '/'"),
        ("//evil.example/", 1, "exactly one '/'"),
        ("/a/../b", 1, "segment '.' or '..'"),
        ("/a/%2E./b", 1, "segment '.' or '..'"),
        ("/a b", 3, "write it as %20"),
        ("/a\r\nHost: x", 3, "write it as %0D"),
        ("/é", 2, "write it as %C3%A9"),
        ("/a#b", 3, "write it as %23"),
        ("/a/{{ .b", 4, "never closed"),
        ("/a/{{ .b | mapp }}", 12, "there is no function 'mapp'"),
        ("/a/{{ }}", 7, "expected 'term'"),
        ("/a/}}", 4, "cannot stand in a URL"),
    ] {
        let error = wrong(source, Place::PathAndQuery);
        assert!(error.message.contains(message), "{source}: {error}");
        assert_eq!(error.column, column, "{source}: {error}");
    }
}

#[test]
fn a_header_takes_no_line_breaks() {
    assert_eq!(render("v1 {{ .a }}; b", Place::Header, r#"{"a":"x y"}"#).as_deref(), Ok("v1 x y; b"));
    for value in ["a\r\nX: y", "a\nb", "a\u{0}", "\u{7f}", "é\n"] {
        let input = Value::object([("a", Value::string(value))]);
        let template = Template::compile("{{ .a }}", Place::Header).unwrap();
        let error = template.render(&input, &limits()).unwrap_err().to_string();
        assert!(error.contains("cannot stand in a header"), "{value:?}: {error}");
    }
    assert!(wrong("a\r\nb", Place::Header).message.contains("cannot stand in a header"));
}

#[test]
fn text_beyond_ascii_goes_into_a_header_percent_encoded() {
    assert_eq!(
        render("{{ .a }}", Place::Header, r#"{"a":"Zoë 100% 🦀"}"#).as_deref(),
        Ok("Zo%C3%AB 100% %F0%9F%A6%80")
    );
    assert!(
        wrong("é", Place::Header).message.contains("cannot stand in a header"),
        "what the author writes is refused"
    );
}

#[test]
fn a_template_without_holes_is_literal() {
    assert_eq!(Template::compile("/a/b", Place::PathAndQuery).unwrap().literal(), Some("/a/b"));
    assert_eq!(Template::compile("", Place::Header).unwrap().literal(), Some(""));
    assert_eq!(Template::compile("/a/{{ 1 }}", Place::PathAndQuery).unwrap().literal(), None);
}

proptest! {
    /// Whatever the payload is: same host, same segments, same parameters.
    #[test]
    fn no_payload_changes_the_shape_of_a_path(value in any::<String>()) {
        let template = Template::compile("/a/{{ .v }}/b?c={{ .v | @uri }}&d=1", Place::PathAndQuery).unwrap();
        let input = Value::object([("v", Value::string(&value))]);
        match template.render(&input, &limits()) {
            Ok(text) => {
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(!text.contains('#') && !text.contains('\\') && !text.starts_with("//"));
                let (path, query) = text.split_once('?').unwrap();
                let segments: Vec<_> = path.split('/').collect();
                prop_assert_eq!(segments.len(), 4);
                prop_assert_eq!((segments[1], segments[3]), ("a", "b"));
                prop_assert_eq!(query.split('&').count(), 2);
                let decoded = percent_encoding::percent_decode_str(segments[2]).decode_utf8().unwrap();
                prop_assert_eq!(decoded, value);
            }
            Err(_) => prop_assert!(matches!(value.as_str(), "" | "." | "..") || value.len() > 1_000),
        }
    }

    #[test]
    fn no_payload_breaks_out_of_a_header(value in any::<String>()) {
        let template = Template::compile("x-{{ .v }}", Place::Header).unwrap();
        let input = Value::object([("v", Value::string(&value))]);
        if let Ok(text) = template.render(&input, &limits()) {
            prop_assert!(text.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)));
        }
    }

    #[test]
    fn any_text_is_a_template_or_an_error(source in any::<String>()) {
        drop(Template::compile(&source, Place::PathAndQuery));
        drop(Template::compile(&source, Place::Header));
    }
}

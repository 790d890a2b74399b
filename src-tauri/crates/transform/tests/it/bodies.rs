//! Bodies by content type.

use signalbox_transform::{BodyFormat, Format, read_body, read_body_as};

fn read(content_type: Option<&str>, bytes: &[u8]) -> (String, BodyFormat) {
    let (parsed, format) = read_body(content_type, bytes).unwrap();
    (String::from_utf8(parsed.value.to_json_bytes(1 << 20).unwrap()).unwrap(), format)
}

#[test]
fn json_types_are_read_as_json() {
    for content_type in [
        "application/json",
        "APPLICATION/JSON; charset=utf-8",
        "text/json",
        "application/cloudevents+json",
        " application/json ;x",
    ] {
        assert_eq!(read(Some(content_type), br#"{"a":1.10}"#), (r#"{"a":1.10}"#.to_owned(), BodyFormat::Json));
    }
}

#[test]
fn a_broken_body_of_a_json_type_is_an_error() {
    assert!(read_body(Some("application/json"), b"{").is_err());
    assert!(read_body(Some("application/vnd.api+json"), b"").is_err());
}

#[test]
fn without_a_type_a_body_is_json_if_it_can_be() {
    assert_eq!(read(None, b"[1]"), ("[1]".to_owned(), BodyFormat::Json));
    assert_eq!(read(None, b"[1"), ("\"[1\"".to_owned(), BodyFormat::Text));
    assert_eq!(read(None, b""), ("\"\"".to_owned(), BodyFormat::Text));
}

#[test]
fn a_form_is_an_object_and_a_name_that_comes_again_an_array() {
    let form = b"a=1&b=x+y%26z&a=2&c&=d&%C3%A9=%F0%9F%A6%80&a=3&";
    let expected = r#"{"a":["1","2","3"],"b":"x y&z","c":"","":"d","é":"🦀"}"#;
    assert_eq!(
        read(Some("application/x-www-form-urlencoded; charset=UTF-8"), form),
        (expected.to_owned(), BodyFormat::Form)
    );
}

#[test]
fn other_types_are_text_or_base64() {
    assert_eq!(read(Some("text/markdown"), "a;é\n".as_bytes()), ("\"a;é\\n\"".to_owned(), BodyFormat::Text));
    assert_eq!(read(Some("text/plain"), b"{\"a\":1}").1, BodyFormat::Text);
    assert_eq!(read(Some("image/png"), b"\x89PNG\x00"), ("\"iVBORwA=\"".to_owned(), BodyFormat::Base64));
    assert_eq!(read(Some("application/x-www-form-urlencoded"), b"a=\xff").1, BodyFormat::Base64);
}

#[test]
fn a_form_of_too_many_fields_is_an_error() {
    assert!(read_body(Some("application/x-www-form-urlencoded"), "a=1&".repeat(10_001).as_bytes()).is_err());
}

#[test]
fn xml_and_csv_are_read_by_their_types() {
    for content_type in ["text/xml", "application/xml; charset=utf-8", "application/atom+xml"] {
        assert_eq!(read(Some(content_type), b"<a>1</a>"), (r#"{"a":"1"}"#.to_owned(), BodyFormat::Xml));
    }
    assert_eq!(read(Some("text/csv"), b"a\n1\n"), (r#"[{"a":"1"}]"#.to_owned(), BodyFormat::Csv));
    assert_eq!(read(Some("text/html"), b"<a>1</a>").1, BodyFormat::Text);
    assert!(read_body(Some("text/xml"), b"<a>").is_err());
}

#[test]
fn a_named_format_holds_whatever_the_content_type() {
    let as_named = |format, bytes: &[u8]| read_body_as(format, Some("text/plain"), bytes);
    assert_eq!(as_named(Format::Json, b"[1]").unwrap().1, BodyFormat::Json);
    assert_eq!(as_named(Format::Form, b"a=1").unwrap().1, BodyFormat::Form);
    assert_eq!(as_named(Format::Xml, b"<a/>").unwrap().1, BodyFormat::Xml);
    assert_eq!(as_named(Format::Csv, b"a\n").unwrap().1, BodyFormat::Csv);
    assert_eq!(as_named(Format::Text, b"[1]").unwrap().1, BodyFormat::Text);
    for (format, bytes) in [(Format::Json, &b"{"[..]), (Format::Form, b"\xff"), (Format::Text, b"\xff")] {
        assert!(as_named(format, bytes).is_err(), "{format:?}");
    }
}

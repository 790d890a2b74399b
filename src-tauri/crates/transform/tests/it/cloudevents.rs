//! CloudEvents: the ways in which one event may travel give one value.

use signalbox_transform::cloudevents::{CloudEventError, CloudEventMode, mode, names, read};

fn text(value: &signalbox_transform::Value) -> String {
    String::from_utf8(value.to_json_bytes(1 << 20).unwrap()).unwrap()
}

const REQUIRED: [(&str, &str); 4] =
    [("ce-type", "com.acme.contact"), ("ce-id", "1"), ("ce-source", "/crm"), ("ce-specversion", "1.0")];

fn binary(more: &[(&str, &str)], content_type: Option<&str>, body: &[u8]) -> Result<String, CloudEventError> {
    let headers: Vec<(&str, &[u8])> =
        REQUIRED.iter().chain(more).map(|(name, value)| (*name, value.as_bytes())).collect();
    read(mode(content_type)?, headers, content_type, body).map(|parsed| text(&parsed.value))
}

#[test]
fn a_binary_event_is_the_same_value_as_a_structured_one() {
    let value = binary(&[("ce-subject", "ada"), ("content-length", "9")], Some("application/json"), b"{\"a\":1.10}");
    let expected = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/crm\",\"type\":\"com.acme.contact\",\
                    \"subject\":\"ada\",\"datacontenttype\":\"application/json\",\"data\":{\"a\":1.10}}";
    assert_eq!(value.unwrap(), expected);
    let structured = Some("application/cloudevents+json; charset=utf-8");
    let parsed = read(mode(structured).unwrap(), [], structured, expected.as_bytes()).unwrap();
    assert_eq!(text(&parsed.value), expected);
    assert_eq!(names(&parsed.value).unwrap().dedupe_id(), "/crm 1");
}

#[test]
fn header_values_are_decoded_once() {
    let value = |given: &str| {
        let all = binary(&[("ce-note", given)], None, b"").unwrap();
        all.split("\"note\":").nth(1).and_then(|note| note.strip_suffix('}')).unwrap().to_owned()
    };
    // The HTTP binding's own example: Euro € 😀
    assert_eq!(value("Euro%20%E2%82%AC%20%F0%9F%98%80"), "\"Euro € 😀\"");
    assert_eq!(value("100%2525"), "\"100%25\"");
    assert_eq!(value("\"quoted \\\" part\""), "\"quoted \\\" part\"");
    assert_eq!(
        binary(&[("ce-note", "%C3%28")], None, b""),
        Err(CloudEventError::Header("ce-note".to_owned())),
        "that is no UTF-8"
    );
}

#[test]
fn data_is_json_text_or_base64_by_its_type() {
    let data = |content_type: Option<&str>, body: &[u8]| {
        let all = binary(&[], content_type, body).unwrap();
        all.split_once(",\"data").map_or(String::new(), |(_, data)| format!("\"data{}", data.trim_end_matches('}')))
    };
    assert!(data(Some("application/vnd.acme+json"), b"[1]").ends_with("\"data\":[1]"));
    assert!(data(None, b"[1]").ends_with("\"data\":[1]"));
    assert!(data(Some("text/plain"), "é".as_bytes()).ends_with("\"data\":\"é\""));
    assert!(data(Some("application/xml"), b"<a/>").ends_with("\"data\":\"<a/>\""));
    assert!(data(Some("application/octet-stream"), b"abc").ends_with("\"data_base64\":\"YWJj\""));
    assert!(data(Some("text/plain"), b"\xff").ends_with("\"data_base64\":\"/w==\""));
    assert_eq!(data(None, b""), "");
    assert!(matches!(binary(&[], Some("application/json"), b"{"), Err(CloudEventError::Body(_))));
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    let wrong =
        |event: &str| names(&read(CloudEventMode::Structured, [], None, event.as_bytes()).unwrap().value).unwrap_err();
    assert_eq!(wrong("{}"), CloudEventError::Missing { name: "specversion" });
    assert_eq!(wrong("[]"), CloudEventError::NotAnObject("an array"));
    let event = |more: &str| format!("{{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\"{more}}}");
    assert_eq!(wrong(&event("")), CloudEventError::Missing { name: "type" });
    assert_eq!(wrong(&event(",\"type\":null")), CloudEventError::Missing { name: "type" });
    assert_eq!(wrong(&event(",\"type\":7")), CloudEventError::Malformed { name: "type" });
    assert_eq!(wrong(&event(",\"type\":\"t\",\"data\":1,\"data_base64\":\"\"")), CloudEventError::TwoKindsOfData);
    assert_eq!(wrong("{\"specversion\":\"0.3\"}"), CloudEventError::Version("0.3".to_owned()));
    assert_eq!(binary(&[("ce-id", "2")], None, b""), Err(CloudEventError::HeaderRepeated("ce-id".to_owned())));
}

#[test]
fn other_formats_of_events_are_named_and_refused() {
    assert_eq!(
        mode(Some("application/cloudevents+avro")),
        Err(CloudEventError::Format("application/cloudevents+avro".into()))
    );
    assert_eq!(mode(Some("Application/CloudEvents-Batch+JSON;x")), Ok(CloudEventMode::Batch));
    assert_eq!(mode(Some("application/json")), Ok(CloudEventMode::Binary));
    assert_eq!(mode(None), Ok(CloudEventMode::Binary));
}

#[test]
fn a_batch_is_an_array_and_may_be_empty() {
    let batch = |body: &[u8]| read(CloudEventMode::Batch, [], None, body).map(|parsed| text(&parsed.value));
    assert_eq!(batch(b" [ ] ").unwrap(), "[]");
    assert_eq!(batch(b"{}"), Err(CloudEventError::NotAnArray("an object")));
}

//! XML as JSON, and what is refused.

use proptest::prelude::*;
use signalbox_transform::{Format, MAX_XML_DEPTH, read_body_as};

fn json(xml: &str) -> String {
    let (parsed, _) = read_body_as(Format::Xml, None, xml.as_bytes()).unwrap();
    String::from_utf8(parsed.value.to_json_bytes(64 << 20).unwrap()).unwrap()
}

fn refusal(xml: impl AsRef<[u8]>) -> String {
    read_body_as(Format::Xml, None, xml.as_ref()).unwrap_err().to_string()
}

#[test]
fn elements_become_members_and_repeats_an_array_at_the_place_of_the_first() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<order id=\"7\"><line>a</line><total cur='€'>1.10</total>\
               <line>b</line><empty/><note></note></order>\n<!-- end -->";
    assert_eq!(
        json(xml),
        r##"{"order":{"@id":"7","line":["a","b"],"total":{"@cur":"€","#text":"1.10"},"empty":"","note":""}}"##
    );
}

#[test]
fn prefixes_stay_and_declarations_of_namespaces_go() {
    let xml = "<s:a xmlns:s=\"urn:s\" xmlns=\"urn:d\"><b xmlns=\"urn:x\">1</b><s:b s:c=\"2\"/></s:a>";
    assert_eq!(json(xml), r#"{"s:a":{"b":"1","s:b":{"@s:c":"2"}}}"#);
}

#[test]
fn text_is_kept_and_white_space_between_elements_is_not() {
    assert_eq!(json("<a> x\r\n y </a>"), r#"{"a":" x\n y "}"#);
    assert_eq!(json("<a>\n  <b> </b>\n</a>"), r#"{"a":{"b":" "}}"#);
    assert_eq!(json("<a>one<b/>two</a>"), r##"{"a":{"b":"","#text":"onetwo"}}"##);
}

#[test]
fn references_and_cdata_are_text() {
    assert_eq!(
        json("<a t=\"&lt;&#65;&quot;\">&amp;&#x1F980;<![CDATA[<b>&amp;</b>]]></a>"),
        r##"{"a":{"@t":"<A\"","#text":"&🦀<b>&amp;</b>"}}"##
    );
}

#[test]
fn a_document_type_is_refused_and_nothing_expands() {
    let laughs = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol1 \"&lol;&lol;&lol;\">]><lolz>&lol1;</lolz>";
    assert!(refusal(laughs).contains("document type"), "{}", refusal(laughs));
    let outside = "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>";
    assert!(refusal(outside).contains("document type"));
    for unknown in ["<a>&nbsp;</a>", "<a>&xxe;</a>"] {
        assert!(refusal(unknown).contains("is not one of XML's own"), "{}", refusal(unknown));
    }
    assert!(refusal("<a b=\"&xxe;\"/>").contains("value of an attribute"));
    for no_character in ["<a>&#0;</a>", "<a>&#8;</a>", "<a>&#xD800;</a>", "<a>&#xFFFFFFFFF;</a>"] {
        assert!(refusal(no_character).contains("no character"), "{}", refusal(no_character));
    }
}

#[test]
fn what_is_not_well_formed_is_refused_with_its_place() {
    for wrong in [
        "",
        " ",
        "x",
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>x",
        "<a b/>",
        "<a b='1' b='2'/>",
        "<1/>",
        "<#text/>",
        "<a>&</a>",
        "<a",
        "<a><![CDATA[x</a>",
    ] {
        assert!(read_body_as(Format::Xml, None, wrong.as_bytes()).is_err(), "{wrong:?} was read");
    }
    let error = read_body_as(Format::Xml, None, b"<a>\n  <b></c>\n</a>").unwrap_err();
    assert_eq!(error.line, 2, "{error}");
}

#[test]
fn other_encodings_are_refused_in_words() {
    assert!(refusal(b"<a>\xe9</a>").contains("not UTF-8"));
    assert!(refusal("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>").contains("encoding"));
    let utf16: Vec<u8> = "\u{feff}<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(refusal(utf16).contains("not UTF-8"));
    assert_eq!(json("\u{feff}<a>1</a>"), r#"{"a":"1"}"#);
}

#[test]
fn depth_and_number_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    json(&nested(MAX_XML_DEPTH));
    assert!(refusal(nested(MAX_XML_DEPTH + 1)).contains("levels deep"));
    assert!(refusal(nested(200_000)).contains("levels deep"));
    assert!(refusal(format!("<a>{}</a>", "<b/>".repeat(500_000))).contains("more than"));
}

#[test]
fn many_names_take_no_quadratic_time() {
    let children: String = (0..100_000).map(|n| format!("<n{n}/>")).collect();
    json(&format!("<a>{children}</a>"));
    let attributes: String = (0..100_000).map(|n| format!(" n{n}=''")).collect();
    json(&format!("<a{attributes}/>"));
}

/// An element as it may come, and the text of it.
fn element() -> impl Strategy<Value = String> {
    let leaf = "[a-z<>&\"' \n\u{e9}]{0,8}".prop_map(|text| quick_xml::escape::escape(text.as_str()).into_owned());
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop::collection::vec(("[a-d]", inner), 0..4)
            .prop_map(|children| children.iter().map(|(name, inner)| format!("<{name}>{inner}</{name}>")).collect())
    })
}

proptest! {
    #[test]
    fn any_bytes_end_in_a_value_or_a_refusal(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ended = read_body_as(Format::Xml, None, &bytes);
    }

    #[test]
    fn markup_in_any_order_ends_in_a_value_or_a_refusal(parts in prop::collection::vec(
        prop::sample::select(vec!["<a>", "</a>", "<a/>", "<b c='1'>", "</b>", "<!--", "-->", "<![CDATA[", "]]>", "&lt;", "&x;",
            "<?p", "?>", "<!DOCTYPE a", ">", "x", " ", "\"", "="]), 0..24)) {
        let _ended = read_body_as(Format::Xml, None, parts.concat().as_bytes());
    }

    #[test]
    fn escaped_text_comes_back_as_it_was(text in "[ -~\u{e9}\u{1f980}\n\t]{1,40}") {
        let xml = format!("<a>{}</a>", quick_xml::escape::escape(text.as_str()));
        let (parsed, _) = read_body_as(Format::Xml, None, xml.as_bytes()).unwrap();
        let read = parsed.value.get("a").unwrap();
        prop_assert_eq!(read.as_str(), Some(text.as_str()));
    }

    #[test]
    fn every_document_of_elements_is_read(inner in element()) {
        let xml = format!("<root>{inner}</root>");
        prop_assert!(read_body_as(Format::Xml, None, xml.as_bytes()).is_ok(), "{}", xml);
    }
}

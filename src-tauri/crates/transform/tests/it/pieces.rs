//! What a program takes out of a document keeps its exact bytes.

use proptest::prelude::*;
use signalbox_transform::{Format, Limits, Piece, Program, Value, read_body_located};

/// Each element of what the program makes of `{ body }`: its bytes, or `made:` and its JSON.
fn pieces(program: &str, text: &str) -> Vec<String> {
    let (parsed, _) = read_body_located(Format::Json, None, text.as_bytes()).unwrap();
    let envelope = Value::object([("body", parsed.value.clone())]);
    let array = Program::compile(program).unwrap().run_one(&envelope, &Limits::BEHIND).unwrap();
    let shown = |piece: Piece| match piece {
        Piece::Exact(_, range) => text.get(range).unwrap().to_owned(),
        Piece::Made(value) => {
            format!("made:{}", String::from_utf8(value.to_json_bytes(1 << 20).unwrap()).unwrap())
        }
    };
    parsed.pieces(text.as_bytes(), &array).unwrap().into_iter().map(shown).collect()
}

const BODY: &str = "\u{feff} { \"n\": 2, \"events\" : [ {\"id\":1.10, \"b\":[ ], \"id\" : 2e0}\n ,\"x\\u00e9\\\"],\" , 1.00,[ 1 , [2]], null ] }";

#[test]
fn an_array_of_the_body_keeps_digits_order_white_space_and_repeated_names() {
    assert_eq!(
        pieces(".body.events", BODY),
        ["{\"id\":1.10, \"b\":[ ], \"id\" : 2e0}", "\"x\\u00e9\\\"],\"", "1.00", "[ 1 , [2]]", "null"]
    );
}

#[test]
fn a_selection_keeps_the_bytes_of_what_it_selects() {
    assert_eq!(
        pieces("[.body.events[] | select(type == \"object\")]", BODY),
        ["{\"id\":1.10, \"b\":[ ], \"id\" : 2e0}"]
    );
    assert_eq!(pieces("[.body.events[3], .body.events[3][1]]", BODY), ["[ 1 , [2]]", "[2]"]);
    assert_eq!(pieces("[.body]", " {\"a\":1.0 } "), ["{\"a\":1.0 }"]);
}

#[test]
fn what_the_program_makes_is_written_with_its_digits() {
    assert_eq!(pieces("[.body.events[0] + {c: 3}]", BODY), ["made:{\"id\":2e0,\"b\":[],\"c\":3}"]);
    assert_eq!(pieces("[.body.events[2]]", BODY), ["made:1.00"]);
}

#[test]
fn only_an_array_has_pieces() {
    let (parsed, _) = read_body_located(Format::Json, None, b"{\"a\":[]}").unwrap();
    assert_eq!(parsed.pieces(b"{\"a\":[]}", &parsed.value), None);
    assert_eq!(parsed.pieces(b"{\"a\":[]}", &parsed.value.get("a").unwrap()), Some(Vec::new()));
}

fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        "-?[1-9][0-9]{0,3}(\\.[0-9]{1,3})?",
        "[a-z,\\[\\]{} ]{0,6}".prop_map(|text| format!("\"{text}\\\"\"")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let spaced = (" {0,2}", inner, "\n?").prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        prop_oneof![
            prop::collection::vec(spaced.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("[a-b]", spaced), 0..4).prop_map(|members| {
                let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn the_elements_of_an_array_are_its_text(items in prop::collection::vec(document(), 0..6)) {
        let text = format!("[{}]", items.join(" ,\n"));
        let expected: Vec<String> = items.iter().map(|item| item.trim().to_owned()).collect();
        prop_assert_eq!(pieces(".body", &text), expected);
    }

    #[test]
    fn every_container_that_is_taken_out_stands_where_it_stood(text in document()) {
        let text = format!("[{text}]");
        for piece in pieces("[.body | .. | arrays, objects]", &text) {
            prop_assert!(!piece.starts_with("made:") && text.contains(&piece), "{} in {}", piece, text);
        }
    }
}

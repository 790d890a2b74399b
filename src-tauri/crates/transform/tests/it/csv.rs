//! CSV as JSON.

use proptest::prelude::*;
use signalbox_transform::{Format, read_body, read_body_as};

fn json(content_type: &str, text: &str) -> String {
    let (parsed, _) = read_body(Some(content_type), text.as_bytes()).unwrap();
    String::from_utf8(parsed.value.to_json_bytes(1 << 20).unwrap()).unwrap()
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    read_body_as(Format::Csv, None, text.as_ref()).unwrap_err().to_string()
}

#[test]
fn the_first_row_names_the_columns_and_every_value_is_text() {
    let text = "\u{feff}email,amount,note\r\nada@acme.test,1.10,\"a \"\"quoted\"\", cell\nof two lines\"\r\n\r\nx@y.test,,\r\n";
    assert_eq!(
        json("text/csv; charset=utf-8", text),
        r#"[{"email":"ada@acme.test","amount":"1.10","note":"a \"quoted\", cell\nof two lines"},{"email":"x@y.test","amount":"","note":""}]"#
    );
}

#[test]
fn other_delimiters_are_named_by_the_content_type() {
    assert_eq!(json("text/tab-separated-values", "a\tb\n1\t2,3\n"), r#"[{"a":"1","b":"2,3"}]"#);
    assert_eq!(json("text/csv; delimiter=\";\"", "a;b\n1;2,3\n"), r#"[{"a":"1","b":"2,3"}]"#);
    assert_eq!(json("text/csv; delimiter=|", "a|b\n1|2\n"), r#"[{"a":"1","b":"2"}]"#);
}

#[test]
fn without_rows_there_is_an_empty_array() {
    assert_eq!(json("text/csv", ""), "[]");
    assert_eq!(json("text/csv", "a,b\n"), "[]");
}

#[test]
fn rows_and_names_that_do_not_fit_are_refused() {
    let short = refusal("a,b\n1,2\n3\n");
    assert!(short.contains("1 fields where the first row names 2") && short.contains("line 3"), "{short}");
    assert!(refusal("a,a\n1,2\n").contains("two columns"));
    assert!(refusal("a,\n1,2\n").contains("column 2"));
    assert!(refusal(b"a\n\xff\n").contains("not UTF-8"));
    assert!(
        refusal(format!("{}\n", (0..1_001).map(|n| n.to_string()).collect::<Vec<_>>().join(","))).contains("columns")
    );
    assert!(refusal(format!("a,b\n{}", "1,2\n".repeat(250_001))).contains("fields"));
}

proptest! {
    #[test]
    fn any_bytes_end_in_a_value_or_a_refusal(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ended = read_body_as(Format::Csv, None, &bytes);
    }

    #[test]
    fn quoted_cells_come_back_as_they_were(cells in prop::collection::vec("[ -~\u{e9}\n]{0,12}", 1..6)) {
        let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        let names: Vec<String> = (0..cells.len()).map(|n| format!("c{n}")).collect();
        let text = format!("{}\n{}\n", names.join(","), quoted.join(","));
        let (parsed, _) = read_body_as(Format::Csv, None, text.as_bytes()).unwrap();
        let rows = parsed.value.items().unwrap();
        prop_assert_eq!(rows.len(), 1);
        for (name, cell) in names.iter().zip(&cells) {
            let read = rows[0].get(name).unwrap();
            prop_assert_eq!(read.as_str(), Some(cell.as_str()));
        }
    }
}

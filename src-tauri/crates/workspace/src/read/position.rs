//! From byte offsets to the lines and columns that editors show.

/// Line and column of `offset`, both from 1; the column counts characters. An offset past the end is the end. A byte
/// order mark takes no column, as editors do not show it.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let on_line = before.rsplit('\n').next().unwrap_or_default();
    let on_line = if line == 1 { on_line.trim_start_matches('\u{feff}') } else { on_line };
    (line, on_line.chars().count() + 1)
}

/// Where in `raw`, a TOML string as written with its quotes, the character at `line` and `column` (both from 1) of its
/// value stands. A place past the value's end is the closing quote.
pub(crate) fn offset_in_string(raw: &str, line: usize, column: usize) -> usize {
    let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| raw.starts_with(quotes)).unwrap_or("");
    let many_lines = quotes.len() == 3;
    let escapes = quotes.starts_with('"');
    let end = raw.len().saturating_sub(quotes.len()).max(quotes.len());
    let mut at = quotes.len();
    // A line break right after the opening quotes is not part of the value (TOML 1.0, "String").
    if many_lines {
        let rest = raw.get(at..).unwrap_or_default();
        at += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    }
    let (mut now_line, mut now_column) = (1, 1);
    while at < end {
        let Some(first) = raw.get(at..end).and_then(|rest| rest.chars().next()) else { break };
        let rest = raw.get(at..end).unwrap_or_default();
        let (length, value) = if escapes && first == '\\' { escape(rest) } else { (first.len_utf8(), Some(first)) };
        let Some(value) = value else {
            // A backslash at a line's end: the break and the white space after it are not part of the value.
            at += length;
            continue;
        };
        if (now_line, now_column) >= (line, column) {
            return at;
        }
        if value == '\n' {
            (now_line, now_column) = (now_line + 1, 1);
            if now_line > line {
                return at;
            }
        } else {
            now_column += 1;
        }
        at += length;
    }
    end.min(raw.len())
}

/// Length in bytes of the escape at the start of `rest`, and the character it stands for; none where it joins lines.
fn escape(rest: &str) -> (usize, Option<char>) {
    let digits = match rest.chars().nth(1) {
        Some('n') => return (2, Some('\n')),
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(next) if next.is_whitespace() => {
            let joined = rest.len() - rest.get(1..).unwrap_or_default().trim_start().len();
            return (joined.max(1), None);
        }
        Some(next) => return (1 + next.len_utf8(), Some(next)),
        None => return (1, Some('\\')),
    };
    // The parser has checked the digits; a short one can only come from a file that it refused.
    let value = rest.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
    (2 + rest.get(2..).unwrap_or_default().chars().take(digits).map(char::len_utf8).sum::<usize>(), value.or(Some('?')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_at_line_feeds() {
        let text = "a = 1\r\nö€𝄞 = 2\n";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, 4), (1, 5));
        assert_eq!(line_and_column(text, 7), (2, 1));
        assert_eq!(line_and_column(text, text.find('=').unwrap()), (1, 3));
        assert_eq!(line_and_column(text, text.rfind('=').unwrap()), (2, 5));
        assert_eq!(line_and_column(text, 9_999), (3, 1));
        assert_eq!(line_and_column("\u{feff}a", 3), (1, 1));
    }

    #[track_caller]
    fn finds(raw: &str, line: usize, column: usize, expected: &str) {
        let at = offset_in_string(raw, line, column);
        let rest = raw.get(at..).unwrap();
        assert!(rest.starts_with(expected), "{raw:?} at {line}:{column} is {rest:?}");
    }

    #[test]
    fn a_place_in_a_value_is_found_in_the_text_as_written() {
        finds("'.a | b'", 1, 6, "b'");
        finds("\".a | b\"", 1, 6, "b\"");
        finds(r#"".a == \"x\" | b""#, 1, 11, r#" | b"#.trim_start());
        finds(r#""\u00e9\tx""#, 1, 3, "x");
        finds(r#""line\nnext""#, 2, 2, "ext");
        finds("'''\n.a\n  | b'''", 2, 5, "b'''");
        finds("\"\"\"\r\n.a\r\n  | b\"\"\"", 2, 5, "b\"\"\"");
        finds("\"\"\"\\\n   .a | b\"\"\"", 1, 6, "b\"\"\"");
    }

    #[test]
    fn a_place_past_the_end_is_the_closing_quote() {
        finds("'abc'", 1, 40, "'");
        finds("'abc'", 7, 1, "'");
        finds("'''abc'''", 1, 40, "'''");
        assert_eq!(offset_in_string("", 1, 1), 0);
        assert_eq!(offset_in_string("'", 1, 1), 1);
    }
}

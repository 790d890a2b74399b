//! From OpenMetrics to the older text format, in which a counter's metadata carries the `_total` of its samples.

/// `encoded` is what prometheus-client writes: HELP, then TYPE, then samples, and `# EOF`.
pub(super) fn classic(encoded: &str) -> String {
    let mut text = String::with_capacity(encoded.len() + 512);
    let mut help = None;
    for line in encoded.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let suffix = if kind == "counter" { "_total" } else { "" };
            // The older format does not know info metrics: they are gauges whose value is 1.
            let (suffix, kind) = if kind == "info" { ("_info", "gauge") } else { (suffix, kind) };
            if let Some((_, about)) = help.take() {
                push(&mut text, &["# HELP ", name, suffix, " ", about]);
            }
            push(&mut text, &["# TYPE ", name, suffix, " ", kind]);
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            push(&mut text, &[line]);
        }
    }
    text
}

fn push(text: &mut String, parts: &[&str]) {
    text.extend(parts.iter().copied());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_and_an_info_carry_their_suffix_in_the_metadata() {
        let open = "# HELP a_things Things.\n# TYPE a_things counter\na_things_total{x=\"1\"} 3\n\
                    # HELP a_build Build.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n\
                    # HELP a_now Now.\n# TYPE a_now gauge\na_now 4\n# EOF\n";
        let classic_text = "# HELP a_things_total Things.\n# TYPE a_things_total counter\na_things_total{x=\"1\"} 3\n\
                    # HELP a_build_info Build.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n\
                    # HELP a_now Now.\n# TYPE a_now gauge\na_now 4\n";
        assert_eq!(classic(open), classic_text);
    }
}

//! Directions that only the code shows: which file names what.

use std::path::Path;

use anyhow::{Context, Result};

use super::Violation;
use super::rules::{NAMES, Name};
use crate::repo;

pub fn check(root: &Path) -> Result<Vec<Violation>> {
    let mut broken = Vec::new();
    for rule in &NAMES {
        for path in repo::files(&root.join(rule.within), rule.endings)? {
            let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {shown}"))?;
            broken.extend(judge(rule, &shown, &text));
        }
    }
    Ok(broken)
}

fn judge(rule: &Name, file: &str, text: &str) -> Vec<Violation> {
    if rule.allowed.iter().any(|part| file.contains(part)) {
        return Vec::new();
    }
    let mut broken = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if is_comment(line) || !names(line, rule.path) {
            continue;
        }
        broken.push(Violation {
            place: format!("{file}:{}", number + 1),
            what: format!("names {}: {}", rule.path, line.trim()),
            why: rule.why,
        });
    }
    broken
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("//") || line.starts_with("<!--")
}

/// Whether the line has `path` as the beginning of a Rust path or of a JavaScript import, not as a part of a longer word.
fn names(line: &str, path: &str) -> bool {
    let mut rest = line;
    let mut before = None;
    while let Some((head, tail)) = rest.split_once(path) {
        let previous = head.chars().next_back().or(before);
        let follows = tail.chars().next();
        let begins = !previous.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.'));
        let ends = if path.starts_with('@') {
            matches!(follows, Some('/' | '"' | '\''))
        } else {
            tail.starts_with("::") || (head.trim_end().ends_with("use") && matches!(follows, Some(';' | ' ')))
        };
        if begins && ends {
            return true;
        }
        before = path.chars().next_back();
        rest = tail;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_a_longer_word() {
        for line in
            ["use axum::Router;", "    axum::serve(x)", "use axum;", "use axum as web;", "fn f(r: axum::Router) {"]
        {
            assert!(names(line, "axum"), "{line}");
        }
        for line in ["use my_axum::Router;", "let axum = 1;", "use crate::axum::x;", "// axum", "axum_extra::x()"] {
            assert!(!names(line, "axum"), "{line}");
        }
        assert!(names("import { invoke } from \"@tauri-apps/api/core\";", "@tauri-apps"));
        assert!(!names("const text = \"not-@tauri-apps/api\";", "@tauri-apps"));
    }

    #[test]
    fn the_webhook_source_alone_speaks_http_in_the_engine() {
        let rule = NAMES.iter().find(|rule| rule.path == "axum").unwrap();
        let line = "use axum::body::Body;";
        assert!(judge(rule, "src-tauri/crates/engine/src/sources/webhook.rs", line).is_empty());
        let told = judge(rule, "src-tauri/crates/engine/src/dispatch/send.rs", line);
        assert_eq!(told[0].place, "src-tauri/crates/engine/src/dispatch/send.rs:1");
        assert!(told[0].why.contains("webhook source"));
    }

    #[test]
    fn a_comment_may_name_what_the_code_may_not() {
        let rule = NAMES.iter().find(|rule| rule.path == "tauri").unwrap();
        assert!(judge(rule, "src-tauri/src/lib.rs", "//! tauri::Builder lives in desktop").is_empty());
        assert_eq!(judge(rule, "src-tauri/src/lib.rs", "tauri::Builder::default()").len(), 1);
    }
}

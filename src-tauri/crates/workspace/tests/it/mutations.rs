//! Random damage to good files: no panic, and every problem has a place inside its file.

use proptest::prelude::*;
use signalbox_workspace::reload;

use crate::common::{Folder, SYSTEM};

const INTEGRATION: &str = include_str!("../../examples/crm-sync/integrations/crm-sync.toml");
const SCHEMA: &str = include_str!("../../examples/crm-sync/schemas/contact.json");

/// Parts that TOML, jq and templates care about, and some that nobody expects.
const PARTS: [&str; 26] = [
    "\"",
    "'",
    "'''",
    "\"\"\"",
    "\\",
    "\\u00e9",
    "{",
    "}",
    "[",
    "]",
    "[[",
    "=",
    "#",
    "\n",
    "\r\n",
    "{{",
    "}}",
    "|",
    "$",
    "é",
    "𝄞",
    "\u{feff}",
    "\0",
    "steps",
    "1e999",
    "9999999999999999999999",
];

#[derive(Clone, Debug)]
enum Damage {
    Insert(usize, usize),
    Remove(usize, usize),
    Copy(usize, usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), 0..PARTS.len()).prop_map(|(at, part)| Damage::Insert(at, part)),
        (any::<usize>(), 1..40_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        (any::<usize>(), 1..40_usize, any::<usize>()).prop_map(|(from, length, to)| Damage::Copy(from, length, to)),
    ]
}

fn apply(text: &str, damages: &[Damage]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for damage in damages {
        let place = |at: usize| at % (letters.len() + 1);
        match *damage {
            Damage::Insert(at, part) => {
                let at = place(at);
                letters.splice(at..at, PARTS[part].chars());
            }
            Damage::Remove(at, length) => {
                let at = place(at);
                let end = (at + length).min(letters.len());
                letters.drain(at..end);
            }
            Damage::Copy(from, length, to) => {
                let (from, to) = (place(from), place(to));
                let copy = letters[from..(from + length).min(letters.len())].to_vec();
                letters.splice(to..to, copy);
            }
        }
    }
    letters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_never_panics_and_says_places_inside_of_it(damages in prop::collection::vec(damage(), 1..6)) {
        let folder = Folder::new(&[
            ("systems/hubspot.toml", SYSTEM),
            ("systems/crm.toml", SYSTEM),
            ("schemas/contact.json", SCHEMA),
            ("integrations/crm-sync.toml", INTEGRATION),
        ]);
        let good = folder.load();
        let text = apply(INTEGRATION, &damages);
        folder.write("integrations/crm-sync.toml", &text);
        let workspace = folder.load();
        let lines: Vec<&str> = text.split('\n').collect();
        for problem in &workspace.problems {
            if problem.file == "integrations/crm-sync.toml" {
                prop_assert!((1..=lines.len()).contains(&problem.line), "{problem} in {text:?}");
                let width = lines[problem.line - 1].chars().count();
                prop_assert!((1..=width + 1).contains(&problem.column), "{problem} in {text:?}");
            }
        }
        let runs = workspace.integrations.contains_key("crm-sync");
        prop_assert_eq!(runs, !workspace.has_errors(), "{:?}", workspace.problems);
        prop_assert!(reload(&good).unwrap().integrations.contains_key("crm-sync"), "an old version runs on");
    }
}

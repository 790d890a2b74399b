//! Directions that the manifests show: which crate depends on what.

use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::Violation;
use super::rules::{BEHIND_DESKTOP, CRATES, Crate, LIBRARIES};

/// One entry of a dependency table.
struct Dependency {
    name: String,
    dev: bool,
    optional: bool,
}

pub fn check(root: &Path) -> Result<Vec<Violation>> {
    let mut broken = unknown_crates(root)?;
    for rule in &CRATES {
        let place = place(rule.folder);
        let text = std::fs::read_to_string(root.join(&place)).with_context(|| format!("cannot read {place}"))?;
        let manifest: Table = text.parse().with_context(|| format!("{place} is not TOML"))?;
        broken.extend(judge(rule, &manifest));
    }
    Ok(broken)
}

/// A crate that no rule speaks of would be free to know everything.
fn unknown_crates(root: &Path) -> Result<Vec<Violation>> {
    let mut broken = Vec::new();
    let folder = root.join("src-tauri/crates");
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let folder = format!("src-tauri/crates/{name}");
        if !CRATES.iter().any(|rule| rule.folder == folder) {
            broken.push(Violation {
                place: folder,
                what: "this crate has no rule yet".to_owned(),
                why: "a crate says whom it may know before it is written; add it to `CRATES`",
            });
        }
    }
    Ok(broken)
}

fn judge(rule: &Crate, manifest: &Table) -> Vec<Violation> {
    let place = place(rule.folder);
    let mut broken = Vec::new();
    for dependency in dependencies(manifest) {
        let name = dependency.name.as_str();
        let ours = CRATES.iter().any(|other| other.name == name);
        if ours && !dependency.dev && !rule.may_know.contains(&name) {
            broken.push(Violation {
                place: place.clone(),
                what: format!("{} depends on {name}", rule.name),
                why: rule.why,
            });
        }
        for library in LIBRARIES.iter().filter(|library| library.name == name) {
            if !library.only_in.contains(&rule.name) {
                broken.push(Violation {
                    place: place.clone(),
                    what: format!("{} depends on {name}, which belongs to {}", rule.name, library.only_in.join(", ")),
                    why: library.why,
                });
            }
        }
        if BEHIND_DESKTOP.contains(&name) && rule.name == "signalbox" && !dependency.optional {
            broken.push(Violation {
                place: place.clone(),
                what: format!("{name} is not optional"),
                why: "the headless build has no webkit: what the window needs stays behind the feature `desktop`",
            });
        }
    }
    broken
}

/// Every dependency of a manifest, of all targets.
fn dependencies(manifest: &Table) -> Vec<Dependency> {
    let mut tables = vec![manifest];
    if let Some(Value::Table(targets)) = manifest.get("target") {
        tables.extend(targets.values().filter_map(Value::as_table));
    }
    let mut found = Vec::new();
    for table in tables {
        for (key, dev) in [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)] {
            let Some(Value::Table(entries)) = table.get(key) else { continue };
            for (alias, entry) in entries {
                let renamed = entry.get("package").and_then(Value::as_str);
                found.push(Dependency {
                    name: renamed.unwrap_or(alias).to_owned(),
                    dev,
                    optional: entry.get("optional").and_then(Value::as_bool).unwrap_or(false),
                });
            }
        }
    }
    found
}

fn place(folder: &str) -> String {
    if folder.is_empty() { "Cargo.toml".to_owned() } else { format!("{folder}/Cargo.toml") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(name: &str, manifest: &str) -> Vec<String> {
        let rule = CRATES.iter().find(|rule| rule.name == name).unwrap();
        judge(rule, &manifest.parse().unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_model_knows_nothing_and_the_report_says_why() {
        let told = verdict("signalbox-model", "[dependencies]\nsignalbox-store.workspace = true");
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("src-tauri/crates/model/Cargo.toml: signalbox-model depends on signalbox-store"));
        assert!(told[0].contains("why not: the words are pure"));
    }

    #[test]
    fn sql_belongs_to_the_store() {
        assert_eq!(verdict("signalbox-store", "[dependencies]\nsqlx = '0.9'"), Vec::<String>::new());
        assert_eq!(verdict("signalbox-engine", "[dependencies]\nsqlx = '0.9'").len(), 1);
    }

    #[test]
    fn a_renamed_a_platform_and_a_test_dependency_count_as_well() {
        assert_eq!(
            verdict("signalbox-api", "[dependencies]\nhttp_client = { package = 'reqwest', version = '1' }").len(),
            1
        );
        assert_eq!(verdict("signalbox-api", "[target.'cfg(unix)'.dependencies]\nreqwest = '1'").len(), 1);
        assert_eq!(verdict("signalbox-api", "[dev-dependencies]\nreqwest = '1'").len(), 1);
    }

    #[test]
    fn tests_may_use_our_own_crates_freely() {
        assert!(verdict("signalbox-store", "[dev-dependencies]\nsignalbox-testkit.workspace = true").is_empty());
        assert_eq!(verdict("signalbox-store", "[dependencies]\nsignalbox-testkit.workspace = true").len(), 1);
    }

    #[test]
    fn the_window_stays_behind_its_feature() {
        assert!(verdict("signalbox", "[dependencies]\ntauri = { version = '2', optional = true }").is_empty());
        assert_eq!(verdict("signalbox", "[dependencies]\ntauri = '2'").len(), 1);
    }
}

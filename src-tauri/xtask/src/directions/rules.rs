//! Who may know whom, and why. ARCHITECTURE.md tells the same as a story.

/// Which of our own crates a crate may depend on outside of its tests.
pub struct Crate {
    pub name: &'static str,
    /// Its folder, from the repository's root; empty for the root package.
    pub folder: &'static str,
    pub may_know: &'static [&'static str],
    pub why: &'static str,
}

/// All our crates. One that is missing here is itself a violation.
pub const CRATES: [Crate; 12] = [
    Crate {
        name: "signalbox-model",
        folder: "src-tauri/crates/model",
        may_know: &[],
        why: "the words are pure: everything may depend on them because they depend on nothing",
    },
    Crate {
        name: "signalbox-transform",
        folder: "src-tauri/crates/transform",
        may_know: &["signalbox-model"],
        why: "steps are pure, so that a trace can be computed again years later from versions alone",
    },
    Crate {
        name: "signalbox-workspace",
        folder: "src-tauri/crates/workspace",
        may_know: &["signalbox-model", "signalbox-transform"],
        why: "files are checked without a running engine: `signalbox check` must work on a build server",
    },
    Crate {
        name: "signalbox-store",
        folder: "src-tauri/crates/store",
        may_know: &["signalbox-model"],
        why: "a second store implements the same traits; it must not need the engine that calls it",
    },
    Crate {
        name: "signalbox-net",
        folder: "src-tauri/crates/net",
        may_know: &["signalbox-model"],
        why: "the address policy and the signature schemes are tested and fuzzed without a ledger",
    },
    Crate {
        name: "signalbox-engine",
        folder: "src-tauri/crates/engine",
        may_know: &[
            "signalbox-model",
            "signalbox-workspace",
            "signalbox-transform",
            "signalbox-store",
            "signalbox-net",
        ],
        why: "the engine runs headless and in tests: it cannot know who shows it or what simulates its partners",
    },
    Crate {
        name: "signalbox-sandbox",
        folder: "src-tauri/crates/sandbox",
        may_know: &["signalbox-model", "signalbox-net"],
        why: "the simulated systems are strangers to the engine, or a test with them would prove nothing",
    },
    Crate {
        name: "signalbox-api",
        folder: "src-tauri/crates/api",
        may_know: &[
            "signalbox-model",
            "signalbox-workspace",
            "signalbox-transform",
            "signalbox-store",
            "signalbox-engine",
            "signalbox-net",
            "signalbox-sandbox",
        ],
        why: "the API shows the engine; only the composition root may put both together with a store",
    },
    Crate {
        name: "signalbox-testkit",
        folder: "src-tauri/crates/testkit",
        may_know: &["signalbox-model"],
        why: "every crate's tests use it, so it can know none of them",
    },
    Crate {
        name: "signalbox-fuzz-targets",
        folder: "src-tauri/crates/fuzz-targets",
        may_know: &["signalbox-model", "signalbox-transform", "signalbox-workspace", "signalbox-net"],
        why: "what reads bytes of strangers is pure; a target that needed the engine would not be",
    },
    Crate {
        name: "signalbox",
        folder: "",
        may_know: &[
            "signalbox-model",
            "signalbox-workspace",
            "signalbox-transform",
            "signalbox-store",
            "signalbox-net",
            "signalbox-engine",
            "signalbox-api",
            "signalbox-sandbox",
        ],
        why: "the composition root knows all but the test kit, which must not ship",
    },
    Crate {
        name: "xtask",
        folder: "src-tauri/xtask",
        may_know: &[],
        why: "the chores must build when the product does not",
    },
];

/// A library that only some crates may depend on, tests included.
pub struct Library {
    pub name: &'static str,
    pub only_in: &'static [&'static str],
    pub why: &'static str,
}

pub const LIBRARIES: [Library; 9] = [
    Library { name: "sqlx", only_in: &["signalbox-store"], why: "SQL anywhere else could not move to another store" },
    Library {
        name: "libsqlite3-sys",
        only_in: &["signalbox-store", "signalbox"],
        why: "SQLite is one store's affair; only the root's torture tests put a disk of their own under it",
    },
    Library {
        name: "reqwest",
        only_in: &["signalbox-net"],
        why: "an outbound request that bypasses `net` bypasses the address policy, the deadline and the response cap",
    },
    Library {
        name: "axum",
        only_in: &["signalbox-api", "signalbox-engine", "signalbox-sandbox", "signalbox"],
        why: "routes live in the API, the webhook source and the sandbox; the root hands the router to its listener and its window",
    },
    Library { name: "tauri", only_in: &["signalbox"], why: "the engine must build without a webview" },
    Library { name: "tauri-build", only_in: &["signalbox"], why: "the engine must build without a webview" },
    Library {
        name: "tauri-plugin-single-instance",
        only_in: &["signalbox"],
        why: "the engine must build without a webview",
    },
    Library {
        name: "tauri-plugin-window-state",
        only_in: &["signalbox"],
        why: "the engine must build without a webview",
    },
    Library { name: "clap", only_in: &["signalbox"], why: "only the programs have a command line" },
];

/// Dependencies of the root package that a build without the window must not have.
pub const BEHIND_DESKTOP: [&str; 4] =
    ["tauri", "tauri-build", "tauri-plugin-single-instance", "tauri-plugin-window-state"];

/// A path of code that may be named only in some files.
pub struct Name {
    /// The beginning of a Rust path, or the name of a JavaScript package.
    pub path: &'static str,
    /// Where the rule looks.
    pub within: &'static str,
    pub endings: &'static [&'static str],
    /// Files whose path holds one of these may name it.
    pub allowed: &'static [&'static str],
    pub why: &'static str,
}

pub const NAMES: [Name; 7] = [
    Name {
        path: "signalbox_store::sqlite",
        within: "src-tauri",
        endings: &[".rs"],
        allowed: &["src-tauri/src/", "/tests/", "src-tauri/crates/store/", "src-tauri/xtask/"],
        why: "only the composition root names a concrete store, so that another one is one line there",
    },
    Name {
        path: "axum",
        within: "src-tauri/crates/engine",
        endings: &[".rs"],
        allowed: &["webhook", "/tests/"],
        why: "in the engine only the webhook source speaks HTTP to senders; the rest is tested without a socket",
    },
    Name {
        path: "crate::dispatch",
        within: "src-tauri/crates/engine/src/sources",
        endings: &[".rs"],
        allowed: &[],
        why: "sources get the port `Accept`; one that knows dispatch would send without the ledger",
    },
    Name {
        path: "crate::sources",
        within: "src-tauri/crates/engine/src/dispatch",
        endings: &[".rs"],
        allowed: &[],
        why: "dispatch reads the ledger; one that knows sources would send what was never committed",
    },
    Name {
        path: "tauri",
        within: "src-tauri/src",
        endings: &[".rs"],
        allowed: &["src-tauri/src/desktop/"],
        why: "the window is one folder; everything else is the same in `signalbox serve`",
    },
    Name {
        path: "tokio",
        within: "src-tauri/crates/transform/src",
        endings: &[".rs"],
        allowed: &[],
        why: "steps are pure and bounded: they wait for nothing",
    },
    Name {
        path: "@tauri-apps",
        within: "ui/src",
        endings: &[".ts", ".svelte"],
        allowed: &["ui/src/host/"],
        why: "the panel runs in a browser too; only its host facade knows the window",
    },
];

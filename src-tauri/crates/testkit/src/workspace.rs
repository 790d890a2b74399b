//! Workspaces for tests, in a folder that goes away with them.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub struct TestWorkspace {
    dir: TempDir,
}

impl Default for TestWorkspace {
    fn default() -> Self {
        Self::new()
    }
}

impl TestWorkspace {
    /// An empty one.
    ///
    /// # Panics
    /// Where no folder can be made.
    pub fn new() -> Self {
        Self { dir: tempfile::Builder::new().prefix("signalbox-test-").tempdir().unwrap() }
    }

    /// In a folder of another disk.
    ///
    /// # Panics
    /// Where no folder can be made.
    pub fn inside(dir: &Path) -> Self {
        Self { dir: tempfile::Builder::new().prefix("signalbox-test-").tempdir_in(dir).unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file whole: no reader sees half of it.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let draft = path.with_extension("draft");
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(&draft, &path).unwrap();
        path
    }

    /// A system without authentication at `url`, with a short deadline; `more` is further TOML. Its breaker is off unless
    /// `more` sets one: most tests count what each failure makes of its delivery.
    pub fn system(&self, name: &str, url: &str, more: &str) -> &Self {
        let breaker = if more.contains("breaker") { "" } else { "breaker = \"off\"\n" };
        let text = format!(
            "title = \"{name}\"\nbase_url = \"{url}\"\ntimeout = \"2s\"\nallow_private = true\n{breaker}{more}\n"
        );
        self.write(&format!("systems/{name}.toml"), &text);
        self
    }

    /// An integration behind `/hooks/<name>` without verification, with `key` and `type` from the body;
    /// `rest` is the TOML of steps and destinations.
    pub fn integration(&self, name: &str, rest: &str) -> &Self {
        let text = format!(
            "title = \"{name}\"\n[source]\nkind = \"webhook\"\npath = \"/hooks/{name}\"\nverify = {{ scheme = \"none\" }}\n\
             type = '.body.type'\nkey = '.body.key'\ndedupe = {{ id = '.headers[\"webhook-id\"]' }}\n{rest}\n"
        );
        self.write(&format!("integrations/{name}.toml"), &text);
        self
    }
}

/// A destination with a short retry schedule; `more` is further TOML of the same table.
pub fn destination(name: &str, more: &str) -> String {
    format!(
        "[[destinations]]\nname = \"{name}\"\nsystem = \"{name}\"\nrequest = {{ method = \"POST\", path = \"/{name}\" }}\n{more}\n"
    )
}

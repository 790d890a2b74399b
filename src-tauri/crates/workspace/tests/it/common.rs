//! A workspace in a temporary folder, written from pairs of path and text.

use std::fs;
use std::path::Path;

use signalbox_workspace::{Workspace, load};
use tempfile::TempDir;

pub const SYSTEM: &str = "base_url = \"https://api.example.com\"\n";

pub const INTEGRATION: &str = r#"[source]
kind = "webhook"
path = "/hooks/orders"
verify = { scheme = "github", secret = "orders" }

[[destinations]]
name = "shop"
system = "shop"
"#;

pub struct Folder(pub TempDir);

impl Folder {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (file, text) in files {
            folder.write(file, text);
        }
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn remove(&self, file: &str) {
        fs::remove_file(self.path().join(file)).unwrap();
    }

    pub fn load(&self) -> Workspace {
        load(self.path()).unwrap()
    }
}

/// The system `shop` and the integration `orders`, as `integration` writes it.
pub fn with(integration: &str) -> Folder {
    Folder::new(&[("systems/shop.toml", SYSTEM), ("integrations/orders.toml", integration)])
}

pub fn said(workspace: &Workspace) -> Vec<String> {
    workspace.problems.iter().map(ToString::to_string).collect()
}

pub fn codes(workspace: &Workspace) -> Vec<&'static str> {
    workspace.problems.iter().map(|problem| problem.code).collect()
}

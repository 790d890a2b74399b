//! The program as a process of its own, asked over its API.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use serde_json::Value;
use tokio::process::{Child, Command};

use crate::http::{self, Response};
use crate::until;

/// A running `signalbox serve`; killed when it is dropped.
pub struct ServeProcess {
    child: Child,
    dir: PathBuf,
    /// What `runtime.json` says.
    pub runtime: Value,
}

/// How a program is started.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    pub arguments: Vec<String>,
    /// Secrets and the like.
    pub environment: Vec<(String, String)>,
}

impl ServeOptions {
    #[must_use]
    pub fn argument(mut self, text: &str) -> Self {
        self.arguments.push(text.to_owned());
        self
    }

    /// `SIGNALBOX_SECRET_<NAME>`
    #[must_use]
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        let name = format!("SIGNALBOX_SECRET_{}", name.to_ascii_uppercase().replace('-', "_"));
        self.environment.push((name, value.to_owned()));
        self
    }
}

impl ServeProcess {
    /// Starts `binary serve` on free ports and waits until it is ready.
    ///
    /// # Panics
    /// When it does not come up; with what it wrote.
    pub async fn start(binary: &Path, dir: &Path, options: &ServeOptions) -> Self {
        let log = log_of(dir);
        let mut command = command(binary, dir, options);
        command.args(["serve", "--listen", "127.0.0.1:0", "--ingress", "127.0.0.1:0"]).args(&options.arguments);
        let written = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(written).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let pid = u64::from(child.id().unwrap());
        let runtime = until("the program to be ready", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("it ended with {status}: {}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            let runtime = read_runtime(dir).filter(|runtime| runtime["pid"].as_u64() == Some(pid));
            async move { runtime }
        });
        let runtime = runtime.await;
        Self { child, dir: dir.to_owned(), runtime }
    }

    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub fn api(&self) -> String {
        self.runtime["api"].as_str().unwrap().to_owned()
    }

    pub fn ingress(&self) -> String {
        self.runtime["ingress"].as_str().unwrap().to_owned()
    }

    pub fn token(&self) -> String {
        self.runtime["token"].as_str().unwrap().to_owned()
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(log_of(&self.dir)).unwrap_or_default()
    }

    /// `path` as in `deliveries?limit=5`, or from the root as in `/healthz`.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        let authorization = format!("Bearer {}", self.token());
        let mut headers = vec![("authorization", authorization.as_str())];
        let body = body.map(ToString::to_string);
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/api/v1/{path}") };
        let bytes = body.as_deref().unwrap_or_default().as_bytes();
        let answer = http::send(&self.api(), method, &path, &headers, bytes).await;
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}; {}", self.log()))
    }

    /// # Panics
    /// When the answer is not 200.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, None).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text());
        answer.json()
    }

    /// # Panics
    /// When the answer is not a success.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.ask("POST", path, Some(body)).await;
        assert!((200..300).contains(&answer.status), "POST {path}: {} {}", answer.status, answer.text());
        answer.json()
    }

    /// The first page of deliveries; `filter` is encoded here.
    pub async fn deliveries(&self, filter: &str) -> Value {
        self.get(&format!("deliveries?limit=500&filter={}", encode(filter))).await
    }

    /// Waits until `count` deliveries match.
    ///
    /// # Panics
    /// When it does not come to that.
    pub async fn wait_for(&self, filter: &str, count: u64) -> Value {
        let what = format!("{count} deliveries of {filter}");
        until(&what, || async {
            let page = self.deliveries(filter).await;
            let listed = page["items"].as_array().map_or(0, Vec::len) as u64;
            (page["total"].as_u64() == Some(count) && listed == count.min(500)).then_some(page)
        })
        .await
    }

    /// SIGKILL, and waits for the end.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop(mut self) -> ExitStatus {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
        assert!(sent.success());
        let ended = tokio::time::timeout(crate::PATIENCE, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("it did not stop: {}", self.log())).unwrap()
    }
}

/// A finished command.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// # Panics
    /// Where it did not print JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs `binary` with these arguments to its end, in `dir`.
///
/// # Panics
/// When it cannot be started or does not end.
pub async fn run(binary: &Path, dir: &Path, arguments: &[&str], options: &ServeOptions) -> Ran {
    let mut command = command(binary, dir, options);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(crate::PATIENCE * 2, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{arguments:?} did not end")).unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Nothing of the tester's own session reaches it: no keyring, no home.
fn command(binary: &Path, dir: &Path, options: &ServeOptions) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().env("HOME", dir).env("TZ", "UTC").current_dir(dir);
    for name in ["PATH", "SIGNALBOX_LOG"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.envs(options.environment.iter().cloned()).arg("--workspace").arg(dir);
    command
}

fn read_runtime(dir: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(dir.join(".signalbox/runtime.json")).ok()?).ok()
}

fn log_of(dir: &Path) -> PathBuf {
    dir.join("serve.log")
}

/// For a query (RFC 3986 §2.3).
pub fn encode(text: &str) -> String {
    let keep = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|byte| if keep(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

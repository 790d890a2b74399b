//! The real binary as these tests need it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use signalbox_testkit::process::ServeOptions;
use signalbox_testkit::{Response, ServeProcess, TestWorkspace, http};

/// A release build, for figures.
const GIVEN: &str = "SIGNALBOX_TORTURE_BIN";

/// Whether a build was given to these tests, whose figures are the promised ones.
pub fn is_given() -> bool {
    std::env::var_os(GIVEN).is_some()
}

/// The build beside these tests, or the given one.
pub fn binary() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let other = std::env::var_os(GIVEN);
        // Absolute: it is started in the folder of its workspace.
        other.map_or_else(|| env!("CARGO_BIN_EXE_signalbox").into(), |path| std::fs::canonicalize(path).unwrap())
    });
    &BINARY
}

pub async fn serve(workspace: &TestWorkspace) -> ServeProcess {
    ServeProcess::start(binary(), workspace.path(), &ServeOptions::default()).await
}

/// Tries for a minute, so that an outage kills nothing.
pub fn patient() -> String {
    format!("retry = {{ schedule = [{}], jitter = 0.0 }}", vec!["\"1s\""; 60].join(", "))
}

/// An event for `/hooks/sync`.
pub async fn send(ingress: &str, id: &str, body: &[u8]) -> std::io::Result<Response> {
    send_to(ingress, "/hooks/sync", id, body).await
}

pub async fn send_to(ingress: &str, path: &str, id: &str, body: &[u8]) -> std::io::Result<Response> {
    let headers = [("content-type", "application/json"), ("webhook-id", id)];
    let sent = http::send(ingress, "POST", path, &headers, body);
    match tokio::time::timeout(Duration::from_secs(10), sent).await {
        Ok(answer) => answer,
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}

/// Longer than `testkit::until` waits: a full disk or a long backlog takes its time on a busy machine.
pub async fn within<T, F: Future<Output = Option<T>>>(longest: Duration, what: &str, mut ask: impl FnMut() -> F) -> T {
    let begun = tokio::time::Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(begun.elapsed() < longest, "waited {longest:?} in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// KiB of memory that the process holds.
pub fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

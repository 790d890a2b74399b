//! The program under measurement, on a workspace of its own.

use std::fs;
use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::http;

/// The senders sign with it.
pub const SIGNING_KEY: &[u8; 24] = b"a key that signs nothing";

const READY_WITHIN: Duration = Duration::from_secs(60);
/// Of `/proc/PID/stat`: hundredths of a second on every Linux that Rust supports.
const TICKS: u64 = 100;

/// A workspace that goes with its end.
pub struct Workspace {
    pub folder: PathBuf,
}

impl Workspace {
    /// # Errors
    /// Where the folder cannot be written.
    pub fn make(name: &str, sinks: &[SocketAddr]) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("signalbox-bench-{}-{name}", std::process::id()));
        let workspace = Self { folder };
        write(&workspace.folder, sinks)?;
        Ok(workspace)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

pub struct Program {
    child: Child,
    runtime_file: PathBuf,
    pub ready_after: Duration,
    /// `host:port`.
    pub ingress: String,
    /// `host:port`.
    pub api: String,
    token: String,
}

#[derive(Clone, Copy)]
pub struct Usage {
    /// User and system time since the start.
    pub cpu: Duration,
    pub resident_bytes: u64,
    pub peak_bytes: u64,
}

impl Usage {
    pub fn megabytes(bytes: u64) -> f64 {
        bytes as f64 / f64::from(1 << 20)
    }
}

impl Program {
    /// # Errors
    /// Where it does not start.
    pub fn start(binary: &Path, workspace: &Workspace) -> Result<Self> {
        let runtime_file = workspace.folder.join(".signalbox/runtime.json");
        drop(fs::remove_file(&runtime_file));
        let began = Instant::now();
        let child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--ingress", "127.0.0.1:0", "--workspace"])
            .arg(&workspace.folder)
            .env("SIGNALBOX_SECRET_BENCH", format!("whsec_{}", STANDARD.encode(SIGNING_KEY)))
            .env("SIGNALBOX_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let (ingress, api, token) = (String::new(), String::new(), String::new());
        let mut program = Self { child, runtime_file, ready_after: Duration::ZERO, ingress, api, token };
        let runtime = program.await_runtime(began)?;
        program.ready_after = began.elapsed();
        let word =
            |key: &str| runtime.get(key).and_then(Value::as_str).with_context(|| format!("runtime.json has no {key}"));
        program.ingress = word("ingress")?.trim_start_matches("http://").to_owned();
        program.api = word("api")?.trim_start_matches("http://").to_owned();
        program.token = word("token")?.to_owned();
        Ok(program)
    }

    fn await_runtime(&mut self, began: Instant) -> Result<Value> {
        while began.elapsed() < READY_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                bail!("the program ended before it was ready: {status}");
            }
            if let Ok(text) = fs::read_to_string(&self.runtime_file)
                && let Ok(runtime) = serde_json::from_str(&text)
            {
                return Ok(runtime);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        bail!("the program was not ready within {} s", READY_WITHIN.as_secs())
    }

    /// # Errors
    /// On anything but Linux.
    pub fn usage(&self) -> Result<Usage> {
        usage_of(self.child.id())
    }

    /// Asks the API and fails on anything but 200.
    pub fn get(&self, path: &str) -> Result<()> {
        let mut stream = TcpStream::connect(&self.api)?;
        let authorization = format!("Bearer {}", self.token);
        http::send(&mut stream, "GET", &format!("/api/v1/{path}"), &[("authorization", &authorization)], b"")?;
        let answer = http::read(&mut BufReader::new(stream))?.context("the API closed a connection")?;
        if answer.status()? != 200 {
            bail!("GET {path}: {}", answer.first_line);
        }
        Ok(())
    }

    /// Ends the program as a service manager would.
    pub fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status()?;
        let status = self.child.wait()?;
        if !asked.success() || !status.success() {
            bail!("the program did not stop well: {status}");
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // After `stop` there is nothing left to end.
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// What a process has used, by `/proc`.
///
/// # Errors
/// On anything but Linux.
pub fn usage_of(process: u32) -> Result<Usage> {
    let folder = PathBuf::from(format!("/proc/{process}"));
    let stat = fs::read_to_string(folder.join("stat")).context("only Linux tells what a process uses")?;
    // The name of the program is in parentheses and may hold spaces.
    let (_, fields) = stat.rsplit_once(") ").context("an unknown form of /proc/PID/stat")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    let status = fs::read_to_string(folder.join("status"))?;
    let kilobytes = |name: &str| -> Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
        Ok(line.split_whitespace().next().unwrap_or("0").parse()?)
    };
    Ok(Usage {
        cpu: Duration::from_millis((ticks(11) + ticks(12)) * 1000 / TICKS),
        resident_bytes: kilobytes("VmRSS:")? * 1024,
        peak_bytes: kilobytes("VmHWM:")? * 1024,
    })
}

fn write(folder: &Path, sinks: &[SocketAddr]) -> Result<()> {
    fs::create_dir_all(folder.join("systems"))?;
    fs::create_dir_all(folder.join("integrations"))?;
    let mut integration = r#"title = "Signed events, mapped, to two destinations"

[source]
kind = "webhook"
path = "/hooks/bench"
verify = { scheme = "standard-webhooks", secret = "bench" }
type = ".body.type"
key = ".body.data.Id"

[[steps]]
kind = "map"
jq = ".data | { email: (.Email | ascii_downcase), lastname: .LastName, note: .Note }"
"#
    .to_owned();
    for (name, sink) in ["first", "second"].into_iter().zip(sinks) {
        let system = format!("base_url = \"http://{sink}\"\nallow_private = true\n");
        fs::write(folder.join(format!("systems/{name}.toml")), system)?;
        integration.push_str(&format!("\n[[destinations]]\nname = \"{name}\"\nsystem = \"{name}\"\n"));
    }
    fs::write(folder.join("integrations/bench.toml"), integration)?;
    Ok(())
}

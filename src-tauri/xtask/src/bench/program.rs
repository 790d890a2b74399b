//! The program under measurement, on a workspace of its own.

use std::fs;
use std::io::BufReader;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::http;
use super::sink::Sink;

/// The senders sign with it.
pub const SIGNING_KEY: &[u8; 24] = b"a key that signs nothing";

const READY_WITHIN: Duration = Duration::from_secs(20);
/// Of `/proc/PID/stat`: hundredths of a second on every Linux that Rust supports.
const TICKS: u64 = 100;

pub struct Program {
    child: Child,
    folder: PathBuf,
    pub ready_after: Duration,
    /// `host:port`.
    pub ingress: String,
    api: String,
    token: String,
}

pub struct Usage {
    /// User and system time since the start.
    pub cpu: Duration,
    pub resident_bytes: u64,
}

impl Program {
    pub fn start(binary: &Path, sinks: &[Sink; 2]) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("signalbox-bench-{}", std::process::id()));
        write_workspace(&folder, sinks)?;
        let began = Instant::now();
        let child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--ingress", "127.0.0.1:0", "--workspace"])
            .arg(&folder)
            .env("SIGNALBOX_SECRET_BENCH", format!("whsec_{}", STANDARD.encode(SIGNING_KEY)))
            .env("SIGNALBOX_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let mut program = Self {
            child,
            folder,
            ready_after: Duration::ZERO,
            ingress: String::new(),
            api: String::new(),
            token: String::new(),
        };
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
        let path = self.folder.join(".signalbox/runtime.json");
        while began.elapsed() < READY_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                bail!("the program ended before it was ready: {status}");
            }
            if let Ok(text) = fs::read_to_string(&path)
                && let Ok(runtime) = serde_json::from_str(&text)
            {
                return Ok(runtime);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        bail!("the program was not ready within {} s", READY_WITHIN.as_secs())
    }

    /// What the process has used, by `/proc`.
    pub fn usage(&self) -> Result<Usage> {
        let folder = PathBuf::from(format!("/proc/{}", self.child.id()));
        let stat = fs::read_to_string(folder.join("stat")).context("only Linux tells what a process uses")?;
        // The name of the program is in parentheses and may hold spaces.
        let (_, fields) = stat.rsplit_once(") ").context("an unknown form of /proc/PID/stat")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        let status = fs::read_to_string(folder.join("status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
        let kilobytes: u64 = resident.split_whitespace().next().unwrap_or("0").parse()?;
        Ok(Usage {
            cpu: Duration::from_millis((ticks(11) + ticks(12)) * 1000 / TICKS),
            resident_bytes: kilobytes * 1024,
        })
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
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn write_workspace(folder: &Path, sinks: &[Sink; 2]) -> Result<()> {
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
        let system = format!("base_url = \"http://{}\"\nallow_private = true\n", sink.address);
        fs::write(folder.join(format!("systems/{name}.toml")), system)?;
        integration
            .push_str(&format!("\n[[destinations]]\nname = \"{name}\"\nsystem = \"{name}\"\nconcurrency = 32\n"));
    }
    fs::write(folder.join("integrations/bench.toml"), integration)?;
    Ok(())
}

//! Node-RED on the same work: an HTTP endpoint, a function that maps, two HTTP requests. It keeps nothing: an event that
//! it has answered is lost when it stops.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::target;

/// The last line that runs on the Node.js 20 of Debian and Ubuntu.
const PACKAGE: &str = "node-red@4";
const READY_WITHIN: Duration = Duration::from_secs(60);

pub struct NodeRed {
    child: Child,
    folder: PathBuf,
    /// `host:port`.
    pub address: String,
}

impl NodeRed {
    /// Installs it where it is missing, and starts it.
    ///
    /// # Errors
    /// Where npm cannot install it, or it does not start.
    pub fn start(sinks: &[SocketAddr]) -> Result<Self> {
        let tools = target().join("tools/node-red");
        let script = tools.join("node_modules/node-red/red.js");
        if !script.is_file() {
            fs::create_dir_all(&tools)?;
            let npm = ["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"];
            let status = Command::new("npm").args(npm).arg(&tools).arg(PACKAGE).stdout(Stdio::null()).status()?;
            if !status.success() {
                bail!("npm could not install {PACKAGE}");
            }
        }
        // Taken and given back: the port is free for the moment that the start takes.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = std::env::temp_dir().join(format!("signalbox-bench-node-red-{}", std::process::id()));
        write_settings(&folder, port, sinks)?;
        let child = Command::new("node")
            .arg(&script)
            .arg("--userDir")
            .arg(&folder)
            .env("NODE_ENV", "production")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run node")?;
        let mut started = Self { child, folder, address: format!("127.0.0.1:{port}") };
        started.await_ready()?;
        Ok(started)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The flow is there somewhat after the port.
    fn await_ready(&mut self) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < READY_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                bail!("Node-RED ended before it was ready: {status}");
            }
            if TcpStream::connect(&self.address).is_ok() {
                std::thread::sleep(Duration::from_secs(3));
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("Node-RED was not ready within {} s", READY_WITHIN.as_secs())
    }
}

impl Drop for NodeRed {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Listens on loopback, asks nobody, has no editor.
fn write_settings(folder: &Path, port: u16, sinks: &[SocketAddr]) -> Result<()> {
    fs::create_dir_all(folder)?;
    let settings = format!(
        "module.exports = {{ uiHost: '127.0.0.1', uiPort: {port}, flowFile: 'flows.json', httpAdminRoot: false,\n\
         \x20 telemetry: {{ enabled: false }}, diagnostics: {{ enabled: false }}, credentialSecret: false,\n\
         \x20 editorTheme: {{ tours: false }}, logging: {{ console: {{ level: 'warn' }} }} }};\n"
    );
    fs::write(folder.join("settings.js"), settings)?;
    let mapping = "const data = msg.payload.data;\n\
        const made = () => ({ headers: { 'content-type': 'application/json' },\n\
        \x20 payload: { email: data.Email.toLowerCase(), lastname: data.LastName, note: data.Note } });\n\
        return [{ req: msg.req, res: msg.res, payload: '' }, made(), made()];";
    let request = |id: &str, sink: &SocketAddr| {
        json!({ "id": id, "type": "http request", "z": "flow", "method": "POST", "ret": "txt", "paytoqs": "ignore",
                "url": format!("http://{sink}/"), "persist": true, "wires": [[]] })
    };
    let mut flow = vec![
        json!({ "id": "flow", "type": "tab", "label": "bench" }),
        json!({ "id": "in", "type": "http in", "z": "flow", "url": "/hooks/bench", "method": "post", "wires": [["map"]] }),
        json!({ "id": "map", "type": "function", "z": "flow", "func": mapping, "outputs": 3,
                "wires": [["answer"], ["first"], ["second"]] }),
        json!({ "id": "answer", "type": "http response", "z": "flow", "statusCode": "200", "wires": [] }),
    ];
    flow.extend(["first", "second"].into_iter().zip(sinks).map(|(id, sink)| request(id, sink)));
    fs::write(folder.join("flows.json"), serde_json::to_vec(&flow)?)?;
    Ok(())
}

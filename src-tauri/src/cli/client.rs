//! Asks the running program over its API. It is found by the workspace's `runtime.json`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use signalbox_model::FailureKind;
use signalbox_net::client::{Client as Net, Outbound, SystemResolver};
use signalbox_workspace::RuntimeFile;

use super::error::CliError;

/// Above the longest answer of the API: 500 deliveries, or a delivery with its bodies.
const ANSWER: usize = 32 << 20;
const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct Client {
    net: Net,
    running: RuntimeFile,
    dir: PathBuf,
}

impl Client {
    pub(super) fn of(dir: &Path) -> Result<Self, CliError> {
        let read = RuntimeFile::read(dir).map_err(|error| CliError::Failed(error.to_string()))?;
        let running = read.ok_or_else(|| not_running(dir))?;
        let net = Net::new(Arc::new(SystemResolver), Arc::new(Vec::new)).map_err(CliError::failed("no client"))?;
        Ok(Self { net, running, dir: dir.to_owned() })
    }

    pub(super) fn running(&self) -> &RuntimeFile {
        &self.running
    }

    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, CliError> {
        self.ask(Method::GET, path, query, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, CliError> {
        let token = HeaderValue::try_from(format!("Bearer {}", self.running.token));
        let token = token.map_err(CliError::failed("the token of runtime.json is damaged"))?;
        let mut headers = HeaderMap::from_iter([(header::AUTHORIZATION, token)]);
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let outbound = Outbound {
            method,
            url: format!("{}/api/v1/{path}{}", self.running.api, encode(query)),
            headers,
            body: body.map(|body| Bytes::from(body.to_string())).unwrap_or_default(),
            allow_private: true,
            timeout: TIMEOUT,
            response_cap: ANSWER,
        };
        let answer = self.net.send(outbound).await.map_err(|error| match error.kind() {
            // What runtime.json says is from a program that was killed.
            FailureKind::Network => not_running(&self.dir),
            _ => CliError::Failed(format!("{} did not answer: {error}", self.running.api)),
        })?;
        let value = if answer.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&answer.body).map_err(CliError::failed("the answer is not JSON"))?
        };
        if (200..300).contains(&answer.status) { Ok(value) } else { Err(CliError::Problem(value)) }
    }
}

fn not_running(dir: &Path) -> CliError {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let shown = dir.display();
    CliError::NotRunning(format!(
        "Signalbox does not run for the workspace {shown}. Start it with `signalbox serve --workspace {shown}`, or \
         name another workspace with --workspace."
    ))
}

/// `?a=b&c=d`, percent-encoded (RFC 3986 §2.3: only unreserved characters stay).
fn encode(query: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (index, (key, value)) in query.iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(key);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_survives_the_query() {
        assert_eq!(encode(&[]), "");
        assert_eq!(
            encode(&[("filter", "key:\"a b\" -é&x=1"), ("limit", "5")]),
            "?filter=key%3A%22a%20b%22%20-%C3%A9%26x%3D1&limit=5"
        );
    }

    #[test]
    fn without_a_program_the_error_says_how_to_start_one() {
        let dir = tempfile::tempdir().unwrap();
        let error = Client::of(dir.path()).err().unwrap();
        assert_eq!(error.code(), 3);
        assert!(error.to_string().contains("signalbox serve --workspace"), "{error}");
    }
}

//! A sandbox to test and a plain HTTP client to look at it from outside.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use signalbox_model::SystemClock;
use signalbox_sandbox::{FaultsPatch, Received, Sandbox, SandboxConfig};
use tokio::net::TcpStream;

pub struct World {
    pub sandbox: Sandbox,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(SandboxConfig::default())
    }

    pub fn with(config: SandboxConfig) -> Self {
        let client = crate::sender::outbound();
        Self { sandbox: Sandbox::start(config, Arc::new(SystemClock), client).unwrap() }
    }

    pub fn secret(&self, name: &str) -> String {
        self.sandbox.secrets()[name].clone()
    }

    pub fn turn(&self, system: &str, patch: &str) {
        let patch: FaultsPatch = serde_json::from_str(patch).unwrap();
        self.sandbox.set_faults(system, patch).unwrap();
    }

    pub fn received(&self, system: &str) -> Received {
        self.sandbox.received(system, 1_000).unwrap()
    }

    pub fn address(&self, system: &str) -> String {
        self.sandbox.urls()[system].strip_prefix("http://").unwrap().to_owned()
    }

    /// Sends with the system's own credential; a failure to connect or to read is the error.
    pub async fn send(
        &self,
        system: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let credential = match system {
            "hubspot" => ("authorization", format!("Bearer {}", self.secret("hubspot-token"))),
            "crm" => ("x-api-key", self.secret("crm-key")),
            _ => ("authorization", format!("Bearer {}", self.secret("salesforce-token"))),
        };
        let stranger = headers.iter().any(|(name, _)| *name == "stranger");
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        if !stranger && !headers.iter().any(|(name, _)| *name == credential.0) {
            request = request.header(credential.0, credential.1);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned())))?;
        let stream = TcpStream::connect(self.address(system)).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes().to_vec();
        connection.abort();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    pub async fn upsert(&self, properties: Value) -> Answer {
        let input = serde_json::json!({ "id": properties["email"], "idProperty": "email", "properties": properties });
        let body = serde_json::json!({ "inputs": [input] }).to_string();
        self.send("hubspot", Method::POST, "/crm/v3/objects/contacts/batch/upsert", &[], &body).await.unwrap()
    }

    pub async fn put(&self, headers: &[(&str, &str)], contact: Value) -> Answer {
        let path = format!("/contacts/{}", contact["email"].as_str().unwrap().replace('@', "%40"));
        self.send("crm", Method::PUT, &path, headers, &contact.to_string()).await.unwrap()
    }
}

pub fn ada() -> Value {
    serde_json::json!({
        "email": "ada@x.test", "firstname": "Ada", "lastname": "Berger", "phone": "+1 212 555 0100",
        "company": "Northwind", "version": 3,
    })
}

//! A plain HTTP/1.1 client: one request a connection, and bytes as they are.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// # Panics
    /// Where the body is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }
}

/// Longer than `live` waits.
const DEADLINE: Duration = Duration::from_secs(40);

/// Sends a request to `base` (`http://host:port`). `Host`, `Content-Length` and `Connection` are set unless given.
///
/// # Errors
/// No connection, or it ended before the answer did.
pub async fn send(
    base: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Response> {
    let host = base.strip_prefix("http://").unwrap_or(base);
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    let given = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    if !given("host") {
        text.push_str(&format!("host: {host}\r\n"));
    }
    if !given("content-length") && !given("transfer-encoding") && (!body.is_empty() || method != "GET") {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    if !given("connection") {
        text.push_str("connection: close\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    raw(host, &bytes).await
}

/// Sends these bytes to `host:port` and reads one answer.
///
/// # Errors
/// No connection, or it ended before the answer did.
pub async fn raw(host: &str, bytes: &[u8]) -> std::io::Result<Response> {
    let exchange = async {
        let mut stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        // A server may answer and close before it has read all of a request that it refuses.
        let written = stream.write_all(bytes).await;
        let answer = read(&mut stream).await;
        if answer.is_err() {
            written?;
        }
        answer
    };
    tokio::time::timeout(DEADLINE, exchange).await?
}

/// # Errors
/// The connection ended before the answer did.
pub async fn read(stream: &mut TcpStream) -> std::io::Result<Response> {
    let mut buffer = Vec::new();
    let broken = |what: &str| std::io::Error::new(std::io::ErrorKind::UnexpectedEof, what.to_owned());
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(broken("the connection ended within the headers"));
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|text| text.parse().ok());
    let status = status.ok_or_else(|| broken("the status line has no status"))?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut body = buffer[head_end + 4..].to_vec();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse::<usize>().ok());
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    match length {
        Some(length) => {
            while body.len() < length {
                if stream.read_buf(&mut body).await? == 0 {
                    return Err(broken("the connection ended within the body"));
                }
            }
            body.truncate(length);
        }
        None => {
            while stream.read_buf(&mut body).await? > 0 {}
            if chunked {
                body = dechunk(&body).ok_or_else(|| broken("a chunk is cut"))?;
            }
        }
    }
    Ok(Response { status, headers, body })
}

fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line_end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = rest.get(line_end + 2..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together() {
        assert_eq!(dechunk(b"3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n").as_deref(), Some(b"abcde".as_slice()));
        assert_eq!(dechunk(b"5\r\nabc"), None);
    }
}

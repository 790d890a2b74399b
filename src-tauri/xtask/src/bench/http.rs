//! As much HTTP/1.1 as a generator and a sink on loopback need: keep-alive and Content-Length.

use std::io::{BufRead, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, bail};

/// The longest message that is read; ours are far shorter.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// A request or an answer: its first line, its headers with lower-case names, its body.
pub struct Message {
    pub first_line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Of an answer.
    pub fn status(&self) -> Result<u16> {
        let status = self.first_line.split(' ').nth(1).context("an answer without a status")?;
        Ok(status.parse()?)
    }
}

/// Reads one message; none where the other side has closed the connection between two.
pub fn read(from: &mut impl BufRead) -> Result<Option<Message>> {
    let mut first_line = String::new();
    if from.read_line(&mut first_line)? == 0 {
        return Ok(None);
    }
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').context("a header without a colon")?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut message = Message { first_line: first_line.trim_end().to_owned(), headers, body: Vec::new() };
    if message.header("transfer-encoding").is_some() {
        message.body = read_chunks(from)?;
        return Ok(Some(message));
    }
    let length: usize = message.header("content-length").map_or(Ok(0), str::parse)?;
    if length > MAX_BODY {
        bail!("a body of {length} bytes");
    }
    message.body = vec![0; length];
    from.read_exact(&mut message.body)?;
    Ok(Some(message))
}

fn read_chunks(from: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim_end(), 16).context("a chunk without a length")?;
        if body.len() + length > MAX_BODY {
            bail!("a body over {MAX_BODY} bytes");
        }
        let start = body.len();
        body.resize(start + length, 0);
        from.read_exact(&mut body[start..])?;
        from.read_line(&mut String::new())?;
        if length == 0 {
            return Ok(body);
        }
    }
}

/// Sends one request on a connection that stays open.
pub fn send(to: &mut TcpStream, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<()> {
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n", to.peer_addr()?, body.len());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(body);
    to.write_all(&bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_with_either_framing_and_the_next_one_after_it() {
        let wire = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 401 No\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let mut from = &wire[..];
        let first = read(&mut from).unwrap().unwrap();
        assert_eq!((first.status().unwrap(), first.body.as_slice()), (200, &b"ok"[..]));
        let second = read(&mut from).unwrap().unwrap();
        assert_eq!((second.status().unwrap(), second.body.as_slice()), (401, &b"abc"[..]));
        assert!(read(&mut from).unwrap().is_none());
    }
}

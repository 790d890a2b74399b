//! Watches the bytes of a connection for where each request's head begins and ends, and for heads with both
//! `Content-Length` and `Transfer-Encoding`.
//!
//! hyper drops the length of such a request and goes on, which is what request smuggling through a proxy needs
//! (RFC 9112 §6.3, §11.2). It says nothing to the service, so we look for ourselves. This is no second parser: it follows
//! only what it needs to find the next head. Where it loses its way and hyper does not, the request is refused.

/// Longer lines than this are of no header that matters here; the rest of a line is skipped.
const MAX_LINE: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between requests: nothing of the next head has come.
    Idle,
    Head,
    /// So many bytes of a body of known length are left.
    Sized(u64),
    ChunkSize,
    ChunkData(u64),
    /// The line break after a chunk's data.
    ChunkEnd,
    Trailers,
    /// Not to be followed any further.
    Lost,
}

#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    line: Vec<u8>,
    length: Option<u64>,
    has_length: bool,
    chunked: bool,
    /// Requests whose head has ended.
    heads: u64,
    /// One of them had both lengths.
    ambiguous: bool,
}

impl Framing {
    pub(super) fn new() -> Self {
        Self {
            state: State::Idle,
            line: Vec::with_capacity(MAX_LINE),
            length: None,
            has_length: false,
            chunked: false,
            heads: 0,
            ambiguous: false,
        }
    }

    /// How many requests' heads have ended.
    pub(super) fn heads(&self) -> u64 {
        self.heads
    }

    /// A head has begun and not ended, or the first one has not come.
    pub(super) fn waits_for_head(&self) -> bool {
        self.state == State::Head || self.heads == 0 && self.state == State::Idle
    }

    /// Whether the `nth` request (from 1) of the connection is not to be trusted: it, or one near it, had both lengths, or
    /// it was not seen here at all.
    pub(super) fn distrusts(&self, nth: u64, chunked: bool) -> bool {
        (self.ambiguous && chunked) || nth > self.heads
    }

    pub(super) fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.state != State::Lost {
            bytes = match self.state {
                State::Sized(left) | State::ChunkData(left) => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    self.skip(left, taken as u64);
                    bytes.get(taken..).unwrap_or_default()
                }
                _ => self.read_line(bytes),
            };
        }
    }

    fn skip(&mut self, left: u64, taken: u64) {
        let left = left - taken;
        self.state = match self.state {
            State::ChunkData(_) if left == 0 => State::ChunkEnd,
            State::ChunkData(_) => State::ChunkData(left),
            _ if left == 0 => State::Idle,
            _ => State::Sized(left),
        };
    }

    /// Takes bytes up to the next line break, or all.
    fn read_line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if self.state == State::Idle {
            // RFC 9112 §2.2: empty lines before a request are ignored.
            match bytes {
                [b'\r' | b'\n', rest @ ..] => return rest,
                _ => self.state = State::Head,
            }
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        let room = MAX_LINE - self.line.len();
        self.line.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
        let Some(end) = end else { return &[] };
        let line = std::mem::take(&mut self.line);
        self.end_line(line.strip_suffix(b"\r").unwrap_or(&line));
        self.line = line;
        self.line.clear();
        bytes.get(end + 1..).unwrap_or_default()
    }

    fn end_line(&mut self, line: &[u8]) {
        self.state = match self.state {
            State::Head => return self.end_head_line(line),
            State::ChunkSize => match chunk_size(line) {
                Some(0) => State::Trailers,
                Some(size) => State::ChunkData(size),
                None => State::Lost,
            },
            State::ChunkEnd => State::ChunkSize,
            State::Trailers if line.is_empty() => State::Idle,
            state => state,
        };
    }

    fn end_head_line(&mut self, line: &[u8]) {
        if line.is_empty() {
            self.end_head();
        } else if let Some(value) = header(line, b"content-length") {
            self.has_length = true;
            self.length = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
        } else if header(line, b"transfer-encoding").is_some() {
            self.chunked = true;
        }
    }

    fn end_head(&mut self) {
        self.heads += 1;
        if self.chunked && self.has_length {
            self.ambiguous = true;
        }
        self.state = match (self.chunked, self.has_length, self.length) {
            (true, true, _) | (false, true, None) => State::Lost,
            (true, false, _) => State::ChunkSize,
            (false, true, Some(0)) | (false, false, _) => State::Idle,
            (false, true, Some(length)) => State::Sized(length),
        };
        self.chunked = false;
        self.has_length = false;
        self.length = None;
    }
}

fn header<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (given, rest) = line.split_at_checked(name.len())?;
    if given.eq_ignore_ascii_case(name) { rest.trim_ascii_start().strip_prefix(b":") } else { None }
}

/// RFC 9112 §7.1: hex digits, then perhaps extensions.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let text = std::str::from_utf8(line.get(..digits)?).ok()?;
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same bytes in pieces of every size must be seen alike.
    fn after(bytes: &[u8]) -> (State, u64, bool) {
        let mut seen = Vec::new();
        for size in 1..=bytes.len() {
            let mut framing = Framing::new();
            for piece in bytes.chunks(size) {
                framing.read(piece);
            }
            seen.push((framing.state, framing.heads, framing.ambiguous));
        }
        seen.dedup();
        assert_eq!(seen.len(), 1, "pieces differ: {seen:?}");
        seen[0]
    }

    #[test]
    fn heads_are_found_behind_bodies_of_every_framing() {
        let requests = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n\
            POST / HTTP/1.1\r\ncontent-length: 27\r\n\r\nGET / HTTP/1.1\r\nx: y\r\n\r\n...\
            POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nab\r\nc\r\n0A\r\n0123456789\r\n0\r\nx: y\r\n\r\n\
            POST / HTTP/1.1\nCONTENT-LENGTH: 0\n\nGET /";
        assert_eq!(after(requests), (State::Head, 4, false));
    }

    #[test]
    fn both_lengths_in_one_head_are_noticed_in_either_order() {
        for head in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            "transfer-encoding: chunked\r\nX: y\r\nCONTENT-LENGTH:3",
            "Transfer-Encoding : chunked\r\nContent-Length\t: 3",
        ] {
            let request = format!("GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\n{head}\r\n\r\nabc");
            assert_eq!(after(request.as_bytes()), (State::Lost, 2, true), "{head}");
        }
    }

    #[test]
    fn the_words_in_a_body_or_in_a_long_line_are_no_headers() {
        let body = "Transfer-Encoding: chunked\r\n\r\n";
        let request = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert_eq!(after(request.as_bytes()), (State::Idle, 1, false));
        let long = format!("GET /{} HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(400), "Content-Length: 5 ".repeat(40));
        assert_eq!(after(long.as_bytes()), (State::Idle, 1, false));
    }

    #[test]
    fn empty_lines_before_a_request_are_no_request() {
        let request = b"\r\n\n\r\nPOST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        assert_eq!(after(request), (State::Idle, 2, false));
    }

    #[test]
    fn a_request_that_was_not_seen_is_distrusted() {
        let mut framing = Framing::new();
        framing.read(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(!framing.distrusts(1, false) && framing.distrusts(2, false));
    }

    #[test]
    fn what_cannot_be_followed_is_given_up() {
        assert_eq!(after(b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n").0, State::Lost);
        assert_eq!(after(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").0, State::Lost);
        assert_eq!(
            after(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n").0,
            State::Lost
        );
    }
}

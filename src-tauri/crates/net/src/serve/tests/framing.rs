//! Heads and bodies that are malformed, ambiguous or out of bounds.

use super::*;

#[tokio::test]
async fn an_oversized_body_is_refused_at_the_cap_whatever_it_announces() {
    let server = start(limits()).await;
    let announced = server.exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10737418240\r\n\r\n").await;
    assert_eq!(status(&announced), "413");

    let (mut read, mut write) = server.connect().await.into_split();
    let endless = tokio::spawn(async move {
        write.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
        let mut sent = 0_usize;
        while write
            .write_all(b"40\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n")
            .await
            .is_ok()
        {
            sent += 64;
        }
        sent
    });
    let mut answer = [0; 12];
    tokio::time::timeout(PATIENCE, read.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    let sent = tokio::time::timeout(PATIENCE, endless).await.expect("the server hangs up").unwrap();
    assert!(sent < 64 << 20, "{sent} bytes were taken");
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_broken_and_never_handed_on() {
    let server = start(limits()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_ne!(status(&to_end(&mut stream).await), "200");
}

#[tokio::test]
async fn too_many_or_too_long_headers_are_answered_with_431() {
    let server = start(limits()).await;
    let many = |count: usize| (0..count).map(|index| format!("x-{index}: y\r\n")).collect::<String>();
    for count in [64, 200] {
        let answer = server.exchange(&format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", many(count))).await;
        assert_eq!(status(&answer), "431", "{count} and Host");
    }
    let answer = server.exchange(&format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", many(62))).await;
    assert_eq!(status(&answer), "200");
    for length in [33 * 1_024, 200 * 1_024] {
        let answer = server.exchange(&format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "y".repeat(length))).await;
        assert!(["431", "closed"].contains(&status(&answer)), "{length}: {answer}");
    }
    assert_eq!(server.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_request_with_two_lengths_is_refused_and_ends_the_connection() {
    let server = start(limits()).await;
    let smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for lengths in [
        "Content-Length: 44\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 44",
        "TRANSFER-ENCODING:\tchunked\r\ncontent-length:44",
    ] {
        for before in ["", "\r\n", "\n\r\n"] {
            let request = format!("{before}POST / HTTP/1.1\r\nHost: a\r\n{lengths}\r\n\r\n{smuggled}");
            let answer = server.exchange(&request).await;
            assert_eq!(status(&answer), "400", "{lengths}");
            assert!(answer.contains(r#""code":"ambiguous-length""#), "{answer}");
            assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        }
    }
    assert_eq!(server.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_second_request_of_a_connection_is_watched_like_the_first() {
    let server = start(limits()).await;
    let first = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let second = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let mut stream = server.connect().await;
    stream.write_all(first.as_bytes()).await.unwrap();
    assert_eq!(status(&one_answer(&mut stream).await), "200");
    stream.write_all(second.as_bytes()).await.unwrap();
    assert_eq!(status(&to_end(&mut stream).await), "400");
    assert_eq!(server.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn malformed_heads_are_refused_before_the_service() {
    let server = start(limits()).await;
    for head in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        "GET / HTTP/3.0\r\nHost: a\r\n\r\n",
        "nonsense\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = server.exchange(head).await;
        assert!(["400", "closed", "505"].contains(&status(&answer)), "{head:?}: {answer}");
    }
    assert_eq!(server.calls.load(Ordering::SeqCst), 0);
}

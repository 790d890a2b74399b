//! Servers that hang, trickle, flood, reset or talk nonsense.

use super::*;

#[tokio::test]
async fn a_server_that_hangs_after_the_request_leaves_it_unknown() {
    let (address, _) = answering("").await;
    for (method, body) in [(Method::POST, "x"), (Method::POST, ""), (Method::GET, ""), (Method::DELETE, "")] {
        let outbound = Outbound { method, timeout: SHORT, ..post(format!("http://{address}/"), body) };
        let error = client().send(outbound).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Unknown, "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_trickles_or_never_gets_to_its_head_ends_at_the_deadline() {
    for piece in ["x", "5\r\nhello\r\n"] {
        let (address, _) = server(move |mut stream| async move {
            read_request(&mut stream).await;
            let framing = if piece == "x" { "Content-Length: 1000000" } else { "Transfer-Encoding: chunked" };
            let head = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut ticks = tokio::time::interval(Duration::from_millis(5));
            while stream.write_all(piece.as_bytes()).await.is_ok() {
                ticks.tick().await;
            }
        })
        .await;
        let outbound = Outbound { timeout: SHORT, ..post(format!("http://{address}/"), "x") };
        let error = client().send(outbound).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Unknown);
        assert!(error.to_string().contains("200"), "{error}");
    }
    let (address, _) = server(|mut stream| async move {
        read_request(&mut stream).await;
        let mut ticks = tokio::time::interval(Duration::from_millis(1));
        while stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").await.is_ok() {
            ticks.tick().await;
        }
    })
    .await;
    let outbound = Outbound { timeout: SHORT, ..post(format!("http://{address}/"), "x") };
    assert_eq!(client().send(outbound).await.unwrap_err().kind(), FailureKind::Unknown);
}

#[tokio::test]
async fn a_gigabyte_is_read_to_the_cap_and_hung_up_on() {
    for (status, framing) in
        [(200, "Content-Length: 1073741824"), (200, "X: close-delimited"), (500, "Content-Length: 1073741824")]
    {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let (address, _) = server(move |mut stream| {
            let counter = Arc::clone(&counter);
            async move {
                read_request(&mut stream).await;
                let head = format!("HTTP/1.1 {status} X\r\n{framing}\r\n\r\n");
                stream.write_all(head.as_bytes()).await.unwrap();
                let chunk = vec![b'x'; 64 * 1024];
                while stream.write_all(&chunk).await.is_ok() {
                    counter.fetch_add(chunk.len(), Ordering::SeqCst);
                }
            }
        })
        .await;
        match client().send(post(format!("http://{address}/"), "x")).await {
            Err(error @ SendError::AnswerTooLarge { .. }) if status == 200 => {
                assert_eq!(error.kind(), FailureKind::Rejected);
                let SendError::AnswerTooLarge { answer, .. } = error else { unreachable!() };
                assert_eq!((answer.body.len(), answer.truncated), (CAP, true));
            }
            Ok(answer) if status == 500 => assert_eq!((answer.body.len(), answer.truncated), (CAP, true)),
            other => panic!("{other:?}"),
        }
        assert!(taken.load(Ordering::SeqCst) < 64 << 20);
    }
}

#[tokio::test]
async fn an_answer_of_exactly_the_cap_is_whole() {
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {CAP}\r\n\r\n{}", "x".repeat(CAP));
    let (address, _) = answering(answer.leak()).await;
    let answer = client().send(post(format!("http://{address}/"), "x")).await.unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (CAP, false));
}

#[tokio::test]
async fn a_reset_or_nonsense_after_the_whole_request_leaves_it_unknown() {
    for answer in [
        "",
        "nonsense\r\n\r\n",
        "HTTP/1.1 9999 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let (address, _) = server(move |mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            if answer.is_empty() {
                stream.set_zero_linger().unwrap();
            }
        })
        .await;
        let error = client().send(post(format!("http://{address}/"), "x")).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Unknown, "{answer:?}: {error}");
        assert!(error.to_string().contains("may have been processed"), "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_or_stalls_inside_the_request_is_the_networks_failure() {
    let huge = Bytes::from(vec![b'x'; 64 << 20]);
    let (breaking, _) = server(|mut stream| async move {
        let mut some = [0; 1_000];
        stream.read_exact(&mut some).await.unwrap();
        stream.set_zero_linger().unwrap();
    })
    .await;
    let error = client().send(post(format!("http://{breaking}/"), huge.clone())).await.unwrap_err();
    assert!(matches!(error, SendError::Network { phase: Phase::Write, .. }), "{error:?}");

    let (stalling, _) = server(|stream| async move {
        let _open = stream;
        std::future::pending().await
    })
    .await;
    let outbound = Outbound { timeout: SHORT, ..post(format!("http://{stalling}/"), huge) };
    let error = client().send(outbound).await.unwrap_err();
    assert!(matches!(error, SendError::Network { phase: Phase::Write, .. }), "{error:?}");
}

#[tokio::test]
async fn what_fails_before_the_request_is_the_networks_failure_with_its_phase() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = client().send(post(format!("http://{free}/"), "x")).await.unwrap_err();
    assert!(matches!(refused, SendError::Network { phase: Phase::Connect, .. }), "{refused:?}");

    let unknown = client_with(Names(Err(io::ErrorKind::NotFound)), Vec::new());
    let unresolved = unknown.send(post("http://nowhere.test/", "x")).await.unwrap_err();
    assert!(matches!(unresolved, SendError::Network { phase: Phase::Resolve, .. }), "{unresolved:?}");
    let none = client().send(post("http://empty.test/", "x")).await.unwrap_err();
    assert!(matches!(none, SendError::Network { phase: Phase::Resolve, .. }), "{none:?}");

    let outbound = Outbound { timeout: SHORT, ..post("http://silent.test/", "x") };
    let late = client_with(Silence, Vec::new()).send(outbound).await.unwrap_err();
    assert_eq!(late.kind(), FailureKind::Network, "{late:?}");

    let (plain, _) = server(|mut stream| async move {
        let mut hello = [0; 16];
        stream.read_exact(&mut hello).await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    })
    .await;
    let tls = client().send(post(format!("https://{plain}/"), "x")).await.unwrap_err();
    assert!(matches!(tls, SendError::Network { phase: Phase::Tls, .. }), "{tls:?}");
}

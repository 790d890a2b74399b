//! Names, literals and redirects that lead inward: a canary listens where no request may arrive.

use super::*;

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let canary = Canary::new();
    // A 303 turns a POST into a GET, which needs no body to be sent again; a 307 repeats the request.
    for (status, method, body) in [(303, Method::POST, "x"), (302, Method::GET, ""), (307, Method::POST, "x")] {
        let target = format!("http://127.0.0.1:{}/", canary.port());
        let answer = format!("HTTP/1.1 {status} T\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
        let (address, _) = answering(answer.leak()).await;
        // Followed, it would wait for an answer that never comes.
        let outbound = Outbound { method, timeout: SHORT, ..post(format!("http://{address}/"), body) };
        assert_eq!(client().send(outbound).await.unwrap().status, status);
        canary.assert_untouched("the redirect's target");
    }
}

#[tokio::test]
async fn no_spelling_of_a_loopback_literal_reaches_a_listener() {
    let canary = Canary::new();
    let client = client();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "%31%32%37.0.0.1",
        "１２７。0。0。1",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{}/", canary.port());
            let outbound = Outbound { allow_private: false, ..post(&url, "x") };
            let error = client.send(outbound).await.unwrap_err();
            assert!(matches!(error, SendError::Refused { .. }), "{url}: {error:?}");
            assert_eq!(error.kind(), FailureKind::Rejected);
            canary.assert_untouched(&url);
        }
    }
}

#[tokio::test]
async fn a_name_with_one_inward_address_reaches_nobody() {
    let canary = Canary::new();
    for addresses in [
        vec!["127.0.0.1:0"],
        vec!["93.184.215.14:0", "127.0.0.1:0"],
        vec!["[::1]:0"],
        vec!["[::ffff:127.0.0.1]:0"],
        vec!["10.0.0.1:0"],
        vec!["169.254.169.254:0"],
        vec!["0.0.0.0:0"],
        vec!["93.184.215.14:0"; 1_000],
    ] {
        let list: Vec<SocketAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        let client = client_with(Names(Ok(list)), Vec::new());
        let url = format!("https://inward.test:{}/", canary.port());
        let error = client.send(Outbound { allow_private: false, ..post(&url, "x") }).await.unwrap_err();
        assert!(matches!(error, SendError::Refused { .. }), "{addresses:?}: {error:?}");
        canary.assert_untouched(&url);
    }
}

#[tokio::test]
async fn a_private_system_is_reached_by_name_and_metadata_is_not() {
    let (address, _) = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let inside = client_with(Names(Ok(vec!["127.0.0.1:0".parse().unwrap()])), Vec::new());
    let answer = inside.send(post(format!("http://crm.test:{}/", address.port()), "x")).await.unwrap();
    assert_eq!(answer.status, 204);
    let metadata = client_with(Names(Ok(vec!["169.254.169.254:0".parse().unwrap()])), Vec::new());
    let error = metadata.send(post("http://crm.test/", "x")).await.unwrap_err();
    assert_eq!(error.code(), "address-refused");
}

#[tokio::test]
async fn the_programs_own_listeners_are_refused_by_literal_and_by_name() {
    let canary = Canary::new();
    let port = canary.port();
    for own in ["127.0.0.1", "0.0.0.0"] {
        let listener = format!("{own}:{port}").parse().unwrap();
        let client = client_with(Names(Ok(vec!["127.0.0.1:0".parse().unwrap()])), vec![listener]);
        for host in ["127.0.0.1", "me.test", "[::ffff:127.0.0.1]"] {
            let error = client.send(post(format!("http://{host}:{port}/hooks/x"), "x")).await.unwrap_err();
            assert_eq!(error.code(), "own-listener", "{host} with a listener at {own}");
            canary.assert_untouched(host);
        }
    }
}

//! Names whose answers change, mix, or are a thousand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use signalbox_net::client::{Client, Resolve, SendError};

use super::Chance;
use super::urls::{Canary, outbound};

/// Answers each question with the next of its answers, over and over.
struct Changing {
    answers: Vec<Vec<SocketAddr>>,
    asked: Arc<AtomicUsize>,
}

impl Resolve for Changing {
    fn resolve(&self, _: &str, _: u16) -> BoxFuture<'_, std::io::Result<Vec<SocketAddr>>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers[turn % self.answers.len()].clone();
        Box::pin(async move { Ok(answer) })
    }
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// An address that is public and where nothing answers: the request is cut off by its deadline.
const PUBLIC: &str = "[2a00:1450:4001:80b::200e]:0";

#[tokio::test]
async fn an_answer_that_changes_between_check_and_connect_reaches_nobody() {
    let canary = Canary::new();
    for answers in [
        vec![vec![at(PUBLIC)], vec![at("127.0.0.1:0")]],
        vec![vec![at("127.0.0.1:0")], vec![at(PUBLIC)]],
        vec![vec![at(PUBLIC)], vec![at(PUBLIC)], vec![at("[::ffff:127.0.0.1]:0")]],
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        // A listener of its own on the same port makes the client ask once more, before it connects.
        for own in [vec![], vec![SocketAddr::from(([192, 0, 2, 1], canary.port()))]] {
            let resolver = Changing { answers: answers.clone(), asked: asked.clone() };
            let client = Client::new(Arc::new(resolver), Arc::new(move || own.clone())).unwrap();
            for _ in 0..4 {
                let mut request = outbound(&format!("https://flips.test:{}/", canary.port()));
                request.timeout = std::time::Duration::from_millis(100);
                let sent = client.send(request).await;
                assert!(sent.is_err(), "{sent:?}");
                canary.assert_untouched(&format!("{answers:?}"));
            }
        }
        assert!(asked.load(Ordering::SeqCst) > 4, "the answers had no time to change");
    }
}

#[tokio::test]
async fn mixed_answers_in_any_order_and_a_thousand_records_are_refused() {
    let mut chance = Chance::new("mixed_answers");
    let canary = Canary::new();
    let inward =
        ["127.0.0.1:0", "[::1]:0", "[::ffff:10.0.0.1]:0", "169.254.169.254:0", "192.168.1.1:0", "[fd00:ec2::254]:0"];
    for round in 0..200 {
        let mut answer: Vec<SocketAddr> = vec![at(PUBLIC); if round % 10 == 0 { 1_000 } else { 1 + chance.below(15) }];
        let place = chance.below(answer.len());
        let one: &&str = chance.pick(&inward);
        answer[place] = at(one);
        let resolver = Changing { answers: vec![answer.clone()], asked: Arc::default() };
        let client = Client::new(Arc::new(resolver), Arc::new(Vec::new)).unwrap();
        let url = format!("https://mixed.test:{}/", canary.port());
        let error = client.send(outbound(&url)).await.unwrap_err();
        assert!(matches!(error, SendError::Refused(_)), "{answer:?}: {error:?}");
        canary.assert_untouched(&url);
    }
}

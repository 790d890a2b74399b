//! Attempts that went out in one request.

use signalbox_model::{AttemptId, DeliveryState};
use signalbox_store::delivery::{Completed, EndedBatch, Next};
use signalbox_store::read::RecordEnd;

use crate::support::{Bench, bench, dead, retry};

async fn end_together(bench: &Bench, nexts: Vec<Next>) -> Vec<Completed> {
    let open = bench.open(bench.lane).await;
    assert_eq!(open.len(), nexts.len());
    let completions = open.iter().zip(nexts).map(|(open, next)| bench.completion(open.id, open.epoch, next)).collect();
    let id = AttemptId::from_bits(bench.bits());
    bench.store.complete_batch(EndedBatch { id, key: "bat_1".into(), completions }).await.unwrap()
}

#[tokio::test]
async fn each_record_of_a_batch_ends_in_its_own_way_and_knows_the_others() {
    let bench = bench().await;
    let mut ids = Vec::new();
    for key in ["a", "b", "c"] {
        ids.push(bench.queue(bench.lane, key).await);
    }
    let follower = bench.queue(bench.lane, "a").await;
    let due = bench.now();
    let completed = end_together(&bench, vec![Next::Delivered, retry(due), dead()]).await;
    let applied = |promoted| Completed::Applied { promoted };
    assert_eq!(completed, [applied(true), applied(false), applied(false)]);
    let mut states = Vec::new();
    for id in &ids {
        states.push(bench.state(*id).await);
    }
    assert_eq!(states, [DeliveryState::Delivered, DeliveryState::Retrying, DeliveryState::Dead]);
    assert_eq!(bench.state(follower).await, DeliveryState::Queued, "the next of the key goes on");
    for id in &ids {
        let attempts = bench.store.attempts(*id).await.unwrap();
        let batch = attempts[0].batch.clone().expect("it went with others");
        assert_eq!((batch.key.as_str(), batch.size), ("bat_1", 3));
        let ends: Vec<_> = batch.records.iter().map(|record| (record.delivery, record.end)).collect();
        let expected = [RecordEnd::Delivered, RecordEnd::Retrying, RecordEnd::Dead];
        assert_eq!(ends, ids.iter().copied().zip(expected).collect::<Vec<_>>(), "in the order of the request");
        assert_eq!(batch.records[2].message.as_deref(), Some("failed: server"));
    }
}

#[tokio::test]
async fn the_same_set_sent_again_is_another_batch_of_the_same_key() {
    let bench = bench().await;
    let id = bench.queue(bench.lane, "a").await;
    bench.queue(bench.lane, "b").await;
    let due = bench.now();
    end_together(&bench, vec![retry(due), retry(due)]).await;
    end_together(&bench, vec![Next::Delivered, Next::Delivered]).await;
    let attempts = bench.store.attempts(id).await.unwrap();
    let ends: Vec<_> = attempts.iter().map(|attempt| attempt.batch.as_ref().unwrap().records[0].end).collect();
    assert_eq!(ends, [RecordEnd::Retrying, RecordEnd::Delivered]);
}

#[tokio::test]
async fn a_record_that_another_boot_holds_is_stale_and_not_of_the_batch() {
    let bench = bench().await;
    let id = bench.queue(bench.lane, "a").await;
    bench.queue(bench.lane, "b").await;
    let open = bench.open(bench.lane).await;
    let completions = open
        .iter()
        .map(|open| bench.completion(open.id, if open.id == id { open.epoch + 1 } else { open.epoch }, Next::Delivered))
        .collect();
    let batch = EndedBatch { id: AttemptId::from_bits(bench.bits()), key: "bat_1".into(), completions };
    let completed = bench.store.complete_batch(batch).await.unwrap();
    assert_eq!(completed, [Completed::Stale, Completed::Applied { promoted: false }]);
    assert_eq!(bench.state(id).await, DeliveryState::Sending);
    let other = bench.store.attempts(open[1].id).await.unwrap();
    let batch = other[0].batch.clone().unwrap();
    assert_eq!((batch.size, batch.records.len()), (2, 1));
}

//! Events whose steps run behind the commit.

use signalbox_model::{DeliveryId, DeliveryState, EventId, FailureKind};
use signalbox_store::LaneId;
use signalbox_store::event::{Accepted, Fate, NewDelivery, Placement, Planned};

use crate::support::{Bench, bench, failure, request};

async fn later(bench: &Bench, key: &str) -> (EventId, DeliveryId, LaneId) {
    let id = DeliveryId::from_bits(bench.bits());
    let event = bench.event().key(key).planned(Planned::Later(vec![(id, bench.lane)]));
    let event_id = event.id;
    let accepted = bench.store.accept(event).await.unwrap();
    let Accepted::Stored { placements, .. } = accepted else { panic!("{accepted:?}") };
    assert_eq!(placements, [Placement::Unplanned]);
    (event_id, id, bench.lane)
}

fn send(id: DeliveryId, lane: LaneId) -> NewDelivery {
    NewDelivery { id, lane, fate: Fate::Send(request(&"mapped".into())), may_open: true }
}

#[tokio::test]
async fn a_placeholder_keeps_its_place_and_cannot_be_claimed() {
    let bench = bench().await;
    let (event, id, lane) = later(&bench, "003").await;
    let follower = bench.queue(lane, "003").await;
    assert_eq!(bench.open(lane).await.len(), 0);
    assert_eq!(bench.state(follower).await, DeliveryState::Held);
    assert!(bench.store.event(event).await.unwrap().unwrap().unplanned);
    let placements = bench.store.plan(event, vec![send(id, lane)]).await.unwrap();
    assert!(matches!(placements[..], [Placement::Opened { .. }]), "{placements:?}");
    assert!(!bench.store.event(event).await.unwrap().unwrap().unplanned);
    assert_eq!(bench.row(id).await.attempts, 1);
}

#[tokio::test]
async fn a_plan_that_ends_a_row_lets_the_next_of_its_key_go() {
    let bench = bench().await;
    let (event, id, lane) = later(&bench, "003").await;
    let follower = bench.queue(lane, "003").await;
    let fate = Fate::Filtered { step: "only-active".into() };
    let placements = bench.store.plan(event, vec![NewDelivery { id, lane, fate, may_open: true }]).await.unwrap();
    assert_eq!(placements, [Placement::Ended]);
    assert_eq!(bench.state(follower).await, DeliveryState::Queued);
}

#[tokio::test]
async fn a_plan_that_fails_parks_its_key() {
    let bench = bench().await;
    let (event, id, lane) = later(&bench, "003").await;
    let follower = bench.queue(lane, "003").await;
    let fate = Fate::Dead(failure(FailureKind::Mapping, None));
    bench.store.plan(event, vec![NewDelivery { id, lane, fate, may_open: true }]).await.unwrap();
    assert_eq!((bench.state(id).await, bench.state(follower).await), (DeliveryState::Dead, DeliveryState::Held));
}

#[tokio::test]
async fn a_plan_behind_an_earlier_one_of_its_key_is_held() {
    let bench = bench().await;
    bench.queue(bench.lane, "003").await;
    let (event, id, lane) = later(&bench, "003").await;
    assert_eq!(bench.store.plan(event, vec![send(id, lane)]).await.unwrap(), [Placement::Held]);
}

#[tokio::test]
async fn a_plan_must_name_every_place() {
    let bench = bench().await;
    let (event, id, lane) = later(&bench, "003").await;
    assert!(bench.store.plan(event, vec![]).await.is_err());
    let stranger = DeliveryId::from_bits(7);
    assert!(bench.store.plan(event, vec![send(id, lane), send(stranger, lane)]).await.is_err());
    assert!(bench.store.event(event).await.unwrap().unwrap().unplanned, "nothing happened");
}

#[tokio::test]
async fn a_place_that_a_person_discarded_stays_discarded() {
    let bench = bench().await;
    let (event, id, lane) = later(&bench, "003").await;
    bench.store.discard(bench.discard_id(), bench.matching("key:003"), None, bench.now()).await.unwrap();
    assert_eq!(bench.store.plan(event, vec![send(id, lane)]).await.unwrap(), [Placement::Ended]);
    assert_eq!(bench.state(id).await, DeliveryState::Discarded);
}

#[tokio::test]
async fn each_boot_counts_once_for_an_event_in_its_steps() {
    let bench = bench().await;
    let (event, id, lane) = later(&bench, "003").await;
    let boots = async |bench: &Bench| {
        let unplanned = bench.store.unplanned(10).await.unwrap();
        assert_eq!((unplanned[0].event, &unplanned[0].deliveries[..]), (event, &[(id, lane)][..]));
        unplanned[0].boots
    };
    assert_eq!((boots(&bench).await, boots(&bench).await), (1, 1));
    let bench = bench.reopen().await;
    bench.store.recover(bench.now()).await.unwrap();
    assert_eq!((boots(&bench).await, boots(&bench).await), (2, 2));
    bench.store.plan(event, vec![send(id, lane)]).await.unwrap();
    assert!(bench.store.unplanned(10).await.unwrap().is_empty());
}

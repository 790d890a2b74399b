//! Filters, pages, counts, groups, figures.

use std::collections::BTreeSet;
use std::time::Duration;

use signalbox_model::filter::Filter;
use signalbox_model::{DeliveryId, DeliveryState, FailureKind, HeldReason};
use signalbox_store::delivery::Next;
use signalbox_store::event::Fate;
use signalbox_store::lane::{GateScope, GateSpan, GateStep, SavedGate};
use signalbox_store::read::{ClosedGates, ListQuery};
use signalbox_store::series::SeriesRow;

use crate::support::{Bench, bench, dead, failure, retry};

/// One row of each sort.
struct Mixed {
    bench: Bench,
    queued: DeliveryId,
    retrying: DeliveryId,
    held: DeliveryId,
    dead: DeliveryId,
    delivered: DeliveryId,
    filtered: DeliveryId,
}

async fn mixed() -> Mixed {
    let bench = bench().await;
    let delivered =
        bench.event().of_type("contact.created").body(br#"{"email":"grace@acme.test","tags":["vip"],"n":1.10}"#);
    let (delivered, _) = delivered.to(bench.lane).await;
    bench.send(delivered, Next::Delivered).await;
    bench.pass_ms(3_600_000);
    let dead_row = bench.queue(bench.lane, "001").await;
    bench.send(dead_row, dead()).await;
    let held = bench.queue(bench.lane, "001").await;
    let (retrying, _) = bench.event().of_type("contact.deleted").to(bench.other).await;
    let due = signalbox_model::Timestamp::from_micros(bench.now().as_micros() + 60_000_000);
    bench.send(retrying, retry(due)).await;
    let (filtered, _) = bench.event().ending_as(bench.lane, Fate::Filtered { step: "only-active".into() }).await;
    let queued = bench.queue(bench.other, "key with space").await;
    Mixed { bench, queued, retrying, held, dead: dead_row, delivered, filtered }
}

#[tokio::test]
async fn each_term_finds_exactly_its_rows() {
    let Mixed { bench, queued, retrying, held, dead, delivered, filtered } = mixed().await;
    let row = bench.row(dead).await;
    let (group, event) = (row.group.unwrap(), row.event);
    let cases: Vec<(String, Vec<DeliveryId>)> = vec![
        (String::new(), vec![queued, filtered, retrying, held, dead, delivered]),
        ("state:dead".into(), vec![dead]),
        ("state:dead,delivered".into(), vec![dead, delivered]),
        ("-state:dead,delivered".into(), vec![queued, filtered, retrying, held]),
        ("state:queued,retrying,held".into(), vec![queued, retrying, held]),
        ("state:filtered stage:filter".into(), vec![filtered]),
        ("state:dead state:held".into(), vec![]),
        ("reason:order".into(), vec![held]),
        ("reason:breaker".into(), vec![]),
        ("kind:server".into(), vec![retrying, dead]),
        ("-kind:server".into(), vec![queued, filtered, held, delivered]),
        ("kind:rate,server http:503".into(), vec![retrying]),
        ("http:5xx".into(), vec![retrying, dead]),
        ("http:2xx".into(), vec![delivered]),
        ("http:200-500".into(), vec![dead, delivered]),
        ("integration:crm-sync".into(), vec![queued, filtered, retrying, held, dead, delivered]),
        ("destination:hubspot".into(), vec![filtered, held, dead, delivered]),
        ("-destination:hubspot".into(), vec![queued, retrying]),
        ("system:crm".into(), vec![queued, retrying]),
        ("system:nowhere".into(), vec![]),
        (format!("group:{group}"), vec![dead]),
        (format!("event:{event}"), vec![dead]),
        (format!("id:{held},{queued}"), vec![queued, held]),
        (format!("-id:{held}"), vec![queued, filtered, retrying, dead, delivered]),
        ("key:001".into(), vec![held, dead]),
        ("key:0*".into(), vec![held, dead]),
        ("key:\"key with space\"".into(), vec![queued]),
        ("key:?01".into(), vec![]),
        ("type:contact.*".into(), vec![retrying, delivered]),
        ("-type:contact.*".into(), vec![queued, filtered, held, dead]),
        ("type:contact.deleted".into(), vec![retrying]),
        ("since:30m".into(), vec![queued, filtered, retrying, held, dead]),
        ("until:30m".into(), vec![delivered]),
        ("latency:>10ms".into(), vec![delivered]),
        ("latency:>2s".into(), vec![]),
        ("attempts:0".into(), vec![queued, filtered, held]),
        ("attempts:>=1".into(), vec![retrying, dead, delivered]),
        ("body.email:*@acme.test".into(), vec![queued, filtered, retrying, held, dead, delivered]),
        ("body.email:grace@*".into(), vec![delivered]),
        ("body.tags.0:vip".into(), vec![delivered]),
        ("body.n:1.10".into(), vec![delivered]),
        ("body.n:1.1".into(), vec![]),
        ("body.none:*".into(), vec![]),
        ("state:dead body.email:ada@*".into(), vec![dead]),
    ];
    for (filter, expected) in cases {
        assert_eq!(bench.list(&filter).await, expected, "{filter}");
        let query = ListQuery {
            filter: Filter::parse(&filter).unwrap(),
            now: bench.now(),
            gates: ClosedGates::default(),
            cursor: None,
            limit: 1,
        };
        let page = bench.store.list(query).await.unwrap();
        assert_eq!((page.total, page.total_exact), (expected.len() as u64, true), "{filter}");
    }
}

#[tokio::test]
async fn behind_a_closed_gate_waiting_rows_read_as_held() {
    let Mixed { bench, queued, retrying, held, .. } = mixed().await;
    let gates = ClosedGates { lanes: [(bench.other, HeldReason::Pause)].into(), ..ClosedGates::default() };
    let cases = [
        ("state:held", vec![queued, retrying, held]),
        ("reason:pause", vec![queued, retrying]),
        ("reason:order", vec![held]),
        ("reason:pause,order", vec![queued, retrying, held]),
        ("reason:breaker", vec![]),
        ("state:queued", vec![]),
        ("state:retrying", vec![]),
        ("state:queued,held destination:crm", vec![queued, retrying]),
    ];
    for (filter, expected) in cases {
        assert_eq!(bench.list_behind(filter, gates.clone()).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn pages_show_every_row_once_while_new_ones_arrive() {
    let bench = bench().await;
    let mut all = BTreeSet::new();
    for at in 0..25 {
        let lane = if at % 2 == 0 { bench.lane } else { bench.other };
        all.insert(bench.event().to(lane).await.0);
    }
    for filter in ["", "state:queued", "destination:hubspot,crm", "attempts:0", "body.email:ada*"] {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let (filter, gates) = (Filter::parse(filter).unwrap(), ClosedGates::default());
            let page = bench.store.list(ListQuery { filter, now: bench.now(), gates, cursor, limit: 7 }).await.unwrap();
            assert!(page.items.len() <= 7);
            seen.extend(page.items.into_iter().map(|row| row.id).filter(|id| all.contains(id)));
            // Between two pages.
            bench.event().to(bench.lane).await;
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {filter}");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), all, "{filter}");
    }
}

#[tokio::test]
async fn a_cursor_that_no_list_gave_is_an_error() {
    let bench = bench().await;
    let query = ListQuery {
        filter: Filter::default(),
        now: bench.now(),
        gates: ClosedGates::default(),
        cursor: Some("x".into()),
        limit: 5,
    };
    assert!(matches!(bench.store.list(query).await, Err(signalbox_store::StoreError::InvalidCursor)));
}

#[tokio::test]
async fn groups_gather_dead_letters_of_one_failure() {
    let bench = bench().await;
    for at in 0..5 {
        let id = bench.queue(bench.lane, &format!("k{}", at % 3)).await;
        let next =
            Next::Dead(signalbox_store::event::Failure { park: false, ..failure(FailureKind::Server, Some(500)) });
        bench.send(id, next).await;
    }
    bench.pass_ms(1_000);
    let (rate, _) = bench.event().to(bench.other).await;
    bench.send(rate, Next::Dead(failure(FailureKind::Rate, Some(429)))).await;
    let groups = bench.store.groups(&Filter::default(), bench.now(), &ClosedGates::default()).await.unwrap();
    assert_eq!(groups.iter().map(|group| (group.count, group.key_count)).collect::<Vec<_>>(), [(5, 3), (1, 0)]);
    assert_eq!((groups[0].kind, groups[0].status, groups[0].lane), (FailureKind::Server, Some(500), bench.lane));
    assert_eq!(groups[0].series.iter().sum::<u32>(), 5);
    assert!(groups[0].series[0] > 0 && groups[0].series[23] > 0, "first and last: {:?}", groups[0].series);
    assert!(groups[0].first_at < groups[0].last_at);
    let only = bench
        .store
        .groups(&Filter::parse("destination:crm").unwrap(), bench.now(), &ClosedGates::default())
        .await
        .unwrap();
    assert_eq!(only.iter().map(|group| group.sample).collect::<Vec<_>>(), [rate]);
    let figures = bench.store.dead_figures(groups[1].first_at).await.unwrap();
    assert_eq!((figures.count, figures.groups, figures.new_since), (6, 2, 1));
}

#[tokio::test]
async fn lane_figures_count_what_is_there() {
    let Mixed { bench, queued, retrying, held, .. } = mixed().await;
    let figures = bench.store.lane_figures().await.unwrap();
    let hubspot = &figures[0];
    assert_eq!((hubspot.queued, hubspot.sending, hubspot.retrying, hubspot.held, hubspot.dead), (0, 0, 0, 1, 1));
    assert_eq!(hubspot.oldest_open, Some(bench.row(held).await.accepted_at));
    let crm = &figures[1];
    assert_eq!((crm.queued, crm.retrying, crm.dead), (1, 1, 0));
    assert_eq!(crm.oldest_open, Some(bench.row(retrying).await.accepted_at));
    assert_eq!(crm.next_due, bench.row(queued).await.due_at);
    let oldest = bench.store.oldest_open().await.unwrap();
    assert_eq!(oldest, vec![(bench.lane, hubspot.oldest_open.unwrap()), (bench.other, crm.oldest_open.unwrap())]);
    assert!(bench.store.size_on_disk().await.unwrap() > 4_096);
}

#[tokio::test]
async fn lanes_gates_and_versions_are_kept() {
    let bench = bench().await;
    let moved = bench.store.ensure_lane("crm-sync", "hubspot", "hubspot-eu").await.unwrap();
    assert_eq!((moved.id, moved.system.as_str()), (bench.lane, "hubspot-eu"), "the lane keeps its number");
    let gate = SavedGate {
        scope: GateScope::System,
        name: "hubspot".into(),
        reason: HeldReason::Pause,
        since: bench.now(),
        until: None,
        explain: "paused by a person".into(),
    };
    bench.store.save_gate(gate.clone(), GateStep::Closes).await.unwrap();
    bench.store.save_gate(SavedGate { reason: HeldReason::Rate, ..gate.clone() }, GateStep::Closes).await.unwrap();
    bench.store.save_gate(SavedGate { reason: HeldReason::Rate, ..gate.clone() }, GateStep::Opens).await.unwrap();
    let files = vec![("integrations/crm-sync.toml".to_owned(), "title = \"é\"".to_owned())];
    bench.store.save_version("crm-sync", "v1", bench.now(), &files).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.store.saved_gates().await.unwrap(), vec![gate]);
    assert_eq!(bench.store.version_files("crm-sync", "v1").await.unwrap(), Some(files));
    assert_eq!(bench.store.version_files("crm-sync", "v2").await.unwrap(), None);
    assert_eq!(bench.store.lanes().await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_times_over_which_gates_were_closed_are_kept_until_they_are_old() {
    let bench = bench().await;
    let start = bench.now();
    let after = |seconds: u64| start.plus(Duration::from_secs(seconds));
    let gate = |reason, since: u64, until: Option<u64>| SavedGate {
        scope: GateScope::System,
        name: "hubspot".into(),
        reason,
        since: after(since),
        until: until.map(after),
        explain: String::new(),
    };
    let span = |reason, since: u64, until: Option<u64>| GateSpan {
        scope: GateScope::System,
        name: "hubspot".into(),
        reason,
        since: after(since),
        until: until.map(after),
    };
    let save = async |gate, step| bench.store.save_gate(gate, step).await.unwrap();
    // Opened, its probe failed, closed after 30 s; what it was told of a later time is not its end.
    save(gate(HeldReason::Breaker, 0, None), GateStep::Closes).await;
    save(gate(HeldReason::Breaker, 0, Some(600)), GateStep::Closes).await;
    bench.pass_ms(30_000);
    save(gate(HeldReason::Breaker, 0, None), GateStep::Opens).await;
    // A wait that ends by itself, and one that is made longer.
    save(gate(HeldReason::Rate, 30, Some(90)), GateStep::Closes).await;
    save(gate(HeldReason::Rate, 30, Some(120)), GateStep::Closes).await;
    // Held open, then forced closed: it is kept, and holds nothing any more.
    save(gate(HeldReason::Breaker, 40, None), GateStep::Closes).await;
    bench.pass_ms(20_000);
    save(gate(HeldReason::Breaker, 50, None), GateStep::KeptClear).await;
    save(gate(HeldReason::Pause, 50, None), GateStep::Closes).await;
    let kept = bench.store.saved_gates().await.unwrap();
    assert_eq!(
        kept.iter().map(|gate| gate.reason).collect::<Vec<_>>(),
        [HeldReason::Breaker, HeldReason::Pause, HeldReason::Rate]
    );
    let all = [
        span(HeldReason::Breaker, 0, Some(30)),
        span(HeldReason::Rate, 30, Some(120)),
        span(HeldReason::Breaker, 40, Some(50)),
        span(HeldReason::Pause, 50, None),
    ];
    assert_eq!(bench.store.gate_spans(start).await.unwrap(), all);
    assert_eq!(bench.store.gate_spans(after(50)).await.unwrap(), [all[1].clone(), all[3].clone()]);
    bench.pass_ms(-3_600_000);
    let back = gate(HeldReason::Pause, 50, None);
    save(back.clone(), GateStep::Opens).await;
    assert_eq!(bench.store.gate_spans(start).await.unwrap(), all[..3], "one from the future is no span");
    bench.pass_ms(3_600_000);
    save(back, GateStep::Closes).await;
    assert_eq!(bench.store.prune_gate_spans(after(50)).await.unwrap(), 1, "the end itself is not before it");
    assert_eq!(bench.store.gate_spans(start).await.unwrap(), all[1..]);
}

#[tokio::test]
async fn a_saved_bucket_replaces_itself_and_old_ones_can_go() {
    let bench = bench().await;
    let row = |bucket, delivered| SeriesRow {
        bucket,
        lane: bench.lane,
        delivered,
        failures: [1, 2, 3, 4, 5, 6, 7],
        queue_depth: Some(9),
        latency: vec![1, 2, 3],
        ..SeriesRow::default()
    };
    bench.store.save_series(vec![row(30, 1), row(60, 2)]).await.unwrap();
    bench.store.save_series(vec![row(60, 3)]).await.unwrap();
    let at = signalbox_model::Timestamp::from_secs;
    assert_eq!(bench.store.load_series(at(0), at(61)).await.unwrap(), vec![row(30, 1), row(60, 3)]);
    assert_eq!(bench.store.load_series(at(31), at(60)).await.unwrap(), vec![]);
    assert_eq!(bench.store.prune_series(at(60)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_state_without_rows_is_an_empty_page() {
    let bench = bench().await;
    for state in DeliveryState::ALL {
        assert_eq!(bench.list(&format!("state:{}", state.as_str())).await, vec![]);
    }
}

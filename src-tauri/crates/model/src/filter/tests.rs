//! What the language takes, what it refuses, and that its text survives.

use std::time::Duration;

use super::*;
use crate::Timestamp;

fn error(text: &str) -> FilterError {
    Filter::parse(text).expect_err(text)
}

#[test]
fn the_filter_of_the_handbook_is_read() {
    let group = GroupId::from_bits(7);
    let text = format!(
        "state:dead,retrying reason:breaker system:hubspot destination:crm integration:crm-sync kind:rate http:5xx \
         stage:map group:{group} key:003* type:contact.changed since:2h until:2026-11-21T14:00Z latency:>2s \
         attempts:>3 body.email:*@acme.test"
    );
    let filter = Filter::parse(&text).unwrap();
    assert_eq!(filter.terms.len(), 16);
    assert_eq!(filter.terms[0].test, Test::State(vec![DeliveryState::Dead, DeliveryState::Retrying]));
    assert_eq!(filter.terms[6].test, Test::Http(vec![StatusRange { from: 500, to: 599 }]));
    assert_eq!(filter.terms[11].test, Test::Since(Moment::Ago(Duration::from_secs(7_200))));
    assert_eq!(filter.terms[13].test, Test::Latency(vec![Bound::Above(Duration::from_secs(2))]));
}

#[test]
fn nothing_filters_nothing() {
    assert!(Filter::parse("").unwrap().is_empty());
    assert!(Filter::parse(" \t ").unwrap().is_empty());
}

#[test]
fn a_minus_turns_a_term_round_and_nothing_else() {
    let filter = Filter::parse("-state:dead key:-5").unwrap();
    assert!(filter.terms[0].negated);
    assert_eq!(filter.terms[1], Term { negated: false, test: Test::Key(vec![Pattern::exact("-5")]) });
}

#[test]
fn a_wrong_key_or_value_names_the_nearest_right_one() {
    let suggestions = [
        ("staet:dead", "state"),
        ("state:daed", "dead"),
        ("state:deliverd", "delivered"),
        ("kind:server,netwrok", "network"),
        ("stage:mapp", "map"),
        ("dead", "state:dead"),
        ("003abc", "key:003abc"),
        ("latency:2s", ">2s"),
        ("body:x", "body.email"),
        ("STATE:dead", "state"),
        ("dest:crm", "destination"),
    ];
    for (text, suggestion) in suggestions {
        assert_eq!(error(text).suggestion.as_deref(), Some(suggestion), "{text}");
    }
    assert_eq!(error("zzzzzz:1").suggestion, None);
}

#[test]
fn an_error_says_where_it_is() {
    assert_eq!(error("state:dead kind:x").at, 16);
    assert_eq!(error("state:dead,x").at, 11);
    assert_eq!(error("state:dead -nope:x").at, 12);
    assert_eq!(error("key:\"open").at, 4);
}

#[test]
fn values_that_would_match_nothing_are_refused() {
    let wrong = [
        "state:",
        "state:,dead",
        "state:dead,",
        "state:de*",
        "http:99",
        "http:600",
        "http:6xx",
        "http:xx",
        "http:504-500",
        "http:5x",
        "http:+50",
        "since:yesterday",
        "since:1h,2h",
        "until:5",
        "latency:>2",
        "latency:>",
        "attempts:>x",
        "attempts:-1",
        "id:dlv_1",
        "event:grp_01",
        "group:x",
        "system:a*",
        "system:a/b",
        "body.:x",
        "body.a..b:x",
        "-",
        "-:x",
        ":x",
        "key:\u{7}",
    ];
    for text in wrong {
        error(text);
    }
}

#[test]
fn an_unknown_name_is_an_error_where_names_are_known() {
    let known = KnownNames { systems: vec!["hubspot".into(), "crm".into()], ..KnownNames::default() };
    let error = Filter::parse_with("system:hubsopt", &known).unwrap_err();
    assert_eq!(error.suggestion.as_deref(), Some("hubspot"));
    assert!(Filter::parse_with("system:crm integration:any", &known).is_ok());
}

#[test]
fn bounds_hold() {
    error(&format!("key:{}", "x".repeat(TEXT_MAX)));
    error(&"key:x ".repeat(TERMS_MAX + 1));
    assert!(Filter::parse(&"key:x ".repeat(TERMS_MAX)).is_ok());
    error(&format!("body{}:x", ".a".repeat(PATH_MAX + 1)));
    assert!(Filter::parse(&format!("key:\"{}\"", "\\*".repeat(1_000))).is_ok());
    let longer_when_shown = error(&format!("key:{}", "\\".repeat(2_000)));
    assert!(longer_when_shown.message.contains("quotes and escapes"), "{longer_when_shown}");
}

#[test]
fn stars_match_any_text_and_escaped_ones_only_themselves() {
    let matches = |pattern: &str, text: &str| match &Filter::parse(&format!("key:{pattern}")).unwrap().terms[0].test {
        Test::Key(values) => values.iter().any(|value| value.matches(text)),
        other => panic!("{other:?}"),
    };
    assert!(matches("*@acme.test", "ada@acme.test"));
    assert!(matches("003*", "003"));
    assert!(matches("a*b*c", "a-b-b-c"));
    assert!(matches("*", ""));
    assert!(matches("\"a b\",c", "a b") && matches("\"a b\",c", "c"));
    assert!(!matches("ab*ba", "aba"), "the ends may not share characters");
    assert!(!matches("a*b*c", "a-c"));
    assert!(matches(r#""\*""#, "*") && !matches(r#""\*""#, "x"));
}

#[test]
fn moments_are_ago_or_absolute() {
    let now = Timestamp::from_secs(10_000);
    assert_eq!(Moment::parse("1h").map(|at| at.resolve(now)), Some(Timestamp::from_secs(6_400)));
    assert_eq!(Moment::parse("2026-11-21"), Moment::parse("2026-11-21T00:00Z"));
    assert!(Moment::parse("2026-11-21").is_some());
}

/// A small generator (xorshift64*), so that the seed alone repeats a run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }

    fn some<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..1 + self.below(3)).map(|_| make(self)).collect()
    }

    fn pattern(&mut self) -> Pattern {
        let alphabet: Vec<char> = "aB9-:,* \"\\é[?]%_\u{3000}".chars().collect();
        let pieces =
            (0..1 + self.below(3)).map(|_| (0..self.below(5)).map(|_| self.pick(&alphabet)).collect()).collect();
        Pattern::from_pieces(pieces)
    }

    fn bound<T>(&mut self, value: T) -> Bound<T> {
        self.pick(&[Bound::Above, Bound::AtLeast, Bound::Below, Bound::AtMost])(value)
    }

    fn moment(&mut self) -> Moment {
        match self.below(2) {
            0 => Moment::Ago(Duration::from_millis(self.below(86_400_000))),
            _ => Moment::At(Timestamp::from_millis(self.below(4_000_000_000_000) as i64)),
        }
    }

    fn test(&mut self) -> Test {
        let name = |dice: &mut Self| dice.pick(&["crm-sync", "hubspot", "a.b_c"]).to_owned();
        match self.below(18) {
            0 => Test::State(self.some(|dice| dice.pick(&DeliveryState::ALL))),
            1 => Test::Reason(self.some(|dice| dice.pick(&HeldReason::ALL))),
            2 => Test::Integration(self.some(name)),
            3 => Test::Destination(self.some(name)),
            4 => Test::System(self.some(name)),
            5 => Test::Kind(self.some(|dice| dice.pick(&FailureKind::ALL))),
            6 => Test::Http(self.some(|dice| {
                let from = 100 + dice.below(500) as u16;
                StatusRange { from, to: from + dice.below(600 - u64::from(from)) as u16 }
            })),
            7 => Test::Stage(self.some(|dice| dice.pick(&Stage::ALL))),
            8 => Test::Group(self.some(|dice| GroupId::from_bits(dice.below(u64::MAX).into()))),
            9 => Test::Event(self.some(|dice| EventId::from_bits(dice.below(u64::MAX).into()))),
            10 => Test::Id(self.some(|dice| DeliveryId::from_bits(dice.below(u64::MAX).into()))),
            11 => Test::Key(self.some(Self::pattern)),
            12 => Test::Type(self.some(Self::pattern)),
            13 => Test::Since(self.moment()),
            14 => Test::Until(self.moment()),
            15 => Test::Latency(self.some(|dice| {
                let duration = Duration::from_millis(dice.below(100_000));
                dice.bound(duration)
            })),
            16 => Test::Attempts(self.some(|dice| {
                let count = dice.below(50) as u32;
                dice.bound(count)
            })),
            _ => Test::Body {
                path: self.some(|dice| dice.pick(&["email", "0", "na_me", "é"]).to_owned()),
                values: self.some(Self::pattern),
            },
        }
    }
}

/// `SIGNALBOX_SEED` repeats a failed run.
fn seed() -> u64 {
    std::env::var("SIGNALBOX_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5160_a1b0)
}

#[test]
fn a_filter_survives_its_text() {
    let seed = seed();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    for _ in 0..5_000 {
        let terms = (0..dice.below(5)).map(|_| Term { negated: dice.below(2) == 0, test: dice.test() }).collect();
        let filter = Filter { terms };
        let text = filter.to_string();
        if text.len() <= TEXT_MAX {
            assert_eq!(Filter::parse(&text), Ok(filter), "seed {seed}: {text}");
        }
    }
}

#[test]
fn no_text_whatever_ends_in_anything_but_a_filter_or_an_error() {
    let seed = seed();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let scraps = [
        "state", ":", "dead", ",", "-", "\"", "\\", "*", " ", "é", "body.", "http", "5xx", "since", "2h", ">", "\u{0}",
    ];
    for _ in 0..20_000 {
        let text: String = (0..dice.below(12)).map(|_| dice.pick(&scraps)).collect();
        match Filter::parse(&text) {
            Ok(filter) => assert_eq!(Filter::parse(&filter.to_string()), Ok(filter), "seed {seed}: {text}"),
            Err(error) => assert!(error.at <= text.len() && !error.message.is_empty(), "seed {seed}: {text}"),
        }
    }
}

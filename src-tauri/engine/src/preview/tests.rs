use super::*;
use crate::{
    config,
    event_log::{EventLog, NewEvent},
    notification::Notification,
    policy::Outcome,
};

const FEEDS: &str = r#"
[[feed]]
id = "ops"
url = "https://example.org/ops"
  [[feed.rule]]
  event = "ping"
  action = "ignore"
  [[feed.rule]]
  when = "data.n % 10 == 0"
  notify.title = "{{ data.n }}"
  [[feed.rule]]
  when = "data.n % 10 == 1"
  notify.title = "{{ data | b64decode }}"
[[feed]]
id = "door"
url = "https://example.org/door"
"#;

fn feeds() -> Vec<Arc<Feed>> {
    config::parse(FEEDS).expect("feeds").feeds
}

fn trial(feeds: Vec<Arc<Feed>>, rules: Option<&str>) -> Trial {
    let rules = rules.map(|text| Arc::new(config::parse_rules(text).expect("rules")));
    Trial { feeds, rules, popups: 3 }
}

/// A log with a hundred events of one feed, ten of another, and one of a feed that is no more; every fifth of the first is a ping.
fn log() -> (tempfile::TempDir, EventLog) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = EventLog::open(&folder.path().join("events.db")).expect("a log");
    let mut batch = log.begin().expect("a batch");
    let mut append = |feed: &str, number: u32, event_type: &str, outcome| {
        let message = Message {
            event_type: event_type.to_owned(),
            data: format!("{{\"n\":{number}}}"),
            last_event_id: String::new(),
        };
        let event = NewEvent {
            message: &message,
            origin: "https://example.org",
            received_at: Timestamp::UNIX_EPOCH,
            outcome,
            reason: &OutcomeReason::new(OutcomeReason::DEFAULT),
            notification: &Notification::default(),
            urgent: false,
        };
        batch.append(&FeedId::new(feed).expect("an id"), &event, None).expect("appended");
    };
    for number in 1..=100 {
        let ping = number % 5 == 2;
        append(
            "ops",
            number,
            if ping { "ping" } else { "message" },
            if ping { Outcome::Ignored } else { Outcome::Logged },
        );
        if number % 10 == 0 {
            append("door", number, "message", Outcome::Shown);
        }
    }
    append("gone", 1, "message", Outcome::Shown);
    batch.commit().expect("committed");
    (folder, log)
}

fn lines(preview: &Preview) -> Vec<String> {
    let line = |Decided { action, reason, count }: &Decided| {
        format!("{action:?} {} {} {count}", reason.code, reason.rule.unwrap_or_default())
    };
    preview.decided.iter().map(line).collect()
}

fn titles(preview: &Preview) -> Vec<(Option<u64>, &str)> {
    preview.popups.iter().map(|popup| (popup.seq, &*popup.decision.notification.title)).collect()
}

#[test]
fn rules_are_tried_on_the_log() {
    let (_folder, log) = log();
    let reader = log.reader();
    let ops = || feeds().into_iter().take(1).collect::<Vec<_>>();
    let own = trial(ops(), None).on_log(&reader).expect("a preview");
    assert_eq!((own.evaluated, own.notified), (100, 20));
    assert_eq!(
        lines(&own),
        ["Log no_match 0 60", "Ignore rule 1 20", "Notify rule 2 10", "Notify rule_failed 3 10"]
    );
    assert_eq!(titles(&own), [(Some(109), "100"), (Some(100), "ops"), (Some(98), "90")]);
    let [(feed, failure)] = &own.failures[..] else { panic!("{own:?}") };
    assert_eq!((feed.as_str(), failure.rule, failure.seq, failure.count), ("ops", 3, 100, 10));
    assert!(failure.detail.starts_with("notify.title: b64decode: needs a text"), "{failure:?}");

    let draft = trial(ops(), Some("when = \"data.n > 98\"\nrun = [\"/nowhere\"]"))
        .on_log(&reader)
        .expect("a preview");
    assert_eq!((draft.evaluated, draft.notified, lines(&draft).len()), (100, 2, 2));
    assert_eq!(
        draft,
        trial(ops(), Some("when = \"data.n > 98\"\nrun = [\"/nowhere\"]")).on_log(&reader).expect("the same")
    );

    let all = trial(feeds(), None).on_log(&reader).expect("a preview");
    assert_eq!((all.evaluated, all.notified), (110, 30));
    let empty = trial(Vec::new(), None).on_log(&reader).expect("a preview");
    assert_eq!(empty, Preview::default());
}

#[test]
fn rules_are_tried_on_a_sample() {
    let ops = || feeds().into_iter().take(1).collect::<Vec<_>>();
    for (sample, event, expected) in [
        ("{\"n\":10}\n", "message", "Notify rule 2 1"),
        ("{\"n\":10}", "ping", "Ignore rule 1 1"),
        (
            "data: {\"n\":20}\n\nevent: ping\ndata: x\n\nevent: ping\ndata: y",
            "message",
            "Ignore rule 1 2; Notify rule 2 1",
        ),
        ("data: {\r\ndata: \"n\":30}\r\n\r\n", "message", "Notify rule 2 1"),
        (": only\nretry: 3\n", "message", ""),
        ("", "message", "Notify rule_failed 2 1"),
    ] {
        let preview = trial(ops(), None).on_sample(sample, event, Timestamp::UNIX_EPOCH);
        assert_eq!(lines(&preview).join("; "), expected, "{sample}");
        assert!(preview.popups.iter().all(|popup| popup.seq.is_none()));
    }
    let many = "data: x\n\n".repeat(MAX_SAMPLES + 1);
    let preview = trial(ops(), None).on_sample(&many, "message", Timestamp::UNIX_EPOCH);
    assert_eq!(preview.evaluated, MAX_SAMPLES as u64);
}

//! What rules cost, one event at a time and tried on the log.

use std::{sync::Arc, time::Instant};

use anyhow::Result;
use bellwether_engine::{
    config,
    event_log::{EventLog, NewEvent},
    event_source::Message,
    notification::Notification,
    policy::{Outcome, OutcomeReason},
    preview::{MAX_EVENTS, Trial},
    rule::{Action, FeedFacts, NotifyText, RuleSet, RuleText},
};
use jiff::Timestamp;

use crate::{
    figures::{Figures, Unit, median, micros, millis},
    process::own_cpu,
};

const RUNS: usize = 9;
const MESSAGES: u32 = 5_000;
/// More events than a preview looks at.
const LOGGED: u32 = 20_000;

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let condition = |number: u32| RuleText {
        when: Some(format!("data.priority > {number} and 'nowhere' in data.tags")),
        action: Action::Log,
        ..RuleText::default()
    };
    let name = |number: u32| RuleText {
        event: vec![format!("type-{number}-*"), format!("kind-{number}")],
        action: Action::Ignore,
        ..RuleText::default()
    };
    let popup = RuleText {
        when: Some("data.priority >= 3".to_owned()),
        notify: Some(NotifyText {
            title: Some("{{ data.title }} on {{ feed.name }}".to_owned()),
            body: Some("{{ data.message }}".to_owned()),
            ..NotifyText::default()
        }),
        ..RuleText::default()
    };
    let names: Vec<_> = (0..19).map(name).chain([popup.clone()]).collect();
    let mixed: Vec<_> = (0..19)
        .map(|number| if number % 4 == 0 { condition(number) } else { name(number) })
        .chain([popup.clone()])
        .collect();
    let conditions: Vec<_> = (0..19).map(condition).chain([popup]).collect();
    figures.note("no rules, the default popup", cost(&[])?, Unit::Micros);
    figures.note("20 rules, the last decides: 19 by event type", cost(&names)?, Unit::Micros);
    figures.at_most("20 rules, the last decides: 5 with a condition", cost(&mixed)?, Unit::Micros, 10.0);
    figures.note("20 rules, the last decides: all with a condition", cost(&conditions)?, Unit::Micros);
    figures.at_most("preview of 20 rules on 10,000 events", preview(&mixed)?, Unit::Millis, 200.0);
    figures.note("preview of 20 conditions on 10,000 events", preview(&conditions)?, Unit::Millis);
    Ok(())
}

/// Of a preview on the clock, the log's reading included.
fn preview(rules: &[RuleText]) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut log = EventLog::open(&folder.path().join("events.db"))?;
    let feeds = config::parse("[[feed]]\nid = \"ops\"\nurl = \"https://alerts.example.org/events\"\n")?.feeds;
    let mut batch = log.begin()?;
    for number in 0..LOGGED {
        let event = NewEvent {
            message: &message(number),
            origin: "https://alerts.example.org",
            received_at: Timestamp::now(),
            outcome: Outcome::Logged,
            reason: &OutcomeReason::new(OutcomeReason::NO_MATCH),
            notification: &Notification::default(),
            urgent: false,
        };
        for feed in &feeds {
            batch.append(&feed.id, &event, None)?;
        }
    }
    batch.commit()?;
    let trial = Trial { feeds, rules: Some(Arc::new(RuleSet::compile(rules)?)), popups: 5 };
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let preview = trial.on_log(&log.reader())?;
        runs.push(millis(start.elapsed()));
        anyhow::ensure!(preview.evaluated == MAX_EVENTS as u64, "not all events were looked at");
    }
    Ok(median(runs))
}

fn message(number: u32) -> Message {
    let data = r#"{"title":"disk almost full","message":"/var/lib is 93 % full, 12.4 GiB are left of 200","priority":4,
            "tags":["severity","storage","host7"],"click":"https://alerts.example.org/alerts/4711","host":"host7"}"#;
    Message { event_type: "alert".to_owned(), data: data.to_owned(), last_event_id: number.to_string() }
}

/// Of one decision.
fn cost(rules: &[RuleText]) -> Result<f64> {
    let rules = RuleSet::compile(rules)?;
    let feed = FeedFacts { id: "ops", name: "Operations", url: "https://alerts.example.org/events" };
    let now = Timestamp::now();
    let message = message(4711);
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let before = own_cpu();
        for _ in 0..MESSAGES {
            std::hint::black_box(rules.evaluate(&feed, std::hint::black_box(&message), now));
        }
        runs.push(micros(own_cpu() - before) / f64::from(MESSAGES));
    }
    Ok(median(runs))
}

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use bellwether_engine::event_log::{EventLog, LogError, NewEvent};
use bellwether_engine::event_source::Message;
use bellwether_engine::feed::FeedId;
use bellwether_engine::notification::Notification;
use bellwether_engine::policy::{Outcome, OutcomeReason};
use jiff::Timestamp;

/// The feeds of [`append_events`].
pub const LOG_FEEDS: [&str; 5] = ["ops", "mail", "build", "news", "rare"];

/// Appends events of these numbers, as many as `group` in one transaction, and hands their popups over; returns how long each of
/// the two took.
///
/// 1 in 1,000 is of a rare feed, 1 in 500 of a rare type, 2 in 5 are in the log only, 1 in 50 is ignored; a fifth is in Chinese.
/// The text of number 7 holds the word `number7`. They came one each second.
pub fn append_events(log: &mut EventLog, numbers: Range<u64>, group: u64) -> Result<[Duration; 2], LogError> {
    let feeds = LOG_FEEDS.map(|id| FeedId::new(id).expect("a feed id"));
    let mut spent = [Duration::ZERO; 2];
    let mut next = numbers.start;
    while next < numbers.end {
        let events: Vec<_> =
            (next..numbers.end.min(next + group)).map(|number| event(&feeds, number)).collect();
        next += group;
        let mut pending = Vec::new();
        let start = Instant::now();
        let mut batch = log.begin()?;
        for event in &events {
            let new = NewEvent {
                message: &event.message,
                origin: "https://alerts.example.org",
                received_at: event.at,
                outcome: event.outcome,
                reason: &event.reason,
                notification: &event.notification,
                urgent: false,
            };
            let seq = batch.append(event.feed, &new, None)?;
            pending.extend((event.outcome == Outcome::Pending).then_some(seq));
        }
        batch.commit()?;
        spent[0] += start.elapsed();
        let start = Instant::now();
        log.mark_handed_over(&pending, None)?;
        spent[1] += start.elapsed();
    }
    Ok(spent)
}

/// Makes an event log of so many events with as little text as there can be: all of feed `ops`, in the log only; `event 7` is the
/// title of number 7, and `磁盘 5` that of each fifth. The log itself writes the first, and SQLite the others after its example: a
/// million in some seconds, also where nothing is optimized.
pub fn make_large_log(path: &Path, count: u64) -> rusqlite::Result<()> {
    const TITLE: &str = "iif(x % 5 = 0, '磁盘 ', 'event ') || x";
    append_events(&mut EventLog::open(path).expect("a log"), 0..1, 1).expect("an event");
    let mut database = rusqlite::Connection::open(path)?;
    database.pragma_update(None, "synchronous", "off")?;
    let transaction = database.transaction()?;
    let columns: Vec<String> = transaction
        .prepare("SELECT name FROM pragma_table_info('event')")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let value = |column: &String| match column.as_str() {
        "seq" | "data" => "x".to_owned(),
        "received_at" | "clock" => format!("first.{column} + x * 1000"),
        "outcome" => "5".to_owned(),
        "title" => TITLE.to_owned(),
        "body" | "last_event_id" => "''".to_owned(),
        _ => format!("first.{column}"),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let numbers = format!(
        "WITH RECURSIVE numbers (x) AS (VALUES (2) UNION ALL SELECT x + 1 FROM numbers WHERE x < {count})"
    );
    transaction.execute_batch(&format!(
        "INSERT INTO event ({}) {numbers} SELECT {} FROM numbers, event AS first WHERE first.seq = 1;
         INSERT INTO search (rowid, title, body, data, facet)
            SELECT seq, replace(title, '磁盘', '磁 盘'), '', data, 'f' || feed || ' t' || type FROM event WHERE seq > 1;
         UPDATE feed SET events = {count} - 1",
        columns.join(", "),
        values.join(", "),
    ))?;
    transaction.commit()
}

/// When the event of this number came.
pub fn time_of_event(number: u64) -> Timestamp {
    let time = Timestamp::from_second(1_700_000_000 + number.cast_signed());
    time.expect("a time within the next thousand years")
}

struct Event<'a> {
    feed: &'a FeedId,
    message: Message,
    at: Timestamp,
    outcome: Outcome,
    reason: OutcomeReason,
    notification: Notification,
}

fn event(feeds: &[FeedId], number: u64) -> Event<'_> {
    let seldom = number % 500 == 3;
    let feed = if number % 1000 == 7 { &feeds[4] } else { &feeds[(number % 4) as usize] };
    let outcome = match number % 50 {
        0 => Outcome::Ignored,
        1..=20 => Outcome::Logged,
        _ => Outcome::Pending,
    };
    let title = if number % 5 == 2 { "服务器磁盘已满" } else { "disk almost full" };
    let body = format!("number{number} on host{} needs care", number % 97);
    let mut data = format!(r#"{{"title":"{title}","message":"{body}","priority":{},"#, number % 6);
    let level = if number % 1000 == 7 || seldom { "calm" } else { "severity" };
    let popup = if outcome == Outcome::Pending { "popup" } else { "quiet" };
    let _ = write!(data, r#""tags":["{level}","{popup}"],"click":"https://example.org/alerts/{number}"}}"#);
    Event {
        feed,
        message: Message {
            event_type: if seldom { "seldom" } else { "message" }.into(),
            data,
            last_event_id: number.to_string(),
        },
        at: time_of_event(number),
        outcome,
        reason: OutcomeReason { code: "rule".into(), rule: Some(1), detail: String::new() },
        notification: Notification { title: title.into(), body, ..Notification::default() },
    }
}

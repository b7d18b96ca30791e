//! The event log at its full size: writing, and every list and search.

use std::time::Instant;

use anyhow::{Context, Result};
use bellwether_engine::{
    event_log::{EventLog, LogError, LogReader, Query, ReadMark, Retention, SWEPT},
    feed::FeedId,
    policy::Outcome,
};
use bellwether_tests::{append_events, time_of_event};
use jiff::{Timestamp, tz::TimeZone};

use crate::figures::{Figures, Unit, millis, quantile};

/// Events in the full log.
pub(crate) const ROWS: u64 = 1_000_000;
/// Events whose rate is measured.
const SAMPLE: u64 = 100_000;
/// Events in one transaction, as the engine groups them.
const GROUP: u64 = 256;
/// Times each reading is repeated.
const READINGS: usize = 40;

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("events.db");
    let mut log = EventLog::open(&path)?;
    let [appended, shown] = append(&mut log, 0..SAMPLE)?;
    figures.at_least("append, fresh log", appended, Unit::PerSecond, 50_000.0);
    figures.note("hand over, fresh log", shown, Unit::PerSecond);
    append(&mut log, SAMPLE..ROWS)?;
    let [appended, shown] = append(&mut log, ROWS..ROWS + SAMPLE)?;
    figures.at_least("append, 1,000,000 rows", appended, Unit::PerSecond, 40_000.0);
    figures.note("hand over, 1,000,000 rows", shown, Unit::PerSecond);
    let mut singles = Vec::new();
    for number in 0..1000 {
        let start = Instant::now();
        append(&mut log, number..number + 1)?;
        singles.push(millis(start.elapsed()));
    }
    figures.at_most("append, one event alone, p95", quantile(&mut singles, 95), Unit::Millis, 1.0);

    let reader = log.reader();
    read(figures, &reader, "")?;
    let start = Instant::now();
    log.mark_read(&ReadMark::All, true)?;
    figures.note("mark all read", millis(start.elapsed()), Unit::Millis);
    let start = Instant::now();
    append(&mut log, 0..1)?;
    figures.note("append after it", millis(start.elapsed()), Unit::Millis);
    read(figures, &reader, " (all read)")?;
    leave(figures, &mut log)?;
    #[expect(clippy::cast_precision_loss, reason = "about a gigabyte")]
    figures.note("size of the log", std::fs::metadata(&path)?.len() as f64 / f64::from(1 << 20), Unit::MiB);
    figures.log = Some(folder);
    Ok(())
}

/// Events that go: what arrives waits for a group of them at the most.
fn leave(figures: &mut Figures, log: &mut EventLog) -> Result<()> {
    let now = time_of_event(ROWS);
    let seqs: Vec<u64> = (1000..2000).collect();
    let start = Instant::now();
    log.delete(&seqs, now)?;
    figures.note("delete 1,000 events", millis(start.elapsed()), Unit::Millis);
    let start = Instant::now();
    log.restore(&seqs, now)?;
    figures.note("restore them", millis(start.elapsed()), Unit::Millis);
    let retention = Retention { days: None, events: Some(u32::try_from(ROWS - 20_000)?) };
    let mut groups = Vec::new();
    for _ in 0..READINGS {
        let start = Instant::now();
        log.sweep(retention, now)?;
        groups.push(millis(start.elapsed()));
    }
    figures.note(&format!("sweep {SWEPT} events away, p95"), quantile(&mut groups, 95), Unit::Millis);
    Ok(())
}

/// Lists and searches, every filter with every other.
fn read(figures: &mut Figures, reader: &LogReader, state: &str) -> Result<()> {
    let any = Query { limit: 200, preview: Some(1024), ..Query::default() };
    let recent = time_of_event(ROWS - 10);
    lists(figures, reader, state, &any, recent)?;
    outcomes(figures, reader, state, &any, recent)?;
    places(figures, reader, state, &any)?;
    searches(figures, reader, state, &any, recent)
}

/// Lists by outcome and end of time, together with the other filters.
fn outcomes(
    figures: &mut Figures,
    reader: &LogReader,
    state: &str,
    any: &Query,
    recent: Timestamp,
) -> Result<()> {
    let (mut worst, mut worst_search) = (0.0_f64, 0.0_f64);
    for outcomes in [
        vec![Outcome::Shown],
        vec![Outcome::Pending],
        vec![Outcome::Ignored],
        vec![Outcome::Closed],
        vec![Outcome::Logged, Outcome::Shown],
        vec![Outcome::Held, Outcome::Summarized],
    ] {
        for feed in [None, Some("rare")] {
            for event in [None, Some("seldom")] {
                for unread in [false, true] {
                    for until in [None, Some(recent), Some(time_of_event(ROWS / 2))] {
                        let query = Query {
                            feed: feed.and_then(FeedId::new),
                            event: event.map(Into::into),
                            unread,
                            outcomes: Some(outcomes.clone()),
                            until,
                            ..any.clone()
                        };
                        worst = worst.max(p95_page(reader, &query)?);
                        let query = Query { search: Some("severity-".into()), ..query };
                        worst_search = worst_search.max(p95_page(reader, &query)?);
                    }
                }
            }
        }
    }
    figures.at_most(
        &format!("newest 200 by outcome, worst of 144 filters{state}"),
        worst,
        Unit::Millis,
        10.0,
    );
    let name = format!("search by outcome, worst of 144 filters{state}");
    figures.at_most(&name, worst_search, Unit::Millis, 100.0);
    Ok(())
}

/// Where the events of whole lists are.
fn places(figures: &mut Figures, reader: &LogReader, state: &str, any: &Query) -> Result<()> {
    let zone = TimeZone::get("Europe/Berlin")?;
    let index = |query: &Query| p95(|| reader.index(query, 200, &zone).map(drop));
    figures.at_most(&format!("index of all events{state}"), index(any)?, Unit::Millis, 150.0);
    for (name, query) in [
        ("a feed", Query { feed: FeedId::new("mail"), ..any.clone() }),
        ("unread", Query { unread: true, ..any.clone() }),
        ("held back", Query { held_back: true, ..any.clone() }),
        ("shown", Query { outcomes: Some(vec![Outcome::Shown]), ..any.clone() }),
        ("a common word", Query { search: Some("severity-".into()), ..any.clone() }),
        (
            "a word of one outcome",
            Query { search: Some("disk".into()), outcomes: Some(vec![Outcome::Logged]), ..any.clone() },
        ),
    ] {
        figures.note(&format!("index of {name}{state}"), index(&query)?, Unit::Millis);
    }
    figures.note(&format!("event types{state}"), p95(|| reader.types(None).map(drop))?, Unit::Millis);
    let feed = FeedId::new("mail").context("a feed id")?;
    let now = time_of_event(ROWS);
    let activity = p95(|| reader.activity(&feed, now).map(drop))?;
    figures.note(&format!("a feed's last day{state}"), activity, Unit::Millis);
    Ok(())
}

fn lists(
    figures: &mut Figures,
    reader: &LogReader,
    state: &str,
    any: &Query,
    recent: Timestamp,
) -> Result<()> {
    let mut worst = 0.0_f64;
    for feed in [None, Some("mail"), Some("rare")] {
        for event in [None, Some("message"), Some("seldom")] {
            for (unread, held_back) in [(false, false), (true, false), (false, true), (true, true)] {
                for since in [None, Some(recent), Some(Timestamp::UNIX_EPOCH)] {
                    let query = Query {
                        feed: feed.and_then(FeedId::new),
                        event: event.map(Into::into),
                        unread,
                        held_back,
                        since,
                        ..any.clone()
                    };
                    worst = worst.max(p95_page(reader, &query)?);
                }
            }
        }
    }
    figures.at_most(&format!("newest 200, worst of 108 filters{state}"), worst, Unit::Millis, 10.0);
    Ok(())
}

fn searches(
    figures: &mut Figures,
    reader: &LogReader,
    state: &str,
    any: &Query,
    recent: Timestamp,
) -> Result<()> {
    let search = |text: &str| Query { search: Some(text.into()), ..any.clone() };
    let word = 20.0;
    for (name, text) in [
        ("common word", "severity-"),
        ("rare word", "number777777-"),
        ("three words", "severity- disk number424242-"),
        ("1 Chinese character", "磁"),
        ("2 Chinese characters", "盘已"),
        ("5 Chinese characters", "服务器磁盘"),
        ("absent", "nowhere-"),
    ] {
        figures.at_most(
            &format!("search, {name}{state}"),
            p95_page(reader, &search(text))?,
            Unit::Millis,
            word,
        );
    }
    let wide = 100.0;
    figures.at_most(
        &format!("search, prefix{state}"),
        p95_page(reader, &search("number12"))?,
        Unit::Millis,
        wide,
    );
    let prefix = p95_page(reader, &search("sever"))?;
    figures.at_most(&format!("search, prefix of a common word{state}"), prefix, Unit::Millis, wide);
    figures.at_most(
        &format!("search, prefix of 97 words{state}"),
        p95_page(reader, &search("hos"))?,
        Unit::Millis,
        wide,
    );
    for (name, query) in [
        ("feed that lacks it", Query { feed: FeedId::new("rare"), ..search("severity-") }),
        ("type that lacks it", Query { event: Some("seldom".into()), ..search("severity-") }),
        ("feed", Query { feed: FeedId::new("mail"), ..search("disk") }),
        ("unread", Query { unread: true, ..search("severity-") }),
        ("unread that lacks it", Query { unread: true, ..search("quiet-") }),
        ("unread, rare word", Query { unread: true, ..search("number777777-") }),
        ("held back", Query { held_back: true, ..search("severity-") }),
        ("held back that lacks it", Query { held_back: true, ..search("popup-") }),
        ("held back, rare word", Query { held_back: true, ..search("number777777-") }),
        ("since", Query { since: Some(recent), ..search("severity-") }),
    ] {
        figures.at_most(&format!("search, {name}{state}"), p95_page(reader, &query)?, Unit::Millis, wide);
    }
    Ok(())
}

/// Of a page that is read again and again, in ms.
fn p95_page(reader: &LogReader, query: &Query) -> Result<f64> {
    p95(|| reader.page(query).map(drop))
}

/// Of a reading that is repeated, in ms.
fn p95(read: impl Fn() -> Result<(), LogError>) -> Result<f64> {
    let mut times = Vec::with_capacity(READINGS);
    for _ in 0..READINGS {
        let start = Instant::now();
        read()?;
        times.push(millis(start.elapsed()));
        // A second of one reading says enough.
        if times.iter().sum::<f64>() > 1000.0 {
            break;
        }
    }
    Ok(quantile(&mut times, 95))
}

/// Appends events in groups, each of which is then handed over; returns the rates of both, per second.
fn append(log: &mut EventLog, numbers: std::ops::Range<u64>) -> Result<[f64; 2]> {
    #[expect(clippy::cast_precision_loss, reason = "a million")]
    let count = (numbers.end - numbers.start) as f64;
    Ok(append_events(log, numbers, GROUP)?.map(|spent| count / spent.as_secs_f64()))
}

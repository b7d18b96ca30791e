//! How many events a feed had of late, step by step.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    LogError, LogReader,
    filter::{first_between, first_since},
};
use crate::feed::FeedId;

/// How many events a feed had in each of some steps of time, oldest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Activity {
    /// When the first step began.
    pub from: Timestamp,
    /// Events in each step, ignored ones left out.
    pub events: Vec<u32>,
}

/// How long a step is.
pub const ACTIVITY_STEP: Duration = Duration::from_secs(15 * 60);
/// The same in milliseconds.
const STEP: i64 = ACTIVITY_STEP.as_secs().cast_signed() * 1000;
/// A day of them.
const STEPS: i64 = 96;

impl LogReader {
    /// A feed's events of the last day by the quarter of an hour; the last one is not over.
    pub fn activity(&self, feed: &FeedId, now: Timestamp) -> Result<Activity, LogError> {
        self.read(|db| activity(db, feed, now))
    }
}

fn activity(db: &Connection, feed: &FeedId, now: Timestamp) -> rusqlite::Result<Activity> {
    const COUNT: &str = "SELECT count(*) FROM event INDEXED BY listed_feed
        WHERE feed = (SELECT key FROM feed WHERE id = ?1) AND outcome <> 6 AND seq >= ?2 AND seq < ?3";
    let from = (now.as_millisecond().div_euclid(STEP) - STEPS + 1) * STEP;
    let from_time = Timestamp::from_millisecond(from).unwrap_or(now);
    let mut count = db.prepare(COUNT)?;
    let end: i64 = db.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| row.get(0))?;
    let mut first = first_since(db, from_time)?;
    let mut events = Vec::new();
    for step in 1..=STEPS {
        // What the clock was ahead for counts as of now.
        let next =
            if step == STEPS { end + 1 } else { first_between(db, from + step * STEP, first, end + 1)? };
        let counted: i64 = count.query_row(params![feed.as_str(), first, next], |row| row.get(0))?;
        events.push(counted.try_into().unwrap_or(u32::MAX));
        first = next;
    }
    Ok(Activity { from: from_time, events })
}

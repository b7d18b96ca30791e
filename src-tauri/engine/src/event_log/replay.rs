//! The log read once more from its newest event on, as rules see it.

use std::ops::ControlFlow;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, types::Type};

use super::{
    LogError, LogReader,
    record::{foreign, time},
};
use crate::{event_source::Message, feed::FeedId};

/// What rules see of an event in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// Its number.
    pub seq: u64,
    /// Its feed.
    pub feed: FeedId,
    /// The message.
    pub message: Message,
    /// When it came.
    pub received_at: Timestamp,
    /// Whether it told how things stood as its connection began, and so was no news.
    pub snapshot: bool,
}

impl LogReader {
    /// Goes through the newest events of a feed, or of all, ignored ones included, newest first: at most so many, and no further
    /// once they have had `bytes` of data, or `visit` wants no more.
    pub fn replay(
        &self,
        feed: Option<&FeedId>,
        limit: usize,
        bytes: usize,
        visit: impl FnMut(Replayed) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        self.read(|db| replay(db, feed, limit, bytes, visit))
    }
}

fn replay(
    db: &Connection,
    feed: Option<&FeedId>,
    limit: usize,
    bytes: usize,
    mut visit: impl FnMut(Replayed) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let key = match feed {
        None => None,
        Some(feed) => {
            let find = "SELECT key FROM feed WHERE id = ?1";
            let Some(key) = db.query_row(find, [feed.as_str()], |row| row.get::<_, i64>(0)).optional()?
            else {
                return Ok(());
            };
            Some(key)
        }
    };
    // Ignored events have an index of their own.
    let newest = match key {
        None => "SELECT seq FROM event ORDER BY seq DESC LIMIT ?1",
        Some(_) => {
            "SELECT seq FROM (SELECT seq FROM event WHERE feed = ?2 AND outcome <> 6 ORDER BY seq DESC LIMIT ?1) \
             UNION ALL SELECT seq FROM (SELECT seq FROM event WHERE feed = ?2 AND outcome = 6 ORDER BY seq DESC LIMIT ?1) \
             ORDER BY seq DESC LIMIT ?1"
        }
    };
    let mut select = db.prepare(&format!(
        "SELECT e.seq, f.id, t.name, e.last_event_id, e.received_at, e.reason_code = 'snapshot', e.data FROM ({newest}) n \
         CROSS JOIN event e ON e.seq = n.seq CROSS JOIN feed f ON f.key = e.feed CROSS JOIN event_type t ON t.key = e.type"
    ))?;
    let mut rows = match key {
        None => select.query([limit])?,
        Some(key) => select.query([limit, key])?,
    };
    let mut read = 0;
    while let Some(row) = rows.next()? {
        let event = replayed(row)?;
        read += event.message.data.len();
        if visit(event).is_break() || read > bytes {
            break;
        }
    }
    Ok(())
}

fn replayed(row: &Row<'_>) -> rusqlite::Result<Replayed> {
    let feed: String = row.get(1)?;
    Ok(Replayed {
        seq: row.get::<_, i64>(0)?.unsigned_abs(),
        feed: FeedId::new(&feed).ok_or_else(|| foreign(1, Type::Text, "feed id"))?,
        message: Message { event_type: row.get(2)?, last_event_id: row.get(3)?, data: row.get(6)? },
        received_at: time(row, 4)?,
        snapshot: row.get(5)?,
    })
}

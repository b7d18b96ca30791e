//! What happened to the connections of feeds: one line for each outage's begin and end.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params, types::Type};

use super::{
    EventLog, LogError, LogReader, Query,
    record::{foreign, time},
    row_id,
};
use crate::feed::FeedId;

/// So many changes of each feed stay, the newest.
pub const CHANGES_OF_FEED: u32 = 1_000;
/// So many of all feeds.
pub const CHANGES: u32 = 20_000;

/// Most changes that are read at once.
const MOST: u32 = 1_000;

/// Something that happened to a feed's connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectionChange {
    /// Its number: grows with each change.
    pub number: u64,
    /// The feed.
    pub feed: FeedId,
    /// When, in milliseconds.
    pub at: Timestamp,
    /// The number of the newest event in the log then; 0 if there was none.
    pub after: u64,
    /// What happened.
    pub what: Happened,
}

/// What happened to a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happened {
    /// It broke off, or could not be made.
    Lost {
        /// Why: [`Reason::code`](crate::feed::Reason::code).
        code: String,
        /// Its particular: [`Reason::detail`](crate::feed::Reason::detail).
        detail: String,
    },
    /// It is there again.
    Back {
        /// How long it had been away.
        away: Duration,
    },
}

impl EventLog {
    /// Writes down what happened to a connection; the oldest over [`CHANGES_OF_FEED`] and [`CHANGES`] go. Returns its number.
    pub fn add_connection_change(
        &mut self,
        feed: &FeedId,
        at: Timestamp,
        after: u64,
        what: &Happened,
    ) -> Result<u64, LogError> {
        self.write(|db| add(db, feed, at, after, what))
    }

    /// Since when a feed's connection has been lost, as far as the log knows.
    pub fn lost_since(&self, feed: &FeedId) -> Result<Option<Timestamp>, LogError> {
        const LAST: &str = "SELECT kind, at FROM connection_change
            WHERE feed = (SELECT key FROM feed WHERE id = ?1) ORDER BY after DESC, number DESC LIMIT 1";
        let last = |row: &Row<'_>| Ok((row.get::<_, i64>(0)? == LOST).then_some(time(row, 1)?));
        let last = self.read(|db| db.prepare_cached(LAST)?.query_row([feed.as_str()], last).optional())?;
        Ok(last.flatten())
    }

    /// The number of the newest event that ever was in the log; 0 if there was none.
    pub fn newest(&self) -> Result<u64, LogError> {
        const NEWEST: &str = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
        let newest: Option<i64> =
            self.read(|db| db.prepare_cached(NEWEST)?.query_row([], |row| row.get(0)).optional())?;
        Ok(newest.unwrap_or_default().unsigned_abs())
    }
}

impl LogReader {
    /// What happened to connections between the events of a page, newest first: of the query's feed, or of all; `next_before` is
    /// the page's. Other conditions than feed and times do not count. At most 1,000, the newest.
    pub fn connections(
        &self,
        query: &Query,
        next_before: Option<u64>,
    ) -> Result<Vec<ConnectionChange>, LogError> {
        self.read(|db| {
            let range = Range {
                feed: query.feed.as_ref(),
                first: next_before.and_then(row_id).unwrap_or_default(),
                before: query.before.and_then(row_id).unwrap_or(i64::MAX),
                since: query.since,
                until: query.until,
            };
            range.read(db)
        })
    }

    /// What happened to a feed's connection since then, oldest first.
    pub fn connections_since(
        &self,
        feed: &FeedId,
        since: Timestamp,
    ) -> Result<Vec<ConnectionChange>, LogError> {
        let range = Range { feed: Some(feed), first: 0, before: i64::MAX, since: Some(since), until: None };
        let mut changes = self.read(|db| range.read(db))?;
        changes.reverse();
        Ok(changes)
    }
}

// As outcomes, these begin at 2.
const LOST: i64 = 2;
const BACK: i64 = 3;

fn add(db: &Connection, feed: &FeedId, at: Timestamp, after: u64, what: &Happened) -> rusqlite::Result<u64> {
    const FEED: &str = "INSERT INTO feed (id) VALUES (?1) ON CONFLICT DO UPDATE SET id = id RETURNING key";
    const ADD: &str =
        "INSERT INTO connection_change (feed, at, after, kind, reason_code, reason_detail, away)
        VALUES (:feed, :at, :after, :kind, :code, :detail, :away)";
    const OLD_OF_FEED: &str = "DELETE FROM connection_change WHERE feed = ?1 AND number <=
        (SELECT number FROM connection_change WHERE feed = ?1 ORDER BY after DESC, number DESC LIMIT 1 OFFSET ?2)";
    const OLD: &str = "DELETE FROM connection_change WHERE number <= ?1 - ?2";
    let feed: i64 = db.prepare_cached(FEED)?.query_row([feed.as_str()], |row| row.get(0))?;
    let (kind, reason, away) = match what {
        Happened::Lost { code, detail } => (LOST, Some((code, detail)), None),
        Happened::Back { away } => (BACK, None, Some(i64::try_from(away.as_millis()).unwrap_or(i64::MAX))),
    };
    let number = db.prepare_cached(ADD)?.insert(named_params! {
        ":feed": feed,
        ":at": at.as_millisecond(),
        ":after": row_id(after).unwrap_or(i64::MAX),
        ":kind": kind,
        ":code": reason.map(|(code, _)| code),
        ":detail": reason.map(|(_, detail)| detail),
        ":away": away,
    })?;
    db.prepare_cached(OLD_OF_FEED)?.execute(params![feed, CHANGES_OF_FEED])?;
    db.prepare_cached(OLD)?.execute(params![number, CHANGES])?;
    Ok(number.unsigned_abs())
}

/// Which changes are asked for.
struct Range<'a> {
    feed: Option<&'a FeedId>,
    first: i64,
    before: i64,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Range<'_> {
    /// Newest first.
    fn read(&self, db: &Connection) -> rusqlite::Result<Vec<ConnectionChange>> {
        // Either way the fifth parameter is there.
        let feed =
            self.feed.map_or(" AND ?5 IS NULL", |_| " AND c.feed = (SELECT key FROM feed WHERE id = ?5)");
        let select = format!(
            "SELECT c.number, f.id, c.at, c.after, c.kind, c.reason_code, c.reason_detail, c.away
             FROM connection_change c JOIN feed f ON f.key = c.feed
             WHERE c.after >= ?1 AND c.after < ?2 AND c.at >= ?3 AND c.at < ?4{feed}
             ORDER BY c.after DESC, c.number DESC LIMIT {MOST}"
        );
        let row = params![
            self.first,
            self.before,
            self.since.map_or(i64::MIN, Timestamp::as_millisecond),
            self.until.map_or(i64::MAX, Timestamp::as_millisecond),
            self.feed.map(FeedId::as_str),
        ];
        db.prepare(&select)?.query_map(row, from_row)?.collect()
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ConnectionChange> {
    let feed: String = row.get(1)?;
    let text = |column| row.get::<_, Option<String>>(column).map(Option::unwrap_or_default);
    let what = match row.get::<_, i64>(4)? {
        LOST => Happened::Lost { code: text(5)?, detail: text(6)? },
        BACK => {
            let away = row.get::<_, Option<i64>>(7)?.unwrap_or_default();
            Happened::Back { away: Duration::from_millis(away.unsigned_abs()) }
        }
        _ => return Err(foreign(4, Type::Integer, "change of a connection")),
    };
    Ok(ConnectionChange {
        number: row.get::<_, i64>(0)?.unsigned_abs(),
        feed: FeedId::new(&feed).ok_or_else(|| foreign(1, Type::Text, "feed id"))?,
        at: time(row, 2)?,
        after: row.get::<_, i64>(3)?.unsigned_abs(),
        what,
    })
}

//! The event log: every event with its outcome, and each feed's last event ID, in one SQLite file.
//!
//! There is one writer, [`EventLog`], which the engine owns. A [`Batch`] is one transaction: an event, its feed's last event ID,
//! what else the feed resumes by, and the feed's counts are in the log together or not at all, however the program ends. (After a loss of power the newest
//! batches may be missing, as a whole; a server that replays sends them again.) Whoever only reads uses a [`LogReader`], on
//! any thread.
//!
//! Limits: of the events that a rule ignores, the newest [`IGNORED_KEPT`] of each feed stay; of each event's data, the first
//! 64 KiB are searched.

mod activity;
mod batch;
mod connections;
mod deletion;
mod error;
mod filter;
mod handover;
mod index;
mod marks;
mod open;
mod portable;
mod reader;
mod record;
mod replay;
mod retention;
mod schema;
mod search;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use self::deletion::Trash;
pub use self::{
    activity::{ACTIVITY_STEP, Activity},
    batch::{Batch, IGNORED_KEPT, Importing},
    connections::{CHANGES, CHANGES_OF_FEED, ConnectionChange, Happened},
    deletion::SWEPT,
    error::LogError,
    handover::{Pending, SetAside},
    index::{Index, MAX_TYPES},
    portable::{PIECE, PortableEvent, PortableFeed, PortableReason},
    reader::{LogReader, MAX_PAGE, Page, Query},
    record::{NewEvent, Record},
    replay::Replayed,
    retention::{LogSize, Retention},
};
use crate::{feed::FeedId, resume::Resume};

/// The log's writer.
#[derive(Debug)]
pub struct EventLog {
    connection: Connection,
    path: PathBuf,
    trash: Trash,
}

/// What is in the log of one feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Events, ignored ones left out.
    pub events: u64,
    /// Of these, the ones that a popup told or will tell of and nobody has read.
    pub unread: u64,
    /// Messages held back as repeats, ever.
    pub repeats: u64,
    /// Messages that a rule ignored, ever.
    pub ignored: u64,
    /// When the newest event came, an ignored one too.
    pub last_event_at: Option<Timestamp>,
}

/// Which events a person has read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadMark {
    /// These; numbers that are not in the log are passed over.
    Events(Vec<u64>),
    /// All of this feed.
    Feed(FeedId),
    /// All that this popup told of together, see [`Record::summary`].
    Summary(u64),
    /// All.
    All,
}

impl EventLog {
    /// Opens the log at `path`, or makes it, readable for its owner alone; its folder must be there. A file that is not an
    /// event log, is damaged or of a newer version is [`LogError::Broken`] and stays as it is.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        Ok(Self { connection: open::for_writing(path)?, path: path.to_owned(), trash: Trash::default() })
    }

    /// Begins a transaction. Up to 256 events in one are worth it; more gain little and hold memory.
    pub fn begin(&mut self) -> Result<Batch<'_>, LogError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = transaction.map_err(|error| LogError::of(&self.path, error))?;
        Ok(Batch::new(transaction, &self.path, self.trash.clock))
    }

    /// The feed's last event ID (WHATWG HTML 9.2.3): empty if there is none.
    pub fn last_event_id(&self, feed: &FeedId) -> Result<String, LogError> {
        let id = self.read(|connection| {
            connection
                .prepare_cached("SELECT last_event_id FROM feed WHERE id = ?1")?
                .query_row([feed.as_str()], |row| row.get(0))
                .optional()
        });
        Ok(id?.unwrap_or_default())
    }

    /// The value that the feed resumes by where [`Resume`] takes it from the data: empty if there is none.
    pub fn resume_value(&self, feed: &FeedId) -> Result<String, LogError> {
        let value = self.read(|connection| {
            connection
                .prepare_cached("SELECT resume_value FROM feed WHERE id = ?1")?
                .query_row([feed.as_str()], |row| row.get(0))
                .optional()
        });
        Ok(value?.unwrap_or_default())
    }

    /// Tells which URL each of these feeds has now, and how it resumes, all in one transaction. If one had another URL when last
    /// told, in this run or an earlier one, its last event ID and the value that it resumes by belonged to that one and are
    /// forgotten; if it resumed in another way, that value is.
    pub fn set_streams<'a>(
        &mut self,
        feeds: impl IntoIterator<Item = (&'a FeedId, &'a str, &'a Resume)>,
    ) -> Result<(), LogError> {
        const SET: &str = "INSERT INTO feed (id, url_hash, resume_hash) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET
            last_event_id = iif(url_hash IS NULL OR url_hash = excluded.url_hash, last_event_id, ''),
            resume_value = iif(url_hash = excluded.url_hash AND resume_hash = excluded.resume_hash, resume_value, ''),
            url_hash = excluded.url_hash, resume_hash = excluded.resume_hash";
        self.write(|connection| {
            let mut set = connection.prepare_cached(SET)?;
            feeds.into_iter().try_for_each(|(feed, url, resume)| {
                set.execute(params![feed.as_str(), text_hash(url), text_hash(&resume.to_string())]).map(drop)
            })
        })
    }

    /// What is in the log of `feed`; zeros for a feed that never had an event.
    pub fn counts(&self, feed: &FeedId) -> Result<Counts, LogError> {
        const COUNTS: &str = "SELECT events, unread, repeats, ignored, last_event_at FROM feed WHERE id = ?1";
        let counts = self.read(|connection| {
            connection
                .prepare_cached(COUNTS)?
                .query_row([feed.as_str()], |row| {
                    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                    let at: Option<i64> = row.get(4)?;
                    Ok(Counts {
                        events: count(0)?,
                        unread: count(1)?,
                        repeats: count(2)?,
                        ignored: count(3)?,
                        last_event_at: at.map(|_| record::time(row, 4)).transpose()?,
                    })
                })
                .optional()
        });
        Ok(counts?.unwrap_or_default())
    }

    /// The events whose popups wait to be handed over, the oldest `limit` of them, oldest first.
    pub fn pending(&self, limit: usize) -> Result<Vec<Pending>, LogError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| handover::pending(connection, limit))
    }

    /// Events by their numbers, in this order, without their data: a popup needs none. Numbers that are not in the log are passed
    /// over.
    pub fn popups(&self, seqs: &[u64]) -> Result<Vec<Record>, LogError> {
        self.read(|connection| handover::records(connection, seqs))
    }

    /// Writes down that the popup of pending events is with the notification server; `summary`: one popup tells of them together, of
    /// this number. Events that are not pending are passed over.
    pub fn mark_handed_over(&mut self, seqs: &[u64], summary: Option<u64>) -> Result<(), LogError> {
        self.write(|connection| handover::mark(connection, seqs, summary))
    }

    /// Writes down that a person had an event's popup shown, whatever had kept it away: it is shown from now on. Returns whether that
    /// changed its outcome.
    pub fn mark_shown(&mut self, seq: u64) -> Result<bool, LogError> {
        self.write(|connection| handover::mark_shown(connection, seq))
    }

    /// Takes events from those that are pending; others are passed over.
    pub fn set_aside(&mut self, events: &[SetAside]) -> Result<(), LogError> {
        self.write(|connection| handover::set_aside(connection, events))
    }

    /// How many events of each feed are held back.
    pub fn held(&self) -> Result<Vec<(FeedId, u64)>, LogError> {
        self.read(handover::held)
    }

    /// What is held back of these feeds becomes pending; what a person has read meanwhile stays in the log.
    pub fn release(&mut self, feeds: &[FeedId]) -> Result<(), LogError> {
        self.write(|connection| handover::release(connection, feeds))
    }

    /// Marks events as read, or as unread again where a popup told or will tell of them. Returns the feeds whose count of
    /// unread events changed.
    pub fn mark_read(&mut self, which: &ReadMark, read: bool) -> Result<Vec<FeedId>, LogError> {
        self.write(|connection| marks::set_read(connection, which, read))
    }

    /// A value kept by [`EventLog::set_setting`].
    pub fn setting(&self, key: &str) -> Result<Option<String>, LogError> {
        self.read(|connection| {
            let mut get = connection.prepare_cached("SELECT value FROM setting WHERE key = ?1")?;
            get.query_row([key], |row| row.get(0)).optional()
        })
    }

    /// Keeps a small value of the program's own.
    pub fn set_setting(&mut self, key: &str, value: &str) -> Result<(), LogError> {
        self.write(|connection| {
            connection
                .execute("INSERT OR REPLACE INTO setting (key, value) VALUES (?1, ?2)", [key, value])
                .map(drop)
        })
    }

    /// Gives back the memory that a burst left in SQLite's caches; takes less than a millisecond.
    pub fn release_memory(&self) -> Result<(), LogError> {
        self.connection.flush_prepared_statement_cache();
        self.read(|connection| connection.execute_batch("PRAGMA shrink_memory"))
    }

    /// A reader of this log, for any thread.
    pub fn reader(&self) -> LogReader {
        LogReader::new(&self.path)
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LogError> {
        read(&self.connection).map_err(|error| LogError::of(&self.path, error))
    }

    /// Runs `write` in a transaction.
    fn write<T>(&mut self, write: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LogError> {
        let run = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = write(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run().map_err(|error| LogError::of(&self.path, error))
    }
}

/// A hash of a text that stays the same over versions of program and compiler.
pub(crate) fn text_hash(text: &str) -> i64 {
    batch::fnv1a(text.bytes())
}

/// An event's number as SQLite counts rows; `None`: no event has it.
fn row_id(seq: u64) -> Option<i64> {
    i64::try_from(seq).ok()
}

//! Reading the log: lists, filters, search.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{LogError, Record, filter, open, row_id};
use crate::{feed::FeedId, policy::Outcome};

/// Most events on one page.
pub const MAX_PAGE: u32 = 1000;

/// Most that one page holds of what feeds sent, in bytes, unless a single event has more: a thousand events may be a gigabyte.
const MAX_PAGE_BYTES: usize = 8 << 20;

/// Reads the log on any thread. Holds nothing open: each call opens the file anew, which takes well under a millisecond, so
/// that no cache stays behind.
#[derive(Clone, Debug)]
pub struct LogReader {
    pub(super) path: PathBuf,
}

/// Which events are asked for; all conditions hold together. Ignored events are found with [`Query::held_back`] or
/// [`Query::outcomes`] only.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Query {
    /// Of this feed.
    pub feed: Option<FeedId>,
    /// Of this event type.
    pub event: Option<String>,
    /// With all these words in title, body or data, the last one as a prefix; each run of CJK characters as it stands.
    /// Text without any word finds nothing, blank text is no condition.
    pub search: Option<String>,
    /// Told by a popup, now or soon, and not yet read.
    pub unread: bool,
    /// Not told by a popup so far: logged, ignored, pending, held back.
    pub held_back: bool,
    /// Told by this popup together with others, see [`Record::summary`].
    pub summary: Option<u64>,
    /// With one of these outcomes; ignored events are then found with [`Outcome::Ignored`] alone.
    pub outcomes: Option<Vec<Outcome>>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Older than this.
    pub until: Option<Timestamp>,
    /// Of smaller number than this: the next page.
    pub before: Option<u64>,
    /// At most this many, 1 to [`MAX_PAGE`]; fewer where they are large, and then there is a next page.
    pub limit: u32,
    /// Cut data short that is longer than this many bytes.
    pub preview: Option<usize>,
}

/// A page of events, newest first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Page {
    /// The events.
    pub records: Vec<Record>,
    /// The [`Query::before`] of the next page; `None`: this was the last one.
    pub next_before: Option<u64>,
}

impl LogReader {
    /// A reader of the log at `path`.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The newest events that `query` asks for.
    pub fn page(&self, query: &Query) -> Result<Page, LogError> {
        self.read(|db| page(db, query))
    }

    /// One event with all its data; `None` if the log has none of this number.
    pub fn get(&self, seq: u64) -> Result<Option<Record>, LogError> {
        let select =
            format!("SELECT {}, e.data FROM event e {} WHERE e.seq = ?1", Record::COLUMNS, Record::JOINS);
        let Some(seq) = row_id(seq) else { return Ok(None) };
        self.read(|db| db.query_row(&select, [seq], Record::from_row).optional())
    }

    /// Runs `read` on one state of the log.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LogError> {
        let mut connection = open::for_reading(&self.path)?;
        let read = || read(&*connection.transaction()?);
        read().map_err(|error| LogError::of(&self.path, error))
    }
}

fn page(db: &Connection, query: &Query) -> rusqlite::Result<Page> {
    let Some(filter) = filter::resolve(db, query)? else { return Ok(Page::default()) };
    let limit = query.limit.clamp(1, MAX_PAGE) as usize;
    let preview = query.preview.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    let select = format!(
        "SELECT {}, CASE WHEN ?1 IS NULL OR octet_length(e.data) <= ?1 THEN e.data END {}",
        Record::COLUMNS,
        filter::from_where(&filter, limit + 1)
    );
    let mut select = db.prepare(&select)?;
    let rows = match &filter.words {
        Some(words) => select.query_map(params![preview, words], Record::from_row)?,
        None => select.query_map([preview], Record::from_row)?,
    };
    let mut records: Vec<Record> = Vec::new();
    let (mut bytes, mut more) = (0, false);
    // They come newest first: in the order of the numbers' list, which is the outer loop.
    for record in rows {
        let record = record?;
        bytes += size(&record);
        more = records.len() == limit || (bytes > MAX_PAGE_BYTES && !records.is_empty());
        if more {
            break;
        }
        records.push(record);
    }
    for record in records.iter_mut().filter(|record| record.data_truncated) {
        record.message.data = beginning(db, record.seq, query.preview.unwrap_or_default())?;
    }
    let next_before = records.last().filter(|_| more).map(|record| record.seq);
    Ok(Page { records, next_before })
}

fn size(record: &Record) -> usize {
    let Record { message, notification, .. } = record;
    message.data.len() + message.event_type.len() + message.last_event_id.len() + notification.body.len()
}

/// The first `bytes` of an event's data, or up to three less, without reading the rest.
fn beginning(db: &Connection, seq: u64, bytes: usize) -> rusqlite::Result<String> {
    let data = db.blob_open("main", "event", "data", row_id(seq).unwrap_or_default(), true)?;
    let mut text = Vec::with_capacity(bytes);
    let read = data.take(bytes as u64).read_to_end(&mut text);
    read.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let whole = text.utf8_chunks().next().map(|chunk| chunk.valid().len()).unwrap_or_default();
    text.truncate(whole);
    Ok(String::from_utf8(text).unwrap_or_default())
}

//! Reading the log: lists, filters, search.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{LogError, Record, open, row_id, search};
use crate::feed::FeedId;

/// Most events on one page.
pub const MAX_PAGE: u32 = 1000;

/// Reads the log on any thread. Holds nothing open: each call opens the file anew, which takes well under a millisecond, so
/// that no cache stays behind.
#[derive(Clone, Debug)]
pub struct LogReader {
    path: PathBuf,
}

/// Which events are asked for; all conditions hold together. Ignored events are found with [`Query::held_back`] only.
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
    /// Not told by a popup so far: logged, ignored, pending.
    pub held_back: bool,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Of smaller number than this: the next page.
    pub before: Option<u64>,
    /// At most this many, 1 to [`MAX_PAGE`].
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
    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LogError> {
        let mut connection = open::for_reading(&self.path)?;
        let read = || read(&*connection.transaction()?);
        read().map_err(|error| LogError::of(&self.path, error))
    }
}

/// A query with its names resolved to keys: no text but the search's goes into SQL.
struct Filter {
    feed: Option<i64>,
    kind: Option<i64>,
    words: Option<String>,
    unread: bool,
    held_back: bool,
    since: Option<i64>,
    /// Numbers from here …
    first: i64,
    /// … to below here.
    before: i64,
}

fn page(db: &Connection, query: &Query) -> rusqlite::Result<Page> {
    let Some(filter) = resolve(db, query)? else { return Ok(Page::default()) };
    let limit = query.limit.clamp(1, MAX_PAGE) as usize;
    let preview = query.preview.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    let select = format!(
        "SELECT {}, CASE WHEN ?1 IS NULL OR octet_length(e.data) <= ?1 THEN e.data END {} LIMIT {}",
        Record::COLUMNS,
        from_where_order(&filter),
        limit + 1
    );
    let mut select = db.prepare(&select)?;
    let rows = match &filter.words {
        Some(words) => select.query_map(params![preview, words], Record::from_row)?,
        None => select.query_map(params![preview], Record::from_row)?,
    };
    let mut records: Vec<Record> = rows.collect::<rusqlite::Result<_>>()?;
    let more = records.len() > limit;
    records.truncate(limit);
    for record in records.iter_mut().filter(|record| record.data_truncated) {
        record.message.data = beginning(db, record.seq, query.preview.unwrap_or_default())?;
    }
    let next_before = records.last().filter(|_| more).map(|record| record.seq);
    Ok(Page { records, next_before })
}

/// `None`: the log cannot have such an event.
fn resolve(db: &Connection, query: &Query) -> rusqlite::Result<Option<Filter>> {
    let key = |table: &str, name: Option<&str>| match name {
        None => Ok(Some(None)),
        Some(name) => db.query_row(table, [name], |row| row.get(0).map(Some)).optional(),
    };
    let feed = key("SELECT key FROM feed WHERE id = ?1", query.feed.as_ref().map(FeedId::as_str))?;
    let kind = key("SELECT key FROM event_type WHERE name = ?1", query.event.as_deref())?;
    let (Some(feed), Some(kind)) = (feed, kind) else { return Ok(None) };
    let text = query.search.as_deref().filter(|text| !text.trim().is_empty());
    let words = text.map(|text| search::query(text, feed, kind));
    if words == Some(None) {
        return Ok(None);
    }
    let since = query.since.map(Timestamp::as_millisecond);
    Ok(Some(Filter {
        feed,
        kind,
        words: words.flatten(),
        unread: query.unread,
        held_back: query.held_back,
        since,
        first: since.map_or(Ok(0), |since| first_since(db, since))?,
        before: query.before.and_then(row_id).unwrap_or(i64::MAX),
    }))
}

/// The smallest number that an event received at `since` or later can have: halves its way along the log's clock.
fn first_since(db: &Connection, since: i64) -> rusqlite::Result<i64> {
    let mut clock = db.prepare("SELECT clock FROM event WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1")?;
    let newest: i64 = db.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| row.get(0))?;
    let (mut low, mut high) = (0_i64, newest + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let at: Option<i64> = clock.query_row([middle], |row| row.get(0)).optional()?;
        if at.is_some_and(|at| at >= since) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// The part of a page's query after its columns. Each filter names the index that has its events in the list's order: the
/// planner, which has no statistics, would choose by guess.
fn from_where_order(filter: &Filter) -> String {
    let by = |prefix: &str| match (filter.feed, filter.kind) {
        (None, None) => prefix.to_owned(),
        (Some(_), None) => format!("{prefix}_feed"),
        (None, Some(_)) => format!("{prefix}_type"),
        (Some(_), Some(_)) => format!("{prefix}_feed_type"),
    };
    let anything = filter.feed.is_none() && filter.kind.is_none();
    let event = "CROSS JOIN event e ON e.seq =";
    let (from, of, seq) = if filter.words.is_some() {
        (format!("search {event} search.rowid"), "e", "search.rowid")
    } else if filter.unread && filter.held_back {
        ("event e INDEXED BY pending".to_owned(), "e", "e.seq")
    } else if filter.unread && anything {
        (format!("unread q NOT INDEXED {event} q.seq"), "q", "q.seq")
    } else if filter.unread {
        (format!("unread q INDEXED BY {} {event} q.seq", by("unread")), "q", "q.seq")
    } else if filter.held_back {
        (format!("event e INDEXED BY {}", by("held")), "e", "e.seq")
    } else if anything {
        ("event e NOT INDEXED".to_owned(), "e", "e.seq")
    } else {
        (format!("event e INDEXED BY {}", by("listed")), "e", "e.seq")
    };
    let mut conditions = vec![format!("{seq} >= {} AND {seq} < {}", filter.first, filter.before)];
    if filter.words.is_some() {
        conditions.push("search MATCH ?2".to_owned());
    }
    // The index of words has feed and type, too.
    if filter.words.is_none() {
        conditions.extend(filter.feed.map(|feed| format!("{of}.feed = {feed}")));
        conditions.extend(filter.kind.map(|kind| format!("{of}.type = {kind}")));
    }
    conditions.push(match (filter.unread, filter.held_back) {
        (true, true) => "e.outcome = 3".to_owned(),
        (_, true) => "e.outcome IN (3, 5, 6)".to_owned(),
        (_, false) => "e.outcome <> 6".to_owned(),
    });
    if filter.unread && of == "e" {
        conditions.push("EXISTS (SELECT 1 FROM unread q WHERE q.seq = e.seq)".to_owned());
    }
    conditions.extend(filter.since.map(|since| format!("e.received_at >= {since}")));
    format!("FROM {from} {} WHERE {} ORDER BY {seq} DESC", Record::JOINS, conditions.join(" AND "))
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

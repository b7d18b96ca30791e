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

/// Most that one page holds of what feeds sent, in bytes, unless a single event has more: a thousand events may be a gigabyte.
const MAX_PAGE_BYTES: usize = 8 << 20;

/// Reads the log on any thread. Holds nothing open: each call opens the file anew, which takes well under a millisecond, so
/// that no cache stays behind.
#[derive(Clone, Debug)]
pub struct LogReader {
    pub(super) path: PathBuf,
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
    /// Not told by a popup so far: logged, ignored, pending, held back.
    pub held_back: bool,
    /// Told by this popup together with others, see [`Record::summary`].
    pub summary: Option<u64>,
    /// Not older than this.
    pub since: Option<Timestamp>,
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

/// A query with its names resolved to keys: no text of anybody's goes into SQL.
struct Filter {
    feed: Option<i64>,
    kind: Option<i64>,
    words: Option<String>,
    unread: bool,
    held_back: bool,
    summary: Option<i64>,
    /// Unread events in the whole log.
    all_unread: i64,
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
        "SELECT {}, CASE WHEN ?1 IS NULL OR octet_length(e.data) <= ?1 THEN e.data END {}",
        Record::COLUMNS,
        from_where(&filter, limit + 1)
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
    let words = text.map(search::query);
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
        summary: query.summary.map(|summary| row_id(summary).unwrap_or_default()),
        all_unread: db.query_row("SELECT coalesce(sum(unread), 0) FROM feed", [], |row| row.get(0))?,
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

/// The part of a page's query after its columns: finds the numbers first, then fetches these events alone.
fn from_where(filter: &Filter, limit: usize) -> String {
    let lists = match (filter.words.is_some(), filter.unread, filter.held_back) {
        _ if filter.summary.is_some() => vec![of_summary(filter)],
        (false, false, false) => vec![listed(filter)],
        (false, true, false) => vec![unread(filter)],
        (false, false, true) => vec![held(filter), unshown(filter, PENDING), unshown(filter, WAITING)],
        (true, false, false) => vec![found(filter, "e.outcome <> 6", None)],
        (true, true, false) => vec![found_unread(filter)],
        (true, false, true) => {
            let logged = found(filter, "e.outcome IN (5, 6)", None);
            vec![logged, unshown(filter, PENDING), unshown(filter, WAITING)]
        }
        (_, true, true) => [PENDING, WAITING].map(|which| unshown(filter, which) + UNREAD).into(),
    };
    format!(
        "FROM ({} ORDER BY seq DESC LIMIT {limit}) k CROSS JOIN event e ON e.seq = k.seq {}",
        lists.join(" UNION ALL "),
        Record::JOINS
    )
}

// Each list names the index that has its events in their order, and the tables in the order to walk them: the planner, which
// has no statistics, would choose by guess.

fn listed(filter: &Filter) -> String {
    let index = match (filter.feed, filter.kind) {
        (None, None) => "NOT INDEXED",
        (Some(_), None) => "INDEXED BY listed_feed",
        (None, Some(_)) => "INDEXED BY listed_type",
        (Some(_), Some(_)) => "INDEXED BY listed_feed_type",
    };
    let conditions = filter.conditions("e", "e.seq");
    format!("SELECT e.seq AS seq FROM event e {index} WHERE e.outcome <> 6{conditions}")
}

fn held(filter: &Filter) -> String {
    let index = if filter.feed.is_some() { "held_feed" } else { "held" };
    let conditions = filter.conditions("e", "e.seq");
    format!("SELECT e.seq AS seq FROM event e INDEXED BY {index} WHERE e.outcome IN (5, 6){conditions}")
}

fn unread(filter: &Filter) -> String {
    let index = match (filter.feed, filter.kind) {
        (None, None) => "NOT INDEXED",
        (Some(_), _) => "INDEXED BY unread_feed",
        (None, Some(_)) => "INDEXED BY unread_type",
    };
    let conditions = filter.conditions("q", "q.seq");
    // Only a time asks for the event itself.
    let event = if filter.since.is_some() { "CROSS JOIN event e ON e.seq = q.seq" } else { "" };
    format!("SELECT q.seq AS seq FROM unread q {index} {event} WHERE TRUE{conditions}")
}

/// The index and the outcome of events whose popups wait to be handed over.
const PENDING: (&str, u8) = ("pending", 3);
/// The same of events that are told later.
const WAITING: (&str, u8) = ("waiting", 8);

/// Of the events as `e`.
const UNREAD: &str = " AND EXISTS (SELECT 1 FROM unread q WHERE q.seq = e.seq)";

/// Few events wait at any time, so each is looked up among the words.
fn unshown(filter: &Filter, (index, outcome): (&str, u8)) -> String {
    let conditions = filter.conditions("e", "e.seq");
    let words = filter.with_words();
    format!(
        "SELECT e.seq AS seq FROM event e INDEXED BY {index} WHERE e.outcome = {outcome}{conditions}{words}"
    )
}

/// So are those that one popup told of.
fn of_summary(filter: &Filter) -> String {
    let summary = filter.summary.unwrap_or_default();
    let outcome = if filter.held_back { " AND e.outcome IN (3, 5, 6, 8)" } else { "" };
    let unread = if filter.unread { UNREAD } else { "" };
    format!(
        "SELECT s.seq AS seq FROM summarized s INDEXED BY summarized_summary CROSS JOIN event e ON e.seq = s.seq
         WHERE s.summary = {summary}{}{}{outcome}{unread}",
        filter.conditions("e", "s.seq"),
        filter.with_words()
    )
}

/// The index of words has feed, type and more, so that it finds the events alone.
fn found(filter: &Filter, outcome: &str, facet: Option<&str>) -> String {
    format!(
        "SELECT search.rowid AS seq FROM search CROSS JOIN event e ON e.seq = search.rowid
         WHERE search MATCH {} AND {outcome}{}",
        filter.matching(facet),
        filter.conditions("e", "search.rowid")
    )
}

/// Walks the shorter one: all that have the words, or, if there are but few, all that are unread.
fn found_unread(filter: &Filter) -> String {
    const FEW: i64 = 2000;
    let (from, seq) = match filter.all_unread {
        0..=FEW => ("unread q CROSS JOIN search ON search.rowid = q.seq", "q.seq"),
        _ => ("search CROSS JOIN unread q ON q.seq = search.rowid", "search.rowid"),
    };
    let event = if filter.since.is_some() { "CROSS JOIN event e ON e.seq = q.seq" } else { "" };
    format!(
        "SELECT {seq} AS seq FROM {from} {event} WHERE search MATCH {}{}",
        filter.matching(Some(search::TOLD)),
        filter.conditions("q", seq)
    )
}

impl Filter {
    /// The words, bound as the second parameter, together with feed, type and `facet`.
    fn matching(&self, facet: Option<&str>) -> String {
        let feed = self.feed.map(|feed| format!("f{feed}"));
        let kind = self.kind.map(|kind| format!("t{kind}"));
        let facets = [feed.as_deref(), kind.as_deref(), facet].into_iter().flatten();
        let facets: String = facets.map(|facet| format!(" AND facet : {facet}")).collect();
        format!("(?2 || '{facets}')")
    }

    /// That the event `e` has the words, after an AND.
    fn with_words(&self) -> String {
        let words = self.words.as_ref().map(|_| {
            let words = self.matching(None);
            format!(" AND EXISTS (SELECT 1 FROM search WHERE search MATCH {words} AND search.rowid = e.seq)")
        });
        words.unwrap_or_default()
    }

    /// All conditions on the rows of `table`, whose number is `seq`, each after an AND.
    fn conditions(&self, table: &str, seq: &str) -> String {
        let mut all = format!(" AND {seq} >= {} AND {seq} < {}", self.first, self.before);
        for (column, key) in [("feed", self.feed), ("type", self.kind)] {
            if let Some(key) = key {
                all += &format!(" AND {table}.{column} = {key}");
            }
        }
        if let Some(since) = self.since {
            all += &format!(" AND e.received_at >= {since}");
        }
        all
    }
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

//! Where in a list its events are: places, days, and what kinds there are.

use std::collections::{BTreeMap, btree_map::Entry};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rusqlite::{Connection, OptionalExtension};

use super::{
    LogError, LogReader, Query,
    filter::{self, Filter, first_between},
};
use crate::feed::FeedId;

/// Most event types that [`LogReader::types`] tells.
pub const MAX_TYPES: usize = 200;

/// Types that are looked at: a server may give each of its events one of its own.
const TYPES_LOOKED_AT: usize = 10_000;

/// Where the events of a list are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Index {
    /// How many there are.
    pub count: u64,
    /// The numbers of the events at places 0, `step`, 2 × `step` …, newest first.
    pub marks: Vec<u64>,
    /// Days that have events, newest first, each with the place of its newest event. A day is that of the log's clock, which does
    /// not go back where the system's clock is set back.
    pub days: Vec<(Date, u64)>,
}

impl LogReader {
    /// Where all events are that `query` asks for; [`Query::before`] and [`Query::limit`] do not count. `step` is at least 1.
    pub fn index(&self, query: &Query, step: u32, zone: &TimeZone) -> Result<Index, LogError> {
        let query = Query { before: None, ..query.clone() };
        self.read(|db| index(db, &query, u64::from(step.max(1)), zone))
    }

    /// The event types in the log, of this feed or of all, in their alphabetical order: the first [`MAX_TYPES`].
    pub fn types(&self, feed: Option<&FeedId>) -> Result<Vec<String>, LogError> {
        self.read(|db| types(db, feed))
    }
}

fn index(db: &Connection, query: &Query, step: u64, zone: &TimeZone) -> rusqlite::Result<Index> {
    let Some(filter) = filter::resolve(db, query)? else { return Ok(Index::default()) };
    let numbers = numbers(db, &filter)?;
    let mut index = Index::default();
    let mut day_begins = i64::MAX;
    for seq in numbers.newest_first() {
        if index.count.is_multiple_of(step) {
            index.marks.push(seq.unsigned_abs());
        }
        if seq < day_begins {
            let (day, begins) = day_of(db, seq, zone)?;
            day_begins = begins;
            index.days.push((day, index.count));
        }
        index.count += 1;
    }
    Ok(index)
}

/// The day of an event by the log's clock, and the first number of that day.
fn day_of(db: &Connection, seq: i64, zone: &TimeZone) -> rusqlite::Result<(Date, i64)> {
    let clock = "SELECT clock FROM event WHERE seq = ?1";
    let clock: i64 = db.prepare_cached(clock)?.query_row([seq], |row| row.get(0))?;
    let local = Timestamp::from_millisecond(clock).unwrap_or_default().to_zoned(zone.clone());
    let begin = local.start_of_day().map_or(i64::MIN, |begin| begin.timestamp().as_millisecond());
    Ok((local.date(), first_between(db, begin, 0, seq)?))
}

/// The numbers of all events of a list.
fn numbers(db: &Connection, filter: &Filter) -> rusqlite::Result<Numbers> {
    let Some(words) = &filter.words else {
        return read(db, &filter.lists_of_numbers());
    };
    if filter.is_of_words_alone() {
        let mut hits = Numbers::default();
        hits.read(db, &filter.hits(), Some(words))?;
        // The words know nothing of outcomes, and of ignored events there are but few.
        hits.retain(&read(db, &filter.ignored())?, false);
        return Ok(hits);
    }
    let mut hits = Numbers::default();
    hits.read(db, &filter.hits(), Some(words))?;
    hits.retain(&read(db, &filter.lists_of_numbers())?, true);
    Ok(hits)
}

fn read(db: &Connection, lists: &[String]) -> rusqlite::Result<Numbers> {
    let mut numbers = Numbers::default();
    for list in lists {
        numbers.read(db, list, None)?;
    }
    Ok(numbers)
}

/// A set of numbers: a bit for each in blocks, as those of a log are close to each other.
#[derive(Default)]
struct Numbers {
    blocks: BTreeMap<i64, Box<[u64; WORDS]>>,
}

/// 64 numbers each.
const WORDS: usize = 1024;
const BLOCK: i64 = 64 * WORDS as i64;

impl Numbers {
    fn read(&mut self, db: &Connection, list: &str, words: Option<&String>) -> rusqlite::Result<()> {
        let mut list = db.prepare(list)?;
        if let Some(words) = words {
            list.raw_bind_parameter(2, words)?;
        }
        let mut rows = list.raw_query();
        // They come in runs.
        let mut block = (i64::MIN, Box::new([0; WORDS]));
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            if block.0 != seq / BLOCK {
                self.put(std::mem::replace(&mut block, (seq / BLOCK, Box::new([0; WORDS]))));
            }
            let place = usize::try_from(seq % BLOCK).unwrap_or_default();
            block.1[place / 64] |= 1 << (place % 64);
        }
        self.put(block);
        Ok(())
    }

    fn put(&mut self, (key, block): (i64, Box<[u64; WORDS]>)) {
        if key == i64::MIN {
            return;
        }
        match self.blocks.entry(key) {
            Entry::Vacant(place) => {
                place.insert(block);
            }
            Entry::Occupied(mut place) => {
                place.get_mut().iter_mut().zip(block.iter()).for_each(|(word, more)| *word |= more);
            }
        }
    }

    /// Keeps the numbers that `others` have, or those that they have not.
    fn retain(&mut self, others: &Self, has: bool) {
        for (key, block) in &mut self.blocks {
            let other = others.blocks.get(key);
            for (place, word) in block.iter_mut().enumerate() {
                let others = other.map_or(0, |other| other[place]);
                *word &= if has { others } else { !others };
            }
        }
    }

    fn newest_first(&self) -> impl Iterator<Item = i64> + '_ {
        self.blocks.iter().rev().flat_map(|(key, block)| {
            let words = block.iter().enumerate().rev().filter(|(_, word)| **word != 0);
            words.flat_map(move |(place, word)| {
                let first = key * BLOCK + place as i64 * 64;
                (0..64).rev().filter(move |bit| word >> bit & 1 == 1).map(move |bit| first + bit)
            })
        })
    }
}

fn types(db: &Connection, feed: Option<&FeedId>) -> rusqlite::Result<Vec<String>> {
    let key = match feed {
        None => None,
        Some(feed) => {
            let find = "SELECT key FROM feed WHERE id = ?1";
            let Some(key) = db.query_row(find, [feed.as_str()], |row| row.get::<_, i64>(0)).optional()?
            else {
                return Ok(Vec::new());
            };
            Some(key)
        }
    };
    let (listed, of_feed) = match key {
        Some(key) => ("listed_feed_type", format!("AND feed = {key}")),
        None => ("listed_type", String::new()),
    };
    // From each type to the next: not a walk over all events. Of ignored ones there are but few.
    let next = format!(
        "SELECT type FROM event INDEXED BY {listed} WHERE outcome <> 6 {of_feed} AND type > ?1 ORDER BY type LIMIT 1"
    );
    let mut next = db.prepare(&next)?;
    let mut keys = Vec::new();
    let mut last = i64::MIN;
    while let Some(key) = next.query_row([last], |row| row.get(0)).optional()?
        && keys.len() < TYPES_LOOKED_AT
    {
        keys.push(key);
        last = key;
    }
    let ignored = format!(
        "SELECT DISTINCT type FROM event INDEXED BY ignored WHERE outcome = 6 {of_feed} LIMIT {TYPES_LOOKED_AT}"
    );
    for key in db.prepare(&ignored)?.query_map([], |row| row.get(0))? {
        keys.push(key?);
    }
    keys.sort_unstable();
    keys.dedup();
    let mut name = db.prepare("SELECT name FROM event_type WHERE key = ?1")?;
    let names = keys.iter().map(|key| name.query_row([key], |row| row.get(0)));
    let mut names = names.collect::<rusqlite::Result<Vec<String>>>()?;
    names.sort_unstable();
    names.truncate(MAX_TYPES);
    Ok(names)
}

//! Events that a person deletes, which can be taken back for a while, and those whose time is over, which cannot.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    EventLog, LogError, Retention, batch,
    filter::first_since,
    record::is_told,
    record::outcome_of,
    row_id,
    search::{self, Words},
};
use crate::event_source::Message;

/// So many deletions can be taken back …
const DELETIONS: usize = 20;
/// … for so long.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// So much of what feeds sent is kept of all deletions but the newest, in bytes: each may be a gigabyte.
pub(super) const KEPT_BYTES: u64 = if cfg!(test) { 64 << 10 } else { 256 << 20 };

/// Of each feed, so many deleted events are known as repeats if their server sends them again.
const KNOWN: u32 = 1000;

/// Events whose time is over leave in groups of so many, each a transaction of its own.
pub const SWEPT: u32 = 500;

/// Deletions that can be taken back. What they deleted is in SQLite's temporary file, which goes with the program.
#[derive(Debug, Default)]
pub(super) struct Trash {
    deletions: Vec<Deletion>,
    /// The latest time of the log, with all that was deleted: what comes later must not be taken for older than what comes back.
    pub(super) clock: Option<i64>,
}

#[derive(Debug)]
struct Deletion {
    at: Timestamp,
    seqs: Vec<i64>,
    bytes: u64,
}

/// What was taken out of the log.
#[derive(Default)]
struct Removed {
    seqs: Vec<i64>,
    /// The latest of its times.
    clock: Option<i64>,
    /// How much feeds had sent with it.
    bytes: u64,
}

impl EventLog {
    /// Deletes events, with all that is known of them, in one transaction; numbers that are not in the log are passed over.
    /// Returns those that were.
    pub fn delete(&mut self, seqs: &[u64], now: Timestamp) -> Result<Vec<u64>, LogError> {
        let Removed { seqs, clock, bytes } = self.write(|db| {
            db.execute_batch(TRASH)?;
            remove(db, seqs.iter().copied().filter_map(row_id), true)
        })?;
        self.trash.clock = self.trash.clock.max(clock);
        let numbers = seqs.iter().map(|seq| seq.unsigned_abs()).collect();
        if !seqs.is_empty() {
            self.trash.deletions.push(Deletion { at: now, seqs, bytes });
        }
        // What is not forgotten now is forgotten in an hour.
        let _ = self.forget_deletions(now, DELETIONS);
        Ok(numbers)
    }

    /// Takes deletions back, in one transaction: each event has its number again, its read mark, its place among what was told, and
    /// what waited, waits again. Returns those that could be.
    pub fn restore(&mut self, seqs: &[u64], now: Timestamp) -> Result<Vec<u64>, LogError> {
        self.forget_deletions(now, DELETIONS)?;
        let known = |seq: &i64| self.trash.deletions.iter().any(|deletion| deletion.seqs.contains(seq));
        let mut wanted: Vec<i64> = seqs.iter().copied().filter_map(row_id).filter(known).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        self.write(|db| {
            let mut words = Words::default();
            wanted.iter().try_for_each(|seq| put_back(db, *seq, &mut words))
        })?;
        for deletion in &mut self.trash.deletions {
            deletion.seqs.retain(|seq| wanted.binary_search(seq).is_err());
        }
        self.trash.deletions.retain(|deletion| !deletion.seqs.is_empty());
        Ok(wanted.into_iter().map(i64::unsigned_abs).collect())
    }

    /// Forgets deletions that are over an hour old, and the oldest over `most`.
    pub fn forget_old_deletions(&mut self, now: Timestamp) -> Result<(), LogError> {
        self.forget_deletions(now, DELETIONS)
    }

    fn forget_deletions(&mut self, now: Timestamp, most: usize) -> Result<(), LogError> {
        let deletions = &self.trash.deletions;
        let mut bytes = 0;
        let kept = deletions.iter().rev().enumerate().take_while(|(place, deletion)| {
            bytes += deletion.bytes;
            *place < most && (*place == 0 || bytes <= KEPT_BYTES)
        });
        let surplus = deletions.len() - kept.count();
        // A clock that was set back makes none of them older, and none stay longer than the program runs.
        let old = |deletion: &Deletion| now.duration_since(deletion.at) >= KEPT;
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.trash.deletions)
            .into_iter()
            .enumerate()
            .partition(|(place, deletion)| *place < surplus || old(deletion));
        self.trash.deletions = kept.into_iter().map(|(_, deletion)| deletion).collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            for seq in gone.iter().flat_map(|(_, deletion)| &deletion.seqs) {
                for forget in FORGET {
                    db.prepare_cached(forget)?.execute([seq])?;
                }
            }
            Ok(())
        })
    }

    /// Deletes events whose time is over, the oldest first, [`SWEPT`] at the most; what waits to be told stays. Returns whether there
    /// may be more.
    pub fn sweep(&mut self, retention: Retention, now: Timestamp) -> Result<bool, LogError> {
        if retention == Retention::default() {
            return Ok(false);
        }
        let removed = self.write(|db| {
            let over = over(db, retention, now)?;
            remove(db, over.into_iter(), false)
        })?;
        self.trash.clock = self.trash.clock.max(removed.clock);
        Ok(!removed.seqs.is_empty())
    }
}

/// The oldest events whose time is over.
fn over(db: &Connection, retention: Retention, now: Timestamp) -> rusqlite::Result<Vec<i64>> {
    const OLDEST: &str =
        "SELECT seq FROM event NOT INDEXED WHERE seq < ?1 AND outcome NOT IN (3, 8) ORDER BY seq LIMIT ?2";
    let read = |before: i64, most: i64| {
        let mut oldest = db.prepare_cached(OLDEST)?;
        oldest.query_map([before, most], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()
    };
    if let Some(days) = retention.days {
        let oldest =
            now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN);
        let old = read(first_since(db, oldest)?, SWEPT.into())?;
        if !old.is_empty() {
            return Ok(old);
        }
    }
    let Some(events) = retention.events else { return Ok(Vec::new()) };
    // Ignored ones do not count, but leave with those of their time.
    match first_kept(db, events.into())? {
        Some(first) => read(first, SWEPT.into()),
        None => Ok(Vec::new()),
    }
}

/// The number of the oldest of the newest `events`, below which all may leave; or a smaller one that has a whole group below it, so
/// that a large surplus is not walked for each group. `None`: there are not too many.
fn first_kept(db: &Connection, events: i64) -> rusqlite::Result<Option<i64>> {
    const WAITING: &str = "SELECT (SELECT count(*) FROM event INDEXED BY pending WHERE outcome = 3)
        + (SELECT count(*) FROM event INDEXED BY waiting WHERE outcome = 8)";
    const FIRST: &str = "SELECT seq FROM event NOT INDEXED WHERE outcome <> 6 ORDER BY seq LIMIT 1 OFFSET ?1";
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let surplus = number("SELECT coalesce(sum(events), 0) FROM feed")?.saturating_sub(events);
    if surplus <= 0 {
        return Ok(None);
    }
    let group = number(WAITING)?.saturating_add(SWEPT.into());
    db.prepare_cached(FIRST)?.query_row([surplus.min(group)], |row| row.get(0)).optional()
}

const TRASH: &str = "
    CREATE TEMP TABLE IF NOT EXISTS trash_event AS SELECT * FROM event WHERE FALSE;
    CREATE INDEX IF NOT EXISTS temp.trash_event_seq ON trash_event (seq);
    CREATE TEMP TABLE IF NOT EXISTS trash_unread (seq INTEGER PRIMARY KEY, feed, type, popup_key);
    CREATE TEMP TABLE IF NOT EXISTS trash_extra (seq INTEGER PRIMARY KEY, value);
    CREATE TEMP TABLE IF NOT EXISTS trash_summarized (seq INTEGER PRIMARY KEY, summary);
    CREATE TEMP TABLE IF NOT EXISTS trash_resumable (seq INTEGER PRIMARY KEY, feed, content_hash);";
const KEEP: [&str; 5] = [
    "INSERT INTO temp.trash_event SELECT * FROM main.event WHERE seq = ?1",
    "INSERT INTO temp.trash_unread SELECT seq, feed, type, popup_key FROM main.unread WHERE seq = ?1",
    "INSERT INTO temp.trash_extra SELECT seq, value FROM main.extra WHERE seq = ?1",
    "INSERT INTO temp.trash_summarized SELECT seq, summary FROM main.summarized WHERE seq = ?1",
    "INSERT INTO temp.trash_resumable SELECT seq, feed, content_hash FROM main.resumable WHERE seq = ?1",
];
const PUT_BACK: [&str; 5] = [
    "INSERT INTO main.event SELECT * FROM temp.trash_event WHERE seq = ?1",
    "INSERT INTO main.unread (seq, feed, type, popup_key) SELECT seq, feed, type, popup_key FROM temp.trash_unread WHERE seq = ?1",
    "INSERT INTO main.extra (seq, value) SELECT seq, value FROM temp.trash_extra WHERE seq = ?1",
    "INSERT INTO main.summarized (seq, summary) SELECT seq, summary FROM temp.trash_summarized WHERE seq = ?1",
    "INSERT INTO main.resumable (seq, feed, content_hash) SELECT seq, feed, content_hash FROM temp.trash_resumable WHERE seq = ?1",
];
const FORGET: [&str; 5] = [
    "DELETE FROM temp.trash_event WHERE seq = ?1",
    "DELETE FROM temp.trash_unread WHERE seq = ?1",
    "DELETE FROM temp.trash_extra WHERE seq = ?1",
    "DELETE FROM temp.trash_summarized WHERE seq = ?1",
    "DELETE FROM temp.trash_resumable WHERE seq = ?1",
];

/// By how much the counts of a feed change.
#[derive(Default)]
struct Change {
    events: i64,
    unread: i64,
}

/// Takes events out of the log; numbers that are not in it are passed over.
fn remove(db: &Connection, seqs: impl Iterator<Item = i64>, keep: bool) -> rusqlite::Result<Removed> {
    const EVENT: &str = "SELECT e.feed, e.outcome, e.clock, octet_length(e.data),
        EXISTS (SELECT 1 FROM unread u WHERE u.seq = e.seq), EXISTS (SELECT 1 FROM resumable r WHERE r.seq = e.seq)
        FROM event e WHERE e.seq = ?1";
    let mut removed = Removed::default();
    let mut changes: BTreeMap<i64, Change> = BTreeMap::new();
    for seq in seqs {
        let mut event = db.prepare_cached(EVENT)?;
        let mut rows = event.query([seq])?;
        let Some(row) = rows.next()? else { continue };
        let change = changes.entry(row.get(0)?).or_default();
        change.events -= i64::from(row.get::<_, i64>(1)? != 6);
        change.unread -= row.get::<_, i64>(4)?;
        removed.clock = removed.clock.max(Some(row.get(2)?));
        removed.bytes += row.get::<_, i64>(3)?.unsigned_abs();
        let resumable = row.get(5)?;
        drop(rows);
        remember(db, seq, resumable)?;
        for step in KEEP.iter().filter(|_| keep) {
            db.prepare_cached(step)?.execute([seq])?;
        }
        db.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([seq])?;
        // Takes its rows in other tables along.
        db.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([seq])?;
        removed.seqs.push(seq);
    }
    for (feed, change) in changes {
        count(db, feed, &change)?;
        forget_old(db, feed)?;
    }
    Ok(removed)
}

fn count(db: &Connection, feed: i64, change: &Change) -> rusqlite::Result<()> {
    const COUNT: &str = "UPDATE feed SET events = events + ?2, unread = unread + ?3 WHERE key = ?1";
    db.prepare_cached(COUNT)?.execute([feed, change.events, change.unread]).map(drop)
}

/// Notes what tells an event from others, if a server may send it again.
fn remember(db: &Connection, seq: i64, resumable: bool) -> rusqlite::Result<()> {
    const MESSAGE: &str =
        "SELECT e.feed, e.last_event_id, t.name, e.data FROM event e JOIN event_type t ON t.key = e.type
        WHERE e.seq = ?1 AND (?2 OR e.last_event_id <> '')";
    const REMEMBER: &str = "INSERT OR REPLACE INTO deleted (seq, feed, last_event_id, digest, resumable) VALUES (?1, ?2, ?3, ?4, ?5)";
    let message = |row: &rusqlite::Row<'_>| {
        let message = Message { last_event_id: row.get(1)?, event_type: row.get(2)?, data: row.get(3)? };
        Ok((row.get::<_, i64>(0)?, message))
    };
    let found = db.prepare_cached(MESSAGE)?.query_row(params![seq, resumable], message).optional()?;
    if let Some((feed, message)) = found {
        let row = params![seq, feed, message.last_event_id, batch::digest(&message), resumable];
        db.prepare_cached(REMEMBER)?.execute(row)?;
    }
    Ok(())
}

fn forget_old(db: &Connection, feed: i64) -> rusqlite::Result<()> {
    const OLD: &str = "DELETE FROM deleted WHERE feed = ?1 AND seq <=
        (SELECT seq FROM deleted WHERE feed = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)";
    db.prepare_cached(OLD)?.execute([feed, KNOWN.into()]).map(drop)
}

fn put_back(db: &Connection, seq: i64, words: &mut Words) -> rusqlite::Result<()> {
    const EVENT: &str = "SELECT feed, outcome, EXISTS (SELECT 1 FROM unread u WHERE u.seq = e.seq) FROM event e WHERE e.seq = ?1";
    for step in PUT_BACK {
        db.prepare_cached(step)?.execute([seq])?;
    }
    for step in FORGET {
        db.prepare_cached(step)?.execute([seq])?;
    }
    db.prepare_cached("DELETE FROM deleted WHERE seq = ?1")?.execute([seq])?;
    let row =
        |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?));
    let (feed, outcome, unread) = db.prepare_cached(EVENT)?.query_row([seq], row)?;
    count(db, feed, &Change { events: i64::from(outcome != 6), unread: unread.into() })?;
    index_again(db, seq, words)
}

/// Puts an event that is in the log into the index of words.
pub(super) fn index_again(db: &Connection, seq: i64, words: &mut Words) -> rusqlite::Result<()> {
    const EVENT: &str = "SELECT feed, type, outcome, title, body, data FROM event WHERE seq = ?1";
    let mut event = db.prepare_cached(EVENT)?;
    let mut rows = event.query([seq])?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let indexed = search::Indexed {
        seq,
        feed: row.get(0)?,
        kind: row.get(1)?,
        told: outcome_of(row.get(2)?).is_some_and(is_told),
        title: text(3)?,
        body: text(4)?,
        data: text(5)?,
    };
    search::insert(db, &indexed, words)
}

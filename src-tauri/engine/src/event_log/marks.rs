//! Read marks: the `unread` table and the feeds' counts of it, which change together.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use super::{ReadMark, record::TOLD, row_id};
use crate::feed::FeedId;

/// Marks events as read or unread, within the caller's transaction; returns the feeds whose count changed.
pub(super) fn set_read(db: &Connection, which: &ReadMark, read: bool) -> rusqlite::Result<Vec<FeedId>> {
    let changed = match which {
        ReadMark::Events(seqs) => set_events(db, seqs, read)?,
        ReadMark::Feed(feed) => {
            let mut key = db.prepare_cached("SELECT key FROM feed WHERE id = ?1")?;
            let key = key.query_row([feed.as_str()], |row| row.get(0)).optional()?;
            key.map_or(Ok(Changes::new()), |key| set_feed(db, key, read))?
        }
        ReadMark::Summary(summary) => {
            let mut events = db.prepare_cached("SELECT seq FROM summarized WHERE summary = ?1")?;
            let events = events.query_map([row_id(*summary)], |row| row.get::<_, i64>(0))?;
            let events: Vec<u64> =
                events.map(|seq| seq.map(i64::unsigned_abs)).collect::<rusqlite::Result<_>>()?;
            set_events(db, &events, read)?
        }
        ReadMark::All => set_all(db, read)?,
    };
    let mut write = db.prepare_cached("UPDATE feed SET unread = unread + ?2 WHERE key = ?1 RETURNING id")?;
    let changed = changed.into_iter().filter(|(_, change)| *change != 0);
    let ids = changed.map(|(feed, change)| write.query_row([feed, change], |row| row.get::<_, String>(0)));
    ids.filter_map(|id| id.map(|id| FeedId::new(&id)).transpose()).collect()
}

/// Feed by feed, by how much the count of unread events changed.
type Changes = BTreeMap<i64, i64>;

fn set_events(db: &Connection, seqs: &[u64], read: bool) -> rusqlite::Result<Changes> {
    let statement = if read {
        "DELETE FROM unread WHERE seq = ?1 RETURNING feed".to_owned()
    } else {
        format!(
            "INSERT OR IGNORE INTO unread (seq, feed, type, popup_key)
             SELECT seq, feed, type, popup_key FROM event WHERE seq = ?1 AND {TOLD} RETURNING feed"
        )
    };
    let mut set = db.prepare_cached(&statement)?;
    let mut changes = Changes::new();
    for seq in seqs.iter().copied().filter_map(row_id) {
        if let Some(feed) = set.query_row([seq], |row| row.get(0)).optional()? {
            *changes.entry(feed).or_default() += if read { -1 } else { 1 };
        }
    }
    Ok(changes)
}

fn set_feed(db: &Connection, feed: i64, read: bool) -> rusqlite::Result<Changes> {
    let statement = if read {
        "DELETE FROM unread WHERE feed = ?1".to_owned()
    } else {
        format!(
            "INSERT OR IGNORE INTO unread (seq, feed, type, popup_key)
             SELECT seq, feed, type, popup_key FROM event INDEXED BY listed_feed WHERE feed = ?1 AND outcome <> 6 AND {TOLD}"
        )
    };
    let changed = i64::try_from(db.prepare_cached(&statement)?.execute([feed])?).unwrap_or(i64::MAX);
    Ok(Changes::from([(feed, if read { -changed } else { changed })]))
}

fn set_all(db: &Connection, read: bool) -> rusqlite::Result<Changes> {
    let mut feeds = db.prepare_cached("SELECT key, unread FROM feed")?;
    let feeds =
        feeds.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<Changes>>()?;
    if read {
        // Without a condition SQLite drops the table's pages instead of its rows.
        db.execute("DELETE FROM unread", [])?;
        return Ok(feeds.into_iter().map(|(feed, unread)| (feed, -unread)).collect());
    }
    let mut changes = Changes::new();
    for feed in feeds.into_keys() {
        changes.extend(set_feed(db, feed, read)?);
    }
    Ok(changes)
}

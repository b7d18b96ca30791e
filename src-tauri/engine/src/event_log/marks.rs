//! Read marks: the `unread` table and the feeds' counts of it, which change together.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::{ReadMark, record::TOLD, row_id};
use crate::feed::FeedId;

/// Marks events as read or unread, within the caller's transaction; returns the feeds whose count changed.
pub(super) fn set_read(db: &Connection, which: &ReadMark, read: bool) -> rusqlite::Result<Vec<FeedId>> {
    let changed = match which {
        ReadMark::Events(seqs) => set_events(db, seqs, read)?,
        ReadMark::Feed(feed) => set_feeds(db, feed_keys(db, "WHERE id = ?1", &[feed.as_str()])?, read)?,
        ReadMark::All => set_feeds(db, feed_keys(db, "", &[])?, read)?,
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
            "INSERT OR IGNORE INTO unread (seq, feed, type)
             SELECT seq, feed, type FROM event WHERE seq = ?1 AND {TOLD} RETURNING feed"
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

fn set_feeds(db: &Connection, feeds: Vec<i64>, read: bool) -> rusqlite::Result<Changes> {
    let statement = if read {
        "DELETE FROM unread WHERE feed = ?1".to_owned()
    } else {
        format!(
            "INSERT OR IGNORE INTO unread (seq, feed, type)
             SELECT seq, feed, type FROM event INDEXED BY listed_feed WHERE feed = ?1 AND outcome <> 6 AND {TOLD}"
        )
    };
    let mut set = db.prepare_cached(&statement)?;
    let mut changes = Changes::new();
    for feed in feeds {
        let changed = i64::try_from(set.execute(params![feed])?).unwrap_or(i64::MAX);
        changes.insert(feed, if read { -changed } else { changed });
    }
    Ok(changes)
}

fn feed_keys(db: &Connection, filter: &str, params: &[&str]) -> rusqlite::Result<Vec<i64>> {
    let mut keys = db.prepare_cached(&format!("SELECT key FROM feed {filter}"))?;
    keys.query_map(rusqlite::params_from_iter(params), |row| row.get(0))?.collect()
}

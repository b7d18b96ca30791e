//! How long events stay, and how large the log is.

use std::{fs, path::Path};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::{EventLog, LogError, LogReader, record};

/// How long events stay in the log. What waits to be told stays longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// So many days; `None`: for ever.
    pub days: Option<u32>,
    /// The newest of all feeds together; `None`: all.
    pub events: Option<u32>,
}

/// How large the log is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LogSize {
    /// Events, ignored ones left out.
    pub events: u64,
    /// The file with its write-ahead log, in bytes.
    pub bytes: u64,
    /// When the oldest of them came.
    pub oldest_at: Option<Timestamp>,
}

impl EventLog {
    /// How large the log is; takes no longer where it is large.
    pub fn size(&self) -> Result<LogSize, LogError> {
        Ok(LogSize { bytes: bytes(&self.path), ..self.read(size)? })
    }
}

impl LogReader {
    /// How large the log is; takes no longer where it is large.
    pub fn size(&self) -> Result<LogSize, LogError> {
        Ok(LogSize { bytes: bytes(&self.path), ..self.read(size)? })
    }
}

fn size(db: &Connection) -> rusqlite::Result<LogSize> {
    let events: i64 = db.query_row("SELECT coalesce(sum(events), 0) FROM feed", [], |row| row.get(0))?;
    let oldest = "SELECT received_at FROM event NOT INDEXED WHERE outcome <> 6 ORDER BY seq LIMIT 1";
    let oldest_at = db.query_row(oldest, [], |row| record::time(row, 0)).optional()?;
    Ok(LogSize { events: events.unsigned_abs(), bytes: 0, oldest_at })
}

/// What the file and its write-ahead log take on the disk.
fn bytes(path: &Path) -> u64 {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    size(path) + size(Path::new(&journal))
}

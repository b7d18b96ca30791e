//! What can be wrong with the log.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

/// What is wrong with the event log. Whatever it is, the file is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be opened or made: rights, folder, locks.
    #[error("cannot open the event log {}: {source}; check the folder and its rights", path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Not an event log, damaged, or written by a newer version.
    #[error("the event log {} is {fault}; it is left untouched: move it away or restore a backup", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What it is instead: completes "the event log is …".
        fault: String,
    },
    /// No room on the disk.
    #[error("no room on the disk for the event log {}; free some space", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Any other failure.
    #[error("the event log failed: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl LogError {
    /// Sorts out a failure of SQLite's on the log at `path`.
    pub(super) fn of(path: &Path, error: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Broken { path, fault: "not a database".to_owned() },
            Some(ErrorCode::DatabaseCorrupt) => Self::Broken { path, fault: format!("damaged ({error})") },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                Self::CannotOpen { path, source: io::Error::other(error) }
            }
            _ => Self::Sqlite(error),
        }
    }
}

//! What can be wrong with the log.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

use crate::sentence::{self, Sentence, Wording};

/// What is wrong with the event log. Whatever it is, the file is left as it was.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum LogError {
    /// The file cannot be opened or made: rights, folder, locks.
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Not an event log, damaged, or written by a newer version.
    Broken {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        fault: Sentence,
    },
    /// No room on the disk.
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Any other failure.
    Sqlite(#[source] rusqlite::Error),
}

impl LogError {
    pub(super) fn broken(path: &Path, wording: Wording, cause: impl std::fmt::Display) -> Self {
        let fault = wording.with([("path", path.display().to_string()), ("cause", cause.to_string())]);
        Self::Broken { path: path.to_owned(), fault }
    }

    /// What is wrong and what to do.
    pub fn sentence(&self) -> Sentence {
        let path = |path: &Path| ("path", path.display().to_string());
        match self {
            Self::CannotOpen { path: place, source } => {
                sentence::LOG_CANNOT_OPEN.with([path(place), ("cause", source.to_string())])
            }
            Self::Broken { fault, .. } => fault.clone(),
            Self::Full { path: place } => sentence::LOG_FULL.with([path(place)]),
            Self::Sqlite(error) => sentence::LOG_FAILED.with([("cause", error.to_string())]),
        }
    }

    /// Sorts out a failure of SQLite's on the log at `path`.
    pub(super) fn of(path: &Path, error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::broken(path, sentence::LOG_NO_DATABASE, ""),
            Some(ErrorCode::DatabaseCorrupt) => Self::broken(path, sentence::LOG_DAMAGED, error),
            Some(ErrorCode::DiskFull) => Self::Full { path: path.to_owned() },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                Self::CannotOpen { path: path.to_owned(), source: io::Error::other(error) }
            }
            _ => Self::Sqlite(error),
        }
    }
}

//! The tables, and how older logs grow into them: `user_version` counts the migrations.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::LogError;
use crate::sentence;

/// Marks the file as an event log (`PRAGMA application_id`): "Bell".
pub(super) const APPLICATION_ID: i64 = 0x4265_6C6C;

const STEPS: &[M<'_>] = &[
    M::up(include_str!("schema_1.sql")),
    M::up(include_str!("schema_2.sql")),
    M::up(include_str!("schema_3.sql")),
    M::up(include_str!("schema_4.sql")),
];

/// The version that this program writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Brings the tables to [`VERSION`], in one transaction; nothing if they are there.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), LogError> {
    Migrations::from_slice(STEPS).to_latest(connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => LogError::of(path, err),
        other => LogError::broken(path, sentence::LOG_VERSION, other),
    })
}

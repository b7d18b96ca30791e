//! Opening the file: private to its owner, never a file that is not ours.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::{LogError, schema};
use crate::sentence;

/// How long a connection waits for another one's lock before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Page cache of a connection, in KiB, as `PRAGMA cache_size` writes it.
const CACHE_SIZE: i64 = -1024;

/// The write-ahead log is cut back to this many bytes once it is written back.
const JOURNAL_SIZE_LIMIT: i64 = 4 * 1024 * 1024;

/// Statements kept prepared: more than the writer has.
const STATEMENTS: usize = 32;

/// The one connection that writes. The file is made if it is not there.
pub(super) fn for_writing(path: &Path) -> Result<Connection, LogError> {
    if !prepare_file(path)? {
        check_file(path)?;
    }
    let open = || {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", CACHE_SIZE)?;
        connection.pragma_update(None, "journal_size_limit", JOURNAL_SIZE_LIMIT)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(connection)
    };
    let mut connection = open().map_err(|error| LogError::of(path, error))?;
    schema::migrate(&mut connection, path)?;
    Ok(connection)
}

/// A connection that reads. The file must be there.
pub(super) fn for_reading(path: &Path) -> Result<Connection, LogError> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|error| LogError::of(path, error))
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // No connection is shared by two threads at once, so SQLite needs no locks of its own.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Makes the file if it is not there, readable for its owner alone before anything is in it: SQLite gives its helper files
/// the same mode. Returns whether the file is empty.
fn prepare_file(path: &Path) -> Result<bool, LogError> {
    let prepare = || {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        restrict(&file)?;
        Ok(file.metadata()?.len() == 0)
    };
    prepare().map_err(|source| LogError::CannotOpen { path: path.to_owned(), source })
}

/// Takes the rights of others from a file that a copy or a restored backup made readable.
#[cfg(unix)]
fn restrict(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o077 == 0 {
        return Ok(());
    }
    permissions.set_mode(0o600);
    file.set_permissions(permissions)
}

/// On Windows the folder, inside the user's profile, is private already.
#[cfg(not(unix))]
fn restrict(_: &File) -> io::Result<()> {
    Ok(())
}

/// Looks whether the file is a sound event log of a version that this program knows, without writing to it: its header, its
/// size, its tables and its newest event. Not a full check, which would take minutes on a large log.
fn check_file(path: &Path) -> Result<(), LogError> {
    let broken = |wording| Err(LogError::broken(path, wording, ""));
    let mut magic = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    if read.is_err() || magic != *b"SQLite format 3\0" {
        return broken(sentence::LOG_NO_DATABASE);
    }
    let connection = for_reading(path)?;
    let check = || {
        let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let (application, version) = (number("application_id")?, number("user_version")?);
        // Made and then interrupted before its first table: as good as empty.
        let blank = application == 0 && version == 0 && number("schema_version")? == 0;
        if application == schema::APPLICATION_ID && (1..=schema::VERSION).contains(&version) {
            connection.prepare("SELECT * FROM event ORDER BY seq DESC LIMIT 1")?.query([])?.next()?;
        }
        Ok((application, version, blank))
    };
    match check().map_err(|error| LogError::of(path, error))? {
        (_, _, true) => Ok(()),
        (schema::APPLICATION_ID, version, _) if version > schema::VERSION => broken(sentence::LOG_NEWER),
        (schema::APPLICATION_ID, _, _) => Ok(()),
        _ => broken(sentence::LOG_OTHER_PROGRAM),
    }
}

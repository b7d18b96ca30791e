//! The file: who may read it, and which files are left alone.

use std::{fs, path::Path};

use rusqlite::Connection;

use super::{Event, Fixture, feed};
use crate::event_log::{EventLog, LogError, LogReader, Query, open, schema};

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let mut fixture = Fixture::new();
    fixture.append(&[Event::default()]);
    let modes = |fixture: &Fixture| {
        let files = fs::read_dir(fixture.folder.path()).unwrap().map(|file| file.unwrap());
        files.map(|file| file.metadata().unwrap().permissions().mode() & 0o777).collect::<Vec<_>>()
    };
    assert_eq!(modes(&fixture), [0o600; 3], "the log and SQLite's two helper files");

    // A backup comes back with the rights that the copy gave it.
    let path = fixture.folder.path().join("events.db");
    let Fixture { log, folder } = fixture;
    drop(log);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let fixture = Fixture { log: EventLog::open(&path).unwrap(), folder };
    assert_eq!(modes(&fixture), [0o600; 3]);
}

#[test]
fn a_log_opens_again_with_all_that_is_in_it() {
    let mut fixture = Fixture::new();
    let seqs = fixture.append(&[Event { id: "5", ..Event::default() }]);
    let path = fixture.folder.path().join("events.db");
    for _ in 0..3 {
        fixture.log = EventLog::open(&path).unwrap();
        assert_eq!(fixture.seqs(&Query::default()), seqs);
        assert_eq!(fixture.log.last_event_id(&feed("a")).unwrap(), "5");
    }
    let mut db = Connection::open(&path).unwrap();
    let version =
        |db: &Connection| db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(version(&db), schema::VERSION);
    schema::migrate(&mut db, &path).unwrap();
    assert_eq!(version(&db), schema::VERSION);
}

/// A log of some events, closed, so that all of it is in the one file.
fn closed_log(path: &Path) {
    let mut fixture = Fixture::new();
    fixture.append(&vec![Event { data: "x".repeat(2000), ..Event::default() }; 50]);
    fixture.log = EventLog::open(&fixture.folder.path().join("other.db")).unwrap();
    fs::copy(fixture.folder.path().join("events.db"), path).unwrap();
}

#[test]
fn a_broken_file_is_named_and_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let check = |what: &str, make: &dyn Fn(&Path)| {
        for file in fs::read_dir(folder.path()).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
        make(&path);
        let before = fs::read(&path).unwrap();
        let error = EventLog::open(&path).unwrap_err();
        assert!(
            matches!(&error, LogError::Broken { path: named, .. } if *named == path),
            "{what}: {error:?}"
        );
        assert!(error.to_string().contains("untouched"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before, "{what}");
    };
    check("text", &|path| fs::write(path, "this is no database at all, but a letter").unwrap());
    check("a few bytes", &|path| fs::write(path, "SQLite").unwrap());
    check("a header alone", &|path| fs::write(path, b"SQLite format 3\0 and then nothing of it").unwrap());
    check("cut short", &|path| {
        closed_log(path);
        let whole = fs::read(path).unwrap();
        fs::write(path, &whole[..whole.len() / 2]).unwrap();
    });
    check("overwritten", &|path| {
        closed_log(path);
        let mut whole = fs::read(path).unwrap();
        whole[100..8192].fill(0xA5);
        fs::write(path, whole).unwrap();
    });
    check("another program's", &|path| {
        Connection::open(path).unwrap().execute_batch("CREATE TABLE event (seq)").unwrap();
    });
    check("of a newer version", &|path| {
        closed_log(path);
        Connection::open(path).unwrap().pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
    });
}

#[test]
fn a_file_that_cannot_be_opened_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").join("events.db");
    let cannot =
        |error, path: &Path| matches!(error, LogError::CannotOpen { path: named, .. } if named == path);
    assert!(cannot(EventLog::open(folder.path()).unwrap_err(), folder.path()));
    assert!(cannot(EventLog::open(&missing).unwrap_err(), &missing));
    assert!(cannot(LogReader::new(&missing).page(&Query::default()).unwrap_err(), &missing));
}

#[test]
fn an_empty_file_becomes_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    fs::write(&path, "").unwrap();
    EventLog::open(&path).unwrap();
    EventLog::open(&path).unwrap();
}

#[test]
fn a_full_disk_loses_the_batch_and_nothing_else() {
    let mut fixture = Fixture::new();
    let seqs = fixture.append(&[Event::default()]);
    let pages: i64 = fixture.log.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let limit = |fixture: &Fixture, pages: i64| {
        fixture.log.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    };
    limit(&fixture, pages + 4);
    let mut batch = fixture.log.begin().unwrap();
    let message = Event { data: "x".repeat(100_000), ..Event::default() };
    let error = message.try_append(&mut batch).unwrap_err();
    assert!(matches!(error, LogError::Full { .. }), "{error:?}");
    Event::default().try_append(&mut batch).expect_err("nothing goes in after a failure");
    batch.commit().expect_err("nor is anything committed");
    assert_eq!(fixture.seqs(&Query::default()), seqs);

    limit(&fixture, 1_000_000);
    assert_eq!(fixture.append(&[Event::default()]).len(), 1);
    assert_eq!(fixture.log.counts(&feed("a")).unwrap().events, 2);
}

#[test]
fn a_reader_cannot_write() {
    let fixture = Fixture::new();
    let reader = open::for_reading(&fixture.folder.path().join("events.db")).unwrap();
    reader.execute("DELETE FROM event", []).unwrap_err();
}

//! However the writer ends, a batch is in the log as a whole or not at all.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use super::{Event, Fixture, feed};
use crate::event_log::{EventLog, Query};

const BATCH: usize = 7;

#[test]
fn a_batch_that_is_dropped_leaves_nothing() {
    let mut fixture = Fixture::new();
    let kept = fixture.append(&[Event { id: "1", ..Event::default() }]);
    let mut batch = fixture.log.begin().unwrap();
    Event { id: "2", ..Event::default() }.append(&mut batch);
    Event { feed: "b", ..Event::default() }.append(&mut batch);
    drop(batch);
    assert_eq!(fixture.seqs(&Query::default()), kept);
    assert_eq!(fixture.log.last_event_id(&feed("a")).unwrap(), "1");
    assert_eq!(fixture.log.counts(&feed("a")).unwrap().events, 1);
    assert_eq!(fixture.log.counts(&feed("b")).unwrap().events, 0);
}

#[test]
fn files_copied_amid_a_batch_hold_what_was_committed() {
    let mut fixture = Fixture::new();
    let kept = fixture.append(&vec![Event { id: "1", ..Event::default() }; BATCH]);
    let copies = tempfile::tempdir().unwrap();
    let mut batch = fixture.log.begin().unwrap();
    // More than the page cache holds, so that some of it is in the write-ahead log already.
    for _ in 0..500 {
        Event { id: "2", data: "x".repeat(10_000), ..Event::default() }.append(&mut batch);
    }
    for name in ["events.db", "events.db-wal"] {
        fs::copy(fixture.folder.path().join(name), copies.path().join(name)).unwrap();
    }
    assert!(fs::metadata(copies.path().join("events.db-wal")).unwrap().len() > 1_000_000);
    let log = EventLog::open(&copies.path().join("events.db")).unwrap();
    let copy = Fixture { log, folder: copies };
    assert_eq!(copy.seqs(&Query::default()).len(), kept.len());
    assert_eq!(copy.log.last_event_id(&feed("a")).unwrap(), "1");
    assert_eq!(copy.log.counts(&feed("a")).unwrap().events, BATCH as u64);
}

#[test]
fn a_killed_writer_leaves_whole_batches() {
    for lines in [1, 3, 20, 40] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.db");
        let mut writer = Command::new(env::current_exe().unwrap())
            .args(["--exact", "event_log::tests::crash::write_until_killed", "--nocapture"])
            .env("EVENT_LOG_TO_WRITE", &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(writer.stdout.take().unwrap()).lines();
        let committed = output.map(Result::unwrap).filter(|line| line == "committed").take(lines).count();
        writer.kill().unwrap();
        writer.wait().unwrap();
        assert_eq!(committed, lines);

        let log = EventLog::open(&path).unwrap();
        let events = log.counts(&feed("a")).unwrap().events;
        assert!(events >= (lines * BATCH) as u64 && events.is_multiple_of(BATCH as u64), "{events}");
        let newest = log.reader().page(&Query { limit: 1, ..Query::default() }).unwrap().records.remove(0);
        assert_eq!(newest.seq, events);
        assert_eq!(newest.message.data, events.to_string());
        let integrity: String =
            log.connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(integrity, "ok");
    }
}

/// The writer that [`a_killed_writer_leaves_whole_batches`] starts and kills; by itself it does nothing.
#[test]
fn write_until_killed() {
    let Some(path) = env::var_os("EVENT_LOG_TO_WRITE") else { return };
    let mut log = EventLog::open(Path::new(&path)).unwrap();
    for number in (1_usize..).step_by(BATCH) {
        let mut batch = log.begin().unwrap();
        for number in number..number + BATCH {
            Event { data: number.to_string(), ..Event::default() }.append(&mut batch);
        }
        batch.commit().unwrap();
        println!("\ncommitted");
    }
}

//! A disk without room: events wait at their servers, and none is lost.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use bellwether_control::wire::{ConnectionState, Feed};
use bellwether_tests::{NumberedStream, PATIENCE, Resident, skip, until, until_some};

#[test]
fn a_full_disk_holds_events_back_and_loses_none() {
    if !rustix::process::geteuid().is_root() {
        skip!("only root can make a small disk");
    }
    let server = NumberedStream::start();
    server.send(10);
    let mut resident = Resident::prepare();
    let Some(_disk) = SmallDisk::mount(resident.profile()) else {
        skip!("no tmpfs can be mounted here");
    };
    // Elsewhere, so that it can be edited while that disk is full.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("feeds.toml");
    let first = feed("a", &server.url("/a"));
    fs::write(&config, &first).expect("feeds.toml");
    symlink(&config, resident.config_file()).expect("a link");
    resident.start();
    until(PATIENCE, "the first events", || resident.feed("a").counts.events == 10);

    let filler = resident.profile().join("filler");
    fill(&filler);
    server.send(3_000);
    let error = until_some(PATIENCE, "the error", || resident.status().event_log_error);
    assert!(
        error.message.contains("no room")
            && error.message.contains("events.db")
            && error.message.contains("free some space"),
        "{error:?}"
    );
    let text = resident.cli_text(&["status"]);
    assert!(text.contains(&error.message), "{text}");
    // A new feed cannot be noted in the log now: it is taken up later, like the events.
    fs::write(&config, format!("{first}{}", feed("late", &server.url("/late")))).expect("feeds.toml");
    let held = resident.feed("a");
    assert!(held.counts.events < 3_010 && held.connection.state == ConnectionState::Connected);

    fs::remove_file(filler).expect("the filler");
    until(PATIENCE, "the error's end", || resident.status().event_log_error.is_none());
    for id in ["a", "late"] {
        until(PATIENCE, "all events", || {
            resident
                .get::<Vec<Feed>>("/feeds")
                .iter()
                .any(|feed| feed.id == id && feed.counts.events == 3_010)
        });
        let newest = &resident.events(&format!("feed={id}&limit=1")).events[0];
        assert_eq!(newest.data, NumberedStream::data(3_010));
        assert_eq!(resident.feed(id).counts.repeats, 0);
    }
    assert_eq!(server.requests().len(), 2, "no connection was lost");
    assert!(resident.quit().success());
}

fn feed(id: &str, url: &str) -> String {
    format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n")
}

/// A disk of 32 MiB that goes with this value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=32m,mode=0700", "bellwether-test"]).arg(folder);
        mount.status().is_ok_and(|status| status.success()).then(|| Self(folder.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Takes all the room that there is on a file's disk.
fn fill(file: &Path) {
    let mut file = File::create(file).expect("a file");
    for size in [64 << 10, 4 << 10, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

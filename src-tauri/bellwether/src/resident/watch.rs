//! Notices when a person edits `feeds.toml`, and when the machine has slept: one timer for both, so that an idle program wakes
//! up as little as can be.
//!
//! By looking: a look costs some microseconds, follows every link on the way to the file, and works on every system and file
//! system. To be told by the system costs more where the event log lies in the same folder, as each page that SQLite writes is
//! told as well; and a user's watches can be used up.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use bellwether_engine::engine::Engine;
use tokio::{
    sync::watch as watched,
    time::{MissedTickBehavior, interval},
};

use super::sleep::{self, Clocks, Sleep};

/// How often the file is looked at. It is read once it looks the same twice, as editors write in several steps: an edit is live
/// within twice this time.
const LOOK: Duration = Duration::from_millis(800);

/// What tells one state of the file from another, without reading it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Look {
    length: u64,
    modified: Option<SystemTime>,
    #[cfg(unix)]
    changed: (u64, u64, i64, i64),
}

/// Watches the file and the clocks from now on; `woke_up` counts the sleeps.
pub(super) fn watch(file: PathBuf, engine: Engine, woke_up: watched::Sender<u32>) {
    tokio::spawn(async move {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut settling = Settling::default();
        let mut sleep = Sleep::since(Clocks::now());
        let mut ends_of_sleep = sleep::ends();
        loop {
            let told = tokio::select! {
                _ = looks.tick() => false,
                Some(()) = ends_of_sleep.recv() => true,
            };
            if sleep.is_over(Clocks::now(), told) {
                woke_up.send_modify(|times| *times = times.wrapping_add(1));
                engine.woke_up().await;
            }
            // Between two looks at the file the same time passes always.
            if !told && settling.is_to_be_read(look(&file)) {
                engine.reload_config().await;
            }
        }
    });
}

/// Knows a file that has changed and come to rest.
#[derive(Default)]
struct Settling {
    last: Option<Option<Look>>,
    read: Option<Option<Look>>,
}

impl Settling {
    fn is_to_be_read(&mut self, look: Option<Look>) -> bool {
        let at_rest = self.last.as_ref() == Some(&look);
        let known = self.read.as_ref() == Some(&look);
        if at_rest && !known {
            self.read = Some(look.clone());
        }
        self.last = Some(look);
        at_rest && !known
    }
}

/// `None`: there is no file, or it cannot be looked at. Links are followed, and one that leads elsewhere shows another file.
fn look(file: &Path) -> Option<Look> {
    let data = fs::metadata(file).ok()?;
    Some(Look {
        length: data.len(),
        modified: data.modified().ok(),
        #[cfg(unix)]
        changed: {
            use std::os::unix::fs::MetadataExt;
            // The time of the last change of any kind tells two quick edits of equal length apart; nobody can set it.
            (data.dev(), data.ino(), data.ctime(), data.ctime_nsec())
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_change_the_file_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("feeds.toml"), folder.path().join("other"));
        fs::write(&other, "made").unwrap();
        let changes: [&dyn Fn(); 5] = [
            &|| fs::write(&file, "made").unwrap(),
            &|| fs::write(&file, "put in place").unwrap(),
            &|| fs::rename(&other, &file).unwrap(),
            &|| fs::remove_file(&file).unwrap(),
            &|| fs::write(&file, "").unwrap(),
        ];
        let mut before = look(&file);
        for (number, change) in changes.into_iter().enumerate() {
            assert_eq!(look(&file), before);
            change();
            assert_ne!(look(&file), before, "change {number}");
            before = look(&file);
        }
    }

    #[test]
    fn a_file_is_read_when_it_has_come_to_rest_and_once() {
        let look = |length| Some(Look { length, ..look(Path::new("/")).unwrap() });
        let mut settling = Settling::default();
        let read = [None, None, None, look(1), look(2), look(2), look(2), None, None, look(2), look(2)]
            .map(|look| settling.is_to_be_read(look));
        let t = true;
        assert_eq!(read, [!t, t, !t, !t, !t, t, !t, !t, t, !t, t]);
    }
}

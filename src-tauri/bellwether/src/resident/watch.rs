//! Notices when a person edits `feeds.toml`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use bellwether_engine::engine::Engine;
use notify::{EventKind, PollWatcher, RecursiveMode, Watcher, recommended_watcher};
use tokio::{sync::mpsc, time::timeout};

/// Editors write in several steps; the file is read once they have been quiet for this long.
const SETTLE: Duration = Duration::from_millis(150);

/// Links that are followed from the path to the file.
const MAX_LINKS: usize = 40;

/// How often the folder is looked at where the system tells of no changes.
const LOOK: Duration = Duration::from_secs(1);

type Watching = Box<dyn Watcher + Send>;

/// Watches the file from now on.
pub(crate) fn watch(file: &Path, engine: Engine) -> notify::Result<()> {
    let (sender, mut changes) = mpsc::channel(1);
    let file = file.to_owned();
    let mut watched = names(&file);
    let mut watcher = watch_all(&watched, &sender)?;
    tokio::spawn(async move {
        // It may have changed since it was read and before it was watched.
        engine.reload_config().await;
        while changes.recv().await.is_some() {
            while timeout(SETTLE, changes.recv()).await.is_ok_and(|change| change.is_some()) {}
            // A link may lead elsewhere now.
            let names = names(&file);
            if names != watched
                && let Ok(new) = watch_all(&names, &sender)
            {
                (watcher, watched) = (new, names);
            }
            engine.reload_config().await;
        }
        drop(watcher);
    });
    Ok(())
}

/// The file itself and, where it is a symbolic link, each further name on the way to what it points to.
fn names(file: &Path) -> Vec<PathBuf> {
    let next = |name: &PathBuf| Some(name.parent()?.join(name.read_link().ok()?));
    std::iter::successors(Some(file.to_owned()), next).take(MAX_LINKS).collect()
}

/// Watches the names' folders, not the files: editors and our own writes replace those.
fn watch_all(names: &[PathBuf], sender: &mpsc::Sender<()>) -> notify::Result<Watching> {
    let watcher = recommended_watcher(noticing(names, sender));
    watcher
        .and_then(|watcher| watch_folders(Box::new(watcher), names))
        .or_else(|_| look_regularly(names, sender))
}

/// What to do where the system's watches are used up (inotify has few for each user).
fn look_regularly(names: &[PathBuf], sender: &mpsc::Sender<()>) -> notify::Result<Watching> {
    let config = notify::Config::default().with_poll_interval(LOOK);
    watch_folders(Box::new(PollWatcher::new(noticing(names, sender), config)?), names)
}

fn watch_folders(mut watcher: Watching, names: &[PathBuf]) -> notify::Result<Watching> {
    let folders: BTreeSet<&Path> = names.iter().filter_map(|name| name.parent()).collect();
    let own = names.first().and_then(|name| name.parent());
    for folder in folders {
        let watching = watcher.watch(folder, RecursiveMode::NonRecursive);
        // A link may lead into a folder that is not there.
        if Some(folder) == own {
            watching?;
        }
    }
    Ok(watcher)
}

fn noticing(names: &[PathBuf], sender: &mpsc::Sender<()>) -> impl Fn(notify::Result<notify::Event>) + use<> {
    let (names, sender) = (names.to_owned(), sender.clone());
    move |event| {
        let concerns_us = match &event {
            Ok(event) => {
                !matches!(event.kind, EventKind::Access(_))
                    && event.paths.iter().any(|path| names.contains(path))
            }
            // Events may have been missed.
            Err(_) => true,
        };
        if concerns_us {
            // Full: a reading is due anyway.
            let _ = sender.try_send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn a_change_is_noticed_also_without_the_systems_watches() {
        for watch in [watch_all, look_regularly] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("feeds.toml");
            let (sender, mut changes) = mpsc::channel(1);
            let _watching = watch(&names(&file), &sender).unwrap();
            fs::write(folder.path().join("other"), "").unwrap();
            fs::write(&file, "# mine").unwrap();
            timeout(Duration::from_secs(30), changes.recv()).await.unwrap().unwrap();
        }
    }
}

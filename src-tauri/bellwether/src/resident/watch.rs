//! Notices when a person edits `feeds.toml`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use bellwether_engine::engine::Engine;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{sync::mpsc, time::timeout};

/// Editors write in several steps; the file is read once they have been quiet for this long.
const SETTLE: Duration = Duration::from_millis(150);

/// Links that are followed from the path to the file.
const MAX_LINKS: usize = 40;

/// Watches the file from now on.
pub(crate) fn watch(file: &Path, engine: Engine) -> notify::Result<()> {
    let (sender, mut changes) = mpsc::channel(1);
    let file = file.to_owned();
    let mut watched = names(&file);
    let mut watcher = watch_all(&watched, &sender)?;
    tokio::spawn(async move {
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
fn watch_all(names: &[PathBuf], sender: &mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let (names, sender) = (names.to_owned(), sender.clone());
    let folders: BTreeSet<PathBuf> =
        names.iter().filter_map(|name| name.parent()).map(Path::to_owned).collect();
    let own = names.first().and_then(|name| name.parent()).map(Path::to_owned);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
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
    })?;
    for folder in &folders {
        let watching = watcher.watch(folder, RecursiveMode::NonRecursive);
        // A link may lead into a folder that is not there.
        if Some(folder) == own.as_ref() {
            watching?;
        }
    }
    Ok(watcher)
}

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

/// Watches the file until the watcher is dropped. Its folder is watched, not itself: editors and our own writes replace it.
pub(crate) fn watch(file: &Path, engine: Engine) -> notify::Result<RecommendedWatcher> {
    let (sender, mut changes) = mpsc::channel(1);
    let names = watched_files(file);
    let folders: BTreeSet<PathBuf> =
        names.iter().filter_map(|name| name.parent()).map(Path::to_owned).collect();
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
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    tokio::spawn(async move {
        while changes.recv().await.is_some() {
            while timeout(SETTLE, changes.recv()).await.is_ok_and(|change| change.is_some()) {}
            engine.reload_config().await;
        }
    });
    Ok(watcher)
}

/// The file itself and, where it is a symbolic link, what it points to.
fn watched_files(file: &Path) -> Vec<PathBuf> {
    let mut files = vec![file.to_owned()];
    if let Ok(target) = file.canonicalize()
        && target != file
    {
        files.push(target);
    }
    files
}

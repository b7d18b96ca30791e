//! By what the system offers for it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// Ends the watching when dropped.
pub(crate) struct Watcher(#[expect(dead_code, reason = "held for its end")] RecommendedWatcher);

/// Sends word of changes of these files, as long as there is room.
pub(super) fn watch(files: BTreeSet<PathBuf>, changes: mpsc::Sender<()>) -> anyhow::Result<Watcher> {
    let folders: BTreeSet<PathBuf> =
        files.iter().filter_map(|file| file.parent()).map(Path::to_owned).collect();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let concerns_us = match &event {
            Ok(event) => {
                !matches!(event.kind, EventKind::Access(_))
                    && event.paths.iter().any(|path| files.contains(path))
            }
            // Events may have been missed.
            Err(_) => true,
        };
        if concerns_us {
            let _ = changes.try_send(());
        }
    })?;
    for folder in &folders {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(Watcher(watcher))
}

//! Notices when a person edits `feeds.toml`.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use self::linux as system;
#[cfg(not(target_os = "linux"))]
use self::other as system;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use bellwether_engine::engine::Engine;
use tokio::{sync::mpsc, time::timeout};

/// Editors write in several steps; the file is read once they have been quiet for this long.
const SETTLE: Duration = Duration::from_millis(150);

/// Watches the file until the watcher is dropped. Its folder is watched, not itself: editors and our own writes replace it.
pub(crate) fn watch(file: &Path, engine: Engine) -> anyhow::Result<system::Watcher> {
    // One place: when it is taken, a reading is due anyway.
    let (sender, mut changes) = mpsc::channel(1);
    let watcher = system::watch(watched_files(file), sender)?;
    tokio::spawn(async move {
        while changes.recv().await.is_some() {
            while timeout(SETTLE, changes.recv()).await.is_ok_and(|change| change.is_some()) {}
            engine.reload_config().await;
        }
    });
    Ok(watcher)
}

/// The file itself and, where it is a symbolic link, what it points to.
fn watched_files(file: &Path) -> BTreeSet<PathBuf> {
    let target = file.canonicalize().ok();
    [file.to_owned()].into_iter().chain(target).collect()
}

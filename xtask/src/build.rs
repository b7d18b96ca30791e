//! Building the UI and both programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::needs;
use crate::shell::{cargo, npm, npm_in, root, run, target};

/// How the programs are built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quickly.
    Debug,
    /// As people get them.
    Release,
}

/// What was built.
pub(crate) struct Programs {
    /// Where the programs lie.
    pub(crate) folder: PathBuf,
    /// Why the window is not among them, if it is not.
    pub(crate) no_window: Option<String>,
}

impl Programs {
    /// The resident program.
    pub(crate) fn bellwether(&self) -> PathBuf {
        self.folder.join(format!("bellwether{}", std::env::consts::EXE_SUFFIX))
    }
}

/// Builds the resident program alone, and returns where it lies.
pub(crate) fn resident(profile: Profile) -> Result<PathBuf> {
    package("bellwether", profile)?;
    Ok(Programs { folder: folder(profile), no_window: None }.bellwether())
}

/// Builds both programs, the UI in the window. A machine that lacks what the window needs gets the resident program alone.
pub(crate) fn programs(profile: Profile) -> Result<Programs> {
    let no_window = needs::node().and_then(|()| needs::webview()).err().map(|reason| format!("{reason:#}"));
    // Each by itself, and apart from the tests: what another one switches on in shared libraries stays out of the resident
    // program, whose memory follows its size.
    package("bellwether", profile)?;
    match &no_window {
        None => {
            ui()?;
            package("bellwether-window", profile)?;
        }
        Some(reason) => println!("skipped: the window: {reason}"),
    }
    Ok(Programs { folder: folder(profile), no_window })
}

fn folder(profile: Profile) -> PathBuf {
    target().join(if profile == Profile::Release { "release" } else { "debug" })
}

fn package(name: &str, profile: Profile) -> Result<()> {
    let mut build = cargo(&["build", "--package", name]);
    if profile == Profile::Release {
        build.arg("--release");
    }
    run(&mut build)
}

/// Builds the UI into `ui/dist`, which the window's build takes in, unless nothing has changed since.
pub(crate) fn ui() -> Result<()> {
    npm_packages("ui")?;
    let built = modified(&root().join("ui/dist/index.html"));
    let sources = [root().join("ui"), root().join("src-tauri/control/messages")];
    let changed = sources.iter().filter_map(|folder| newest(folder)).max();
    if built.is_none() || changed > built {
        run(&mut npm(&["run", "build"]))?;
    }
    Ok(())
}

/// Fetches a folder's npm packages when its lock file has changed since the last time.
pub(crate) fn npm_packages(folder: &str) -> Result<()> {
    let lock = root().join(folder).join("package-lock.json");
    let lock = fs::read(&lock).with_context(|| lock.display().to_string())?;
    let fetched = root().join(folder).join("node_modules/.fetched-lock.json");
    if fs::read(&fetched).ok().as_ref() != Some(&lock) {
        run(&mut npm_in(folder, &["ci", "--no-audit", "--no-fund"]))?;
        fs::write(&fetched, lock).with_context(|| fetched.display().to_string())?;
    }
    Ok(())
}

/// When the newest file below this folder was changed, results and fetched packages aside.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let times = entries
        .filter(|entry| entry.file_name() != "node_modules" && entry.file_name() != "dist")
        .filter_map(|entry| {
            let path = entry.path();
            if path.is_dir() { newest(&path) } else { modified(&path) }
        });
    times.max()
}

fn modified(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|file| file.modified()).ok()
}

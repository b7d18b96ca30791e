//! Opens the window: a process of its own, one at a time.

use std::{
    env, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[cfg(target_os = "linux")]
use bellwether_control::webview;
use bellwether_control::{paths::Profile, wire::OpenWindow};
use tokio::{process::Command, sync::broadcast};

use crate::desktop;

const PROGRAM: &str = if cfg!(windows) { "bellwether-window.exe" } else { "bellwether-window" };

/// Why the window cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WindowError {
    /// There is no display.
    #[error("there is no display to open the window on; use the command line: bellwether --help")]
    NoDisplay,
    /// The program is not installed.
    #[error("the window's program {PROGRAM} is neither beside {} nor on the PATH; install the whole package", .0.display())]
    NotInstalled(PathBuf),
    /// The system refused to start it.
    #[error("{} could not be started: {source}", program.display())]
    Start { program: PathBuf, source: io::Error },
}

/// Opens the window, or asks the open one to come to the front.
#[derive(Clone)]
pub(crate) struct Window {
    folder: Option<PathBuf>,
    front: broadcast::Sender<OpenWindow>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Windows that read updates now: they hear a wish to come to the front.
    readers: usize,
    /// A window was started and does not read yet.
    starting: bool,
    /// What it is to show once it reads.
    wish: Option<OpenWindow>,
}

/// A window that reads updates; it counts as open as long as this lives.
pub(crate) struct Reader {
    state: Arc<Mutex<State>>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        lock(&self.state).readers -= 1;
    }
}

impl Window {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self { folder: profile.folder.clone(), front: broadcast::Sender::new(8), state: Arc::default() }
    }

    /// Wishes for the open window.
    pub(crate) fn wishes(&self) -> broadcast::Receiver<OpenWindow> {
        self.front.subscribe()
    }

    /// A window begins to read updates; it is to show the wish at once, if there is one.
    pub(crate) fn attach(&self) -> (Reader, Option<OpenWindow>) {
        let mut state = lock(&self.state);
        state.readers += 1;
        state.starting = false;
        (Reader { state: Arc::clone(&self.state) }, state.wish.take())
    }

    /// Opens the window, at an event if one is given.
    pub(crate) async fn open(&self, wish: OpenWindow) -> Result<(), WindowError> {
        // An open window needs neither a display nor a program to be found once more.
        if self.bring_to_front(&lock(&self.state), &wish) {
            return Ok(());
        }
        desktop::display().await.map_err(|_| WindowError::NoDisplay)?;
        let program = program()?;
        let mut state = lock(&self.state);
        if self.bring_to_front(&state, &wish) {
            return Ok(());
        }
        if state.starting {
            state.wish = Some(wish);
            return Ok(());
        }
        let mut command = Command::new(&program);
        // Quitting closes the window as well. A crash does not: then it stays, says so, and waits for a new resident program.
        command.stdin(std::process::Stdio::null()).kill_on_drop(true);
        #[cfg(target_os = "linux")]
        if env::var_os(webview::NO_DMABUF).is_none() {
            command.env(webview::NO_DMABUF, "1");
        }
        if let Some(folder) = &self.folder {
            command.arg("--profile").arg(folder);
        }
        if let Some(event) = wish.event {
            command.arg("--event").arg(event.to_string());
        }
        if let Some(summary) = wish.summary {
            command.arg("--summary").arg(summary.to_string());
        }
        let mut child = command.spawn().map_err(|source| WindowError::Start { program, source })?;
        state.starting = true;
        let state = Arc::clone(&self.state);
        tokio::spawn(async move {
            // Reaps it; and one that ended before it ever read updates must not block the next.
            let _ = child.wait().await;
            lock(&state).starting = false;
        });
        Ok(())
    }

    /// Asks the open window to come to the front; false if there is none.
    fn bring_to_front(&self, state: &State, wish: &OpenWindow) -> bool {
        if state.readers == 0 {
            return false;
        }
        // An error would mean that the window has just gone; then the next wish opens a new one.
        let _ = self.front.send(wish.clone());
        true
    }
}

/// The window's program: beside this one, else on the PATH.
pub(crate) fn program() -> Result<PathBuf, WindowError> {
    let own = env::current_exe().unwrap_or_default();
    let beside = own.parent().map(|folder| folder.join(PROGRAM));
    let on_path = || {
        env::split_paths(&env::var_os("PATH").unwrap_or_default())
            .map(|f| f.join(PROGRAM))
            .find(|f| f.is_file())
    };
    beside
        .filter(|file| file.is_file())
        .or_else(on_path)
        .ok_or_else(|| WindowError::NotInstalled(own.parent().map_or_else(PathBuf::new, Path::to_owned)))
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // The state is three plain values: nothing is left half done by a panic.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

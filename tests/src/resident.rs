use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use std::{env, fs};

use serde_json::Value;
use tempfile::TempDir;

use crate::until::poll;
use crate::{Control, Desktop, PATIENCE, Process, target, until_some};

/// The resident program in a profile of its own, and its control socket (to which it dereferences). It ends with this value.
pub struct Resident {
    profile: TempDir,
    environment: BTreeMap<OsString, OsString>,
    control: Control,
    process: Option<Process>,
    /// Programs that were killed and left children behind.
    killed: Vec<Process>,
}

impl Resident {
    /// A profile without feeds, the program not started yet: without display and bus, far from the user's own files.
    #[track_caller]
    pub fn prepare() -> Self {
        // A socket's path holds about 100 bytes at most: not below a build folder.
        let profile = tempfile::Builder::new().prefix("bw-").tempdir().expect("a temporary folder");
        let mut environment: BTreeMap<OsString, OsString> = BTreeMap::new();
        for name in ["PATH", "TMPDIR"] {
            environment.extend(env::var_os(name).map(|value| (name.into(), value)));
        }
        environment.insert("HOME".into(), profile.path().join("home").into());
        environment.insert("LANG".into(), "C.UTF-8".into());
        // Else libraries fall back to the user's own bus.
        environment.insert("DBUS_SESSION_BUS_ADDRESS".into(), "unix:path=/nonexistent/bus".into());
        let control = Control::new(&profile.path().join("control.sock"));
        Self { profile, environment, control, process: None, killed: Vec::new() }
    }

    /// Starts it without a display, with this text as its `feeds.toml`.
    #[track_caller]
    pub fn with_config(text: &str) -> Self {
        let mut resident = Self::prepare();
        resident.config(text);
        resident.start();
        resident
    }

    /// Lets it run in this desktop. The desktop must outlive it.
    pub fn in_desktop(&mut self, desktop: &Desktop) -> &mut Self {
        self.environment = desktop.environment().clone();
        self
    }

    /// Sets an environment variable for its next start.
    pub fn env(&mut self, name: &str, value: &str) -> &mut Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Writes `feeds.toml` anew, as an editor would.
    #[track_caller]
    pub fn config(&mut self, text: &str) -> &mut Self {
        fs::write(self.config_file(), text).expect("feeds.toml can be written");
        self
    }

    /// Starts it without a window and waits until its control socket answers.
    #[track_caller]
    pub fn start(&mut self) {
        self.start_with(&["--background"]);
    }

    /// Starts it with these arguments and waits until its control socket answers.
    #[track_caller]
    pub fn start_with(&mut self, arguments: &[&str]) {
        let mut process = self.spawn(arguments);
        let answers = until_some(PATIENCE, "an answer on the control socket", || {
            if process.exited().is_some() {
                return Some(false);
            }
            let answer = self.control.request("GET", "/status", &Value::Null);
            answer.is_ok_and(|answer| answer.status == 200).then_some(true)
        });
        assert!(answers, "bellwether ended at its start: {:#?}", process.lines());
        self.process = Some(process);
    }

    /// Starts the program with these arguments in this profile, and does not wait for anything.
    #[track_caller]
    pub fn spawn(&self, arguments: &[&str]) -> Process {
        let mut command = Process::command(program());
        command.arg("--profile").arg(self.profile()).args(arguments).env_clear().envs(&self.environment);
        Process::start(&mut command)
    }

    /// Runs a command of the command line in this profile to its end.
    #[track_caller]
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program());
        command.arg("--profile").arg(self.profile()).args(arguments).env_clear().envs(&self.environment);
        command.output().expect("bellwether starts")
    }

    /// Like [`Resident::cli`], with this text on its standard input.
    #[track_caller]
    pub fn cli_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(program());
        command.arg("--profile").arg(self.profile()).args(arguments).env_clear().envs(&self.environment);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("bellwether starts");
        // It may end without having read anything.
        let _ = child.stdin.take().expect("stdin is piped").write_all(input.as_bytes());
        child.wait_with_output().expect("bellwether ends")
    }

    /// Like [`Resident::cli`] for a command that must succeed; returns its standard output.
    #[track_caller]
    pub fn cli_text(&self, arguments: &[&str]) -> String {
        let output = self.cli(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "bellwether {arguments:?}: {}: {}",
            output.status,
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Its profile's folder.
    pub fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// Its `feeds.toml`.
    pub fn config_file(&self) -> PathBuf {
        self.profile().join("feeds.toml")
    }

    /// Its event log.
    pub fn event_log(&self) -> PathBuf {
        self.profile().join("events.db")
    }

    /// Its control socket.
    pub fn socket(&self) -> PathBuf {
        self.profile().join("control.sock")
    }

    /// Its process, which must have been started.
    #[track_caller]
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the resident program was started")
    }

    /// `kill -9`
    #[track_caller]
    pub fn kill(&mut self) {
        self.process().kill();
        self.process = None;
    }

    /// `kill -9`, after which what it started, such as its window, lives on until this value is dropped.
    #[track_caller]
    pub fn kill_alone(&mut self) {
        self.process().kill();
        let killed = self.process.take();
        self.killed.extend(killed);
    }

    /// Asks it to quit and waits until it has.
    #[track_caller]
    pub fn quit(&mut self) -> ExitStatus {
        let answer = self.control.request("POST", "/quit", &Value::Null).expect("the socket answers");
        assert_eq!(answer.status, 204, "{}", answer.body);
        let status = self.process().wait(PATIENCE);
        self.process = None;
        status
    }
}

impl Deref for Resident {
    type Target = Control;
    fn deref(&self) -> &Control {
        &self.control
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process
            && self.control.request("POST", "/quit", &Value::Null).is_ok()
        {
            poll(Duration::from_secs(5), || process.exited());
        }
    }
}

/// The resident program: the one that `BELLWETHER_BIN` names, else the one of this workspace, built now.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(program) = env::var_os("BELLWETHER_BIN") {
            return program.into();
        }
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo).args(["build", "--quiet", "--package", "bellwether"]).status();
        assert!(built.is_ok_and(|status| status.success()), "bellwether cannot be built");
        target().join("debug/bellwether")
    })
}

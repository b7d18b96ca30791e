use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::until::poll;
use crate::{PATIENCE, Process, here, until};

/// A throw-away desktop of its own (`tests/desktop/with-desktop`): X server, session bus, window manager, notification server, tray
/// host, home folder. Everything in it ends with this value.
pub struct Desktop {
    session: Process,
    folder: PathBuf,
    environment: BTreeMap<OsString, OsString>,
}

impl Desktop {
    /// A whole desktop with dunst.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A desktop with other parts, such as `["--no-tray"]` or `["--notifier", "xfce"]`; see `with-desktop --help`.
    #[track_caller]
    pub fn with(options: &[&str]) -> Self {
        let mut command = Command::new("bash");
        command.arg(here().join("desktop/with-desktop")).args(options).arg("--");
        command.args(["sh", "-c", r#"env -0 >"$DESKTOP_DIR/env"; echo "desktop: $DESKTOP_DIR"; exec cat"#]);
        let mut session = Process::start(&mut command);
        let line = session.wait_for_line(PATIENCE, "a desktop", |line| line.starts_with("desktop: "));
        let folder = PathBuf::from(line.trim_start_matches("desktop: "));
        let environment = fs::read(folder.join("env")).expect("the desktop's environment");
        let environment = environment.split(|&byte| byte == 0).filter_map(|entry| {
            let equals = entry.iter().position(|&byte| byte == b'=')?;
            let (name, value) = (&entry[..equals], &entry[equals + 1..]);
            Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value).to_owned()))
        });
        Self { session, folder, environment: environment.collect() }
    }

    /// Its temporary folder: `log/`, `home/`, `config/` …
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its environment variables, all of them: what runs in it gets these and no others.
    pub fn environment(&self) -> &BTreeMap<OsString, OsString> {
        &self.environment
    }

    /// A command that runs in it.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.environment);
        command
    }

    /// Starts a program in it.
    #[track_caller]
    pub fn spawn(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Process {
        Process::start(Process::command(program).args(arguments).env_clear().envs(&self.environment))
    }

    /// Runs a command in it to its end; returns what it wrote.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn run(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> String {
        self.try_run(program.as_ref(), arguments).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Like [`Desktop::run`], with what went wrong as the error.
    pub fn try_run(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Result<String, String> {
        let program = program.as_ref();
        let output = self.command(program).args(arguments).output();
        let output = output.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if output.status.success() {
            return Ok(text(output.stdout));
        }
        Err(format!("{} {arguments:?}: {}: {}", program.display(), output.status, text(output.stderr)))
    }

    /// How many popups dunst shows now.
    #[track_caller]
    pub fn displayed(&self) -> u32 {
        let count = self.run("dunstctl", &["count", "displayed"]);
        count.trim().parse().expect("dunstctl count prints a number")
    }

    /// Lists, opens and clicks tray icons; see `tests/desktop/tray --help`. Waits up to ten seconds for the icon or the label.
    #[track_caller]
    pub fn tray(&self, arguments: &[&str]) -> String {
        self.run(here().join("desktop/tray"), &[arguments, &["--wait", "10"]].concat())
    }

    /// The labels of the tray's menu, in their order; `--` stands for a separator.
    #[track_caller]
    pub fn tray_menu(&self) -> Vec<String> {
        // Each line: number, blanks, label; the first is the item itself.
        let menu = self.tray(&["menu"]);
        let label =
            |line: &str| line.trim_start().split_once(' ').map_or("", |(_, label)| label.trim()).to_owned();
        menu.lines().skip(1).map(label).collect()
    }

    /// Clicks at a point of the screen.
    #[track_caller]
    pub fn click(&self, x: u32, y: u32) {
        self.run("xdotool", &["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
    }

    /// Presses keys, such as `alt+F4`, as the keyboard does: what has the focus gets them.
    #[track_caller]
    pub fn press(&self, keys: &str) {
        self.run("xdotool", &["key", keys]);
    }

    /// The titles of the windows that are open.
    pub fn windows(&self) -> Vec<String> {
        // xdotool fails where nothing is found.
        let titles =
            self.try_run("xdotool", &["search", "--onlyvisible", "--name", ".+", "getwindowname", "%@"]);
        titles.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// The processes that run in it, whoever started them: each one's id and command line.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let mark = format!("DESKTOP_DIR={}\0", self.folder.display()).into_bytes();
        let folders = fs::read_dir("/proc").expect("/proc can be read").flatten().map(|entry| entry.path());
        let ours = folders.filter_map(|folder| {
            let id = folder.file_name()?.to_str()?.parse().ok()?;
            let environment = fs::read(folder.join("environ")).ok()?;
            environment.windows(mark.len()).find(|window| *window == mark)?;
            Some((id, fs::read_to_string(folder.join("cmdline")).ok()?.replace('\0', " ")))
        });
        ours.collect()
    }

    /// Saves a picture of the whole screen as PNG.
    #[track_caller]
    pub fn shot(&self, file: &Path) {
        fs::create_dir_all(file.parent().expect("a file lies in a folder")).expect("the folder can be made");
        self.run(here().join("desktop/shot"), &[&file.to_string_lossy()]);
    }

    /// Starts a part that was left out or ended: `dunst`, `xfce` or `tray`.
    #[track_caller]
    pub fn add(&self, part: &str) {
        self.run(here().join("desktop/with-desktop"), &["--add", part]);
    }

    /// Ends a part: `notify` or `tray`.
    #[track_caller]
    pub fn end(&self, part: &str) {
        let pid = fs::read_to_string(self.folder.join("pid").join(part)).expect("the part's process id");
        let pid = pid.trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::TERM).expect("the part runs");
        let name =
            if part == "tray" { "org.kde.StatusNotifierWatcher" } else { "org.freedesktop.Notifications" };
        until(PATIENCE, &format!("the end of {part}"), || !self.owned(name));
    }

    /// Whether someone on its bus has this name.
    pub fn owned(&self, name: &str) -> bool {
        let bus = ["call", "--session", "-d", "org.freedesktop.DBus", "-o", "/org/freedesktop/DBus", "-m"];
        let answer =
            self.try_run("gdbus", &[&bus[..], &["org.freedesktop.DBus.NameHasOwner", name]].concat());
        answer.is_ok_and(|answer| answer.contains("true"))
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.session.close_input();
        poll(Duration::from_secs(10), || self.session.exited());
    }
}

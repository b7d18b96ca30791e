use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::until::poll;
use crate::{here, until_some};

/// A program under test: leader of a process group of its own, its output kept line by line. It and its group end with this
/// value, and with the test's process too, however that ends.
pub struct Process {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// A command that [`Process::start`] is to start: arguments and environment are added to it as to any other.
    pub fn command(program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("/bin/sh");
        command.arg(here().join("desktop/leash")).arg(program);
        command
    }

    /// Starts a command made by [`Process::command`], or another that ends when its standard input does.
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        // What the shell runs, or what the leash holds.
        let mut names =
            command.get_args().map(|argument| Path::new(argument).file_name().unwrap_or_default());
        let name = names.find(|&name| name != "leash").unwrap_or_default().to_string_lossy().into_owned();
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take().expect("stdout is piped"), Arc::clone(&lines));
        collect(child.stderr.take().expect("stderr is piped"), Arc::clone(&lines));
        Self { name: name.to_owned(), child, lines }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far, standard output and error together.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no reader panics").clone()
    }

    /// Waits for a line that `fits`, which may have been written already, and returns it.
    #[track_caller]
    pub fn wait_for_line(&mut self, deadline: Duration, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let what = format!("{what} from {}", self.name);
        until_some(deadline, &what, || {
            let ended = self.exited();
            let found = self.lines().into_iter().find(|line| fits(line));
            assert!(
                found.is_some() || ended.is_none(),
                "{} ended before {what}: {:#?}",
                self.name,
                self.lines()
            );
            found
        })
    }

    /// Its exit status, if it has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked for its state")
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        until_some(deadline, &what, || self.exited())
    }

    /// `kill -9` of the program itself; what it started lives on until this value is dropped.
    pub fn kill(&mut self) {
        if self.exited().is_none() {
            let _ = kill_process(pid(&self.child), Signal::KILL);
            // Not `Child::wait`, which would close its standard input and so end its group.
            poll(Duration::from_secs(5), || self.exited());
        }
    }

    /// Closes its standard input, which ends it with its group.
    pub(crate) fn close_input(&mut self) {
        self.child.stdin.take();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The leash belongs to the group as well, so the group's number is not given away before the last line here.
        if self.exited().is_none() {
            let _ = kill_process_group(pid(&self.child), Signal::TERM);
            poll(Duration::from_secs(5), || self.exited());
        }
        let _ = kill_process_group(pid(&self.child), Signal::KILL);
        let _ = self.child.wait();
        if thread::panicking() {
            let lines = self.lines();
            let last = lines.len().saturating_sub(60);
            eprintln!("--- {} wrote:\n{}", self.name, lines[last..].join("\n"));
        }
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

fn collect(stream: impl Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
            lines.lock().expect("no reader panics").push(text);
            line.clear();
        }
    });
}

//! Programs that a person named in `feeds.toml`: run without a shell, for a bounded time, and ended with all that they have
//! started.

use std::{
    env,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};

/// How long a program may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// How long what a program wrote may take to arrive once it has ended. Another one that it left behind may keep the pipe open.
const REST: Duration = Duration::from_millis(500);

/// Runs a program with its arguments and gives the first `most` bytes that it writes; with 0 it has nowhere to write to. What it
/// writes to its standard error is thrown away: it may hold what nobody is to see. The error says what went wrong, without the
/// program's name; ending with another status than 0 is one.
pub(crate) async fn run(words: &[String], input: Vec<u8>, most: usize) -> Result<Vec<u8>, String> {
    let Some((program, arguments)) = words.split_first() else { return Err("no program".to_owned()) };
    let pipe = |wanted| if wanted { Stdio::piped() } else { Stdio::null() };
    let mut command = Command::new(at_home(Path::new(program)));
    command.args(arguments).stdin(pipe(!input.is_empty())).stdout(pipe(most > 0)).stderr(Stdio::null());
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.kill_on_drop(true).spawn().map_err(|error| error.to_string())?;
    let unfinished = Unfinished(child.id());
    let mut output = Output { pipe: child.stdout.take(), bytes: Vec::new(), most };
    let stdin = child.stdin.take();
    let feed = async move {
        if let Some(mut stdin) = stdin {
            // A program need not read what it is given.
            let _ = stdin.write_all(&input).await;
        }
    };
    let ended = async {
        let status = async {
            tokio::select! {
                status = child.wait() => {
                    // What it wrote before its end is there already.
                    let _ = timeout(REST, output.receive()).await;
                    return status;
                }
                () = output.receive(), if most > 0 => {}
            }
            child.wait().await
        };
        tokio::pin!(status);
        tokio::select! {
            status = &mut status => status,
            () = feed => status.await,
        }
    };
    let status = timeout(LIMIT, ended).await.map_err(|_| late(LIMIT))?;
    let status = status.map_err(|error| error.to_string())?;
    unfinished.has_ended();
    if status.success() { Ok(output.bytes) } else { Err(said(status)) }
}

/// `~/` is the home folder.
pub(crate) fn at_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// That something took longer than it may.
pub(crate) fn late(limit: Duration) -> String {
    format!("no answer within {} s", limit.as_secs())
}

/// A program that is given up ends with all that it has started: a script's own end would leave behind what it waits for, one
/// more at each attempt.
struct Unfinished(Option<u32>);

impl Unfinished {
    /// What it left running is meant to run.
    fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It is dropped before the command, whose number is taken until then.
        if let Some(id) = self.0 {
            end_group(id);
        }
    }
}

#[cfg(unix)]
fn end_group(id: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn end_group(_: u32) {}

fn said(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => status.to_string(),
    }
}

/// What a program writes, its beginning alone.
struct Output<R> {
    pipe: Option<R>,
    bytes: Vec<u8>,
    most: usize,
}

impl<R: AsyncRead + Unpin> Output<R> {
    /// Reads to the end. All of it, so that the program does not fail for want of a reader.
    async fn receive(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let mut piece = [0; 1024];
        while let Ok(read @ 1..) = pipe.read(&mut piece).await {
            let room = self.most.saturating_sub(self.bytes.len());
            self.bytes.extend(piece.iter().take(read.min(room)));
        }
    }
}

//! `cargo xtask run`: Bellwether with its demo feed, on this desktop or on one of its own.

use std::io::{BufRead, BufReader, IsTerminal, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use anyhow::{Context, Result, bail};

use crate::build::{self, Profile};
use crate::needs::{self, Group};
use crate::shell::{command, installed, root, target};

/// Tells the inner of two runs that it stands in the virtual desktop already; holds the resident program's path.
const INSIDE: &str = "BELLWETHER_RUN_INSIDE";

/// How long the first popup may take in the virtual desktop; far more than it does.
const FIRST_POPUP: Duration = Duration::from_secs(60);

/// After this long without another popup the picture is taken.
const QUIET: Duration = Duration::from_secs(4);

/// And after this long it is taken in any case.
const PICTURE: Duration = Duration::from_secs(8);

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = Options::parse(arguments)?;
    if let Some(program) = env::var_os(INSIDE) {
        return in_virtual_desktop(Path::new(&program), &options);
    }
    let has_display =
        cfg!(not(target_os = "linux")) || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| set(name));
    let groups: &[Group] = if has_display { &[Group::Build] } else { &[Group::Build, Group::Desktop] };
    for missing in needs::provide(groups)? {
        println!("skipped: {missing}");
    }
    let programs = build::programs(options.profile)?;
    if has_display {
        println!("\nBellwether runs with its demo feed; Ctrl-C ends it.");
        return ended(
            bellwether(&programs.bellwether(), &options).status().context("cannot start bellwether")?,
        );
    }
    if !(installed("Xvfb") && installed("dbus-daemon")) {
        bail!(
            "there is no display, and the virtual desktop lacks Xvfb and dbus-daemon: install them, or run on a desktop"
        );
    }
    println!("\nThere is no display: Bellwether runs in a virtual desktop.");
    let mut desktop = command("bash", &["tests/desktop/with-desktop", "--wallpaper", "--"]);
    desktop.arg(env::current_exe()?).arg("run").args(arguments).env(INSIDE, programs.bellwether());
    ended(desktop.status().context("cannot start bash")?)
}

struct Options {
    profile: Profile,
    /// Ends by itself after this time.
    seconds: Option<u64>,
    /// For the program itself.
    rest: Vec<String>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self { profile: Profile::Debug, seconds: None, rest: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--release" => options.profile = Profile::Release,
                "--seconds" => {
                    let number = arguments.next().context("--seconds takes a number")?;
                    options.seconds = Some(
                        number
                            .parse()
                            .with_context(|| format!("--seconds takes a number, not {number:?}"))?,
                    );
                }
                _ => options.rest.push(argument.clone()),
            }
        }
        Ok(options)
    }
}

/// The inner run: prints each notification that is raised, takes a picture, and goes on until it is ended.
fn in_virtual_desktop(program: &Path, options: &Options) -> Result<()> {
    let start = Instant::now();
    let mut monitor = command("tests/desktop/notifications", &["--text"]);
    let mut monitor =
        Running(monitor.stdout(Stdio::piped()).spawn().context("cannot watch the bus for notifications")?);
    let popups = lines(&mut monitor.0);
    popups.recv_timeout(FIRST_POPUP).context("the bus cannot be watched for notifications")?;
    let mut program = Running(bellwether(program, options).spawn().context("cannot start bellwether")?);

    let first =
        next(&popups, FIRST_POPUP, &mut program)?.context("no notification was raised within a minute")?;
    println!("after {:.1} s: {first}", start.elapsed().as_secs_f32());
    let until = Instant::now() + PICTURE;
    while let Some(popup) =
        next(&popups, QUIET.min(until.saturating_duration_since(Instant::now())), &mut program)?
    {
        println!("notification: {popup}");
    }
    let picture = target().join("screenshots/run.png");
    fs::create_dir_all(target().join("screenshots"))?;
    match command("tests/desktop/shot", &[]).arg(&picture).status() {
        Ok(status) if status.success() => println!("screenshot: {}", picture.display()),
        _ => println!("skipped: no screenshot (ImageMagick's import failed)"),
    }

    let end = match options.seconds {
        Some(seconds) => start + Duration::from_secs(seconds),
        None if stdin().is_terminal() && stdout().is_terminal() => {
            println!("Ctrl-C ends it.");
            start + Duration::from_secs(10 * 365 * 86_400)
        }
        None => return Ok(()),
    };
    while Instant::now() < end {
        if let Some(popup) = next(&popups, end - Instant::now(), &mut program)? {
            println!("notification: {popup}");
        }
    }
    Ok(())
}

/// The next notification within this time; an error when the program has ended.
fn next(popups: &Receiver<String>, within: Duration, program: &mut Running) -> Result<Option<String>> {
    let end = Instant::now() + within;
    loop {
        // Looks at the program now and then.
        let left = end.saturating_duration_since(Instant::now());
        match popups.recv_timeout(left.min(Duration::from_millis(200))) {
            Ok(popup) => return Ok(Some(popup)),
            Err(RecvTimeoutError::Disconnected) => bail!("the bus has ended"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(status) = program.0.try_wait()? {
            bail!("bellwether ended by itself: {status}");
        }
        if Instant::now() >= end {
            return Ok(None);
        }
    }
}

/// The resident program in a profile of its own, so that nobody's feeds are touched.
fn bellwether(program: &Path, options: &Options) -> Command {
    // In the virtual desktop everything is new each time.
    let profile = env::var_os("DESKTOP_DIR").map_or_else(target, PathBuf::from).join("profile");
    let mut bellwether = Command::new(program);
    bellwether.arg("--profile").arg(profile).arg("--demo").args(&options.rest).current_dir(root());
    bellwether
}

/// A child that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        // Not killed: it closes its log and its window.
        let pid = self.0.id().to_string();
        let asked =
            Command::new("kill").args(["-s", "TERM", &pid]).status().is_ok_and(|status| status.success());
        if !asked {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

fn lines(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(output) = child.stdout.take() {
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
    }
    receiver
}

fn set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn ended(status: std::process::ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("Bellwether ended: {status}");
    }
    Ok(())
}

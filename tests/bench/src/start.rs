//! From the start of the process to the tray icon.

use std::{
    env, fs,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bellwether_tests::PATIENCE;

use crate::{
    bus::Bus,
    feeds::Feeds,
    figures::{Figures, Unit, median, millis},
    process::rest,
};

const RUNS: usize = 21;

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let program = env::var_os("BELLWETHER_BIN").context("BELLWETHER_BIN is not set")?;
    let bus = Bus::start()?;
    let feeds = Feeds::http()?;
    // A socket's path holds about 100 bytes at most.
    let profile = tempfile::Builder::new().prefix("bw-").tempdir()?;
    let mut config = String::new();
    feeds.declare(&mut config, 0..5, "");
    fs::write(profile.path().join("feeds.toml"), config)?;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let mut command = bus.desktop.command(&program);
        command.arg("--profile").arg(profile.path()).arg("--background");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let process = Running(command.spawn()?);
        let registered = bus.icons.recv_timeout(PATIENCE).context("no tray icon")?;
        times.push(millis(registered - start));
        rest(Duration::from_millis(100));
        drop(process);
    }
    // The first one makes the event log.
    times.remove(0);
    figures.at_most("start → tray icon registered", median(times), Unit::Millis, 15.0);
    Ok(())
}

/// Ends with this value, as if it had crashed: a start afterwards must not take longer.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

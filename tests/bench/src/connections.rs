//! What a connection costs that is only there.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bellwether_tests::Resident;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    feeds::Feeds,
    figures::{Figures, Unit, millis},
    process::{self, rest},
};

/// Connections before and after.
const FEW: u32 = 100;
const MANY: u32 = 300;
const SETTLE: Duration = Duration::from_secs(6);
const IDLE: Duration = Duration::from_secs(20);

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let [http, idle] = run(&Feeds::http()?)?;
    figures.at_most("each further idle connection, http", http, Unit::KiB, 32.0);
    let [tls, idle_tls] = run(&Feeds::https()?)?;
    figures.at_most("each further idle connection, TLS", tls, Unit::KiB, 40.0);
    figures.at_most("idle, 100 quiet feeds: share of one core", idle, Unit::Percent, 0.02);
    figures.at_most("  the same on TLS", idle_tls, Unit::Percent, 0.02);
    crowd(figures, "http", &Feeds::http()?)?;
    crowd(figures, "TLS", &Feeds::https()?)
}

/// Many feeds that are all there from the start.
fn crowd(figures: &mut Figures, scheme: &str, feeds: &Feeds) -> Result<()> {
    let count = figures.feeds;
    allow_files(u64::from(count) * 4)?;
    let mut resident = prepare(feeds);
    let mut config = String::new();
    feeds.declare(&mut config, 0..FEW, "");
    resident.config(&config).start();
    feeds.wait_for(FEW as usize);
    rest(SETTLE);
    let few = process::memory(resident.process().pid())?;
    resident.quit();

    feeds.declare(&mut config, FEW..count, "");
    let mut resident = prepare(feeds);
    resident.config(&config);
    let start = Instant::now();
    resident.start();
    feeds.wait_for((FEW + count) as usize);
    let connected = start.elapsed();
    rest(SETTLE);
    let pid = resident.process().pid();
    let before = process::cpu_of_threads(pid)?;
    rest(IDLE);
    let idle = process::cpu_of_threads(pid)?.saturating_sub(before);
    let many = process::memory(pid)?;
    let each = (many.resident - few.resident) / f64::from(count - FEW);
    let share = idle.as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    figures.at_most(
        &format!("{count} feeds at once, {scheme}: all connected"),
        millis(connected),
        Unit::Millis,
        10_000.0,
    );
    figures.at_most("  each beyond the hundredth", each, Unit::KiB, 40.0);
    figures.at_most("  idle: share of one core", share, Unit::Percent, 1.0);
    Ok(())
}

fn prepare(feeds: &Feeds) -> Resident {
    let mut resident = Resident::prepare();
    if let Some(certificates) = feeds.certificates() {
        resident.env("SSL_CERT_FILE", &certificates.to_string_lossy());
    }
    resident
}

/// This process holds the other end of each connection, twice.
fn allow_files(count: u64) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let enough = limit.current.is_none_or(|current| current >= count);
    if !enough {
        setrlimit(Resource::Nofile, Rlimit { current: Some(count), ..limit })
            .context("so many open files")?;
    }
    Ok(())
}

/// KiB for each connection, and the percentage of one core that [`FEW`] of them take.
fn run(feeds: &Feeds) -> Result<[f64; 2]> {
    let mut resident = prepare(feeds);
    let mut config = String::new();
    feeds.declare(&mut config, 0..FEW, "");
    resident.config(&config).start();
    feeds.wait_for(FEW as usize);
    rest(SETTLE);
    let pid = resident.process().pid();
    let before = process::cpu_of_threads(pid)?;
    rest(IDLE);
    let idle = process::cpu_of_threads(pid)?.saturating_sub(before);
    let before = process::memory(pid)?;
    feeds.declare(&mut config, FEW..MANY, "");
    resident.config(&config);
    feeds.wait_for(MANY as usize);
    rest(SETTLE);
    let after = process::memory(pid)?;
    let each = (after.resident - before.resident) / f64::from(MANY - FEW);
    Ok([each, idle.as_secs_f64() / IDLE.as_secs_f64() * 100.0])
}

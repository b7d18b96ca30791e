//! The resident program as it is on a desktop: tray, popups, five feeds.

use std::time::Duration;

use anyhow::{Result, bail};
use bellwether_tests::{Desktop, Need, Resident};

use crate::{
    cpu::send_burst,
    feeds::Feeds,
    figures::{Figures, Unit, median},
    process::{self, Memory, rest},
};

const BURST: u32 = 20_000;
/// Each is a process of its own: where its memory lies differs from start to start.
const RUNS: usize = 3;

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    if let Some(missing) = Need::Desktop.missing() {
        bail!("{missing}");
    }
    let desktop = Desktop::start();
    let runs = (0..RUNS).map(|_| run(&desktop)).collect::<Result<Vec<_>>>()?;
    let of = |pick: fn(&[Memory; 2]) -> f64| median(runs.iter().map(pick).collect()) / 1024.0;
    figures.at_most(
        "tray, 5 feeds (1 on TLS), no window: resident",
        of(|run| run[0].resident),
        Unit::MiB,
        12.0,
    );
    figures.at_most("  of it private anonymous", of(|run| run[0].anonymous), Unit::MiB, 4.0);
    figures.at_most(
        "10 s after a burst of 20,000 events: resident",
        of(|run| run[1].resident),
        Unit::MiB,
        18.0,
    );
    figures.note("  of it private anonymous", of(|run| run[1].anonymous), Unit::MiB);
    figures.note("  most during the burst", of(|run| run[1].peak), Unit::MiB);
    Ok(())
}

/// At rest after the start, and after a burst.
fn run(desktop: &Desktop) -> Result<[Memory; 2]> {
    let (http, https) = (Feeds::http()?, Feeds::https()?);
    let mut resident = Resident::prepare();
    resident.in_desktop(desktop);
    if let Some(certificates) = https.certificates() {
        resident.env("SSL_CERT_FILE", &certificates.to_string_lossy());
    }
    let mut config = String::new();
    http.declare(&mut config, 1..5, "rule = [{ action = \"log\" }]");
    https.declare(&mut config, 5..6, "");
    resident.config(&config).start();
    http.wait_for(4);
    https.wait_for(1);
    desktop.tray(&["list"]);
    rest(Duration::from_secs(8));
    let pid = resident.process().pid();
    let idle = process::memory(pid)?;
    send_burst(&resident, &http, 1, BURST)?;
    rest(Duration::from_secs(10));
    Ok([idle, process::memory(pid)?])
}

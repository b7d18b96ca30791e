//! What a connection costs that is only there.

use std::time::Duration;

use anyhow::Result;
use bellwether_tests::Resident;

use crate::{
    feeds::Feeds,
    figures::{Figures, Unit},
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
    Ok(())
}

/// KiB for each connection, and the percentage of one core that [`FEW`] of them take.
fn run(feeds: &Feeds) -> Result<[f64; 2]> {
    let mut resident = Resident::prepare();
    if let Some(certificates) = feeds.certificates() {
        resident.env("SSL_CERT_FILE", &certificates.to_string_lossy());
    }
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

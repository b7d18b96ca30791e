//! From the server's write to the call of `Notify` on the bus.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bellwether_tests::{PATIENCE, Resident};

use crate::{
    bus::Bus,
    feeds::Feeds,
    figures::{Figures, Unit, median, millis, quantile},
    process::{pace, rest},
};

const RUNS: usize = 3;
const EVENTS: u32 = 200;

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let bus = Bus::start()?;
    let feeds = Feeds::http()?;
    let mut resident = Resident::prepare();
    // Each event has a popup of its own.
    let mut config = "[notifications]\nflood = { popups = 1000, overall = 1000 }\n".to_owned();
    feeds.declare(&mut config, 1..2, "");
    resident.in_desktop(&bus.desktop).config(&config).start();
    feeds.wait_for(1);
    bus.icons.recv_timeout(PATIENCE).context("no tray icon")?;
    rest(Duration::from_secs(1));
    // Everything that the first popup needs is there from here on.
    run(&bus, &feeds, 40)?;
    let (mut halves, mut most) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut times = run(&bus, &feeds, EVENTS)?;
        halves.push(quantile(&mut times, 50));
        most.push(quantile(&mut times, 99));
    }
    figures.at_most("server's write → Notify on the bus, 10/s: p50", median(halves), Unit::Millis, 2.0);
    figures.at_most("server's write → Notify on the bus, 10/s: p99", median(most), Unit::Millis, 10.0);
    Ok(())
}

/// The time that each of so many events took, in ms.
fn run(bus: &Bus, feeds: &Feeds, count: u32) -> Result<Vec<f64>> {
    let mut stream = feeds.stream(1)?;
    let mut times = Vec::new();
    pace(10, count, |number| {
        let title = format!("disk almost full on host{number}");
        let event = format!(
            "event: alert\ndata: {{\"title\":\"{title}\",\"message\":\"/var/lib is 93 % full\",\"priority\":3,\
             \"url\":\"https://alerts.example.org/{number}\"}}\n\n"
        );
        let written = Instant::now();
        stream.write_all(event.as_bytes())?;
        let (summary, called) = bus.popups.recv_timeout(PATIENCE).context("no popup")?;
        anyhow::ensure!(summary == title, "{summary:?} instead of {title:?}");
        times.push(millis(called - written));
        Ok(())
    })?;
    Ok(times)
}

//! The resident program's CPU time for an event, from the socket to the committed log.

use std::{io::Write, time::Duration};

use anyhow::Result;
use bellwether_tests::{PATIENCE, Resident, until};

use crate::{
    feeds::{Feeds, typical},
    figures::{Figures, Unit, median, micros},
    process::{self, pace, rest},
};

const RUNS: usize = 5;
const BURST: u32 = 50_000;

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let feeds = Feeds::http()?;
    let mut resident = Resident::prepare();
    let mut config = String::new();
    feeds.declare(&mut config, 1..2, "rule = [{ action = \"log\" }]");
    resident.config(&config).start();
    feeds.wait_for(1);
    let pid = resident.process().pid();
    send_burst(&resident, &feeds, 1, BURST)?;
    for (what, per_second, seconds, budget) in [
        ("an event in a burst of 50,000", None, 0, 26.0),
        ("an event at 1,000/s", Some(1000), 5, 200.0),
        ("an event at 100/s", Some(100), 10, 400.0),
    ] {
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            rest(Duration::from_secs(1));
            let before = process::cpu(pid)?;
            let count = match per_second {
                Some(rate) => send_paced(&resident, &feeds, rate, rate * seconds)?,
                None => send_burst(&resident, &feeds, 1, BURST)?,
            };
            runs.push(micros(process::cpu(pid)?.saturating_sub(before)) / f64::from(count));
        }
        figures.at_most(what, median(runs), Unit::Micros, budget);
    }
    Ok(())
}

/// Sends typical events as fast as they are taken, and waits until they are in the log.
pub(crate) fn send_burst(resident: &Resident, feeds: &Feeds, feed: u32, count: u32) -> Result<u32> {
    let mut stream = feeds.stream(feed)?;
    let before = logged(resident);
    let mut text = String::new();
    for number in 0..u64::from(count) {
        typical(&mut text, before + number);
    }
    stream.write_all(text.as_bytes())?;
    committed(resident, before + u64::from(count));
    Ok(count)
}

fn send_paced(resident: &Resident, feeds: &Feeds, per_second: u32, count: u32) -> Result<u32> {
    let mut stream = feeds.stream(1)?;
    let before = logged(resident);
    pace(per_second, count, |number| {
        let mut text = String::new();
        typical(&mut text, before + u64::from(number));
        Ok(stream.write_all(text.as_bytes())?)
    })?;
    committed(resident, before + u64::from(count));
    Ok(count)
}

/// Asking costs the resident some CPU time, too: little beside what is measured.
fn committed(resident: &Resident, events: u64) {
    until(PATIENCE * 4, &format!("{events} events in the log"), || {
        rest(Duration::from_millis(80));
        logged(resident) >= events
    });
}

fn logged(resident: &Resident) -> u64 {
    let feeds: Vec<bellwether_control::wire::Feed> = resident.get("/feeds");
    feeds.iter().map(|feed| feed.counts.events).sum()
}

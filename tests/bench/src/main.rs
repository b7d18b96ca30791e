//! What Bellwether costs, each figure beside its budget. `cargo xtask bench [NAME]… [--feeds N]` builds a release and runs this;
//! `N` feeds instead of a thousand are the crowd among the connections.
//!
//! A figure is a median of several runs where one run is short, and CPU time rather than time on the clock where the budget is
//! about work. They hold for the machine they were taken on, alone on it. A budget that is missed is no error here.

mod bus;
mod connections;
mod cpu;
mod deciding;
mod decoding;
mod event_log;
mod feeds;
mod figures;
mod memory;
mod popups;
mod process;
mod start;
mod window;

use std::process::ExitCode;

use anyhow::Result;

use crate::figures::Figures;

type Measure = fn(&mut Figures) -> Result<()>;

/// Every group of figures, in the order in which they are taken.
const GROUPS: [(&str, Measure); 9] = [
    ("memory", memory::measure),
    ("connections", connections::measure),
    ("cpu", cpu::measure),
    ("popups", popups::measure),
    ("start", start::measure),
    ("deciding", deciding::measure),
    ("decoding", decoding::measure),
    ("log", event_log::measure),
    // Last: it takes over the log that was filled for the one before.
    ("window", window::measure),
];

fn main() -> ExitCode {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    let feeds = match crowd(&mut wanted) {
        Ok(feeds) => feeds,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let names = GROUPS.map(|(name, _)| name);
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        eprintln!("there are no figures called {unknown}, only: {}", names.join(", "));
        return ExitCode::FAILURE;
    }
    let mut figures = Figures::begin(feeds);
    for (name, measure) in GROUPS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        figures.group(name);
        if let Err(error) = measure(&mut figures) {
            figures.skipped(&format!("{error:#}"));
        }
    }
    figures.end();
    ExitCode::SUCCESS
}

/// Takes `--feeds N` out of the arguments; 1,000 where it is not among them.
fn crowd(arguments: &mut Vec<String>) -> std::result::Result<u32, String> {
    let Some(at) = arguments.iter().position(|argument| argument == "--feeds") else { return Ok(1000) };
    let number = arguments.drain(at..).nth(1);
    let number = number.and_then(|number| number.parse().ok()).filter(|feeds| (200..=4000).contains(feeds));
    number.ok_or_else(|| "--feeds takes a number from 200 to 4,000, at the end".to_owned())
}

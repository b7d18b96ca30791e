//! `cargo xtask fuzz`: checks new inputs for a while, and adds what it finds to the corpus.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::{
    collections::hash_map::RandomState,
    env,
    hash::{BuildHasher, Hasher},
    panic,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use bellwether_fuzz::{TARGETS, Target};

const USAGE: &str = "usage: cargo xtask fuzz [--seconds N] [--seed N] [TARGET…]";

/// Inputs between two looks at the clock.
const BATCH: u32 = 500;

/// What is wanted.
struct Options {
    /// Time for all targets together.
    seconds: u64,
    seed: u64,
    targets: Vec<&'static Target>,
}

fn main() -> Result<ExitCode> {
    let options = options(env::args().skip(1))?;
    let Options { seconds, seed, targets } = &options;
    println!("{seconds} s, seed {seed}");
    // A panic is how a target says no; the find tells of it once, after many while it is made smaller.
    panic::set_hook(Box::new(|_| {}));
    let share = Duration::from_secs(*seconds) / u32::try_from(targets.len())?;
    let mut finds = 0;
    for target in targets {
        finds += u32::from(!fuzz(target, share, *seed)?);
    }
    Ok(if finds == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Fuzzes a target for so long, or to its first find; whether it held.
fn fuzz(target: &Target, time: Duration, mut seed: u64) -> Result<bool> {
    let corpus = target.corpus().with_context(|| target.folder().display().to_string())?;
    let end = Instant::now() + time;
    let mut checked = 0_u64;
    // At least once, so that even no time at all checks something.
    loop {
        if let Err(find) = target.run(&corpus, BATCH, seed) {
            let path = target.keep(&find)?;
            println!("{}: {}\n  {:?}", target.name, find.reason, String::from_utf8_lossy(&find.input));
            println!("  kept as {}", path.display());
            return Ok(false);
        }
        checked += u64::from(BATCH);
        seed = seed.wrapping_add(1);
        if Instant::now() >= end {
            println!("{}: {checked} inputs, nothing found", target.name);
            return Ok(true);
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options =
        Options { seconds: 60, seed: RandomState::new().build_hasher().finish(), targets: Vec::new() };
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let value = arguments.next().context(USAGE)?;
            value.parse().with_context(|| format!("{value:?} is not a number; {USAGE}"))
        };
        match argument.as_str() {
            "--seconds" => options.seconds = number()?,
            "--seed" => options.seed = number()?,
            name => match TARGETS.iter().find(|target| target.name == name) {
                Some(target) => options.targets.push(target),
                None => bail!(
                    "there is no target {name:?}, only {}; {USAGE}",
                    TARGETS.map(|target| target.name).join(", ")
                ),
            },
        }
    }
    if options.targets.is_empty() {
        options.targets = TARGETS.iter().collect();
    }
    Ok(options)
}

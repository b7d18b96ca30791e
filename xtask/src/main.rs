//! Bellwether's chores. `cargo xtask` lists them.
#![allow(clippy::print_stdout, reason = "chores talk to the person at the terminal")]

mod bench;
mod build;
mod check;
mod fuzz;
mod icons;
mod licences;
mod needs;
mod package;
mod run;
mod screenshots;
mod shell;
mod test;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

/// A chore: its name, what it takes, what it does.
type Chore = (&'static str, &'static str, &'static str, fn(&[String]) -> Result<()>);

const CHORES: [Chore; 9] = [
    (
        "run",
        "[--release] [--seconds N] [ARGUMENTS]",
        "build and start Bellwether with its demo feed; without a display in a virtual desktop",
        run::run,
    ),
    ("test", "[FILTER]", "every test there is: units, UI, scenarios in virtual desktops", test::test),
    ("check", "", "formatting, lints and lock files", check::check),
    (
        "bench",
        "[NAME…] [--feeds N]",
        "measure a release build and print the figures beside their budgets",
        bench::bench,
    ),
    (
        "fuzz",
        "[--seconds N] [--seed N] [TARGET…]",
        "look for inputs that break something; finds become test cases in tests/fuzz/corpus",
        fuzz::fuzz,
    ),
    ("package", "", "make the .deb in target/package", package::package),
    (
        "screenshots",
        "[--docs]",
        "take pictures of popup, tray and every view of the window into target/screenshots; --docs: and the best into docs/images",
        screenshots::screenshots,
    ),
    ("icons", "", "draw the rendered icons anew from icons/*.svg", icons::icons),
    ("licences", "", "write the list of packages and licences that the window shows", licences::licences),
];

fn main() -> ExitCode {
    match dispatch(&env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let Some((name, rest)) =
        arguments.split_first().filter(|(name, _)| !["help", "--help", "-h"].contains(&name.as_str()))
    else {
        println!("usage: cargo xtask CHORE\n");
        for (name, takes, does, _) in CHORES {
            println!("  {:<50} {does}", format!("{name} {takes}"));
        }
        return Ok(());
    };
    let Some((.., chore)) = CHORES.iter().find(|(known, ..)| known == name) else {
        bail!("there is no chore {name:?}; `cargo xtask` alone lists them");
    };
    chore(rest)
}

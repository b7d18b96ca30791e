//! `cargo xtask screenshots`: pictures of what a person sees, taken in virtual desktops.

use anyhow::Result;

use crate::build::{self, Profile};
use crate::needs::{self, Group};
use crate::shell::{cargo, run, target};

pub(crate) fn screenshots(arguments: &[String]) -> Result<()> {
    for missing in needs::provide(&[Group::Build, Group::Desktop])? {
        println!("skipped: {missing}");
    }
    let programs = build::programs(Profile::Debug)?;
    let folder = target().join("screenshots");
    let mut shots = cargo(&["run", "--package", "bellwether-tests", "--bin", "screenshots", "--"]);
    shots.arg(&folder).args(arguments).env("BELLWETHER_BIN", programs.bellwether());
    run(&mut shots)?;
    println!("\nthe pictures lie in {}", folder.display());
    Ok(())
}

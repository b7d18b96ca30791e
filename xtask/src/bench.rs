//! `cargo xtask bench`: measures a release build.

use anyhow::Result;

use crate::build::{self, Profile};
use crate::needs::{self, Group};
use crate::shell::{cargo, run};

pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    for missing in needs::provide(&[Group::Build, Group::Desktop])? {
        println!("skipped: {missing}");
    }
    let programs = build::programs(Profile::Release)?;
    run(cargo(&["bench", "--package", "bellwether-engine"]).args(arguments))?;
    let mut whole = cargo(&["run", "--release", "--package", "bellwether-tests", "--bin", "bench", "--"]);
    run(whole.args(arguments).env("BELLWETHER_BIN", programs.bellwether()))
}

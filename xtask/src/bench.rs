//! `cargo xtask bench`: measures a release build.

use anyhow::Result;

use crate::build::{self, Profile};
use crate::needs::{self, Group};
use crate::shell::{cargo, run};

/// Takes the groups of figures with these names, or all of them.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    for missing in needs::provide(&[Group::Build, Group::Desktop])? {
        println!("skipped: {missing}");
    }
    let program = build::resident(Profile::Release)?;
    let mut bench = cargo(&["run", "--release", "--package", "bellwether-bench", "--"]);
    run(bench.args(arguments).env("BELLWETHER_BIN", program))
}

//! `cargo xtask fuzz`: looks for inputs that break something.

use anyhow::Result;

use crate::shell::{cargo, run};

/// Not in release: arithmetic that overflows is to be found, too.
pub(crate) fn fuzz(arguments: &[String]) -> Result<()> {
    run(cargo(&["run", "--quiet", "--package", "bellwether-fuzz", "--"]).args(arguments))
}

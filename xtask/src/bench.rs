//! `cargo xtask bench`: measures a release build.

use anyhow::Result;

use crate::build::{self, Profile};
use crate::needs::{self, Group};
use crate::shell::{cargo, run};

/// Takes the groups of figures with these names, or all of them.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    for missing in needs::provide(&[Group::Build, Group::Desktop, Group::Browser])? {
        println!("skipped: {missing}");
    }
    // The window takes minutes to build.
    let names: Vec<&String> = arguments.iter().take_while(|argument| *argument != "--feeds").collect();
    let program = if names.is_empty() || names.iter().any(|name| *name == "window") {
        build::programs(Profile::Release)?.bellwether()
    } else {
        build::resident(Profile::Release)?
    };
    let mut bench = cargo(&["run", "--release", "--package", "bellwether-bench", "--"]);
    run(bench.args(arguments).env("BELLWETHER_BIN", program))
}

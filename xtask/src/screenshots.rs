//! `cargo xtask screenshots`: pictures of what a person sees, taken in virtual desktops.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::build::{self, Profile};
use crate::needs::{self, Group};
use crate::shell::{cargo, command, installed, root, run, target};

/// Takes the pictures; with `--docs` those in `docs/images` become these, made small by pngquant.
pub(crate) fn screenshots(arguments: &[String]) -> Result<()> {
    let for_docs = match arguments {
        [] => false,
        [argument] if argument == "--docs" => true,
        _ => bail!("screenshots takes nothing but --docs"),
    };
    if for_docs && !installed("pngquant") {
        bail!("--docs needs pngquant: install the package of that name");
    }
    for missing in needs::provide(&[Group::Build, Group::Desktop])? {
        println!("skipped: {missing}");
    }
    let programs = build::programs(Profile::Debug)?;
    let folder = target().join("screenshots");
    let mut shots = cargo(&["run", "--package", "bellwether-tests", "--bin", "screenshots", "--"]);
    run(shots.arg(&folder).env("BELLWETHER_BIN", programs.bellwether()))?;
    println!("\nthe pictures lie in {}", folder.display());
    if for_docs {
        for picture in fs::read_dir(&folder)?.flatten().map(|entry| entry.path()) {
            let name = picture.file_name().and_then(|name| name.to_str()).context("a picture's name")?;
            if name.starts_with("desktop-") {
                let mut small = command("pngquant", &["--force", "--strip", "--speed", "1", "--output"]);
                run(small.arg(root().join("docs/images").join(name)).arg(&picture))?;
            }
        }
    }
    Ok(())
}

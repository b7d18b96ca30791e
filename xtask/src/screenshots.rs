//! `cargo xtask screenshots`: pictures of what a person sees, taken in virtual desktops, and of every view of the window in every
//! state, theme, language and width, taken in a browser from scenes that are made up (`ui/scripts/screenshots.mjs`).

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::build::{self, Profile};
use crate::needs::{self, Group};
use crate::shell::{cargo, command, installed, npm, root, run, target};

/// The scenes of the window that are worth a place in the READMEs; `docs/images` has each of them as `window-SCENE-LANGUAGE-THEME`.
const BEST: [&str; 2] = ["overview", "rules-edit"];

/// Takes the pictures; with `--docs` the best become those in `docs/images`, made small by pngquant.
pub(crate) fn screenshots(arguments: &[String]) -> Result<()> {
    let for_docs = match arguments {
        [] => false,
        [argument] if argument == "--docs" => true,
        _ => bail!("screenshots takes nothing but --docs"),
    };
    if for_docs && !installed("pngquant") {
        bail!("--docs needs pngquant: install the package of that name");
    }
    for missing in needs::provide(&[Group::Build, Group::Desktop, Group::Browser])? {
        println!("skipped: {missing}");
    }
    let programs = build::programs(Profile::Debug)?;
    let folder = target().join("screenshots");
    let mut shots = cargo(&["run", "--package", "bellwether-tests", "--bin", "screenshots", "--"]);
    run(shots.arg(&folder).env("BELLWETHER_BIN", programs.bellwether()))?;
    let views = folder.join("window");
    match needs::node().and_then(|()| needs::chromium()) {
        Ok(chromium) => {
            let mut scenes = npm(&["run", "screenshots", "--"]);
            run(scenes.arg(&views).env("CHROMIUM", chromium))?;
        }
        Err(reason) => println!("skipped: the window's views: {reason:#}"),
    }
    println!("\nthe pictures lie in {}", folder.display());
    if for_docs {
        for picture in fs::read_dir(&folder)?.flatten().map(|entry| entry.path()) {
            let name = picture.file_name().and_then(|name| name.to_str()).context("a picture's name")?;
            if name.starts_with("desktop-") {
                into_docs(&picture, name)?;
            }
        }
        for scene in BEST {
            for (language, theme) in [("en", "light"), ("en", "dark"), ("zh-CN", "light"), ("zh-CN", "dark")]
            {
                let picture = views.join(format!("{scene}-{theme}-{language}-1100.png"));
                into_docs(&picture, &format!("window-{scene}-{language}-{theme}.png"))?;
            }
        }
    }
    Ok(())
}

fn into_docs(picture: &Path, name: &str) -> Result<()> {
    let mut small = command("pngquant", &["--force", "--strip", "--speed", "1", "--output"]);
    run(small.arg(root().join("docs/images").join(name)).arg(picture))
}

//! `cargo xtask check`: formatting, lints and lock files.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::build;
use crate::licences;
use crate::needs::{self, Group};
use crate::shell::{cargo, installed, npm, root, run};

pub(crate) fn check(_arguments: &[String]) -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    locks()?;
    licences::check()?;
    for missing in needs::provide(&[Group::Build])? {
        println!("skipped: {missing}");
    }
    types()?;
    // The window's build takes in the built UI.
    needs::node()?;
    build::ui()?;
    run(&mut npm(&["run", "check"]))?;
    run(&mut cargo(&["clippy", "--all-targets", "--", "-D", "warnings"]))?;
    match needs::webview() {
        Ok(()) => run(&mut cargo(&[
            "clippy",
            "--package",
            "bellwether-window",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))?,
        Err(reason) => println!("\nskipped: clippy on the window: {reason}"),
    }
    if installed("cargo-deny") {
        run(&mut cargo(&["deny", "--all-features", "check"]))?;
    } else {
        println!("\nskipped: cargo deny check (cargo-deny is not installed: cargo install cargo-deny)");
    }
    println!("\nformatting, lints and lock files are fine");
    Ok(())
}

/// The UI's types are those that the control package exports. If not, they are after this, and want to be committed.
fn types() -> Result<()> {
    let before = generated()?;
    run(&mut cargo(&["test", "--quiet", "--package", "bellwether-control", "--lib", "export_bindings"]))?;
    let after = generated()?;
    let changed =
        after.iter().filter(|(name, text)| before.get(*name) != Some(text)).map(|(name, _)| name.as_str());
    let changed: Vec<&str> = changed.collect();
    if !changed.is_empty() {
        bail!(
            "types in ui/src/generated were out of date and have been written anew: {}",
            changed.join(", ")
        );
    }
    Ok(())
}

/// Name and text of each exported type.
fn generated() -> Result<BTreeMap<String, String>> {
    let folder = root().join("ui/src/generated");
    let mut types = BTreeMap::new();
    for file in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let file = file?;
        types.insert(file.file_name().to_string_lossy().into_owned(), fs::read_to_string(file.path())?);
    }
    Ok(types)
}

/// Lock files name public registries only: the mirror that a machine happens to use is not to be had elsewhere.
fn locks() -> Result<()> {
    let read = |name: &str| fs::read_to_string(root().join(name)).with_context(|| name.to_owned());
    let crates = ("source = \"", ["registry+https://github.com/rust-lang/crates.io-index\""]);
    let packages = ("\"resolved\": \"", ["https://registry.npmjs.org/"]);
    let files = [
        ("Cargo.lock", crates),
        ("ui/package-lock.json", packages),
        ("tests/servers/package-lock.json", packages),
    ];
    for (name, (key, known)) in files {
        if let Some(line) = foreign(&read(name)?, key, &known) {
            bail!("{name} names a registry that others cannot reach: {line}");
        }
    }
    Ok(())
}

/// The first line that begins with `key` and goes on with none of `known`.
fn foreign<'a>(text: &'a str, key: &str, known: &[&str]) -> Option<&'a str> {
    text.lines().map(str::trim).find(|line| {
        line.strip_prefix(key).is_some_and(|value| !known.iter().any(|known| value.starts_with(known)))
    })
}

#[cfg(test)]
mod tests {
    use super::foreign;

    #[test]
    fn a_mirror_in_a_lock_file_is_found() {
        let known = ["https://registry.npmjs.org/"];
        let check = |line: &str, found: bool| {
            assert_eq!(foreign(line, "\"resolved\": \"", &known).is_some(), found, "{line}");
        };
        check("  \"resolved\": \"https://registry.npmjs.org/a/-/a-1.tgz\",", false);
        check("  \"resolved\": \"http://mirror.internal/a/-/a-1.tgz\",", true);
        check("  \"integrity\": \"sha512-…\",", false);
    }
}

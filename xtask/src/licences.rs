//! `cargo xtask licences`: which packages of others the shipped programs hold, and under which licences, for the window to show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell::{cargo, output, root};

/// The programs that are shipped.
const PROGRAMS: [&str; 2] = ["bellwether", "bellwether-window"];
/// The system that the package is made for.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";
/// What the window's page is bundled with, and where it comes from.
const BUNDLED: [(&str, &str); 4] = [
    ("@tauri-apps/api", "https://github.com/tauri-apps/tauri"),
    ("clsx", "https://github.com/lukeed/clsx"),
    ("esm-env", "https://github.com/benmccann/esm-env"),
    ("svelte", "https://github.com/sveltejs/svelte"),
];
/// Where the window has them.
const FILE: &str = "ui/src/views/settings/licences.json";

/// Something of others: name and version; licence and repository.
type Packages = BTreeMap<(String, String), (String, String)>;

pub(crate) fn licences(_arguments: &[String]) -> Result<()> {
    let text = listed(&packages()?);
    fs::write(root().join(FILE), &text).context(FILE)?;
    println!("{FILE}: {} packages", text.lines().count().saturating_sub(2));
    Ok(())
}

/// Fails if the list is not that of the lock files.
pub(crate) fn check() -> Result<()> {
    if fs::read_to_string(root().join(FILE)).context(FILE)? != listed(&packages()?) {
        bail!("{FILE} does not fit the lock files; cargo xtask licences writes it anew");
    }
    Ok(())
}

fn packages() -> Result<Packages> {
    let metadata = output(&mut cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        PLATFORM,
    ]))?;
    let mut packages = crates(&serde_json::from_str(&metadata)?)?;
    let lock = fs::read_to_string(root().join("ui/package-lock.json")).context("ui/package-lock.json")?;
    packages.extend(modules(&serde_json::from_str(&lock)?)?);
    Ok(packages)
}

/// What the programs are linked with: not what takes part in the build alone.
fn crates(metadata: &Value) -> Result<Packages> {
    let by_id = |list: &Value| -> BTreeMap<String, Value> {
        let items = list.as_array().into_iter().flatten();
        items.map(|item| (text(&item["id"]), item.clone())).collect()
    };
    let packages = by_id(&metadata["packages"]);
    let nodes = by_id(&metadata["resolve"]["nodes"]);
    let mut open: Vec<String> = packages
        .iter()
        .filter(|(_, package)| PROGRAMS.contains(&text(&package["name"]).as_str()))
        .map(|(id, _)| id.clone())
        .collect();
    if open.len() != PROGRAMS.len() {
        bail!("cargo metadata knows {} of the programs {PROGRAMS:?}", open.len());
    }
    let mut seen = BTreeSet::new();
    let mut found = Packages::new();
    while let Some(id) = open.pop() {
        let Some(package) = packages.get(&id).filter(|package| !is_macro(package)) else { continue };
        if !seen.insert(id.clone()) {
            continue;
        }
        // A package of the workspace has no source.
        if !package["source"].is_null() {
            let licence = Some(text(&package["license"])).filter(|licence| !licence.is_empty());
            let licence = licence.unwrap_or_else(|| text(&package["license_file"]));
            found.insert(
                (text(&package["name"]), text(&package["version"])),
                (licence, text(&package["repository"])),
            );
        }
        let needs = nodes.get(&id).and_then(|node| node["deps"].as_array()).into_iter().flatten();
        open.extend(needs.filter(|need| is_linked(need)).map(|need| text(&need["pkg"])));
    }
    Ok(found)
}

/// Whether it runs in the compiler.
fn is_macro(package: &Value) -> bool {
    let targets = package["targets"].as_array().into_iter().flatten();
    targets
        .flat_map(|target| target["kind"].as_array().into_iter().flatten())
        .any(|kind| kind == "proc-macro")
}

/// Whether it is no need of the build or the tests alone.
fn is_linked(need: &Value) -> bool {
    need["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null())
}

fn modules(lock: &Value) -> Result<Packages> {
    BUNDLED
        .iter()
        .map(|(name, repository)| {
            let module = &lock["packages"][format!("node_modules/{name}")];
            let version = module["version"].as_str().with_context(|| format!("{name} is in no lock file"))?;
            Ok((
                (String::from(*name), version.to_owned()),
                (text(&module["license"]), String::from(*repository)),
            ))
        })
        .collect()
}

/// One a line, so that a change can be read.
fn listed(packages: &Packages) -> String {
    let mut list = String::from("[");
    for (at, ((name, version), (license, repository))) in packages.iter().enumerate() {
        let package = serde_json::json!({ "name": name, "version": version, "license": license, "repository": repository });
        let _ = write!(list, "{}\n  {package}", if at == 0 { "" } else { "," });
    }
    list + "\n]\n"
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_linked_is_listed_and_what_builds_is_not() {
        let package = |name: &str, source: Value, kind: &str| {
            json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT", "license_file": null,
                "repository": "https://example.org", "source": source, "targets": [{ "kind": [kind] }] })
        };
        let need = |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let registry = || json!("registry");
        let metadata = json!({
            "packages": [
                package("bellwether", Value::Null, "bin"),
                package("bellwether-window", Value::Null, "bin"),
                package("engine", Value::Null, "lib"),
                package("linked", registry(), "lib"),
                package("deeper", registry(), "lib"),
                package("derive", registry(), "proc-macro"),
                package("syntax", registry(), "lib"),
                package("tester", registry(), "lib"),
            ],
            "resolve": { "nodes": [
                { "id": "bellwether", "deps": [need("engine", Value::Null), need("tester", json!("dev"))] },
                { "id": "engine", "deps": [need("linked", Value::Null), need("derive", Value::Null)] },
                { "id": "linked", "deps": [need("deeper", Value::Null), need("tester", json!("build"))] },
                { "id": "derive", "deps": [need("syntax", Value::Null)] },
            ] },
        });
        let names: Vec<String> = crates(&metadata).unwrap().into_keys().map(|(name, _)| name).collect();
        assert_eq!(names, ["deeper", "linked"]);
        assert!(crates(&json!({ "packages": [], "resolve": { "nodes": [] } })).is_err());
    }

    #[test]
    fn the_list_is_that_of_the_lock_files() {
        let own = fs::read_to_string(root().join(FILE)).unwrap();
        let listed: Vec<Value> = serde_json::from_str(&own).unwrap();
        let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
        for package in listed {
            let (name, version) = (text(&package["name"]), text(&package["version"]));
            assert!(!text(&package["license"]).is_empty(), "{name} has no licence");
            let bundled = BUNDLED.iter().any(|(bundled, _)| *bundled == name);
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(bundled || lock.contains(&entry), "{name} {version} is not in Cargo.lock");
        }
    }
}

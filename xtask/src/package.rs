//! `cargo xtask package`: the Debian package with both programs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::build::{self, Profile, Programs};
use crate::needs::{self, Group};
use crate::shell::{command, installed, output, root, run, target};

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn package(_arguments: &[String]) -> Result<()> {
    for missing in needs::provide(&[Group::Build, Group::Package])? {
        println!("skipped: {missing}");
    }
    if !installed("dpkg-deb") || !installed("dpkg-shlibdeps") {
        bail!("a .deb is made on Debian or Ubuntu, with dpkg-dev installed");
    }
    let programs = build::programs(Profile::Release)?;
    if let Some(reason) = &programs.no_window {
        bail!("the package holds both programs, but the window cannot be built: {reason}");
    }
    let architecture = output(&mut command("dpkg", &["--print-architecture"]))?.trim().to_owned();
    let folder = target().join("package");
    let tree = Tree::new(folder.join("tree"))?;
    fill(&tree, &programs)?;
    control(&tree, &programs, &architecture)?;

    let package = folder.join(format!("bellwether_{VERSION}_{architecture}.deb"));
    let mut deb = command("dpkg-deb", &["--root-owner-group", "-Zxz", "--build"]);
    // The commit's time, so that the same commit makes the same package.
    if let Ok(time) = output(&mut command("git", &["log", "-1", "--format=%ct"])) {
        deb.env("SOURCE_DATE_EPOCH", time.trim());
    }
    run(deb.arg(&tree.root).arg(&package))?;
    run(command("dpkg-deb", &["--info"]).arg(&package))?;
    println!("\nthe package is {}", package.display());
    Ok(())
}

/// Everything that the package installs.
fn fill(tree: &Tree, programs: &Programs) -> Result<()> {
    for program in ["bellwether", "bellwether-window"] {
        tree.add(&programs.folder.join(program), &format!("usr/bin/{program}"), "755")?;
    }
    let packaging = root().join("src-tauri/packaging");
    let entry = packaging.join("bellwether.desktop");
    if installed("desktop-file-validate") {
        run(command("desktop-file-validate", &[]).arg(&entry))?;
    }
    tree.add(&entry, "usr/share/applications/bellwether.desktop", "644")?;
    for size in [16, 24, 32, 48, 64, 128, 256, 512] {
        let icon = root().join(format!("icons/app/{size}.png"));
        tree.add(&icon, &format!("usr/share/icons/hicolor/{size}x{size}/apps/bellwether.png"), "644")?;
    }
    tree.add(&root().join("icons/app.svg"), "usr/share/icons/hicolor/scalable/apps/bellwether.svg", "644")?;
    tree.add(&packaging.join("copyright"), "usr/share/doc/bellwether/copyright", "644")?;
    tree.add(&root().join("CHANGELOG.md"), "usr/share/doc/bellwether/changelog", "644")?;
    run(command("gzip", &["--best", "--no-name"]).arg(tree.root.join("usr/share/doc/bellwether/changelog")))
}

/// What dpkg is told about the package.
fn control(tree: &Tree, programs: &Programs, architecture: &str) -> Result<()> {
    let listed = output(
        command("du", &["--summarize", "--apparent-size", "--block-size=1024"]).arg(tree.root.join("usr")),
    )?;
    let size = listed.split_whitespace().next().context("du prints a number")?;
    let template = fs::read_to_string(root().join("src-tauri/packaging/control.in"))?;
    let control = template
        .replace("{version}", VERSION)
        .replace("{architecture}", architecture)
        .replace("{installed_size}", size)
        .replace("{depends}", &depends(programs)?);
    tree.write("DEBIAN/control", &control)?;
    let list = command("sh", &["-c", "find usr -type f | LC_ALL=C sort | xargs md5sum"])
        .current_dir(&tree.root)
        .output()?;
    tree.write("DEBIAN/md5sums", &String::from_utf8(list.stdout)?)
}

/// The packages, with versions, of the libraries that the programs are linked to.
fn depends(programs: &Programs) -> Result<String> {
    // dpkg-shlibdeps works in a source package's folder only.
    let source = target().join("package/source");
    fs::create_dir_all(source.join("debian"))?;
    fs::write(
        source.join("debian/control"),
        "Source: bellwether\n\nPackage: bellwether\nArchitecture: any\n",
    )?;
    let mut shlibdeps = command("dpkg-shlibdeps", &["-O"]);
    shlibdeps.current_dir(&source);
    for program in ["bellwether", "bellwether-window"] {
        shlibdeps.arg("-e").arg(programs.folder.join(program));
    }
    let found = output(&mut shlibdeps)?;
    let depends = found.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    Ok(depends.context("dpkg-shlibdeps found no libraries")?.to_owned())
}

/// The package's files before they are packed.
struct Tree {
    root: PathBuf,
}

impl Tree {
    fn new(root: PathBuf) -> Result<Self> {
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        let tree = Self { root };
        tree.folder("DEBIAN")?;
        Ok(tree)
    }

    /// Copies a file to its place, with these rights.
    fn add(&self, file: &Path, to: &str, mode: &str) -> Result<()> {
        self.folder(Path::new(to).parent().and_then(Path::to_str).unwrap_or_default())?;
        output(command("install", &["-m", mode]).arg(file).arg(self.root.join(to))).map(drop)
    }

    fn write(&self, to: &str, text: &str) -> Result<()> {
        let file = self.root.join(to);
        fs::write(&file, text)?;
        output(command("chmod", &["644"]).arg(&file)).map(drop)
    }

    /// Makes a folder that everyone may read, whatever this user's umask is.
    fn folder(&self, path: &str) -> Result<()> {
        let mut folder = self.root.clone();
        for part in std::iter::once("").chain(path.split('/')) {
            folder.push(part);
            output(command("install", &["-d", "-m", "755"]).arg(&folder))?;
        }
        Ok(())
    }
}

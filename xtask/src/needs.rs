//! What a fresh machine needs beside Rust and Node, and how it gets it.

use std::env;
use std::io::{IsTerminal, stdin};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::shell::{command, installed, output, shown};

/// Oldest Node that builds the UI.
const NODE: (u32, u32) = (20, 19);

/// Things that belong together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Compiler and the system's webview, to build both programs.
    Build,
    /// The virtual desktop (`tests/desktop/with-desktop`) and what drives the window in it.
    Desktop,
    /// The servers that the scenarios connect to.
    Servers,
    /// The browser in which the window is tried and measured.
    Browser,
    /// Drawing icons.
    Icons,
    /// Making the package.
    Package,
}

impl Group {
    /// Debian's and Ubuntu's packages.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Build => &["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev"],
            Self::Desktop => &[
                "xvfb",
                "openbox",
                "dunst",
                "xfce4-notifyd",
                "xfce4-panel",
                "xfconf",
                "dbus",
                "libglib2.0-bin",
                "libnotify-bin",
                "x11-utils",
                "xdotool",
                "imagemagick",
                "python3",
                "python3-gi",
                "librsvg2-common",
                "adwaita-icon-theme",
                "hicolor-icon-theme",
                "fonts-dejavu-core",
                "fonts-noto-cjk",
                "webkit2gtk-driver",
                "procps",
                "gnome-keyring",
            ],
            Self::Servers => &[
                "php-cli",
                "php-sqlite3",
                "golang-go",
                "nginx",
                "openssl",
                "tinyproxy-bin",
                "microsocks",
                "tzdata",
            ],
            Self::Browser => &["chromium"],
            Self::Icons => &["librsvg2-bin"],
            Self::Package => &["dpkg-dev", "desktop-file-utils"],
        }
    }
}

/// Something that the machine lacks and could not get, in one line with its reason.
pub(crate) type Missing = String;

/// Installs what is missing of these groups, where this machine can. What it cannot is told, and left to the caller: much goes
/// on without.
pub(crate) fn provide(groups: &[Group]) -> Result<Vec<Missing>> {
    if !installed("dpkg-query") {
        return Ok(elsewhere(groups));
    }
    let wanted: Vec<&str> = groups.iter().flat_map(|group| group.packages()).copied().collect();
    let lacking = lacking(&wanted)?;
    if lacking.is_empty() {
        return Ok(Vec::new());
    }
    let Some(apt) = apt() else {
        let reason = "needs root, and sudo is not to be had";
        return Ok(vec![format!("{reason}: apt-get install {}", lacking.join(" "))]);
    };
    println!("installing what this machine lacks: {}", lacking.join(" "));
    if let Err(error) = quietly(&mut apt(&["update"])) {
        println!("apt-get update: {error:#}");
    }
    if quietly(install(&apt, &lacking)).is_ok() {
        return Ok(Vec::new());
    }
    // One that is not to be had must not keep away the others.
    let mut missing = Vec::new();
    for package in lacking {
        if let Err(error) = quietly(install(&apt, &[package])) {
            missing.push(format!("package {package}: {error:#}"));
        }
    }
    Ok(missing)
}

/// Says in one line what is wrong with Node, unless it is there and new enough.
pub(crate) fn node() -> Result<()> {
    let (major, minor) = NODE;
    let what_to_do =
        format!("install Node {major}.{minor} or newer with npm (https://nodejs.org/en/download)");
    let version = output(&mut command("node", &["--version"])).with_context(|| what_to_do.clone())?;
    let mut numbers =
        version.trim().trim_start_matches('v').split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < NODE {
        bail!("Node {} is too old: {what_to_do}", version.trim());
    }
    if !installed(if cfg!(windows) { "npm.cmd" } else { "npm" }) && !installed("npm") {
        bail!("npm is missing: {what_to_do}");
    }
    Ok(())
}

/// Where Chromium is: `CHROMIUM`, or where Debian has it.
pub(crate) fn chromium() -> Result<PathBuf> {
    let path = env::var_os("CHROMIUM").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from);
    if !path.is_file() {
        bail!("there is no Chromium at {}: install one, or let CHROMIUM say where it is", path.display());
    }
    Ok(path)
}

/// Says in one line that the system's webview cannot be built against, if so.
pub(crate) fn webview() -> Result<()> {
    if cfg!(target_os = "linux")
        && quietly(&mut command("pkg-config", &["--exists", "webkit2gtk-4.1"])).is_err()
    {
        bail!("the development files of WebKitGTK 4.1 are not installed");
    }
    Ok(())
}

/// Those that are not installed.
fn lacking<'a>(wanted: &[&'a str]) -> Result<Vec<&'a str>> {
    let mut query = command("dpkg-query", &["--show", "--showformat=${db:Status-Status} ${Package}\n"]);
    // It fails when it does not know a package, but lists the others.
    let output = query.args(wanted).output().context("cannot start dpkg-query")?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let there = |package: &str| listed.lines().any(|line| line.strip_prefix("installed ") == Some(package));
    Ok(wanted.iter().copied().filter(|package| !there(package)).collect())
}

/// How to call apt-get with the rights that it needs, if there is a way.
fn apt() -> Option<impl Fn(&[&str]) -> Command> {
    let root = output(&mut command("id", &["-u"])).is_ok_and(|id| id.trim() == "0");
    let free_sudo = || installed("sudo") && quietly(&mut command("sudo", &["-n", "true"])).is_ok();
    let asking_sudo = || installed("sudo") && stdin().is_terminal();
    let prefix: &[&str] = match () {
        () if root => &["env"],
        () if free_sudo() => &["sudo", "-n", "env"],
        () if asking_sudo() => &["sudo", "env"],
        () => return None,
    };
    Some(move |arguments: &[&str]| {
        let mut apt = command(prefix[0], &prefix[1..]);
        // Another apt-get may be at work: wait for it, up to ten minutes.
        apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600"]);
        apt.args(arguments);
        apt
    })
}

fn install(apt: &impl Fn(&[&str]) -> Command, packages: &[&str]) -> Command {
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

/// Runs a command; what it said matters only when it fails, and then its last line does.
fn quietly(mut command: impl std::borrow::BorrowMut<Command>) -> Result<()> {
    let command = command.borrow_mut();
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output();
    let output = output.with_context(|| format!("cannot start {}", shown(command)))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    bail!("{}", said.trim().lines().last().unwrap_or("it failed without a word").trim());
}

/// What to install by hand where there is no apt-get.
fn elsewhere(groups: &[Group]) -> Vec<Missing> {
    let mut missing = Vec::new();
    if groups.contains(&Group::Build) && webview().is_err() {
        let how = if installed("dnf") {
            "sudo dnf install gcc gcc-c++ make pkgconf-pkg-config webkit2gtk4.1-devel"
        } else if installed("pacman") {
            "sudo pacman -S --needed base-devel webkit2gtk-4.1"
        } else if installed("zypper") {
            "sudo zypper install gcc gcc-c++ make pkg-config webkit2gtk3-devel"
        } else {
            "a C compiler, pkg-config and the development files of WebKitGTK 4.1"
        };
        missing.push(format!("to build the window, install: {how}"));
    }
    if groups.contains(&Group::Desktop)
        && cfg!(target_os = "linux")
        && !(installed("Xvfb") && installed("dunst"))
    {
        missing.push(
            "for the virtual desktop, install: Xvfb, openbox, dunst, xfce4-notifyd, xfce4-panel, dbus-daemon, gdbus, notify-send, \
             xprop, xdotool, ImageMagick, Python 3 with PyGObject, WebKitWebDriver, gnome-keyring, the Noto CJK fonts"
                .into(),
        );
    }
    let servers = ["php", "go", "nginx", "openssl", "tinyproxy", "microsocks"];
    let servers: Vec<&str> = servers.into_iter().filter(|program| !installed(program)).collect();
    if groups.contains(&Group::Servers) && !servers.is_empty() {
        missing.push(format!("for the scenarios' servers, install: {}", servers.join(", ")));
    }
    if groups.contains(&Group::Browser)
        && let Err(error) = chromium()
    {
        missing.push(format!("for the window's browser tests: {error:#}"));
    }
    if groups.contains(&Group::Icons) && !installed("rsvg-convert") {
        missing.push("to draw icons, install: rsvg-convert (librsvg)".into());
    }
    if groups.contains(&Group::Package) && !installed("dpkg-deb") {
        missing.push("to make a .deb, install: dpkg-dev".into());
    }
    missing
}

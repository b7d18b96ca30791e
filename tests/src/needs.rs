use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;

use crate::resident::program;

/// Something that a scenario needs of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// The virtual desktop with dunst and xfce4-panel.
    Desktop,
    /// The other notification server, xfce4-notifyd.
    XfceNotifier,
    /// The Secret Service, gnome-keyring.
    Keyring,
    /// PHP with SQLite.
    Php,
    /// Node.
    Node,
    /// Go's compiler.
    Go,
    /// nginx, and openssl for its certificate.
    Nginx,
    /// tinyproxy, which speaks HTTP.
    HttpProxy,
    /// microsocks, which speaks SOCKS5.
    SocksProxy,
    /// The window's program beside the resident program, where that looks for it, and WebKitWebDriver to drive it.
    Window,
}

impl Need {
    /// What is missing of it, if anything.
    pub fn missing(self) -> Option<String> {
        let programs: &[&str] = match self {
            Self::Desktop => &[
                "bash",
                "Xvfb",
                "openbox",
                "xprop",
                "dbus-daemon",
                "gdbus",
                "dunst",
                "dunstctl",
                "notify-send",
                "xfce4-panel",
                "import",
                "xdotool",
                "/usr/bin/python3",
            ],
            Self::XfceNotifier => {
                let found = ["/usr/lib", "/usr/libexec"].iter().any(|lib| contains_notifyd(lib));
                return (!found).then(|| "xfce4-notifyd is not installed".into());
            }
            Self::Keyring => &["gnome-keyring-daemon"],
            Self::Php => &["php"],
            Self::Node => &["node"],
            Self::Go => &["go"],
            Self::Nginx => &["nginx", "openssl"],
            Self::HttpProxy => &["tinyproxy"],
            Self::SocksProxy => &["microsocks"],
            Self::Window => {
                let window = program().with_file_name("bellwether-window");
                if !window.is_file() {
                    return Some(format!("{} is not built", window.display()));
                }
                &["WebKitWebDriver"]
            }
        };
        if self == Self::Desktop && !bindings() {
            return Some("PyGObject (python3-gi) is not installed".into());
        }
        let missing: Vec<&str> = programs.iter().copied().filter(|program| !installed(program)).collect();
        (!missing.is_empty()).then(|| format!("{} not installed", missing.join(", ")))
    }
}

/// Returns from the test, reporting it as skipped, unless the machine has everything that is listed.
#[macro_export]
macro_rules! needs {
    ($($need:expr),+ $(,)?) => {
        $(if let Some(missing) = $crate::Need::missing($need) {
            $crate::skip!("{missing}");
        })+
    };
}

/// Returns from the test and reports it as skipped, with the reason.
#[macro_export]
macro_rules! skip {
    ($($reason:tt)+) => {{
        $crate::report_skip(&format!($($reason)+));
        return;
    }};
}

/// Reports the running test as skipped: a line in the file that `BELLWETHER_SKIPS` names, which `cargo xtask test` sums up.
pub fn report_skip(reason: &str) {
    let line = format!("{}: {reason}\n", thread::current().name().unwrap_or("a test"));
    eprint!("skipped {line}");
    if let Some(path) = env::var_os("BELLWETHER_SKIPS") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("the list of skipped tests can be written");
    }
}

/// Whether the system's Python speaks D-Bus, which the scripts in `tests/desktop` need.
fn bindings() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let python = Command::new("/usr/bin/python3").args(["-c", "from gi.repository import Gio"]).output();
        python.is_ok_and(|python| python.status.success())
    })
}

fn installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // nginx lies where only root's PATH leads.
    env::split_paths(&path).chain(["/usr/sbin".into()]).any(|folder| folder.join(program).is_file())
}

/// Whether `LIB/ARCHITECTURE/xfce4/notifyd/xfce4-notifyd` exists.
fn contains_notifyd(lib: &str) -> bool {
    let folders = std::fs::read_dir(lib).into_iter().flatten().flatten();
    folders.into_iter().any(|folder| folder.path().join("xfce4/notifyd/xfce4-notifyd").is_file())
}

//! Takes pictures of what a person sees, light and dark, in English and Chinese, into the folder that is named.
//!
//! Run by `cargo xtask screenshots`.

use std::path::{Path, PathBuf};

use bellwether_control::wire::Update;
use bellwether_tests::{Desktop, Need, Notifications, PATIENCE, Resident, until};

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/screenshots".into()));
    if let Some(missing) = Need::Desktop.missing() {
        println!("skipped: {missing}");
        return;
    }
    for (language, locale) in [("en", "en_US.UTF-8"), ("zh-CN", "zh_CN.UTF-8")] {
        for (theme, gtk_theme) in [("light", "Adwaita"), ("dark", "Adwaita:dark")] {
            take(
                &folder,
                &format!("{language}-{theme}"),
                &[("LANGUAGE", language), ("LANG", locale), ("GTK_THEME", gtk_theme)],
            );
        }
    }
}

/// The demo feed after its first popups, with the window open and the tray's icon in the panel.
fn take(folder: &Path, name: &str, environment: &[(&str, &str)]) {
    let desktop = Desktop::with(&["--wallpaper"]);
    let popups = Notifications::watch(&desktop);
    let mut resident = Resident::prepare();
    resident.in_desktop(&desktop);
    for (variable, value) in environment {
        resident.env(variable, value);
    }
    resident.start_with(&["--demo"]);
    let mut updates = resident.updates();
    until(PATIENCE, "two popups", || popups.popups().len() >= 2);
    until(PATIENCE, "the window", || desktop.windows().iter().any(|title| title.contains("Bellwether")));
    // By then the window has long drawn what it shows.
    updates.wait_for(PATIENCE, "one more event", |update| matches!(update, Update::Event(_)));
    let picture = folder.join(format!("window-{name}.png"));
    desktop.shot(&picture);
    println!("{}", picture.display());
}

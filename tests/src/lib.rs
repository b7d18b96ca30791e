//! What the scenarios stand on: real servers, a throw-away desktop with a real notification server and tray host, and the real
//! resident program in a profile of its own. Nothing here outlives its test: every process is ended by its group, also when the
//! test itself is killed.
//!
//! ```no_run
//! # use bellwether_tests::*; use std::time::Duration;
//! #[test]
//! fn an_event_becomes_a_popup() {
//!     needs!(Need::Desktop, Need::Php);                       // else the test is reported as skipped
//!     let desktop = Desktop::start();
//!     let popups = Notifications::watch(&desktop);
//!     let php = Server::php();
//!     let mut resident = Resident::prepare();
//!     resident.in_desktop(&desktop).config(&format!("[[feed]]\nid = 'time'\nurl = '{}'", php.url("/000_time.php")));
//!     resident.start();
//!     popups.wait_for(|popup| popup.body.contains("Server Time"));
//! }
//! ```

mod control;
mod desktop;
#[cfg(target_os = "linux")]
mod lan;
mod many_events;
mod needs;
mod notification_server;
mod notifications;
mod numbered;
mod process;
mod resident;
mod rough;
mod server;
mod source;
mod tls;
mod until;
mod webdriver;
mod window;

pub use control::{Answer, Control, Updates};
pub use desktop::Desktop;
#[cfg(target_os = "linux")]
pub use lan::Lan;
pub use many_events::{LOG_FEEDS, append_events, make_large_log, time_of_event};
pub use needs::{Need, report_skip};
pub use notification_server::{Manner, NotificationServer};
pub use notifications::{Notifications, Popup};
pub use numbered::{Flow, NumberedStream, Random, Request};
pub use process::Process;
pub use resident::{Resident, program};
pub use rough::{Mishaps, Progress, RoughServer};
pub use server::{Server, free_port};
pub use source::Source;
pub use tls::{Authority, Identity, TlsFront};
pub use until::{PATIENCE, until, until_some};
pub use webdriver::{Page, WINDOW_PATIENCE, WebDriver};

use std::path::{Path, PathBuf};

/// The folder of this package: `tests/`.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the build puts its results.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| here().parent().expect("tests/ lies in the workspace").join("target"), PathBuf::from)
}

//! What Bellwether needs on this machine, and what to do where it is missing: for the command line and for the window.

mod desktop;
mod files;

use bellwether_control::{client::ClientError, messages::Catalogue, paths::Profile, wire};
use serde::Serialize;

use crate::{
    cli::{control_sentence, time},
    keyring::Keyring,
};

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One thing that was looked at.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(crate) struct Check {
    /// A stable name.
    pub(crate) name: &'static str,
    /// Whether all is well.
    pub(crate) ok: bool,
    /// Whether Bellwether cannot do its work without it.
    pub(crate) essential: bool,
    /// What it is; where it is not well, what is wrong and what to do.
    pub(crate) detail: String,
}

impl Check {
    fn ok(name: &'static str, detail: String) -> Self {
        Self { name, ok: true, essential: false, detail }
    }

    fn missing(name: &'static str, detail: String) -> Self {
        Self { name, ok: false, essential: false, detail }
    }

    fn essential(self) -> Self {
        Self { essential: true, ..self }
    }

    /// What was looked at.
    pub(crate) fn title(&self, catalogue: &Catalogue) -> String {
        let own = format!("cli.doctor.check.{}", self.name);
        let part = format!("part.{}", self.name);
        catalogue.text(if catalogue.has(&own) { &own } else { &part }).to_owned()
    }

    /// Whether it is well, by shape and word.
    pub(crate) fn verdict(&self, catalogue: &Catalogue) -> String {
        let (shape, key) = match (self.ok, self.essential) {
            (true, _) => ('✓', "cli.doctor.ok"),
            (false, false) => ('–', "cli.doctor.missing"),
            (false, true) => ('✗', "cli.doctor.missing"),
        };
        format!("{shape} {}", catalogue.text(key))
    }
}

/// Looks at everything.
pub(crate) async fn look(
    profile: &Profile,
    status: &Result<wire::Status, ClientError>,
    catalogue: &Catalogue,
) -> Vec<Check> {
    let running = status.as_ref().ok();
    let mut checks = vec![version(running, catalogue)];
    checks.extend(files::folders(profile, catalogue));
    checks.push(files::feeds_toml(profile, running, catalogue));
    checks.push(files::event_log(profile, catalogue));
    checks.push(resident(status, catalogue));
    match running {
        // What counts is what the resident program sees; this shell may be in another session.
        Some(status) => checks.extend(status.parts.iter().map(|part| desktop::check(part, catalogue))),
        None => checks.extend(desktop::parts().await.iter().map(|part| desktop::check(part, catalogue))),
    }
    checks.push(keyring(catalogue).await);
    checks
}

fn version(status: Option<&wire::Status>, catalogue: &Catalogue) -> Check {
    match status {
        Some(status) if status.version != VERSION => {
            let values = [("running", status.version.as_str()), ("own", VERSION)];
            Check::missing("version", catalogue.format("cli.doctor.other_version", &values))
        }
        _ => Check::ok("version", VERSION.to_owned()),
    }
}

/// The keyring as this shell's session has it.
async fn keyring(catalogue: &Catalogue) -> Check {
    const NAME: &str = "keyring";
    let found = tokio::task::spawn_blocking(Keyring::find).await;
    match found.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(name) => Check::ok(NAME, name),
        Err(cause) => Check::missing(NAME, catalogue.format("cli.doctor.no_keyring", &[("reason", &cause)])),
    }
}

fn resident(status: &Result<wire::Status, ClientError>, catalogue: &Catalogue) -> Check {
    match status {
        Ok(status) => {
            let since = time::local(&status.started_at, &jiff::tz::TimeZone::system());
            let pid = status.pid.to_string();
            Check::ok("resident", catalogue.format("cli.doctor.running", &[("pid", &pid), ("since", &since)]))
        }
        // Not to run is no fault.
        Err(error @ ClientError::NotRunning(_)) => {
            Check::missing("resident", control_sentence(error, catalogue))
        }
        Err(error) => Check::missing("resident", control_sentence(error, catalogue)).essential(),
    }
}

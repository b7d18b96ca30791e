//! `bellwether doctor`: what Bellwether needs on this machine, and what to do where it is missing.

mod desktop;
mod files;

use bellwether_control::{client::ClientError, messages::Catalogue, paths::Profile, wire};
use serde::Serialize;

use super::{
    Failure, control_sentence,
    output::{Output, Paint, Span, Table},
    time,
};
use crate::{args::JsonArgs, keyring::Keyring};

/// One thing that was looked at.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Check {
    /// A stable name.
    name: &'static str,
    /// Whether all is well.
    ok: bool,
    /// Whether Bellwether cannot do its work without it.
    essential: bool,
    /// What it is; where it is not well, what is wrong and what to do.
    detail: String,
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
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    /// Whether nothing essential is missing.
    ok: bool,
    version: &'static str,
    checks: &'a [Check],
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Looks at everything; fails if something essential is missing.
pub(super) async fn run(
    args: &JsonArgs,
    profile: &Profile,
    status: Result<wire::Status, ClientError>,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut checks = vec![version(status.as_ref().ok(), catalogue)];
    checks.extend(files::folders(profile, catalogue));
    checks.push(files::feeds_toml(profile, status.as_ref().ok(), catalogue));
    checks.push(files::event_log(profile, catalogue));
    checks.push(resident(&status, catalogue));
    let parts = match status {
        // What counts is what the resident program sees; this shell may be in another session.
        Ok(status) => status.parts,
        Err(_) => desktop::parts().await,
    };
    checks.extend(parts.iter().map(|part| desktop::check(part, catalogue)));
    checks.push(keyring(catalogue).await);
    show(args, &checks, catalogue, output)
}

fn show(
    args: &JsonArgs,
    checks: &[Check],
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    let ok = checks.iter().all(|check| check.ok || !check.essential);
    if args.json {
        output.json(&Report { ok, version: VERSION, checks })?;
    } else {
        let mut table = Table::default();
        for check in checks {
            table.row([verdict(check, catalogue), title(check.name, catalogue), Span::new(&check.detail)]);
        }
        // In full, however narrow the terminal: the details say what to do.
        output.whole_table(&table)?;
        let key = if ok { "cli.doctor.fine" } else { "cli.doctor.not_fine" };
        output.line([catalogue.text(key)])?;
    }
    if ok { Ok(()) } else { Err(Failure::Shown) }
}

fn verdict(check: &Check, catalogue: &Catalogue) -> Span {
    let (shape, key, paint) = match (check.ok, check.essential) {
        (true, _) => ('✓', "cli.doctor.ok", Paint::Green),
        (false, false) => ('–', "cli.doctor.missing", Paint::Yellow),
        (false, true) => ('✗', "cli.doctor.missing", Paint::Red),
    };
    Span::from(format!("{shape} {}", catalogue.text(key))).paint(paint)
}

fn title(name: &str, catalogue: &Catalogue) -> Span {
    let own = format!("cli.doctor.check.{name}");
    let part = format!("part.{name}");
    Span::new(catalogue.text(if catalogue.has(&own) { &own } else { &part }))
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

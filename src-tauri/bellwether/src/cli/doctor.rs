//! `bellwether doctor`: what Bellwether needs on this machine, and what to do where it is missing.

use bellwether_control::{client::ClientError, messages::Catalogue, paths::Profile, wire};
use serde::Serialize;

use super::{
    Failure,
    output::{Output, Paint, Span, Table},
};
use crate::{
    args::JsonArgs,
    doctor::{self, Check, VERSION},
};

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    /// Whether nothing essential is missing.
    ok: bool,
    version: &'static str,
    checks: &'a [Check],
}

/// Looks at everything; fails if something essential is missing.
pub(super) async fn run(
    args: &JsonArgs,
    profile: &Profile,
    status: Result<wire::Status, ClientError>,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    show(args, &doctor::look(profile, &status, catalogue).await, catalogue, output)
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
            table.row([
                verdict(check, catalogue),
                Span::from(check.title(catalogue)),
                Span::new(&check.detail),
            ]);
        }
        // In full, however narrow the terminal: the details say what to do.
        output.whole_table(&table)?;
        let key = if ok { "cli.doctor.fine" } else { "cli.doctor.not_fine" };
        output.line([catalogue.text(key)])?;
    }
    if ok { Ok(()) } else { Err(Failure::Shown) }
}

fn verdict(check: &Check, catalogue: &Catalogue) -> Span {
    let paint = match (check.ok, check.essential) {
        (true, _) => Paint::Green,
        (false, false) => Paint::Yellow,
        (false, true) => Paint::Red,
    };
    Span::from(check.verdict(catalogue)).paint(paint)
}

//! The command line. The resident program writes it, a person rarely does.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use anyhow::{Context as _, bail};

const USAGE: &str = "usage: bellwether-window [--profile DIR] [--event NUMBER | --summary NUMBER]";

/// What the window was started with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Options {
    /// The folder with everything in it; none: the platform's folders.
    pub(crate) profile: Option<PathBuf>,
    /// The event to show first.
    pub(crate) event: Option<u64>,
    /// The popup whose events to show first, and no others.
    pub(crate) summary: Option<u64>,
}

impl Options {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let value =
                || arguments.next().with_context(|| format!("{} needs a value; {USAGE}", name.display()));
            match name.to_str() {
                Some("--profile") => options.profile = Some({ value }()?.into()),
                Some("--event") => {
                    let number = number(&{ value }()?);
                    options.event =
                        Some(number.with_context(|| format!("--event needs an event's number; {USAGE}"))?);
                }
                Some("--summary") => {
                    let number = number(&{ value }()?);
                    options.summary =
                        Some(number.with_context(|| format!("--summary needs a popup's number; {USAGE}"))?);
                }
                _ => bail!("unknown argument {}; {USAGE}", name.display()),
            }
        }
        Ok(options)
    }
}

fn number(text: &OsStr) -> Option<u64> {
    text.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        Options::parse(arguments.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_are_read() {
        assert_eq!(parse(&[]), Ok(Options::default()));
        let all = Options { profile: Some("/p q".into()), event: Some(42), summary: None };
        assert_eq!(parse(&["--event", "42", "--profile", "/p q"]), Ok(all));
        let summary = Options { summary: Some(7), ..Options::default() };
        assert_eq!(parse(&["--summary", "7"]), Ok(summary));
    }

    #[test]
    fn wrong_ones_are_named() {
        for (arguments, fault) in [
            (&["--profile"][..], "--profile needs a value"),
            (&["--event", "-1"], "--event needs an event's number"),
            (&["--summary", "x"], "--summary needs a popup's number"),
            (&["--evnt"], "unknown argument --evnt"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.starts_with(fault) && error.contains("usage:"), "{error}");
        }
    }
}

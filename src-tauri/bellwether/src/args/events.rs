//! The grammar of `bellwether events`.

use std::path::PathBuf;

use bellwether_control::wire;
use clap::{Args, Subcommand, ValueEnum};

use super::values::{Since, parse_since};

/// `events`.
#[derive(Clone, PartialEq, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct EventsArgs {
    /// What to do with them; none: list them.
    #[command(subcommand)]
    pub(crate) action: Option<EventsAction>,
    /// Which.
    #[command(flatten)]
    pub(crate) filter: EventFilter,
    /// At most this many; 0: all
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u64,
    /// One JSON value instead of text, with all data
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which events; all conditions hold together.
#[derive(Clone, PartialEq, Debug, Default, Args)]
pub(crate) struct EventFilter {
    /// Of this feed
    #[arg(long, value_name = "ID")]
    pub(crate) feed: Option<String>,
    /// Of this type
    #[arg(long, value_name = "NAME")]
    pub(crate) event: Option<String>,
    /// Holding these words, or this Chinese text
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only unread ones
    #[arg(long)]
    pub(crate) unread: bool,
    /// Only those without a popup, to see why
    #[arg(long)]
    pub(crate) held_back: bool,
    /// Only those with this outcome, such as shown or held,pending
    #[arg(long, value_name = "OUTCOME", value_delimiter = ',')]
    pub(crate) outcome: Vec<Outcome>,
    /// Not older than this: an RFC 3339 time, or 15m, 2h, 7d
    #[arg(long, value_name = "T", value_parser = parse_since)]
    pub(crate) since: Option<Since>,
    /// Older than this: an RFC 3339 time, or 15m, 2h, 7d
    #[arg(long, value_name = "T", value_parser = parse_since)]
    pub(crate) until: Option<Since>,
}

/// What became of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Outcome {
    /// Its popup was shown
    Shown,
    /// Its popup waits for a notification server
    Pending,
    /// One popup told of it together with others
    Summarized,
    /// In the log only
    Logged,
    /// A rule ignores it
    Ignored,
    /// It closed its feed
    Closed,
    /// Held back, told later
    Held,
}

impl Outcome {
    pub(crate) fn on_the_wire(self) -> wire::Outcome {
        match self {
            Self::Shown => wire::Outcome::Shown,
            Self::Pending => wire::Outcome::Pending,
            Self::Summarized => wire::Outcome::Summarized,
            Self::Logged => wire::Outcome::Logged,
            Self::Ignored => wire::Outcome::Ignored,
            Self::Closed => wire::Outcome::Closed,
            Self::Held => wire::Outcome::Held,
        }
    }
}

/// What can be done with events.
#[derive(Clone, PartialEq, Debug, Subcommand)]
pub(crate) enum EventsAction {
    /// Write events to a file, or to standard output, newest first
    #[command(
        after_help = "Examples:\n  bellwether events export --format csv --feed builds builds.csv\n  bellwether events export --format jsonl --since 7d | jq .title"
    )]
    Export(Box<ExportArgs>),
}

/// `events export`.
#[derive(Clone, PartialEq, Debug, Args)]
pub(crate) struct ExportArgs {
    /// The form: a JSON object a line, or a table for a spreadsheet
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Which.
    #[command(flatten)]
    pub(crate) filter: EventFilter,
    /// The file, which must not be there yet; standard output if left out, or -
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// The form of exported events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object a line
    Jsonl,
    /// A table (RFC 4180) in UTF-8
    Csv,
}

impl Format {
    pub(crate) fn on_the_wire(self) -> wire::ExportFormat {
        match self {
            Self::Jsonl => wire::ExportFormat::Jsonl,
            Self::Csv => wire::ExportFormat::Csv,
        }
    }
}

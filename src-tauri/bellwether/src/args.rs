//! The command line's grammar.

mod events;
mod feeds;
mod rules;
#[cfg(test)]
mod tests;
mod translation;
mod values;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use bellwether_control::messages::{self, Catalogue};
use bellwether_engine::{
    access::mask,
    network::{Network, Proxy},
    subscription::{HeaderName, HeaderValue},
};
use clap::{
    Args, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use url::Url;

pub(crate) use events::{EventFilter, EventsAction, EventsArgs, ExportArgs};
pub(crate) use feeds::{
    CredentialArgs, CredentialKind, FeedSettings, FeedsAction, FeedsArgs, Repeats, SourceArgs,
};
pub(crate) use rules::{RuleAction, RuleKeys, RulesAction, RulesArgs, RulesTestArgs};
pub(crate) use values::Since;
use values::{parse_header, parse_proxy, parse_url};

use crate::cli::Output;

/// The command line as given.
#[derive(Clone, PartialEq, Debug, Parser)]
#[command(
    name = "bellwether",
    version,
    about = "Keeps connections to event streams, and raises a notification for the events that matter",
    after_help = EXAMPLES,
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    /// Keep settings, log and socket in this folder [env: BELLWETHER_HOME]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) profile: Option<PathBuf>,
    /// Start without opening a window
    #[arg(long)]
    pub(crate) background: bool,
    /// Start, and subscribe to the built-in demo feed
    #[arg(long)]
    pub(crate) demo: bool,
    /// What to do instead of starting the resident program.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
Without a command it starts; if it runs already, it opens the window.

Examples:
  bellwether --background                                 start at login, without a window
  bellwether feeds add https://ntfy.sh/mytopic/sse        subscribe to a feed
  bellwether status                                       see how its connection is
  bellwether events --since 2h                            see what came
  bellwether listen https://example.org/events --count 1  wait for one event, without the resident program";

/// What to do instead of starting the resident program.
#[derive(Clone, PartialEq, Debug, Subcommand)]
pub(crate) enum Command {
    /// Print what a stream sends, without the resident program
    #[command(after_help = LISTEN_EXAMPLES)]
    Listen(ListenArgs),
    /// Look what there is at an address: a stream that can be used, or what is wrong and what to do
    #[command(after_help = PROBE_EXAMPLES)]
    Probe(ProbeArgs),
    /// List the providers that Bellwether knows: their addresses, and what lets one in
    #[command(after_help = "Examples:\n  bellwether presets\n  bellwether presets ntfy")]
    Presets(PresetsArgs),
    /// Serve the demo feed in the foreground
    #[command(after_help = "Example:\n  bellwether demo --port 8080")]
    Demo {
        /// The port on 127.0.0.1; 0: any free one
        #[arg(long, value_name = "N", default_value_t = 0)]
        port: u16,
    },
    /// What is asked of the resident program.
    #[command(flatten)]
    Client(ClientCommand),
}

const LISTEN_EXAMPLES: &str = "\
Examples:
  bellwether listen https://example.org/events
  bellwether listen https://example.org/events --event deploy --json | jq .data";

const PROBE_EXAMPLES: &str = "\
Takes up to 10 s, and needs no resident program. If a feed has this address, its TLS files and its proxy are used. Ends with 0 for an event stream that can be used, with 1 otherwise.

Examples:
  bellwether probe https://example.org/events
  bellwether probe https://example.org/events -H 'Authorization: Bearer TOKEN' --json | jq .fault.code";

/// What is asked of the resident program, or in [`ClientCommand::Doctor`]'s case about it.
#[derive(Clone, PartialEq, Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// List the feeds, or change them
    #[command(
        after_help = "Examples:\n  bellwether feeds\n  bellwether feeds add https://example.org/events --name Builds\n  bellwether feeds pause builds"
    )]
    Feeds(FeedsArgs),
    /// Print events from the log, newest first
    #[command(
        after_help = "Examples:\n  bellwether events --feed builds --since 2h\n  bellwether events --search 磁盘 --limit 0 --json"
    )]
    Events(EventsArgs),
    /// Show no popups for a while; what comes meanwhile is told afterwards, in one
    #[command(after_help = SNOOZE_EXAMPLES)]
    Snooze(SnoozeArgs),
    /// Try rules on the events in the log
    Rules(RulesArgs),
    /// Write all settings, without secrets, to a file from which another machine can take them
    #[command(after_help = "Example:\n  bellwether export --events bellwether.jsonl")]
    Export {
        /// The file, which must not be there yet; standard output if it is -
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// With all events in the log
        #[arg(long)]
        events: bool,
    },
    /// Take settings, and events, from a file that was exported; feeds.toml is kept as feeds.toml.before-import
    #[command(after_help = "Example:\n  bellwether import bellwether.jsonl")]
    Import {
        /// The file; standard input if it is -
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show each feed's state, its reason, and what is missing
    #[command(after_help = "Example:\n  bellwether status --json | jq '.feeds[].connection.state'")]
    Status(JsonArgs),
    /// Raise a notification, to see that they work
    TestNotification,
    /// Check what Bellwether needs on this machine
    #[command(after_help = "Ends with 1 if something essential is missing.")]
    Doctor(JsonArgs),
    /// End the resident program
    Quit,
}

const SNOOZE_EXAMPLES: &str = "\
Everything is logged as ever, and rules with urgent = true may still show popups.

Examples:
  bellwether snooze 15m                   for a quarter of an hour; 1h, 1h30m
  bellwether snooze until 08:00           until the clock shows this next
  bellwether snooze tomorrow              until tomorrow, 08:00
  bellwether snooze 2h --feed builds      only this feed
  bellwether snooze off                   no longer; what was held back is told now";

/// `snooze`.
#[derive(Clone, PartialEq, Debug, Args)]
pub(crate) struct SnoozeArgs {
    /// How long, or until when: 15m, 1h30m, 08:00, tomorrow, an RFC 3339 time; off: no longer
    #[arg(required = true, value_name = "TIME")]
    pub(crate) until: Vec<String>,
    /// Only this feed
    #[arg(long, value_name = "ID")]
    pub(crate) feed: Option<String>,
    /// One JSON value instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `listen`.
#[derive(Clone, PartialEq, Debug, Args)]
pub(crate) struct ListenArgs {
    /// The stream's address: http or https
    #[arg(value_parser = parse_url)]
    pub(crate) url: Url,
    /// A header to send, such as 'Authorization: Bearer …'; may be given several times
    #[arg(short = 'H', long = "header", value_name = "K: V", value_parser = parse_header)]
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// How to connect.
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Only events of this type; may be given several times
    #[arg(long = "event", value_name = "NAME")]
    pub(crate) events: Vec<String>,
    /// Ask for what came after this ID
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(crate) last_event_id: String,
    /// End after this many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Send credentials over plain http, where others may read along
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `probe`.
#[derive(Clone, PartialEq, Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The address; one that is none is a cause like any other
    #[arg(required_unless_present = "feed")]
    pub(crate) url: Option<String>,
    /// This feed's address, with its credentials as this shell can read them
    #[arg(long, value_name = "ID", conflicts_with = "url")]
    pub(crate) feed: Option<String>,
    /// A header to send, such as 'Authorization: Bearer …'; may be given several times
    #[arg(short = 'H', long = "header", value_name = "K: V", value_parser = parse_header)]
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Send credentials over plain http, where others may read along
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// How to connect.
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// One JSON value instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a command that connects by itself does so.
#[derive(Clone, PartialEq, Debug, Default, Args)]
pub(crate) struct NetworkArgs {
    /// Trust the authorities in this PEM file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Do not verify the server's certificate: anyone on the way can read along
    #[arg(short = 'k', long)]
    pub(crate) insecure: bool,
    /// Connect by this proxy (http, https, socks5, socks5h), by the system's (system), or by none (none)
    #[arg(long, value_name = "URL", value_parser = parse_proxy)]
    pub(crate) proxy: Option<Proxy>,
}

impl NetworkArgs {
    /// What is given here, and for the rest what `settings` say.
    pub(crate) fn over(&self, settings: Network) -> Network {
        Network {
            ca_file: self.ca_file.clone().or(settings.ca_file),
            client_certificate: settings.client_certificate,
            verify_certificate: settings.verify_certificate && !self.insecure,
            proxy: self.proxy.clone().unwrap_or(settings.proxy),
        }
    }
}

/// A command whose only choice is its form.
#[derive(Clone, Copy, PartialEq, Debug, Args)]
pub(crate) struct JsonArgs {
    /// One JSON value instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `presets`.
#[derive(Clone, PartialEq, Debug, Args)]
pub(crate) struct PresetsArgs {
    /// Only this one, with its help
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// One JSON value instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

impl Arguments {
    /// This process's. What ends the program here is printed, and its exit code returned: 0 for help and version, 2 for wrong
    /// usage.
    pub(crate) fn read() -> Result<Self, ExitCode> {
        Self::from_arguments(std::env::args_os(), messages::system_locale()).map_err(|stop| {
            let mut output = Output::stdio();
            // There is nothing left to tell anyone if even this cannot be written.
            let _ = if stop.code == 0 { output.block(&stop.text) } else { output.complain(&stop.text) };
            let _ = output.flush();
            ExitCode::from(stop.code)
        })
    }

    fn from_arguments(arguments: impl IntoIterator<Item = OsString>, locale: &str) -> Result<Self, Stop> {
        let grammar = match locale {
            "zh-CN" => translation::translated(Self::command(), &translation::texts()),
            _ => Self::command(),
        };
        let stop = |error: clap::Error| Stop::new(&error, &Catalogue::new(locale));
        let cli = grammar.try_get_matches_from(arguments).and_then(|found| Self::from_arg_matches(&found));
        let cli = cli.map_err(stop)?;
        let flag = [(cli.background, "--background"), (cli.demo, "--demo")];
        match flag.into_iter().find(|(given, _)| *given) {
            Some((_, flag)) if cli.command.is_some() => {
                let sentence = Catalogue::new(locale).format("cli.usage.start_only", &[("flag", flag)]);
                Err(stop(Self::command().error(ErrorKind::ArgumentConflict, sentence)))
            }
            _ => Ok(cli),
        }
    }
}

/// Why there is nothing to run.
#[derive(PartialEq, Debug)]
struct Stop {
    code: u8,
    text: String,
}

impl Stop {
    fn new(error: &clap::Error, catalogue: &Catalogue) -> Self {
        let text = without_secrets(error);
        if error.use_stderr() {
            Self { code: 2, text: on_two_lines(&text, catalogue) }
        } else {
            Self { code: 0, text }
        }
    }
}

/// What clap says, which quotes what it does not understand: not a header's value, and no secret in a URL.
fn without_secrets(error: &clap::Error) -> String {
    let text = error.to_string();
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let (name, value) = (context(ContextKind::InvalidArg), context(ContextKind::InvalidValue));
    match value {
        "" => text,
        value if name.starts_with("--header") => text.replace(value, mask::MASK),
        value => text.replace(value, &mask::masked(value)),
    }
}

/// What clap says in paragraphs, as one line with the cause and one with the way out.
fn on_two_lines(error: &str, catalogue: &Catalogue) -> String {
    let mut cause: Vec<&str> = Vec::new();
    let mut usage = "";
    for line in error.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = line.strip_prefix("error: ").unwrap_or(line);
        if let Some(rest) = line.strip_prefix("Usage: ") {
            usage = rest;
        } else if !line.starts_with("For more information") {
            cause.push(line);
        }
    }
    let hint = match usage {
        "" => catalogue.text("cli.usage.more").to_owned(),
        usage => catalogue.format("cli.usage.line", &[("usage", usage)]),
    };
    let cause = cause.join(" ").replace(" tip: ", "; tip: ");
    format!("{}\n{hint}", catalogue.format("cli.usage.wrong", &[("cause", &cause)]))
}

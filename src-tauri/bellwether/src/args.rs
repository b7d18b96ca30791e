//! The command line's grammar.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, error::ErrorKind};
use jiff::{SignedDuration, Timestamp};
use url::Url;

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

/// `listen`.
#[derive(Clone, PartialEq, Debug, Args)]
pub(crate) struct ListenArgs {
    /// The stream's address: http or https
    #[arg(value_parser = parse_url)]
    pub(crate) url: Url,
    /// Only events of this type; may be given several times
    #[arg(long = "event", value_name = "NAME")]
    pub(crate) events: Vec<String>,
    /// Ask for what came after this ID
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(crate) last_event_id: String,
    /// End after this many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// A command whose only choice is its form.
#[derive(Clone, Copy, PartialEq, Debug, Args)]
pub(crate) struct JsonArgs {
    /// One JSON value instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `feeds`.
#[derive(Clone, PartialEq, Debug, Args)]
pub(crate) struct FeedsArgs {
    /// One JSON value instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to change; none: list them.
    #[command(subcommand)]
    pub(crate) action: Option<FeedsAction>,
}

/// A change to the feeds.
#[derive(Clone, PartialEq, Debug, Subcommand)]
pub(crate) enum FeedsAction {
    /// Subscribe to a feed
    #[command(
        after_help = "Example:\n  bellwether feeds add https://example.org/events --id builds --name Builds"
    )]
    Add {
        /// The stream's address: http or https
        url: String,
        /// What commands call it; made from name or address if left out
        #[arg(long)]
        id: Option<String>,
        /// What people call it
        #[arg(long)]
        name: Option<String>,
        /// Do not connect yet
        #[arg(long)]
        paused: bool,
    },
    /// Unsubscribe; its events stay in the log
    Remove {
        /// The feed
        id: String,
    },
    /// Keep a feed without its connection
    Pause {
        /// The feed
        id: String,
    },
    /// Connect a paused feed again
    Resume {
        /// The feed
        id: String,
    },
    /// Try a feed again now, or all of them
    Reconnect {
        /// The feed; all if left out
        id: Option<String>,
    },
    /// Raise a sample notification as this feed's rules make it
    Test {
        /// The feed
        id: String,
    },
    /// Change a feed's settings
    #[command(after_help = "Example:\n  bellwether feeds edit builds --idle-timeout 2m --repeats show")]
    Edit {
        /// The feed
        id: String,
        /// The settings.
        #[command(flatten)]
        settings: FeedSettings,
    },
}

/// What `feeds edit` changes.
#[derive(Clone, PartialEq, Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct FeedSettings {
    /// What people call it
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The stream's address; with a new one the feed starts afresh
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Silence after which the connection counts as dead, such as 90s or 5m; 0: never
    #[arg(long, value_name = "TIME", value_parser = parse_seconds)]
    pub(crate) idle_timeout: Option<u32>,
    /// Whether what a server sends again after a reconnect is news
    #[arg(long, value_name = "HOW")]
    pub(crate) repeats: Option<Repeats>,
}

/// Whether messages that a server sends again are shown again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Repeats {
    /// Count them only
    Hide,
    /// News like any other
    Show,
}

/// `events`.
#[derive(Clone, PartialEq, Debug, Args)]
pub(crate) struct EventsArgs {
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
    /// Not older than this: an RFC 3339 time, or 15m, 2h, 7d
    #[arg(long, value_name = "T", value_parser = parse_since)]
    pub(crate) since: Option<Since>,
    /// At most this many; 0: all
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u64,
    /// One JSON value instead of text, with all data
    #[arg(long)]
    pub(crate) json: bool,
}

/// A point in time as a person gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Since {
    /// This moment.
    At(Timestamp),
    /// So long before now.
    Ago(SignedDuration),
}

impl Since {
    /// The moment, seen from `now`; never before 1970, where no event is either.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(time) => now.checked_sub(time).unwrap_or(Timestamp::MIN),
        }
        .max(Timestamp::UNIX_EPOCH)
    }
}

impl Arguments {
    /// This process's. What ends the program here is printed, and its exit code returned: 0 for help and version, 2 for wrong
    /// usage.
    pub(crate) fn read() -> Result<Self, ExitCode> {
        Self::from_arguments(std::env::args_os()).map_err(|stop| {
            let mut output = Output::stdio();
            // There is nothing left to tell anyone if even this cannot be written.
            let _ = if stop.code == 0 { output.block(&stop.text) } else { output.complain(&stop.text) };
            let _ = output.flush();
            ExitCode::from(stop.code)
        })
    }

    fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Stop> {
        let cli = Self::try_parse_from(arguments)?;
        let flag = [(cli.background, "--background"), (cli.demo, "--demo")];
        match flag.into_iter().find(|(given, _)| *given) {
            Some((_, flag)) if cli.command.is_some() => {
                let sentence = format!("{flag} is for the start, and cannot be used with a command");
                Err(Self::command().error(ErrorKind::ArgumentConflict, sentence).into())
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

impl From<clap::Error> for Stop {
    fn from(error: clap::Error) -> Self {
        let text = error.to_string();
        if error.use_stderr() { Self { code: 2, text: on_two_lines(&text) } } else { Self { code: 0, text } }
    }
}

/// What clap says in paragraphs, as one line with the cause and one with the way out.
fn on_two_lines(error: &str) -> String {
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
    let hint = if usage.is_empty() { "try: bellwether --help".to_owned() } else { format!("usage: {usage}") };
    format!("bellwether: {}\n{hint}", cause.join(" "))
}

fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| {
        format!("it is no address ({error}); it should look like https://example.org/events")
    })?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("{other} is not supported; it has to begin with http:// or https://")),
    }
}

fn parse_since(text: &str) -> Result<Since, String> {
    if let Some(seconds) = seconds(text) {
        return Ok(Since::Ago(SignedDuration::from_secs(seconds)));
    }
    text.parse().map(Since::At).map_err(|_| {
        "give an RFC 3339 time such as 2026-11-20T08:00:00Z, or a time back from now such as 15m, 2h, 7d"
            .into()
    })
}

fn parse_seconds(text: &str) -> Result<u32, String> {
    let time = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        seconds(text).and_then(|seconds| u32::try_from(seconds).ok())
    };
    time.ok_or_else(|| "give seconds, or a time such as 90s, 5m, 2h; 0: never".into())
}

/// A number and one of the units s, m, h, d, w.
fn seconds(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit: u32 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    let number: u32 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    Some(i64::from(number) * i64::from(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, Stop> {
        Arguments::from_arguments(line.split_whitespace().map(OsString::from))
    }

    fn client(line: &str) -> ClientCommand {
        match read(line).unwrap().command {
            Some(Command::Client(command)) => command,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_grammar_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn starts() {
        let bare = Arguments { profile: None, background: false, demo: false, command: None };
        assert_eq!(read("bellwether").unwrap(), bare);
        assert_eq!(
            read("bellwether --background --demo --profile /p").unwrap(),
            Arguments { profile: Some("/p".into()), background: true, demo: true, command: None }
        );
    }

    #[test]
    fn a_profile_may_stand_anywhere() {
        for line in [
            "bellwether --profile /p feeds add http://a/",
            "bellwether feeds --profile /p add http://a/",
            "bellwether feeds add http://a/ --profile /p",
        ] {
            assert_eq!(read(line).unwrap().profile, Some("/p".into()), "{line}");
        }
    }

    #[test]
    fn commands() {
        let id = || "ops".to_owned();
        let settings =
            FeedSettings { name: None, url: None, idle_timeout: Some(300), repeats: Some(Repeats::Show) };
        let actions = [
            ("", None),
            (
                " add http://a/ --id ops --paused",
                Some(FeedsAction::Add { url: "http://a/".into(), id: Some(id()), name: None, paused: true }),
            ),
            (" remove ops", Some(FeedsAction::Remove { id: id() })),
            (" pause ops", Some(FeedsAction::Pause { id: id() })),
            (" resume ops", Some(FeedsAction::Resume { id: id() })),
            (" reconnect", Some(FeedsAction::Reconnect { id: None })),
            (" reconnect ops", Some(FeedsAction::Reconnect { id: Some(id()) })),
            (" test ops", Some(FeedsAction::Test { id: id() })),
            (" edit ops --idle-timeout 5m --repeats show", Some(FeedsAction::Edit { id: id(), settings })),
        ];
        for (rest, action) in actions {
            for (json, flag) in [(false, ""), (true, " --json")] {
                let line = format!("bellwether feeds{rest}{flag}");
                let expected = FeedsArgs { json, action: action.clone() };
                assert_eq!(client(&line), ClientCommand::Feeds(expected), "{line}");
            }
        }
        assert_eq!(client("bellwether status"), ClientCommand::Status(JsonArgs { json: false }));
        assert_eq!(client("bellwether doctor --json"), ClientCommand::Doctor(JsonArgs { json: true }));
        assert_eq!(client("bellwether test-notification"), ClientCommand::TestNotification);
        assert_eq!(client("bellwether quit"), ClientCommand::Quit);
        assert_eq!(read("bellwether demo --port 80").unwrap().command, Some(Command::Demo { port: 80 }));
    }

    #[test]
    fn listen() {
        let line = "bellwether listen http://a/ --event x --event y --last-event-id 7 --count 3 --json";
        let expected = ListenArgs {
            url: Url::parse("http://a/").unwrap(),
            events: vec!["x".into(), "y".into()],
            last_event_id: "7".into(),
            count: Some(3),
            json: true,
        };
        assert_eq!(read(line).unwrap().command, Some(Command::Listen(expected)));
    }

    #[test]
    fn events() {
        let ClientCommand::Events(events) = client("bellwether events") else { panic!() };
        assert_eq!((events.limit, events.json, events.since), (50, false, None));
        let ClientCommand::Events(events) = client(
            "bellwether events --feed ops --event x --search disk --unread --held-back --since 2h --limit 0",
        ) else {
            panic!()
        };
        assert_eq!(events.since, Some(Since::Ago(SignedDuration::from_hours(2))));
        assert!(events.unread && events.held_back && events.limit == 0);
    }

    #[test]
    fn wrong_usage_is_two_lines_and_code_2() {
        for (line, says) in [
            ("bellwether feed", "unrecognized subcommand 'feed'"),
            ("bellwether --frobnicate", "unexpected argument '--frobnicate'"),
            ("bellwether --demo status", "--demo is for the start"),
            ("bellwether listen", "<URL>"),
            ("bellwether listen nonsense", "it should look like https://"),
            ("bellwether listen ftp://a/", "ftp is not supported"),
            ("bellwether listen http://a/ --count 0", "--count <N>"),
            ("bellwether feeds edit ops", "--idle-timeout <TIME>"),
            ("bellwether feeds edit ops --repeats maybe", "[possible values: hide, show]"),
            ("bellwether events --since yesterday", "such as 15m, 2h, 7d"),
            ("bellwether events --limit -1", "-1"),
        ] {
            let stop = read(line).unwrap_err();
            assert_eq!(stop.code, 2, "{line}");
            assert!(
                stop.text.starts_with("bellwether: ") && stop.text.contains(says),
                "{line}: {}",
                stop.text
            );
            assert_eq!(stop.text.lines().count(), 2, "{line}: {}", stop.text);
        }
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for line in ["bellwether --help", "bellwether --version", "bellwether feeds add --help"] {
            assert_eq!(read(line).unwrap_err().code, 0, "{line}");
        }
    }

    #[test]
    fn points_in_time() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        for (text, moment) in [
            ("30s", Some("2026-11-20T11:59:30Z")),
            ("15m", Some("2026-11-20T11:45:00Z")),
            ("2h", Some("2026-11-20T10:00:00Z")),
            ("7d", Some("2026-11-13T12:00:00Z")),
            ("1w", Some("2026-11-13T12:00:00Z")),
            ("2026-11-20T08:00:00+08:00", Some("2026-11-20T00:00:00Z")),
            ("2026-11-20T08:00:00.5Z", Some("2026-11-20T08:00:00.5Z")),
            ("", None),
            ("h", None),
            ("-2h", None),
            ("+2h", None),
            ("2 h", None),
            ("2y", None),
            ("二h", None),
            ("99999999999d", None),
            ("tomorrow", None),
        ] {
            let since = parse_since(text).ok().map(|since| since.before(now).to_string());
            assert_eq!(since.as_deref(), moment, "{text}");
        }
        assert_eq!(parse_since("4000000000w").unwrap().before(now), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn idle_timeouts() {
        for (text, seconds) in
            [("0", Some(0)), ("90", Some(90)), ("5m", Some(300)), ("", None), ("x", None), ("9999w", None)]
        {
            assert_eq!(parse_seconds(text).ok(), seconds, "{text}");
        }
    }
}

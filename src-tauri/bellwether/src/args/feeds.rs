//! The grammar of `bellwether feeds`.

use clap::{Args, Subcommand, ValueEnum};

use super::values::parse_seconds;

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
    /// Take the removal of a feed back, within an hour of it
    Restore {
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
    /// Show no popups of a feed; its events still go to the log
    Mute {
        /// The feed
        id: String,
    },
    /// Show popups of a muted feed again
    Unmute {
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
    /// Give a feed what lets it in: a secret, read from standard input and kept in the keyring, or where one lies
    #[command(after_help = CREDENTIAL_EXAMPLES)]
    Credential(CredentialArgs),
}

const CREDENTIAL_EXAMPLES: &str = "\
The secret itself is never an argument, which others could see in the list of processes: it is asked for, or comes through a pipe.

Examples:
  bellwether feeds credential ops bearer                               asks for a token, and keeps it in the keyring
  pass show ops | bellwether feeds credential ops basic alice          the password of a user
  bellwether feeds credential ops header X-Api-Key --env OPS_KEY       from an environment variable of Bellwether
  bellwether feeds credential ops query auth --command pass show ops   from a command, asked before each connection
  bellwether feeds credential ops bearer --remove                      without it again";

/// `feeds credential`.
#[derive(Clone, PartialEq, Debug, Args)]
pub(crate) struct CredentialArgs {
    /// The feed
    pub(crate) id: String,
    /// Where in the request it goes
    pub(crate) kind: CredentialKind,
    /// The header's, parameter's or cookie's name; for basic, the user
    #[arg(required_if_eq_any([("kind", "header"), ("kind", "query"), ("kind", "cookie")]))]
    pub(crate) name: Option<String>,
    /// Where the secret lies.
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// Where a credential's secret lies; the keyring if none is given.
#[derive(Clone, PartialEq, Debug, Default, Args)]
#[group(multiple = false)]
pub(crate) struct SourceArgs {
    /// Take the secret from this environment variable of the resident program
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Take the first line that this command writes; no shell is asked
    #[arg(long, value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true)]
    pub(crate) command: Option<Vec<String>>,
    /// Keep the secret in a file that only you can read; whoever reads the disk, or a backup, reads it too
    #[arg(long)]
    pub(crate) file: bool,
    /// Take the credential away, and forget its secret
    #[arg(long)]
    pub(crate) remove: bool,
}

/// Where in a request a secret goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum CredentialKind {
    /// Authorization: Bearer SECRET
    Bearer,
    /// Authorization: Basic, of a user and the secret
    Basic,
    /// The value of a header
    Header,
    /// The value of a parameter in the address
    Query,
    /// The value of a cookie
    Cookie,
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
    /// The group under which lists show it; '' for none
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Option<String>,
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

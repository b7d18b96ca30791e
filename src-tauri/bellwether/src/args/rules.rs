//! The grammar of `bellwether rules`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `rules`.
#[derive(Clone, PartialEq, Debug, Args)]
pub(crate) struct RulesArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub(crate) action: RulesAction,
}

/// What can be done with rules.
#[derive(Clone, PartialEq, Debug, Subcommand)]
pub(crate) enum RulesAction {
    /// Show what rules would do on the newest events of a feed, before they stand in feeds.toml
    #[command(after_help = RULES_TEST_EXAMPLES)]
    Test(Box<RulesTestArgs>),
}

const RULES_TEST_EXAMPLES: &str = "\
Nothing is shown, run or changed. Without a rule the feed's present ones are tried. In a file, rules stand as in feeds.toml.

Examples:
  bellwether rules test builds
  bellwether rules test builds --when \"data.status == 'failed'\" --title '{{ data.job }} failed'
  bellwether rules test builds --rule draft.toml --json | jq .decided
  bellwether rules test builds --rule draft.toml --replace 2
  curl -s https://example.org/last.json | bellwether rules test builds --sample -";

/// `rules test`.
#[derive(Clone, PartialEq, Debug, Default, Args)]
pub(crate) struct RulesTestArgs {
    /// The feed; all if left out
    #[arg(value_name = "FEED")]
    pub(crate) feed: Option<String>,
    /// Try the rules in this file instead; -: standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) rule: Option<PathBuf>,
    /// A rule to try, by its keys.
    #[command(flatten)]
    pub(crate) keys: RuleKeys,
    /// Try it in place of this rule of the feed
    #[arg(long, value_name = "N", requires = "feed", conflicts_with = "insert", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) replace: Option<u32>,
    /// Try it before this rule of the feed
    #[arg(long, value_name = "N", requires = "feed", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) insert: Option<u32>,
    /// Try on this piece of a stream, or data of one event, instead of the log; -: standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) sample: Option<PathBuf>,
    /// The sample's event type
    #[arg(long, value_name = "NAME", requires = "sample")]
    pub(crate) sample_event: Option<String>,
    /// Show at most so many popups
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=50))]
    pub(crate) popups: Option<u32>,
    /// One JSON value instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// A rule by its keys.
#[derive(Clone, PartialEq, Debug, Default, Args)]
pub(crate) struct RuleKeys {
    /// The rule's event: a name or pattern; may be given several times
    #[arg(long = "event", value_name = "NAME", conflicts_with = "rule")]
    pub(crate) events: Vec<String>,
    /// The rule's condition
    #[arg(long, value_name = "EXPR", conflicts_with = "rule")]
    pub(crate) when: Option<String>,
    /// What the rule does; notify if left out
    #[arg(long, value_enum, conflicts_with = "rule")]
    pub(crate) action: Option<RuleAction>,
    /// The popup's title
    #[arg(long, value_name = "T", conflicts_with = "rule")]
    pub(crate) title: Option<String>,
    /// The popup's body
    #[arg(long, value_name = "B", conflicts_with = "rule")]
    pub(crate) body: Option<String>,
    /// What a click on the popup opens
    #[arg(long, value_name = "U", conflicts_with = "rule")]
    pub(crate) url: Option<String>,
    /// low, normal or critical
    #[arg(long, value_name = "U", conflicts_with = "rule")]
    pub(crate) urgency: Option<String>,
    /// Popups with an equal key replace each other
    #[arg(long, value_name = "K", conflicts_with = "rule")]
    pub(crate) key: Option<String>,
}

/// What a rule does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum RuleAction {
    Notify,
    Log,
    Ignore,
    Close,
    Withdraw,
}

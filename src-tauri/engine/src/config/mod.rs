//! `feeds.toml`: the feeds and their rules, written by hand, by the window and by the command line alike.
//!
//! ```toml
//! [[feed]]
//! id = "ops"                      # 1 to 64 of a-z, 0-9, "-", "_", "."; unique
//! name = "Ops alerts"             # the id if left out
//! group = "Work"                  # by itself if left out
//! url = "https://ntfy.example.org/ops/sse"
//! paused = false
//! idle_timeout = "5m"             # or seconds; 0: never; 5 minutes if left out
//! repeats = "hide"                # or "show"
//! mute = false                    # true: the log only
//! images = false                  # true: popups may have images from where an event says
//! silence_alert = "usual"         # or "6h"; none if left out
//! auth.bearer = { keyring = true } # or env = "NAME", command = ["…"], file = "…"; beside bearer: basic, headers, query, cookies
//! resume = "header"               # or "none", or { query = "since", from = "data.id" }
//! preset = "ntfy"                 # or "none"; found by itself if left out and the feed has no rules
//! proxy = "system"                # or "none", or a URL
//! ca_file = "authority.pem"       # beside the system's authorities
//! client_certificate = { certificate = "alice.pem", key = "alice.key" }
//! verify_certificate = true
//!
//!   [[feed.rule]]                 # the first match decides
//!   event = ["message", "alert*"] # names or patterns with * and ?; any if left out
//!   when = "data.priority >= 4"
//!   action = "notify"             # or "log", "ignore", "close", "withdraw"; "notify" if left out
//!   urgent = true                 # may pass snooze and quiet hours
//!   run = ["light", "--on"]       # a program of the person's own, with the event as JSON
//!   notify = { title = "{{ data.title }}", body = "…", url = "…", urgency = "critical", key = "{{ data.id }}", icon = "https://…",
//!     group = "…", sound = "message-new-instant", expire = "10s", buttons = [{ label = "Open", url = "…" }] }
//!
//! [notifications]                 # what holds for the popups of all feeds
//! flood = { popups = 3, seconds = 10, overall = 10 }
//! sound = true
//! outage_alert = "10m"            # or false
//!
//! [log]
//! keep_days = 90                  # for ever if left out
//! keep_events = 1000000           # all if left out
//!
//! [[quiet_hours]]
//! days = ["mon", "tue"]           # on which they begin; every day if left out
//! from = "22:00"
//! to = "07:00"
//! time_zone = "Europe/Berlin"     # the system's if left out
//! ```
//!
//! Errors name line and key; feeds and rules count from 1, as in `feed[2].rule[1].when`. Unknown keys are errors, as a misspelt
//! one would else be lost in silence.

mod access;
pub mod edit;
mod file;
mod network;
mod notifications;
pub(crate) mod preset;
mod reader;
mod retention;
mod rules;

use std::{path::Path, sync::Arc};

use url::Url;

use crate::{
    access::mask::masked,
    event_log::Retention,
    feed::{Feed, FeedId},
    policy::Notifications,
    rule::RuleSet,
    sentence::{self, Sentence},
};

pub use access::{check_source, check_user, cookie, header, parameter};
pub use file::ConfigFile;
pub use network::{path_in, proxy};

/// Largest `feeds.toml`, in bytes.
pub const MAX_FILE: usize = 1024 * 1024;
/// Most feeds.
pub const MAX_FEEDS: usize = 1_000;
/// Longest name of a feed, in characters.
pub const MAX_FEED_NAME: usize = 128;
/// Longest name of a group, in characters.
pub const MAX_GROUP: usize = 64;
/// Longest URL of a feed, in bytes.
pub const MAX_URL: usize = 8_192;
/// Longest idle timeout, in seconds: a week.
pub const MAX_IDLE_TIMEOUT: u64 = 7 * 24 * 60 * 60;

/// What `feeds.toml` says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    /// The feeds in the file's order; their ids differ.
    pub feeds: Vec<Arc<Feed>>,
    /// What holds for the popups of all of them.
    pub notifications: Arc<Notifications>,
    /// How long events stay in the log.
    pub retention: Retention,
}

impl Config {
    /// The first feed of this URL, also if it is given as it is shown.
    pub fn feed_of(&self, url: &str) -> Option<&Arc<Feed>> {
        let url = feed_url(url.trim()).ok()?;
        self.feeds.iter().find(|feed| feed.url == url || feed.shown_url() == url.as_str())
    }
}

/// What is wrong with `feeds.toml`, or with a change to it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{message}", self.place())]
pub struct ConfigError {
    /// What a program branches on.
    pub kind: ConfigErrorKind,
    /// The line, from 1; 0 if it is not about a line.
    pub line: u32,
    /// The key, such as `feed[2].url`; empty if it is not about a key.
    pub key: String,
    /// The character within that line of the key's text, from 1; 0 if it is not known.
    pub column: u32,
    /// What is wrong and what to do.
    pub message: Sentence,
}

/// What a program branches on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigErrorKind {
    /// Not a URL.
    InvalidUrl,
    /// A URL, but neither http nor https.
    UnsupportedScheme,
    /// A feed of this URL is there already; an error in changes only, as a person may have reasons to write it twice.
    DuplicateUrl,
    /// A feed of this id is there already.
    DuplicateId,
    /// An id that breaks the rules for ids.
    InvalidId,
    /// Another value that cannot be: a name, a time, a rule, one feed too many.
    InvalidValue,
    /// What was to be changed has been changed by somebody else since it was read.
    Conflict,
    /// No feed of this id.
    NoSuchFeed,
    /// The file is no TOML, or TOML that is no list of feeds; a change is refused until it is mended.
    Broken,
    /// The file cannot be read.
    CannotRead,
    /// The file cannot be written.
    CannotWrite,
}

/// Reads the text of a `feeds.toml`; the first mistake in it is the error. Relative paths in it are taken from the current folder.
pub fn parse(text: &str) -> Result<Config, ConfigError> {
    reader::read(text, Path::new(""))
}

/// Reads rules by themselves, to be tried before they stand in `feeds.toml`: sections `[[rule]]` or, as they are copied from
/// there, `[[feed.rule]]`; or the keys of one rule. Errors name lines of this text.
pub fn parse_rules(text: &str) -> Result<RuleSet, ConfigError> {
    rules::read(text)
}

impl ConfigError {
    pub(crate) fn no_such_feed(id: &FeedId) -> Self {
        Self::new(ConfigErrorKind::NoSuchFeed, sentence::NO_SUCH_FEED.with([("id", id.to_string())]))
    }

    /// An error about a change rather than a place in the file.
    fn new(kind: ConfigErrorKind, message: impl Into<Sentence>) -> Self {
        Self { kind, line: 0, key: String::new(), column: 0, message: message.into() }
    }

    fn place(&self) -> String {
        let column = match self.column {
            0 => String::new(),
            column => format!(", character {column}"),
        };
        match (self.line, self.key.as_str()) {
            (0, "") => String::new(),
            (0, key) => format!("{key}: "),
            (line, "") => format!("feeds.toml line {line}: "),
            (line, key) => format!("feeds.toml line {line}, {key}{column}: "),
        }
    }
}

fn too_large() -> ConfigError {
    ConfigError::new(
        ConfigErrorKind::Broken,
        sentence::FILE_TOO_LARGE.with([("kib", (MAX_FILE / 1024).to_string())]),
    )
}

/// A feed's URL, or what is wrong with the text.
pub(crate) fn feed_url(text: &str) -> Result<Url, ConfigError> {
    let invalid = |message| Err(ConfigError::new(ConfigErrorKind::InvalidUrl, message));
    if text.len() > MAX_URL {
        return invalid(sentence::URL_TOO_LONG.with([("most", MAX_URL.to_string())]));
    }
    if text.contains(char::is_whitespace) || text.contains(char::is_control) {
        return invalid(sentence::URL_BLANK.with([("url", masked(text).escape_debug().to_string())]));
    }
    let url = || ("url", masked(text).into_owned());
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Err(_) if text.is_empty() => invalid(sentence::URL_EMPTY.into()),
        Err(url::ParseError::RelativeUrlWithoutBase) => invalid(sentence::URL_NO_SCHEME.with([url()])),
        Err(error) => invalid(sentence::URL_INVALID.with([url(), ("cause", error.to_string())])),
        // `localhost:8080/events` is a URL of the scheme "localhost" to the standard, and to nobody else.
        Ok(parsed)
            if parsed.cannot_be_a_base() && parsed.path().starts_with(|c: char| c.is_ascii_digit()) =>
        {
            invalid(sentence::URL_NO_SCHEME.with([url()]))
        }
        Ok(parsed) => Err(ConfigError::new(
            ConfigErrorKind::UnsupportedScheme,
            sentence::URL_SCHEME.with([url(), ("scheme", parsed.scheme().to_owned())]),
        )),
    }
}

#[cfg(test)]
mod tests;

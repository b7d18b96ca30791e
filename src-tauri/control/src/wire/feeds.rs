//! Feeds on the wire: their settings, their connections, what lets them in.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::{ConnectionChange, RuleFault, Sentence};

/// A feed with its settings and its connection's state.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Feed {
    /// Unique name, as in `feeds.toml`.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// The group under which lists show it; none: by itself.
    pub group: Option<String>,
    /// Where its connections begin, with `***` for the secrets in it. Given back so in a [`FeedEdit`], they stay.
    pub url: String,
    /// What it shows its server to be let in.
    pub credentials: Vec<Credential>,
    /// Kept, but not connected.
    pub paused: bool,
    /// Silence after which the connection counts as dead; 0: never.
    pub idle_timeout_seconds: u32,
    /// Whether messages that a server sends again are shown again.
    pub repeats: Repeats,
    /// Whether its server has to prove who it is; otherwise anyone on the way can read along, and whoever shows the feed says so.
    pub verify_certificate: bool,
    /// How many rules it has.
    pub rules: u32,
    /// Those that have failed since they were written, with the newest failure of each.
    pub rule_faults: Vec<RuleFault>,
    /// What decides where none of its rules does: what is known of its provider.
    pub preset: Option<FeedPreset>,
    /// Its events show no popups: they go to the log only.
    pub muted: bool,
    /// Until when it shows no popups, if a person wanted that for a while.
    pub snoozed_until: Option<String>,
    /// How many of its events are held back, to be told later.
    #[cfg_attr(test, ts(type = "number"))]
    pub held: u64,
    /// Its connection now.
    pub connection: Connection,
    /// What came of it so far.
    pub counts: Counts,
    /// When its newest event came.
    pub last_event_at: Option<String>,
}

/// A feed's preset, and why it is this one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct FeedPreset {
    /// As `preset` in `feeds.toml` calls it.
    pub id: String,
    /// The provider.
    pub name: String,
    /// What told it.
    pub chosen: PresetChoice,
    /// Why, as a part of a sentence.
    pub why: Sentence,
}

/// What told a feed's preset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum PresetChoice {
    /// `feeds.toml`.
    Set,
    /// The feed's URL.
    Url,
    /// A message of the stream.
    Stream,
}

/// What a feed shows its server, and where it takes the secret from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Credential {
    /// Where in the request it goes.
    pub kind: CredentialKind,
    /// The header's, parameter's or cookie's name, or the user of `basic`; empty for `bearer`.
    pub name: String,
    /// Where the secret comes from: `keyring`, `env`, `command`, `file`.
    pub source: String,
    /// The variable's name, the command's program, the file's path; empty for the keyring.
    pub detail: String,
}

/// Where in a request a secret goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum CredentialKind {
    /// `Authorization: Bearer SECRET`.
    Bearer,
    /// `Authorization: Basic`, of a user and the secret.
    Basic,
    /// The value of a header.
    Header,
    /// The value of a parameter in the URL's query.
    Query,
    /// The value of a cookie.
    Cookie,
}

/// A credential to be set, or without `secret` to be taken away.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct CredentialEdit {
    /// Where in the request it goes.
    pub kind: CredentialKind,
    /// The header's, parameter's or cookie's name, or the user of `basic`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(test, ts(as = "Option<String>"))]
    pub name: String,
    /// The secret, or where it lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<NewSecret>,
}

/// A secret to be kept, or where one lies.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum NewSecret {
    /// To be kept in the system's keyring.
    Keyring(String),
    /// To be kept in a file of its own beside `feeds.toml`, which only this user can read: whoever reads the disk reads it.
    File(String),
    /// In this environment variable of the resident program.
    Env(String),
    /// What this command writes: program and arguments.
    Command(Vec<String>),
}

impl std::fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewSecret(…)")
    }
}

/// Whether messages that a server sends again after a reconnect are shown again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum Repeats {
    /// Counted, neither logged nor shown again.
    #[default]
    Hide,
    /// News like any other.
    Show,
}

/// A feed's connection now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Connection {
    /// The state.
    pub state: ConnectionState,
    /// Why it is not connected, or was not before this attempt.
    pub reason: Option<ConnectionReason>,
    /// Failed attempts in a row.
    pub attempt: u32,
    /// Since when it has been connected, if it is.
    pub connected_at: Option<String>,
    /// When the next attempt is due, if one is.
    pub next_attempt_at: Option<String>,
    /// When anything came last, comments and heads of answers included. Nobody is told when this alone changes, nor of the next
    /// two: ask again for the newest.
    pub last_activity_at: Option<String>,
    /// How often something usually comes, in seconds; none as long as there is no such rhythm.
    pub rhythm_seconds: Option<u32>,
    /// What is wrong with what comes.
    pub hint: Option<ConnectionHint>,
    /// Where the server asks to connect to from now on, by redirects that are for good (301, 308); without secrets. Nothing follows
    /// it but a person.
    pub moved_to: Option<String>,
}

/// What is wrong with what comes on a connection. Its sentence is message `hint.<code>`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum ConnectionHint {
    /// So much more than its events comes that it is read slowly.
    Flooding,
    /// An event has been coming for longer than the idle timeout, and its end has not.
    Unfinished,
}

/// The connection's state as a person sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum ConnectionState {
    /// A request is under way.
    Connecting,
    /// The server answered with an event stream.
    Connected,
    /// The next attempt follows by itself, soon.
    Waiting,
    /// The next attempt follows by itself, but a retry alone will hardly cure the cause.
    NeedsAttention,
    /// No attempt until asked for.
    Stopped,
    /// The person paused the feed.
    Paused,
}

/// Why a connection ended or could not be made. Its sentence is message `reason.<code>` with `{detail}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ConnectionReason {
    /// A stable name: `refused`, `dns`, `status`, `content_type` …
    pub code: String,
    /// Its particular: a status code, a media type, a host, seconds.
    pub detail: String,
}

/// What came of a feed so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Counts {
    /// Events in the log, ignored ones left out.
    #[cfg_attr(test, ts(type = "number"))]
    pub events: u64,
    /// Of these, shown but not yet read.
    #[cfg_attr(test, ts(type = "number"))]
    pub unread: u64,
    /// Messages held back as repeats.
    #[cfg_attr(test, ts(type = "number"))]
    pub repeats: u64,
    /// Messages that a rule ignored.
    #[cfg_attr(test, ts(type = "number"))]
    pub ignored: u64,
    /// Messages dropped because they were over the size limit.
    #[cfg_attr(test, ts(type = "number"))]
    pub oversized: u64,
}

/// A feed to be added.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct FeedDraft {
    /// Where its connections begin: http or https.
    pub url: String,
    /// Its id; made from name or URL if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What a person calls it; made from the URL if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Kept, but not connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// What lets it in. Secrets are stored before the feed is there; if one cannot be, nothing is added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<CredentialEdit>>"))]
    pub credentials: Vec<CredentialEdit>,
    /// Its other settings; `name` and `url` here do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<FeedEdit>,
}

/// What is to change in a feed; what is left out stays.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct FeedEdit {
    /// What a person calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where its connections begin; a new one forgets the last event ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Silence after which the connection counts as dead; 0: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout_seconds: Option<u32>,
    /// Whether messages that a server sends again are shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Repeats>,
    /// Its events show no popups: they go to the log only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// The group under which lists show it; empty: by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// An id of a preset, or `none`; empty: found by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Whether its popups may have images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<bool>,
    /// `usual`, or a time such as `6h`; empty: silence is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence_alert: Option<String>,
    /// `system`, `none`, or a URL; with `***` for the secrets in it as it was given, they stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Authorities in PEM that it trusts beside the system's: a path; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Whether its server has to prove who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_certificate: Option<bool>,
    /// Whether its credentials may go over plain http to another machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain_http: Option<bool>,
}

/// What a feed's connections are made with: as in `feeds.toml`, with what holds where a key is left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct FeedSettings {
    /// The preset as set: an id, or `none`; none: found by itself.
    pub preset: Option<String>,
    /// Whether its popups may have images.
    pub images: bool,
    /// `usual`, or a time such as `6h`; none: silence is not told.
    pub silence_alert: Option<String>,
    /// `system`, `none`, or a URL, with `***` for the secrets in it.
    pub proxy: String,
    /// Authorities in PEM that it trusts beside the system's: a path.
    pub ca_file: Option<String>,
    /// The certificate that it shows: a path.
    pub client_certificate: Option<String>,
    /// Whether its server has to prove who it is.
    pub verify_certificate: bool,
    /// Whether its credentials may go over plain http to another machine.
    pub plain_http: bool,
    /// What a reconnect carries: `header`, `none`, or the name of a parameter.
    pub resume: String,
}

/// The order of the feeds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct FeedOrder {
    /// Ids of feeds, in the order in which they shall stand; others come after them, in the order that they have.
    pub feeds: Vec<String>,
}

/// A feed's events of the last day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct FeedActivity {
    /// When the first step began.
    pub from: String,
    /// How long a step is, in seconds.
    pub step_seconds: u32,
    /// How many events came in each step, ignored ones left out; the last one is not over.
    pub events: Vec<u32>,
    /// What happened to its connection in this time, oldest first.
    pub connections: Vec<ConnectionChange>,
}

/// A wish that a feed, or all, show no popups for a while. What comes meanwhile is told afterwards, in one popup.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct SnoozeWish {
    /// This feed alone; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub feed: Option<String>,
    /// Until when: `15m`, `1h30m`, `08:00`, `until 08:00`, `tomorrow`, or an RFC 3339 time; `off` or null: no longer.
    pub until: Option<String>,
}

/// What keeps popups of all feeds away now.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Attention {
    /// Until when, if a person wanted that for a while.
    pub snoozed_until: Option<String>,
    /// Until when it is quiet by `feeds.toml`, if it is now.
    pub quiet_until: Option<String>,
    /// How many events of all feeds are held back, to be told later.
    #[cfg_attr(test, ts(type = "number"))]
    pub held: u64,
}

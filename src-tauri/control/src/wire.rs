//! Everything that crosses the control socket.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /status` | [`Status`] |
//! | `GET /feeds` | `[Feed]` in the file's order |
//! | `POST /feeds` [`FeedDraft`] | 201 [`Feed`] |
//! | `PATCH /feeds/{id}` [`FeedEdit`] | [`Feed`] |
//! | `DELETE /feeds/{id}` | 204; its events stay in the log, its secrets are forgotten |
//! | `PUT /feeds/{id}/credential` [`CredentialEdit`] | [`Feed`], or `no_keyring`; no answer ever holds a secret |
//! | `POST /feeds/{id}/pause`, `/resume`, `/reconnect` | [`Feed`] |
//! | `POST /feeds/{id}/test` | 204; a sample popup as this feed's rules make it |
//! | `POST /reconnect` | 204; every feed that is not paused |
//! | `PUT /snooze` [`SnoozeWish`] | [`Attention`]: keeps the popups of a feed, or of all, away until then, or no longer |
//! | `GET /events?`[`EventQuery`] | [`EventPage`], newest first |
//! | `GET /events/{seq}` | [`Event`] with all its data |
//! | `POST /events/read` [`MarkRead`] | 204 |
//! | `POST /events/{seq}/open` | 204; opens the event's link in the browser: only after a person's click |
//! | `POST /notifications/test` | 204, or `no_notifications` |
//! | `POST /rules/test` [`RulesTest`] | [`RulesPreview`]: what rules would do on the events in the log; nothing comes of it |
//! | `POST /probe` [`ProbeWish`] | [`Probe`], after up to 10 s: what there is at a URL; a URL that is none is a fault of it |
//! | `POST /demo` | [`Feed`]: starts the demo feed and subscribes to it |
//! | `POST /window` [`OpenWindow`] | 204; opens the window, or brings it to the front |
//! | `PATCH /settings` [`SettingsEdit`] | [`Status`] |
//! | `POST /quit` | 204 |
//! | `GET /updates?window=true` | an event stream of [`Update`]s, as JSON, event type `message`; `window`: the reader is the window |
//!
//! Every other answer is an [`Error`] with a fitting HTTP status. Times are RFC 3339 in UTC with milliseconds.

mod rules;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

pub use rules::*;

/// A feed with its settings and its connection's state.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Feed {
    /// Unique name, as in `feeds.toml`.
    pub id: String,
    /// What a person calls it.
    pub name: String,
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

/// One event in the log.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Event {
    /// Its number in the log; grows with each event.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// Its feed's id.
    pub feed: String,
    /// The event type; `message` where the stream names none.
    pub event: String,
    /// The data as received.
    pub data: String,
    /// Whether `data` was cut short for a list.
    pub data_truncated: bool,
    /// The last event ID at this event; empty if none.
    pub id: String,
    /// The origin of the stream's final URL, after redirects.
    pub origin: String,
    /// When it came.
    pub received_at: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: OutcomeReason,
    /// The popup's summary as rendered; for an event without popup, what it would have said.
    pub title: String,
    /// The popup's body as rendered.
    pub body: String,
    /// What a click opens.
    pub url: Option<String>,
    /// How urgent the popup is.
    pub urgency: Urgency,
    /// Popups of one feed with an equal key replace each other.
    pub key: Option<String>,
    /// An image; fetched only where the feed allows it.
    pub icon: Option<String>,
    /// What notification centres may group it by.
    pub group: Option<String>,
    /// What it sounds like: `default`, `silent`, or the name of a sound.
    pub sound: String,
    /// How long it stays; 0: until it is closed, null: as the notification server likes.
    pub expire_seconds: Option<u32>,
    /// Its links.
    pub buttons: Vec<Button>,
    /// Whether a person has seen it in the window or acted on its popup.
    pub read: bool,
    /// The popup that told of it together with others, by its number.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub summary: Option<u64>,
}

/// A link on a popup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What it opens: an `http`, `https` or `mailto` URL.
    pub url: String,
}

/// What became of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum Outcome {
    /// Its popup was handed to the notification server.
    Shown,
    /// Its popup waits to be handed over.
    Pending,
    /// One popup told of it together with others.
    Summarized,
    /// In the log only.
    Logged,
    /// A rule ignores it.
    Ignored,
    /// It closed its feed.
    Closed,
    /// Held back while nobody wants to be disturbed; told later, together with others.
    Held,
}

/// Why an event has its outcome. Its sentence is message `outcome.<code>` with `{rule}` and `{detail}`, or `outcome.<code>_none`
/// where there is one and the detail is empty.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct OutcomeReason {
    /// A stable name. What decided: `default`, `rule`, `preset`, `no_match`, `rule_failed`, `keep_alive`, `snapshot`. What kept its
    /// popup away, or had it told with others: `muted`, `paused`, `snoozed`, `quiet_hours`, `flood`, `catch_up`, `backlog`, `replaced`,
    /// `withdrawn`, `no_notifications`.
    pub code: String,
    /// The number, from 1, of the rule that decided, whatever happened to the popup then.
    pub rule: Option<u32>,
    /// Particulars: the rule's error, the preset's id, until when it is held back (RFC 3339).
    pub detail: String,
}

/// How urgent a popup is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum Urgency {
    /// May be shown quietly.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Stays until dismissed.
    Critical,
}

/// Which events are asked for; all conditions hold together.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct EventQuery {
    /// Of this feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed: Option<String>,
    /// Of this event type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Holding all these words (the last one as a prefix) or this Chinese text, in title, body or data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only shown and unread ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<bool>,
    /// Only those that no popup told of: logged, ignored, pending, held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<bool>,
    /// Only those that the popup of this number told of together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<u32>"))]
    pub summary: Option<u64>,
    /// Not older than this RFC 3339 time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Older than the event of this number: the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<u32>"))]
    pub before: Option<u64>,
    /// At most this many, 1 to 1,000; 200 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Cut each event's data after about 1 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<bool>,
}

/// A page of events, newest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// What `before` fetches the next page; none: this was the last.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub next_before: Option<u64>,
}

/// Which events have been read.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct MarkRead {
    /// These; all up to now, of `feed` if given, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<Vec<u32>>"))]
    pub seqs: Option<Vec<u64>>,
    /// Of this feed alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<String>,
    /// All that this popup told of together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<u32>"))]
    pub summary: Option<u64>,
    /// Read, or unread again.
    pub read: bool,
}

/// Opens the window.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct OpenWindow {
    /// At this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<u32>"))]
    pub event: Option<u64>,
    /// At the events that this popup told of together, and no others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<u32>"))]
    pub summary: Option<u64>,
}

/// What is to change in the program's own settings; what is left out stays.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct SettingsEdit {
    /// The texts' language; `system` follows the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// The language of the texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum Language {
    /// The system's.
    #[default]
    #[serde(rename = "system")]
    System,
    /// English.
    #[serde(rename = "en")]
    En,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
}

/// The program as a whole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The resident program's process id.
    pub pid: u32,
    /// When it started.
    pub started_at: String,
    /// The language as set.
    pub language: Language,
    /// The language in use: `en` or `zh-CN`.
    pub locale: String,
    /// `feeds.toml`.
    pub config: ConfigState,
    /// Where the event log lies.
    pub event_log: String,
    /// Why it cannot be written now, if so: events wait at their servers until it can.
    pub event_log_error: Option<Sentence>,
    /// What keeps popups of all feeds away now.
    pub attention: Attention,
    /// The parts that may be missing on this machine.
    pub parts: Vec<Part>,
    /// The feeds.
    pub feeds: Vec<Feed>,
}

/// `feeds.toml` as it was last read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ConfigState {
    /// Where it lies.
    pub path: String,
    /// What is wrong with it; the last good state holds on.
    pub error: Option<ConfigError>,
}

/// What is wrong with `feeds.toml`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ConfigError {
    /// The line, from 1; 0 if the file could not be read.
    pub line: u32,
    /// The key, such as `feed[2].url`; empty if none applies.
    pub key: String,
    /// The character within the line of the key's text, from 1; 0 if none applies.
    #[serde(default)]
    pub column: u32,
    /// What is wrong and what to do.
    #[serde(flatten)]
    pub sentence: Sentence,
}

/// What is wrong and what to do, or why something is so: message `mistake.<code>` with `params` in its places.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Sentence {
    /// What a program branches on.
    pub code: String,
    /// What stands in the places of the text, such as a key's name.
    pub params: BTreeMap<String, String>,
    /// The same in English.
    pub message: String,
}

/// A part of the desktop that the program works with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Part {
    /// Which.
    pub name: PartName,
    /// Whether it is there.
    pub available: bool,
    /// What it is if it is there, what is missing and what to do if not.
    pub detail: String,
}

/// Which part.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum PartName {
    /// A display to open the window on.
    Display,
    /// The session bus.
    SessionBus,
    /// The notification server.
    Notifications,
    /// The tray's host.
    Tray,
    /// The window's program.
    Window,
}

/// A wish to know what there is at a URL.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ProbeWish {
    /// The URL as a person gave it.
    pub url: String,
    /// With the credentials of this feed, if the URL is of the same origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub feed: Option<String>,
    /// Credentials in the URL may go over plain http.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub plain_http: bool,
}

/// What one connection, watched for a few seconds, found at a URL.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Probe {
    /// Whether it is an event stream that can be used: there is no `fault`.
    pub usable: bool,
    /// Why it is not.
    pub fault: Option<ProbeFault>,
    /// The status code of the last answer, if one came.
    pub status: Option<u16>,
    /// Its `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// The redirects that were followed, in their order.
    pub redirects: Vec<ProbeRedirect>,
    /// How long the stream was read, in seconds.
    pub listened_seconds: Option<f64>,
    /// The longest time between two signs of life beside events, in seconds; `null` if fewer than two came.
    pub keep_alive_seconds: Option<f64>,
    /// The reconnection time that the server set, in seconds.
    pub retry_seconds: Option<f64>,
    /// The server gives IDs, so that nothing is lost over a reconnect.
    pub last_event_ids: bool,
    /// The types of the events that came, in the order of their first one; at most 5 events are waited for.
    pub events: Vec<ProbeEvent>,
    /// The server ended the response as it should after these events; it is meant to be asked again.
    pub ended: bool,
    /// The preset that address or events tell.
    pub preset: Option<FeedPreset>,
}

/// Why there is no event stream that can be used. Its sentence, with the remedy, is message `probe.<code>` with `{detail}`,
/// or `probe.<code>_none` where there is one and the detail is empty; `reason.<code>` where there is neither.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ProbeFault {
    /// A stable name: `not_a_url`, `dns`, `refused`, `timeout`, `tls_untrusted`, `unauthorized`, `html`, `silent` …
    pub code: String,
    /// Its particular: a status code, a media type, a host, seconds.
    pub detail: String,
}

/// A redirect that was followed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ProbeRedirect {
    /// 301 or 308 is meant to last, 302, 303 or 307 is not.
    pub status: u16,
    /// Where to, without user, password, query and fragment.
    pub url: String,
    /// Another origin than the first: it was not given the headers.
    pub other_origin: bool,
}

/// Events of one type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ProbeEvent {
    /// The event type; `message` where the stream names none.
    pub event: String,
    /// How many came.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// The data of the first; its beginning if it is longer than 4,096 bytes.
    pub data: String,
    /// Whether `data` is only its beginning.
    pub data_truncated: bool,
    /// The last event ID at the first; empty if none.
    pub id: String,
}

/// What changed. A client that reads [`Update::Lagged`] asks for everything anew.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum Update {
    /// First of all, and when a part, a setting or the set of feeds changes: everything but the log.
    Status(Status),
    /// A feed's state or counts.
    Feed(Feed),
    /// A new event, its data cut for a list.
    Event(Event),
    /// Events changed in place: read marks, outcomes.
    EventsChanged,
    /// The window is asked to come to the front, at an event if one is given.
    OpenWindow(OpenWindow),
    /// The reader was too slow, updates are missing.
    Lagged,
    /// The program ends because a person wants it to; the window closes with it.
    Quit,
}

/// An answer that says what went wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Error {
    /// What a program branches on.
    pub code: ErrorCode,
    /// What, why, and what to do, in English, for the command line and logs; a window shows message `error.<code>`.
    pub message: String,
    /// The particular that the sentence needs: the URL, the id, the place in `feeds.toml`.
    #[serde(default)]
    pub detail: String,
    /// The particular as a sentence of its own, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub sentence: Option<Box<Sentence>>,
    /// Where the mistake is in rules that were to be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub place: Option<Box<Place>>,
}

/// A place in rules.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Place {
    /// The key, such as `rule[2].notify.title`.
    pub key: String,
    /// The line within the key's text, from 1.
    pub line: u32,
    /// The character within that line, from 1.
    pub column: u32,
}

/// What a program branches on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum ErrorCode {
    /// The request's JSON, query or path is not what the route takes.
    BadRequest,
    /// Not a URL.
    InvalidUrl,
    /// A URL, but neither http nor https.
    UnsupportedScheme,
    /// A feed of this URL is there already.
    DuplicateUrl,
    /// A feed of this id is there already.
    DuplicateId,
    /// An id that breaks the rules for ids.
    InvalidId,
    /// Another value that cannot be: a name, a time.
    InvalidValue,
    /// No feed of this id.
    NoSuchFeed,
    /// No event of this number.
    NoSuchEvent,
    /// `feeds.toml` is broken and is not edited before it is mended.
    BrokenConfig,
    /// A file could not be written.
    CannotWrite,
    /// The event log failed.
    EventLog,
    /// No keyring, or it is locked: another source has to be chosen.
    NoKeyring,
    /// No notification server.
    NoNotifications,
    /// The window cannot be opened here.
    NoWindow,
    /// The event has no link.
    NoLink,
    /// The socket belongs to another user.
    Forbidden,
    /// No such route.
    NotFound,
    /// A fault of the program's own.
    Internal,
}

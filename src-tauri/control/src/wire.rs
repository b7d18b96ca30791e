//! Everything that crosses the control socket.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /status` | [`Status`] |
//! | `GET /feeds` | `[Feed]` in the file's order |
//! | `POST /feeds` [`FeedDraft`] | 201 [`Feed`] |
//! | `PATCH /feeds/{id}` [`FeedEdit`] | [`Feed`] |
//! | `DELETE /feeds/{id}` | 204; its events stay in the log, its secrets are forgotten |
//! | `POST /feeds/{id}/restore` | [`Feed`]: takes the removal of this feed back, within an hour of it: rules, settings, place and secrets |
//! | `PUT /feeds/order` [`FeedOrder`] | 204 |
//! | `GET /feeds/{id}/settings` | [`FeedSettings`]: what its connections are made with |
//! | `GET /feeds/{id}/activity` | [`FeedActivity`]: its events of the last day, by the quarter of an hour |
//! | `GET /feeds/{id}/rules` | [`FeedRules`] |
//! | `PUT /feeds/{id}/rules` [`RulesEdit`] | [`FeedRules`], or `conflict` if they have been changed since they were read |
//! | `PUT /feeds/{id}/credential` [`CredentialEdit`] | [`Feed`], or `no_keyring`; no answer ever holds a secret |
//! | `POST /feeds/{id}/pause`, `/resume`, `/reconnect` | [`Feed`] |
//! | `POST /feeds/{id}/test` | 204; a sample popup as this feed's rules make it |
//! | `POST /reconnect` | 204; every feed that is not paused |
//! | `PUT /snooze` [`SnoozeWish`] | [`Attention`]: keeps the popups of a feed, or of all, away until then, or no longer |
//! | `GET /events?`[`EventQuery`] | [`EventPage`], newest first |
//! | `GET /events/{seq}` | [`Event`] with all its data |
//! | `POST /events/read` [`MarkRead`] | 204 |
//! | `GET /events/index?`[`EventQuery`] | [`EventIndex`]: how many events there are under a filter, and where; `before`, `limit` and `preview` do not count |
//! | `GET /events/types?feed=` | `[String]`: the event types in the log (of this feed), in their alphabetical order; the first 200 |
//! | `POST /events/delete` [`Events`] | 204 |
//! | `POST /events/restore` [`Events`] | 204: takes the deletion of these events back, if it was one of the latest 20 and within an hour |
//! | `POST /events/export` [`EventExport`] | [`Exported`]: writes events to a file in the person's folder of downloads |
//! | `POST /events/{seq}/show` | 204: shows its popup once more, whatever would hold it back |
//! | `POST /events/{seq}/open` | 204; opens the event's link in the browser: only after a person's click |
//! | `POST /notifications/test` | 204, or `no_notifications` |
//! | `POST /rules/test` [`RulesTest`] | [`RulesPreview`]: what rules would do on the events in the log; nothing comes of it |
//! | `POST /probe` [`ProbeWish`] | [`Probe`], after up to 10 s: what there is at a URL; a URL that is none is a fault of it |
//! | `POST /demo` | [`Feed`]: starts the demo feed and subscribes to it |
//! | `POST /window` [`OpenWindow`] | 204; opens the window, or brings it to the front |
//! | `GET /settings` | [`Settings`] |
//! | `PATCH /settings` [`SettingsEdit`] | [`Status`] |
//! | `POST /config/open` | 204: opens `feeds.toml` in the person's editor |
//! | `POST /export` [`Export`] | [`Exported`]: writes all settings, without secrets, to a file in the person's folder of downloads |
//! | `POST /exports/open` | 204: opens the folder of the newest export in the file manager |
//! | `POST /import` an export's text | [`Imported`]: settings and feeds become those of the export; `feeds.toml` is kept as `feeds.toml.before-import` |
//! | `GET /doctor` | [`Doctor`]: what works here and what does not, without secrets |
//! | `POST /quit` | 204 |
//! | `GET /updates?window=true` | an event stream of [`Update`]s, as JSON, event type `message`; `window`: the reader is the window |
//!
//! Every other answer is an [`Error`] with a fitting HTTP status. Times are RFC 3339 in UTC with milliseconds.

mod feeds;
mod log;
mod probe;
mod program;
mod rules;

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

pub use feeds::*;
pub use log::*;
pub use probe::*;
pub use program::*;
pub use rules::*;

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
    /// A connection was lost, or is there again.
    ConnectionChange(ConnectionChange),
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
    /// What was to be changed has been changed by somebody else since it was read.
    Conflict,
    /// What was to be taken back is not known any more.
    NothingToRestore,
    /// A file that is no export of this program's, or of a newer version.
    NotAnExport,
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

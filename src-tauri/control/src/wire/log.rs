//! The event log on the wire.

use super::ConnectionReason;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

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
    /// With one of these outcomes, separated by commas: `held,pending`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Not older than this RFC 3339 time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Older than this RFC 3339 time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
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
    /// With [`EventPage::connections`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<bool>,
    /// For an index: how many events stand between two of its marks, 1 to 10,000; 200 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// For an index: whose days it has, such as `Europe/Berlin`; the computer's own if left out or unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
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
    /// If asked for: what happened to the connections between these events, newest first; of the query's feed, or of all.
    #[serde(default)]
    pub connections: Vec<ConnectionChange>,
}

/// How many events there are under a filter, and where in their list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct EventIndex {
    /// How many.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// How many events stand between two marks.
    pub step: u32,
    /// The numbers of the events at places 0, `step`, 2 × `step` … of the list, which has the newest first.
    #[cfg_attr(test, ts(type = "Array<number>"))]
    pub marks: Vec<u64>,
    /// The days that have events, newest first.
    pub days: Vec<EventDay>,
}

/// A day in a list of events.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct EventDay {
    /// Such as `2026-11-21`.
    pub day: String,
    /// The place of its newest event in the list, from 0.
    #[cfg_attr(test, ts(type = "number"))]
    pub at: u64,
}

/// Something that happened to a feed's connection. Ends that belong to it, as of a server that ends after each event, are none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ConnectionChange {
    /// Its own number; grows.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// The feed's id.
    pub feed: String,
    /// When.
    pub at: String,
    /// The number of the newest event in the log then; 0 if there was none.
    #[cfg_attr(test, ts(type = "number"))]
    pub after: u64,
    /// What happened.
    pub kind: ConnectionChangeKind,
    /// Why it was lost.
    pub reason: Option<ConnectionReason>,
    /// How long it had been away when it came back, in seconds.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub away_seconds: Option<u64>,
}

/// What happened to a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum ConnectionChangeKind {
    /// It broke off, or could not be made.
    Lost,
    /// It is there again.
    Back,
}

/// Events by their numbers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Events {
    /// Their numbers; at most 1,000.
    #[cfg_attr(test, ts(type = "Array<number>"))]
    pub seqs: Vec<u64>,
}

/// Events to be written to a file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct EventExport {
    /// In which form.
    pub format: ExportFormat,
    /// Which; those of a list under the same filter. `before`, `limit` and `preview` do not count.
    #[serde(default)]
    pub query: EventQuery,
}

/// The form of exported events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum ExportFormat {
    /// One JSON object in each line.
    Jsonl,
    /// RFC 4180, with a line of names; cells that a spreadsheet would take for formulas are made text.
    Csv,
}

/// A file that was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Exported {
    /// Where it lies.
    pub path: String,
    /// How many events are in it.
    #[cfg_attr(test, ts(type = "number"))]
    pub events: u64,
    /// How large it is.
    #[cfg_attr(test, ts(type = "number"))]
    pub bytes: u64,
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

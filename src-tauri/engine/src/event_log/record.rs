//! An event's row: how its columns are written and read.

use jiff::Timestamp;
use rusqlite::{Row, types::Type};
use serde::{Deserialize, Serialize};

use crate::{
    event_source::Message,
    feed::FeedId,
    notification::{Button, Expire, Notification, Sound, Urgency},
    policy::{Outcome, OutcomeReason},
};

/// An event as it goes into the log.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a> {
    /// What the server sent.
    pub message: &'a Message,
    /// The origin it came from, after redirects (WHATWG HTML 9.2.6).
    pub origin: &'a str,
    /// When it came; the log keeps milliseconds.
    pub received_at: Timestamp,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: &'a OutcomeReason,
    /// What its popup says, or would have said.
    pub notification: &'a Notification,
    /// Whether its popup may pass snooze and quiet hours, also if it is shown later.
    pub urgent: bool,
}

/// An event in the log.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Its number: grows with each event, is never used twice.
    pub seq: u64,
    /// Its feed.
    pub feed: FeedId,
    /// What the server sent; the data is cut short if a preview was asked for.
    pub message: Message,
    /// Whether the data was cut short.
    pub data_truncated: bool,
    /// The origin it came from.
    pub origin: String,
    /// When it came, in milliseconds.
    pub received_at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: OutcomeReason,
    /// What its popup said, or would have said.
    pub notification: Notification,
    /// False while a popup told or will tell of it and nobody has read it; true for all other events.
    pub read: bool,
    /// The popup that told of it together with others: the number of the first event that it told of.
    pub summary: Option<u64>,
}

impl Record {
    /// What [`Record::from_row`] reads, of an event as `e`, its feed as `f` and its type as `t`.
    pub(super) const COLUMNS: &str = "e.seq, f.id, t.name, e.last_event_id, e.origin, e.received_at, e.outcome, \
        e.reason_code, e.reason_rule, e.reason_detail, e.urgency, e.title, e.url, e.popup_key, e.body, \
        NOT EXISTS (SELECT 1 FROM unread u WHERE u.seq = e.seq), \
        (SELECT summary FROM summarized s WHERE s.seq = e.seq), (SELECT value FROM extra x WHERE x.seq = e.seq)";

    /// Joins feed and type to `event e`, in this order whatever the planner thinks.
    pub(super) const JOINS: &str =
        "CROSS JOIN feed f ON f.key = e.feed CROSS JOIN event_type t ON t.key = e.type";

    /// Reads [`Record::COLUMNS`], and the data from the column after them: NULL stands for data that is cut short.
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let data: Option<String> = row.get(18)?;
        let extra: Option<String> = row.get(17)?;
        // What cannot be read is none: better a plain popup than no event.
        let extra = extra.and_then(|text| serde_json::from_str(&text).ok());
        let Extra { icon, group, sound, expire, buttons, .. } = extra.unwrap_or_default();
        let feed: String = row.get(1)?;
        Ok(Self {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            feed: FeedId::new(&feed).ok_or_else(|| foreign(1, Type::Text, "feed id"))?,
            data_truncated: data.is_none(),
            message: Message {
                event_type: row.get(2)?,
                data: data.unwrap_or_default(),
                last_event_id: row.get(3)?,
            },
            origin: row.get(4)?,
            received_at: time(row, 5)?,
            outcome: outcome_of(row.get(6)?).ok_or_else(|| foreign(6, Type::Integer, "outcome"))?,
            reason: OutcomeReason {
                code: row.get::<_, String>(7)?.into(),
                rule: row.get(8)?,
                detail: row.get(9)?,
            },
            notification: Notification {
                urgency: urgency_of(row.get(10)?).ok_or_else(|| foreign(10, Type::Integer, "urgency"))?,
                title: row.get(11)?,
                url: row.get(12)?,
                key: row.get(13)?,
                body: row.get(14)?,
                icon,
                group,
                sound,
                expire,
                buttons,
            },
            read: row.get(15)?,
            summary: row.get::<_, Option<i64>>(16)?.map(i64::unsigned_abs),
        })
    }
}

/// What a popup has beside its texts.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Extra {
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    sound: Sound,
    expire: Expire,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    buttons: Vec<Button>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    urgent: bool,
}

/// What a popup has beside its texts, as the log keeps it; `None`: nothing.
pub(super) fn extra(notification: &Notification, urgent: bool) -> Option<String> {
    let Notification { icon, group, sound, expire, buttons, .. } = notification;
    let plain = icon.is_none()
        && group.is_none()
        && *sound == Sound::Default
        && *expire == Expire::Default
        && buttons.is_empty()
        && !urgent;
    if plain {
        return None;
    }
    let extra = Extra {
        icon: icon.clone(),
        group: group.clone(),
        sound: sound.clone(),
        expire: *expire,
        buttons: buttons.clone(),
        urgent,
    };
    serde_json::to_string(&extra).ok()
}

/// A time from a column of milliseconds.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(row.get(column)?).map_err(|_| foreign(column, Type::Integer, "time"))
}

/// Whether an event of this outcome is unread until somebody reads it: a popup told or will tell of it.
pub(super) fn is_told(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Shown | Outcome::Pending | Outcome::Summarized | Outcome::Held)
}

/// [`is_told`] in SQL.
pub(super) const TOLD: &str = "outcome IN (2, 3, 4, 8)";

/// An outcome's number, the one in `schema_1.sql`. They begin at 2 because SQLite stores 0 and 1 in no byte at all: so a row
/// keeps its size when its outcome changes, and is overwritten in place.
pub(super) fn outcome_number(outcome: Outcome) -> i64 {
    match outcome {
        Outcome::Shown => 2,
        Outcome::Pending => 3,
        Outcome::Summarized => 4,
        Outcome::Logged => 5,
        Outcome::Ignored => 6,
        Outcome::Closed => 7,
        Outcome::Held => 8,
    }
}

pub(super) fn outcome_of(number: i64) -> Option<Outcome> {
    use Outcome::{Closed, Held, Ignored, Logged, Pending, Shown, Summarized};
    [Shown, Pending, Summarized, Logged, Ignored, Closed, Held]
        .into_iter()
        .find(|it| outcome_number(*it) == number)
}

/// An urgency's number: its byte in the protocol (Desktop Notifications 1.3, "Urgency Levels").
pub(super) fn urgency_number(urgency: Urgency) -> i64 {
    match urgency {
        Urgency::Low => 0,
        Urgency::Normal => 1,
        Urgency::Critical => 2,
    }
}

pub(super) fn urgency_of(number: i64) -> Option<Urgency> {
    [Urgency::Low, Urgency::Normal, Urgency::Critical].into_iter().find(|it| urgency_number(*it) == number)
}

/// A value that this program never writes.
pub(super) fn foreign(column: usize, kind: Type, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, format!("not a {what}").into())
}

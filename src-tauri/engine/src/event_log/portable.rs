//! All that the log has, as it goes from one machine to another.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::{
    EventLog, LogError, LogReader,
    record::{foreign, outcome_of, urgency_of},
};
use crate::event_source::Limits;

/// Most events in one piece.
pub const PIECE: usize = 256;
/// Most data in one piece, in bytes, if it has more than one event.
const PIECE_BYTES: usize = 4 << 20;

/// An event with all that the log has of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortableEvent {
    /// Its number.
    pub seq: u64,
    /// Its feed's id.
    pub feed: String,
    /// Its type.
    pub event: String,
    /// The last event ID.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// When it came.
    pub received_at: Timestamp,
    /// The origin it came from.
    pub origin: String,
    /// What became of it, by its number in the log.
    pub outcome: i64,
    /// Why.
    pub reason: PortableReason,
    /// How urgent it is: 0 low, 1 normal, 2 critical.
    pub urgency: i64,
    /// What its popup says, or would have said.
    pub title: String,
    /// The popup's body.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// What a click opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What its popup has beside its texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<serde_json::Value>,
    /// A popup told or will tell of it, and nobody has read it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// The number of the first event that one popup told of together with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<u64>,
    /// It brought a value that its feed resumes by.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resumable: bool,
    /// What the server sent.
    pub data: String,
}

/// Why something became of an event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortableReason {
    /// A stable name.
    pub code: String,
    /// The rule's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<u32>,
    /// The particular.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What the log keeps of a feed beside its events.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortableFeed {
    /// Its id.
    pub id: String,
    /// Its last event ID.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_event_id: String,
    /// What else it resumes by.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resume_value: String,
    /// Messages held back as repeats.
    #[serde(default)]
    pub repeats: u64,
    /// Messages that a rule ignored.
    #[serde(default)]
    pub ignored: u64,
    /// When its newest event came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event_at: Option<Timestamp>,
}

impl PortableEvent {
    /// Whether it is one that a log can have.
    pub fn is_sound(&self) -> bool {
        let extra = self.extra.as_ref().is_none_or(serde_json::Value::is_object);
        let Limits { event_bytes, field_bytes, .. } = Limits::default();
        let key = self.key.as_deref().unwrap_or_default();
        let fields = [&*self.event, &*self.id, &*self.origin, &*self.reason.detail, key];
        let fits = self.data.len() <= event_bytes
            && fields.iter().all(|field| field.len() <= field_bytes)
            && is_word(&self.reason.code);
        crate::feed::FeedId::new(&self.feed).is_some()
            && outcome_of(self.outcome).is_some()
            && urgency_of(self.urgency).is_some()
            && i64::try_from(self.seq).is_ok_and(|seq| seq > 0)
            && self.summary.is_none_or(|summary| i64::try_from(summary).is_ok())
            && extra
            && fits
    }
}

/// Whether it can be a stable name.
fn is_word(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

impl PortableFeed {
    /// Whether it is one that a log can have.
    pub fn is_sound(&self) -> bool {
        let fits =
            |text: &str| text.len() <= Limits::default().field_bytes && !text.contains(['\0', '\r', '\n']);
        crate::feed::FeedId::new(&self.id).is_some() && fits(&self.last_event_id) && fits(&self.resume_value)
    }
}

impl LogReader {
    /// The events after the one of this number, oldest first: a piece of them, empty at the end.
    pub fn portable_events(&self, after: u64) -> Result<Vec<PortableEvent>, LogError> {
        self.read(|db| events(db, i64::try_from(after).unwrap_or(i64::MAX)))
    }

    /// What the log keeps of feeds beside their events.
    pub fn portable_feeds(&self) -> Result<Vec<PortableFeed>, LogError> {
        const FEEDS: &str =
            "SELECT id, last_event_id, resume_value, repeats, ignored, last_event_at FROM feed ORDER BY id";
        self.read(|db| {
            let mut feeds = db.prepare(FEEDS)?;
            let feed = |row: &Row<'_>| {
                let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                let at: Option<i64> = row.get(5)?;
                Ok(PortableFeed {
                    id: row.get(0)?,
                    last_event_id: row.get(1)?,
                    resume_value: row.get(2)?,
                    repeats: count(3)?,
                    ignored: count(4)?,
                    last_event_at: at.and_then(|at| Timestamp::from_millisecond(at).ok()),
                })
            };
            feeds.query_map([], feed)?.collect()
        })
    }

    /// All small settings of the program's own.
    pub fn settings(&self) -> Result<Vec<(String, String)>, LogError> {
        self.read(|db| {
            let mut all = db.prepare("SELECT key, value FROM setting ORDER BY key")?;
            all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }
}

fn events(db: &Connection, after: i64) -> rusqlite::Result<Vec<PortableEvent>> {
    const EVENTS: &str = "SELECT e.seq, f.id, t.name, e.last_event_id, e.received_at, e.origin, e.outcome, e.reason_code,
        e.reason_rule, e.reason_detail, e.urgency, e.title, e.body, e.url, e.popup_key,
        (SELECT value FROM extra x WHERE x.seq = e.seq), EXISTS (SELECT 1 FROM unread u WHERE u.seq = e.seq),
        (SELECT summary FROM summarized s WHERE s.seq = e.seq), EXISTS (SELECT 1 FROM resumable r WHERE r.seq = e.seq),
        e.data FROM event e CROSS JOIN feed f ON f.key = e.feed CROSS JOIN event_type t ON t.key = e.type
        WHERE e.seq > ?1 ORDER BY e.seq LIMIT ?2";
    let mut select = db.prepare(EVENTS)?;
    let mut rows = select.query(params![after, PIECE as i64])?;
    let (mut piece, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let event = event(row)?;
        bytes += event.data.len() + event.body.len();
        piece.push(event);
        if bytes > PIECE_BYTES {
            break;
        }
    }
    Ok(piece)
}

fn event(row: &Row<'_>) -> rusqlite::Result<PortableEvent> {
    let extra: Option<String> = row.get(15)?;
    let time = Timestamp::from_millisecond(row.get(4)?);
    Ok(PortableEvent {
        seq: row.get::<_, i64>(0)?.unsigned_abs(),
        feed: row.get(1)?,
        event: row.get(2)?,
        id: row.get(3)?,
        received_at: time.map_err(|_| foreign(4, rusqlite::types::Type::Integer, "time"))?,
        origin: row.get(5)?,
        outcome: row.get(6)?,
        reason: PortableReason { code: row.get(7)?, rule: row.get(8)?, detail: row.get(9)? },
        urgency: row.get(10)?,
        title: row.get(11)?,
        body: row.get(12)?,
        url: row.get(13)?,
        key: row.get(14)?,
        extra: extra.and_then(|text| serde_json::from_str(&text).ok()),
        unread: row.get(16)?,
        summary: row.get::<_, Option<i64>>(17)?.map(i64::unsigned_abs),
        resumable: row.get(18)?,
        data: row.get(19)?,
    })
}

impl EventLog {
    /// Sets what the log keeps of feeds beside their events. Their streams are told before. A feed that has gone on here since then
    /// goes on from its own place.
    pub fn import_feeds(&mut self, feeds: &[PortableFeed]) -> Result<(), LogError> {
        const SET: &str = "INSERT INTO feed (id, last_event_id, resume_value, repeats, ignored, last_event_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET
            (last_event_id, resume_value) = (SELECT excluded.last_event_id, excluded.resume_value
                WHERE (excluded.last_event_id <> '' OR excluded.resume_value <> '') AND (last_event_at IS NULL
                    OR excluded.last_event_at >= last_event_at OR (last_event_id = '' AND resume_value = ''))
                UNION ALL SELECT last_event_id, resume_value LIMIT 1), repeats = max(repeats, excluded.repeats),
            ignored = max(ignored, excluded.ignored),
            last_event_at = coalesce(max(last_event_at, excluded.last_event_at), excluded.last_event_at, last_event_at)";
        self.write(|connection| {
            let mut set = connection.prepare_cached(SET)?;
            feeds.iter().try_for_each(|feed| {
                let now = Timestamp::now();
                let at = feed.last_event_at.map(|at| at.min(now).as_millisecond());
                let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
                let (repeats, ignored) = (count(feed.repeats), count(feed.ignored));
                let row = params![feed.id, feed.last_event_id, feed.resume_value, repeats, ignored, at];
                set.execute(row).map(drop)
            })
        })
    }
}

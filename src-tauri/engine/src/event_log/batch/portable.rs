//! Events of another log, appended to this one.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{Batch, content_hash};
use crate::{
    event_log::{
        LogError, NewEvent, PortableEvent,
        filter::first_between,
        record::{foreign, outcome_of, urgency_of},
        row_id,
    },
    event_source::Message,
    feed::FeedId,
    notification::{Notification, link, sanitize_body, sanitize_title},
    policy::{Outcome, OutcomeReason},
};

/// What one piece of an import hands on to the next.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Importing {
    /// The new numbers of events that popups were named after.
    summaries: HashMap<u64, u64>,
    before: Option<Before>,
}

/// The log before the import: what it brings itself is not taken for known.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Before {
    newest: i64,
    /// Times and numbers of events whose time the log's clock does not tell, as those of an earlier import, in order.
    behind: Vec<(i64, i64)>,
}

impl Batch<'_> {
    /// Appends an event of another log under its own number, or if that was given already, under the next one. One that was in this
    /// log before the import is passed over. Nothing is told to the feed of its last event ID. Returns whether it was appended.
    pub fn import(&mut self, event: &PortableEvent, importing: &mut Importing) -> Result<bool, LogError> {
        self.step(|batch| batch.try_import(event, importing))
    }

    fn try_import(&mut self, event: &PortableEvent, importing: &mut Importing) -> rusqlite::Result<bool> {
        const LAST: &str = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
        let unsound = || foreign(0, rusqlite::types::Type::Text, "event");
        let feed = FeedId::new(&event.feed).ok_or_else(unsound)?;
        let outcome = outcome_of(event.outcome).ok_or_else(unsound)?;
        let urgency = urgency_of(event.urgency).ok_or_else(unsound)?;
        let number = row_id(event.seq).ok_or_else(unsound)?;
        let message = Message {
            event_type: event.event.clone(),
            data: event.data.clone(),
            last_event_id: event.id.clone(),
        };
        let received_at = event.received_at.as_millisecond();
        let hash = content_hash(&message);
        if self.is_known(importing, event, number, hash)? {
            return Ok(false);
        }
        let last: Option<i64> =
            self.transaction.prepare_cached(LAST)?.query_row([], |row| row.get(0)).optional()?;
        let seq = if last.is_some_and(|last| last >= number) { None } else { Some(number) };

        // A clock that was ahead on the other machine does not set this log's.
        let told_at = received_at.min(Timestamp::now().as_millisecond());
        let clock = self.advance_clock(told_at)?;
        let kind = self.event_type(&event.event)?;
        let change = self.feed(&feed)?;
        match outcome {
            Outcome::Ignored => change.ignored += 1,
            _ => change.events += 1,
        }
        change.unread += i64::from(event.unread);
        change.last_event_at = change.last_event_at.max(Some(told_at));
        let key = change.key;
        let reason = OutcomeReason {
            code: event.reason.code.clone().into(),
            rule: event.reason.rule,
            detail: event.reason.detail.clone(),
        };
        let notification = Notification {
            title: sanitize_title(&event.title),
            body: sanitize_body(&event.body),
            url: event.url.as_deref().and_then(link),
            urgency,
            key: event.key.clone(),
            ..Notification::default()
        };
        let new = NewEvent {
            message: &message,
            origin: &event.origin,
            received_at: event.received_at,
            outcome,
            reason: &reason,
            notification: &notification,
            urgent: false,
        };
        self.insert_event(seq, key, kind, clock, &new)?;
        let seq = self.transaction.last_insert_rowid();
        self.insert_beside(event, seq, key, kind, hash, &mut importing.summaries)?;
        self.insert_words(seq, key, kind, &new)?;
        Ok(true)
    }

    fn before(&self) -> rusqlite::Result<Before> {
        const BEHIND: &str =
            "SELECT received_at, seq FROM event INDEXED BY set_back WHERE received_at < clock";
        let newest = "SELECT coalesce(max(seq), 0) FROM event";
        let newest = self.transaction.query_row(newest, [], |row| row.get(0))?;
        let mut select = self.transaction.prepare(BEHIND)?;
        let behind = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut behind = behind.collect::<rusqlite::Result<Vec<(i64, i64)>>>()?;
        behind.sort_unstable();
        Ok(Before { newest, behind })
    }

    /// Whether an event was in the log before the import, under whatever number: as one of the same feed, ID, type and data that
    /// came in the same millisecond.
    fn is_known(
        &self,
        importing: &mut Importing,
        event: &PortableEvent,
        number: i64,
        hash: i64,
    ) -> rusqlite::Result<bool> {
        const SAME: &str =
            "SELECT 1 FROM event NOT INDEXED WHERE seq >= ?1 AND seq < ?2 AND content_hash = ?3
            AND received_at = ?4 AND last_event_id = ?5 AND feed = (SELECT key FROM feed WHERE id = ?6)";
        let before = match &mut importing.before {
            Some(before) => before,
            none => none.insert(self.before()?),
        };
        let at = event.received_at.as_millisecond();
        let mut same = self.transaction.prepare_cached(SAME)?;
        let mut is_among =
            |first: i64, end: i64| same.exists(params![first, end, hash, at, event.id, event.feed]);
        if number <= before.newest && is_among(number, number + 1)? {
            return Ok(true);
        }
        let behind = &before.behind[before.behind.partition_point(|(time, _)| *time < at)..];
        for (_, seq) in behind.iter().take_while(|(time, _)| *time == at) {
            if is_among(*seq, seq + 1)? {
                return Ok(true);
            }
        }
        let first = first_between(&self.transaction, at, 0, before.newest + 1)?;
        let end = first_between(&self.transaction, at + 1, first, before.newest + 1)?;
        is_among(first, end)
    }

    fn insert_beside(
        &self,
        event: &PortableEvent,
        seq: i64,
        feed: i64,
        kind: i64,
        hash: i64,
        summaries: &mut HashMap<u64, u64>,
    ) -> rusqlite::Result<()> {
        let run = |sql: &str, row: &[&dyn rusqlite::ToSql]| {
            self.transaction.prepare_cached(sql)?.execute(row).map(drop)
        };
        if event.unread {
            let row = params![seq, feed, kind, event.key];
            run("INSERT INTO unread (seq, feed, type, popup_key) VALUES (?1, ?2, ?3, ?4)", row)?;
        }
        if let Some(extra) = &event.extra {
            run("INSERT INTO extra (seq, value) VALUES (?1, ?2)", params![seq, extra.to_string()])?;
        }
        if event.resumable {
            let row = params![seq, feed, hash];
            run("INSERT INTO resumable (seq, feed, content_hash) VALUES (?1, ?2, ?3)", row)?;
        }
        let Some(summary) = event.summary else { return Ok(()) };
        if summary == event.seq {
            summaries.insert(summary, seq.unsigned_abs());
        }
        let summary = summaries.get(&summary).copied().unwrap_or(summary);
        let row = params![seq, row_id(summary)];
        run("INSERT INTO summarized (seq, summary) VALUES (?1, ?2)", row)
    }
}

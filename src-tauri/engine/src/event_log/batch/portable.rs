//! Events of another log, appended to this one.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use super::{Batch, content_hash};
use crate::{
    event_log::{
        LogError, NewEvent, PortableEvent,
        record::{foreign, outcome_of, urgency_of},
        row_id,
    },
    event_source::Message,
    feed::FeedId,
    notification::Notification,
    policy::{Outcome, OutcomeReason},
};

impl Batch<'_> {
    /// Appends an event of another log under its own number, or if that was given already, under the next one. One that is in this log
    /// under its number is passed over. `summaries` knows the new numbers of those that popups were named after. Nothing is told to
    /// the feed of its last event ID. Returns whether it was appended.
    pub fn import(
        &mut self,
        event: &PortableEvent,
        summaries: &mut HashMap<u64, u64>,
    ) -> Result<bool, LogError> {
        self.step(|batch| batch.try_import(event, summaries))
    }

    fn try_import(
        &mut self,
        event: &PortableEvent,
        summaries: &mut HashMap<u64, u64>,
    ) -> rusqlite::Result<bool> {
        const KNOWN: &str = "SELECT 1 FROM event WHERE seq = ?1 AND content_hash = ?2 AND received_at = ?3";
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
        let known = params![number, hash, received_at];
        if self.transaction.prepare_cached(KNOWN)?.exists(known)? {
            return Ok(false);
        }
        let last: Option<i64> =
            self.transaction.prepare_cached(LAST)?.query_row([], |row| row.get(0)).optional()?;
        let seq = if last.is_some_and(|last| last >= number) { None } else { Some(number) };

        let clock = self.advance_clock(received_at)?;
        let kind = self.event_type(&event.event)?;
        let change = self.feed(&feed)?;
        match outcome {
            Outcome::Ignored => change.ignored += 1,
            _ => change.events += 1,
        }
        change.unread += i64::from(event.unread);
        change.last_event_at = change.last_event_at.max(Some(received_at));
        let key = change.key;
        let reason = OutcomeReason {
            code: event.reason.code.clone().into(),
            rule: event.reason.rule,
            detail: event.reason.detail.clone(),
        };
        let notification = Notification {
            title: event.title.clone(),
            body: event.body.clone(),
            url: event.url.clone(),
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
        self.insert_beside(event, seq, key, kind, hash, summaries)?;
        self.insert_words(seq, key, kind, &new)?;
        Ok(true)
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

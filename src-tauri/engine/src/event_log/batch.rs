//! One transaction of the writer.

mod portable;

pub use self::portable::Importing;

use std::{
    collections::{HashMap, hash_map::Entry},
    path::Path,
};

use rusqlite::{OptionalExtension, Transaction, ffi, named_params, params};

use super::{
    LogError, NewEvent,
    record::{extra, is_told, outcome_number, urgency_number},
    search::{self, Words},
};
use crate::{event_source::Message, feed::FeedId, policy::Outcome};

/// Of the events that a rule ignores, this many of each feed stay in the log: enough to answer why nothing is shown.
pub const IGNORED_KEPT: u32 = 1000;

/// What a step after a failed one says.
const ABORT: ffi::Error =
    ffi::Error { code: ffi::ErrorCode::OperationAborted, extended_code: ffi::SQLITE_ABORT };

/// Events on their way into the log: all of them are in it once [`Batch::commit`] returns, none if it fails or is not called.
#[derive(Debug)]
pub struct Batch<'a> {
    transaction: Transaction<'a>,
    path: &'a Path,
    feeds: HashMap<FeedId, FeedChange>,
    types: HashMap<String, i64>,
    /// The latest time in the log, once known.
    clock: Option<i64>,
    /// The latest time of what was deleted.
    latest: Option<i64>,
    words: Words,
    failed: bool,
}

/// What a batch changes in a feed's row; written once, at the end.
#[derive(Debug, Default)]
struct FeedChange {
    key: i64,
    /// Ignored events before this batch.
    ignored_before: i64,
    events: i64,
    unread: i64,
    repeats: i64,
    ignored: i64,
    last_event_id: Option<String>,
    resume_value: Option<String>,
    last_event_at: Option<i64>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(transaction: Transaction<'a>, path: &'a Path, latest: Option<i64>) -> Self {
        let (feeds, types, words) = Default::default();
        Self { transaction, path, feeds, types, clock: None, latest, words, failed: false }
    }

    /// Adds an event, sets its feed's last event ID, and what else it resumes by if the event brought that, and counts it. Returns its
    /// number.
    pub fn append(
        &mut self,
        feed: &FeedId,
        new: &NewEvent<'_>,
        resume_value: Option<&str>,
    ) -> Result<u64, LogError> {
        const RESUMABLE: &str = "INSERT INTO resumable (seq, feed, content_hash) VALUES (?1, ?2, ?3)";
        self.step(|batch| {
            let seq = batch.try_append(feed, new)?;
            if let Some(value) = resume_value {
                let change = batch.feed(feed)?;
                change.resume_value = Some(value.to_owned());
                let key = change.key;
                let row = params![seq.cast_signed(), key, content_hash(new.message)];
                batch.transaction.prepare_cached(RESUMABLE)?.execute(row)?;
            }
            Ok(seq)
        })
    }

    /// Sets what the feed resumes by, without an event; empty: nothing.
    pub fn set_resume_value(&mut self, feed: &FeedId, value: &str) -> Result<(), LogError> {
        self.step(|batch| {
            batch.feed(feed)?.resume_value = Some(value.to_owned());
            Ok(())
        })
    }

    /// Sets the feed's last event ID without an event: an `id` came in a block without data (WHATWG HTML 9.2.6).
    pub fn set_last_event_id(&mut self, feed: &FeedId, id: &str) -> Result<(), LogError> {
        self.step(|batch| {
            batch.feed(feed)?.last_event_id = Some(id.to_owned());
            Ok(())
        })
    }

    /// Counts a message that is held back as a repeat, and sets the feed's last event ID to its.
    pub fn count_repeat(&mut self, feed: &FeedId, last_event_id: &str) -> Result<(), LogError> {
        self.step(|batch| {
            let change = batch.feed(feed)?;
            change.repeats += 1;
            change.last_event_id = Some(last_event_id.to_owned());
            Ok(())
        })
    }

    /// Whether the log, this batch included, has an event of the feed with the same last event ID, not empty, the same type
    /// and the same data, or had one that was deleted.
    pub fn is_logged(&self, feed: &FeedId, message: &Message) -> Result<bool, LogError> {
        const SAME: &str =
            "SELECT 1 FROM event INDEXED BY repeat WHERE feed = (SELECT key FROM feed WHERE id = ?1)
            AND last_event_id = ?2 AND last_event_id <> '' AND content_hash = ?3 AND data = ?5
            AND type = (SELECT key FROM event_type WHERE name = ?4)";
        const DELETED: &str = "SELECT 1 FROM deleted WHERE feed = (SELECT key FROM feed WHERE id = ?1)
            AND digest = ?2 AND last_event_id = ?3";
        let Message { event_type, data, last_event_id } = message;
        if last_event_id.is_empty() {
            return Ok(false);
        }
        let same = || {
            let key = params![feed.as_str(), last_event_id, content_hash(message), event_type, data];
            Ok(self.transaction.prepare_cached(SAME)?.exists(key)?
                || self.transaction.prepare_cached(DELETED)?.exists(params![
                    feed.as_str(),
                    digest(message),
                    last_event_id
                ])?)
        };
        same().map_err(|error| LogError::of(self.path, error))
    }

    /// Whether the log, this batch included, has an event of the feed that brought a value to resume by, with the same type and the
    /// same data, and so with the same value.
    pub fn is_resumable_logged(&self, feed: &FeedId, message: &Message) -> Result<bool, LogError> {
        const SAME: &str = "SELECT 1 FROM resumable r JOIN event e ON e.seq = r.seq
            WHERE r.feed = (SELECT key FROM feed WHERE id = ?1) AND r.content_hash = ?2 AND e.data = ?4
            AND e.type = (SELECT key FROM event_type WHERE name = ?3)";
        const DELETED: &str = "SELECT 1 FROM deleted WHERE feed = (SELECT key FROM feed WHERE id = ?1)
            AND digest = ?2 AND resumable";
        let same = || {
            let key = params![feed.as_str(), content_hash(message), message.event_type, message.data];
            Ok(self.transaction.prepare_cached(SAME)?.exists(key)?
                || self
                    .transaction
                    .prepare_cached(DELETED)?
                    .exists(params![feed.as_str(), digest(message)])?)
        };
        same().map_err(|error| LogError::of(self.path, error))
    }

    /// Takes back the popups of this key of the feed that were not shown yet, this batch's included: they are in the log alone, `code` says
    /// why. Those that are on their way to the notification server are told. Returns the numbers of the others.
    pub fn take_back(
        &mut self,
        feed: &FeedId,
        key: &str,
        code: &'static str,
        on_their_way: &[u64],
    ) -> Result<Vec<u64>, LogError> {
        const UNSHOWN: &str = "SELECT seq FROM event INDEXED BY unshown_key
            WHERE feed = ?1 AND popup_key = ?2 AND outcome IN (3, 8) AND popup_key IS NOT NULL";
        const TAKE_BACK: &str = "UPDATE event SET outcome = 5, reason_code = ?2 WHERE seq = ?1";
        self.step(|batch| {
            let of_feed = batch.feed(feed)?.key;
            let mut taken = batch
                .transaction
                .prepare_cached(UNSHOWN)?
                .query_map(params![of_feed, key], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<i64>>>()?;
            taken.retain(|seq| !on_their_way.contains(&seq.unsigned_abs()));
            for seq in &taken {
                batch.transaction.prepare_cached(TAKE_BACK)?.execute(params![seq, code])?;
            }
            let unread = batch.read(&taken)?;
            batch.feed(feed)?.unread -= unread;
            Ok(taken.into_iter().map(i64::unsigned_abs).collect())
        })
    }

    /// Marks what popups of this key of the feed have told as read: they are gone.
    pub fn mark_key_read(&mut self, feed: &FeedId, key: &str) -> Result<(), LogError> {
        const TOLD: &str = "SELECT seq FROM unread INDEXED BY unread_key WHERE feed = ?1 AND popup_key = ?2 AND popup_key IS NOT NULL";
        self.step(|batch| {
            let of_feed = batch.feed(feed)?.key;
            let told = batch
                .transaction
                .prepare_cached(TOLD)?
                .query_map(params![of_feed, key], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<i64>>>()?;
            let unread = batch.read(&told)?;
            batch.feed(feed)?.unread -= unread;
            Ok(())
        })
    }

    /// Ends the transaction: from now on everything in it is in the log for good.
    pub fn commit(mut self) -> Result<(), LogError> {
        self.step(Self::write_feeds)?;
        let path = self.path;
        self.transaction.commit().map_err(|error| LogError::of(path, error))
    }

    /// Runs one step. Once a step has failed, SQLite may have rolled the transaction back, so all later ones fail, too.
    fn step<T>(&mut self, run: impl FnOnce(&mut Self) -> rusqlite::Result<T>) -> Result<T, LogError> {
        let result = if self.failed { Err(rusqlite::Error::SqliteFailure(ABORT, None)) } else { run(self) };
        self.failed = result.is_err();
        result.map_err(|error| LogError::of(self.path, error))
    }
}

impl Batch<'_> {
    fn try_append(&mut self, feed: &FeedId, new: &NewEvent<'_>) -> rusqlite::Result<u64> {
        let received_at = new.received_at.as_millisecond();
        let clock = self.advance_clock(received_at)?;
        let kind = self.event_type(&new.message.event_type)?;
        let change = self.feed(feed)?;
        let key = change.key;
        match new.outcome {
            Outcome::Ignored => change.ignored += 1,
            _ => change.events += 1,
        }
        change.unread += i64::from(is_told(new.outcome));
        change.last_event_at = Some(received_at);
        change.last_event_id = Some(new.message.last_event_id.clone());

        self.insert_event(None, key, kind, clock, new)?;
        let seq = self.transaction.last_insert_rowid();
        if is_told(new.outcome) {
            const UNREAD: &str = "INSERT INTO unread (seq, feed, type, popup_key) VALUES (?1, ?2, ?3, ?4)";
            let row = params![seq, key, kind, new.notification.key];
            self.transaction.prepare_cached(UNREAD)?.execute(row)?;
        }
        if let Some(extra) = extra(new.notification, new.urgent) {
            const EXTRA: &str = "INSERT INTO extra (seq, value) VALUES (?1, ?2)";
            self.transaction.prepare_cached(EXTRA)?.execute(params![seq, extra])?;
        }
        self.insert_words(seq, key, kind, new)?;
        Ok(seq.unsigned_abs())
    }

    fn insert_event(
        &self,
        seq: Option<i64>,
        feed: i64,
        kind: i64,
        clock: i64,
        new: &NewEvent<'_>,
    ) -> rusqlite::Result<()> {
        const INSERT: &str = "INSERT INTO event (seq, feed, type, outcome, received_at, clock, content_hash, last_event_id,
            origin, reason_code, reason_rule, reason_detail, urgency, title, url, popup_key, body, data) VALUES (:seq, :feed,
            :type, :outcome, :received_at, :clock, :content_hash, :last_event_id, :origin, :reason_code, :reason_rule,
            :reason_detail, :urgency, :title, :url, :popup_key, :body, :data)";
        let NewEvent { message, origin, received_at, outcome, reason, notification, .. } = new;
        self.transaction.prepare_cached(INSERT)?.insert(named_params! {
            ":seq": seq,
            ":feed": feed,
            ":type": kind,
            ":outcome": outcome_number(*outcome),
            ":received_at": received_at.as_millisecond(),
            ":clock": clock,
            ":content_hash": content_hash(message),
            ":last_event_id": message.last_event_id,
            ":origin": origin,
            ":reason_code": reason.code,
            ":reason_rule": reason.rule,
            ":reason_detail": reason.detail,
            ":urgency": urgency_number(notification.urgency),
            ":title": notification.title,
            ":url": notification.url,
            ":popup_key": notification.key,
            ":body": notification.body,
            ":data": message.data,
        })?;
        Ok(())
    }

    /// Takes events from the unread ones; how many of them were.
    fn read(&self, seqs: &[i64]) -> rusqlite::Result<i64> {
        let mut read = self.transaction.prepare_cached("DELETE FROM unread WHERE seq = ?1")?;
        seqs.iter().try_fold(0, |sum, seq| Ok(sum + i64::from(read.execute([seq])? > 0)))
    }

    fn insert_words(&mut self, seq: i64, feed: i64, kind: i64, new: &NewEvent<'_>) -> rusqlite::Result<()> {
        let NewEvent { message, notification, outcome, .. } = new;
        let indexed = search::Indexed {
            seq,
            feed,
            kind,
            told: is_told(*outcome),
            title: &notification.title,
            body: &notification.body,
            data: &message.data,
        };
        search::insert(&self.transaction, &indexed, &mut self.words)
    }

    fn feed(&mut self, feed: &FeedId) -> rusqlite::Result<&mut FeedChange> {
        // The row is made at the first event; the update that changes nothing makes it be returned at all later ones.
        const GET: &str =
            "INSERT INTO feed (id) VALUES (?1) ON CONFLICT DO UPDATE SET id = id RETURNING key, ignored";
        match self.feeds.entry(feed.clone()) {
            Entry::Occupied(change) => Ok(change.into_mut()),
            Entry::Vacant(place) => {
                let (key, ignored_before) = self
                    .transaction
                    .prepare_cached(GET)?
                    .query_row([feed.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(place.insert(FeedChange { key, ignored_before, ..FeedChange::default() }))
            }
        }
    }

    fn event_type(&mut self, name: &str) -> rusqlite::Result<i64> {
        if let Some(key) = self.types.get(name) {
            return Ok(*key);
        }
        let mut get = self.transaction.prepare_cached("SELECT key FROM event_type WHERE name = ?1")?;
        let key = match get.query_row([name], |row| row.get(0)).optional()? {
            Some(key) => key,
            None => self
                .transaction
                .prepare_cached("INSERT INTO event_type (name) VALUES (?1)")?
                .insert([name])?,
        };
        self.types.insert(name.to_owned(), key);
        Ok(key)
    }

    /// The latest time in the log, with an event of now: never goes back, so that a search for a time can halve its way.
    fn advance_clock(&mut self, now: i64) -> rusqlite::Result<i64> {
        const LATEST: &str = "SELECT clock FROM event ORDER BY seq DESC LIMIT 1";
        let before = match self.clock {
            Some(clock) => clock,
            None => self
                .transaction
                .prepare_cached(LATEST)?
                .query_row([], |row| row.get(0))
                .optional()?
                .max(self.latest)
                .unwrap_or(i64::MIN),
        };
        Ok(*self.clock.insert(before.max(now)))
    }

    fn write_feeds(&mut self) -> rusqlite::Result<()> {
        const CHANGE: &str = "UPDATE feed SET events = events + :events, unread = unread + :unread,
            repeats = repeats + :repeats, ignored = ignored + :ignored,
            last_event_id = coalesce(:last_event_id, last_event_id),
            resume_value = coalesce(:resume_value, resume_value), last_event_at = coalesce(:last_event_at, last_event_at)
            WHERE key = :key";
        for change in self.feeds.values() {
            self.transaction.prepare_cached(CHANGE)?.execute(named_params! {
                ":key": change.key,
                ":events": change.events,
                ":unread": change.unread,
                ":repeats": change.repeats,
                ":ignored": change.ignored,
                ":last_event_id": change.last_event_id,
                ":resume_value": change.resume_value,
                ":last_event_at": change.last_event_at,
            })?;
            if change.ignored > 0 && change.ignored_before + change.ignored > i64::from(IGNORED_KEPT) {
                self.drop_old_ignored(change.key)?;
            }
        }
        Ok(())
    }

    fn drop_old_ignored(&self, feed: i64) -> rusqlite::Result<()> {
        const OLD: &str = "SELECT seq FROM event INDEXED BY ignored WHERE feed = ?1 AND outcome = 6
            ORDER BY seq DESC LIMIT -1 OFFSET ?2";
        let old: Vec<i64> = self
            .transaction
            .prepare_cached(OLD)?
            .query_map([feed, IGNORED_KEPT.into()], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for seq in old {
            self.transaction.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([seq])?;
            self.transaction.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([seq])?;
        }
        Ok(())
    }
}

/// FNV-1a of type and data: only narrows the search for a repeat down, the texts decide.
fn content_hash(message: &Message) -> i64 {
    fnv1a(message.event_type.bytes().chain([0]).chain(message.data.bytes()))
}

/// What stands for type and data of an event that is no more: long enough that no other has the same.
pub(super) fn digest(message: &Message) -> i64 {
    let bytes = message.event_type.bytes().chain([0]).chain(message.data.bytes());
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    bytes.fold(0xCBF2_9CE4_8422_2325, step).cast_signed()
}

/// A hash that stays the same over versions of program and compiler, for it is kept in the log.
pub(super) fn fnv1a(bytes: impl Iterator<Item = u8>) -> i64 {
    i64::from(bytes.fold(0x811C_9DC5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)))
}

//! The way of events from the log to a popup: what waits, what was handed over, what is told no more.

use std::borrow::Cow;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    ReadMark, Record, deletion, marks,
    record::{outcome_number, urgency_of},
    row_id,
    search::Words,
};
use crate::{
    feed::FeedId,
    notification::Urgency,
    policy::{Outcome, OutcomeReason},
};

/// An event whose popup waits to be handed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pending {
    /// Its number.
    pub seq: u64,
    /// Its feed.
    pub feed: FeedId,
    /// Why it is to be shown, or what held it back: a code of [`OutcomeReason`].
    pub code: Cow<'static, str>,
    /// How urgent its popup is.
    pub urgency: Urgency,
    /// Whether it may pass snooze and quiet hours.
    pub urgent: bool,
    /// Whether a person has read it in the meantime.
    pub read: bool,
}

/// A pending event that is not to be shown now, or at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetAside {
    /// Its number.
    pub seq: u64,
    /// What becomes of it: held or logged.
    pub outcome: Outcome,
    /// Why, if that is news.
    pub code: Option<&'static str>,
    /// Until when.
    pub until: Option<Timestamp>,
}

pub(super) fn pending(db: &Connection, limit: i64) -> rusqlite::Result<Vec<Pending>> {
    const PENDING: &str = "SELECT e.seq, f.id, e.reason_code, e.urgency,
        EXISTS (SELECT 1 FROM extra x WHERE x.seq = e.seq AND x.value ->> 'urgent'),
        NOT EXISTS (SELECT 1 FROM unread u WHERE u.seq = e.seq) FROM event e INDEXED BY pending
        CROSS JOIN feed f ON f.key = e.feed WHERE e.outcome = 3 ORDER BY e.seq LIMIT ?1";
    let mut pending = db.prepare_cached(PENDING)?;
    let mut rows = pending.query([limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        // No other id is ever written.
        let Some(feed) = FeedId::new(row.get_ref(1)?.as_str()?) else { continue };
        let code = OutcomeReason::known_code(row.get_ref(2)?.as_str()?);
        let urgency = urgency_of(row.get(3)?).unwrap_or_default();
        let (seq, urgent, read) = (row.get::<_, i64>(0)?.unsigned_abs(), row.get(4)?, row.get(5)?);
        found.push(Pending { seq, feed, code, urgency, urgent, read });
    }
    Ok(found)
}

pub(super) fn records(db: &Connection, seqs: &[u64]) -> rusqlite::Result<Vec<Record>> {
    let select = format!("SELECT {}, NULL FROM event e {} WHERE e.seq = ?1", Record::COLUMNS, Record::JOINS);
    let mut select = db.prepare_cached(&select)?;
    let records = seqs.iter().copied().filter_map(row_id);
    records.filter_map(|seq| select.query_row([seq], Record::from_row).optional().transpose()).collect()
}

pub(super) fn mark(db: &Connection, seqs: &[u64], summary: Option<u64>) -> rusqlite::Result<()> {
    const SHOWN: &str = "UPDATE event SET outcome = 2 WHERE seq = ?1 AND outcome = 3";
    const SUMMARIZED: &str = "UPDATE event SET outcome = 4,
        reason_code = iif(reason_code IN ('flood', 'catch_up', 'snoozed', 'quiet_hours'), reason_code, 'backlog')
        WHERE seq = ?1 AND outcome = 3";
    let mut mark = db.prepare_cached(if summary.is_some() { SUMMARIZED } else { SHOWN })?;
    let mut note = db.prepare_cached("INSERT OR IGNORE INTO summarized (seq, summary) VALUES (?1, ?2)")?;
    for seq in seqs.iter().copied().filter_map(row_id) {
        let pending = mark.execute([seq])? > 0;
        if let Some(summary) = summary.filter(|_| pending) {
            note.execute(params![seq, row_id(summary)])?;
        }
    }
    Ok(())
}

/// Writes down that a person had an event's popup shown, whatever had kept it away. It is listed from now on if it was not. Returns
/// whether that changed its outcome.
pub(super) fn mark_shown(db: &Connection, seq: u64) -> rusqlite::Result<bool> {
    const KEPT_AWAY: &str = "SELECT feed, outcome FROM event WHERE seq = ?1 AND outcome IN (3, 5, 6, 8)";
    let Some(seq) = row_id(seq) else { return Ok(false) };
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let kept_away = db.prepare_cached(KEPT_AWAY)?.query_row([seq], row).optional()?;
    let Some((feed, outcome)) = kept_away else { return Ok(false) };
    db.prepare_cached("UPDATE event SET outcome = 2 WHERE seq = ?1")?.execute([seq])?;
    if outcome == 6 {
        db.prepare_cached("UPDATE feed SET events = events + 1 WHERE key = ?1")?.execute([feed])?;
    }
    if matches!(outcome, 5 | 6) {
        // Whoever marks it as unread finds it by its words among what was told.
        db.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([seq])?;
        deletion::index_again(db, seq, &mut Words::default())?;
    }
    Ok(true)
}

pub(super) fn set_aside(db: &Connection, events: &[SetAside]) -> rusqlite::Result<()> {
    const SET_ASIDE: &str = "UPDATE event SET outcome = ?2, reason_code = coalesce(?3, reason_code),
        reason_detail = iif(?3 IS NULL, reason_detail, coalesce(?4, '')) WHERE seq = ?1 AND outcome = 3";
    let mut set_aside = db.prepare_cached(SET_ASIDE)?;
    let mut logged = Vec::new();
    for SetAside { seq, outcome, code, until } in events {
        let row = params![row_id(*seq), outcome_number(*outcome), code, until.map(|until| until.to_string())];
        set_aside.execute(row)?;
        logged.extend((*outcome == Outcome::Logged).then_some(*seq));
    }
    marks::set_read(db, &ReadMark::Events(logged), true).map(drop)
}

pub(super) fn held(db: &Connection) -> rusqlite::Result<Vec<(FeedId, u64)>> {
    const HELD: &str =
        "SELECT f.id, count(*) FROM event e INDEXED BY waiting CROSS JOIN feed f ON f.key = e.feed
        WHERE e.outcome = 8 GROUP BY e.feed";
    let mut held = db.prepare_cached(HELD)?;
    let rows = held.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.into_iter().filter_map(|(id, count)| Some((FeedId::new(&id)?, count.unsigned_abs()))).collect())
}

pub(super) fn release(db: &Connection, feeds: &[FeedId]) -> rusqlite::Result<()> {
    const READ: &str = "UPDATE event INDEXED BY waiting SET outcome = 5 WHERE outcome = 8
        AND feed = (SELECT key FROM feed WHERE id = ?1) AND NOT EXISTS (SELECT 1 FROM unread u WHERE u.seq = event.seq)";
    const UNREAD: &str = "UPDATE event INDEXED BY waiting SET outcome = 3 WHERE outcome = 8
        AND feed = (SELECT key FROM feed WHERE id = ?1)";
    for feed in feeds {
        db.prepare_cached(READ)?.execute([feed.as_str()])?;
        db.prepare_cached(UNREAD)?.execute([feed.as_str()])?;
    }
    Ok(())
}

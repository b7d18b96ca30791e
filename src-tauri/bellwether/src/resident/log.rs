//! The control socket's routes to the event log.

use std::io::Write;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use bellwether_control::wire::{self, ErrorCode};
use bellwether_engine::{
    event_log::{ACTIVITY_STEP, LogError, LogReader, Query as LogQuery, ReadMark},
    policy::Outcome,
};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    Resident,
    exports::Exports,
    reading,
    server::{Answer, Refusal, body, feed_id},
    wire as to_wire,
};
use crate::logged::{self, Logged};

/// Events on a page, and between two marks of an index, if nothing else is asked for.
const USUAL: u32 = 200;

/// Most events between two marks of an index.
const MAX_STEP: u32 = 10_000;

/// A query as it stands in a URL.
pub(super) type Asked<T> = Result<Query<T>, QueryRejection>;

fn asked<T>(query: Asked<T>) -> Result<T, Refusal> {
    let bad = |error: QueryRejection| Refusal::new(ErrorCode::BadRequest, error.body_text());
    query.map(|Query(query)| query).map_err(bad)
}

pub(super) async fn events(
    State(resident): State<Resident>,
    query: Asked<wire::EventQuery>,
) -> Answer<wire::EventPage> {
    let query = asked(query)?;
    let (preview, connections) = (query.preview.unwrap_or(false), query.connections.unwrap_or(false));
    let query = log_query(query)?;
    let can_notify = resident.can_notify();
    let log = resident.engine.log().clone();
    let read = move || {
        let page = log.page(&query)?;
        let connections = if connections { log.connections(&query, page.next_before)? } else { Vec::new() };
        Ok::<_, LogError>((page, connections))
    };
    let (page, connections) = reading::read(read).await.map_err(Refusal::internal)??;
    Ok(Json(wire::EventPage {
        events: page.records.iter().map(|record| to_wire::event(record, preview, can_notify)).collect(),
        next_before: page.next_before,
        connections: connections.iter().map(to_wire::connection_change).collect(),
    }))
}

pub(super) async fn activity(
    State(resident): State<Resident>,
    Path(id): Path<String>,
) -> Answer<wire::FeedActivity> {
    // One that there is.
    let feed = resident.feed(&feed_id(&id)?).await?.id.clone();
    let log = resident.engine.log().clone();
    let read = move || {
        let activity = log.activity(&feed, Timestamp::now())?;
        let connections = log.connections_since(&feed, activity.from)?;
        Ok::<_, LogError>((activity, connections))
    };
    let (activity, connections) = reading::read(read).await.map_err(Refusal::internal)??;
    Ok(Json(wire::FeedActivity {
        from: to_wire::time(activity.from),
        step_seconds: ACTIVITY_STEP.as_secs().try_into().unwrap_or(u32::MAX),
        events: activity.events,
        connections: connections.iter().map(to_wire::connection_change).collect(),
    }))
}

pub(super) async fn index(
    State(resident): State<Resident>,
    query: Asked<wire::EventQuery>,
) -> Answer<wire::EventIndex> {
    let query = asked(query)?;
    let step = query.step.unwrap_or(USUAL).clamp(1, MAX_STEP);
    let zone = query.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
    let zone = zone.unwrap_or_else(TimeZone::system);
    let query = log_query(query)?;
    let log = resident.engine.log().clone();
    let index = reading::read(move || log.index(&query, step, &zone)).await.map_err(Refusal::internal)??;
    let days = index.days.into_iter().map(|(day, at)| wire::EventDay { day: day.to_string(), at });
    Ok(Json(wire::EventIndex { count: index.count, step, marks: index.marks, days: days.collect() }))
}

/// Whose event types are asked for.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OfFeed {
    feed: Option<String>,
}

pub(super) async fn types(State(resident): State<Resident>, query: Asked<OfFeed>) -> Answer<Vec<String>> {
    let feed = asked(query)?.feed.map(|id| feed_id(&id)).transpose()?;
    let log = resident.engine.log().clone();
    Ok(Json(reading::read(move || log.types(feed.as_ref())).await.map_err(Refusal::internal)??))
}

pub(super) fn log_query(query: wire::EventQuery) -> Result<LogQuery, Refusal> {
    Ok(LogQuery {
        feed: query.feed.map(|id| feed_id(&id)).transpose()?,
        event: query.event,
        search: query.search,
        unread: query.unread.unwrap_or(false),
        held_back: query.held_back.unwrap_or(false),
        summary: query.summary,
        outcomes: query.outcome.as_deref().map(outcomes).transpose()?.filter(|outcomes| !outcomes.is_empty()),
        since: time("since", query.since.as_deref())?,
        until: time("until", query.until.as_deref())?,
        before: query.before,
        limit: query.limit.unwrap_or(USUAL).clamp(1, 1000),
        preview: query.preview.unwrap_or(false).then_some(to_wire::PREVIEW),
    })
}

fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Refusal> {
    text.map(str::parse).transpose().map_err(|error: jiff::Error| {
        Refusal::new(ErrorCode::BadRequest, format!("{name} is not an RFC 3339 time: {error}"))
    })
}

/// Outcomes as they stand in a query: `held,pending`.
fn outcomes(text: &str) -> Result<Vec<Outcome>, Refusal> {
    let outcome = |word: &str| {
        let known = to_wire::OUTCOMES.into_iter().find(|outcome| to_wire::outcome_name(*outcome) == word);
        known.ok_or_else(|| {
            let words: Vec<String> = to_wire::OUTCOMES.into_iter().map(to_wire::outcome_name).collect();
            let message = format!("outcome has “{word}”, which is none of {}", words.join(", "));
            Refusal::new(ErrorCode::BadRequest, message)
        })
    };
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(outcome).collect()
}

pub(super) async fn event(State(resident): State<Resident>, Path(seq): Path<String>) -> Answer<wire::Event> {
    Ok(Json(to_wire::event(&resident.record(&seq).await?, false, resident.can_notify())))
}

pub(super) async fn open_event(
    State(resident): State<Resident>,
    Path(seq): Path<String>,
) -> Result<StatusCode, Refusal> {
    let record = resident.record(&seq).await?;
    let url = record
        .notification
        .url
        .ok_or_else(|| Refusal::new(ErrorCode::NoLink, format!("event {} has no link", record.seq)))?;
    resident.engine.mark_read(ReadMark::Events(vec![record.seq]), true).await?;
    super::open_link(&url).map_err(|error| Refusal::new(ErrorCode::Internal, error))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn mark_read(State(resident): State<Resident>, bytes: Bytes) -> Result<StatusCode, Refusal> {
    let mark: wire::MarkRead = body(&bytes)?;
    let which = match (mark.seqs, mark.feed, mark.summary) {
        (Some(seqs), None, None) => ReadMark::Events(seqs),
        (None, Some(feed), None) => ReadMark::Feed(feed_id(&feed)?),
        (None, None, Some(summary)) => ReadMark::Summary(summary),
        (None, None, None) => ReadMark::All,
        _ => {
            return Err(Refusal::new(
                ErrorCode::BadRequest,
                "name one of seqs, feed and summary, not several",
            ));
        }
    };
    resident.engine.mark_read(which, mark.read).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Most events that one request names.
const MAX_NAMED: usize = 1000;

fn named(bytes: &Bytes) -> Result<Vec<u64>, Refusal> {
    let wire::Events { seqs } = body(bytes)?;
    if seqs.len() > MAX_NAMED {
        let message = format!("seqs has more than {MAX_NAMED} events; name them in several requests");
        return Err(Refusal::new(ErrorCode::BadRequest, message));
    }
    Ok(seqs)
}

pub(super) async fn delete(State(resident): State<Resident>, bytes: Bytes) -> Result<StatusCode, Refusal> {
    resident.engine.delete(named(&bytes)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn restore(State(resident): State<Resident>, bytes: Bytes) -> Result<StatusCode, Refusal> {
    resident.engine.restore(named(&bytes)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn show(
    State(resident): State<Resident>,
    Path(seq): Path<String>,
) -> Result<StatusCode, Refusal> {
    let record = resident.record(&seq).await?;
    resident.needs_notifications()?;
    resident.engine.show_again(record.seq).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One export at a time: a whole log takes a while, and lists are to be read meanwhile.
static EXPORTS: Semaphore = Semaphore::const_new(1);

/// The turn of an export, which is its until it is written, also if nobody waits for it any more.
pub(super) async fn export_turn() -> Result<SemaphorePermit<'static>, Refusal> {
    // Nobody closes it.
    EXPORTS.acquire().await.map_err(|error| Refusal::internal(std::io::Error::other(error)))
}

pub(super) async fn export(State(resident): State<Resident>, bytes: Bytes) -> Answer<wire::Exported> {
    let wire::EventExport { format, query } = body(&bytes)?;
    let query = LogQuery { before: None, limit: USUAL, preview: None, ..log_query(query)? };
    let (log, exports) = (resident.engine.log().clone(), resident.exports.clone());
    let can_notify = resident.can_notify();
    let turn = export_turn().await?;
    let written = reading::read(move || {
        let _turn = turn;
        write_events(&log, query, format, &exports, can_notify)
    });
    Ok(Json(written.await.map_err(Refusal::internal)??))
}

/// Writes events to a file page by page: never more of them are in memory.
fn write_events(
    log: &LogReader,
    mut query: LogQuery,
    format: wire::ExportFormat,
    exports: &Exports,
    can_notify: bool,
) -> Result<wire::Exported, Refusal> {
    let stem = Zoned::now().strftime("bellwether-events-%Y-%m-%d-%H%M").to_string();
    let extension = match format {
        wire::ExportFormat::Jsonl => "jsonl",
        wire::ExportFormat::Csv => "csv",
    };
    let mut file = exports.create(&stem, extension).map_err(cannot_write)?;
    file.write_all(logged::head(format).as_bytes()).map_err(cannot_write)?;
    let mut events = 0;
    loop {
        let page = log.page(&query)?;
        for record in &page.records {
            let event = to_wire::event(record, false, can_notify);
            file.write_all(Logged::from(&event).line(format).as_bytes()).map_err(cannot_write)?;
            events += 1;
        }
        query.before = page.next_before;
        if query.before.is_none() {
            return file.finish(events).map_err(cannot_write);
        }
    }
}

/// A file of the person's that cannot be written.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn cannot_write(error: std::io::Error) -> Refusal {
    let detail = error.to_string();
    let message = format!("the export cannot be written: {detail}; make room there, or see who may write");
    Refusal(wire::Error { detail, ..Refusal::new(ErrorCode::CannotWrite, message).0 })
}

pub(super) async fn open_exports(State(resident): State<Resident>) -> Result<StatusCode, Refusal> {
    let none = || {
        Refusal::new(ErrorCode::NotFound, "nothing has been exported since the start, or its folder is gone")
    };
    let folder = resident.exports.newest_folder().ok_or_else(none)?;
    open::that_detached(&folder).map_err(|error| {
        let message = format!("no program could be started for {}: {error}", folder.display());
        Refusal::new(ErrorCode::Internal, message)
    })?;
    Ok(StatusCode::NO_CONTENT)
}

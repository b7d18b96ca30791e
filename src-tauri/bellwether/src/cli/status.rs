//! `bellwether status`: each feed's connection with its reason, and what is missing.

use bellwether_control::{messages::Catalogue, wire};
use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::{
    Failure, name,
    output::{Output, Paint, Span, Table},
    rules, snooze, time,
};
use crate::args::JsonArgs;

pub(super) fn run(
    args: &JsonArgs,
    status: &wire::Status,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    if args.json {
        return Ok(output.json(status)?);
    }
    Ok(show(status, Timestamp::now(), &TimeZone::system(), catalogue, output)?)
}

fn show(
    status: &wire::Status,
    now: Timestamp,
    zone: &TimeZone,
    catalogue: &Catalogue,
    output: &mut Output,
) -> std::io::Result<()> {
    let pid = status.pid.to_string();
    let since = time::local(&status.started_at, zone);
    let values = [("version", status.version.as_str()), ("pid", &pid), ("since", &since)];
    output.line([catalogue.format("cli.status.running", &values)])?;
    if let Some(line) = snooze::line(&status.attention, now, zone, catalogue) {
        output.line([line])?;
    }
    if status.feeds.is_empty() {
        output.line([catalogue.text("cli.feeds.none")])?;
    } else {
        output.table(&feeds(&status.feeds, &now.to_zoned(zone.clone()), catalogue))?;
    }
    let missing: Vec<&wire::Part> = status.parts.iter().filter(|part| !part.available).collect();
    for part in &missing {
        output.line([missing_sentence(part, catalogue).paint(Paint::Yellow)])?;
    }
    if !missing.is_empty() {
        output.line([Span::new(catalogue.text("cli.status.what_to_do")).paint(Paint::Dim)])?;
    }
    if let Some(error) = &status.config.error {
        output
            .line([Span::from(config_sentence(&status.config.path, error, catalogue)).paint(Paint::Red)])?;
    }
    if let Some(error) = &status.event_log_error {
        let text = catalogue.format("cli.status.event_log_error", &[("message", &catalogue.sentence(error))]);
        output.line([Span::from(text).paint(Paint::Red)])?;
    }
    Ok(())
}

fn feeds(feeds: &[wire::Feed], now: &Zoned, catalogue: &Catalogue) -> Table {
    let mut table = Table::default();
    table.titles(
        [
            "cli.column.state",
            "cli.column.id",
            "cli.column.name",
            "cli.column.last_event",
            "cli.column.remarks",
        ]
        .map(|key| catalogue.text(key)),
    );
    for feed in feeds {
        let last_event = match &feed.last_event_at {
            Some(moment) => time::ago(moment, now.timestamp(), catalogue),
            None => catalogue.text("cli.status.no_event").to_owned(),
        };
        table.row([
            state_span(feed.connection.state, catalogue),
            Span::new(&feed.id),
            Span::new(&feed.name),
            Span::from(last_event),
            Span::from(remarks(feed, now, catalogue)),
        ]);
    }
    table
}

/// What is risky, what keeps its popups away, why it is not connected, how often it was tried, and when next.
fn remarks(feed: &wire::Feed, here: &Zoned, catalogue: &Catalogue) -> String {
    let (connection, now) = (&feed.connection, here.timestamp());
    let mut remarks: Vec<String> = unverified(feed, catalogue).map(str::to_owned).into_iter().collect();
    remarks.extend(without_popups(feed, here, catalogue));
    // Why an earlier connection ended is no news once it stands again.
    if connection.state == wire::ConnectionState::Connected {
        remarks.extend(signs_of_life(connection, now, catalogue));
    } else {
        remarks.extend(connection.reason.as_ref().map(|reason| reason_sentence(reason, catalogue)));
    }
    remarks.extend(feed.rule_faults.iter().map(|fault| rules::fault(fault, catalogue)));
    if let Some(url) = &connection.moved_to {
        remarks.push(catalogue.format("cli.status.moved", &[("url", url)]));
    }
    if connection.attempt > 0 {
        remarks.push(catalogue.count("cli.status.failed", u64::from(connection.attempt)));
    }
    if let Some(moment) = &connection.next_attempt_at {
        let next = time::until(moment, now, catalogue);
        remarks.push(catalogue.format("cli.status.next_try", &[("time", &next)]));
    }
    for (key, count) in
        [("cli.status.repeats", feed.counts.repeats), ("cli.status.oversized", feed.counts.oversized)]
    {
        if count > 0 {
            remarks.push(catalogue.count(key, count));
        }
    }
    remarks.join(" · ")
}

/// That its popups are not shown, until when, and how many of its events wait for that.
fn without_popups(feed: &wire::Feed, now: &Zoned, catalogue: &Catalogue) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(feed.muted.then(|| catalogue.text("attention.muted").to_owned()));
    if let Some(moment) = &feed.snoozed_until {
        let until = time::clock(moment, now, catalogue);
        said.push(catalogue.format("attention.feed_snoozed", &[("time", &until)]));
    }
    if feed.held > 0 {
        said.push(catalogue.count("attention.held", feed.held));
    }
    said
}

/// What is wrong with what comes, when something came last, and how often it usually does.
fn signs_of_life(connection: &wire::Connection, now: Timestamp, catalogue: &Catalogue) -> Vec<String> {
    let mut signs = Vec::new();
    signs.extend(connection.hint.map(|hint| catalogue.text(&format!("hint.{}", name(&hint))).to_owned()));
    if let Some(moment) = &connection.last_activity_at {
        let time = time::ago(moment, now, catalogue);
        signs.push(catalogue.format("cli.status.last_activity", &[("time", &time)]));
    }
    if let Some(seconds) = connection.rhythm_seconds {
        let (count, unit) = if seconds < 120 { (seconds, "seconds") } else { (seconds / 60, "minutes") };
        let count = count.to_string();
        signs.push(catalogue.format(&format!("cli.status.rhythm.{unit}"), &[("count", &count)]));
    }
    signs
}

/// What is to be said wherever a feed is shown whose server need not prove who it is.
pub(super) fn unverified<'c>(feed: &wire::Feed, catalogue: &'c Catalogue) -> Option<&'c str> {
    (!feed.verify_certificate).then(|| catalogue.text("cli.unverified"))
}

/// The sentence for a reason; its stable name and particular where the catalogue is older than the program.
pub(crate) fn reason_sentence(reason: &wire::ConnectionReason, catalogue: &Catalogue) -> String {
    let key = format!("reason.{}", reason.code);
    let without_detail = format!("{key}_none");
    if reason.detail.is_empty() && catalogue.has(&without_detail) {
        return catalogue.text(&without_detail).to_owned();
    }
    if catalogue.has(&key) {
        return catalogue.format(&key, &[("detail", &reason.detail)]);
    }
    [reason.code.as_str(), &reason.detail].join(" ").trim_end().to_owned()
}

/// A state by shape, word and colour.
pub(super) fn state_span(state: wire::ConnectionState, catalogue: &Catalogue) -> Span {
    use wire::ConnectionState as State;
    let paint = match state {
        State::Connected => Paint::Green,
        State::Connecting | State::Waiting => Paint::Yellow,
        State::NeedsAttention => Paint::Red,
        State::Stopped | State::Paused => Paint::Dim,
    };
    Span::from(state_text(state, catalogue)).paint(paint)
}

/// A state by shape and word.
pub(crate) fn state_text(state: wire::ConnectionState, catalogue: &Catalogue) -> String {
    use wire::ConnectionState as State;
    let shape = match state {
        State::Connected => '●',
        State::Connecting => '◌',
        State::Waiting => '◐',
        State::NeedsAttention => '▲',
        State::Stopped => '■',
        State::Paused => '‖',
    };
    format!("{shape} {}", catalogue.text(&format!("state.{}", name(&state))))
}

fn missing_sentence(part: &wire::Part, catalogue: &Catalogue) -> Span {
    let word = format!("part.{}", name(&part.name));
    let sentence = format!("{word}_missing");
    let values = [("part", catalogue.text(&word)), ("what", catalogue.text(&sentence))];
    Span::from(catalogue.format("cli.status.missing", &values))
}

/// File, line and key of what is wrong with the settings, what it is, and that the last good state holds on.
pub(crate) fn config_sentence(path: &str, error: &wire::ConfigError, catalogue: &Catalogue) -> String {
    let place = match (error.line, error.key.as_str()) {
        (0, _) => path.to_owned(),
        (line, "") => format!("{path}:{line}"),
        (line, key) => format!("{path}:{line}: {key}"),
    };
    let place = match error.column {
        0 => place,
        column => {
            let column = column.to_string();
            catalogue.format("cli.status.place_column", &[("place", &place), ("column", &column)])
        }
    };
    let values = [("place", place.as_str()), ("message", &catalogue.sentence(&error.sentence))];
    catalogue.format("cli.status.config_error", &values)
}

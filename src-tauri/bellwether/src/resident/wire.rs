//! The engine's values as the control socket speaks of them.

use bellwether_control::wire;
use bellwether_engine::{
    access::{Credential, Place},
    activity::Hint,
    config,
    engine::{self, Attention, FeedView},
    event_log::{ConnectionChange, Happened, Record},
    feed::{Repeats, State},
    notification::{Expire, Notification, Sound, Urgency},
    policy::{Outcome, OutcomeReason},
    preset::{By, Chosen},
    probe::Report,
    rule::RuleFault,
    sentence::Sentence,
};
use jiff::{Timestamp, fmt::temporal::DateTimePrinter};

use super::server::Refusal;

/// About how much of an event's data a list carries, in bytes.
pub(super) use bellwether_engine::engine::PREVIEW;

/// RFC 3339 in UTC with milliseconds.
pub(super) fn time(time: Timestamp) -> String {
    let mut text = String::with_capacity(24);
    // Writing to a string cannot fail; an empty text would be the only trace.
    let _ = DateTimePrinter::new().precision(Some(3)).print_timestamp(&time, &mut text);
    text
}

pub(super) fn feed(view: &FeedView) -> wire::Feed {
    let feed = &view.feed;
    wire::Feed {
        id: feed.id.to_string(),
        name: feed.name.clone(),
        group: feed.group.clone(),
        url: feed.shown_url().into_owned(),
        credentials: feed.access.credentials.iter().map(credential).collect(),
        paused: feed.paused,
        idle_timeout_seconds: feed
            .idle_timeout
            .map_or(0, |timeout| timeout.as_secs().try_into().unwrap_or(u32::MAX)),
        repeats: repeats(feed.repeats),
        verify_certificate: feed.network.verify_certificate,
        rules: feed.rules.texts().len().try_into().unwrap_or(u32::MAX),
        rule_faults: view.rule_faults.iter().map(rule_fault).collect(),
        preset: feed.preset.as_ref().map(preset),
        muted: feed.mute,
        snoozed_until: view.snoozed_until.map(time),
        held: view.held,
        connection: connection(view),
        counts: wire::Counts {
            events: view.counts.events,
            unread: view.counts.unread,
            repeats: view.counts.repeats,
            ignored: view.counts.ignored,
            oversized: view.oversized,
        },
        last_event_at: view.counts.last_event_at.map(time),
    }
}

pub(super) fn rule_fault(fault: &RuleFault) -> wire::RuleFault {
    wire::RuleFault { rule: fault.rule, detail: fault.detail.clone(), seq: fault.seq, count: fault.count }
}

fn preset(chosen: &Chosen) -> wire::FeedPreset {
    wire::FeedPreset {
        id: chosen.preset.id.to_owned(),
        name: chosen.preset.name.clone(),
        chosen: match chosen.by {
            By::Set => wire::PresetChoice::Set,
            By::Url => wire::PresetChoice::Url,
            By::Stream(_) => wire::PresetChoice::Stream,
        },
        why: sentence(&chosen.why()),
    }
}

fn credential(credential: &Credential) -> wire::Credential {
    wire::Credential {
        kind: match credential.place {
            Place::Bearer => wire::CredentialKind::Bearer,
            Place::Basic { .. } => wire::CredentialKind::Basic,
            Place::Header(_) => wire::CredentialKind::Header,
            Place::Query(_) => wire::CredentialKind::Query,
            Place::Cookie(_) => wire::CredentialKind::Cookie,
        },
        name: credential.place.name().to_owned(),
        source: credential.source.kind().to_owned(),
        detail: credential.source.detail(),
    }
}

fn repeats(repeats: Repeats) -> wire::Repeats {
    match repeats {
        Repeats::Hide => wire::Repeats::Hide,
        Repeats::Show => wire::Repeats::Show,
    }
}

fn connection(view: &FeedView) -> wire::Connection {
    let FeedView { connection, signs, .. } = view;
    wire::Connection {
        state: match connection.state {
            State::Connecting => wire::ConnectionState::Connecting,
            State::Connected => wire::ConnectionState::Connected,
            State::Waiting => wire::ConnectionState::Waiting,
            State::NeedsAttention => wire::ConnectionState::NeedsAttention,
            State::Stopped => wire::ConnectionState::Stopped,
            State::Paused => wire::ConnectionState::Paused,
        },
        reason: connection
            .reason
            .as_ref()
            .map(|reason| wire::ConnectionReason { code: reason.code().to_owned(), detail: reason.detail() }),
        attempt: connection.attempt,
        connected_at: connection.connected_at.map(time),
        next_attempt_at: connection.next_attempt_at.map(time),
        last_activity_at: signs.last.map(time),
        rhythm_seconds: signs.rhythm.map(|time| time.as_secs().try_into().unwrap_or(u32::MAX)),
        hint: signs.hint.map(|hint| match hint {
            Hint::Flooding => wire::ConnectionHint::Flooding,
            Hint::Unfinished => wire::ConnectionHint::Unfinished,
        }),
        moved_to: view.moved_to.clone(),
    }
}

/// What happened to a connection.
pub(super) fn connection_change(change: &ConnectionChange) -> wire::ConnectionChange {
    let (kind, reason, away_seconds) = match &change.what {
        Happened::Lost { code, detail } => {
            let reason = wire::ConnectionReason { code: code.clone(), detail: detail.clone() };
            (wire::ConnectionChangeKind::Lost, Some(reason), None)
        }
        Happened::Back { away } => (wire::ConnectionChangeKind::Back, None, Some(away.as_secs())),
    };
    wire::ConnectionChange {
        number: change.number,
        feed: change.feed.to_string(),
        at: time(change.at),
        after: change.after,
        kind,
        reason,
        away_seconds,
    }
}

/// What keeps popups of all feeds away.
pub(super) fn attention(attention: Attention) -> wire::Attention {
    let Attention { snoozed_until, quiet_until, held } = attention;
    wire::Attention { snoozed_until: snoozed_until.map(time), quiet_until: quiet_until.map(time), held }
}

/// An event; with `preview` its data is cut for a list. Without a notification server, `can_notify` is false.
pub(super) fn event(record: &Record, preview: bool, can_notify: bool) -> wire::Event {
    let Notification { title, body, url, urgency, key, icon, group, sound, expire, buttons } =
        &record.notification;
    let data = &record.message.data;
    let end = if preview { data.floor_char_boundary(PREVIEW) } else { data.len() };
    wire::Event {
        seq: record.seq,
        feed: record.feed.to_string(),
        event: record.message.event_type.clone(),
        data: data[..end].to_owned(),
        data_truncated: record.data_truncated || end < data.len(),
        id: record.message.last_event_id.clone(),
        origin: record.origin.clone(),
        received_at: time(record.received_at),
        outcome: outcome(record.outcome),
        reason: reason(record, can_notify),
        title: title.clone(),
        body: body.clone(),
        url: url.clone(),
        urgency: urgency_of(*urgency),
        key: key.clone(),
        icon: icon.clone(),
        group: group.clone(),
        sound: match sound {
            Sound::Default => "default",
            Sound::Silent => "silent",
            Sound::Named(name) => name,
        }
        .to_owned(),
        expire_seconds: match expire {
            Expire::Default => None,
            Expire::Never => Some(0),
            Expire::After(time) => Some(time.as_secs().try_into().unwrap_or(u32::MAX)),
        },
        buttons: buttons
            .iter()
            .map(|button| wire::Button { label: button.label.clone(), url: button.url.clone() })
            .collect(),
        read: record.read,
        summary: record.summary,
    }
}

/// What waits for a notification server waits for that, whatever wanted it to be shown.
fn reason(record: &Record, can_notify: bool) -> wire::OutcomeReason {
    let OutcomeReason { code, rule, detail } = &record.reason;
    let waits = record.outcome == Outcome::Pending && !can_notify;
    wire::OutcomeReason {
        code: if waits { "no_notifications" } else { code }.to_owned(),
        rule: *rule,
        detail: if waits { String::new() } else { detail.clone() },
    }
}

/// A probe's report, which the command line makes by itself too.
pub(crate) fn probe(report: Report) -> wire::Probe {
    let seconds = |time: std::time::Duration| time.as_millis() as f64 / 1000.0;
    let redirects = report.redirects.into_iter().map(|redirect| wire::ProbeRedirect {
        status: redirect.status,
        url: redirect.url,
        other_origin: redirect.other_origin,
    });
    let events = report.event_types.into_iter().map(|seen| wire::ProbeEvent {
        event: seen.sample.event_type,
        count: seen.count,
        data: seen.sample.data,
        data_truncated: seen.data_truncated,
        id: seen.sample.last_event_id,
    });
    wire::Probe {
        usable: report.fault.is_none(),
        fault: report
            .fault
            .map(|fault| wire::ProbeFault { code: fault.code().to_owned(), detail: fault.detail() }),
        status: report.status,
        content_type: report.content_type,
        redirects: redirects.collect(),
        listened_seconds: report.listened.map(seconds),
        keep_alive_seconds: report.keep_alive.map(seconds),
        retry_seconds: report.retry.map(seconds),
        last_event_ids: report.last_event_ids,
        events: events.collect(),
        ended: report.ended,
        preset: report.preset.as_ref().map(preset),
    }
}

/// All that there are.
pub(super) const OUTCOMES: [Outcome; 7] = [
    Outcome::Shown,
    Outcome::Pending,
    Outcome::Summarized,
    Outcome::Logged,
    Outcome::Ignored,
    Outcome::Closed,
    Outcome::Held,
];

/// Its name on the wire.
pub(super) fn outcome_name(of: Outcome) -> String {
    let name = serde_json::to_value(outcome(of)).unwrap_or_default();
    name.as_str().unwrap_or_default().to_owned()
}

fn outcome(outcome: Outcome) -> wire::Outcome {
    match outcome {
        Outcome::Shown => wire::Outcome::Shown,
        Outcome::Pending => wire::Outcome::Pending,
        Outcome::Summarized => wire::Outcome::Summarized,
        Outcome::Logged => wire::Outcome::Logged,
        Outcome::Ignored => wire::Outcome::Ignored,
        Outcome::Closed => wire::Outcome::Closed,
        Outcome::Held => wire::Outcome::Held,
    }
}

pub(super) fn urgency_of(urgency: Urgency) -> wire::Urgency {
    match urgency {
        Urgency::Low => wire::Urgency::Low,
        Urgency::Normal => wire::Urgency::Normal,
        Urgency::Critical => wire::Urgency::Critical,
    }
}

pub(crate) fn config_error(error: &config::ConfigError) -> wire::ConfigError {
    let sentence = sentence(&error.message);
    wire::ConfigError { line: error.line, key: error.key.clone(), column: error.column, sentence }
}

/// Line and key of a mistake in `feeds.toml`, as compilers write them.
fn place(error: &config::ConfigError) -> String {
    match (error.line, error.key.as_str()) {
        (0, key) => key.to_owned(),
        (line, "") => format!("feeds.toml:{line}"),
        (line, key) => format!("feeds.toml:{line}: {key}"),
    }
}

pub(crate) fn sentence(sentence: &Sentence) -> wire::Sentence {
    let params = sentence.params.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    wire::Sentence {
        code: sentence.code().to_owned(),
        params: params.collect(),
        message: sentence.to_string(),
    }
}

/// A value that cannot be.
pub(super) fn invalid(message: &Sentence) -> Refusal {
    let text = message.to_string();
    Refusal(wire::Error {
        code: wire::ErrorCode::InvalidValue,
        message: text.clone(),
        detail: text,
        sentence: Some(Box::new(sentence(message))),
        place: None,
    })
}

pub(super) fn error(error: &engine::Error) -> wire::Error {
    let code = match error {
        engine::Error::Config(config) => config_code(config.kind),
        engine::Error::Log(_) => wire::ErrorCode::EventLog,
        engine::Error::NoSuchEvent(_) => wire::ErrorCode::NoSuchEvent,
        engine::Error::NothingToRestore => wire::ErrorCode::NothingToRestore,
        engine::Error::NotShown => wire::ErrorCode::NoNotifications,
        engine::Error::Thread(_) | engine::Error::Ended => wire::ErrorCode::Internal,
    };
    let plain = error.to_string();
    let (message, detail, particular) = match error {
        engine::Error::Config(config) if code == wire::ErrorCode::BrokenConfig => {
            let message = format!("{plain}; mend this first, then try again");
            (message, place(config), Some(sentence(&config.message)))
        }
        engine::Error::Config(config) => (plain, config.message.to_string(), Some(sentence(&config.message))),
        engine::Error::Log(log) => (plain.clone(), plain, Some(sentence(&log.sentence()))),
        engine::Error::NoSuchEvent(seq) => (plain, seq.to_string(), None),
        engine::Error::NothingToRestore
        | engine::Error::NotShown
        | engine::Error::Thread(_)
        | engine::Error::Ended => (plain.clone(), plain, None),
    };
    let place = match error {
        engine::Error::Config(config) if code == wire::ErrorCode::InvalidValue => place_in_values(config),
        _ => None,
    };
    wire::Error { code, message, detail, sentence: particular.map(Box::new), place }
}

/// Which of the values that were to be set is wrong.
fn place_in_values(error: &config::ConfigError) -> Option<Box<wire::Place>> {
    let by_itself = error.line == 0 && !error.key.is_empty();
    let (key, column) = (error.key.clone(), error.column.max(1));
    by_itself.then(|| Box::new(wire::Place { key, line: 1, column }))
}

fn config_code(kind: config::ConfigErrorKind) -> wire::ErrorCode {
    use config::ConfigErrorKind as Kind;
    match kind {
        Kind::InvalidUrl => wire::ErrorCode::InvalidUrl,
        Kind::UnsupportedScheme => wire::ErrorCode::UnsupportedScheme,
        Kind::DuplicateUrl => wire::ErrorCode::DuplicateUrl,
        Kind::DuplicateId => wire::ErrorCode::DuplicateId,
        Kind::InvalidId => wire::ErrorCode::InvalidId,
        Kind::InvalidValue => wire::ErrorCode::InvalidValue,
        Kind::Conflict => wire::ErrorCode::Conflict,
        Kind::NoSuchFeed => wire::ErrorCode::NoSuchFeed,
        Kind::Broken => wire::ErrorCode::BrokenConfig,
        Kind::CannotRead | Kind::CannotWrite => wire::ErrorCode::CannotWrite,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bellwether_engine::sentence::WORDINGS;

    #[test]
    fn every_sentence_of_the_engine_is_in_the_catalogue_as_it_says_it() {
        let catalogue: BTreeMap<String, String> =
            serde_json::from_str(include_str!("../../../control/messages/en.json")).unwrap();
        let texts = catalogue.iter().filter_map(|(key, text)| Some((key.strip_prefix("mistake.")?, &**text)));
        let wordings = WORDINGS.iter().map(|wording| (wording.code, wording.english));
        assert_eq!(texts.collect::<BTreeMap<_, _>>(), wordings.collect());
    }
}

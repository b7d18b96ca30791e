//! The program's own settings in the text: `[notifications]`, `[[quiet_hours]]`, `[log]`.

use std::time::Duration;

use jiff::civil::Weekday;
use toml_edit::{Array, Document, InlineTable, Item, Table, Value};

use super::{
    extent, intact, line_end,
    paths::{cut, put},
    sections::{Piece, arrange},
    unforeseen,
};
use crate::{
    config::{Config, ConfigError, ConfigErrorKind as Kind, MAX_FILE, notifications::DAYS, parse},
    event_log::Retention,
    policy::{Flood, Notifications, QuietRange},
    sentence,
};

/// What is to change in the program's own settings; what is left out stays.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SettingsChange {
    /// When popups are too many; in whole seconds.
    pub flood: Option<Flood>,
    /// Whether popups may make a sound.
    pub sound: Option<bool>,
    /// After how long an outage is told, in whole seconds; `None` in it: never.
    pub outage_alert: Option<Option<Duration>>,
    /// All quiet hours.
    pub quiet_hours: Option<Vec<QuietHours>>,
    /// How long events stay in the log.
    pub retention: Option<Retention>,
}

/// Quiet hours as a person writes them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QuietHours {
    /// The days on which they begin, at least one.
    pub days: Vec<Weekday>,
    /// `22:00`
    pub from: String,
    /// `07:00`
    pub to: String,
    /// Such as `Europe/Berlin`; none: the computer's own.
    pub time_zone: Option<String>,
}

const NOTIFICATIONS: &str = "notifications";
const QUIET_HOURS: &str = "quiet_hours";
const LOG: &str = "log";

/// The text with other settings of the program's own.
pub fn edit_settings(text: &str, change: &SettingsChange) -> Result<String, ConfigError> {
    let before = intact(text)?;
    let mut wished = Notifications::clone(&before.notifications);
    let mut edited = text.to_owned();
    if let Some(flood) = change.flood {
        edited = with_flood(edited, &wished.flood, &flood)?;
        wished.flood = flood;
    }
    if let Some(sound) = change.sound.filter(|sound| *sound != wished.sound) {
        edited = set_in(&edited, NOTIFICATIONS, &["sound"], &Value::from(sound))?;
        wished.sound = sound;
    }
    if let Some(time) = change.outage_alert.filter(|time| *time != wished.outage_alert) {
        let value = time.map_or_else(|| Value::from(false), |time| Value::from(time_text(time)));
        edited = set_in(&edited, NOTIFICATIONS, &["outage_alert"], &value)?;
        wished.outage_alert = time;
    }
    if let Some(hours) = &change.quiet_hours {
        let ranges = ranges(hours)?;
        if ranges != wished.quiet_hours {
            edited = with_quiet_hours(edited, &wished.quiet_hours, hours, &ranges)?;
        }
        wished.quiet_hours = ranges;
    }
    let retention = change.retention.unwrap_or(before.retention);
    for (key, now, wanted) in [
        ("keep_days", before.retention.days, retention.days),
        ("keep_events", before.retention.events, retention.events),
    ] {
        edited = match wanted {
            _ if now == wanted => edited,
            Some(number) => set_in(&edited, LOG, &[key], &Value::from(i64::from(number)))?,
            None => put(&edited, |root| root.get(LOG)?.as_table(), &[key], None)
                .or_else(|_| put(&edited, |root| Some(root), &[LOG, key], None))?,
        };
    }
    let after = checked(&edited)?;
    let same = after.feeds == before.feeds
        && after.retention == retention
        && comparable(&after.notifications) == comparable(&wished);
    if same { Ok(edited) } else { Err(unforeseen(NOTIFICATIONS)) }
}

/// What the edited text says. What is wrong with it is wrong with a value that was wished for.
fn checked(text: &str) -> Result<Config, ConfigError> {
    if text.len() > MAX_FILE {
        let message = sentence::FILE_WOULD_GROW.with([("kib", (MAX_FILE / 1024).to_string())]);
        return Err(ConfigError::new(Kind::InvalidValue, message));
    }
    parse(text).map_err(|error| match error.kind {
        Kind::InvalidValue => ConfigError { line: 0, ..error },
        _ => unforeseen(error),
    })
}

fn comparable(settings: &Notifications) -> Notifications {
    let mut settings = settings.clone();
    settings.quiet_hours.iter_mut().for_each(|range| range.days = days_of(range));
    settings
}

/// The days of a range, in the week's order.
pub(super) fn days_of(range: &QuietRange) -> Vec<Weekday> {
    let all = DAYS.iter().filter_map(|(_, day)| Weekday::from_monday_zero_offset(*day).ok());
    all.filter(|day| range.days.is_empty() || range.days.contains(day)).collect()
}

fn with_flood(text: String, now: &Flood, wanted: &Flood) -> Result<String, ConfigError> {
    let seconds = |flood: &Flood| i64::try_from(flood.within.as_secs()).unwrap_or(i64::MAX);
    let keys = [
        ("popups", i64::from(now.popups), i64::from(wanted.popups)),
        ("seconds", seconds(now), seconds(wanted)),
        ("overall", i64::from(now.overall), i64::from(wanted.overall)),
    ];
    let differing = keys.iter().filter(|(_, now, wanted)| now != wanted);
    if differing.clone().next().is_none() {
        return Ok(text);
    }
    let is_there = {
        let document = Document::parse(text.as_str()).map_err(unforeseen)?;
        let section = document.as_table().get(NOTIFICATIONS).and_then(Item::as_table_like);
        section.is_some_and(|section| section.contains_key("flood"))
    };
    if !is_there {
        let flood: InlineTable = keys.iter().map(|(key, _, wanted)| (*key, Value::from(*wanted))).collect();
        return set_in(&text, NOTIFICATIONS, &["flood"], &Value::InlineTable(flood));
    }
    differing.into_iter().try_fold(text, |text, (key, _, wanted)| {
        set_in(&text, NOTIFICATIONS, &["flood", key], &Value::from(*wanted))
    })
}

/// The text with a value in one of its own sections, which is made if it is not there.
fn set_in(text: &str, section: &str, path: &[&str], value: &Value) -> Result<String, ConfigError> {
    let document = Document::parse(text).map_err(unforeseen)?;
    let eol = line_end(text);
    match document.as_table().get(section) {
        Some(Item::Table(table)) if !table.is_dotted() && (!table.is_implicit() || path.len() > 1) => {
            put(text, |root| root.get(section)?.as_table(), path, Some(value))
        }
        Some(item) if !item.is_table() || !item.as_table().is_some_and(Table::is_implicit) => {
            let path: Vec<&str> = std::iter::once(section).chain(path.iter().copied()).collect();
            put(text, |root| Some(root), &path, Some(value))
        }
        _ => Ok(below(text, &format!("[{section}]{eol}{} = {value}{eol}", path.join(".")))),
    }
}

/// The text with a section at its end.
fn below(text: &str, section: &str) -> String {
    let eol = line_end(text);
    let gap = match text {
        "" | "\u{feff}" => "",
        text if text.ends_with('\n') => eol,
        _ => &eol.repeat(2),
    };
    format!("{text}{gap}{section}")
}

fn section_of(hours: &QuietHours, eol: &str) -> String {
    let days = days(hours).map_or_else(String::new, |days| format!("days = {days}{eol}"));
    let (from, to) = (Value::from(hours.from.as_str()), Value::from(hours.to.as_str()));
    let zone = hours.time_zone.as_deref().map(Value::from);
    let zone = zone.map_or_else(String::new, |zone| format!("time_zone = {zone}{eol}"));
    format!("[[{QUIET_HOURS}]]{eol}{days}from = {from}{eol}to = {to}{eol}{zone}")
}

fn inline_of(hours: &QuietHours) -> String {
    let mut table = InlineTable::new();
    if let Some(days) = days(hours) {
        table.insert("days", days);
    }
    table.insert("from", Value::from(hours.from.as_str()));
    table.insert("to", Value::from(hours.to.as_str()));
    if let Some(zone) = &hours.time_zone {
        table.insert("time_zone", Value::from(zone.as_str()));
    }
    Value::InlineTable(table).to_string()
}

/// The days as they are written; none: every day.
fn days(hours: &QuietHours) -> Option<Value> {
    let names =
        DAYS.iter().filter(|(_, day)| hours.days.iter().any(|known| known.to_monday_zero_offset() == *day));
    let names: Vec<&str> = names.map(|(name, _)| *name).collect();
    (names.len() < DAYS.len()).then(|| Value::Array(names.into_iter().collect::<Array>()))
}

/// The hours as they would be read; the mistake is that of one of them.
fn ranges(hours: &[QuietHours]) -> Result<Vec<QuietRange>, ConfigError> {
    if let Some(at) = hours.iter().position(|hours| hours.days.is_empty()) {
        let key = format!("{QUIET_HOURS}[{}].days", at + 1);
        return Err(ConfigError { key, ..ConfigError::new(Kind::InvalidValue, sentence::NO_DAYS) });
    }
    let text: String = hours.iter().map(|hours| section_of(hours, "\n")).collect();
    Ok(checked(&text)?.notifications.quiet_hours.clone())
}

fn with_quiet_hours(
    text: String,
    old: &[QuietRange],
    hours: &[QuietHours],
    new: &[QuietRange],
) -> Result<String, ConfigError> {
    let text = as_list(text)?;
    let was = matched(old, new);
    let document = Document::parse(text.as_str()).map_err(unforeseen)?;
    let eol = line_end(&text);
    match document.as_table().get(QUIET_HOURS) {
        Some(Item::ArrayOfTables(tables)) => {
            let extents: Vec<_> = tables.iter().map(|table| extent(&text, table)).collect();
            if extents.len() != old.len() || !extents.is_sorted_by(|one, other| one.end <= other.start) {
                return Err(unforeseen(QUIET_HOURS));
            }
            let piece = |((hours, new), was): ((&QuietHours, &QuietRange), &Option<usize>)| {
                let known = was.and_then(|at| Some((extents.get(at)?, old.get(at)?)));
                let text = match known {
                    Some((extent, old)) => edited(&text[extent.clone()], old, hours, new)?,
                    None => section_of(hours, eol),
                };
                Ok(Piece { was: *was, text })
            };
            let pieces: Result<Vec<_>, ConfigError> = hours.iter().zip(new).zip(&was).map(piece).collect();
            Ok(arrange(&text, &extents, &pieces?))
        }
        Some(Item::Value(value)) if old != new => {
            let Some(span) = value.span() else { return Err(unforeseen(QUIET_HOURS)) };
            if new.is_empty() {
                let path = [QUIET_HOURS.to_owned()];
                return Ok(cut(&text, document.as_table(), &path).unwrap_or_else(|| text.clone()));
            }
            let list: Vec<String> = hours.iter().map(inline_of).collect();
            Ok(format!("{}[{}]{}", &text[..span.start], list.join(", "), &text[span.end..]))
        }
        Some(_) => Ok(text),
        None => Ok(hours.iter().fold(text.clone(), |text, hours| below(&text, &section_of(hours, eol)))),
    }
}

/// One range that is written as `[quiet_hours]`, as the first of a list.
fn as_list(text: String) -> Result<String, ConfigError> {
    let document = Document::parse(text.as_str()).map_err(unforeseen)?;
    let span = match document.as_table().get(QUIET_HOURS) {
        Some(Item::Table(table)) if !table.is_dotted() => table.span(),
        _ => None,
    };
    let Some(span) = span else { return Ok(text) };
    // The span may reach over the keys.
    let Some(end) = text[span.start..].find(']').map(|end| span.start + end) else { return Ok(text) };
    Ok(format!("{}[{}]]{}", &text[..span.start], &text[span.start..end], &text[end + 1..]))
}

/// Which of the old ranges each new one was: an equal one, or else the next that is left.
fn matched(old: &[QuietRange], new: &[QuietRange]) -> Vec<Option<usize>> {
    let mut free: Vec<usize> = (0..old.len()).collect();
    let mut take = |fits: &dyn Fn(usize) -> bool| {
        let at = free.iter().position(|at| fits(*at))?;
        Some(free.remove(at))
    };
    let same = |one: &QuietRange, other: &QuietRange| {
        days_of(one) == days_of(other)
            && QuietRange { days: Vec::new(), ..one.clone() }
                == QuietRange { days: Vec::new(), ..other.clone() }
    };
    let mut was: Vec<Option<usize>> = new.iter().map(|new| take(&|at| same(&old[at], new))).collect();
    for was in was.iter_mut().filter(|was| was.is_none()) {
        *was = take(&|_| true);
    }
    was
}

/// The section of a range with what differs changed.
fn edited(
    section: &str,
    old: &QuietRange,
    hours: &QuietHours,
    new: &QuietRange,
) -> Result<String, ConfigError> {
    let mut changes = Vec::new();
    if days_of(old) != days_of(new) {
        changes.push(("days", days(hours)));
    }
    if old.from != new.from {
        changes.push(("from", Some(Value::from(hours.from.as_str()))));
    }
    if old.to != new.to {
        changes.push(("to", Some(Value::from(hours.to.as_str()))));
    }
    if old.zone != new.zone {
        changes.push(("time_zone", hours.time_zone.as_deref().map(Value::from)));
    }
    changes
        .into_iter()
        .try_fold(section.to_owned(), |text, (key, value)| put(&text, first_range, &[key], value.as_ref()))
}

fn first_range(root: &Table) -> Option<&Table> {
    root.get(QUIET_HOURS)?.as_array_of_tables()?.get(0)
}

/// A time in whole seconds as a person writes it: `1h30m`.
pub fn time_text(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let text: String = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

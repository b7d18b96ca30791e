//! `[notifications]`, `[[quiet_hours]]`, and what a feed says of its popups.

use std::time::Duration;

use jiff::{
    SignedDuration,
    civil::{Time, Weekday},
    tz::TimeZone,
};
use toml_edit::{Item, Table, Value};

use super::{
    ConfigError, ConfigErrorKind as Kind,
    reader::{Reader, Section},
    rules::sections,
};
use crate::{
    feed::Silence,
    policy::{Flood, Notifications, QuietRange},
    sentence::{self, Sentence, WANTS_DAYS, WANTS_FLOOD},
};

/// The keys of `[notifications]`.
const NOTIFICATIONS: [&str; 3] = ["flood", "sound", "outage_alert"];
/// The keys of `flood`.
const FLOOD: [&str; 3] = ["popups", "seconds", "overall"];
/// The keys of `[[quiet_hours]]`.
const QUIET_HOURS: [&str; 4] = ["days", "from", "to", "time_zone"];
/// Most ranges of quiet hours.
const MAX_RANGES: usize = 32;
/// Most popups in a time, and the longest such time in seconds.
const MAX_FLOOD: u32 = 1_000;
/// Longest time of an alert: a month.
const MAX_ALERT: Duration = Duration::from_secs(31 * 24 * 60 * 60);

impl Reader<'_> {
    pub(super) fn notifications(&self, root: &Table) -> Result<Notifications, ConfigError> {
        let quiet_hours = self.quiet_hours(root)?;
        let Some(item) = root.get("notifications") else {
            return Ok(Notifications { quiet_hours, ..Notifications::default() });
        };
        let Some(table) = item.as_table_like() else {
            let message = sentence::NOTIFICATIONS_NO_SECTION;
            return Err(self.error(Kind::InvalidValue, item.span(), "notifications", message));
        };
        let section = Section { table, span: &item.span(), path: "notifications" };
        self.check_keys(table, section.path, &NOTIFICATIONS)?;
        Ok(Notifications {
            flood: self.flood(section)?,
            sound: self.flag(section, "sound")?.unwrap_or(true),
            outage_alert: self.outage_alert(section)?,
            quiet_hours,
        })
    }

    fn flood(&self, section: Section<'_>) -> Result<Flood, ConfigError> {
        let Some(item) = section.table.get("flood") else { return Ok(Flood::default()) };
        let Some(table) = item.as_table_like() else {
            return Err(self.wrong_type(section, "flood", item, WANTS_FLOOD));
        };
        let section = Section { table, span: &item.span(), path: "notifications.flood" };
        self.check_keys(table, section.path, &FLOOD)?;
        let Flood { popups, overall, within } = Flood::default();
        let seconds = u32::try_from(within.as_secs()).unwrap_or(MAX_FLOOD);
        Ok(Flood {
            popups: self.count(section, "popups", popups)?,
            overall: self.count(section, "overall", overall)?,
            within: Duration::from_secs(self.count(section, "seconds", seconds)?.into()),
        })
    }

    fn count(&self, section: Section<'_>, key: &str, default: u32) -> Result<u32, ConfigError> {
        let Some(item) = section.table.get(key) else { return Ok(default) };
        let count = item.as_integer().and_then(|count| u32::try_from(count).ok());
        count.filter(|count| (1..=MAX_FLOOD).contains(count)).ok_or_else(|| {
            let message =
                sentence::WANTS_COUNT.with([("least", "1".to_owned()), ("most", MAX_FLOOD.to_string())]);
            self.error_at(section, key, Kind::InvalidValue, message)
        })
    }

    fn outage_alert(&self, section: Section<'_>) -> Result<Option<Duration>, ConfigError> {
        const KEY: &str = "outage_alert";
        match section.table.get(KEY) {
            None => Ok(Some(Notifications::OUTAGE_ALERT)),
            Some(item) if item.as_bool() == Some(false) => Ok(None),
            Some(item) => match alert_time(item, sentence::WANTS_ALERT.into()) {
                Ok(time) => Ok(Some(time)),
                Err(message) => Err(self.error_at(section, KEY, Kind::InvalidValue, message)),
            },
        }
    }

    pub(super) fn silence_alert(&self, section: Section<'_>) -> Result<Option<Silence>, ConfigError> {
        const KEY: &str = "silence_alert";
        match section.table.get(KEY) {
            None => Ok(None),
            Some(item) if item.as_bool() == Some(false) => Ok(None),
            Some(item) if item.as_str() == Some("usual") => Ok(Some(Silence::Usual)),
            Some(item) => match alert_time(item, sentence::WANTS_SILENCE.into()) {
                Ok(time) => Ok(Some(Silence::After(time))),
                Err(message) => Err(self.error_at(section, KEY, Kind::InvalidValue, message)),
            },
        }
    }

    /// The ranges, as `[[quiet_hours]]` sections, or one as `[quiet_hours]`.
    fn quiet_hours(&self, root: &Table) -> Result<Vec<QuietRange>, ConfigError> {
        const KEY: &str = "quiet_hours";
        let Some(item) = root.get(KEY) else { return Ok(Vec::new()) };
        let one = || Some(vec![(item.as_table_like()?, item.span())]);
        let sections = match sections(item).or_else(one) {
            Some(sections) => sections,
            None => {
                return Err(self.error(Kind::InvalidValue, item.span(), KEY, sentence::QUIET_NO_SECTION));
            }
        };
        if sections.len() > MAX_RANGES {
            let message = sentence::TOO_MANY_RANGES.with([("most", MAX_RANGES.to_string())]);
            return Err(self.error(Kind::InvalidValue, item.span(), KEY, message));
        }
        let numbered = (1..).zip(&sections).map(|(number, (table, span))| {
            self.quiet_range(Section { table: *table, span, path: &format!("{KEY}[{number}]") })
        });
        numbered.collect()
    }

    fn quiet_range(&self, section: Section<'_>) -> Result<QuietRange, ConfigError> {
        self.check_keys(section.table, section.path, &QUIET_HOURS)?;
        let invalid = |key, message| self.error_at(section, key, Kind::InvalidValue, message);
        let time = |key: &'static str, example| {
            let text = self.required(section, key, example)?;
            time_of_day(text)
                .ok_or_else(|| invalid(key, sentence::TIME_OF_DAY.with([("value", text.to_owned())])))
        };
        let zone =
            match self.string(section, "time_zone")? {
                None => None,
                Some(name) => Some(TimeZone::get(name).map_err(|_| {
                    invalid("time_zone", sentence::TIME_ZONE.with([("value", name.to_owned())]))
                })?),
            };
        Ok(QuietRange {
            days: self.days(section)?,
            from: time("from", "from = \"22:00\"")?,
            to: time("to", "to = \"07:00\"")?,
            zone,
        })
    }

    fn days(&self, section: Section<'_>) -> Result<Vec<Weekday>, ConfigError> {
        const KEY: &str = "days";
        let Some(item) = section.table.get(KEY) else { return Ok(Vec::new()) };
        let names =
            item.as_array().and_then(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        let Some(names) = names.filter(|names| !names.is_empty()) else {
            return Err(self.wrong_type(section, KEY, item, WANTS_DAYS));
        };
        let day = |name: &str| {
            weekday(name).ok_or_else(|| {
                let message = sentence::WEEKDAY.with([("value", name.to_owned())]);
                self.error_at(section, KEY, Kind::InvalidValue, message)
            })
        };
        names.into_iter().map(day).collect()
    }
}

/// Seconds, or a time such as `10m`: 1 s to [`MAX_ALERT`].
fn alert_time(item: &Item, wanted: Sentence) -> Result<Duration, Sentence> {
    let (time, text) = match item.as_value() {
        Some(Value::Integer(seconds)) => {
            let seconds = *seconds.value();
            (u64::try_from(seconds).ok().map(Duration::from_secs), seconds.to_string())
        }
        Some(Value::String(text)) => {
            let time =
                text.value().parse::<SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
            (time, text.value().clone())
        }
        _ => return Err(wanted),
    };
    time.filter(|time| (Duration::from_secs(1)..=MAX_ALERT).contains(time)).ok_or_else(|| {
        let most = MAX_ALERT.as_secs().to_string();
        sentence::ALERT_TIME.with([("value", text), ("least", "1".to_owned()), ("most", most)])
    })
}

/// `22:00` or `7:30`; `24:00` is midnight.
fn time_of_day(text: &str) -> Option<Time> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        let fits = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| text.parse::<i8>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours, 1..=2)?, number(minutes, 2..=2)?);
    if (hours, minutes) == (24, 0) {
        return Some(Time::midnight());
    }
    Time::new(hours, minutes, 0, 0).ok()
}

/// The names of the days, with their place in a week that begins with Monday.
pub(super) const DAYS: [(&str, i8); 7] =
    [("mon", 0), ("tue", 1), ("wed", 2), ("thu", 3), ("fri", 4), ("sat", 5), ("sun", 6)];

fn weekday(name: &str) -> Option<Weekday> {
    let (_, place) = DAYS.iter().find(|(known, _)| *known == name)?;
    Weekday::from_monday_zero_offset(*place).ok()
}

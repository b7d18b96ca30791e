//! The program as a whole on the wire: its state, its settings, the parts of the desktop.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::{Attention, Feed};

/// Opens the window.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct OpenWindow {
    /// At this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<u32>"))]
    pub event: Option<u64>,
    /// At the events that this popup told of together, and no others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(as = "Option<u32>"))]
    pub summary: Option<u64>,
}

/// What is to change in the program's own settings; what is left out stays.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct SettingsEdit {
    /// The texts' language; `system` follows the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The window's colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<Theme>,
    /// How many popups are too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flood: Option<FloodLimits>,
    /// Whether popups may make a sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sound: Option<bool>,
    /// How long an outage lasts before it is told, in seconds; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outage_alert_seconds: Option<u32>,
    /// All quiet hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<Vec<QuietHours>>,
    /// How long the log keeps events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Whether the program starts when the person signs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autostart: Option<bool>,
}

/// The language of the texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum Language {
    /// The system's.
    #[default]
    #[serde(rename = "system")]
    System,
    /// English.
    #[serde(rename = "en")]
    En,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
}

/// The program as a whole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The resident program's process id.
    pub pid: u32,
    /// When it started.
    pub started_at: String,
    /// The language as set.
    pub language: Language,
    /// The window's colours.
    pub theme: Theme,
    /// The language in use: `en` or `zh-CN`.
    pub locale: String,
    /// `feeds.toml`.
    pub config: ConfigState,
    /// Where the event log lies.
    pub event_log: String,
    /// Why it cannot be written now, if so: events wait at their servers until it can.
    pub event_log_error: Option<Sentence>,
    /// What keeps popups of all feeds away now.
    pub attention: Attention,
    /// The parts that may be missing on this machine.
    pub parts: Vec<Part>,
    /// The feeds.
    pub feeds: Vec<Feed>,
}

/// `feeds.toml` as it was last read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ConfigState {
    /// Where it lies.
    pub path: String,
    /// What is wrong with it; the last good state holds on.
    pub error: Option<ConfigError>,
}

/// What is wrong with `feeds.toml`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ConfigError {
    /// The line, from 1; 0 if the file could not be read.
    pub line: u32,
    /// The key, such as `feed[2].url`; empty if none applies.
    pub key: String,
    /// The character within the line of the key's text, from 1; 0 if none applies.
    #[serde(default)]
    pub column: u32,
    /// What is wrong and what to do.
    #[serde(flatten)]
    pub sentence: Sentence,
}

/// What is wrong and what to do, or why something is so: message `mistake.<code>` with `params` in its places.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Sentence {
    /// What a program branches on.
    pub code: String,
    /// What stands in the places of the text, such as a key's name.
    pub params: BTreeMap<String, String>,
    /// The same in English.
    pub message: String,
}

/// A part of the desktop that the program works with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Part {
    /// Which.
    pub name: PartName,
    /// Whether it is there.
    pub available: bool,
    /// What it is if it is there, what is missing and what to do if not.
    pub detail: String,
}

/// Which part.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum PartName {
    /// A display to open the window on.
    Display,
    /// The session bus.
    SessionBus,
    /// The notification server.
    Notifications,
    /// The tray's host.
    Tray,
    /// The window's program.
    Window,
}

/// The window's colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum Theme {
    /// As the system has them.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// The program's own settings. Language and theme stand in [`Status`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Settings {
    /// How many popups are too many.
    pub flood: FloodLimits,
    /// Whether popups may make a sound.
    pub sound: bool,
    /// How long an outage lasts before it is told, in seconds; 0: never.
    pub outage_alert_seconds: u32,
    /// When it is quiet.
    pub quiet_hours: Vec<QuietHours>,
    /// How long the log keeps events.
    pub retention: Retention,
    /// How large the log is.
    pub log: LogSize,
    /// Whether the program starts when the person signs in.
    pub autostart: Autostart,
    /// The computer's own time zone, such as `Europe/Berlin`; empty if it has no name.
    pub time_zone: String,
}

/// How many popups are too many: what comes beyond is told by one popup for each feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct FloodLimits {
    /// So many of one feed, 1 to 1,000,
    pub popups: u32,
    /// in so many seconds, 1 to 1,000;
    pub seconds: u32,
    /// and so many of all feeds, 1 to 1,000.
    pub overall: u32,
}

/// Hours in which only urgent popups are shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct QuietHours {
    /// The days on which they begin.
    pub days: Vec<Weekday>,
    /// When they begin: `22:00`.
    pub from: String,
    /// When they end: `07:00`; if that is not later than `from`, on the next day.
    pub to: String,
    /// Whose clock counts, such as `Europe/Berlin`; none: the computer's own.
    pub time_zone: Option<String>,
}

/// A day of the week.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// How long the log keeps events; those that go first are the oldest. What is held back or waits for its popup stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Retention {
    /// So many days, 1 to 36,500; none: for ever.
    pub days: Option<u32>,
    /// So many events, 1,000 to 1,000,000,000; none: all.
    pub events: Option<u32>,
}

/// How large the event log is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct LogSize {
    /// Its events, without ignored ones.
    #[cfg_attr(test, ts(type = "number"))]
    pub events: u64,
    /// Its size on the disk.
    #[cfg_attr(test, ts(type = "number"))]
    pub bytes: u64,
    /// When its oldest event came.
    pub oldest_at: Option<String>,
}

/// Whether the program starts when the person signs in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Autostart {
    /// Whether it does.
    pub enabled: bool,
    /// Where that stands: a file, or a key of the registry.
    pub place: String,
}

/// What an export of the settings is to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct Export {
    /// The events as well.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>"))]
    pub events: bool,
}

/// What came of an import.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Imported {
    /// How many feeds there are now.
    pub feeds: u32,
    /// How many events came into the log.
    #[cfg_attr(test, ts(type = "number"))]
    pub events: u64,
    /// The feeds that want a secret which is not on this machine.
    pub missing_secrets: Vec<String>,
}

/// What works on this machine and what does not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Doctor {
    /// One for each thing that was looked at.
    pub checks: Vec<DoctorCheck>,
    /// All of it as a text that can be passed on, in the language in use, without secrets.
    pub report: String,
}

/// Something that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct DoctorCheck {
    /// What, in the language in use.
    pub name: String,
    /// Whether it is as it should be; none: it is for information only.
    pub fine: Option<bool>,
    /// How it is, and what to do, in the language in use.
    pub text: String,
}

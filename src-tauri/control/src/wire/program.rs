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

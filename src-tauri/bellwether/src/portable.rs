//! Everything of a profile but its secrets, as a file: JSON Lines, the first of settings, one for each event after it.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Read, Write},
};

use bellwether_control::wire::{Language, Theme};
use bellwether_engine::{
    config::{
        ConfigError, ConfigFile,
        edit::{is_masked, without_secrets},
        parse,
    },
    engine::travels,
    event_log::{LogError, LogReader, PortableEvent, PortableFeed},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The form of the files that are written here.
const FORM: u32 = 1;

/// Longest line, in bytes: an event of the largest size, with every character escaped.
const MAX_LINE: u64 = 16 << 20;

/// The first line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    /// [`FORM`]
    bellwether: u32,
    version: String,
    exported_at: String,
    /// The text of `feeds.toml`.
    pub(crate) config: String,
    #[serde(default)]
    pub(crate) settings: Settings,
    #[serde(default)]
    pub(crate) feeds: Vec<PortableFeed>,
}

/// Settings that are not in `feeds.toml`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) language: Option<Language>,
    pub(crate) theme: Option<Theme>,
    pub(crate) autostart: bool,
    /// Snoozes and presets that were found, as the log keeps them.
    pub(crate) kept: BTreeMap<String, String>,
}

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes a profile's settings, and its events if they are wanted; returns how many these are. `log`: none if there is none yet.
pub(crate) fn write(
    config: &ConfigFile,
    log: Option<&LogReader>,
    autostart: bool,
    events: bool,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    let config = without_secrets(&config.text()?)?;
    let masked: Vec<String> =
        parse(&config)?.feeds.iter().filter(|feed| is_masked(feed)).map(|feed| feed.id.to_string()).collect();
    let mut settings = Settings { autostart, ..Settings::default() };
    // Before the events, so that no event is missing that this says to be there.
    let (feeds, all) = match log {
        None => Default::default(),
        Some(log) => (log.portable_feeds()?, log.settings()?),
    };
    for (key, value) in all {
        match key.as_str() {
            "language" => settings.language = word(&value),
            "theme" => settings.theme = word(&value),
            // With a hash of the feed's URL, by which a short secret could be guessed.
            key if masked.iter().any(|id| key.ends_with(&format!("/{id}"))) => {}
            _ if travels(&key) => drop(settings.kept.insert(key, value)),
            _ => {}
        }
    }
    let head = Head {
        bellwether: FORM,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        exported_at: Timestamp::now().to_string(),
        config,
        settings,
        feeds,
    };
    line(out, &head)?;
    let (mut after, mut count) = (0, 0);
    let Some(log) = log.filter(|_| events) else { return Ok(0) };
    loop {
        let piece = log.portable_events(after)?;
        let Some(last) = piece.last() else { return Ok(count) };
        after = last.seq;
        count += piece.len() as u64;
        piece.iter().try_for_each(|event| line(out, event))?;
    }
}

fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// It is none of this program's, or is broken.
    #[error("line {line}: {cause}")]
    Foreign {
        /// From 1.
        line: u64,
        /// Why.
        cause: String,
    },
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A file, line by line.
pub(crate) struct Lines<R> {
    input: R,
    number: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// A file with its first line, which says what it is.
    pub(crate) fn open(input: R) -> Result<(Self, Head), ImportError> {
        #[derive(Deserialize)]
        struct Form {
            bellwether: u32,
        }
        let mut lines = Self { input, number: 0, line: Vec::new() };
        if !lines.advance()? {
            return Err(lines.foreign("the file is empty"));
        }
        let form: Form = serde_json::from_slice(&lines.line)
            .map_err(|_| lines.foreign("this is no export of Bellwether's"))?;
        if form.bellwether != FORM {
            return Err(lines.foreign("it is of a newer version of Bellwether; update this one"));
        }
        let head: Head = lines.parse()?;
        if !head.feeds.iter().all(PortableFeed::is_sound) {
            return Err(lines.foreign("a feed that no log can have"));
        }
        Ok((lines, head))
    }

    /// The next event.
    pub(crate) fn event(&mut self) -> Result<Option<PortableEvent>, ImportError> {
        if !self.advance()? {
            return Ok(None);
        }
        let event: PortableEvent = self.parse()?;
        if event.is_sound() { Ok(Some(event)) } else { Err(self.foreign("an event that no log can have")) }
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, ImportError> {
        // Not with the text around the mistake, which may be anything.
        serde_json::from_slice(&self.line)
            .map_err(|error| self.foreign(&format!("character {}: not as it was written", error.column())))
    }

    /// Reads a line; false at the end.
    fn advance(&mut self) -> Result<bool, ImportError> {
        self.line.clear();
        self.number += 1;
        let read = (&mut self.input).take(MAX_LINE + 1).read_until(b'\n', &mut self.line)?;
        if read as u64 > MAX_LINE {
            return Err(self.foreign("longer than a line can be"));
        }
        Ok(read > 0)
    }

    fn foreign(&self, cause: &str) -> ImportError {
        ImportError::Foreign { line: self.number, cause: cause.to_owned() }
    }
}

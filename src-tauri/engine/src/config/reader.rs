//! From TOML to feeds, with the place of each mistake.

use std::{ops::Range, path::Path, sync::Arc, time::Duration};

use jiff::SignedDuration;
use toml_edit::{Document, Item, Table, TableLike, Value};

use super::{
    Config, ConfigError, ConfigErrorKind as Kind, MAX_FEED_NAME, MAX_FEEDS, MAX_FILE, MAX_GROUP,
    MAX_IDLE_TIMEOUT, feed_url, preset::Wish, too_large,
};
use crate::{
    feed::{DEFAULT_IDLE_TIMEOUT, Feed, FeedId, LeftOut, Repeats},
    notification::sanitize_title,
    preset::{self, By, Chosen},
    sentence::{self, Sentence, WANTS_BOOLEAN, WANTS_TEXT, WANTS_TIME, Wording},
    template::nearest,
};

/// The keys of a feed.
const FEED: [&str; 18] = [
    "id",
    "name",
    "group",
    "url",
    "auth",
    "paused",
    "mute",
    "images",
    "silence_alert",
    "idle_timeout",
    "repeats",
    "ca_file",
    "client_certificate",
    "verify_certificate",
    "proxy",
    "resume",
    "preset",
    "rule",
];
/// Reads the text; relative paths in it are taken from `folder`.
pub(super) fn read(text: &str, folder: &Path) -> Result<Config, ConfigError> {
    let reader = Reader { text, folder };
    if text.len() > MAX_FILE {
        return Err(too_large());
    }
    let document = reader.document()?;
    let root = document.as_table();
    reader.check_keys(root, "", &["feed", "notifications", "quiet_hours", "log"])?;
    let notifications = Arc::new(reader.notifications(root)?);
    let retention = reader.retention(root)?;
    let Some(item) = root.get("feed") else {
        return Ok(Config { notifications, retention, ..Config::default() });
    };
    let Some(tables) = item.as_array_of_tables() else {
        return Err(reader.error(Kind::Broken, item.span(), "feed", sentence::FEED_NO_SECTION));
    };
    if tables.len() > MAX_FEEDS {
        let span = tables.get(MAX_FEEDS).and_then(Table::span);
        let message = sentence::TOO_MANY_FEEDS.with([("most", MAX_FEEDS.to_string())]);
        return Err(reader.error(Kind::InvalidValue, span, "feed", message));
    }
    let mut feeds: Vec<Arc<Feed>> = Vec::with_capacity(tables.len());
    for (number, table) in (1..).zip(tables) {
        let path = format!("feed[{number}]");
        let feed = reader.feed(table, &path)?;
        if let Some(other) = feeds.iter().position(|other| other.id == feed.id) {
            let message = sentence::ID_REPEATED
                .with([("id", feed.id.to_string()), ("key", format!("feed[{}]", other + 1))]);
            let span = table.get("id").and_then(Item::span);
            return Err(reader.error(Kind::DuplicateId, span, &format!("{path}.id"), message));
        }
        feeds.push(Arc::new(feed));
    }
    Ok(Config { feeds, notifications, retention })
}

/// A name of a feed, or what is wrong with it.
pub(super) fn check_name(name: &str) -> Result<(), Sentence> {
    if sanitize_title(name).is_empty() {
        Err(sentence::NAME_EMPTY.into())
    } else if name.chars().count() > MAX_FEED_NAME {
        Err(sentence::NAME_TOO_LONG.with([("most", MAX_FEED_NAME.to_string())]))
    } else if name.contains(char::is_control) {
        Err(sentence::NAME_CONTROL.into())
    } else {
        Ok(())
    }
}

/// The name of a group, or what is wrong with it.
pub(super) fn check_group(group: &str) -> Result<(), Sentence> {
    if sanitize_title(group).is_empty() {
        Err(sentence::GROUP_EMPTY.into())
    } else if group.chars().count() > MAX_GROUP {
        Err(sentence::GROUP_TOO_LONG.with([("most", MAX_GROUP.to_string())]))
    } else if group.contains(char::is_control) {
        Err(sentence::GROUP_CONTROL.into())
    } else {
        Ok(())
    }
}

/// What is wrong with an id.
pub(super) fn invalid_id(id: &str) -> Sentence {
    sentence::ID_INVALID.with([("id", id.to_owned())])
}

/// An idle timeout in seconds, or what is wrong with it; none: never.
pub(super) fn idle_timeout(seconds: u64) -> Result<Option<Duration>, Sentence> {
    match seconds {
        0 => Ok(None),
        1..=MAX_IDLE_TIMEOUT => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(sentence::TIME_TOO_LONG.with([("most", MAX_IDLE_TIMEOUT.to_string())])),
    }
}

/// A table with the path to it, such as `feed[1].rule[2]`.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) table: &'a dyn TableLike,
    pub(super) span: &'a Option<Range<usize>>,
    pub(super) path: &'a str,
}

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) folder: &'a Path,
}

impl<'r> Reader<'r> {
    pub(super) fn document(&self) -> Result<Document<&'r str>, ConfigError> {
        Document::parse(self.text).map_err(|error| {
            let cause = error.message().lines().collect::<Vec<_>>().join("; ");
            self.error(Kind::Broken, error.span(), "", sentence::NOT_TOML.with([("cause", cause)]))
        })
    }
}

impl Reader<'_> {
    fn feed(&self, table: &Table, path: &str) -> Result<Feed, ConfigError> {
        self.check_keys(table, path, &FEED)?;
        let section = Section { table, span: &table.span(), path };
        let id = self.required(section, "id", "id = \"ops\"")?;
        let id =
            FeedId::new(id).ok_or_else(|| self.error_at(section, "id", Kind::InvalidId, invalid_id(id)))?;
        let url = feed_url(self.required(section, "url", "url = \"https://example.org/events\"")?)
            .map_err(|error| self.error_at(section, "url", error.kind, error.message))?;
        let name = self.string(section, "name")?.unwrap_or(id.as_str()).to_owned();
        check_name(&name).map_err(|message| self.error_at(section, "name", Kind::InvalidValue, message))?;
        let group = self.string(section, "group")?;
        group
            .map_or(Ok(()), check_group)
            .map_err(|message| self.error_at(section, "group", Kind::InvalidValue, message))?;
        let repeats = match self.string(section, "repeats")? {
            None | Some("hide") => Repeats::Hide,
            Some("show") => Repeats::Show,
            Some(other) => return Err(self.no_choice(section, "repeats", other, &["hide", "show"])),
        };
        let access = self.access(table, path, &url)?;
        let wish = self.preset(section)?;
        let left_out = |key| table.get(key).is_none();
        let feed = Feed {
            paused: self.flag(section, "paused")?.unwrap_or(false),
            mute: self.flag(section, "mute")?.unwrap_or(false),
            images: self.flag(section, "images")?.unwrap_or(false),
            silence_alert: self.silence_alert(section)?,
            idle_timeout: self.idle_timeout(section)?,
            network: self.network(section)?,
            resume: self.resume(section, &access)?,
            access,
            rules: Arc::new(self.rules(table, path)?),
            id,
            name,
            group: group.map(str::to_owned),
            url,
            repeats,
            preset: None,
            left_out: LeftOut {
                preset: matches!(wish, Wish::LeftOut),
                idle_timeout: left_out("idle_timeout"),
                resume: left_out("resume"),
            },
        };
        let chosen = match wish {
            Wish::Preset(preset) => Some(Chosen { preset, by: By::Set }),
            Wish::None => None,
            Wish::LeftOut if feed.may_find_preset() => preset::by_url(&feed.url),
            Wish::LeftOut => None,
        };
        Ok(match chosen {
            Some(chosen) => feed.with_preset(chosen),
            None => feed,
        })
    }

    pub(super) fn flag(&self, section: Section<'_>, key: &str) -> Result<Option<bool>, ConfigError> {
        let Some(item) = section.table.get(key) else { return Ok(None) };
        match item.as_bool() {
            Some(flag) => Ok(Some(flag)),
            None => Err(self.wrong_type(section, key, item, WANTS_BOOLEAN)),
        }
    }

    pub(super) fn idle_timeout(&self, section: Section<'_>) -> Result<Option<Duration>, ConfigError> {
        const KEY: &str = "idle_timeout";
        let Some(item) = section.table.get(KEY) else { return Ok(Some(DEFAULT_IDLE_TIMEOUT)) };
        let invalid = |message| self.error_at(section, KEY, Kind::InvalidValue, message);
        let seconds = match item.as_value() {
            Some(Value::Integer(seconds)) => {
                u64::try_from(*seconds.value()).map_err(|_| invalid(sentence::TIME_NEGATIVE.into()))?
            }
            Some(Value::String(text)) => {
                match text.value().parse::<SignedDuration>().map(|time| time.as_millis()) {
                    Ok(millis @ 0..) if millis % 1_000 == 0 => {
                        (millis / 1_000).try_into().unwrap_or(u64::MAX)
                    }
                    _ => {
                        return Err(invalid(sentence::TIME_INVALID.with([("value", text.value().clone())])));
                    }
                }
            }
            _ => return Err(self.wrong_type(section, KEY, item, WANTS_TIME)),
        };
        idle_timeout(seconds).map_err(invalid)
    }

    pub(super) fn string<'t>(&self, section: Section<'t>, key: &str) -> Result<Option<&'t str>, ConfigError> {
        match section.table.get(key) {
            None => Ok(None),
            Some(item) => match item.as_str() {
                Some(text) => Ok(Some(text)),
                None => Err(self.wrong_type(section, key, item, WANTS_TEXT)),
            },
        }
    }

    pub(super) fn required<'t>(
        &self,
        section: Section<'t>,
        key: &str,
        example: &str,
    ) -> Result<&'t str, ConfigError> {
        self.string(section, key)?.ok_or_else(|| {
            let path = format!("{}.{key}", section.path);
            let message = sentence::MISSING.with([("example", example.to_owned())]);
            self.error(Kind::Broken, section.span.clone(), &path, message)
        })
    }

    pub(super) fn check_keys(
        &self,
        table: &dyn TableLike,
        path: &str,
        known: &[&str],
    ) -> Result<(), ConfigError> {
        let Some((key, item)) = table.iter().find(|(key, _)| !known.contains(key)) else { return Ok(()) };
        let message = match nearest(key, known) {
            Some(name) => sentence::MISSPELT_KEY.with([("name", name.to_owned())]),
            None => sentence::UNKNOWN_KEY.with([("known", known.join(", "))]),
        };
        let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
        let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        Err(self.error(Kind::Broken, span, &path, message))
    }

    pub(super) fn no_choice(
        &self,
        section: Section<'_>,
        key: &str,
        found: &str,
        known: &[&str],
    ) -> ConfigError {
        let message = sentence::NO_CHOICE.with([("value", found.to_owned()), ("known", known.join(", "))]);
        self.error_at(section, key, Kind::InvalidValue, message)
    }

    pub(super) fn wrong_type(
        &self,
        section: Section<'_>,
        key: &str,
        item: &Item,
        wanted: Wording,
    ) -> ConfigError {
        let message = wanted.with([("type", item.type_name().to_owned())]);
        self.error_at(section, key, Kind::InvalidValue, message)
    }

    pub(super) fn error_at(
        &self,
        section: Section<'_>,
        key: &str,
        kind: Kind,
        message: Sentence,
    ) -> ConfigError {
        let span = section.table.get(key).and_then(Item::span).or_else(|| section.span.clone());
        self.error(kind, span, &format!("{}.{key}", section.path), message)
    }

    pub(super) fn error(
        &self,
        kind: Kind,
        span: Option<Range<usize>>,
        key: &str,
        message: impl Into<Sentence>,
    ) -> ConfigError {
        let before = &self.text.as_bytes()[..span.map_or(0, |span| span.start.min(self.text.len()))];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u32;
        ConfigError { kind, line, key: key.to_owned(), column: 0, message: message.into() }
    }
}

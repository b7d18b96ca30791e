//! From TOML to feeds, with the place of each mistake.

use std::{ops::Range, sync::Arc, time::Duration};

use jiff::SignedDuration;
use toml_edit::{Document, Item, Table, TableLike, Value};

use super::{
    Config, ConfigError, ConfigErrorKind as Kind, MAX_FEED_NAME, MAX_FEEDS, MAX_FILE, MAX_IDLE_TIMEOUT,
    feed_url,
};
use crate::{
    feed::{DEFAULT_IDLE_TIMEOUT, Feed, FeedId, Repeats},
    notification::sanitize_title,
    rule::{Action, MAX_RULES, NotifyText, RuleError, RuleSet, RuleText},
    template::nearest,
};

/// The keys of a feed.
const FEED: [&str; 7] = ["id", "name", "url", "paused", "idle_timeout", "repeats", "rule"];
/// The keys of a rule.
const RULE: [&str; 4] = ["event", "when", "action", "notify"];
/// The keys of a rule's `notify`.
const NOTIFY: [&str; 5] = ["title", "body", "url", "urgency", "key"];

pub(super) fn read(text: &str) -> Result<Config, ConfigError> {
    let reader = Reader { text };
    if text.len() > MAX_FILE {
        return Err(ConfigError::new(
            Kind::Broken,
            format!("feeds.toml is larger than {} KiB", MAX_FILE / 1024),
        ));
    }
    let document = Document::parse(text).map_err(|error| {
        let message = error.message().lines().collect::<Vec<_>>().join("; ");
        reader.error(Kind::Broken, error.span(), "", format!("not TOML: {message}"))
    })?;
    let root = document.as_table();
    reader.check_keys(root, "", &["feed"])?;
    let Some(item) = root.get("feed") else { return Ok(Config::default()) };
    let Some(tables) = item.as_array_of_tables() else {
        let message = "each feed is a section of its own: write [[feed]], with two brackets";
        return Err(reader.error(Kind::Broken, item.span(), "feed", message));
    };
    if tables.len() > MAX_FEEDS {
        let span = tables.get(MAX_FEEDS).and_then(Table::span);
        return Err(reader.error(Kind::InvalidValue, span, "feed", format!("more than {MAX_FEEDS} feeds")));
    }
    let mut feeds: Vec<Arc<Feed>> = Vec::with_capacity(tables.len());
    for (number, table) in (1..).zip(tables) {
        let path = format!("feed[{number}]");
        let feed = reader.feed(table, &path)?;
        if let Some(other) = feeds.iter().position(|other| other.id == feed.id) {
            let message =
                format!("“{}” is the id of feed[{}] already; give this feed another", feed.id, other + 1);
            let span = table.get("id").and_then(Item::span);
            return Err(reader.error(Kind::DuplicateId, span, &format!("{path}.id"), message));
        }
        feeds.push(Arc::new(feed));
    }
    Ok(Config { feeds })
}

/// A name of a feed, or what is wrong with it.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    if sanitize_title(name).is_empty() {
        Err("the name is empty; leave it out to use the id".to_owned())
    } else if name.chars().count() > MAX_FEED_NAME {
        Err(format!("the name is longer than {MAX_FEED_NAME} characters"))
    } else if name.contains(char::is_control) {
        Err("the name has a line break or another control character".to_owned())
    } else {
        Ok(())
    }
}

/// What is wrong with an id.
pub(super) fn invalid_id(id: &str) -> String {
    format!("“{id}” is no id; use 1 to 64 of a-z, 0-9, \"-\", \"_\" and \".\"")
}

/// An idle timeout in seconds, or what is wrong with it; none: never.
pub(super) fn idle_timeout(seconds: u64) -> Result<Option<Duration>, String> {
    match seconds {
        0 => Ok(None),
        1..=MAX_IDLE_TIMEOUT => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(format!("more than {MAX_IDLE_TIMEOUT} seconds (a week); use 0 for never")),
    }
}

/// A table with the path to it, such as `feed[1].rule[2]`.
#[derive(Clone, Copy)]
struct Section<'a> {
    table: &'a dyn TableLike,
    span: &'a Option<Range<usize>>,
    path: &'a str,
}

/// A table and where it stands.
type Placed<'a> = (&'a dyn TableLike, Option<Range<usize>>);

/// The tables of rules with their places.
fn rule_sections(item: &Item) -> Option<Vec<Placed<'_>>> {
    match item {
        Item::ArrayOfTables(tables) => Some(tables.iter().map(|table| (table as _, table.span())).collect()),
        Item::Value(Value::Array(list)) => {
            list.iter().map(|value| Some((value.as_inline_table()? as _, value.span()))).collect()
        }
        _ => None,
    }
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn feed(&self, table: &Table, path: &str) -> Result<Feed, ConfigError> {
        self.check_keys(table, path, &FEED)?;
        let section = Section { table, span: &table.span(), path };
        let id = self.required(section, "id", "such as id = \"ops\"")?;
        let id =
            FeedId::new(id).ok_or_else(|| self.error_at(section, "id", Kind::InvalidId, invalid_id(id)))?;
        let url = feed_url(self.required(section, "url", "such as url = \"https://example.org/events\"")?)
            .map_err(|error| self.error_at(section, "url", error.kind, error.message))?;
        let name = self.string(section, "name")?.unwrap_or(id.as_str()).to_owned();
        check_name(&name).map_err(|message| self.error_at(section, "name", Kind::InvalidValue, message))?;
        let repeats = match self.string(section, "repeats")? {
            None | Some("hide") => Repeats::Hide,
            Some("show") => Repeats::Show,
            Some(other) => return Err(self.no_choice(section, "repeats", other, &["hide", "show"])),
        };
        Ok(Feed {
            paused: self.paused(section)?,
            idle_timeout: self.idle_timeout(section)?,
            rules: Arc::new(self.rules(table, path)?),
            id,
            name,
            url,
            repeats,
        })
    }

    fn paused(&self, section: Section<'_>) -> Result<bool, ConfigError> {
        match section.table.get("paused") {
            None => Ok(false),
            Some(item) => {
                item.as_bool().ok_or_else(|| self.wrong_type(section, "paused", item, "true or false"))
            }
        }
    }

    fn idle_timeout(&self, section: Section<'_>) -> Result<Option<Duration>, ConfigError> {
        const KEY: &str = "idle_timeout";
        let wanted = "seconds, such as 300, or a time, such as \"5m\"";
        let Some(item) = section.table.get(KEY) else { return Ok(Some(DEFAULT_IDLE_TIMEOUT)) };
        let invalid = |message| self.error_at(section, KEY, Kind::InvalidValue, message);
        let seconds = match item.as_value() {
            Some(Value::Integer(seconds)) => u64::try_from(*seconds.value())
                .map_err(|_| invalid("less than 0 seconds; use 0 for never".to_owned()))?,
            Some(Value::String(text)) => {
                match text.value().parse::<SignedDuration>().map(|time| time.as_millis()) {
                    Ok(millis @ 0..) if millis % 1_000 == 0 => {
                        (millis / 1_000).try_into().unwrap_or(u64::MAX)
                    }
                    _ => {
                        return Err(invalid(format!(
                            "“{}” is no time in whole seconds; write {wanted}",
                            text.value()
                        )));
                    }
                }
            }
            _ => return Err(self.wrong_type(section, KEY, item, wanted)),
        };
        idle_timeout(seconds).map_err(invalid)
    }

    /// The rules, as `[[feed.rule]]` sections or as a list of inline tables.
    fn rules(&self, feed: &Table, feed_path: &str) -> Result<RuleSet, ConfigError> {
        let Some(item) = feed.get("rule") else { return Ok(RuleSet::default()) };
        let path = format!("{feed_path}.rule");
        let Some(sections) = rule_sections(item) else {
            let message = "each rule is a section of its own: write [[feed.rule]], with two brackets";
            return Err(self.error(Kind::InvalidValue, item.span(), &path, message));
        };
        if let Some((_, span)) = sections.get(MAX_RULES) {
            return Err(self.error(
                Kind::InvalidValue,
                span.clone(),
                &path,
                format!("more than {MAX_RULES} rules"),
            ));
        }
        let mut texts = Vec::with_capacity(sections.len());
        for (number, (table, span)) in (1..).zip(&sections) {
            texts.push(self.rule(Section { table: *table, span, path: &format!("{path}[{number}]") })?);
        }
        RuleSet::compile(&texts).map_err(|error| match sections.get(error.rule as usize - 1) {
            Some((table, span)) => {
                let path = format!("{path}[{}]", error.rule);
                self.rule_error(Section { table: *table, span, path: &path }, &error)
            }
            None => self.error(Kind::InvalidValue, item.span(), &path, error.message),
        })
    }

    fn rule(&self, section: Section<'_>) -> Result<RuleText, ConfigError> {
        self.check_keys(section.table, section.path, &RULE)?;
        let action = match self.string(section, "action")? {
            None | Some("notify") => Action::Notify,
            Some("log") => Action::Log,
            Some("ignore") => Action::Ignore,
            Some("close") => Action::Close,
            Some(other) => {
                return Err(self.no_choice(section, "action", other, &["notify", "log", "ignore", "close"]));
            }
        };
        let when = self.string(section, "when")?.map(str::to_owned);
        Ok(RuleText { event: self.events(section)?, when, action, notify: self.notify(section)? })
    }

    fn events(&self, section: Section<'_>) -> Result<Vec<String>, ConfigError> {
        let Some(item) = section.table.get("event") else { return Ok(Vec::new()) };
        let names = match item {
            Item::Value(Value::String(name)) => Some(vec![name.value().clone()]),
            Item::Value(Value::Array(list)) => {
                list.iter().map(|name| Some(name.as_str()?.to_owned())).collect()
            }
            _ => None,
        };
        match names {
            Some(names) if names.is_empty() => {
                let message = "an empty list matches nothing; leave event out to match any";
                Err(self.error_at(section, "event", Kind::InvalidValue, message.to_owned()))
            }
            Some(names) => Ok(names),
            None => Err(self.wrong_type(section, "event", item, "a name in quotes, or a list of names")),
        }
    }

    fn notify(&self, section: Section<'_>) -> Result<Option<NotifyText>, ConfigError> {
        let Some(item) = section.table.get("notify") else { return Ok(None) };
        let Some(table) = item.as_table_like() else {
            return Err(self.wrong_type(section, "notify", item, "{ title = \"…\", body = \"…\" }"));
        };
        let section = Section { table, span: &item.span(), path: &format!("{}.notify", section.path) };
        self.check_keys(table, section.path, &NOTIFY)?;
        let text = |key| Ok(self.string(section, key)?.map(str::to_owned));
        Ok(Some(NotifyText {
            title: text("title")?,
            body: text("body")?,
            url: text("url")?,
            urgency: text("urgency")?,
            key: text("key")?,
        }))
    }

    fn string<'t>(&self, section: Section<'t>, key: &str) -> Result<Option<&'t str>, ConfigError> {
        match section.table.get(key) {
            None => Ok(None),
            Some(item) => match item.as_str() {
                Some(text) => Ok(Some(text)),
                None => Err(self.wrong_type(section, key, item, "a text in quotes")),
            },
        }
    }

    fn required<'t>(&self, section: Section<'t>, key: &str, example: &str) -> Result<&'t str, ConfigError> {
        self.string(section, key)?.ok_or_else(|| {
            let path = format!("{}.{key}", section.path);
            self.error(Kind::Broken, section.span.clone(), &path, format!("missing; add it, {example}"))
        })
    }

    fn check_keys(&self, table: &dyn TableLike, path: &str, known: &[&str]) -> Result<(), ConfigError> {
        let Some((key, item)) = table.iter().find(|(key, _)| !known.contains(key)) else { return Ok(()) };
        let hint = match nearest(key, known) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("known here: {}", known.join(", ")),
        };
        let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
        let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        Err(self.error(Kind::Broken, span, &path, format!("unknown key; {hint}")))
    }

    fn no_choice(&self, section: Section<'_>, key: &str, found: &str, known: &[&str]) -> ConfigError {
        let message = format!("“{found}” is none of {}", known.join(", "));
        self.error_at(section, key, Kind::InvalidValue, message)
    }

    fn wrong_type(&self, section: Section<'_>, key: &str, item: &Item, wanted: &str) -> ConfigError {
        let message = format!("must be {wanted}; this is of type {}", item.type_name());
        self.error_at(section, key, Kind::InvalidValue, message)
    }

    /// An error in a rule's text, on its own line where the text has several.
    fn rule_error(&self, section: Section<'_>, error: &RuleError) -> ConfigError {
        let span = error.key.split('.').try_fold((section.table, None), |(table, _), key| {
            let item = table.get(key)?;
            Some((item.as_table_like().unwrap_or(table), item.span()))
        });
        let span = span.and_then(|(_, span)| span).or_else(|| section.span.clone());
        let written = span.clone().and_then(|span| self.text.get(span)).unwrap_or_default();
        // A line end right after the opening quotes is not part of the text (TOML 1.0, "String").
        let opening =
            ["\"\"\"\n", "'''\n", "\"\"\"\r\n", "'''\r\n"].iter().any(|quotes| written.starts_with(quotes));
        let place = match error.column {
            1 => String::new(),
            column => format!(" (character {column})"),
        };
        let path = format!("{}.{}", section.path, error.key);
        let found = self.error(Kind::InvalidValue, span, &path, format!("{}{place}", error.message));
        // Line ends that are written as `\n` make lines in the text, and none in the file.
        let last = found.line + written.bytes().filter(|byte| *byte == b'\n').count() as u32;
        let line = found.line + error.line - 1 + u32::from(opening);
        ConfigError { line: line.min(last), ..found }
    }

    fn error_at(&self, section: Section<'_>, key: &str, kind: Kind, message: String) -> ConfigError {
        let span = section.table.get(key).and_then(Item::span).or_else(|| section.span.clone());
        self.error(kind, span, &format!("{}.{key}", section.path), message)
    }

    fn error(
        &self,
        kind: Kind,
        span: Option<Range<usize>>,
        key: &str,
        message: impl Into<String>,
    ) -> ConfigError {
        let before = &self.text.as_bytes()[..span.map_or(0, |span| span.start.min(self.text.len()))];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u32;
        ConfigError { kind, line, key: key.to_owned(), message: message.into() }
    }
}

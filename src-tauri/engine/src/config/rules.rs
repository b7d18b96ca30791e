//! A feed's rules in `feeds.toml`.

use std::{ops::Range, path::Path};

use toml_edit::{Item, Table, TableLike, Value};

use super::{
    ConfigError, ConfigErrorKind as Kind, MAX_FILE,
    access::words,
    reader::{Reader, Section},
    too_large,
};
use crate::{
    rule::{Action, ButtonText, MAX_RULES, NotifyText, RuleError, RuleSet, RuleText},
    sentence::{self, WANTS_BUTTONS, WANTS_COMMAND, WANTS_EXPIRE, WANTS_NAMES, WANTS_NOTIFY, WANTS_SOUND},
};

/// The keys of a rule.
const RULE: [&str; 6] = ["event", "when", "action", "notify", "urgent", "run"];
/// The keys of a rule's `notify`.
const NOTIFY: [&str; 10] =
    ["title", "body", "url", "urgency", "key", "icon", "group", "sound", "expire", "buttons"];
/// The keys of a button.
const BUTTON: [&str; 2] = ["label", "url"];
/// What rules can do.
pub(super) const ACTIONS: [(&str, Action); 5] = [
    ("notify", Action::Notify),
    ("log", Action::Log),
    ("ignore", Action::Ignore),
    ("close", Action::Close),
    ("withdraw", Action::Withdraw),
];
const NOTIFY_EXAMPLE: &str = "{ title = \"…\", body = \"…\" }";

/// A table and where it stands.
pub(super) type Placed<'a> = (&'a dyn TableLike, Option<Range<usize>>);

/// The tables in a list of sections or of inline tables, with their places.
pub(super) fn sections(item: &Item) -> Option<Vec<Placed<'_>>> {
    match item {
        Item::ArrayOfTables(tables) => Some(tables.iter().map(|table| (table as _, table.span())).collect()),
        Item::Value(Value::Array(list)) => {
            list.iter().map(|value| Some((value.as_inline_table()? as _, value.span()))).collect()
        }
        _ => None,
    }
}

/// Reads rules by themselves.
pub(super) fn read(text: &str) -> Result<RuleSet, ConfigError> {
    let reader = Reader { text, folder: Path::new("") };
    if text.len() > MAX_FILE {
        return Err(too_large());
    }
    let document = reader.document()?;
    let root = document.as_table();
    let in_feed = root.get("feed").and_then(Item::as_table_like).and_then(|feed| feed.get("rule"));
    let Some(item) = root.get("rule").or(in_feed) else {
        return reader.rule_set(&[(root as _, None)], "rule");
    };
    reader.check_keys(root, "", &["rule", "feed"])?;
    match sections(item) {
        Some(sections) => reader.rule_set(&sections, "rule"),
        None => Err(reader.error(Kind::InvalidValue, item.span(), "rule", sentence::RULE_NO_SECTION)),
    }
}

impl Reader<'_> {
    /// The rules, as `[[feed.rule]]` sections or as a list of inline tables.
    pub(super) fn rules(&self, feed: &Table, feed_path: &str) -> Result<RuleSet, ConfigError> {
        let Some(item) = feed.get("rule") else { return Ok(RuleSet::default()) };
        let path = format!("{feed_path}.rule");
        match sections(item) {
            Some(sections) => self.rule_set(&sections, &path),
            None => Err(self.error(Kind::InvalidValue, item.span(), &path, sentence::RULE_NO_SECTION)),
        }
    }

    fn rule_set(&self, sections: &[Placed<'_>], path: &str) -> Result<RuleSet, ConfigError> {
        if let Some((_, span)) = sections.get(MAX_RULES) {
            let message = sentence::TOO_MANY_RULES.with([("most", MAX_RULES.to_string())]);
            return Err(self.error(Kind::InvalidValue, span.clone(), path, message));
        }
        let mut texts = Vec::with_capacity(sections.len());
        for (number, (table, span)) in (1..).zip(sections) {
            texts.push(self.rule(Section { table: *table, span, path: &format!("{path}[{number}]") })?);
        }
        RuleSet::compile(&texts).map_err(|error| match sections.get(error.rule as usize - 1) {
            Some((table, span)) => {
                let path = format!("{path}[{}]", error.rule);
                self.rule_error(Section { table: *table, span, path: &path }, &error)
            }
            None => self.error(Kind::InvalidValue, None, path, error.message),
        })
    }

    pub(super) fn rule(&self, section: Section<'_>) -> Result<RuleText, ConfigError> {
        self.check_keys(section.table, section.path, &RULE)?;
        let action = match self.string(section, "action")? {
            None => Action::default(),
            Some(word) => match ACTIONS.iter().find(|(name, _)| *name == word) {
                Some((_, action)) => *action,
                None => return Err(self.no_choice(section, "action", word, &ACTIONS.map(|(name, _)| name))),
            },
        };
        Ok(RuleText {
            event: self.events(section)?,
            when: self.string(section, "when")?.map(str::to_owned),
            action,
            notify: self.notify(section)?,
            urgent: self.flag(section, "urgent")?.unwrap_or(false),
            run: self.run(section)?,
        })
    }

    pub(super) fn events(&self, section: Section<'_>) -> Result<Vec<String>, ConfigError> {
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
                Err(self.error_at(section, "event", Kind::InvalidValue, sentence::NO_NAMES.into()))
            }
            Some(names) => Ok(names),
            None => Err(self.wrong_type(section, "event", item, WANTS_NAMES)),
        }
    }

    fn run(&self, section: Section<'_>) -> Result<Vec<String>, ConfigError> {
        let Some(item) = section.table.get("run") else { return Ok(Vec::new()) };
        words(item).ok_or_else(|| self.wrong_type(section, "run", item, WANTS_COMMAND))
    }

    fn notify(&self, section: Section<'_>) -> Result<Option<NotifyText>, ConfigError> {
        let Some(item) = section.table.get("notify") else { return Ok(None) };
        let Some(table) = item.as_table_like() else {
            let message = WANTS_NOTIFY
                .with([("type", item.type_name().to_owned()), ("example", NOTIFY_EXAMPLE.to_owned())]);
            return Err(self.error_at(section, "notify", Kind::InvalidValue, message));
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
            icon: text("icon")?,
            group: text("group")?,
            sound: match table.get("sound").map(|item| (item, item.as_bool(), item.as_str())) {
                None => None,
                Some((_, Some(flag), _)) => Some(flag.to_string()),
                Some((_, _, Some(text))) => Some(text.to_owned()),
                Some((item, ..)) => return Err(self.wrong_type(section, "sound", item, WANTS_SOUND)),
            },
            expire: match table.get("expire").map(|item| (item, item.as_integer(), item.as_str())) {
                None => None,
                Some((_, Some(seconds), _)) => Some(seconds.to_string()),
                Some((_, _, Some(text))) => Some(text.to_owned()),
                Some((item, ..)) => return Err(self.wrong_type(section, "expire", item, WANTS_EXPIRE)),
            },
            buttons: self.buttons(section)?,
        }))
    }

    fn buttons(&self, section: Section<'_>) -> Result<Vec<ButtonText>, ConfigError> {
        let Some(item) = section.table.get("buttons") else { return Ok(Vec::new()) };
        let tables =
            sections(item).ok_or_else(|| self.wrong_type(section, "buttons", item, WANTS_BUTTONS))?;
        let button = |(number, (table, span)): (usize, &Placed<'_>)| {
            let path = format!("{}.buttons[{number}]", section.path);
            let section = Section { table: *table, span, path: &path };
            self.check_keys(*table, &path, &BUTTON)?;
            let text = |key, example| Ok(self.required(section, key, example)?.to_owned());
            Ok(ButtonText {
                label: text("label", "label = \"Open\"")?,
                url: text("url", "url = \"{{ data.url }}\"")?,
            })
        };
        (1..).zip(&tables).map(button).collect()
    }

    /// An error in a rule's text, on its own line where the text has several.
    fn rule_error(&self, section: Section<'_>, error: &RuleError) -> ConfigError {
        let span = span_of(section.table, error.key).or_else(|| section.span.clone());
        let written = span.clone().and_then(|span| self.text.get(span)).unwrap_or_default();
        // A line end right after the opening quotes is not part of the text (TOML 1.0, "String").
        let opening =
            ["\"\"\"\n", "'''\n", "\"\"\"\r\n", "'''\r\n"].iter().any(|quotes| written.starts_with(quotes));
        let path = format!("{}.{}", section.path, error.key);
        let found = self.error(Kind::InvalidValue, span, &path, error.message.clone());
        // Line ends that are written as `\n` make lines in the text, and none in the file.
        let last = found.line + written.bytes().filter(|byte| *byte == b'\n').count() as u32;
        let line = found.line + error.line - 1 + u32::from(opening);
        let column = if error.column == 1 { 0 } else { error.column };
        ConfigError { line: line.min(last), column, ..found }
    }
}

/// Where a key such as `notify.buttons[2].url` stands.
fn span_of(table: &dyn TableLike, path: &str) -> Option<Range<usize>> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let (key, number) = key.split_once('[').map_or((key, None), |(key, number)| (key, Some(number)));
    let item = table.get(key)?;
    let Some(number) = number else {
        let inner = rest.and_then(|rest| span_of(item.as_table_like()?, rest));
        return inner.or_else(|| item.span());
    };
    let number: usize = number.trim_end_matches(']').parse().ok()?;
    let tables = sections(item)?;
    let (table, span) = tables.get(number.checked_sub(1)?)?;
    rest.and_then(|rest| span_of(*table, rest)).or_else(|| span.clone())
}

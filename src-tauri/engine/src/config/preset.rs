//! A preset's file, read as `feeds.toml` is: same words, same mistakes. And the key `preset` of a feed.

use std::{ops::Range, path::Path};

use toml_edit::{Item, TableLike, Value};

use super::{
    ConfigError, ConfigErrorKind as Kind,
    reader::{Reader, Section},
    rules::sections,
};
use crate::{
    access::Access,
    preset::{self, Compiled, Facts, Preset, Snapshot, UrlPattern},
    rule::{Action, RuleSet, RuleText},
    sentence::{self, WANTS_NAMES},
    template::nearest,
};

const PRESET: [&str; 12] = [
    "name",
    "url",
    "auth",
    "help",
    "match",
    "resume",
    "idle_timeout",
    "keep_alive",
    "snapshot",
    "text",
    "otherwise",
    "rule",
];
const HELP: [&str; 2] = ["en", "zh-CN"];
const MATCH: [&str; 2] = ["url", "stream"];
const MATCH_URL: [&str; 4] = ["host", "port", "path", "query"];
const CONDITION: [&str; 2] = ["event", "when"];
const FIRST: [&str; 3] = ["event", "first", "until"];
const UNTIL: [&str; 2] = ["event", "count"];

/// What a feed says of its preset.
pub(super) enum Wish {
    /// Nothing: it may be found.
    LeftOut,
    /// It is to have none.
    None,
    /// This one.
    Preset(&'static Preset),
}

/// A table and where it stands.
struct Part<'t> {
    table: &'t dyn TableLike,
    span: Option<Range<usize>>,
}

impl Part<'_> {
    fn section<'s>(&'s self, path: &'s str) -> Section<'s> {
        Section { table: self.table, span: &self.span, path }
    }
}

/// What a preset's file says beside its rules.
pub(crate) fn read(text: &str) -> Result<Facts, ConfigError> {
    in_file(text, |reader, root| {
        reader.check_keys(root.table, "", &PRESET)?;
        let help = reader.part(root, "help")?;
        let [english, chinese] = match &help {
            Some(help) => {
                reader.check_keys(help.table, "help", &HELP)?;
                HELP.map(|language| reader.required(help.section("help"), language, "en = \"…\""))
            }
            None => HELP.map(|_| reader.required(root, "help", "[help]")),
        };
        let (mut urls, mut signs) = (Vec::new(), Vec::new());
        if let Some(found) = reader.part(root, "match")? {
            reader.check_keys(found.table, "match", &MATCH)?;
            for (number, section) in (1..).zip(reader.parts(found.table.get("url"), "match.url")?) {
                urls.push(reader.url_pattern(section.section(&format!("match.url[{number}]")))?);
            }
            for (number, section) in (1..).zip(reader.parts(found.table.get("stream"), "match.stream")?) {
                let path = format!("match.stream[{number}]");
                signs.push(reader.condition(section.section(&path), Action::Log)?);
            }
        }
        let left_out = |key| root.table.get(key).is_none();
        Ok(Facts {
            name: reader.required(root, "name", "name = \"…\"")?.to_owned(),
            help: [english?.to_owned(), chinese?.to_owned()],
            url: reader.required(root, "url", "url = \"…\"")?.to_owned(),
            auth: reader.names(root, "auth")?,
            urls,
            resume: match left_out("resume") {
                true => None,
                false => Some(reader.resume(root, &Access::default())?),
            },
            idle_timeout: match left_out("idle_timeout") {
                true => None,
                false => Some(reader.idle_timeout(root)?),
            },
            snapshot: reader.snapshot(root)?,
            otherwise_notify: match reader.required(root, "otherwise", "otherwise = \"log\"")? {
                "notify" => true,
                "log" => false,
                other => return Err(reader.no_choice(root, "otherwise", other, &["notify", "log"])),
            },
            signs,
        })
    })
}

/// A preset's rules, compiled.
pub(crate) fn compile(text: &str) -> Result<Compiled, ConfigError> {
    in_file(text, |reader, root| {
        let mut texts = Vec::new();
        let keep_alive = root.table.get("keep_alive");
        for (number, placed) in (1..).zip(reader.parts(keep_alive, "keep_alive")?) {
            let path = format!("keep_alive[{number}]");
            texts.push(reader.condition(placed.section(&path), Action::Ignore)?);
        }
        let keep_alives = texts.len() as u32;
        for (number, placed) in (1..).zip(reader.parts(root.table.get("rule"), "rule")?) {
            let path = format!("rule[{number}]");
            let rule = reader.rule(placed.section(&path))?;
            if !rule.run.is_empty() {
                let message = sentence::RUN_ELSEWHERE.into();
                return Err(reader.error_at(placed.section(&path), "run", Kind::InvalidValue, message));
            }
            texts.push(rule);
        }
        let compiled = |texts: &[RuleText]| {
            RuleSet::compile(texts).map_err(|error| {
                let place = format!("rule[{}].{}", error.rule.saturating_sub(keep_alives), error.key);
                reader.error(Kind::InvalidValue, None, &place, error.message)
            })
        };
        let text = match reader.part(root, "text")? {
            None => None,
            Some(part) => Some(compiled(&[reader.rule(part.section("text"))?])?),
        };
        Ok(Compiled { rules: compiled(&texts)?, keep_alives, text })
    })
}

fn in_file<T>(
    text: &str,
    read: impl FnOnce(&Reader<'_>, Section<'_>) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let reader = Reader { text, folder: Path::new("") };
    let document = reader.document()?;
    read(&reader, Section { table: document.as_table(), span: &None, path: "" })
}

impl Reader<'_> {
    /// The preset that a feed wants.
    pub(super) fn preset(&self, section: Section<'_>) -> Result<Wish, ConfigError> {
        const KEY: &str = "preset";
        let Some(id) = self.string(section, KEY)? else { return Ok(Wish::LeftOut) };
        if id == preset::NONE {
            return Ok(Wish::None);
        }
        if let Some(preset) = preset::by_id(id) {
            return Ok(Wish::Preset(preset));
        }
        let known: Vec<&str> = preset::all().iter().map(|preset| preset.id).chain([preset::NONE]).collect();
        let value = ("value", id.to_owned());
        let message = match nearest(id, &known) {
            Some(near) => sentence::MISSPELT_PRESET.with([value, ("near", near.to_owned())]),
            None => sentence::UNKNOWN_PRESET.with([value, ("known", known.join(", "))]),
        };
        Err(self.error_at(section, KEY, Kind::InvalidValue, message))
    }

    fn part<'t>(&self, section: Section<'t>, key: &str) -> Result<Option<Part<'t>>, ConfigError> {
        let Some(item) = section.table.get(key) else { return Ok(None) };
        match item.as_table_like() {
            Some(table) => Ok(Some(Part { table, span: item.span() })),
            None => Err(self.missing(section, key, &format!("[{key}]"))),
        }
    }

    /// A table, a list of tables, or nothing.
    fn parts<'t>(&self, item: Option<&'t Item>, path: &str) -> Result<Vec<Part<'t>>, ConfigError> {
        let Some(item) = item else { return Ok(Vec::new()) };
        if let Some(table) = item.as_table_like() {
            return Ok(vec![Part { table, span: item.span() }]);
        }
        let parts = sections(item)
            .ok_or_else(|| self.error(Kind::InvalidValue, item.span(), path, sentence::RULE_NO_SECTION))?;
        Ok(parts.into_iter().map(|(table, span)| Part { table, span }).collect())
    }

    /// A rule's `event` and `when`.
    fn condition(&self, section: Section<'_>, action: Action) -> Result<RuleText, ConfigError> {
        self.check_keys(section.table, section.path, &CONDITION)?;
        let when = self.string(section, "when")?.map(str::to_owned);
        Ok(RuleText { event: self.events(section)?, when, action, ..RuleText::default() })
    }

    fn url_pattern(&self, section: Section<'_>) -> Result<UrlPattern, ConfigError> {
        self.check_keys(section.table, section.path, &MATCH_URL)?;
        let query = self.part(section, "query")?;
        let query = query.iter().flat_map(|query| query.table.iter());
        let query = query.filter_map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned())));
        let port = self.number(section, "port")?.map(u16::try_from).transpose();
        Ok(UrlPattern {
            host: self.names(section, "host")?,
            port: port.map_err(|_| self.missing(section, "port", "port = 80"))?,
            path: self.names(section, "path")?,
            query: query.collect(),
        })
    }

    fn snapshot(&self, section: Section<'_>) -> Result<Option<Snapshot>, ConfigError> {
        let Some(found) = self.part(section, "snapshot")? else { return Ok(None) };
        let section = found.section("snapshot");
        self.check_keys(section.table, section.path, &FIRST)?;
        if let Some(until) = self.part(section, "until")? {
            let section = until.section("snapshot.until");
            self.check_keys(section.table, section.path, &UNTIL)?;
            let count =
                self.number(section, "count")?.ok_or_else(|| self.missing(section, "count", "count = 1"))?;
            return Ok(Some(Snapshot::Until { events: self.events(section)?, count }));
        }
        let count =
            self.number(section, "first")?.ok_or_else(|| self.missing(section, "first", "first = 1"))?;
        Ok(Some(Snapshot::First { events: self.events(section)?, count }))
    }

    /// A text or a list of texts; empty if left out.
    fn names(&self, section: Section<'_>, key: &str) -> Result<Vec<String>, ConfigError> {
        let Some(item) = section.table.get(key) else { return Ok(Vec::new()) };
        let names = match item {
            Item::Value(Value::String(name)) => Some(vec![name.value().clone()]),
            Item::Value(Value::Array(list)) => {
                list.iter().map(|name| Some(name.as_str()?.to_owned())).collect()
            }
            _ => None,
        };
        names.ok_or_else(|| self.wrong_type(section, key, item, WANTS_NAMES))
    }

    fn number(&self, section: Section<'_>, key: &str) -> Result<Option<u32>, ConfigError> {
        let Some(item) = section.table.get(key) else { return Ok(None) };
        let number = item.as_integer().and_then(|number| u32::try_from(number).ok());
        number.map(Some).ok_or_else(|| self.missing(section, key, &format!("{key} = 1")))
    }

    fn missing(&self, section: Section<'_>, key: &str, example: &str) -> ConfigError {
        let message = sentence::MISSING.with([("example", example.to_owned())]);
        self.error_at(section, key, Kind::InvalidValue, message)
    }
}

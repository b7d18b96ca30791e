//! The texts that window, tray, popups and command line share, in each language.
//!
//! A catalogue is one flat JSON object: `"key": "text with {name}"`. A text that depends on a number has two keys,
//! `key_one` and `key_other`, with `{count}`; Chinese has one form and gives both the same text.

use std::{
    collections::HashMap,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The languages that there is a catalogue for, as BCP 47 tags.
pub const LOCALES: [&str; 2] = ["en", "zh-CN"];

const SOURCES: [&str; 2] = [include_str!("../messages/en.json"), include_str!("../messages/zh-CN.json")];

use crate::wire::Sentence;

type Texts = HashMap<&'static str, String>;

/// The texts of one language; which one may change while they are in use.
#[derive(Debug)]
pub struct Catalogue {
    /// An index of [`LOCALES`].
    locale: AtomicUsize,
}

impl Catalogue {
    /// The catalogue that fits a BCP 47 tag best: any `zh` is served in Simplified Chinese, everything else in English.
    pub fn new(locale: &str) -> Self {
        Self { locale: AtomicUsize::new(index(locale)) }
    }

    /// Changes the language for everyone who uses this catalogue.
    pub fn set_locale(&self, locale: &str) {
        self.locale.store(index(locale), Ordering::Relaxed);
    }

    /// The language of the texts: one of [`LOCALES`].
    pub fn locale(&self) -> &'static str {
        LOCALES[self.locale.load(Ordering::Relaxed)]
    }

    /// Whether there is a text of this key.
    pub fn has(&self, key: &str) -> bool {
        self.texts().contains_key(key)
    }

    /// The text of a key; the key itself if there is none.
    pub fn text<'a>(&self, key: &'a str) -> &'a str {
        self.texts().get(key).map_or(key, String::as_str)
    }

    /// The text of a key with each `{name}` replaced by its value.
    pub fn format(&self, key: &str, values: &[(&str, &str)]) -> String {
        fill(self.text(key), values)
    }

    /// The text of `key_one` or `key_other`, with `{count}`.
    pub fn count(&self, key: &str, count: u64) -> String {
        let form = if count == 1 { "one" } else { "other" };
        self.format(&format!("{key}_{form}"), &[("count", &count.to_string())])
    }

    /// A sentence from the other end; in English if there is no text of its code.
    pub fn sentence(&self, sentence: &Sentence) -> String {
        match self.texts().get(&*format!("mistake.{}", sentence.code)) {
            Some(text) => {
                let values: Vec<_> =
                    sentence.params.iter().map(|(name, value)| (&**name, &**value)).collect();
                fill(text, &values)
            }
            None => sentence.message.clone(),
        }
    }

    fn texts(&self) -> &'static Texts {
        static LOADED: [OnceLock<Texts>; LOCALES.len()] = [OnceLock::new(), OnceLock::new()];
        let locale = self.locale.load(Ordering::Relaxed);
        // The files are part of the program and a test reads both, so this cannot fail; an empty catalogue shows keys.
        LOADED[locale].get_or_init(|| serde_json::from_str(SOURCES[locale]).unwrap_or_default())
    }
}

fn index(locale: &str) -> usize {
    let locale = supported(locale);
    LOCALES.iter().position(|known| *known == locale).unwrap_or_default()
}

/// One pass, so that a value that looks like a placeholder is not taken for one.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(rest.len() + 16);
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after_name)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => out.push_str(value),
            None => {
                out.push('{');
                out.push_str(name);
                out.push('}');
            }
        }
        rest = after_name;
    }
    out.push_str(rest);
    out
}

/// The supported locale that fits a BCP 47 (or POSIX) tag best.
pub fn supported(tag: &str) -> &'static str {
    let chinese = tag.to_ascii_lowercase().split(['-', '_', '.']).next() == Some("zh");
    if chinese { "zh-CN" } else { "en" }
}

/// The system's locale, as one of [`LOCALES`].
pub fn system_locale() -> &'static str {
    sys_locale::get_locale().map_or("en", |tag| supported(&tag))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_placeholders() {
        let english: BTreeMap<String, String> = serde_json::from_str(SOURCES[0]).unwrap();
        let chinese: BTreeMap<String, String> = serde_json::from_str(SOURCES[1]).unwrap();
        assert_eq!(english.keys().collect::<Vec<_>>(), chinese.keys().collect::<Vec<_>>());
        for (key, text) in &english {
            assert!(!text.is_empty() && !chinese[key].is_empty(), "{key} is empty");
            assert_eq!(placeholders(text), placeholders(&chinese[key]), "placeholders of {key}");
        }
    }

    #[test]
    fn values_fill_placeholders_and_are_not_read_again() {
        assert_eq!(fill("{x} and {y}, {unknown} {", &[("x", "{y}"), ("y", "2")]), "{y} and 2, {unknown} {");
    }

    #[test]
    fn numbers_choose_their_form_and_unknown_keys_show_themselves() {
        let catalogue = Catalogue::new("en");
        assert_eq!(catalogue.count("popup.backlog", 1), "1 new event");
        assert_eq!(catalogue.count("popup.backlog", 0), "0 new events");
        assert_eq!(catalogue.text("missing.key"), "missing.key");
    }

    #[test]
    fn the_language_changes_for_everyone() {
        let catalogue = std::sync::Arc::new(Catalogue::new("en"));
        let other = std::sync::Arc::clone(&catalogue);
        catalogue.set_locale("zh-CN");
        assert_eq!(other.locale(), "zh-CN");
        assert_eq!(other.count("popup.backlog", 2), "2 条新事件");
    }

    #[test]
    fn tags_find_their_catalogue() {
        for (tag, locale) in [
            ("zh-CN", "zh-CN"),
            ("zh_TW.UTF-8", "zh-CN"),
            ("zh", "zh-CN"),
            ("de-DE", "en"),
            ("C", "en"),
            ("", "en"),
        ] {
            assert_eq!(supported(tag), locale, "{tag}");
        }
    }
}

//! The texts that window, tray, popups and command line share, in each language.
//!
//! A catalogue is one flat JSON object: `"key": "text with {name}"`. A text that depends on a number has two keys,
//! `key_one` and `key_other`, with `{count}`; Chinese has one form and gives both the same text.

use std::collections::HashMap;

const ENGLISH: &str = include_str!("../messages/en.json");
const CHINESE: &str = include_str!("../messages/zh-CN.json");

/// The languages that there is a catalogue for, as BCP 47 tags.
pub const LOCALES: [&str; 2] = ["en", "zh-CN"];

/// The texts of one language.
#[derive(Clone, Debug)]
pub struct Catalogue {
    locale: &'static str,
    texts: HashMap<&'static str, String>,
}

impl Catalogue {
    /// The catalogue that fits a BCP 47 tag best: any `zh` is served in Simplified Chinese, everything else in English.
    pub fn new(locale: &str) -> Self {
        let locale = supported(locale);
        let source = if locale == "zh-CN" { CHINESE } else { ENGLISH };
        // The files are part of the program and a test reads both, so this cannot fail; an empty catalogue shows keys.
        Self { locale, texts: serde_json::from_str(source).unwrap_or_default() }
    }

    /// The language of the texts: one of [`LOCALES`].
    pub fn locale(&self) -> &'static str {
        self.locale
    }

    /// Whether there is a text of this key.
    pub fn has(&self, key: &str) -> bool {
        self.texts.contains_key(key)
    }

    /// The text of a key; the key itself if there is none.
    pub fn text<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// The text of a key with each `{name}` replaced by its value.
    pub fn format(&self, key: &str, values: &[(&str, &str)]) -> String {
        let mut rest = self.text(key);
        let mut out = String::with_capacity(rest.len() + 16);
        // One pass, so that a value that looks like a placeholder is not taken for one.
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

    /// The text of `key_one` or `key_other`, with `{count}`.
    pub fn count(&self, key: &str, count: u64) -> String {
        let form = if count == 1 { "one" } else { "other" };
        self.format(&format!("{key}_{form}"), &[("count", &count.to_string())])
    }
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
        let english: BTreeMap<String, String> = serde_json::from_str(ENGLISH).unwrap();
        let chinese: BTreeMap<String, String> = serde_json::from_str(CHINESE).unwrap();
        assert_eq!(english.keys().collect::<Vec<_>>(), chinese.keys().collect::<Vec<_>>());
        for (key, text) in &english {
            assert!(!text.is_empty() && !chinese[key].is_empty(), "{key} is empty");
            assert_eq!(placeholders(text), placeholders(&chinese[key]), "placeholders of {key}");
        }
    }

    #[test]
    fn values_fill_placeholders_and_are_not_read_again() {
        let catalogue = Catalogue {
            locale: "en",
            texts: HashMap::from([
                ("a", "{x} and {y}, {unknown} {".to_owned()),
                ("n_one", "{count} event".to_owned()),
                ("n_other", "{count} events".to_owned()),
            ]),
        };
        assert_eq!(catalogue.format("a", &[("x", "{y}"), ("y", "2")]), "{y} and 2, {unknown} {");
        assert_eq!(catalogue.count("n", 1), "1 event");
        assert_eq!(catalogue.count("n", 0), "0 events");
        assert_eq!(catalogue.text("missing.key"), "missing.key");
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

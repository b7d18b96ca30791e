//! A feed's settings in its text.

use std::time::Duration;

use toml_edit::{Document, Item, Table, Value};

use super::{check_url_is_free, find, intact, paths::put, set, unforeseen};
use crate::{
    access::mask,
    config::{
        ConfigError, ConfigErrorKind as Kind, MAX_FILE, feed_url, parse,
        reader::{check_group, check_name, idle_timeout},
    },
    feed::{FeedId, Repeats},
    sentence,
};

/// What is to change in a feed; what is left out stays. Where a text can be empty, an empty one takes the key away.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FeedChange {
    /// What a person calls it.
    pub name: Option<String>,
    /// Where its connections begin.
    pub url: Option<String>,
    /// Silence after which the connection counts as dead, in whole seconds; zero: never.
    pub idle_timeout: Option<Duration>,
    /// What to do with messages that a server sends again.
    pub repeats: Option<Repeats>,
    /// No popups: the log only.
    pub mute: Option<bool>,
    /// The group under which lists show it; may be empty.
    pub group: Option<String>,
    /// An id of a preset, or `none`; may be empty.
    pub preset: Option<String>,
    /// Whether its popups may have images.
    pub images: Option<bool>,
    /// `usual`, or a time; may be empty.
    pub silence_alert: Option<String>,
    /// `system`, `none`, or a URL; may be empty.
    pub proxy: Option<String>,
    /// A path; may be empty.
    pub ca_file: Option<String>,
    /// Whether its server has to prove who it is.
    pub verify_certificate: Option<bool>,
    /// Whether its credentials may go over plain http to another machine.
    pub plain_http: Option<bool>,
}

/// The text with a feed changed.
pub fn edit_feed(text: &str, id: &FeedId, change: &FeedChange) -> Result<String, ConfigError> {
    let config = intact(text)?;
    let document = Document::parse(text).map_err(unforeseen)?;
    let feed = find(&document, id)?;
    let mut keys = Vec::new();
    if let Some(name) = change.name.as_deref().map(str::trim) {
        check_name(name).map_err(|message| ConfigError::new(Kind::InvalidValue, message))?;
        keys.push(("name", Value::from(name)));
    }
    if let Some(url) = change.url.as_deref().map(str::trim) {
        // People are shown it masked, and change other parts of it.
        let old = config.feeds.iter().find(|feed| feed.id == *id).map_or("", |feed| feed.url.as_str());
        let url = mask::unmasked(url, old)
            .ok_or_else(|| ConfigError::new(Kind::InvalidUrl, sentence::URL_MASKED))?;
        check_url_is_free(&config, &feed_url(&url)?, Some(id))?;
        keys.push(("url", Value::from(url)));
    }
    if let Some(time) = change.idle_timeout {
        idle_timeout(time.as_secs()).map_err(|message| ConfigError::new(Kind::InvalidValue, message))?;
        keys.push(("idle_timeout", Value::from(time.as_secs().cast_signed())));
    }
    if let Some(repeats) = change.repeats {
        keys.push(("repeats", Value::from(if repeats == Repeats::Show { "show" } else { "hide" })));
    }
    // What is so already, or by itself, needs no key.
    for (key, wanted, usual) in [
        ("mute", change.mute, false),
        ("images", change.images, false),
        ("verify_certificate", change.verify_certificate, true),
    ] {
        let now = feed.get(key).and_then(Item::as_bool).unwrap_or(usual);
        keys.extend(wanted.filter(|wanted| *wanted != now).map(|wanted| (key, Value::from(wanted))));
    }
    let text = without_texts(&set(text, feed, &keys), id, change)?;
    let text = with_texts(&text, id, change)?;
    let text = with_plain_http(text, id, change.plain_http)?;
    wanted(text)
}

/// The keys whose value is a text that may be empty.
fn texts(change: &FeedChange) -> [(&'static str, Option<&str>); 5] {
    [
        ("group", change.group.as_deref().map(str::trim)),
        ("preset", change.preset.as_deref().map(str::trim)),
        ("silence_alert", change.silence_alert.as_deref().map(str::trim)),
        ("proxy", change.proxy.as_deref().map(str::trim)),
        ("ca_file", change.ca_file.as_deref()),
    ]
}

fn without_texts(text: &str, id: &FeedId, change: &FeedChange) -> Result<String, ConfigError> {
    let gone = texts(change).into_iter().filter(|(_, value)| *value == Some(""));
    gone.map(|(key, _)| key).try_fold(text.to_owned(), |text, key| put(&text, feed_of(id), &[key], None))
}

fn with_texts(text: &str, id: &FeedId, change: &FeedChange) -> Result<String, ConfigError> {
    let document = Document::parse(text).map_err(unforeseen)?;
    let feed = find(&document, id)?;
    let mut keys = Vec::new();
    for (key, value) in texts(change) {
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        let old = feed.get(key).and_then(Item::as_str);
        let value = match key {
            "proxy" => mask::unmasked(value, old.unwrap_or_default())
                .ok_or_else(|| ConfigError::new(Kind::InvalidValue, sentence::URL_MASKED))?,
            _ => value.to_owned(),
        };
        if key == "group" {
            check_group(&value).map_err(|message| ConfigError::new(Kind::InvalidValue, message))?;
        }
        let by_itself = key == "proxy" && value == "system" && old.is_none();
        if old != Some(value.as_str()) && !by_itself {
            keys.push((key, Value::from(value)));
        }
    }
    Ok(set(text, feed, &keys))
}

fn with_plain_http(text: String, id: &FeedId, wanted: Option<bool>) -> Result<String, ConfigError> {
    let now = parse(&text).ok().and_then(|config| {
        config.feeds.iter().find(|feed| feed.id == *id).map(|feed| feed.access.plain_http)
    });
    match wanted {
        Some(wanted) if now.is_some_and(|now| now != wanted) => {
            let value = wanted.then(|| Value::from(true));
            put(&text, feed_of(id), &["auth", "plain_http"], value.as_ref())
        }
        _ => Ok(text),
    }
}

pub(super) fn feed_of(id: &FeedId) -> impl Fn(&Table) -> Option<&Table> {
    move |root| {
        let mut feeds = root.get("feed")?.as_array_of_tables()?.iter();
        feeds.find(|feed| feed.get("id").and_then(Item::as_str) == Some(id.as_str()))
    }
}

/// A changed text; what is wrong with it then is wrong with a value that was wished for.
pub(super) fn wanted(text: String) -> Result<String, ConfigError> {
    match parse(&text) {
        Ok(_) if text.len() <= MAX_FILE => Ok(text),
        Err(error) if error.kind == Kind::InvalidValue => {
            let key = error.key.split_once("].").map_or("", |(_, key)| key).to_owned();
            Err(ConfigError { line: 0, key, ..error })
        }
        _ => super::checked(text),
    }
}

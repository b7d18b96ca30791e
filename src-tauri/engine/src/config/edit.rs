//! Changes to the text of a `feeds.toml` that leave everything else as the person wrote it, byte for byte: comments, order,
//! spacing, line ends.
//!
//! Values are replaced, inserted and cut out in the text itself; the parser only says where they are.

mod change;
mod credential;
mod masking;
mod order;
mod paths;
mod program;
mod removal;
mod rules;
mod sections;

use std::ops::Range;

use toml_edit::{Document, Item, Table, Value};

use super::{
    Config, ConfigError, ConfigErrorKind as Kind, MAX_FEEDS, MAX_FILE, feed_url, parse,
    reader::{check_name, invalid_id},
};
use crate::{
    access::{Credential, mask},
    feed::{FeedId, MAX_FEED_ID},
    sentence,
};

pub use change::{FeedChange, edit_feed};
pub use credential::set_credential;
pub use masking::{is_masked, without_secrets};
pub use order::set_order;
pub use program::{QuietHours, SettingsChange, edit_settings, time_text};
pub use removal::{Removal, remove_feed, restore_feed};
pub use rules::{RuleChange, RulesChange, revision, set_rules};

/// A feed to be added.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewFeed {
    /// Where its connections begin.
    pub url: String,
    /// Its id; made from the name or the URL's host if left out.
    pub id: Option<String>,
    /// What a person calls it; the id if left out.
    pub name: Option<String>,
    /// Kept, but not connected.
    pub paused: bool,
    /// What lets it in.
    pub credentials: Vec<Credential>,
    /// Its other settings; `name` and `url` here do not count.
    pub settings: FeedChange,
}

/// The text with a feed at its end, and that feed's id.
pub fn add_feed(text: &str, new: &NewFeed) -> Result<(String, FeedId), ConfigError> {
    let config = intact(text)?;
    if config.feeds.len() >= MAX_FEEDS {
        return Err(ConfigError::new(
            Kind::InvalidValue,
            sentence::FEEDS_FULL.with([("most", MAX_FEEDS.to_string())]),
        ));
    }
    if mask::unmasked(new.url.trim(), "").is_none() {
        return Err(ConfigError::new(Kind::InvalidUrl, sentence::URL_MASKED));
    }
    let url = feed_url(new.url.trim())?;
    let name = new.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    name.map_or(Ok(()), check_name).map_err(|message| ConfigError::new(Kind::InvalidValue, message))?;
    check_url_is_free(&config, &url, None)?;
    let id = match new.id.as_deref() {
        Some(id) => FeedId::new(id).ok_or_else(|| ConfigError::new(Kind::InvalidId, invalid_id(id)))?,
        None => free_id(&config, name, &url)?,
    };
    if config.feeds.iter().any(|feed| feed.id == id) {
        return Err(ConfigError::new(Kind::DuplicateId, sentence::ID_TAKEN.with([("id", id.to_string())])));
    }
    let eol = line_end(text);
    let gap = match text {
        "" | "\u{feff}" => "",
        text if text.ends_with('\n') => eol,
        _ => &eol.repeat(2),
    };
    let mut keys = vec![("id", Value::from(id.as_str()))];
    keys.extend(name.map(|name| ("name", Value::from(name))));
    keys.push(("url", Value::from(new.url.trim())));
    keys.extend(new.paused.then(|| ("paused", Value::from(true))));
    let keys: String = keys.into_iter().map(|(key, value)| format!("{key} = {value}{eol}")).collect();
    let text = checked(format!("{text}{gap}[[feed]]{eol}{keys}"))?;
    let text = edit_feed(&text, &id, &FeedChange { name: None, url: None, ..new.settings.clone() })?;
    let with = |text: String, credential: &Credential| {
        set_credential(&text, &id, &credential.place, Some(&credential.source))
    };
    Ok((new.credentials.iter().try_fold(text, with)?, id))
}

fn is_set(feed: &Table, key: &str) -> bool {
    feed.get(key).and_then(Item::as_bool).unwrap_or_default()
}

/// The text with a feed paused, or no longer so.
pub fn set_paused(text: &str, id: &FeedId, paused: bool) -> Result<String, ConfigError> {
    intact(text)?;
    let document = Document::parse(text).map_err(unforeseen)?;
    let feed = find(&document, id)?;
    if is_set(feed, "paused") == paused {
        return Ok(text.to_owned());
    }
    checked(set(text, feed, &[("paused", Value::from(paused))]))
}

/// The feeds of a text that is to be changed: a broken one is not touched.
fn intact(text: &str) -> Result<Config, ConfigError> {
    parse(text).map_err(|error| ConfigError { kind: Kind::Broken, ..error })
}

/// A changed text, which must be as good as the one before.
fn checked(text: String) -> Result<String, ConfigError> {
    if text.len() > MAX_FILE {
        return Err(ConfigError::new(
            Kind::InvalidValue,
            sentence::FILE_WOULD_GROW.with([("kib", (MAX_FILE / 1024).to_string())]),
        ));
    }
    parse(&text).map_err(unforeseen)?;
    Ok(text)
}

/// Written in a way that this module did not foresee: better no change than a broken file.
fn unforeseen(error: impl std::fmt::Display) -> ConfigError {
    ConfigError::new(Kind::Broken, sentence::CANNOT_EDIT.with([("cause", error.to_string())]))
}

fn find<'d>(document: &'d Document<&str>, id: &FeedId) -> Result<&'d Table, ConfigError> {
    let feeds = document.as_table().get("feed").and_then(Item::as_array_of_tables);
    feeds
        .and_then(|feeds| {
            feeds.iter().find(|feed| feed.get("id").and_then(Item::as_str) == Some(id.as_str()))
        })
        .ok_or_else(|| ConfigError::no_such_feed(id))
}

fn check_url_is_free(config: &Config, url: &url::Url, id: Option<&FeedId>) -> Result<(), ConfigError> {
    match config.feeds.iter().find(|feed| feed.url == *url && Some(&feed.id) != id) {
        None => Ok(()),
        Some(feed) => {
            Err(ConfigError::new(Kind::DuplicateUrl, sentence::URL_TAKEN.with([("id", feed.id.to_string())])))
        }
    }
}

/// An id that no feed has: of the name's letters and digits, else of the host's, else "feed"; with a number if need be.
fn free_id(config: &Config, name: Option<&str>, url: &url::Url) -> Result<FeedId, ConfigError> {
    let host = url.host_str().unwrap_or_default().trim_start_matches("www.");
    let base = [slug(name.unwrap_or_default()), slug(host)].into_iter().find(|slug| !slug.is_empty());
    let base = base.unwrap_or_else(|| "feed".to_owned());
    std::iter::once(base.clone())
        .chain((2..=MAX_FEEDS + 1).map(|number| format!("{base}-{number}")))
        .filter_map(|id| FeedId::new(&id))
        .find(|id| config.feeds.iter().all(|feed| feed.id != *id))
        .ok_or_else(|| ConfigError::new(Kind::DuplicateId, sentence::IDS_TAKEN.with([("id", base.clone())])))
}

/// ASCII letters, digits and dots of a text, with one hyphen for whatever else is between them.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            '.' if !slug.is_empty() => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    // Room for a number.
    slug.truncate(MAX_FEED_ID - "-1000".len());
    slug.trim_end_matches(['-', '.']).to_owned()
}

/// The text with values of a feed's own keys replaced, or added below the last one.
fn set(text: &str, feed: &Table, keys: &[(&str, Value)]) -> String {
    let eol = line_end(text);
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    let mut added = String::new();
    let indent = indent(text, feed);
    for (key, value) in keys {
        match feed.get(key).and_then(Item::span) {
            Some(span) => changes.push((span, value.to_string())),
            None => added += &format!("{indent}{key} = {value}{eol}"),
        }
    }
    let own_end = feed
        .iter()
        .filter(|(_, item)| item.is_value())
        .filter_map(|(_, item)| item.span())
        .map(|span| span.end);
    if let (false, Some(end)) = (added.is_empty(), own_end.max().map(|end| line_after(text, end))) {
        let gap = if text[..end].ends_with('\n') { "" } else { eol };
        changes.push((end..end, format!("{gap}{added}")));
    }
    changes.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    changes.into_iter().fold(text.to_owned(), |mut text, (span, new)| {
        text.replace_range(span, &new);
        text
    })
}

/// What stands before the first key of a feed on its line.
fn indent<'t>(text: &'t str, feed: &Table) -> &'t str {
    let key = feed.iter().find_map(|(key, _)| feed.key(key)?.span()).map_or(0, |span| span.start);
    let line = &text[line_start(text, key)..key];
    if line.trim().is_empty() { line } else { "" }
}

/// From the comments directly above a feed's header to the comments directly below its last value.
fn extent(text: &str, feed: &Table) -> Range<usize> {
    let header = feed.span().unwrap_or_default();
    let above =
        feed.decor().prefix().and_then(toml_edit::RawString::span).map_or(header.start, |span| span.start);
    let top = text.len() - text.trim_start_matches('\u{feff}').len();
    let own = line_start(text, header.start).max(top);
    let mut start = own;
    while start > above.max(top) {
        let line = line_start(text, start - 1).max(top);
        if line < above || !is_comment(&text[line..start]) {
            break;
        }
        start = line;
    }
    // The file's own heading.
    if start == top {
        start = own;
    }
    let last = line_after(text, last_value(feed).max(header.end));
    let mut end = last;
    while is_comment(&text[end..line_after(text, end)]) {
        end = line_after(text, end);
    }
    // Comments that touch the next header are that one's.
    if text[end..].trim_start_matches([' ', '\t']).starts_with('[') {
        end = last;
    }
    start..end
}

/// Where the last value within a table ends.
fn last_value(table: &Table) -> usize {
    let end = |item: &Item| match item {
        Item::Table(table) => last_value(table).max(table.span().map_or(0, |span| span.end)),
        Item::ArrayOfTables(tables) => {
            let ends =
                tables.iter().map(|table| last_value(table).max(table.span().map_or(0, |span| span.end)));
            ends.max().unwrap_or_default()
        }
        item => item.span().map_or(0, |span| span.end),
    };
    table.iter().map(|(_, item)| end(item)).max().unwrap_or_default()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |end| end + 1)
}

/// Where the line after this offset's begins.
fn line_after(text: &str, offset: usize) -> usize {
    text[offset..].find('\n').map_or(text.len(), |end| offset + end + 1)
}

fn skip_blank_lines(text: &str) -> &str {
    let blank = text.len() - text.trim_start().len();
    &text[line_start(text, blank)..]
}

/// The line end that the text uses.
fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

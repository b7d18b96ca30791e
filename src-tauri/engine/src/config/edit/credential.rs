//! A feed's credentials in its text. People write `auth` in any of TOML's ways, dotted keys, a section, an inline table, and it
//! stays in the way that they chose.

use std::ops::Range;

use toml_edit::{Document, InlineTable, Item, Key, Table, TableLike, Value};

use super::{checked, find, indent, intact, line_after, line_end, line_start, unforeseen};
use crate::{
    access::{Credential, Place, Source},
    config::{ConfigError, access, parse},
    feed::FeedId,
};

/// The text with a credential of a feed set, or without a source the text without the credential of that place.
pub fn set_credential(
    text: &str,
    id: &FeedId,
    place: &Place,
    source: Option<&Source>,
) -> Result<String, ConfigError> {
    let config = intact(text)?;
    let credential = source.map(|source| Credential { place: place.clone(), source: source.clone() });
    let document = Document::parse(text).map_err(unforeseen)?;
    let feed = find(&document, id)?;
    let path = path_of(feed, place);
    let without = match cut(text, feed, &path) {
        Some(text) => text,
        None => text.to_owned(),
    };
    let edited = match &credential {
        None => without,
        Some(credential) => match replaced(text, feed, &path, credential) {
            Some(text) => text,
            None => {
                let document = Document::parse(without.as_str()).map_err(unforeseen)?;
                insert(&without, find(&document, id)?, &path, &access::written(credential))
            }
        },
    };
    let edited = checked(edited)?;
    // What the text says now, and no less: a place that is written in a way not foreseen here must not stay unnoticed.
    let of = |text: &str| parse(text).map(|config| config.feeds.into_iter().find(|feed| feed.id == *id));
    let now = of(&edited)?.and_then(|feed| feed.access.get(place).cloned());
    let others = |feeds: &[std::sync::Arc<crate::feed::Feed>]| {
        let feed = feeds.iter().find(|feed| feed.id == *id);
        feed.map_or(0, |feed| {
            feed.access.credentials.iter().filter(|known| !known.place.is_same(place)).count()
        })
    };
    if now == credential && others(&config.feeds) == others(&parse(&edited)?.feeds) {
        Ok(edited)
    } else {
        Err(unforeseen("auth"))
    }
}

/// The keys from the feed to the place, as the file spells them where it has them.
fn path_of(feed: &Table, place: &Place) -> Vec<String> {
    let mut path = vec!["auth".to_owned()];
    let mut table: Option<&dyn TableLike> = feed.get("auth").and_then(Item::as_table_like);
    for key in access::keys(place) {
        let is_header = matches!(place, Place::Header(_)) && path.len() == 2;
        let known = table.and_then(|table| {
            let mut keys = table.iter().map(|(key, _)| key);
            keys.find(|known| *known == key || is_header && known.eq_ignore_ascii_case(&key))
                .map(str::to_owned)
        });
        let key = known.unwrap_or(key);
        table = table.and_then(|table| table.get(&key)?.as_table_like());
        path.push(key);
    }
    path
}

/// The text with the value at this path replaced, if there is a plain one.
fn replaced(text: &str, feed: &Table, path: &[String], credential: &Credential) -> Option<String> {
    let mut table: &dyn TableLike = feed;
    let (last, before) = path.split_last()?;
    for key in before {
        table = table.get(key)?.as_table_like()?;
    }
    let span = match table.get(last)? {
        Item::Value(Value::InlineTable(inline)) if !inline.is_dotted() => inline.span()?,
        _ => return None,
    };
    Some(format!("{}{}{}", &text[..span.start], access::written(credential), &text[span.end..]))
}

/// The text without what stands at this path, if something does.
fn cut(text: &str, feed: &Table, path: &[String]) -> Option<String> {
    let mut table: &dyn TableLike = feed;
    for (depth, key) in path.iter().enumerate() {
        let item = table.get(key)?;
        let is_last = depth + 1 == path.len();
        match item {
            Item::Value(Value::InlineTable(inline)) if !is_last && !inline.is_dotted() => {
                let span = inline.span()?;
                let mut value: Value = text[span.clone()].parse().ok()?;
                remove(value.as_inline_table_mut()?, &path[depth + 1..]);
                if value.as_inline_table().is_some_and(InlineTable::is_empty) {
                    return Some(without_lines(text, vec![span]));
                }
                value.decor_mut().clear();
                return Some(format!("{}{value}{}", &text[..span.start], &text[span.end..]));
            }
            _ if is_last => {
                let mut spans = Vec::new();
                leaves(item, &mut spans);
                return Some(without_lines(text, spans));
            }
            _ => table = item.as_table_like()?,
        }
    }
    None
}

/// Takes a value out of an inline table, with the tables that are empty then.
fn remove(table: &mut InlineTable, path: &[String]) {
    let Some((key, rest)) = path.split_first() else { return };
    if let Some(Value::InlineTable(inner)) = table.get_mut(key)
        && !rest.is_empty()
    {
        remove(inner, rest);
        if !inner.is_empty() {
            return;
        }
    }
    table.remove(key);
}

/// Where an item's values stand, and the headers of its sections.
fn leaves(item: &Item, spans: &mut Vec<Range<usize>>) {
    match item {
        Item::Table(table) => {
            if !table.is_dotted() && !table.is_implicit() {
                spans.extend(table.span());
            }
            table.iter().for_each(|(_, item)| leaves(item, spans));
        }
        item => spans.extend(item.span()),
    }
}

/// The text without the lines that these places are on.
fn without_lines(text: &str, mut spans: Vec<Range<usize>>) -> String {
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    spans.into_iter().fold(text.to_owned(), |mut text, span| {
        let lines = line_start(&text, span.start)..line_after(&text, span.end);
        text.replace_range(lines, "");
        text
    })
}

/// The text with a value at a path where nothing stands.
fn insert(text: &str, feed: &Table, path: &[String], value: &Value) -> String {
    // The innermost section that is there; the rest of the path becomes dotted keys in it.
    let (mut section, mut rest) = (feed, path);
    let mut table = feed;
    for (depth, key) in path.iter().enumerate() {
        match table.get(key) {
            Some(Item::Table(inner)) => {
                table = inner;
                if !inner.is_dotted() && !inner.is_implicit() {
                    (section, rest) = (inner, &path[depth + 1..]);
                }
            }
            Some(Item::Value(Value::InlineTable(inline))) => {
                if let Some(text) = insert_inline(text, inline, &path[depth + 1..], value) {
                    return text;
                }
                break;
            }
            _ => break,
        }
    }
    let key: Vec<String> = rest.iter().map(|key| Key::new(key).to_string()).collect();
    let own = section.iter().filter(|(_, item)| item.is_value()).filter_map(|(_, item)| item.span());
    let end = own.map(|span| span.end).max().or(section.span().map(|span| span.end)).unwrap_or(text.len());
    let (at, eol) = (line_after(text, end), line_end(text));
    let gap = if text[..at].ends_with('\n') { "" } else { eol };
    let line = format!("{gap}{}{} = {value}{eol}", indent(text, section), key.join("."));
    format!("{}{line}{}", &text[..at], &text[at..])
}

fn insert_inline(text: &str, inline: &InlineTable, path: &[String], value: &Value) -> Option<String> {
    let span = inline.span()?;
    let mut whole: Value = text[span.clone()].parse().ok()?;
    let mut table = whole.as_inline_table_mut()?;
    let (last, before) = path.split_last()?;
    // The blank before a closing brace belongs to what was last.
    let tidy = |table: &mut InlineTable| {
        table.iter_mut().for_each(|(_, value)| value.decor_mut().set_suffix(""));
    };
    for key in before {
        tidy(table);
        let inner = table.get_or_insert(key, Value::InlineTable(InlineTable::new()));
        table = inner.as_inline_table_mut()?;
    }
    tidy(table);
    table.insert(last, value.clone());
    whole.decor_mut().clear();
    Some(format!("{}{whole}{}", &text[..span.start], &text[span.end..]))
}

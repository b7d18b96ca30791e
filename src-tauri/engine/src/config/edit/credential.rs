//! A feed's credentials in its text. People write `auth` in any of TOML's ways, dotted keys, a section, an inline table, and it
//! stays in the way that they chose.

use toml_edit::{Document, Item, Table, TableLike, Value};

use super::{
    change::wanted,
    find, intact,
    paths::{cut, insert},
    unforeseen,
};
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
    let edited = wanted(edited)?;
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

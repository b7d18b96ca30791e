//! The order of the feeds in their text.

use toml_edit::{Document, Item, Table};

use super::{
    checked, extent, intact,
    sections::{Piece, arrange},
    unforeseen,
};
use crate::{
    config::{ConfigError, parse},
    feed::FeedId,
};

/// The text with the sections of these feeds in this order, and those of others after them. Comments directly above a section
/// move with it.
pub fn set_order(text: &str, order: &[FeedId]) -> Result<String, ConfigError> {
    let config = intact(text)?;
    let ids: Vec<&FeedId> = config.feeds.iter().map(|feed| &feed.id).collect();
    let mut places = Vec::with_capacity(ids.len());
    for id in order {
        let at = ids.iter().position(|known| *known == id).ok_or_else(|| ConfigError::no_such_feed(id))?;
        if !places.contains(&at) {
            places.push(at);
        }
    }
    let others: Vec<usize> = (0..ids.len()).filter(|at| !places.contains(at)).collect();
    places.extend(others);
    if places.is_sorted() {
        return Ok(text.to_owned());
    }
    let document = Document::parse(text).map_err(unforeseen)?;
    let feeds = document.as_table().get("feed").and_then(Item::as_array_of_tables);
    let extents: Vec<_> =
        feeds.into_iter().flat_map(|feeds| feeds.iter()).map(|feed: &Table| extent(text, feed)).collect();
    if extents.len() != ids.len() || !extents.is_sorted_by(|one, other| one.end <= other.start) {
        return Err(unforeseen("feed"));
    }
    let piece = |at: &usize| Piece { was: Some(*at), text: text[extents[*at].clone()].to_owned() };
    let pieces: Vec<Piece> = places.iter().map(piece).collect();
    let edited = checked(arrange(text, &extents, &pieces))?;
    let now = parse(&edited)?;
    let as_wished = places.iter().map(|at| &config.feeds[*at]).eq(&now.feeds);
    if as_wished && now.notifications == config.notifications { Ok(edited) } else { Err(unforeseen("feed")) }
}

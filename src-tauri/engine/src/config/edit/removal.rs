//! A feed taken out of its text, and put back.

use std::{fmt, ops::Range};

use toml_edit::{Document, Item};

use super::{check_url_is_free, checked, extent, find, intact, line_end, skip_blank_lines, unforeseen};
use crate::{
    config::{ConfigError, ConfigErrorKind as Kind, MAX_FEEDS},
    event_log::text_hash,
    feed::FeedId,
    sentence,
};

/// What was taken out of a text, to be put back in its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Removal {
    /// All that is gone: the section and a gap beside it.
    cut: String,
    /// Where it was.
    at: usize,
    /// What tells whether the rest is still the same.
    rest: i64,
    /// The section, with the comments that touch it, within what is gone.
    section: Range<usize>,
    /// The feed above it.
    above: Option<FeedId>,
    /// The feed below it.
    below: Option<FeedId>,
}

impl fmt::Debug for Removal {
    /// Without the text: a URL in it may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Removal(…)")
    }
}

/// The text without a feed, its rules, and the comments that touch it. Comments at the very top of the file stay.
pub fn remove_feed(text: &str, id: &FeedId) -> Result<(String, Removal), ConfigError> {
    let config = intact(text)?;
    let document = Document::parse(text).map_err(unforeseen)?;
    let feed = find(&document, id)?;
    let Range { start, end } = extent(text, feed);
    let (before, after) = (&text[..start], &text[end..]);
    // One of the gaps around the feed goes with it.
    let gone = match skip_blank_lines(after) {
        "" => {
            let kept = before.trim_end_matches(['\n', '\r', ' ', '\t']);
            let line_end = before[kept.len()..].find('\n').map_or(0, |end| end + 1);
            kept.len() + line_end..text.len()
        }
        after => start..text.len() - after.len(),
    };
    let rest = checked(format!("{}{}", &text[..gone.start], &text[gone.end..]))?;
    let at = config.feeds.iter().position(|feed| feed.id == *id).unwrap_or_default();
    let neighbour = |at: Option<usize>| Some(config.feeds.get(at?)?.id.clone());
    let removal = Removal {
        cut: text[gone.clone()].to_owned(),
        at: gone.start,
        rest: text_hash(&rest),
        section: start - gone.start..end - gone.start,
        above: neighbour(at.checked_sub(1)),
        below: neighbour(at.checked_add(1)),
    };
    Ok((rest, removal))
}

/// The text with a feed that was removed, in its old place: if others were changed meanwhile, beside its old neighbours.
pub fn restore_feed(
    text: &str,
    id: &FeedId,
    url: &url::Url,
    removal: &Removal,
) -> Result<String, ConfigError> {
    let config = intact(text)?;
    if config.feeds.iter().any(|feed| feed.id == *id) {
        return Err(ConfigError::new(Kind::DuplicateId, sentence::ID_TAKEN.with([("id", id.to_string())])));
    }
    check_url_is_free(&config, url, None)?;
    if config.feeds.len() >= MAX_FEEDS {
        let message = sentence::FEEDS_FULL.with([("most", MAX_FEEDS.to_string())]);
        return Err(ConfigError::new(Kind::InvalidValue, message));
    }
    let Removal { cut, at, rest, section, above, below } = removal;
    if text_hash(text) == *rest && text.is_char_boundary(*at) {
        return checked(format!("{}{cut}{}", &text[..*at], &text[*at..]));
    }
    let document = Document::parse(text).map_err(unforeseen)?;
    let place = |id: &Option<FeedId>| Some(extent(text, find(&document, id.as_ref()?).ok()?));
    let feeds = document.as_table().get("feed").and_then(Item::as_array_of_tables);
    let first = || feeds.and_then(|feeds| feeds.get(0)).map(|feed| extent(text, feed).start);
    let at = match (place(above), place(below)) {
        (Some(above), _) => above.end,
        (None, Some(below)) => below.start,
        (None, None) if above.is_none() => first().unwrap_or(text.len()),
        (None, None) => text.len(),
    };
    let (before, after, eol) = (&text[..at], &text[at..], line_end(text));
    let mut edited = before.to_owned();
    if !edited.is_empty() && edited != "\u{feff}" {
        edited += if edited.ends_with('\n') { "" } else { eol };
        let above = edited.trim_end_matches(['\n', '\r', ' ', '\t']).len();
        edited += if edited[above..].matches('\n').count() > 1 { "" } else { eol };
    }
    edited += cut[section.clone()].trim_end_matches(['\n', '\r']);
    edited += eol;
    let touches = !after.is_empty() && !after.starts_with(['\n', '\r']);
    edited += if touches { eol } else { "" };
    checked(edited + after)
}

//! The text as it may leave this machine: without the secrets that were written into URLs.

use std::{borrow::Cow, ops::Range};

use toml_edit::{Document, Item};

use super::{checked, intact, unforeseen};
use crate::{
    access::mask::{masked, unmasked},
    config::{ConfigError, parse},
    feed::Feed,
    network::Proxy,
};

/// The text with [`MASK`](crate::access::mask::MASK) for the secrets in URLs of feeds, of their proxies, and in comments.
pub fn without_secrets(text: &str) -> Result<String, ConfigError> {
    let config = intact(text)?;
    let document = Document::parse(text).map_err(unforeseen)?;
    let feeds = document.as_table().get("feed").and_then(Item::as_array_of_tables);
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    for feed in feeds.into_iter().flat_map(|feeds| feeds.iter()) {
        for value in ["url", "proxy"].iter().filter_map(|key| feed.get(key)) {
            let (Some(url), Some(span)) = (value.as_str(), value.span()) else { continue };
            if let Cow::Owned(shown) = masked(url) {
                changes.push((span, toml_edit::Value::from(shown).to_string()));
            }
        }
    }
    changes.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let text = changes.into_iter().fold(text.to_owned(), |mut text, (span, new)| {
        text.replace_range(span, &new);
        text
    });
    let text = comments(&text).into_iter().rev().fold(text.clone(), |mut text, span| {
        let shown = comment(&text[span.clone()]);
        text.replace_range(span, &shown);
        text
    });
    let text = checked(text)?;
    // Nothing but comments and these URLs was to change.
    let rules = |feed: &Feed| feed.rules.texts().to_vec();
    let now = parse(&text)?;
    let same = now.feeds.iter().zip(&config.feeds).all(|(now, before)| rules(now) == rules(before));
    if same && now.feeds.len() == config.feeds.len() { Ok(text) } else { Err(unforeseen("#")) }
}

/// Where the comments of a text are that is TOML.
fn comments(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'#' => {
                let end = bytes[at..].iter().position(|byte| *byte == b'\n');
                let end = end.map_or(bytes.len(), |length| at + length);
                found.push(at..end);
                at = end;
            }
            b'"' | b'\'' => at = end_of_string(bytes, at),
            _ => at += 1,
        }
    }
    found
}

/// Behind the string that begins here.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let long = bytes[start..].starts_with(&[quote; 3]);
    let mut at = start + if long { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 2,
            _ if *byte != quote => at += 1,
            _ if !long => return at + 1,
            _ if bytes[at..].starts_with(&[quote; 3]) => {
                // One or two that belong to the text may stand before the three that end it.
                return at + bytes[at..].iter().take_while(|byte| **byte == quote).count();
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// A comment with the secrets of URLs in it masked.
fn comment(line: &str) -> String {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>');
    let shown = |word: &str| {
        let (url, end) = word.split_at(word.trim_end_matches(ends).len());
        if url.contains("://") { format!("{}{end}", masked(url)) } else { word.to_owned() }
    };
    line.split_inclusive(ends).map(shown).collect()
}

/// Whether secrets of a feed's URL, or of its proxy's, were left behind on another machine.
pub fn is_masked(feed: &Feed) -> bool {
    let proxy = match &feed.network.proxy {
        Proxy::Url(url) => unmasked(url.as_str(), "").is_none(),
        _ => false,
    };
    proxy || unmasked(feed.url.as_str(), "").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_urls_stay_here_and_all_else_goes_along() {
        let text = "\
# was https://alice:hunter2@old.example/?token=hunter2 \"http://x/?key=hunter2\"
[[feed]]
id = \"a\" # https://a.example/
url = 'https://alice:hunter2@a.example/?token=hunter2&x=1' # mine
proxy = \"socks5://bob:hunter2@proxy.example:1080\"
  [[feed.rule]]
  notify.url = \"https://a.example/?key={{ data.key }}\"
  when = \'\'\'
data.a
\'\'\'

[[feed]]
id = \"b\"
url = \"https://b.example/?x=1\"
";
        let shown = without_secrets(text).unwrap();
        assert!(!shown.contains("hunter2"), "{shown}");
        let expected = text
            .replace(
                "'https://alice:hunter2@a.example/?token=hunter2&x=1'",
                "\"https://alice:***@a.example/?token=***&x=1\"",
            )
            .replace("hunter2\"", "***\"")
            .replace("hunter2", "***");
        assert_eq!(shown, expected);
        let config = parse(&shown).unwrap();
        assert_eq!(config.feeds.iter().map(|feed| is_masked(feed)).collect::<Vec<_>>(), [true, false]);
        assert_eq!(without_secrets(""), Ok(String::new()));
    }

    #[test]
    fn comments_behind_values_are_masked_and_what_looks_like_one_in_a_value_is_not() {
        let text = "\
[[feed]] # https://a.example/?token=hunter2
id = \"a\"
url = \"https://a.example/#x\" # was https://a.example/?token=hunter2, 盘
name = '# https://a.example/?token=kept'
  [[feed.rule]]
  notify.body = \"\"\"
# https://a.example/?token=kept \\\" \"\"\"\"\" # https://a.example/?token=hunter2
  notify.title = '''x''' # https://bob:hunter2@a.example/";
        let shown = without_secrets(text).unwrap();
        assert!(!shown.contains("hunter2") && shown.matches("token=kept").count() == 2, "{shown}");
        assert_eq!(comments(text).len(), 4);
    }

    #[test]
    fn a_broken_text_is_not_exported() {
        assert!(without_secrets("[[feed]").is_err());
    }
}

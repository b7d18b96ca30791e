//! The popup of a message that no rule has a text for.
//!
//! Of a JSON object: the title from `title`, `subject`, `summary` or `name`, the body from `message`, `body`, `text`,
//! `description` or `content`, the link from `url`, `link`, `click` or `href`; the first that is there and not empty. Without a
//! body, its other values as lines `key: value`. Of other JSON and of plain text: the text. Without a title: the feed's name,
//! and ` · ` and the event type where it is not `message`. Without any text: the event type.

use serde_json::{Map, Value};

use super::{FeedFacts, data::Data};
use crate::notification::{Notification, link, sanitize_body, sanitize_title};

const TITLE: [&str; 4] = ["title", "subject", "summary", "name"];
const BODY: [&str; 5] = ["message", "body", "text", "description", "content"];
const LINK: [&str; 4] = ["url", "link", "click", "href"];

/// Most lines of an object without a body, and values of a list.
const MAX_LINES: usize = 24;
/// Levels of objects within objects that such lines show.
const MAX_DEPTH: usize = 3;

/// The default notification; its title is never empty.
pub(super) fn notification(feed: &FeedFacts<'_>, event_type: &str, data: &Data<'_>) -> Notification {
    let (title, body, url) = match data.json() {
        Some(Value::Object(object)) => of_object(object, data.text),
        Some(Value::String(text)) => (None, sanitize_body(text), None),
        Some(Value::Array(list)) => {
            (None, sanitize_body(&joined(list).unwrap_or_else(|| data.text.to_owned())), None)
        }
        _ => (None, sanitize_body(data.text), None),
    };
    let (name, event) = (feed_name(feed), sanitize_title(event_type));
    let (title, body) = match title {
        Some(title) => (title, body),
        None if body.is_empty() => (name, event),
        None if event_type == "message" || event.is_empty() => (name, body),
        None => (sanitize_title(&format!("{name} · {event}")), body),
    };
    Notification { title, body, url, ..Notification::default() }
}

fn feed_name(feed: &FeedFacts<'_>) -> String {
    let name = sanitize_title(feed.name);
    if name.is_empty() { feed.id.to_owned() } else { name }
}

fn of_object(object: &Map<String, Value>, text: &str) -> (Option<String>, String, Option<String>) {
    let title = first(object, &TITLE, sanitize_title);
    let url = LINK.iter().find_map(|key| Some((*key, link(object.get(*key)?.as_str()?)?)));
    let body = first(object, &BODY, sanitize_body).map(|(_, body)| body).unwrap_or_else(|| {
        let used = [title.as_ref().map(|(key, _)| *key), url.as_ref().map(|(key, _)| *key)];
        let mut lines = Vec::new();
        collect_lines(object, "", MAX_DEPTH, &used, &mut lines);
        if lines.is_empty() && title.is_none() {
            sanitize_body(text)
        } else {
            sanitize_body(&lines.join("\n"))
        }
    });
    (title.map(|(_, title)| title), body, url.map(|(_, url)| url))
}

/// The first of the keys that has a text or number, with what is visible of it.
fn first<'k>(
    object: &Map<String, Value>,
    keys: &[&'k str],
    clean: impl Fn(&str) -> String,
) -> Option<(&'k str, String)> {
    keys.iter().find_map(|key| {
        let text = match object.get(*key)? {
            Value::String(text) => clean(text),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some((*key, text))
    })
}

fn collect_lines(
    object: &Map<String, Value>,
    prefix: &str,
    depth: usize,
    used: &[Option<&str>],
    lines: &mut Vec<String>,
) {
    for (key, value) in object.iter().filter(|(key, _)| !used.contains(&Some(key.as_str()))) {
        if lines.len() >= MAX_LINES {
            return;
        }
        let text = match value {
            Value::Object(inner) if depth > 1 => {
                collect_lines(inner, &format!("{prefix}{key}."), depth - 1, &[], lines);
                continue;
            }
            Value::Array(list) => joined(list),
            value => scalar(value),
        };
        if let Some(text) = text.map(|text| sanitize_title(&text)).filter(|text| !text.is_empty()) {
            lines.push(sanitize_title(&format!("{prefix}{key}: {text}")));
        }
    }
}

/// The values of a list of texts and numbers; none if there are others in it, or nothing.
fn joined(list: &[Value]) -> Option<String> {
    let shown = list.iter().take(MAX_LINES).map(scalar).collect::<Option<Vec<_>>>()?;
    let rest = if list.len() > MAX_LINES { ", …" } else { "" };
    (!shown.is_empty()).then(|| shown.join(", ") + rest)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(answer) => Some(answer.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

//! How a server is asked for what came since the last connection.

use std::fmt;

use serde_json::Value;
use url::{Url, form_urlencoded};
use wildmatch::WildMatch;

use crate::event_source::Message;

/// Longest value to resume by, in bytes; a longer one is passed over.
pub const MAX_VALUE: usize = 4096;
/// Longest name of the parameter, and longest path to the value, in bytes.
pub const MAX_NAME: usize = 256;

/// Types of events that only say that the server is alive. Their data may look like an event's, with an ID that the server knows
/// nothing of when it is asked for what follows it.
pub const SIGNS_OF_LIFE: [&str; 6] = ["heartbeat", "keep-alive", "keepalive", "open", "ping", "poll_request"];

/// What a reconnect carries, so that nothing is missed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Resume {
    /// The header `Last-Event-ID`, if there is an ID (WHATWG HTML 9.2.3).
    #[default]
    Header,
    /// Nothing: every connection begins where the server likes.
    None,
    /// A parameter in the query of the feed's URL, in place of one of the same name; no header.
    Query {
        /// The parameter's name.
        name: String,
        /// What its value is taken from.
        from: ResumeFrom,
        /// The types of the events that bring it, as patterns with `*` and `?`; none: all but [`SIGNS_OF_LIFE`].
        events: Vec<String>,
    },
}

/// Where the value to resume by is found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResumeFrom {
    /// It is the last event ID.
    Id,
    /// It stands in the data, which is JSON, at the end of these keys, or numbers of places in a list, from 0. No key: it is the
    /// data.
    Data(Vec<String>),
}

impl ResumeFrom {
    /// Reads `id`, `data` or `data.key.key`; `None` if it is none of them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split('.');
        match words.next() {
            Some("id") if words.next().is_none() => Some(Self::Id),
            Some("data") if text.len() <= MAX_NAME => {
                let keys: Vec<String> = words.map(str::to_owned).collect();
                (!keys.iter().any(String::is_empty)).then_some(Self::Data(keys))
            }
            _ => None,
        }
    }
}

impl Resume {
    /// The value that a message brings to resume by after it. `None`: it brings none, and an earlier one holds; so it is with what
    /// is neither a text nor a number, is empty, or is longer than [`MAX_VALUE`]. Always `None` where the last event ID is all that counts.
    pub fn value_of(&self, message: &Message) -> Option<String> {
        let Self::Query { from: ResumeFrom::Data(keys), events, .. } = self else { return None };
        let counts = match &events[..] {
            [] => !SIGNS_OF_LIFE.contains(&&*message.event_type),
            events => events.iter().any(|event| WildMatch::new(event).matches(&message.event_type)),
        };
        if !counts {
            return None;
        }
        let value = match serde_json::from_str(&message.data) {
            Ok(data) => scalar(at(&data, keys)?)?,
            Err(_) if keys.is_empty() => message.data.clone(),
            Err(_) => return None,
        };
        (1..=MAX_VALUE).contains(&value.len()).then_some(value)
    }

    /// Whether what to resume by is told by the messages themselves, and not by their IDs.
    pub(crate) fn is_by_data(&self) -> bool {
        matches!(self, Self::Query { from: ResumeFrom::Data(_), .. })
    }

    /// The URL with the parameter; the other parameters stay as they are.
    pub(crate) fn apply(name: &str, value: &str, url: &Url) -> Url {
        let mut url = Self::without(name, url);
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}={}", encoded(name), encoded(value));
        let query = url.query().map_or_else(|| pair.clone(), |others| format!("{others}&{pair}"));
        url.set_query(Some(&query));
        url
    }

    /// The URL without the parameter.
    pub(crate) fn without(name: &str, url: &Url) -> Url {
        let is_other = |pair: &&str| {
            let found = form_urlencoded::parse(pair.as_bytes()).next();
            found.is_some_and(|(found, _)| found != name)
        };
        let others: Vec<&str> = url.query().unwrap_or_default().split('&').filter(is_other).collect();
        let others = others.join("&");
        let mut url = url.clone();
        url.set_query((!others.is_empty()).then_some(&others));
        url
    }
}

impl fmt::Display for Resume {
    /// One text for each way, and another for another way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("header"),
            Self::None => f.write_str("none"),
            Self::Query { name, from: ResumeFrom::Id, .. } => write!(f, "id {name}"),
            Self::Query { name, from: ResumeFrom::Data(keys), .. } => {
                write!(f, "data.{} {name}", keys.join("."))
            }
        }
    }
}

fn at<'v>(data: &'v Value, keys: &[String]) -> Option<&'v Value> {
    keys.iter().try_fold(data, |value, key| match value {
        Value::Object(object) => object.get(key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_a_text_or_a_number_in_the_data() {
        let long = format!("{:?}", "x".repeat(MAX_VALUE + 1));
        for (from, data, value) in [
            ("data.id", r#"{"id": "sPs71M8A2T", "time": 1}"#, Some("sPs71M8A2T")),
            ("data.time", r#"{"time": 1735689600}"#, Some("1735689600")),
            ("data.a.1.b", r#"{"a": [0, {"b": "é ü"}]}"#, Some("é ü")),
            ("data", "17", Some("17")),
            ("data", "not JSON", Some("not JSON")),
            ("data.id", "not JSON", None),
            ("data.id", r#"{"id": ""}"#, None),
            ("data.id", r#"{"id": null}"#, None),
            ("data.id", r#"{"id": {"a": 1}}"#, None),
            ("data.id", r#"{"ID": 1}"#, None),
            ("data.a.x", r#"{"a": [1]}"#, None),
            ("data", &long, None),
            ("id", r#"{"id": 1}"#, None),
        ] {
            let from = ResumeFrom::parse(from).unwrap();
            let resume = Resume::Query { name: "since".into(), from, events: Vec::new() };
            let message = Message { data: data.to_owned(), ..Message::default() };
            assert_eq!(resume.value_of(&message).as_deref(), value, "{data}");
        }
        for text in ["", "Id", "id.x", "data.", "data..a", "message.id", &format!("data.{}", "x".repeat(256))]
        {
            assert_eq!(ResumeFrom::parse(text), None, "{text}");
        }
    }

    #[test]
    fn events_that_are_only_signs_of_life_bring_no_value_unless_they_are_named() {
        for (events, event_type, counts) in [
            (&[][..], "message", true),
            (&[], "alert", true),
            (&[], "keepalive", false),
            (&["mess*", "ping"], "message", true),
            (&["mess*", "ping"], "ping", true),
            (&["mess*", "ping"], "alert", false),
        ] {
            let events: Vec<String> = events.iter().map(|&event: &&str| event.to_owned()).collect();
            let resume = Resume::Query { name: "since".into(), from: ResumeFrom::Data(Vec::new()), events };
            let message = Message { event_type: event_type.into(), data: "1".into(), ..Message::default() };
            assert_eq!(resume.value_of(&message).is_some(), counts, "{event_type}");
        }
    }

    #[test]
    fn the_parameter_replaces_its_like_and_leaves_the_others_alone() {
        for (url, expected) in [
            ("https://a.example/sse", "https://a.example/sse?since=a+b%26c%3D%C3%A9"),
            ("https://a.example/sse?", "https://a.example/sse?since=a+b%26c%3D%C3%A9"),
            ("https://a.example/?poll&x=%20y", "https://a.example/?poll&x=%20y&since=a+b%26c%3D%C3%A9"),
            ("https://a.example/?since=all&a=1&s%69nce=2", "https://a.example/?a=1&since=a+b%26c%3D%C3%A9"),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(Resume::apply("since", "a b&c=é", &url).as_str(), expected);
        }
    }
}

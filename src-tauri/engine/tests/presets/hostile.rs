//! What a provider would not send, made from what it does send: keys that are missing, null, of another type, huge or deep.

use bellwether_engine::{
    event_source::Message,
    notification::{MAX_BODY, MAX_LINK, MAX_TITLE},
    preset,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fixture::{Fixture, fixtures};

/// A preset's rules do not fail, whatever comes, and what they make is short and plain.
pub(crate) fn check(preset: &str, message: &Message) {
    let decision = preset::decide(&Fixture::feed_with(preset), message, Timestamp::UNIX_EPOCH, false);
    let shown = || message.data.chars().take(400).collect::<String>();
    assert_ne!(decision.reason.code, "rule_failed", "{preset}: {}: {}", decision.reason.detail, shown());
    let popup = decision.notification;
    let inert = |text: &str| {
        !text.contains(|c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)))
    };
    assert!(!popup.title.is_empty() && popup.title.chars().count() <= MAX_TITLE, "{preset}: {}", shown());
    assert!(popup.body.chars().count() <= MAX_BODY, "{preset}: {}", shown());
    let texts = [Some(&popup.title), Some(&popup.body), popup.key.as_ref(), popup.group.as_ref()];
    let labels = popup.buttons.iter().map(|button| &button.label);
    assert!(texts.into_iter().flatten().chain(labels).all(|text| inert(text)), "{preset}: {}", shown());
    let links = popup.url.iter().chain(popup.buttons.iter().map(|button| &button.url));
    for link in links.chain(&popup.icon) {
        let safe = ["https:", "http:", "mailto:"].iter().any(|scheme| link.starts_with(scheme));
        assert!(safe && link.len() <= MAX_LINK, "{preset}: {link}");
    }
    assert!(popup.icon.is_none_or(|icon| icon.starts_with("https:")), "{preset}: {}", shown());
}

#[test]
fn data_that_a_provider_would_not_send_ends_as_plain_short_text() {
    let replacements = [
        Value::Null,
        json!(false),
        json!(-1.5e300),
        json!(""),
        json!("\u{202e}\u{1b}[31m<b onload=x>&amp;\u{0}javascript:alert(1)"),
        json!([]),
        json!([[["{{ 7 * 7 }}"]]]),
        json!({}),
        json!({"title": {"a": [null]}, "": ""}),
        json!("javascript:alert(1)"),
        json!("{\"a\":"),
        json!("x/".repeat(300)),
    ];
    for fixture in fixtures() {
        for message in fixture.messages() {
            let Ok(data) = serde_json::from_str::<Value>(&message.data) else { continue };
            let with = |value: &Value| Message { data: value.to_string(), ..message.clone() };
            for path in paths(&data) {
                check(&fixture.preset, &with(&without(&data, &path)));
                for replacement in &replacements {
                    check(&fixture.preset, &with(&replaced(&data, &path, replacement)));
                }
            }
        }
    }
}

#[test]
fn huge_and_deep_data_ends_as_plain_short_text() {
    let huge = json!("<p>a&lt;\u{202e}".repeat(10_000));
    for fixture in fixtures() {
        let messages = fixture.messages();
        for message in &messages {
            let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
            for data in
                [deep.clone(), "[".repeat(100_000), "x".repeat(1 << 20), format!("{{\"data\":{deep}}}")]
            {
                check(&fixture.preset, &Message { data, ..message.clone() });
            }
        }
        // One message of each type is enough for what takes time.
        let mut types: Vec<&str> = Vec::new();
        for message in &messages {
            let Ok(data) = serde_json::from_str::<Value>(&message.data) else { continue };
            if types.contains(&message.event_type.as_str()) {
                continue;
            }
            types.push(&message.event_type);
            for path in paths(&data) {
                let data = replaced(&data, &path, &huge).to_string();
                check(&fixture.preset, &Message { data, ..message.clone() });
            }
        }
    }
}

/// Every place in a value, by its keys.
fn paths(value: &Value) -> Vec<Vec<String>> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let below = children.into_iter().flat_map(|(key, value)| {
        paths(value).into_iter().map(move |path| [vec![key.clone()], path].concat())
    });
    [Vec::new()].into_iter().chain(below).collect()
}

fn replaced(value: &Value, path: &[String], by: &Value) -> Value {
    let mut value = value.clone();
    let pointer: String =
        path.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect();
    *value.pointer_mut(&pointer).expect("a place in the value") = by.clone();
    value
}

fn without(value: &Value, path: &[String]) -> Value {
    let Some((last, above)) = path.split_last() else { return json!({}) };
    let mut value = value.clone();
    let pointer: String =
        above.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect();
    match value.pointer_mut(&pointer) {
        Some(Value::Object(object)) => drop(object.remove(last)),
        Some(Value::Array(list)) => drop(list.remove(last.parse().expect("a place in the list"))),
        _ => {}
    }
    value
}

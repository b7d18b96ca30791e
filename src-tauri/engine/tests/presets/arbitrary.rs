//! Any JSON at all, in the presets' own words.

use bellwether_engine::{event_source::Message, preset};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::hostile::check;

/// The keys that presets look at, and some texts that they look for.
const KEYS: &str = "title topic message click attachment url icon sequence_id id priority actions action label \
    subject name body @id account display_name acct type status spoiler_text content visibility avatar group_key \
    event_type data domain service service_data notification_id new_state old_state state attributes friendly_name \
    unit_of_measurement entity_id payload oldValue value description doc text level deleted path bot meta uri \
    notify_url wiki user comment groupKey commonAnnotations commonLabels summary alertname severity repository \
    full_name x-github-event x-github-delivery issue html_url pull_request workflow_run link event topics time seq \
    changes rev context origin time_fired stream dt ota lang query timestamp";
const TEXTS: &str = "message open keepalive ping state_changed call_service persistent_notification notify dismiss \
    alarm_control_panel.x triggered ItemStateChangedEvent GroupItemStateChangedEvent ThingStatusInfoChangedEvent \
    openhab/items/a/b [{\"status\":\"OFFLINE\"}] {\"value\":1} {\"value\":{}} [] {} null 1 / /a /a/b //  view canary \
    resolved firing mention direct low critical RVJST1I= ===== _design/x mythical https://example.org/ 5";

fn any_text() -> impl Strategy<Value = String> {
    let words: Vec<&'static str> = TEXTS.split_whitespace().collect();
    prop_oneof![prop::sample::select(words).prop_map(str::to_owned), any::<String>(), Just(String::new())]
}

fn any_json() -> impl Strategy<Value = Value> {
    let keys: Vec<&'static str> = KEYS.split_whitespace().collect();
    let leaf = prop_oneof![
        4 => any_text().prop_map(Value::String),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => (-2..7).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 12, move |inner| {
        let object = prop::collection::vec((prop::sample::select(keys.clone()), inner.clone()), 0..12);
        prop_oneof![
            5 => object.prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
            }),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::Array),
        ]
    })
}

fn any_event() -> impl Strategy<Value = String> {
    let words = vec![
        "message",
        "open",
        "put",
        "patch",
        "notification",
        "state",
        "alive",
        "ping",
        "message_delete",
        "poll_request",
        "mercure",
        "error",
        "log",
        "cancel",
    ];
    prop_oneof![4 => prop::sample::select(words).prop_map(str::to_owned), 1 => "\\PC{0,8}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_presets_rule_fails_on_any_json(event_type in any_event(), data in any_json(), raw in any_text(), is_raw in prop::bool::weighted(0.1)) {
        let data = if is_raw { raw } else { data.to_string() };
        let message = Message { event_type, data, last_event_id: String::new() };
        for preset in preset::all() {
            check(preset.id, &message);
        }
    }
}

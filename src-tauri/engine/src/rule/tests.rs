use std::time::Duration;

use base64::Engine;
use proptest::prelude::*;

use super::*;
use crate::notification::{Button, Expire, MAX_BODY, MAX_LABEL, MAX_TITLE, Sound, Urgency};

const FEED: FeedFacts<'_> = FeedFacts { id: "ops", name: "Ops alerts", url: "https://example.org/sse" };

fn message(event_type: &str, data: &str) -> Message {
    Message { event_type: event_type.to_owned(), data: data.to_owned(), last_event_id: "7".to_owned() }
}

fn rule(event: &[&str], when: &str, action: Action) -> RuleText {
    let event = event.iter().map(|name| (*name).to_owned()).collect();
    RuleText { event, when: (!when.is_empty()).then(|| when.to_owned()), action, ..RuleText::default() }
}

fn notify(event: &[&str], when: &str, title: &str, body: &str) -> RuleText {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let notify = NotifyText { title: text(title), body: text(body), ..NotifyText::default() };
    RuleText { notify: Some(notify), ..rule(event, when, Action::Notify) }
}

fn decide(rules: &[RuleText], event_type: &str, data: &str) -> Decision {
    let rules = RuleSet::compile(rules).expect("rules that compile");
    rules.evaluate(&FEED, &message(event_type, data), Timestamp::UNIX_EPOCH)
}

fn default_popup(event_type: &str, data: &str) -> (String, String, Option<String>) {
    let Decision { action, notification, reason, .. } = decide(&[], event_type, data);
    assert_eq!((action, reason), (Action::Notify, OutcomeReason::new("default")));
    (notification.title, notification.body, notification.url)
}

#[test]
fn default_texts() {
    for (event, data, title, body) in [
        // Plain text and other JSON.
        ("message", "Door is open", "Ops alerts", "Door is open"),
        ("userconnect", "bob", "Ops alerts · userconnect", "bob"),
        ("message", "", "Ops alerts", "message"),
        ("ping", "", "Ops alerts", "ping"),
        ("ping", " \u{200b}\n", "Ops alerts", "ping"),
        ("\u{202e}", "x", "Ops alerts", "x"),
        ("message", "\"a\\nb\"", "Ops alerts", "a\nb"),
        ("message", "42", "Ops alerts", "42"),
        ("message", "-1.50", "Ops alerts", "-1.50"),
        ("message", "null", "Ops alerts", "null"),
        ("message", "[\"a\", 1]", "Ops alerts", "a, 1"),
        ("message", "[{\"a\":1}]", "Ops alerts", "[{\"a\":1}]"),
        ("message", "{broken", "Ops alerts", "{broken"),
        ("message", "{}", "Ops alerts", "{}"),
        // Objects.
        ("message", r#"{"title":"Stock","body":"5 left"}"#, "Stock", "5 left"),
        ("order", r#"{"title":"Stock","body":"5 left"}"#, "Stock", "5 left"),
        ("message", r#"{"title":" ","subject":"Lunch?","text":"At noon"}"#, "Lunch?", "At noon"),
        ("message", r#"{"title":7,"message":8}"#, "7", "8"),
        ("message", r#"{"title":null,"name":{"a":1},"message":["x"],"content":"c"}"#, "Ops alerts", "c"),
        ("message", r#"{"id":1,"message":"\u60a8\u597d\uff0c\u4e16\u754c"}"#, "Ops alerts", "您好，世界"),
        ("message", r#"{"type": "counter", "value": 99}"#, "Ops alerts", "type: counter\nvalue: 99"),
        (
            "ping",
            r#"{"time": "2026-11-20T06:40:33-0500"}"#,
            "Ops alerts · ping",
            "time: 2026-11-20T06:40:33-0500",
        ),
        ("message", r#"{"title":"Only","url":"https://example.org/"}"#, "Only", ""),
        (
            "message",
            r#"{"a":{"b":{"c":{"d":1}},"t":["x",2]},"n":null,"ok":true}"#,
            "Ops alerts",
            "a.t: x, 2\nok: true",
        ),
        ("message", r#"{"items":[{"a":1}]}"#, "Ops alerts", r#"{"items":[{"a":1}]}"#),
    ] {
        let (found_title, found_body, _) = default_popup(event, data);
        assert_eq!((found_title.as_str(), found_body.as_str()), (title, body), "{event}: {data}");
    }
}

#[test]
fn default_links() {
    for (data, url) in [
        (r#"{"url":"javascript:alert(1)","link":"https://example.org/5"}"#, Some("https://example.org/5")),
        (r#"{"click":"mailto:bob@example.org"}"#, Some("mailto:bob@example.org")),
        (r#"{"href":"file:///etc/passwd"}"#, None),
        (r#"{"url":5}"#, None),
        ("\"https://example.org\"", None),
    ] {
        assert_eq!(default_popup("message", data).2.as_deref(), url, "{data}");
    }
}

#[test]
fn hostile_data_makes_a_harmless_popup() {
    let deep = format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    assert_eq!(default_popup("message", &deep).0, "Ops alerts");
    let wide = format!("{{{}\"z\":1}}", (0..50_000).map(|n| format!("\"k{n}\":\"v\",")).collect::<String>());
    assert_eq!(default_popup("message", &wide).1.lines().count(), 24);
    let (title, body, _) = default_popup(
        "message",
        "{\"title\":\"\\u202e\\u0000\\u001b[31m\",\"body\":\"a\\u0007b\\u001b[0m\"}",
    );
    assert_eq!((title.as_str(), body.as_str()), ("Ops alerts", "ab"));
    let (title, ..) = default_popup(&"e".repeat(60_000), "x");
    assert_eq!(title.chars().count(), MAX_TITLE);
}

#[test]
fn the_first_match_decides() {
    let rules = [
        rule(&["ping", "user*"], "", Action::Ignore),
        rule(&["pause"], "data == 5", Action::Close),
        notify(&[], "data.priority >= 4", "{{ data.title or feed.name }}!", "{{ data.text }}"),
        rule(&["a?c"], "", Action::Log),
        rule(&["*"], "data.all", Action::Notify),
    ];
    for (event, data, action, code, number, title) in [
        ("ping", "x", Action::Ignore, "rule", Some(1), "Ops alerts · ping"),
        ("userconnect", "x", Action::Ignore, "rule", Some(1), "Ops alerts · userconnect"),
        ("pause", "5", Action::Close, "rule", Some(2), "Ops alerts · pause"),
        ("pause", "4", Action::Log, "no_match", None, "Ops alerts · pause"),
        ("message", r#"{"priority":4,"text":"t"}"#, Action::Notify, "rule", Some(3), "Ops alerts!"),
        ("abc", r#"{"priority":5,"title":"T"}"#, Action::Notify, "rule", Some(3), "T!"),
        ("abc", r#"{"priority":1}"#, Action::Log, "rule", Some(4), "Ops alerts · abc"),
        ("message", r#"{"all":true,"title":"T"}"#, Action::Notify, "rule", Some(5), "T"),
        ("message", "plain", Action::Log, "no_match", None, "Ops alerts"),
    ] {
        let decision = decide(&rules, event, data);
        let found =
            (decision.action, &*decision.reason.code, decision.reason.rule, &*decision.notification.title);
        assert_eq!(found, (action, code, number, title), "{event}: {data}");
    }
}

#[test]
fn popup_texts_fall_back_key_by_key() {
    let data = r#"{"title":"T","body":"B","url":"https://example.org/t","n":3,"bad":"javascript:x"}"#;
    let popup = |notify: NotifyText| {
        let rules = [RuleText { notify: Some(notify), ..RuleText::default() }];
        decide(&rules, "message", data).notification
    };
    let text = |text: &str| Some(text.to_owned());
    let default = popup(NotifyText::default());
    assert_eq!(
        (&*default.title, &*default.body, default.url.as_deref()),
        ("T", "B", Some("https://example.org/t"))
    );
    let own = popup(NotifyText {
        title: text("{{ data.gone }}\u{202e}"),
        body: text("{{ data.gone }}"),
        url: text("{{ data.bad }}"),
        urgency: text("{{ 'critical' if data.n > 2 else 'low' }}"),
        key: text("n-{{ data.n }}"),
        ..NotifyText::default()
    });
    let expected = Notification {
        title: "T".to_owned(),
        urgency: Urgency::Critical,
        key: text("n-3"),
        ..Notification::default()
    };
    assert_eq!(own, expected);
    assert_eq!(
        popup(NotifyText { urgency: text("{{ data.n }}"), ..NotifyText::default() }).urgency,
        Urgency::Normal
    );
}

#[test]
fn what_a_popup_may_have_is_bounded_and_of_use() {
    let data = r#"{"icon":"https://example.org/i.png","http":"http://example.org/i.png","long":"LONG","n":90000,"zero":0,"url":"https://example.org/x"}"#
        .replace("LONG", &"y".repeat(50));
    let popup = |notify: NotifyText| {
        decide(&[RuleText { notify: Some(notify), ..RuleText::default() }], "message", &data).notification
    };
    let text = |text: &str| Some(text.to_owned());
    let expire = |expire: &str| popup(NotifyText { expire: text(expire), ..NotifyText::default() }).expire;
    let seconds = |seconds| Expire::After(Duration::from_secs(seconds));
    for (written, expected) in [
        ("10s", seconds(10)),
        ("10", seconds(10)),
        (" 2m ", seconds(120)),
        ("never", Expire::Never),
        ("{{ data.n }}", seconds(3600)),
        ("{{ data.zero }}", seconds(1)),
        ("{{ data.url }}", Expire::Default),
        ("{{ data.gone }}", Expire::Default),
    ] {
        assert_eq!(expire(written), expected, "{written}");
    }
    let sound = |sound: &str| popup(NotifyText { sound: text(sound), ..NotifyText::default() }).sound;
    for (written, expected) in [
        ("true", Sound::Default),
        ("false", Sound::Silent),
        ("{{ data.n > 3 }}", Sound::Default),
        ("{{ data.gone is defined }}", Sound::Silent),
        ("alarm-clock", Sound::Named("alarm-clock".to_owned())),
        ("{{ data.url }}", Sound::Default),
    ] {
        assert_eq!(sound(written), expected, "{written}");
    }
    let icon = |icon: &str| popup(NotifyText { icon: text(icon), ..NotifyText::default() }).icon;
    assert_eq!(icon("{{ data.icon }}").as_deref(), Some("https://example.org/i.png"));
    assert_eq!((icon("{{ data.http }}"), icon("{{ data.gone }}")), (None, None));
    let button = |label: &str, url: &str| ButtonText { label: label.to_owned(), url: url.to_owned() };
    let shown = popup(NotifyText {
        group: text("{{ data.gone }}"),
        buttons: vec![
            button("{{ data.long }}", "{{ data.url }}"),
            button("Bad", "{{ data.icon | replace('https', 'file') }}"),
            button("{{ data.gone }}", "{{ data.url }}"),
        ],
        ..NotifyText::default()
    });
    let label = format!("{}…", "y".repeat(39));
    assert_eq!(shown.buttons, [Button { label, url: "https://example.org/x".to_owned() }]);
    assert_eq!(shown.group, None);
}

#[test]
fn a_rule_says_whether_it_is_urgent_and_what_it_runs() {
    let run = vec!["light".to_owned()];
    let rules = |when: &str, title: &str| {
        [RuleText { urgent: true, run: run.clone(), ..notify(&[], when, title, "") }]
    };
    for (when, title, urgent) in
        [("", "{{ data }}", true), ("", "{{ data | b64decode }}", true), ("data | b64decode", "x", false)]
    {
        let decision = decide(&rules(when, title), "message", "no base64.");
        assert_eq!(
            (decision.urgent, decision.run.as_deref()),
            (urgent, urgent.then_some(&run[..])),
            "{when} {title}"
        );
    }
    let quiet = decide(&rules("data == 'x'", "x"), "message", "y");
    assert_eq!((quiet.urgent, quiet.run), (false, None));
    let key = NotifyText { key: Some("{{ data.id }}".to_owned()), ..NotifyText::default() };
    let withdraw = RuleText { action: Action::Withdraw, notify: Some(key), ..RuleText::default() };
    let decision = decide(&[withdraw], "message_delete", r#"{"id":7}"#);
    assert_eq!((decision.action, decision.notification.key.as_deref()), (Action::Withdraw, Some("7")));
}

#[test]
fn a_failing_rule_loses_nothing() {
    let when = rule(&[], "'ERROR' in (data | b64decode)", Action::Ignore);
    let title = notify(&[], "", "{{ data.title }}", "{{ data | b64decode }}");
    for (rules, key) in
        [([when, rule(&[], "", Action::Ignore)], "when"), ([title.clone(), title], "notify.body")]
    {
        let decision = decide(&rules, "message", r#"{"title":"T","body":"B"}"#);
        assert_eq!(
            (decision.action, &*decision.notification.title, &*decision.notification.body),
            (Action::Notify, "T", "B")
        );
        assert_eq!((&*decision.reason.code, decision.reason.rule), ("rule_failed", Some(1)));
        assert!(
            decision.reason.detail.starts_with(&format!("{key}: b64decode: needs a text")),
            "{}",
            decision.reason.detail
        );
    }
}

#[test]
fn mistakes_name_rule_key_and_place() {
    let with = |notify: NotifyText| RuleText { notify: Some(notify), ..RuleText::default() };
    let text = |text: &str| Some(text.to_owned());
    for (wrong, error) in [
        (rule(&[], "data.x ==", Action::Log), "rule 2, when: unexpected end of input, expected expression"),
        (rule(&["a", ""], "", Action::Log), "rule 2, event: an empty name; leave out event to match any"),
        (
            rule(&["a\nb"], "", Action::Log),
            "rule 2, event: a name with a line break, which no event type has",
        ),
        (rule(&[&"x".repeat(257)], "", Action::Log), "rule 2, event: a name of more than 256 bytes"),
        (
            with(NotifyText { title: text("{{ data"), ..NotifyText::default() }),
            "rule 2, notify.title: unexpected end of input, expected end of variable block",
        ),
        (
            with(NotifyText { urgency: text("urgent"), ..NotifyText::default() }),
            "rule 2, notify.urgency: “urgent” is not low, normal or critical",
        ),
        (
            RuleText { action: Action::Log, ..with(NotifyText::default()) },
            "rule 2, notify: this action shows no popup; leave out notify or action",
        ),
    ] {
        let found = RuleSet::compile(&[RuleText::default(), wrong]).expect_err(error);
        assert_eq!(found.to_string(), error);
    }
    let place = RuleSet::compile(&[rule(&[], "data\n  | xyz", Action::Log)]).expect_err("an unknown filter");
    assert_eq!((place.rule, place.line, place.column), (1, 2, 5));
    assert!(RuleSet::compile(&vec![RuleText::default(); MAX_RULES + 1]).is_err());
}

/// Streams of real servers as they are described in blog posts: PHP, Koa, Go, a log server.
#[test]
fn real_streams() {
    let log = |text: &str| format!("\"{}\"", base64::engine::general_purpose::STANDARD.encode(text));
    let clogs = [notify(&[], "'ERROR' in (data | b64decode)", "{{ feed.name }}", "{{ data | b64decode }}")];
    let error = log("\u{1b}[31mERROR\u{1b}[0m 磁盘已满: /dev/sda1\n");
    let koa = [rule(&["pause"], "", Action::Close), notify(&["test"], "", "", "No. {{ data }}")];
    let php = [rule(&[], "data is none", Action::Ignore), notify(&[], "", "", "")];
    let record = [rule(&[], "raw == 'idle'", Action::Ignore), rule(&[], "", Action::Notify)];
    let counter = [notify(
        &["message"],
        "data.type == 'counter' and data.value % 50 == 0",
        "{{ data.value }} left",
        "",
    )];
    let ping = [rule(&["ping"], "", Action::Ignore), rule(&["message"], "", Action::Notify)];
    let chinese = r#"{"id":3,"message":"\u60a8\u597d\uff0c\u4e16\u754c"}"#;
    for (rules, event, data, action, title, body) in [
        (&clogs[..], "message", &*error, Action::Notify, "Ops alerts", "ERROR 磁盘已满: /dev/sda1"),
        (&clogs, "message", &log("INFO fine\n"), Action::Log, "Ops alerts", "SU5GTyBmaW5lCg=="),
        (&koa, "test", "4", Action::Notify, "Ops alerts · test", "No. 4"),
        (&koa, "pause", "5", Action::Close, "Ops alerts · pause", "5"),
        (&php, "message", "null", Action::Ignore, "Ops alerts", "null"),
        (&php, "message", chinese, Action::Notify, "Ops alerts", "您好，世界"),
        (&record, "message", "idle", Action::Ignore, "Ops alerts", "idle"),
        (&record, "message", r#"{"title":"Stock","body":"5 left"}"#, Action::Notify, "Stock", "5 left"),
        (
            &counter,
            "message",
            r#"{"type":"counter","value":100}"#,
            Action::Notify,
            "100 left",
            "type: counter\nvalue: 100",
        ),
        (
            &counter,
            "message",
            r#"{"type":"counter","value":99}"#,
            Action::Log,
            "Ops alerts",
            "type: counter\nvalue: 99",
        ),
        (&ping, "ping", r#"{"time":"2026-11-20"}"#, Action::Ignore, "Ops alerts · ping", "time: 2026-11-20"),
        (
            &ping,
            "message",
            "another message\nwith two lines",
            Action::Notify,
            "Ops alerts",
            "another message\nwith two lines",
        ),
        (&ping, "userconnect", "bob", Action::Log, "Ops alerts · userconnect", "bob"),
    ] {
        let Decision { action: found, notification, .. } = decide(rules, event, data);
        assert_eq!(
            (found, &*notification.title, &*notification.body),
            (action, title, body),
            "{event}: {data}"
        );
    }
}

#[test]
fn equal_rules_are_equal() {
    let rules = |title| RuleSet::compile(&[notify(&["a*"], "data", title, "")]).expect("rules that compile");
    assert_eq!(rules("x"), rules("x"));
    assert_ne!(rules("x"), rules("y"));
}

fn any_rules() -> impl Strategy<Value = Vec<RuleText>> {
    let text = |text: &str| Some(text.to_owned());
    let rule = prop_oneof![
        Just(rule(&["a*", "?"], "", Action::Ignore)),
        Just(rule(&[], "data | b64decode", Action::Close)),
        Just(rule(&[], "data.title", Action::Log)),
        Just(notify(&["message"], "data", "{{ data }}", "{{ raw }}")),
        Just(notify(&[], "raw | json", "{{ data.title | truncate(5) }}", "{{ data.body | upper }}")),
        Just(RuleText {
            notify: Some(NotifyText {
                url: text("{{ data.url }}"),
                urgency: text("{{ id }}"),
                key: text("{{ event }}"),
                icon: text("{{ data.url }}"),
                group: text("{{ data.title }}"),
                sound: text("{{ data.title }}"),
                expire: text("{{ data.n }}"),
                buttons: vec![ButtonText {
                    label: "{{ data.title }}".to_owned(),
                    url: "{{ data.url }}".to_owned()
                }],
                ..NotifyText::default()
            }),
            urgent: true,
            run: vec!["light".to_owned()],
            ..RuleText::default()
        }),
        Just(RuleText {
            action: Action::Withdraw,
            notify: Some(NotifyText { key: text("{{ data.title ~ data.n }}"), ..NotifyText::default() }),
            ..rule(&["*delete*"], "data.n * 2 > 4", Action::Withdraw)
        }),
    ];
    prop::collection::vec(rule, 0..5)
}

fn any_data() -> impl Strategy<Value = String> {
    let json = (any::<Option<String>>(), any::<Option<String>>(), any::<Option<f64>>()).prop_map(
        |(title, body, n)| serde_json::json!({"title": title, "body": body, "url": body, "n": n}).to_string(),
    );
    prop_oneof![
        any::<String>(),
        "[\\PC\\x00-\\x20\u{1b}\\[\\]\u{202e}\u{200d}]{0,400}",
        json,
        "[\\[{\"a:,0-9}\\]]{0,40}"
    ]
}

proptest! {
    #[test]
    fn every_message_gets_one_harmless_decision(rules in any_rules(), name in any::<String>(), event in "\\PC{0,20}|message", data in any_data()) {
        let rules = RuleSet::compile(&rules).expect("rules that compile");
        let feed = FeedFacts { name: &name, ..FEED };
        let decided = rules.evaluate(&feed, &message(&event, &data), Timestamp::UNIX_EPOCH);
        let again = RuleSet::compile(rules.texts()).expect("rules that compile");
        prop_assert_eq!(&again.evaluate(&feed, &message(&event, &data), Timestamp::UNIX_EPOCH), &decided);
        let known = matches!(&*decided.reason.code, OutcomeReason::DEFAULT | OutcomeReason::RULE | OutcomeReason::NO_MATCH | OutcomeReason::RULE_FAILED);
        prop_assert!(known && decided.reason.rule.is_none_or(|rule| (1..=rules.texts().len()).contains(&(rule as usize))));
        let Decision { notification, .. } = decided;
        let hidden = |c: char| c.is_control() || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        prop_assert!(!notification.title.trim().is_empty() && !notification.title.contains(hidden));
        prop_assert!(notification.title.chars().count() <= MAX_TITLE);
        prop_assert!(!notification.body.contains(|c| c != '\n' && hidden(c)));
        prop_assert!(notification.body.chars().count() <= MAX_BODY);
        prop_assert!(notification.icon.is_none_or(|url| url.starts_with("https://")));
        prop_assert!(notification.buttons.iter().all(|button| !button.label.is_empty() && button.label.chars().count() <= MAX_LABEL));
        prop_assert!(notification.url.is_none_or(|url| ["http:", "https:", "mailto:"].iter().any(|scheme| url.starts_with(scheme))));
    }
}

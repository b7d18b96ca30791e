use super::*;
use crate::rule::ButtonText;

const HEAD: &str = "[[feed]]\nid = \"a\"\nurl = \"https://example.org\"\n[[feed.rule]]\n";

fn rule(text: &str) -> Result<RuleText, ConfigError> {
    parse(&format!("{HEAD}{text}")).map(|config| config.feeds[0].rules.texts()[0].clone())
}

#[test]
fn every_key_of_a_rule_is_read() {
    let read = rule(
        r#"urgent = true
run = ["~/bin/light", "--on"]
notify.icon = "{{ data.icon }}"
notify.group = "ops"
notify.sound = "message-new-instant"
notify.expire = "10s"
  [[feed.rule.notify.buttons]]
  label = "Open"
  url = "{{ data.url }}"
  [[feed.rule.notify.buttons]]
  label = "Docs"
  url = "https://docs.example.org/"
"#,
    );
    let button = |label: &str, url: &str| ButtonText { label: label.to_owned(), url: url.to_owned() };
    let expected = RuleText {
        urgent: true,
        run: vec!["~/bin/light".to_owned(), "--on".to_owned()],
        notify: Some(NotifyText {
            icon: text("{{ data.icon }}"),
            group: text("ops"),
            sound: text("message-new-instant"),
            expire: text("10s"),
            buttons: vec![button("Open", "{{ data.url }}"), button("Docs", "https://docs.example.org/")],
            ..NotifyText::default()
        }),
        ..RuleText::default()
    };
    assert_eq!(read, Ok(expected));
    for (written, sound, expire) in [
        ("sound = true, expire = 10", Some("true"), Some("10")),
        ("sound = false, expire = 'never'", Some("false"), Some("never")),
        (
            "sound = '{{ data.sound }}', expire = '{{ data.n }}'",
            Some("{{ data.sound }}"),
            Some("{{ data.n }}"),
        ),
        ("", None, None),
    ] {
        let notify = rule(&format!("notify = {{ {written} }}")).map(|rule| rule.notify);
        let found = notify
            .as_ref()
            .map(|notify| notify.as_ref().map(|notify| (notify.sound.as_deref(), notify.expire.as_deref())));
        assert_eq!(found, Ok(Some((sound, expire))), "{written}");
    }
    let withdraw = rule("action = \"withdraw\"\nnotify.key = \"{{ data.id }}\"\n");
    assert_eq!(withdraw.map(|rule| rule.action), Ok(Action::Withdraw));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn mistakes_in_rules_name_their_place() {
    for (written, error) in [
        (
            "run = \"x\"",
            "line 5, feed[1].rule[1].run: must be a list of texts, the program first, such as [\"pass\", \"show\", \"ops\"]",
        ),
        (
            "run = []",
            "line 5, feed[1].rule[1].run: must be a list of texts, the program first, such as [\"pass\", \"show\", \"ops\"]",
        ),
        ("urgent = 1", "line 5, feed[1].rule[1].urgent: must be true or false; this is of type integer"),
        (
            "action = \"log\"\nurgent = true",
            "line 6, feed[1].rule[1].urgent: this action shows no popup; leave out urgent or action",
        ),
        (
            "\naction = \"withdraw\"",
            "line 4, feed[1].rule[1].notify.key: missing; say which popup to take away, such as notify.key = \"door\"",
        ),
        (
            "action = \"withdraw\"\nnotify = { key = \"a\", title = \"b\" }",
            "line 6, feed[1].rule[1].notify: this action shows no popup; keep notify.key alone",
        ),
        (
            "notify.icon = \"http://example.org/i.png\"",
            "line 5, feed[1].rule[1].notify.icon: “http://example.org/i.png” is no https URL of an image",
        ),
        (
            "notify.sound = 3",
            "line 5, feed[1].rule[1].notify.sound: must be true, false or a name in quotes; this is of type integer",
        ),
        (
            "notify.sound = \"../x\"",
            "line 5, feed[1].rule[1].notify.sound: “../x” is not true, false or the name of a sound, such as message-new-instant",
        ),
        (
            "notify.expire = \"soon\"",
            "line 5, feed[1].rule[1].notify.expire: “soon” is no time; write seconds, such as 10, a time, such as \"10s\", or \"never\"",
        ),
        (
            "notify.expire = 1.5",
            "line 5, feed[1].rule[1].notify.expire: must be seconds, such as 10, or a text, such as \"10s\" or \"never\"; this is of type float",
        ),
        (
            "notify.buttons = \"x\"",
            "line 5, feed[1].rule[1].notify.buttons: must be a list, such as [{ label = \"…\", url = \"…\" }]; this is of type string",
        ),
        (
            "notify.buttons = [{ label = \"x\" }]",
            "line 5, feed[1].rule[1].notify.buttons[1].url: missing; add it, such as url = \"{{ data.url }}\"",
        ),
        (
            "notify.buttons = [{ label = \"x\", link = \"y\" }]",
            "line 5, feed[1].rule[1].notify.buttons[1].link: unknown key; known here: label, url",
        ),
        (
            "[[feed.rule.notify.buttons]]\nlabel = \"a\"\nurl = \"https://a\"\n[[feed.rule.notify.buttons]]\nlabel = \"b\"\nurl = \"javascript:b\"",
            "line 10, feed[1].rule[1].notify.buttons[2].url: “javascript:b” is no link that can be opened; it begins with https://, http:// or mailto:",
        ),
        (
            "notify.buttons = [{ label = \"a\", url = \"https://a\" },\n  { label = \"{{ nope }}\", url = \"https://b\" }]",
            "line 6, feed[1].rule[1].notify.buttons[2].label, character 4: unknown name “nope”; a rule knows event, id, data, raw, feed, received_at",
        ),
        (
            "notify.buttons = [{ label = \"12345678901234567890123456789012345678901\", url = \"https://a\" }]",
            "line 5, feed[1].rule[1].notify.buttons[1].label: a label has 1 to 40 characters",
        ),
        (
            "notify.buttons = [{ label = \"a\", url = \"https://a\" }, { label = \"a\", url = \"https://a\" }, { label = \"a\", url = \"https://a\" }, { label = \"a\", url = \"https://a\" }]",
            "line 5, feed[1].rule[1].notify.buttons: more than 3 buttons",
        ),
        ("notify.titel = \"x\"", "line 5, feed[1].rule[1].notify.titel: unknown key; did you mean title?"),
    ] {
        let found = rule(written).expect_err(written);
        assert_eq!(found.to_string(), format!("feeds.toml {error}"), "{written}");
    }
}

#[test]
fn rules_are_read_by_themselves() {
    for text in [
        "event = \"a\"\nwhen = \"data.n > 3\"\n",
        "[[rule]]\nevent = \"a\"\nwhen = \"data.n > 3\"\n",
        "  [[feed.rule]]\n  event = \"a\"\n  when = \"data.n > 3\"\n",
    ] {
        let rules = parse_rules(text).map(|rules| rules.texts().to_vec());
        let expected =
            RuleText { event: vec!["a".to_owned()], when: super::text("data.n > 3"), ..RuleText::default() };
        assert_eq!(rules, Ok(vec![expected]), "{text}");
    }
    for (text, line, column, error) in [
        ("event = \"a\"\nwhen = \"data.n >\"", 2, 8, "rule[1].when"),
        ("[[rule]]\n[[rule]]\nnotify.title = \"{{ x }}\"", 3, 4, "rule[2].notify.title"),
        ("evnt = \"a\"", 1, 0, "rule[1].evnt"),
        ("rule = 3", 1, 0, "rule"),
        ("when = ", 1, 0, ""),
    ] {
        let found = parse_rules(text).expect_err(text);
        assert_eq!((found.line, found.column, &*found.key), (line, column, error), "{text}: {found}");
    }
}

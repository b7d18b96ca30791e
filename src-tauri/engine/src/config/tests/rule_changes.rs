//! Changes to a feed's rules, compared byte for byte.

use super::{WRITTEN, id, text};
use crate::{
    config::{
        ConfigError, ConfigErrorKind as Kind,
        edit::{RuleChange, RulesChange, revision, set_rules},
        parse,
    },
    rule::{Action, ButtonText, NotifyText, RuleText},
};

/// Rules as they stand in a text.
fn rules(toml: &str, feed: &str) -> Vec<RuleText> {
    let config = parse(toml).expect("a good file");
    let feed = config.feeds.iter().find(|known| known.id == id(feed)).expect("the feed");
    feed.rules.texts().to_vec()
}

fn set(toml: &str, feed: &str, rules: Vec<(Option<u32>, RuleText)>) -> Result<String, ConfigError> {
    let rules = rules.into_iter().map(|(was, rule)| RuleChange { was, rule }).collect();
    set_rules(toml, &id(feed), &RulesChange { rules, revision: None }, None)
}

/// All rules as they are, in another order.
fn order(toml: &str, feed: &str, order: &[u32]) -> Result<String, ConfigError> {
    let all = rules(toml, feed);
    set(toml, feed, order.iter().map(|number| (Some(*number), all[*number as usize - 1].clone())).collect())
}

fn log(event: &str) -> RuleText {
    RuleText { event: vec![event.to_owned()], action: Action::Log, ..RuleText::default() }
}

fn popup(title: &str) -> RuleText {
    let notify = NotifyText { title: text(title), ..NotifyText::default() };
    RuleText { notify: Some(notify), ..RuleText::default() }
}

const THREE: &str = "\
# Heading

[[feed]]
id = \"a\"
url = \"http://a\"
rule = [ ]

[[feed]]
id = \"b\"
url = \"http://b\" # there

  # the first
  [[feed.rule]]   # one
  when = 'data.n > 1'   # big
  action='log'

  # the second
  [[feed.rule]]
  run = [\"blink\"] # the lamp
  event = [\"x\", \"y\"]

    [feed.rule.notify]
    title = \"X\"   # short
    expire = 10

    [[feed.rule.notify.buttons]]
    label = \"A\"
    url = \"https://a.example/\"

# alone

  [[feed.rule]]
  event = \"z\"
  notify = { title = \"Z\", body = \"z\" } # inline

# c
[[feed]]
id = \"c\"
url = \"http://c\"
";

const FIRST: &str = "  # the first\n  [[feed.rule]]   # one\n  when = 'data.n > 1'   # big\n  action='log'\n";
const THIRD: &str = "  [[feed.rule]]\n  event = \"z\"\n  notify = { title = \"Z\", body = \"z\" } # inline\n";

fn second() -> &'static str {
    let start = THREE.find("  # the second").expect("the second");
    &THREE[start..THREE.find("\n# alone").expect("a comment")]
}

#[test]
fn what_stays_as_it_is_is_not_touched() {
    for (toml, feed, count) in
        [(THREE, "b", 3), (WRITTEN, "ops", 2), (WRITTEN, "door", 3), (WRITTEN, "last", 0)]
    {
        let all: Vec<u32> = (1..=count).collect();
        assert_eq!(order(toml, feed, &all).as_deref(), Ok(toml));
    }
}

#[test]
fn rules_change_places_with_their_comments() {
    let (before, rest) = THREE.split_once(FIRST).expect("the first");
    let after = &rest[rest.find(THIRD).expect("the third") + THIRD.len()..];
    let placed =
        |one: &str, two: &str, three: &str| format!("{before}{one}\n{two}\n# alone\n\n{three}{after}");
    assert_eq!(placed(FIRST, second(), THIRD), THREE);
    assert_eq!(order(THREE, "b", &[3, 1, 2]), Ok(placed(THIRD, FIRST, second())));
    assert_eq!(order(THREE, "b", &[2, 1, 3]), Ok(placed(second(), FIRST, THIRD)));
    let dos = THREE.replace('\n', "\r\n");
    let expected = placed(second(), THIRD, FIRST).replace('\n', "\r\n");
    assert_eq!(order(&dos, "b", &[2, 3, 1]), Ok(expected));
    let door = "rule = [{ event = \"ping\", action = \"ignore\" }, { when = \"data is none\", action = \"log\" }, { notify.body = \"{{ data }}\" }]";
    let turned = "rule = [{ notify.body = \"{{ data }}\" }, { event = \"ping\", action = \"ignore\" }, { when = \"data is none\", action = \"log\" }]";
    assert_eq!(order(WRITTEN, "door", &[3, 1, 2]), Ok(WRITTEN.replace(door, turned)));
}

#[test]
fn rules_come_and_go_and_leave_the_others_alone() {
    let without = |gone: &[&str]| gone.iter().fold(THREE.to_owned(), |text, gone| text.replacen(gone, "", 1));
    assert_eq!(order(THREE, "b", &[2, 3]), Ok(without(&[&format!("{FIRST}\n")])));
    // What stands by itself between rules is nobody's, and stays.
    assert_eq!(
        order(THREE, "b", &[1, 3]),
        Ok(without(&[&format!("{}\n", second())])
            .replace("# alone\n", "\n# alone\n")
            .replace("\n\n\n# alone", "\n\n# alone"))
        .map(|text: String| text)
    );
    let none = order(THREE, "b", &[]).expect("a good file");
    assert!(
        none.contains("url = \"http://b\" # there\n")
            && none.contains("# alone\n")
            && none.ends_with("# c\n[[feed]]\nid = \"c\"\nurl = \"http://c\"\n"),
        "{none}"
    );
    assert_eq!(rules(&none, "b"), []);

    let all = rules(THREE, "b");
    let new = |at: usize| {
        let mut list: Vec<_> = (1..).map(Some).zip(all.clone()).collect();
        list.insert(at, (None, log("new")));
        set(THREE, "b", list)
    };
    let section = "  [[feed.rule]]\n  event = \"new\"\n  action = \"log\"\n";
    assert_eq!(new(0), Ok(THREE.replacen(FIRST, &format!("{section}\n{FIRST}"), 1)));
    assert_eq!(new(1), Ok(THREE.replacen(FIRST, &format!("{FIRST}\n{section}"), 1)));
    assert_eq!(new(3), Ok(THREE.replacen(THIRD, &format!("{THIRD}\n{section}"), 1)));
    assert_eq!(
        set(THREE, "a", vec![(None, popup("A"))]),
        Ok(THREE.replacen("rule = [ ]\n", "\n  [[feed.rule]]\n  notify.title = \"A\"\n", 1))
    );
    assert_eq!(
        set(THREE, "c", vec![(None, log("x")), (None, popup("{{ data }}"))]),
        Ok(format!(
            "{THREE}\n  [[feed.rule]]\n  event = \"x\"\n  action = \"log\"\n\n  [[feed.rule]]\n  notify.title = \"{{{{ data }}}}\"\n"
        ))
    );
    let bare = "[[feed]]\nid = \"a\"\nurl = \"http://a\"\n[notifications]\nsound = false";
    assert_eq!(
        set(bare, "a", vec![(None, log("x"))]).as_deref(),
        Ok(
            "[[feed]]\nid = \"a\"\nurl = \"http://a\"\n\n[[feed.rule]]\nevent = \"x\"\naction = \"log\"\n\n[notifications]\nsound = false"
        )
    );
    let door = set(WRITTEN, "door", vec![(Some(2), rules(WRITTEN, "door")[1].clone()), (None, log("x"))]);
    assert!(door.expect("a good file").contains(
        "rule = [{ when = \"data is none\", action = \"log\" }, { event = \"x\", action = \"log\" }]\n"
    ));
    assert!(order(WRITTEN, "door", &[]).expect("a good file").contains("repeats = \"show\"\n\n\n[[feed]]"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn only_keys_that_differ_are_written() {
    let changed = |number: usize, change: &dyn Fn(&mut RuleText)| {
        let mut all = rules(THREE, "b");
        change(&mut all[number - 1]);
        set(THREE, "b", (1..).map(Some).zip(all).collect())
    };
    fn notify(rule: &mut RuleText) -> &mut NotifyText {
        rule.notify.get_or_insert_default()
    }
    let replaced = |old: &str, new: &str| {
        assert_eq!(THREE.matches(old).count(), 1, "{old}");
        Ok(THREE.replace(old, new))
    };
    type Case<'a> = (usize, &'a dyn Fn(&mut RuleText), Result<String, ConfigError>);
    let cases: [Case<'_>; 16] = [
        (1, &|rule| rule.when = text("data.n > 2"), replaced("'data.n > 1'", "\"data.n > 2\"")),
        (1, &|rule| rule.when = None, replaced("  when = 'data.n > 1'   # big\n", "")),
        (1, &|rule| rule.action = Action::Ignore, replaced("action='log'", "action=\"ignore\"")),
        (
            1,
            &|rule| rule.event = vec!["e".to_owned()],
            replaced("action='log'\n", "action='log'\n  event = \"e\"\n"),
        ),
        (
            1,
            &|rule| {
                rule.action = Action::Notify;
                rule.urgent = true;
            },
            replaced("action='log'\n", "action=\"notify\"\n  urgent = true\n"),
        ),
        (2, &|rule| rule.event = vec!["x".to_owned()], replaced("[\"x\", \"y\"]", "\"x\"")),
        (2, &|rule| rule.run = vec!["other".to_owned()], Ok(THREE.to_owned())),
        (2, &|rule| notify(rule).title = text("Y"), replaced("\"X\"   # short", "\"Y\"   # short")),
        (2, &|rule| notify(rule).expire = text("never"), replaced("expire = 10", "expire = \"never\"")),
        (2, &|rule| notify(rule).expire = None, replaced("    expire = 10\n", "")),
        (
            2,
            &|rule| notify(rule).sound = text("false"),
            replaced("expire = 10\n", "expire = 10\n    sound = false\n"),
        ),
        (
            2,
            &|rule| {
                notify(rule).buttons =
                    vec![ButtonText { label: "B".to_owned(), url: "https://b.example/".to_owned() }];
            },
            replaced(
                "    expire = 10\n\n    [[feed.rule.notify.buttons]]\n    label = \"A\"\n    url = \"https://a.example/\"\n",
                "    expire = 10\n    buttons = [{ label = \"B\", url = \"https://b.example/\" }]\n\n",
            ),
        ),
        (
            3,
            &|rule| notify(rule).body = None,
            replaced("{ title = \"Z\", body = \"z\" } # inline", "{ title = \"Z\" } # inline"),
        ),
        (
            3,
            &|rule| notify(rule).key = text("k"),
            replaced(
                "{ title = \"Z\", body = \"z\" } # inline",
                "{ title = \"Z\", body = \"z\", key = \"k\" } # inline",
            ),
        ),
        (
            3,
            &|rule| rule.notify = None,
            replaced("  notify = { title = \"Z\", body = \"z\" } # inline\n", ""),
        ),
        (
            3,
            &|rule| notify(rule).title = text("two\nlines"),
            replaced("title = \"Z\"", "title = \"\"\"\ntwo\nlines\"\"\""),
        ),
    ];
    for (at, (number, change, expected)) in cases.into_iter().enumerate() {
        assert_eq!(changed(number, change), expected, "case {at}");
    }
    let mut door = rules(WRITTEN, "door");
    door[0].urgent = true;
    door[0].action = Action::Notify;
    notify(&mut door[2]).body = text("b");
    let door = set(WRITTEN, "door", (1..).map(Some).zip(door).collect()).expect("a good file");
    assert!(door.contains("rule = [{ event = \"ping\", action = \"notify\", urgent = true }, { when = \"data is none\", action = \"log\" }, { notify.body = \"b\" }]\n"), "{door}");
}

#[test]
fn what_a_rule_runs_stays_with_it_and_comes_from_nowhere_else() {
    let all = rules(THREE, "b");
    let mut sly = all[0].clone();
    sly.run = vec!["sly".to_owned()];
    let edited = set(THREE, "b", vec![(None, sly.clone()), (Some(2), sly), (Some(1), all[2].clone())])
        .expect("a good file");
    let runs: Vec<_> = rules(&edited, "b").into_iter().map(|rule| rule.run).collect();
    assert_eq!(runs, [vec![], vec!["blink".to_owned()], vec![]]);
    for wrong in [
        vec![(Some(2), all[1].clone()), (Some(2), all[1].clone())],
        vec![(Some(4), all[0].clone())],
        vec![(Some(0), all[0].clone())],
    ] {
        assert_eq!(set(THREE, "b", wrong).map_err(|error| error.kind), Err(Kind::InvalidValue));
    }
}

#[test]
fn rules_that_were_changed_meanwhile_are_a_conflict_and_a_broken_file_is_not_touched() {
    let config = parse(THREE).expect("a good file");
    let known = revision(&config.feeds[1].rules);
    let change = |revision: &str| RulesChange { rules: Vec::new(), revision: text(revision) };
    assert!(set_rules(THREE, &id("b"), &change(&known), None).is_ok());
    let other = THREE.replace("data.n > 1", "data.n > 5");
    let kind = |toml: &str, change| set_rules(toml, &id("b"), &change, None).map_err(|error| error.kind);
    assert_eq!(kind(&other, change(&known)), Err(Kind::Conflict));
    assert_eq!(kind("[[feed]", change(&known)), Err(Kind::Broken));
    assert_eq!(set(THREE, "nobody", Vec::new()).map_err(|error| error.kind), Err(Kind::NoSuchFeed));
}

#[test]
fn a_preset_that_was_found_is_written_down_with_the_first_rule() {
    let feed = "[[feed]]\nid = \"a\"\nurl = \"https://ntfy.sh/a/sse\"\n";
    let found = parse(feed).expect("a good file").feeds[0].found_preset();
    assert_eq!(found, Some("ntfy"));
    let rules = |rules| RulesChange { rules, revision: None };
    let one = rules(vec![RuleChange { was: None, rule: log("x") }]);
    let expected = format!("{feed}preset = \"ntfy\"\n\n[[feed.rule]]\nevent = \"x\"\naction = \"log\"\n");
    assert_eq!(set_rules(feed, &id("a"), &one, found), Ok(expected));
    let none = format!("{feed}preset = \"none\"\n");
    let expected = format!("{none}\n[[feed.rule]]\nevent = \"x\"\naction = \"log\"\n");
    assert_eq!(set_rules(&none, &id("a"), &one, found), Ok(expected));
    assert_eq!(set_rules(feed, &id("a"), &rules(Vec::new()), found).as_deref(), Ok(feed));
}

mod access;
mod changes;
mod network;
mod notifications;
mod rule_changes;
mod rules;
mod section_changes;

use std::{fs, time::Duration};

use super::{
    edit::{NewFeed, add_feed},
    *,
};
use crate::{
    feed::{FeedId, Repeats},
    rule::{Action, NotifyText, RuleText},
};

const WRITTEN: &str = r#"# My feeds.
# Kept in git.

# Operations
[[feed]]   # the important one
id = "ops"   # short
name = 'Ops "alerts"'
url = "https://ntfy.example.org/ops/sse"
idle_timeout = "1h 30m"

  # Only what matters.
  [[feed.rule]]
  event = ["message", "alert*"]
  when = '''
data.priority >= 4
  and 'disk' in data.tags
'''
  notify = { title = "{{ data.title or feed.name }}", urgency = "critical", key = "{{ data.id }}" }

  [[feed.rule]]
  event = "pause"
  action = "close"
  # after the last rule

# Door
[[feed]]
	url	=	"http://door.example.org/events"
	id = "door"
	paused=true # holiday
	repeats = "show"
	rule = [{ event = "ping", action = "ignore" }, { when = "data is none", action = "log" }, { notify.body = "{{ data }}" }]


[[feed]]
id = "last"
url = "https://example.org/last"
idle_timeout = 0
# [[feed]]
# id = "off"
"#;

fn id(id: &str) -> FeedId {
    FeedId::new(id).expect("an id")
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn everything_that_can_be_written_is_read() {
    let Config { feeds, .. } = parse(WRITTEN).expect("a good file");
    let [ops, door, last] = &feeds[..] else { panic!("{feeds:?}") };
    assert_eq!(
        (ops.id.as_str(), &*ops.name, ops.url.as_str()),
        ("ops", "Ops \"alerts\"", "https://ntfy.example.org/ops/sse")
    );
    assert_eq!(
        (ops.paused, ops.idle_timeout, ops.repeats),
        (false, Some(Duration::from_secs(5_400)), Repeats::Hide)
    );
    let first = RuleText {
        event: vec!["message".to_owned(), "alert*".to_owned()],
        when: text("data.priority >= 4\n  and 'disk' in data.tags\n"),
        action: Action::Notify,
        notify: Some(NotifyText {
            title: text("{{ data.title or feed.name }}"),
            urgency: text("critical"),
            key: text("{{ data.id }}"),
            ..NotifyText::default()
        }),
        ..RuleText::default()
    };
    let second = RuleText { event: vec!["pause".to_owned()], action: Action::Close, ..RuleText::default() };
    assert_eq!(ops.rules.texts(), [first, second]);
    assert_eq!((&*door.name, door.paused, door.repeats), ("door", true, Repeats::Show));
    assert_eq!(door.idle_timeout, Some(crate::feed::DEFAULT_IDLE_TIMEOUT));
    let actions: Vec<_> = door.rules.texts().iter().map(|rule| rule.action).collect();
    assert_eq!(actions, [Action::Ignore, Action::Log, Action::Notify]);
    assert_eq!((last.idle_timeout, last.rules.texts()), (None, &[][..]));
    for nothing in ["", "\u{feff}", "# no feed yet\n"] {
        assert_eq!(parse(nothing), Ok(Config::default()));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn mistakes_name_line_key_and_remedy() {
    use ConfigErrorKind as Kind;
    let feed = |rest: &str| format!("# one\n[[feed]]\nid = \"a\"\nurl = \"https://example.org\"\n{rest}");
    let second = |id: &str, url: &str| feed(&format!("\n[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n"));
    for (text, kind, error) in [
        (
            second("b", "htp://x"),
            Kind::UnsupportedScheme,
            "line 8, feed[2].url: “htp://x” has the scheme htp; use http or https",
        ),
        (
            second("b", "example.org/x"),
            Kind::InvalidUrl,
            "line 8, feed[2].url: “example.org/x” is not a URL; write all of it, such as https://example.org/x",
        ),
        (
            second("b", "localhost:80/x"),
            Kind::InvalidUrl,
            "line 8, feed[2].url: “localhost:80/x” is not a URL; write all of it, such as https://localhost:80/x",
        ),
        (second("b", "http://"), Kind::InvalidUrl, "line 8, feed[2].url: “http://” is not a URL: empty host"),
        (
            second("b", "http://b\\n/x y"),
            Kind::InvalidUrl,
            "line 8, feed[2].url: “http://b\\n/x y” is not a URL: it has a blank or line break in it",
        ),
        (
            second("a", "http://b"),
            Kind::DuplicateId,
            "line 7, feed[2].id: “a” is the id of feed[1] already; give this feed another",
        ),
        (
            second("B b", "http://b"),
            Kind::InvalidId,
            "line 7, feed[2].id: “B b” is no id; use 1 to 64 of a-z, 0-9, \"-\", \"_\" and \".\"",
        ),
        (
            feed("idle_timout = 3\n"),
            Kind::Broken,
            "line 5, feed[1].idle_timout: unknown key; did you mean idle_timeout?",
        ),
        (
            feed("xyzzy = 3\n"),
            Kind::Broken,
            "line 5, feed[1].xyzzy: unknown key; known here: id, name, group, url, auth, paused, mute, images, silence_alert, \
             idle_timeout, repeats, ca_file, client_certificate, verify_certificate, proxy, resume, \
             preset, rule",
        ),
        ("feeds = 1\n".to_owned(), Kind::Broken, "line 1, feeds: unknown key; did you mean feed?"),
        (
            "\n[feed]\nid = \"a\"\n".to_owned(),
            Kind::Broken,
            "line 2, feed: each feed is a section of its own: write [[feed]], with two brackets",
        ),
        (
            "[[feed]]\nid = \"a\"\n".to_owned(),
            Kind::Broken,
            "line 1, feed[1].url: missing; add it, such as url = \"https://example.org/events\"",
        ),
        (feed("id = \"b\"\n"), Kind::Broken, "line 5: not TOML: duplicate key"),
        (feed("name = \"b\n"), Kind::Broken, "line 5: not TOML: invalid basic string, expected `\"`"),
        (
            feed("name = \"\"\n"),
            Kind::InvalidValue,
            "line 5, feed[1].name: the name is empty; leave it out to use the id",
        ),
        (
            feed("name = 3\n"),
            Kind::InvalidValue,
            "line 5, feed[1].name: must be a text in quotes; this is of type integer",
        ),
        (
            feed("paused = \"no\"\n"),
            Kind::InvalidValue,
            "line 5, feed[1].paused: must be true or false; this is of type string",
        ),
        (
            feed("repeats = \"no\"\n"),
            Kind::InvalidValue,
            "line 5, feed[1].repeats: “no” is none of hide, show",
        ),
        (
            feed("idle_timeout = -1\n"),
            Kind::InvalidValue,
            "line 5, feed[1].idle_timeout: less than 0 seconds; use 0 for never",
        ),
        (
            feed("idle_timeout = 1.5\n"),
            Kind::InvalidValue,
            "line 5, feed[1].idle_timeout: must be seconds, such as 300, or a time, such as \"5m\"; this is of type float",
        ),
        (
            feed("idle_timeout = \"soon\"\n"),
            Kind::InvalidValue,
            "line 5, feed[1].idle_timeout: “soon” is no time in whole seconds; write seconds, such as 300, or a time, such as \"5m\"",
        ),
        (
            feed("idle_timeout = \"9000d\"\n"),
            Kind::InvalidValue,
            "line 5, feed[1].idle_timeout: “9000d” is no time in whole seconds; write seconds, such as 300, or a time, such as \"5m\"",
        ),
        (
            feed("idle_timeout = 999999999\n"),
            Kind::InvalidValue,
            "line 5, feed[1].idle_timeout: more than 604800 seconds (a week); use 0 for never",
        ),
        (
            feed("[feed.rule]\nevent = \"x\"\n"),
            Kind::InvalidValue,
            "line 5, feed[1].rule: each rule is a section of its own: write [[feed.rule]], with two brackets",
        ),
        (
            feed("[[feed.rule]]\nevents = \"x\"\n"),
            Kind::Broken,
            "line 6, feed[1].rule[1].events: unknown key; did you mean event?",
        ),
        (
            feed("[[feed.rule]]\nevent = []\n"),
            Kind::InvalidValue,
            "line 6, feed[1].rule[1].event: an empty list matches nothing; leave event out to match any",
        ),
        (
            feed("[[feed.rule]]\nevent = [1]\n"),
            Kind::InvalidValue,
            "line 6, feed[1].rule[1].event: must be a name in quotes, or a list of names; this is of type array",
        ),
        (
            feed("[[feed.rule]]\naction = \"drop\"\n"),
            Kind::InvalidValue,
            "line 6, feed[1].rule[1].action: “drop” is none of notify, log, ignore, close, withdraw",
        ),
        (
            feed("[[feed.rule]]\nnotify = \"x\"\n"),
            Kind::InvalidValue,
            "line 6, feed[1].rule[1].notify: must be { title = \"…\", body = \"…\" }; this is of type string",
        ),
        (
            feed("[[feed.rule]]\n[[feed.rule]]\nnotify = { titel = \"x\" }\n"),
            Kind::Broken,
            "line 7, feed[1].rule[2].notify.titel: unknown key; did you mean title?",
        ),
        (
            feed("[[feed.rule]]\n[[feed.rule]]\nwhen = \"data ==\"\n"),
            Kind::InvalidValue,
            "line 7, feed[1].rule[2].when, character 6: unexpected end of input, expected expression",
        ),
        (
            feed("[[feed.rule]]\nwhen = \"\"\"\n1 and\n 2 | foo\"\"\"\n"),
            Kind::InvalidValue,
            "line 8, feed[1].rule[1].when, character 6: unknown filter “foo”",
        ),
        (
            feed("[[feed.rule]]\r\nwhen = '''\r\n1 and\r\n 2 | foo'''\r\n"),
            Kind::InvalidValue,
            "line 8, feed[1].rule[1].when, character 6: unknown filter “foo”",
        ),
        (
            feed("rule = [{ event = \"x\" }, { when = \"1\", notify.urgency = \"big\" }]\n"),
            Kind::InvalidValue,
            "line 5, feed[1].rule[2].notify.urgency: “big” is not low, normal or critical",
        ),
        (
            feed("[[feed.rule]]\nevent = [\"a\", \"\"]\n"),
            Kind::InvalidValue,
            "line 6, feed[1].rule[1].event: an empty name; leave out event to match any",
        ),
        (
            feed("[[feed.rule]]\naction = \"log\"\n[feed.rule.notify]\nbody = \"x\"\n"),
            Kind::InvalidValue,
            "line 7, feed[1].rule[1].notify: this action shows no popup; leave out notify or action",
        ),
    ] {
        let found = parse(&text).expect_err(&text);
        assert_eq!((found.kind, &*found.to_string()), (kind, &*format!("feeds.toml {error}")), "{text}");
    }
}

#[test]
fn limits() {
    let feeds = |count: usize| -> String {
        (0..count).map(|n| format!("[[feed]]\nid = \"f{n}\"\nurl = \"http://h/{n}\"\n")).collect()
    };
    assert_eq!(parse(&feeds(MAX_FEEDS)).map(|config| config.feeds.len()), Ok(MAX_FEEDS));
    for (text, error) in [
        (feeds(MAX_FEEDS + 1), "feeds.toml line 3001, feed: more than 1000 feeds".to_owned()),
        (format!("#{}", "x".repeat(MAX_FILE)), "feeds.toml is larger than 1024 KiB".to_owned()),
        (
            feeds(1) + &"[[feed.rule]]\n".repeat(101),
            "feeds.toml line 104, feed[1].rule: more than 100 rules".to_owned(),
        ),
    ] {
        assert_eq!(parse(&text).map_err(|found| found.to_string()), Err(error));
    }
    let deep = format!("[[feed]]\nid = {}", "[".repeat(100_000));
    assert_eq!(parse(&deep).map_err(|found| (found.kind, found.line)), Err((ConfigErrorKind::Broken, 2)));
    assert!(
        add_feed(&feeds(MAX_FEEDS), &NewFeed { url: "http://new".to_owned(), ..NewFeed::default() }).is_err()
    );
}

#[test]
fn a_missing_file_is_empty_and_a_broken_one_is_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = ConfigFile::new(folder.path().join("deep/er/feeds.toml"));
    assert_eq!(file.load(), Ok(Config::default()));
    file.replace(WRITTEN).expect("a new file");
    assert_eq!(file.load().map(|config| config.feeds.len()), Ok(3));
    assert_eq!(fs::read_dir(folder.path().join("deep/er")).expect("a folder").count(), 1);
    fs::write(file.path(), b"# fine\nname = \"\xff\"").expect("written");
    let error = file.load().expect_err("not UTF-8");
    assert_eq!(
        (error.kind, &*error.to_string()),
        (ConfigErrorKind::Broken, "feeds.toml line 2: not UTF-8; save the file in this encoding")
    );
    fs::write(file.path(), vec![b'\n'; MAX_FILE + 1]).expect("written");
    assert_eq!(
        file.load().map_err(|error| error.to_string()),
        Err("feeds.toml is larger than 1024 KiB".to_owned())
    );
    let folder = ConfigFile::new(folder.path());
    assert_eq!(folder.load().map_err(|error| error.kind), Err(ConfigErrorKind::CannotRead));
    let error = folder.replace("").expect_err("a folder");
    assert_eq!(error.kind, ConfigErrorKind::CannotWrite);
    assert!(error.message.to_string().contains(&folder.path().display().to_string()), "{error}");
}

#[cfg(unix)]
#[test]
fn a_replaced_file_keeps_its_link_and_mode() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().expect("a folder");
    let (real, link) = (folder.path().join("dotfiles/real.toml"), folder.path().join("feeds.toml"));
    fs::create_dir(folder.path().join("dotfiles")).expect("a folder");
    symlink("dotfiles/real.toml", &link).expect("a link");
    let mode = || fs::metadata(&real).expect("a file").permissions().mode() & 0o777;
    let file = ConfigFile::new(&link);
    for (text, set, expected) in
        [("# one\n", None, 0o600), ("# two\n", Some(0o640), 0o640), ("# three\n", None, 0o640)]
    {
        if let Some(mode) = set {
            fs::set_permissions(&real, fs::Permissions::from_mode(mode)).expect("a mode");
        }
        file.replace(text).expect("replaced");
        assert_eq!((fs::read_to_string(&real).expect("text").as_str(), mode()), (text, expected));
        assert_eq!(file.text().as_deref(), Ok(text));
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    }
    symlink("round", folder.path().join("round")).expect("a link");
    let round = ConfigFile::new(folder.path().join("round"));
    assert_eq!(round.replace("").map_err(|error| error.kind), Err(ConfigErrorKind::CannotWrite));
}

#[test]
fn an_edit_by_hand_amid_a_change_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = ConfigFile::new(folder.path().join("feeds.toml"));
    let line = |number: usize| format!("# by hand {number}\n");
    for (edits, kept) in [(0, true), (1, true), (4, true), (usize::MAX, false)] {
        file.replace("# before\n").expect("written");
        let mut tries = 0;
        let change = file.change(|text| {
            tries += 1;
            if tries <= edits {
                std::fs::write(file.path(), line(tries)).expect("written");
            }
            Ok(format!("{text}[[feed]]\nid = \"a\"\nurl = \"http://a/\"\n"))
        });
        let text = file.text().expect("read");
        assert_eq!((change.is_ok(), text.contains("[[feed]]")), (kept, kept), "{edits} edits: {text}");
        assert!(edits == 0 || text.contains(&line(tries.min(edits))), "{edits} edits: {text}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left behind");
    }
}

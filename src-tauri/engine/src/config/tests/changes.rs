//! Changes to a file, compared byte for byte.

use std::time::Duration;

use proptest::prelude::*;

use super::{WRITTEN, id, text};
use crate::{
    config::{
        Config, ConfigError, ConfigErrorKind,
        edit::{FeedChange, NewFeed, add_feed, edit_feed, set_paused},
        parse,
    },
    feed::{FeedId, Repeats},
};

fn remove_feed(text: &str, id: &FeedId) -> Result<String, ConfigError> {
    crate::config::edit::remove_feed(text, id).map(|(text, _)| text)
}

#[test]
fn added_feeds_come_last() {
    let new = |url: &str, name: &str| NewFeed { url: url.to_owned(), name: text(name), ..NewFeed::default() };
    for (before, feed, added) in [
        (
            "",
            new(" https://example.org/sse ", ""),
            "[[feed]]\nid = \"example.org\"\nurl = \"https://example.org/sse\"\n",
        ),
        (
            "# none yet",
            new("http://a/", "A \"b\" c"),
            "\n\n[[feed]]\nid = \"a-b-c\"\nname = 'A \"b\" c'\nurl = \"http://a/\"\n",
        ),
        (
            "# none\r\n",
            new("http://www.b.org:80/x", "门铃"),
            "\r\n[[feed]]\r\nid = \"b.org\"\r\nname = \"门铃\"\r\nurl = \"http://www.b.org:80/x\"\r\n",
        ),
        (
            WRITTEN,
            new("http://[::1]:8000/x?y=1#z", "Ops!"),
            "\n[[feed]]\nid = \"ops-2\"\nname = \"Ops!\"\nurl = \"http://[::1]:8000/x?y=1#z\"\n",
        ),
        (
            WRITTEN,
            NewFeed { id: text("own"), paused: true, ..new("http://x", "X") },
            "\n[[feed]]\nid = \"own\"\nname = \"X\"\nurl = \"http://x\"\npaused = true\n",
        ),
    ] {
        let (after, id) = add_feed(before, &feed).expect(added);
        assert_eq!(after, format!("{before}{added}"));
        let config = parse(&after).expect("still a good file");
        assert_eq!(
            (&config.feeds.last().expect("a feed").id, config.feeds.len()),
            (&id, 1 + parse(before).expect("good").feeds.len())
        );
    }
}

#[test]
fn changes_leave_the_rest_byte_for_byte() {
    let replaced = |old: &str, new: &str| {
        assert_eq!(WRITTEN.matches(old).count(), 1, "{old}");
        WRITTEN.replace(old, new)
    };
    let rename = FeedChange { name: text("Betrieb"), ..FeedChange::default() };
    let all = FeedChange {
        name: text("Tür"),
        url: text("https://door.example.org/e"),
        idle_timeout: Some(Duration::ZERO),
        repeats: Some(Repeats::Hide),
        mute: Some(true),
        ..FeedChange::default()
    };
    let mute = |mute| FeedChange { mute: Some(mute), ..FeedChange::default() };
    let door = replaced("\"http://door.example.org/events\"", "\"https://door.example.org/e\"")
        .replace("repeats = \"show\"", "repeats = \"hide\"");
    let rules = "{ notify.body = \"{{ data }}\" }]\n";
    for (changed, expected) in [
        (edit_feed(WRITTEN, &id("ops"), &rename), replaced("'Ops \"alerts\"'", "\"Betrieb\"")),
        (edit_feed(WRITTEN, &id("ops"), &FeedChange::default()), WRITTEN.to_owned()),
        (
            edit_feed(WRITTEN, &id("door"), &all),
            door.replace(rules, &format!("{rules}\tname = \"Tür\"\n\tidle_timeout = 0\n\tmute = true\n")),
        ),
        (edit_feed(WRITTEN, &id("ops"), &mute(true)), replaced("\"1h 30m\"\n", "\"1h 30m\"\nmute = true\n")),
        (edit_feed(WRITTEN, &id("ops"), &mute(false)), WRITTEN.to_owned()),
        (set_paused(WRITTEN, &id("ops"), true), replaced("\"1h 30m\"\n", "\"1h 30m\"\npaused = true\n")),
        (set_paused(WRITTEN, &id("ops"), false), WRITTEN.to_owned()),
        (
            set_paused(WRITTEN, &id("door"), false),
            replaced("paused=true # holiday", "paused=false # holiday"),
        ),
        (set_paused(WRITTEN, &id("door"), true), WRITTEN.to_owned()),
    ] {
        assert_eq!(changed, Ok(expected));
    }
    let dos = WRITTEN.replace('\n', "\r\n");
    let expected = dos.replace("\"1h 30m\"\r\n", "\"1h 30m\"\r\npaused = true\r\n");
    assert_eq!(set_paused(&dos, &id("ops"), true), Ok(expected));
    let unfinished = "\u{feff}[[feed]]\nurl = \"http://x\"\nid = \"x\" # no line end";
    assert_eq!(set_paused(unfinished, &id("x"), true), Ok(format!("{unfinished}\npaused = true\n")));
}

#[test]
fn a_removed_feed_takes_its_own_comments_along() {
    let part = |from: &str, to: &str| {
        let start = WRITTEN.find(from).expect(from);
        WRITTEN[..start].to_owned() + &WRITTEN[start..][WRITTEN[start..].find(to).expect(to)..]
    };
    assert_eq!(remove_feed(WRITTEN, &id("ops")), Ok(part("# Operations", "# Door")));
    assert_eq!(remove_feed(WRITTEN, &id("door")), Ok(part("# Door", "[[feed]]\nid = \"last\"")));
    let last = WRITTEN.find("\n\n[[feed]]\nid = \"last\"").expect("the last feed");
    assert_eq!(remove_feed(WRITTEN, &id("last")).as_deref(), Ok(&WRITTEN[..last]));
    let feed = "[[feed]]\nid = \"a\"\nurl = \"http://a\"\n";
    for (text, expected) in [
        (feed.to_owned(), ""),
        (format!("# Heading\n{feed}"), "# Heading\n"),
        (format!("\u{feff}# Heading\n{feed}"), "\u{feff}# Heading\n"),
        (format!("\u{feff}{feed}"), "\u{feff}"),
        (
            format!("# Heading\r\n\r\n{feed}\r\n# Notes at the end\r\n"),
            "# Heading\r\n\r\n# Notes at the end\r\n",
        ),
        (
            format!("# Heading\n\n# A\n  {feed}[[feed.rule]]\nnotify.body = '''\n[[feed]]\n# 1'''\n# below"),
            "# Heading\n",
        ),
    ] {
        assert_eq!(remove_feed(&text, &id("a")).as_deref(), Ok(expected), "{text}");
    }
    let text =
        format!("[[feed]]\nid = \"s\"\nurl = \"http://s\"\n[[feed.rule]]\nnotify.body = '''1\n#'''\n{feed}");
    assert_eq!(remove_feed(&text, &id("a")).as_deref(), Ok(text.trim_end_matches(feed)));
}

#[test]
fn changes_that_cannot_be_say_why() {
    use ConfigErrorKind as Kind;
    let new = |url: &str| NewFeed { url: url.to_owned(), ..NewFeed::default() };
    let url = |url: &str| FeedChange { url: text(url), ..FeedChange::default() };
    let kind =
        |result: Result<(String, FeedId), ConfigError>| result.map_err(|error| (error.kind, error.line));
    for (result, expected) in [
        (add_feed(WRITTEN, &new("http://door.example.org:80/events")), (Kind::DuplicateUrl, 0)),
        (add_feed(WRITTEN, &new("ftp://x")), (Kind::UnsupportedScheme, 0)),
        (add_feed(WRITTEN, &new("")), (Kind::InvalidUrl, 0)),
        (add_feed(WRITTEN, &NewFeed { id: text("ops"), ..new("http://x") }), (Kind::DuplicateId, 0)),
        (add_feed(WRITTEN, &NewFeed { id: text("O P S"), ..new("http://x") }), (Kind::InvalidId, 0)),
        (add_feed(WRITTEN, &NewFeed { name: text("a\nb"), ..new("http://x") }), (Kind::InvalidValue, 0)),
        (add_feed("\n[[feed]\n", &new("http://x")), (Kind::Broken, 2)),
        (add_feed("[[feed]]\nid = \"x\"\nurl = \"x\"\n", &new("http://x")), (Kind::Broken, 3)),
    ] {
        assert_eq!(kind(result), Err(expected));
    }
    let day = FeedChange { idle_timeout: Some(Duration::from_secs(1 << 40)), ..FeedChange::default() };
    for (result, expected) in [
        (remove_feed(WRITTEN, &id("gone")), "there is no feed “gone”; see: bellwether feeds"),
        (set_paused(WRITTEN, &id("gone"), true), "there is no feed “gone”; see: bellwether feeds"),
        (
            edit_feed(WRITTEN, &id("ops"), &url("https://example.org/last")),
            "the feed “last” has this URL already; change that one, or remove it first",
        ),
        (
            edit_feed(WRITTEN, &id("ops"), &url("nope")),
            "“nope” is not a URL; write all of it, such as https://nope",
        ),
        (edit_feed(WRITTEN, &id("ops"), &day), "more than 604800 seconds (a week); use 0 for never"),
    ] {
        assert_eq!(result.map_err(|error| error.to_string()), Err(expected.to_owned()));
    }
    assert_eq!(edit_feed(WRITTEN, &id("last"), &url("https://example.org/last")).as_deref(), Ok(WRITTEN));
}

/// The lines of a file in any selection and order: most are broken, some are whole in unusual ways.
fn any_file() -> impl Strategy<Value = String> {
    let blocks: Vec<String> = WRITTEN
        .split_inclusive("\n\n")
        .flat_map(|block| [block.to_owned(), block.trim_end().to_owned() + "\n"])
        .chain(
            ["# comment\n", "\r\n", "[feed.x]\n", "paused = true\n", "\u{feff}", "'''\n"].map(str::to_owned),
        )
        .collect();
    let lines: Vec<String> = WRITTEN.split_inclusive('\n').map(str::to_owned).collect();
    prop_oneof![
        4 => prop::collection::vec(prop::sample::select(blocks), 0..8).prop_map(|blocks| blocks.concat()),
        1 => prop::collection::vec(prop::sample::select(lines), 0..12).prop_map(|lines| lines.concat()),
        1 => "[\\[\\]a-z='\"#\\n\\r{}., \\PC]{0,80}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn a_change_touches_one_feed_alone(text in any_file()) {
        let Ok(before) = parse(&text) else {
            prop_assert!(set_paused(&text, &id("ops"), true).is_err());
            return Ok(());
        };
        for feed in &before.feeds {
            let others = |config: Config| config.feeds.into_iter().filter(|other| other.id != feed.id).collect::<Vec<_>>();
            let removed = remove_feed(&text, &feed.id).expect("a removed feed");
            prop_assert_eq!(&parse(&removed).expect("a good file").feeds, &others(before.clone()));
            let paused = set_paused(&text, &feed.id, !feed.paused).expect("a paused feed");
            let after = parse(&paused).expect("a good file");
            prop_assert!(after.feeds.iter().any(|other| other.id == feed.id && other.paused != feed.paused));
            prop_assert_eq!(others(after), others(before.clone()));
            let back = set_paused(&paused, &feed.id, feed.paused).expect("a feed as before");
            prop_assert_eq!(parse(&back).expect("a good file"), before.clone());
        }
    }
}

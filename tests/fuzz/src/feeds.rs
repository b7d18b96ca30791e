//! The text of `feeds.toml`: reading it never panics, and a change of a good one gives a good one that differs in nothing else.

use std::time::Duration;

use bellwether_engine::{
    config::{
        Config, MAX_FILE,
        edit::{FeedChange, NewFeed, add_feed, edit_feed, remove_feed, restore_feed, set_paused},
        parse,
    },
    feed::{Feed, FeedId, Repeats},
};

pub(crate) const DICTIONARY: &[&str] = &[
    "\n\n",
    "# one\n# two\n\n",
    "  # indented\n",
    " \t\n",
    "\r\n# note\r\n",
    "[[feed]]\nid = 'x'\nurl = 'http://x.example/'\n",
    "\t[[feed]] # y\n\tid='y' # y\n\turl='http://y.example/'\n\n# after y",
    "[[feed]]\r\nurl = 'https://z.example/'\r\n# within z\r\nid = 'z'\r\n[[feed.rule]]\r\naction = 'log'\r\n",
    "[[feed.rule]]\nevent = 'e'\n# after a rule\n",
    "\n",
    "\r\n",
    "#",
    "# note\n",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "[",
    "]",
    "{",
    "}",
    "[[feed]]\n",
    "[[feed.rule]]\n",
    "[feed]\n",
    "feed = []\n",
    "feed = [{ id = 'x', url = 'http://x/' }]\n",
    "=",
    ".",
    ",",
    "\\u0000",
    "\\",
    "\t",
    "  ",
    "id = ",
    "id = \"b\"\n",
    "name = ",
    "name = 'N'\n",
    "url = ",
    "url = \"http://h/\"\n",
    "paused = true\n",
    "idle_timeout = \"5m\"\n",
    "idle_timeout = 0\n",
    "repeats = \"show\"\n",
    "resume = { query = \"since\", from = \"data.id\" }\n",
    "preset = \"ntfy\"\n",
    "proxy = \"socks5h://a:b@[::1]\"\n",
    "client_certificate = { certificate = \"a.pem\", key = \"~/a.key\" }\n",
    "ca_file = \"a.pem\"\nverify_certificate = false\n",
    "rule = []\n",
    "event = ",
    "event = ['a*']\n",
    "when = 'data.a > 1'\n",
    "action = \"close\"\n",
    "notify = { title = '{{ data }}' }\n",
    "notify.body = \"b\"\n",
    "action = \"withdraw\"\nnotify.key = 'k'\n",
    "urgent = true\n",
    "run = ['a', 'b']\n",
    "notify = { sound = false, expire = 10, icon = 'https://h/i' }\n",
    "notify.buttons = [{ label = 'l', url = 'https://h/' }]\n",
    "{% set x = a ~ b * 2 %}",
    "{% for x in [a + 1] if x %}",
    "{{",
    "}}",
    "{% if a %}",
    "{% endif %}",
    "data",
    "|",
    "中",
    "\u{FEFF}",
    "\u{202E}",
    "\u{7F}",
    "true",
    "1e9",
    "1979-05-27",
];

pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let config = match parse(&text) {
        Ok(config) => config,
        Err(error) => {
            let lines = text.split('\n').count();
            assert!(error.line as usize <= lines, "line {} of {lines}", error.line);
            assert!(!error.message.to_string().is_empty());
            // A broken file is not touched.
            assert!(
                add_feed(&text, &NewFeed { url: "http://new.example/".into(), ..NewFeed::default() })
                    .is_err()
            );
            return;
        }
    };
    addition(&text, &config);
    for feed in &config.feeds {
        changes(&text, &config, feed);
    }
}

fn addition(text: &str, config: &Config) {
    let new = NewFeed {
        url: "http://new.example/a?b=\"c\"".into(),
        id: None,
        name: Some("New “\"'\\ one".into()),
        paused: true,
        ..NewFeed::default()
    };
    if let Ok((added, id)) = add_feed(text, &new) {
        assert!(added.starts_with(text), "what was there stays");
        let after = good(&added);
        let (last, before) = after.feeds.split_last().expect("a feed more");
        assert_eq!(before, config.feeds);
        assert_eq!((&last.id, last.url.as_str(), last.paused), (&id, "http://new.example/a?b=%22c%22", true));
        assert_eq!(good(&remove_feed(&added, &id).expect("what was added can be removed").0), *config);
    }
}

fn changes(text: &str, config: &Config, feed: &Feed) {
    let paused = !feed.paused;
    if let Ok(changed) = set_paused(text, &feed.id, paused) {
        same_but(config, &good(&changed), &feed.id, |feed| feed.paused = paused);
    }
    let (name, idle_timeout) = ("Änderung \"1\"", Duration::from_secs(77));
    let change = FeedChange {
        name: Some(name.into()),
        url: None,
        idle_timeout: Some(idle_timeout),
        repeats: Some(Repeats::Show),
        mute: Some(!feed.mute),
        ..FeedChange::default()
    };
    if let Ok(changed) = edit_feed(text, &feed.id, &change) {
        same_but(config, &good(&changed), &feed.id, |feed| {
            feed.name = name.into();
            feed.idle_timeout = Some(idle_timeout);
            feed.left_out.idle_timeout = false;
            feed.repeats = Repeats::Show;
            feed.mute = !feed.mute;
        });
    }
    if let Ok((removed, removal)) = remove_feed(text, &feed.id) {
        let restored = restore_feed(&removed, &feed.id, &feed.url, &removal);
        assert!(
            restored.is_err() || restored.as_deref() == Ok(text),
            "what was removed comes back as it was"
        );
        let mut feeds = config.feeds.clone();
        feeds.retain(|other| other.id != feed.id);
        assert_eq!(good(&removed).feeds, feeds);
    }
}

/// That the configurations differ in one feed alone, and there as said.
fn same_but(before: &Config, after: &Config, id: &FeedId, change: impl Fn(&mut Feed)) {
    let mut expected: Vec<Feed> = before.feeds.iter().map(|feed| Feed::clone(feed)).collect();
    expected.iter_mut().filter(|feed| feed.id == *id).for_each(change);
    let after: Vec<Feed> = after.feeds.iter().map(|feed| Feed::clone(feed)).collect();
    assert_eq!(after, expected);
}

fn good(text: &str) -> Config {
    assert!(text.len() <= MAX_FILE);
    parse(text).expect("a change keeps a good file good")
}

//! `auth`: read, refused, and changed in whatever way it is written.

use std::path::PathBuf;

use proptest::prelude::*;
use reqwest::header::HeaderName;

use super::{WRITTEN, id};
use crate::{
    access::{Access, Credential, Place, Source},
    config::{
        edit::{FeedChange, NewFeed, add_feed, edit_feed, set_credential},
        parse,
    },
};

const FEED: &str = "[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\n";

fn access(auth: &str) -> Access {
    let config = parse(&format!("{FEED}{auth}")).unwrap_or_else(|error| panic!("{auth}: {error}"));
    config.feeds[0].access.clone()
}

fn header(name: &'static str) -> Place {
    Place::Header(HeaderName::from_static(name))
}

fn variable(name: &str) -> Source {
    Source::Variable(name.to_owned())
}

fn words(words: &[&str]) -> Source {
    Source::Command(words.iter().map(|word| (*word).to_owned()).collect())
}

#[test]
fn every_place_and_source_can_be_written_in_each_of_toml_s_ways() {
    let all = [
        (Place::Basic { user: "alice".to_owned() }, variable("OPS_PASSWORD")),
        (header("x-api-key"), words(&["pass", "show", "ops"])),
        (Place::Query("auth".to_owned()), Source::Keyring),
        (Place::Cookie("session".to_owned()), Source::File(PathBuf::from("~/session"))),
    ];
    let credentials = all.map(|(place, source)| Credential { place, source }).to_vec();
    let all = Access { credentials, plain_http: true };
    for auth in [
        "auth.basic = { user = \"alice\", password = { env = \"OPS_PASSWORD\" } }\n\
         auth.headers.X-Api-Key = { command = [\"pass\", \"show\", \"ops\"] }\n\
         auth.query.auth = { keyring = true }\n\
         auth.cookies.session.file = \"~/session\"\nauth.plain_http = true\n",
        "[feed.auth]\nplain_http = true\nquery.auth = { keyring = true }\n\
         basic.user = \"alice\"\nbasic.password.env = \"OPS_PASSWORD\"\n\
         [feed.auth.cookies]\nsession = { file = \"~/session\" }\n\
         [feed.auth.headers.X-API-KEY]\ncommand = [\n\"pass\",\n\"show\", # it\n\"ops\"]\n",
        "auth = { basic = { user = \"alice\", password = { env = \"OPS_PASSWORD\" } }, \
         headers = { X-Api-Key = { command = [\"pass\", \"show\", \"ops\"] } }, query = { auth.keyring = true }, \
         cookies = { session = { file = \"~/session\" } }, plain_http = true }\n",
    ] {
        assert_eq!(access(auth), all, "{auth}");
    }
    assert_eq!(access("[feed.auth]\n"), Access::default());
    assert_eq!(access("auth.bearer.keyring = true").credentials[0].place, Place::Bearer);
}

/// What is wrong in a feed's `auth`: the text, the key that is named, and words of the mistake.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("auth = 'hunter2'", "auth", "must be a table"),
    ("auth.bearer = 'hunter2'", "auth.bearer", "a secret does not belong into this file"),
    ("auth.headers.X-Key = 'hunter2'", "auth.headers.X-Key", "a secret does not belong"),
    ("auth.basic = { user = 'a', password = 'hunter2' }", "auth.basic.password", "a secret does not belong"),
    ("auth.basic = 'alice:hunter2'", "auth.basic", "must be a table"),
    ("auth.bearer = { text = 'hunter2' }", "auth.bearer", "unknown key"),
    ("auth.bearer.hunter2 = true", "auth.bearer", "unknown key"),
    ("auth.bearer = { 'file=hunter2' = true }", "auth.bearer", "did you mean file"),
    ("auth.hunter2 = { env = 'A' }", "auth", "unknown key"),
    ("auth.'bearer hunter2' = { env = 'A' }", "auth", "did you mean bearer"),
    ("auth.basic.'alice:hunter2' = { env = 'A' }", "auth.basic", "unknown key"),
    ("auth.basic = { user = 'a', password.hunter2 = 1 }", "auth.basic.password", "unknown key"),
    ("auth.beerer = { env = 'A' }", "auth", "did you mean bearer"),
    ("auth.bearer = { }", "auth.bearer", "one source"),
    ("auth.bearer = { env = 'A', file = '/a' }", "auth.bearer", "one source"),
    ("auth.bearer = { keyring = false }", "auth.bearer.keyring", "must be true"),
    ("auth.bearer = { keyring = 'hunter2' }", "auth.bearer.keyring", "must be true"),
    ("auth.bearer = { env = '' }", "auth.bearer.env", "environment variable"),
    ("auth.bearer = { env = 'A=hunter2' }", "auth.bearer.env", "environment variable"),
    ("auth.bearer = { env = 5 }", "auth.bearer.env", "must be a text"),
    ("auth.bearer = { command = 'pass hunter2' }", "auth.bearer.command", "must be a list"),
    ("auth.bearer = { command = [] }", "auth.bearer.command", "must be a list"),
    ("auth.bearer = { command = [''] }", "auth.bearer.command", "must be a list"),
    ("auth.bearer = { command = ['pass', 5] }", "auth.bearer.command", "must be a list"),
    ("auth.bearer = { file = 'hunter2' }", "auth.bearer.file", "whole path"),
    ("auth.bearer = { file = '~' }", "auth.bearer.file", "whole path"),
    ("auth.basic = { password = { env = 'A' } }", "auth.basic.user", "missing"),
    ("auth.basic = { user = 'alice' }", "auth.basic.password", "missing"),
    ("auth.basic = { user = 'alice:hunter2', password = { env = 'A' } }", "auth.basic.user", "no colon"),
    ("auth.headers.'X Key' = { env = 'A' }", "auth.headers.X…", "“X…” cannot be a header's name"),
    ("auth.headers.'X-Key: hunter2' = { env = 'A' }", "auth.headers.X-Key…", "“X-Key…” cannot be"),
    ("auth.headers.'X-Key: hunter2' = true", "auth.headers.X-Key…", "cannot be a header's name"),
    ("auth.headers.\"\\thunter2\" = { env = 'A' }", "auth.headers.…", "cannot be a header's name"),
    ("auth.headers.Host = { env = 'A' }", "auth.headers.Host", "itself"),
    ("auth.headers.Last-Event-ID = { env = 'A' }", "auth.headers.Last-Event-ID", "itself"),
    ("auth.headers = { X-Key.env = 'A', x-key.env = 'B' }", "auth.headers.x-key", "already"),
    ("auth.query.'' = { env = 'A' }", "auth.query.", "name of a parameter"),
    ("auth.query.'q=hunter2' = true", "auth.query.q…", "a secret does not belong"),
    ("auth.query.'q=hunter2' = { envy = 'A' }", "auth.query.q…", "did you mean env"),
    ("auth.query.'q=hunter2' = { env = '' }", "auth.query.q….env", "environment variable"),
    ("auth.cookies.'session=hunter2' = { env = 'A' }", "auth.cookies.session…", "“session…” cannot be"),
    ("auth.plain_http = 'yes'", "auth.plain_http", "true or false"),
    ("auth.bearer.env = 'A'\nauth.headers.Authorization.env = 'B'", "auth", "one Authorization"),
    ("auth.cookies.a.env = 'A'\nauth.headers.Cookie.env = 'B'", "auth", "either cookies or"),
];

#[test]
fn mistakes_name_the_place_and_never_quote_what_may_be_a_secret() {
    for (auth, key, said) in MISTAKES {
        let error = parse(&format!("{FEED}{auth}\n")).expect_err(auth);
        assert_eq!(error.key, format!("feed[1].{key}"), "{auth}");
        assert!(error.line >= 4 && error.to_string().contains(said), "{auth}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{auth}: {error}");
    }
    let both = FEED.replace("https://", "https://alice:hunter2@");
    let error = parse(&format!("{both}auth.bearer.env = 'A'\n")).expect_err("two users");
    assert!(error.to_string().contains("has a user already"), "{error}");
    let many: String = (0..33).map(|n| format!("auth.query.q{n}.env = 'A'\n")).collect();
    assert!(parse(&format!("{FEED}{many}")).is_err());
    for broken in [
        "auth.bearer = hunter2",
        "auth.bearer = 'hunter2",
        "auth.bearer hunter2",
        "auth.bearer = { hunter2 }",
        "auth.bearer.'hunter2' = 1\nauth.bearer.'hunter2' = 2",
    ] {
        let error = parse(&format!("{FEED}{broken}\n")).expect_err(broken);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{broken}: {error}");
    }
    for url in
        ["https://alice:hunter2@host:99999/", "https://a.example/ ?token=hunter2", "ftp://a:hunter2@b/"]
    {
        let error = parse(&FEED.replace("https://a.example/", url)).expect_err(url);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error}");
    }
}

/// Changes the credential of a place in a feed's text.
fn check_change(before: &str, (place, source): &(Place, Option<Source>), after: &str) {
    let (text, expected) = (format!("{FEED}{before}"), format!("{FEED}{after}"));
    let edited = set_credential(&text, &id("a"), place, source.as_ref());
    assert_eq!(edited.map_err(|error| error.to_string()), Ok(expected), "{before:?}");
}

#[test]
fn credentials_are_set_in_the_way_that_they_are_written() {
    let bearer = Some((Place::Bearer, Source::Keyring));
    let key = |source| Some((header("x-key"), source));
    let set =
        |new: Option<(Place, Source)>| new.map(|(place, source)| (place, Some(source))).expect("a source");
    for (before, change, after) in [
        ("", set(bearer.clone()), "auth.bearer = { keyring = true }\n"),
        ("# end", set(bearer.clone()), "auth.bearer = { keyring = true }\n# end"),
        ("", set(key(variable("A"))), "auth.headers.x-key = { env = \"A\" }\n"),
        (
            "",
            set(Some((Place::Query("a b".to_owned()), words(&["pass", "a \"b\""])))),
            "auth.query.\"a b\" = { command = [\"pass\", 'a \"b\"'] }\n",
        ),
        (
            "",
            set(Some((Place::Basic { user: "爱丽丝".to_owned() }, Source::File(PathBuf::from("/t"))))),
            "auth.basic = { user = \"爱丽丝\", password = { file = \"/t\" } }\n",
        ),
        (
            "auth.bearer   =  { env='A' } # mine\n",
            set(bearer.clone()),
            "auth.bearer   =  { keyring = true } # mine\n",
        ),
        (
            "auth.headers.X-Key = { env = \"A\" } # mine\n",
            set(key(variable("B"))),
            "auth.headers.X-Key = { env = \"B\" } # mine\n",
        ),
        ("auth.bearer.env = 'A'\n", set(bearer.clone()), "auth.bearer = { keyring = true }\n"),
        (
            "# how\n[feed.auth] # it\n  # b\n  bearer.env = 'A'\n  plain_http = true\n# end\n",
            set(bearer.clone()),
            "# how\n[feed.auth] # it\n  # b\n  plain_http = true\n  bearer = { keyring = true }\n# end\n",
        ),
        (
            "[feed.auth]\n[feed.auth.headers]\nB.env = 'B'\n\n[[feed.rule]]\n",
            set(key(variable("A"))),
            "[feed.auth]\n[feed.auth.headers]\nB.env = 'B'\nx-key = { env = \"A\" }\n\n[[feed.rule]]\n",
        ),
        (
            "auth = { query = { q = { env = 'Q' } } } # all\n",
            set(bearer.clone()),
            "auth = { query = { q = { env = 'Q' } }, bearer = { keyring = true } } # all\n",
        ),
        (
            "auth = { bearer = { env = 'Q' } } # all\n",
            set(key(variable("A"))),
            "auth = { bearer = { env = 'Q' }, headers = { x-key = { env = \"A\" } } } # all\n",
        ),
    ] {
        check_change(before, &change, after);
    }
}

#[test]
fn credentials_are_taken_out_with_the_lines_that_they_are_on() {
    let gone = |place| (place, None);
    for (before, change, after) in [
        ("auth.bearer = { keyring = true }\n# end\n", gone(Place::Bearer), "# end\n"),
        ("# a\n[feed.auth.bearer]\nkeyring = true\n# end\n", gone(Place::Bearer), "# a\n# end\n"),
        ("auth = { bearer.env = 'A' }\n# end\n", gone(Place::Bearer), "# end\n"),
        (
            "auth = { headers = { X-Key = { env = 'A' } }, plain_http = true }\n",
            gone(header("x-key")),
            "auth = { plain_http = true }\n",
        ),
        (
            "auth.basic.user = 'a'\nauth.basic.password.env = 'A'\n# end\n",
            gone(Place::Basic { user: String::new() }),
            "# end\n",
        ),
        ("auth.bearer.env = 'A'\n", gone(header("x-key")), "auth.bearer.env = 'A'\n"),
    ] {
        check_change(before, &change, after);
    }
    let conflict = set_credential(
        &format!("{FEED}auth.bearer.env = 'A'\n"),
        &id("a"),
        &Place::Basic { user: "a".to_owned() },
        Some(&Source::Keyring),
    );
    assert!(conflict.expect_err("two").to_string().contains("one Authorization"));
    assert!(set_credential(FEED, &id("b"), &Place::Bearer, None).is_err());
}

#[test]
fn masked_urls_are_never_written() {
    let text = FEED.replace("https://a.example/", "https://alice:hunter2@a.example/");
    let change = |url: &str| FeedChange { url: Some(url.to_owned()), ..FeedChange::default() };
    let moved = edit_feed(&text, &id("a"), &change("https://alice:***@a.example/b")).expect("a change");
    assert_eq!(moved, text.replace("a.example/", "a.example/b"));
    for url in ["https://alice:***@b.example/", "https://a.example/?token=***"] {
        assert!(edit_feed(&text, &id("a"), &change(url)).is_err(), "{url}");
        assert!(add_feed(&text, &NewFeed { url: url.to_owned(), ..NewFeed::default() }).is_err(), "{url}");
    }
}

proptest! {
    #[test]
    fn what_is_set_reads_back_and_is_gone_when_it_is_taken_out(
        name in "[ -~]{1,12}", word in "\\PC{1,12}", feed in 0..3_usize, kind in 0..3_usize
    ) {
        let feed = &parse(WRITTEN).expect("a good file").feeds[feed];
        let place = [Place::Query(name.clone()), Place::Cookie("c".to_owned()), Place::Bearer][kind].clone();
        let source = Source::Command(vec![word.clone(), name]);
        let set = set_credential(WRITTEN, &feed.id, &place, Some(&source)).expect("a change");
        let now = parse(&set).expect("still good");
        let now = now.feeds.iter().find(|now| now.id == feed.id).expect("still there");
        prop_assert_eq!(now.access.get(&place).map(|found| &found.source), Some(&source));
        prop_assert_eq!(set_credential(&set, &feed.id, &place, None).expect("a change"), WRITTEN);
    }
}

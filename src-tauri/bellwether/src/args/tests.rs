//! The grammar as a table.

use jiff::{SignedDuration, Timestamp};

use super::{
    values::{parse_seconds, parse_since},
    *,
};

fn read(line: &str) -> Result<Arguments, Stop> {
    Arguments::from_arguments(line.split_whitespace().map(OsString::from), "en")
}

fn client(line: &str) -> ClientCommand {
    match read(line).unwrap().command {
        Some(Command::Client(command)) => command,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn the_grammar_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn starts() {
    let bare = Arguments { profile: None, background: false, demo: false, command: None };
    assert_eq!(read("bellwether").unwrap(), bare);
    assert_eq!(
        read("bellwether --background --demo --profile /p").unwrap(),
        Arguments { profile: Some("/p".into()), background: true, demo: true, command: None }
    );
}

#[test]
fn a_profile_may_stand_anywhere() {
    for line in [
        "bellwether --profile /p feeds add http://a/",
        "bellwether feeds --profile /p add http://a/",
        "bellwether feeds add http://a/ --profile /p",
    ] {
        assert_eq!(read(line).unwrap().profile, Some("/p".into()), "{line}");
    }
}

#[test]
fn commands() {
    let id = || "ops".to_owned();
    let settings = FeedSettings {
        name: None,
        url: None,
        group: None,
        idle_timeout: Some(300),
        repeats: Some(Repeats::Show),
    };
    let actions = [
        ("", None),
        (
            " add http://a/ --id ops --paused",
            Some(FeedsAction::Add { url: "http://a/".into(), id: Some(id()), name: None, paused: true }),
        ),
        (" remove ops", Some(FeedsAction::Remove { id: id() })),
        (" pause ops", Some(FeedsAction::Pause { id: id() })),
        (" resume ops", Some(FeedsAction::Resume { id: id() })),
        (" reconnect", Some(FeedsAction::Reconnect { id: None })),
        (" reconnect ops", Some(FeedsAction::Reconnect { id: Some(id()) })),
        (" mute ops", Some(FeedsAction::Mute { id: id() })),
        (" unmute ops", Some(FeedsAction::Unmute { id: id() })),
        (" test ops", Some(FeedsAction::Test { id: id() })),
        (" edit ops --idle-timeout 5m --repeats show", Some(FeedsAction::Edit { id: id(), settings })),
    ];
    for (rest, action) in actions {
        for (json, flag) in [(false, ""), (true, " --json")] {
            let line = format!("bellwether feeds{rest}{flag}");
            let expected = FeedsArgs { json, action: action.clone() };
            assert_eq!(client(&line), ClientCommand::Feeds(expected), "{line}");
        }
    }
    assert_eq!(client("bellwether status"), ClientCommand::Status(JsonArgs { json: false }));
    assert_eq!(client("bellwether doctor --json"), ClientCommand::Doctor(JsonArgs { json: true }));
    assert_eq!(client("bellwether test-notification"), ClientCommand::TestNotification);
    assert_eq!(client("bellwether quit"), ClientCommand::Quit);
    assert_eq!(read("bellwether demo --port 80").unwrap().command, Some(Command::Demo { port: 80 }));
}

#[test]
fn listen() {
    let line =
        "bellwether listen http://a/ -H X-Key:v --event x --event y --last-event-id 7 --count 3 --json";
    let expected = ListenArgs {
        url: Url::parse("http://a/").unwrap(),
        headers: vec![(HeaderName::from_static("x-key"), HeaderValue::from_static("v"))],
        network: NetworkArgs::default(),
        events: vec!["x".into(), "y".into()],
        last_event_id: "7".into(),
        count: Some(3),
        plain_http: false,
        json: true,
    };
    assert_eq!(read(line).unwrap().command, Some(Command::Listen(expected)));
}

#[test]
fn probe() {
    // What is no address is for the probe to say.
    for (line, url, feed, json) in [
        ("bellwether probe http://a/ --json --plain-http -H X-Key:v", Some("http://a/"), None, true),
        ("bellwether probe --header X-Key:v nonsense", Some("nonsense"), None, false),
        ("bellwether probe --feed ops -H X-Key:v", None, Some("ops"), false),
    ] {
        let headers = vec![(HeaderName::from_static("x-key"), HeaderValue::from_static("v"))];
        let (url, feed) = (url.map(str::to_owned), feed.map(str::to_owned));
        let network = NetworkArgs::default();
        let expected = ProbeArgs { url, feed, headers, plain_http: json, network, json };
        assert_eq!(read(line).unwrap().command, Some(Command::Probe(expected)), "{line}");
    }
}

#[test]
fn credentials() {
    let args = |line: &str| match client(line) {
        ClientCommand::Feeds(FeedsArgs { action: Some(FeedsAction::Credential(args)), .. }) => args,
        other => panic!("{other:?}"),
    };
    let bearer = args("bellwether feeds credential ops bearer");
    assert_eq!(
        (bearer.kind, bearer.name, bearer.source),
        (CredentialKind::Bearer, None, SourceArgs::default())
    );
    let key = args("bellwether feeds credential ops header X-Key --command pass show -n ops");
    assert_eq!(key.name.as_deref(), Some("X-Key"));
    assert_eq!(key.source.command.unwrap(), ["pass", "show", "-n", "ops"]);
    assert!(args("bellwether feeds credential ops query q --file").source.file);
    assert!(args("bellwether feeds credential ops basic --remove").source.remove);
}

#[test]
fn headers_are_checked_where_they_are_typed() {
    for (header, expected) in [
        ("Authorization: Bearer a:b", Ok(("authorization", "Bearer a:b"))),
        ("X-Empty:", Ok(("x-empty", ""))),
        ("no colon", Err("there is no colon")),
        ("bad name: v", Err("cannot be a header's name")),
        ("X-Key: a\nb", Err("no header may have")),
    ] {
        match (parse_header(header), expected) {
            (Ok((name, value)), Ok(expected)) => {
                assert_eq!((name.as_str(), value.to_str().unwrap()), expected);
            }
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
            (parsed, expected) => panic!("{header}: {parsed:?}, not {expected:?}"),
        }
    }
}

#[test]
fn events() {
    let ClientCommand::Events(events) = client("bellwether events") else { panic!() };
    assert_eq!((events.limit, events.json, &events.filter), (50, false, &EventFilter::default()));
    let ClientCommand::Events(events) = client(
        "bellwether events --feed ops --event x --search disk --unread --held-back --since 2h --until 1h --outcome held,shown --limit 0",
    ) else {
        panic!()
    };
    let EventFilter { since, until, outcome, unread, held_back, .. } = events.filter;
    let ago = |hours| Some(Since::Ago(SignedDuration::from_hours(hours)));
    assert_eq!((since, until), (ago(2), ago(1)));
    assert_eq!(format!("{outcome:?}"), "[Held, Shown]");
    assert!(unread && held_back && events.limit == 0);
    let ClientCommand::Events(events) = client("bellwether events export --format csv --feed ops ops.csv")
    else {
        panic!()
    };
    let Some(EventsAction::Export(export)) = events.action else { panic!() };
    assert_eq!((export.file, export.filter.feed), (Some("ops.csv".into()), Some("ops".into())));
}

#[test]
fn snooze() {
    for (line, until, feed) in [
        ("bellwether snooze 15m", &["15m"][..], None),
        ("bellwether snooze until 08:00 --feed ops", &["until", "08:00"], Some("ops")),
        ("bellwether snooze --feed ops off", &["off"], Some("ops")),
    ] {
        let until = until.iter().map(|&word| word.to_owned()).collect();
        let expected = SnoozeArgs { until, feed: feed.map(str::to_owned), json: false };
        assert_eq!(client(line), ClientCommand::Snooze(expected), "{line}");
    }
}

#[test]
fn rules() {
    let ClientCommand::Rules(RulesArgs { action: RulesAction::Test(test) }) = client(
        "bellwether rules test ops --when data --event a --event b* --action log --insert 3 --sample - --sample-event x",
    ) else {
        panic!()
    };
    let keys = RuleKeys {
        events: vec!["a".to_owned(), "b*".to_owned()],
        when: Some("data".to_owned()),
        action: Some(RuleAction::Log),
        ..RuleKeys::default()
    };
    let expected = RulesTestArgs {
        feed: Some("ops".to_owned()),
        keys,
        insert: Some(3),
        sample: Some(PathBuf::from("-")),
        sample_event: Some("x".to_owned()),
        ..RulesTestArgs::default()
    };
    assert_eq!(*test, expected);
}

#[test]
fn wrong_usage_is_two_lines_and_code_2() {
    for (line, says) in [
        ("bellwether rules", "rules"),
        ("bellwether rules test --replace 1", "<FEED>"),
        ("bellwether rules test ops --rule a.toml --when data", "cannot be used with"),
        ("bellwether rules test ops --popups 51", "51"),
        ("bellwether feed", "unrecognized subcommand 'feed'"),
        ("bellwether --frobnicate", "unexpected argument '--frobnicate'"),
        ("bellwether --demo status", "--demo is for the start"),
        ("bellwether snooze", "<TIME>"),
        ("bellwether listen", "<URL>"),
        ("bellwether probe", "<URL>"),
        ("bellwether probe http://a/ -H x", "there is no colon"),
        ("bellwether listen nonsense", "it should look like https://"),
        ("bellwether listen ftp://a/", "ftp is not supported"),
        ("bellwether listen http://a/ --count 0", "--count <N>"),
        ("bellwether feeds edit ops", "--idle-timeout <TIME>"),
        ("bellwether feeds edit ops --repeats maybe", "[possible values: hide, show]"),
        ("bellwether feeds credential ops", "<KIND>"),
        ("bellwether feeds credential ops header", "<NAME>"),
        ("bellwether feeds credential ops bearer --env A --file", "cannot be used with"),
        ("bellwether probe http://a/ --feed ops", "cannot be used with"),
        ("bellwether events --since yesterday", "such as 15m, 2h, 7d"),
        ("bellwether events --limit -1", "-1"),
        (
            "bellwether events --outcome told",
            "[possible values: shown, pending, summarized, logged, ignored, closed, held]",
        ),
        ("bellwether events export", "--format <FORMAT>"),
        ("bellwether events --feed ops export --format csv", "cannot be used with"),
    ] {
        let stop = read(line).unwrap_err();
        assert_eq!(stop.code, 2, "{line}");
        assert!(stop.text.starts_with("bellwether: ") && stop.text.contains(says), "{line}: {}", stop.text);
        assert_eq!(stop.text.lines().count(), 2, "{line}: {}", stop.text);
    }
}

#[test]
fn wrong_usage_quotes_no_secret() {
    for (line, says) in [
        (
            "bellwether listen https://alice:hunter2@a.example:99999/?token=hunter2",
            "'https://alice:***@a.example",
        ),
        ("bellwether listen http://a/ -H hunter2", "'***'"),
        ("bellwether probe http://a/ --header Bad@Name:hunter2", "'***'"),
    ] {
        let stop = read(line).unwrap_err();
        assert!(stop.text.contains(says) && !stop.text.contains("hunter2"), "{}", stop.text);
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for line in ["bellwether --help", "bellwether --version", "bellwether feeds add --help"] {
        assert_eq!(read(line).unwrap_err().code, 0, "{line}");
    }
}

#[test]
fn points_in_time() {
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    for (text, moment) in [
        ("30s", Some("2026-11-20T11:59:30Z")),
        ("15m", Some("2026-11-20T11:45:00Z")),
        ("2h", Some("2026-11-20T10:00:00Z")),
        ("7d", Some("2026-11-13T12:00:00Z")),
        ("1w", Some("2026-11-13T12:00:00Z")),
        ("2026-11-20T08:00:00+08:00", Some("2026-11-20T00:00:00Z")),
        ("2026-11-20T08:00:00.5Z", Some("2026-11-20T08:00:00.5Z")),
        ("", None),
        ("h", None),
        ("-2h", None),
        ("+2h", None),
        ("2 h", None),
        ("2y", None),
        ("二h", None),
        ("99999999999d", None),
        ("tomorrow", None),
    ] {
        let since = parse_since(text).ok().map(|since| since.before(now).to_string());
        assert_eq!(since.as_deref(), moment, "{text}");
    }
    assert_eq!(parse_since("4000000000w").unwrap().before(now), Timestamp::UNIX_EPOCH);
}

#[test]
fn idle_timeouts() {
    for (text, seconds) in
        [("0", Some(0)), ("90", Some(90)), ("5m", Some(300)), ("", None), ("x", None), ("9999w", None)]
    {
        assert_eq!(parse_seconds(text).ok(), seconds, "{text}");
    }
}

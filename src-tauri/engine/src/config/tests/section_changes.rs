//! Changes to sections as wholes, and to the program's own settings, compared byte for byte.

use std::time::Duration;

use jiff::civil::Weekday;

use super::{WRITTEN, id, text};
use crate::{
    config::{
        ConfigError, ConfigErrorKind as Kind,
        edit::{
            FeedChange, NewFeed, QuietHours, SettingsChange, add_feed, edit_feed, edit_settings, remove_feed,
            restore_feed, set_order,
        },
        parse,
    },
    event_log::Retention,
    policy::Flood,
};

fn order(toml: &str, ids: &[&str]) -> Result<String, ConfigError> {
    set_order(toml, &ids.iter().map(|name| id(name)).collect::<Vec<_>>())
}

#[test]
fn feeds_change_places_with_the_comments_above_them() {
    let (a, b, c) = (
        "# a, the first\n[[feed]]\nid = \"a\"\nurl = \"http://a\"\n\n  [[feed.rule]]\n  action = \"log\"\n",
        "[[feed]]\nid = \"b\"\nurl = \"http://b\"\n# b's end\n",
        "# c\n# of two lines\n[[feed]]\nid = \"c\" # c\nurl = \"http://c\"\n",
    );
    let file = |one: &str, two: &str, three: &str| {
        format!("# My feeds.\n\n{one}\n[notifications]\nsound = false\n\n{two}\n\n\n{three}")
    };
    let toml = file(a, b, c);
    for (ids, expected) in [
        (&["a", "b", "c"][..], &toml),
        (&[], &toml),
        (&["c"], &file(c, a, b)),
        (&["c", "b"], &file(c, b, a)),
        (&["b", "b", "a"], &file(b, a, c)),
    ] {
        assert_eq!(order(&toml, ids).as_ref(), Ok(expected), "{ids:?}");
    }
    let unfinished = toml.trim_end();
    assert_eq!(order(unfinished, &["c", "b"]), Ok(file(c, b, a)));
    let dos = toml.replace('\n', "\r\n");
    assert_eq!(order(&dos, &["c"]), Ok(file(c, a, b).replace('\n', "\r\n")));
    assert_eq!(order(&toml, &["nobody"]).map_err(|error| error.kind), Err(Kind::NoSuchFeed));
    let heading = "# The file's own heading\n[[feed]]\nid = \"a\"\nurl = \"http://a\"\n[[feed]]\nid = \"b\"\nurl = \"http://b\"";
    let turned = "# The file's own heading\n[[feed]]\nid = \"b\"\nurl = \"http://b\"\n[[feed]]\nid = \"a\"\nurl = \"http://a\"\n";
    assert_eq!(order(heading, &["b"]).as_deref(), Ok(turned));
    let ids = |toml: &str| {
        parse(toml).expect("good").feeds.iter().map(|feed| feed.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&order(WRITTEN, &["last", "door"]).expect("good")), ["last", "door", "ops"]);
}

#[test]
fn what_was_removed_comes_back_as_it_was() {
    let dos = WRITTEN.replace('\n', "\r\n");
    for toml in [WRITTEN, &dos] {
        for name in ["ops", "door", "last"] {
            let feed = parse(toml)
                .expect("good")
                .feeds
                .iter()
                .find(|feed| feed.id == id(name))
                .cloned()
                .expect("it");
            let (rest, removal) = remove_feed(toml, &id(name)).expect("a removal");
            assert_eq!(restore_feed(&rest, &id(name), &feed.url, &removal).as_deref(), Ok(toml), "{name}");
            assert_eq!(
                restore_feed(toml, &id(name), &feed.url, &removal).map_err(|error| error.kind),
                Err(Kind::DuplicateId)
            );
        }
    }
    let feed = |name: &str| format!("# {name}\n[[feed]]\nid = \"{name}\"\nurl = \"http://{name}\"\n");
    let join = |names: &[&str]| {
        format!("# Feeds\n\n{}", names.iter().map(|name| feed(name)).collect::<Vec<_>>().join("\n"))
    };
    let toml = join(&["a", "b", "c"]);
    let url = |name: &str| format!("http://{name}/").parse().expect("a URL");
    let (rest, removal) = remove_feed(&toml, &id("b")).expect("a removal");
    for (now, expected) in [
        (rest.replace("# a\n", "# A\n"), join(&["a", "b", "c"]).replace("# a\n", "# A\n")),
        (join(&["c", "a"]), join(&["c", "a", "b"])),
        (join(&["c", "d"]), join(&["b", "c", "d"])),
        (join(&["d"]), join(&["d", "b"])),
        (String::new(), feed("b")),
        ("# Feeds\n\n".to_owned(), join(&["b"])),
        ("# Feeds".to_owned(), join(&["b"])),
    ] {
        assert_eq!(restore_feed(&now, &id("b"), &url("b"), &removal), Ok(expected), "{now}");
    }
    let (_, first) = remove_feed(&toml, &id("a")).expect("a removal");
    assert_eq!(restore_feed(&join(&["d", "e"]), &id("a"), &url("a"), &first), Ok(join(&["a", "d", "e"])));
    let taken = join(&["d"]).replace("http://d", "http://b");
    assert_eq!(
        restore_feed(&taken, &id("b"), &url("b"), &removal).map_err(|error| error.kind),
        Err(Kind::DuplicateUrl)
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of changes")]
fn settings_of_a_feed_come_and_go() {
    let feed =
        |rest: &str| format!("[[feed]]\nid = \"a\"\nurl = \"https://a.example/\" # there\n{rest}\n# end\n");
    let none = FeedChange::default;
    for (before, change, after) in [
        ("", FeedChange { group: text(" Work "), ..none() }, Ok("group = \"Work\"\n")),
        (
            "group = \"Work\" # of mine\n",
            FeedChange { group: text("Home"), ..none() },
            Ok("group = \"Home\" # of mine\n"),
        ),
        ("group = \"Work\" # of mine\n", FeedChange { group: text(""), ..none() }, Ok("")),
        (
            "",
            FeedChange {
                group: text(""),
                proxy: text("system"),
                images: Some(false),
                plain_http: Some(false),
                verify_certificate: Some(true),
                ..none()
            },
            Ok(""),
        ),
        (
            "",
            FeedChange { preset: text("json"), silence_alert: text("6h"), ..none() },
            Ok("preset = \"json\"\nsilence_alert = \"6h\"\n"),
        ),
        (
            "preset = \"json\"\nsilence_alert = 300\n",
            FeedChange { preset: text(""), silence_alert: text(""), ..none() },
            Ok(""),
        ),
        (
            "",
            FeedChange { images: Some(true), verify_certificate: Some(false), ..none() },
            Ok("images = true\nverify_certificate = false\n"),
        ),
        ("", FeedChange { plain_http: Some(true), ..none() }, Ok("auth.plain_http = true\n")),
        (
            "auth = { bearer = { keyring = true } }\n",
            FeedChange { plain_http: Some(true), ..none() },
            Ok("auth = { bearer = { keyring = true }, plain_http = true }\n"),
        ),
        (
            "proxy = \"http://u:p@proxy.example:1\"\n",
            FeedChange { proxy: text("http://u:***@proxy.example:1/"), ..none() },
            Ok("proxy = \"http://u:p@proxy.example:1/\"\n"),
        ),
        ("ca_file = 'a.pem'\n", FeedChange { ca_file: text("a.pem"), ..none() }, Ok("ca_file = 'a.pem'\n")),
        (
            "ca_file = 'a.pem'\n",
            FeedChange { ca_file: text(""), proxy: text("none"), ..none() },
            Ok("proxy = \"none\"\n"),
        ),
        ("", FeedChange { group: text("a\nb"), ..none() }, Err("")),
        ("", FeedChange { group: Some("x".repeat(65)), ..none() }, Err("")),
        ("", FeedChange { preset: text("nope"), ..none() }, Err("preset")),
        ("", FeedChange { silence_alert: text("soon"), ..none() }, Err("silence_alert")),
        ("", FeedChange { proxy: text("ftp://x"), ..none() }, Err("proxy")),
        ("", FeedChange { proxy: text("http://u:***@x"), ..none() }, Err("")),
    ] {
        let found = edit_feed(&feed(before), &id("a"), &change).map_err(|error| (error.kind, error.key));
        let expected = after.map(feed).map_err(|key| (Kind::InvalidValue, key.to_owned()));
        assert_eq!(found, expected, "{before}{change:?}");
    }
    let settings = FeedChange { group: text("G"), images: Some(true), ..none() };
    let new = NewFeed { url: "http://x/".to_owned(), settings, ..NewFeed::default() };
    let added = "[[feed]]\nid = \"x\"\nurl = \"http://x/\"\nimages = true\ngroup = \"G\"\n";
    assert_eq!(add_feed("", &new).map(|(text, _)| text).as_deref(), Ok(added));
}

fn hours(days: &[Weekday], from: &str, to: &str, zone: Option<&str>) -> QuietHours {
    QuietHours {
        days: days.to_vec(),
        from: from.to_owned(),
        to: to.to_owned(),
        time_zone: zone.map(str::to_owned),
    }
}

const ALL: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

#[test]
#[expect(clippy::too_many_lines, reason = "one table of changes")]
fn the_programs_own_settings_are_changed_where_they_stand() {
    let flood = |popups, seconds, overall| {
        let within = Duration::from_secs(seconds);
        SettingsChange { flood: Some(Flood { popups, overall, within }), ..SettingsChange::default() }
    };
    let sound = |sound| SettingsChange { sound: Some(sound), ..SettingsChange::default() };
    let outage = |seconds: u64| SettingsChange {
        outage_alert: Some((seconds > 0).then(|| Duration::from_secs(seconds))),
        ..SettingsChange::default()
    };
    let keep = |days, events| SettingsChange {
        retention: Some(Retention { days, events }),
        ..SettingsChange::default()
    };
    let feed = "[[feed]]\nid = \"a\"\nurl = \"http://a\"\n";
    for (before, change, after) in [
        ("", sound(true), ""),
        ("", sound(false), "[notifications]\nsound = false\n"),
        ("# none", sound(false), "# none\n\n[notifications]\nsound = false\n"),
        (
            "[notifications] # mine\nsound = false # hush\n",
            sound(true),
            "[notifications] # mine\nsound = true # hush\n",
        ),
        ("", flood(3, 10, 10), ""),
        ("", flood(5, 10, 10), "[notifications]\nflood = { popups = 5, seconds = 10, overall = 10 }\n"),
        (
            "[notifications]\nflood = {popups=2} # few\n",
            flood(4, 10, 10),
            "[notifications]\nflood = {popups=4} # few\n",
        ),
        (
            "[notifications]\nflood.popups = 2 # few\n",
            flood(2, 60, 10),
            "[notifications]\nflood.popups = 2 # few\nflood.seconds = 60\n",
        ),
        (
            "[notifications.flood]\npopups = 2 # few\n",
            flood(7, 10, 10),
            "[notifications.flood]\npopups = 7 # few\n",
        ),
        ("[notifications]\n", outage(600), "[notifications]\n"),
        ("[notifications]\n", outage(0), "[notifications]\noutage_alert = false\n"),
        (
            "[notifications]\noutage_alert = false\n",
            outage(5400),
            "[notifications]\noutage_alert = \"1h30m\"\n",
        ),
        ("", keep(Some(30), None), "[log]\nkeep_days = 30\n"),
        (
            "[log]\nkeep_days = 30 # a month\n",
            keep(Some(60), Some(5000)),
            "[log]\nkeep_days = 60 # a month\nkeep_events = 5000\n",
        ),
        ("[log]\nkeep_days = 30 # a month\n", keep(None, None), "[log]\n"),
    ] {
        assert_eq!(edit_settings(before, &change).as_deref(), Ok(after), "{before}{change:?}");
        let around = |text: &str| format!("{feed}\n{text}");
        let expected =
            if after.starts_with(before) || !before.starts_with('#') { around(after) } else { continue };
        assert_eq!(
            edit_settings(&around(before), &change).as_deref().map(|text| text.replace("\n\n\n", "\n\n")),
            Ok(expected)
        );
    }
    for (change, key) in [
        (flood(0, 10, 10), "notifications.flood.popups"),
        (outage(40 * 24 * 3600), "notifications.outage_alert"),
        (keep(Some(0), None), "log.keep_days"),
        (keep(None, Some(10)), "log.keep_events"),
    ] {
        let found = edit_settings(feed, &change).map_err(|error| (error.kind, error.key, error.line));
        assert_eq!(found, Err((Kind::InvalidValue, key.to_owned(), 0)));
    }
    assert_eq!(edit_settings("[[feed]", &sound(false)).map_err(|error| error.kind), Err(Kind::Broken));
}

#[test]
fn quiet_hours_keep_their_comments() {
    let set = |toml: &str, all: &[QuietHours]| {
        let change = SettingsChange { quiet_hours: Some(all.to_vec()), ..SettingsChange::default() };
        edit_settings(toml, &change).map_err(|error| (error.kind, error.key))
    };
    let night = "# nights\n[[quiet_hours]]\nfrom = \"22:00\" # late\nto = '7:00'\n";
    let weekend = "[[quiet_hours]]\ndays = [\"sat\", \"sun\"]\nfrom = \"00:00\"\nto = \"24:00\"\ntime_zone = \"Europe/Berlin\"\n";
    let feed = "[[feed]]\nid = \"a\"\nurl = \"http://a\"\n";
    let toml = format!("{night}\n{weekend}\n{feed}");
    let nights = hours(&ALL, "22:00", "07:00", None);
    let weekends = hours(&[Weekday::Sunday, Weekday::Saturday], "00:00", "00:00", Some("Europe/Berlin"));
    assert_eq!(set(&toml, &[nights.clone(), weekends.clone()]).as_ref(), Ok(&toml));
    assert_eq!(
        set(&toml, &[weekends.clone(), nights.clone()]),
        Ok(format!("{}\n{night}\n{feed}", weekend)).map(|text: String| text
            .replace("# nights\n", "")
            .replacen("[[quiet_hours]]\ndays", "# nights\n[[quiet_hours]]\ndays", 1))
    );
    assert_eq!(set(&toml, std::slice::from_ref(&weekends)), Ok(format!("# nights\n{weekend}\n{feed}")));
    let later = hours(&ALL, "23:00", "07:00", None);
    assert_eq!(
        set(&toml, &[later, weekends.clone()]),
        Ok(toml.replace("\"22:00\" # late", "\"23:00\" # late"))
    );
    let monday = hours(&[Weekday::Monday], "12:00", "13:00", None);
    let section = "[[quiet_hours]]\ndays = [\"mon\"]\nfrom = \"12:00\"\nto = \"13:00\"\n";
    assert_eq!(set(feed, std::slice::from_ref(&monday)), Ok(format!("{feed}\n{section}")));
    assert_eq!(
        set(&toml, &[nights.clone(), weekends, monday.clone()]),
        Ok(format!("{night}\n{weekend}\n{section}\n{feed}"))
    );
    let one = "[quiet_hours] # all I need\nfrom = \"22:00\"\nto = \"07:00\"\n";
    assert_eq!(
        set(one, &[nights.clone(), monday.clone()]),
        Ok(format!("[[quiet_hours]] # all I need\nfrom = \"22:00\"\nto = \"07:00\"\n\n{section}"))
    );
    let inline = "quiet_hours = [{ from = \"22:00\", to = \"07:00\" }] # here\n";
    assert_eq!(set(inline, std::slice::from_ref(&nights)).as_deref(), Ok(inline));
    assert_eq!(
        set(inline, std::slice::from_ref(&monday)).as_deref(),
        Ok("quiet_hours = [{ days = [\"mon\"], from = \"12:00\", to = \"13:00\" }] # here\n")
    );
    for (wrong, key) in [
        (hours(&ALL, "25:00", "07:00", None), "quiet_hours[2].from"),
        (hours(&ALL, "22:00", "7", None), "quiet_hours[2].to"),
        (hours(&ALL, "22:00", "07:00", Some("Nowhere/X")), "quiet_hours[2].time_zone"),
        (hours(&[], "22:00", "07:00", None), "quiet_hours[2].days"),
    ] {
        assert_eq!(set(&toml, &[nights.clone(), wrong]), Err((Kind::InvalidValue, key.to_owned())));
    }
}

//! What a person wants of popups.

use std::time::Duration;

use jiff::{
    civil::{Weekday, time},
    tz::TimeZone,
};

use crate::{
    config::parse,
    feed::Silence,
    policy::{Flood, Notifications, QuietRange},
};

#[test]
fn what_a_person_wants_of_popups_is_read() {
    let none = parse("").expect("a good file").notifications;
    assert_eq!(*none, Notifications::default());
    let written = parse(
        r#"
[notifications]
flood = { popups = 5, seconds = 60, overall = 20 }
sound = false
outage_alert = "1h"

[[quiet_hours]]
from = "22:00"
to = "7:30"

[[quiet_hours]]
days = ["sat", "sun"]
from = "00:00"
to = "24:00"
time_zone = "Europe/Berlin"

[[feed]]
id = "a"
url = "http://a.example.org"
mute = true
images = true
silence_alert = "6h"

[[feed]]
id = "b"
url = "http://b.example.org"
silence_alert = "usual"
"#,
    )
    .expect("a good file");
    let berlin = TimeZone::get("Europe/Berlin").expect("a time zone");
    let expected = Notifications {
        flood: Flood { popups: 5, overall: 20, within: Duration::from_secs(60) },
        sound: false,
        outage_alert: Some(Duration::from_secs(3_600)),
        quiet_hours: vec![
            QuietRange { days: vec![], from: time(22, 0, 0, 0), to: time(7, 30, 0, 0), zone: None },
            QuietRange {
                days: vec![Weekday::Saturday, Weekday::Sunday],
                from: time(0, 0, 0, 0),
                to: time(0, 0, 0, 0),
                zone: Some(berlin),
            },
        ],
    };
    assert_eq!(*written.notifications, expected);
    let feeds: Vec<_> =
        written.feeds.iter().map(|feed| (feed.mute, feed.images, feed.silence_alert)).collect();
    let six = Duration::from_secs(6 * 3_600);
    assert_eq!(feeds, [(true, true, Some(Silence::After(six))), (false, false, Some(Silence::Usual))]);
    let one =
        parse("[quiet_hours]\nfrom = \"22:00\"\nto = \"07:00\"\n[notifications]\noutage_alert = false\n");
    let one = one.expect("a good file").notifications;
    assert_eq!((one.quiet_hours.len(), one.outage_alert), (1, None));
}

#[test]
fn mistakes_about_popups_name_line_key_and_remedy() {
    let quiet = |rest: &str| format!("[[quiet_hours]]\n{rest}");
    for (text, expected) in [
        ("notifications = 3\n".to_owned(), "line 1, notifications: this is a section: write [notifications]"),
        (
            "[notifications]\nsounds = 1\n".to_owned(),
            "line 2, notifications.sounds: unknown key; did you mean sound?",
        ),
        (
            "[notifications]\nflood = 3\n".to_owned(),
            "line 2, notifications.flood: must be a table, such as { popups = 3, seconds = 10, overall = 10 }; this is of type integer",
        ),
        (
            "[notifications]\nflood = { popups = 0 }\n".to_owned(),
            "line 2, notifications.flood.popups: must be a whole number from 1 to 1000",
        ),
        (
            "[notifications]\noutage_alert = true\n".to_owned(),
            "line 2, notifications.outage_alert: must be a time, such as \"10m\", or false for never",
        ),
        (
            "[notifications]\noutage_alert = \"soon\"\n".to_owned(),
            "line 2, notifications.outage_alert: “soon” is no time from 1 s to 2678400 s; write seconds, such as 600, or a time, such as \"10m\"",
        ),
        (quiet("from = \"22:00\"\n"), "line 1, quiet_hours[1].to: missing; add it, such as to = \"07:00\""),
        (
            quiet("from = \"25:00\"\nto = \"1:00\"\n"),
            "line 2, quiet_hours[1].from: “25:00” is no time of the day; write hours and minutes, such as \"22:00\"",
        ),
        (
            quiet("from = \"2:00\"\nto = \"1:0\"\n"),
            "line 3, quiet_hours[1].to: “1:0” is no time of the day; write hours and minutes, such as \"22:00\"",
        ),
        (
            quiet("from = \"2:00\"\nto = \"1:00\"\ndays = [\"monday\"]\n"),
            "line 4, quiet_hours[1].days: “monday” is no day of the week; write mon, tue, wed, thu, fri, sat or sun",
        ),
        (
            quiet("from = \"2:00\"\nto = \"1:00\"\ndays = []\n"),
            "line 4, quiet_hours[1].days: must be a list of days, such as [\"mon\", \"tue\"]; this is of type array",
        ),
        (
            quiet("from = \"2:00\"\nto = \"1:00\"\ntime_zone = \"Mars/Olympus\"\n"),
            "line 4, quiet_hours[1].time_zone: this computer knows no time zone “Mars/Olympus”; write one such as \"Europe/Berlin\", or leave it out for this computer's own",
        ),
        (
            "quiet_hours = \"night\"\n".to_owned(),
            "line 1, quiet_hours: each range of quiet hours is a section of its own: write [[quiet_hours]], with two brackets",
        ),
        (
            "[[feed]]\nid = \"a\"\nurl = \"http://a\"\nsilence_alert = \"never\"\n".to_owned(),
            "line 4, feed[1].silence_alert: “never” is no time from 1 s to 2678400 s; write seconds, such as 600, or a time, such as \"10m\"",
        ),
    ] {
        let error = parse(&text).expect_err(&text);
        assert_eq!(error.to_string(), format!("feeds.toml {expected}"), "{text}");
    }
}

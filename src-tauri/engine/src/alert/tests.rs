use super::*;
use crate::feed::ProxyFault;

/// The feeds of a story as they stand: `.` there, `x` out, `-` excused.
struct Story {
    alerts: Alerts,
    outage: Option<Duration>,
    silence: Option<Silence>,
    reach: Vec<(char, u64)>,
    held: String,
    start: Instant,
    second: u64,
    told: Vec<String>,
}

impl Story {
    fn new(outage: u64, silence: Option<Silence>) -> Self {
        Self {
            alerts: Alerts::new(),
            outage: (outage > 0).then(|| Duration::from_secs(outage)),
            silence,
            reach: Vec::new(),
            held: String::new(),
            start: Instant::now(),
            second: 0,
            told: Vec::new(),
        }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_secs(self.second)
    }

    /// Lets time pass as whoever drives the alerts does: nothing is looked at before it is due.
    fn pass_until(&mut self, second: u64) {
        while let Some(due) = self.alerts.due(self.now()) {
            let seconds = due.duration_since(self.start).as_secs_f64().ceil() as u64;
            if seconds > second {
                break;
            }
            self.second = seconds.max(self.second + 1);
            self.drain();
        }
        self.second = second;
    }

    fn drain(&mut self) {
        while let Some(alert) = self.alerts.next(self.now()) {
            self.alerts.told(&alert);
            let names = |feeds: &[FeedId]| feeds.iter().map(FeedId::as_str).collect::<String>();
            let text = match &alert {
                Alert::Out(feeds) => format!("out {}", names(feeds)),
                Alert::Back(feeds) => format!("back {}", names(feeds)),
                Alert::Over => "over".to_owned(),
                Alert::Silent(feed, time) => format!("silent {feed} {}", time.as_secs()),
                Alert::Heard(feed) => format!("heard {feed}"),
                Alert::NotSilent(feed) => format!("not silent {feed}"),
            };
            self.told.push(format!("{} {text}", self.second));
        }
    }

    /// `feeds x.`: their states; `event b`: one came; `hold ab`: nothing is to be told of these; `sleep`: the machine has slept;
    /// `outage 0`, `silence off`: settings change.
    fn does(&mut self, what: &str) {
        match what.split_once(' ').unwrap_or((what, "")) {
            ("feeds", reach) => {
                let events = |at: usize| self.reach.get(at).map_or(0, |(_, events)| *events);
                self.reach = reach.chars().enumerate().map(|(at, reach)| (reach, events(at))).collect();
            }
            ("event", feed) => {
                let at = feed.bytes().next().map_or(0, |name| usize::from(name - b'a'));
                self.reach[at].1 += 1;
            }
            ("hold", feeds) => feeds.clone_into(&mut self.held),
            ("sleep", _) => self.alerts.woke_up(self.now()),
            ("outage", seconds) => {
                self.outage = seconds.parse().ok().filter(|s| *s > 0).map(Duration::from_secs);
            }
            ("silence", _) => self.silence = None,
            _ => panic!("{what}"),
        }
        let feeds = self.reach.iter().zip('a'..).filter(|((reach, _), _)| *reach != ' ');
        let seen = feeds.map(|(&(reach, events), name)| Seen {
            feed: FeedId::new(&name.to_string()).unwrap(),
            url: Url::parse("https://example.org/events").unwrap(),
            reach: match reach {
                '.' => Reach::There,
                'x' => Reach::Out,
                _ => Reach::Excused,
            },
            events,
            last_event_at: (events > 0).then(|| Timestamp::from_second(self.second as i64).unwrap()),
            silence: self.silence,
            held: self.held.contains(name),
        });
        let seen = seen.collect();
        self.alerts.look(seen, self.outage, self.now());
        self.drain();
    }
}

/// What is told, with the second at which it is, of what happens until 100,000 s have passed.
fn check(case: &str, mut story: Story, happens: &[(u64, &str)], expected: &[&str]) {
    for &(second, what) in happens {
        story.pass_until(second);
        story.does(what);
    }
    story.pass_until(100_000);
    assert_eq!(story.told, expected, "{case}");
}

#[test]
fn an_outage_is_told_once_and_only_if_it_is_long() {
    // Outages over 600 s are told; changes are gathered for 10 s, a connection holds after 60 s.
    for (case, happens, expected) in [
        ("all is well", &[(0, "feeds ..")][..], &[][..]),
        ("a short one", &[(0, "feeds ."), (100, "feeds x"), (699, "feeds .")], &[]),
        ("from the start", &[(0, "feeds x")], &["610 out a"]),
        (
            "a long one",
            &[(0, "feeds ."), (100, "feeds x"), (5_000, "feeds .")],
            &["710 out a", "5070 back a"],
        ),
        (
            "an event says that it is back",
            &[(0, "feeds ."), (100, "feeds x"), (5_000, "feeds ."), (5_005, "event a")],
            &["710 out a", "5015 back a"],
        ),
        (
            "comes and goes before it is told",
            &[(0, "feeds x"), (500, "feeds ."), (501, "feeds x"), (1_000, "feeds ."), (1_001, "feeds x")],
            &["1611 out a"],
        ),
        (
            "comes and goes after it was told",
            &[
                (0, "feeds x"),
                (700, "feeds ."),
                (750, "feeds x"),
                (800, "feeds ."),
                (859, "feeds x"),
                (999, "feeds ."),
            ],
            &["610 out a", "1069 back a"],
        ),
        (
            "two outages are two",
            &[(0, "feeds x"), (700, "feeds ."), (1_000, "feeds x"), (2_000, "feeds .")],
            &["610 out a", "770 back a", "1610 out a", "2070 back a"],
        ),
    ] {
        check(case, Story::new(600, None), happens, expected);
    }
}

#[test]
fn several_outages_share_a_popup_that_is_replaced() {
    for (case, happens, expected) in [
        ("at once", &[(0, "feeds ..."), (100, "feeds xx."), (105, "feeds xxx")][..], &["710 out abc"][..]),
        (
            "one after the other",
            &[(0, "feeds x.."), (200, "feeds xx."), (300, "feeds xxx")],
            &["610 out a", "810 out ab", "910 out abc"],
        ),
        (
            "back one after the other",
            &[(0, "feeds xxx"), (1_000, "feeds .xx"), (2_000, "feeds ..x"), (3_000, "feeds ...")],
            &["610 out abc", "1070 out bc", "2070 out c", "3070 back abc"],
        ),
        (
            "back at once",
            &[
                (0, "feeds xx"),
                (1_000, "feeds .x"),
                (1_004, "feeds .."),
                (1_005, "event a"),
                (1_006, "event b"),
            ],
            &["610 out ab", "1015 back ab"],
        ),
        (
            "one is paused, the other comes back",
            &[(0, "feeds xx"), (1_000, "feeds -x"), (2_000, "feeds -.")],
            &["610 out ab", "1010 out b", "2070 back b"],
        ),
    ] {
        check(case, Story::new(600, None), happens, expected);
    }
}

#[test]
fn what_nobody_waits_for_is_no_outage() {
    for (case, happens, expected) in [
        ("paused", &[(0, "feeds -")][..], &[][..]),
        ("paused after it was told", &[(0, "feeds x"), (700, "feeds -")], &["610 out a", "710 over"]),
        ("removed after it was told", &[(0, "feeds x"), (700, "feeds ")], &["610 out a", "710 over"]),
        (
            "one of two removed",
            &[(0, "feeds xx"), (700, "feeds  x"), (900, "feeds  .")],
            &["610 out ab", "970 back b"],
        ),
        ("a night asleep", &[(0, "feeds x"), (500, "sleep"), (1_000, "sleep"), (1_500, "feeds .")], &[]),
        ("out since a sleep", &[(0, "feeds x"), (500, "sleep")], &["1110 out a"]),
        (
            "told before a sleep",
            &[(0, "feeds x"), (700, "sleep"), (800, "feeds .")],
            &["610 out a", "870 back a"],
        ),
        ("nobody wants to know", &[(0, "outage 0"), (1, "feeds x")], &[]),
        ("nobody wants to know any more", &[(0, "feeds x"), (700, "outage 0")], &["610 out a", "700 over"]),
    ] {
        check(case, Story::new(600, None), happens, expected);
    }
}

#[test]
fn what_is_held_back_is_told_afterwards_if_it_still_holds() {
    for (case, happens, expected) in [
        ("over by then", &[(0, "feeds x"), (0, "hold a"), (5_000, "feeds ."), (6_000, "hold ")][..], &[][..]),
        ("still so", &[(0, "feeds x"), (1, "hold a"), (5_000, "hold ")], &["5010 out a"]),
        (
            "back while held",
            &[(0, "feeds x"), (700, "hold a"), (800, "feeds ."), (5_000, "hold ")],
            &["610 out a", "5010 back a"],
        ),
        (
            "one of two",
            &[(0, "feeds xx"), (1, "hold a"), (900, "feeds x."), (5_000, "hold ")],
            &["610 out b", "970 back b", "5010 out a"],
        ),
    ] {
        check(case, Story::new(600, None), happens, expected);
    }
}

#[test]
fn outages_of_seconds_are_told_within_seconds() {
    check(
        "2 s",
        Story::new(2, None),
        &[(0, "feeds ."), (10, "feeds x"), (20, "feeds ."), (40, "feeds x"), (41, "feeds .")],
        &["13 out a", "23 back a"],
    );
}

#[test]
fn silence_is_told_once_and_taken_back_by_an_event() {
    let hour = Some(Silence::After(Duration::from_secs(3_600)));
    for (case, happens, expected) in [
        ("from the start", &[(0, "feeds .")][..], &["3600 silent a 3600"][..]),
        (
            "after an event",
            &[(0, "feeds ."), (2_000, "event a"), (9_000, "event a"), (9_001, "event a")],
            &["5600 silent a 3600", "9000 heard a", "12601 silent a 3600"],
        ),
        ("asleep", &[(0, "feeds ."), (3_000, "sleep"), (6_000, "event a"), (7_000, "silence off")], &[]),
        ("out for long", &[(0, "feeds ."), (3_000, "feeds x"), (3_590, "feeds .")], &["7190 silent a 3600"]),
        (
            "out for a moment",
            &[(0, "feeds ."), (3_000, "feeds x"), (3_010, "feeds .")],
            &["3600 silent a 3600"],
        ),
        ("paused", &[(0, "feeds .-"), (3_000, "feeds --")], &[]),
        (
            "paused after it was told",
            &[(0, "feeds ."), (4_000, "feeds -")],
            &["3600 silent a 3600", "4000 not silent a"],
        ),
        (
            "no longer of interest",
            &[(0, "feeds ."), (4_000, "silence off")],
            &["3600 silent a 3600", "4000 not silent a"],
        ),
        ("held back", &[(0, "feeds ."), (1, "hold a"), (5_000, "hold ")], &["5000 silent a 5000"]),
        (
            "held back until it was over",
            &[(0, "feeds ."), (1, "hold a"), (5_000, "event a"), (5_001, "hold "), (5_002, "silence off")],
            &[],
        ),
    ] {
        check(case, Story::new(0, hour), happens, expected);
    }
}

#[test]
fn silence_longer_than_usual_is_learned_from_the_log_and_from_what_comes() {
    let feed = FeedId::new("a").unwrap();
    let mut story = Story::new(0, Some(Silence::Usual));
    story.alerts.learn(&feed, (-8..=0).map(|hour| Timestamp::from_second(hour * 3_600).unwrap()));
    check("from the log", story, &[(0, "feeds ..")], &["14400 silent a 14400"]);

    let story = Story::new(0, Some(Silence::Usual));
    let mut happens = vec![(0, "feeds .")];
    happens.extend((0..9).map(|minute| (minute * 300, "event a")));
    check("from what comes", story, &happens, &["3600 silent a 1200"]);
    let few = Story::new(0, Some(Silence::Usual));
    check("too little", few, &happens[..8], &[]);
}

#[test]
fn what_counts_as_out_of_reach() {
    let refused = Some(Reason::Refused("example.org".to_owned()));
    let sign_in = Some(Reason::Proxy { proxy: "p:1".to_owned(), fault: ProxyFault::SignIn });
    for (state, reason, expected) in [
        (State::Connected, None, Reach::There),
        (State::Connecting, None, Reach::Out),
        (State::Connecting, refused.clone(), Reach::Out),
        (State::Waiting, refused, Reach::Out),
        (State::Waiting, Some(Reason::EndedEmpty), Reach::Out),
        (State::Waiting, Some(Reason::Ended), Reach::There),
        (State::Connecting, Some(Reason::Ended), Reach::There),
        (State::NeedsAttention, Some(Reason::Status(404)), Reach::Out),
        (State::NeedsAttention, Some(Reason::Status(401)), Reach::Excused),
        (State::Connecting, Some(Reason::Status(403)), Reach::Excused),
        (State::NeedsAttention, sign_in, Reach::Excused),
        (State::Stopped, Some(Reason::Status(410)), Reach::Out),
        (State::Stopped, Some(Reason::Status(204)), Reach::Excused),
        (State::Stopped, Some(Reason::ClosedByRule(1)), Reach::Excused),
        (State::Paused, None, Reach::Excused),
    ] {
        let connection = ConnectionState { reason, ..ConnectionState::new(state) };
        assert_eq!(Reach::of(&connection), expected, "{connection:?}");
    }
}

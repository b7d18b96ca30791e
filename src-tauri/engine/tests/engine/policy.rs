//! What becomes of popups in the running engine: floods, what was missed, what is held back, what is taken away.

use bellwether_engine::{
    engine::{Attention, Summary, SummaryKind},
    event_log::ReadMark,
    policy::OutcomeReason,
};
use jiff::{SignedDuration, Timestamp};

use super::*;

/// The next popup of several events, reported as shown.
async fn summary(fixture: &mut Fixture) -> Popup {
    loop {
        let popup = fixture.shown().await.popup;
        if popup.summary.is_some() {
            return popup;
        }
    }
}

fn codes(fixture: &Fixture, id: &str) -> Vec<String> {
    fixture.log(id).into_iter().map(|record| record.reason.code.into_owned()).collect()
}

#[tokio::test]
async fn five_hundred_events_in_a_second_are_three_popups_and_one_that_counts_the_rest() {
    let go = Arc::new(Notify::new());
    let script = vec![stream(""), Act::Wait(go.clone()), send(numbers(1..=500)), Act::Hold];
    let server = ScriptedServer::start(vec![script]).await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    fixture.engine.report(Report::Available(true)).await;
    fixture.feed("a", |view| view.connection.state == State::Connected).await;
    go.notify_one();

    let (mut single, mut told, mut last) = (Vec::new(), 0, None);
    while single.len() + told < 500 {
        let popup = fixture.shown().await.popup;
        match popup.summary.clone() {
            None => single.extend(popup.events.clone()),
            Some(summary) => {
                told += popup.events.len();
                assert_eq!((summary.kind, summary.count), (SummaryKind::Flood, told as u64));
                assert_eq!(*last.get_or_insert(summary.id), summary.id, "it is always the same popup");
            }
        }
    }
    assert_eq!((single.as_slice(), told), (&[1, 2, 3][..], 497));
    fixture.settled().await;
    assert_eq!(fixture.data("a"), texts(1..=500));
    let codes = codes(&fixture, "a");
    assert!(codes[..3].iter().all(|code| code == OutcomeReason::DEFAULT));
    assert!(codes[3..].iter().all(|code| code == OutcomeReason::FLOOD));
    let outcomes = fixture.outcomes("a");
    assert!(outcomes[..3].iter().all(|outcome| *outcome == Outcome::Shown));
    assert!(outcomes[3..].iter().all(|outcome| *outcome == Outcome::Summarized));

    // Its events can be asked for, and read, by its number.
    let of_summary = Query { summary: last, limit: 1000, ..Query::default() };
    let page = fixture.engine.log().page(&of_summary).expect("the log");
    assert_eq!(page.records.len(), 497);
    assert!(page.records.iter().all(|record| record.summary == last && !record.read));
    fixture.engine.mark_read(ReadMark::Summary(last.expect("a number")), true).await.expect("a log");
    assert_eq!(fixture.feed("a", |_| true).await.counts.unread, 3);
}

/// An engine that has shown the first of 41 events; the server sends the others to the next connection.
async fn with_one_of_41() -> (ScriptedServer, Fixture) {
    let first = vec![stream(&numbers([1])), Act::Hold];
    let replay = vec![stream(&numbers(2..=41)), Act::Hold];
    let server = ScriptedServer::start(vec![first, replay]).await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    fixture.engine.report(Report::Available(true)).await;
    assert_eq!(fixture.shown().await.popup.events, [1]);
    (server, fixture)
}

/// The popup of the 40 others.
async fn caught_up(fixture: &mut Fixture) -> Summary {
    let popup = fixture.shown().await.popup;
    let summary = popup.summary.expect("a summary");
    assert_eq!((summary.kind, summary.count, popup.events.len()), (SummaryKind::CatchUp, 40, 40));
    fixture.settled().await;
    summary
}

#[tokio::test]
async fn what_was_missed_while_the_program_did_not_run_is_one_popup_of_exactly_these() {
    let (_server, fixture) = with_one_of_41().await;
    fixture.settled().await;

    let mut fixture = fixture.restart().await;
    fixture.engine.report(Report::Available(true)).await;
    let summary = caught_up(&mut fixture).await;
    assert_eq!(summary.titles.len(), 3);
    let page = Query { summary: Some(summary.id), limit: 1000, ..Query::default() };
    let mut told: Vec<_> = fixture
        .engine
        .log()
        .page(&page)
        .expect("the log")
        .records
        .into_iter()
        .map(|record| record.message.data)
        .collect();
    told.reverse();
    assert_eq!(told, texts(2..=41));
    assert!(codes(&fixture, "a")[1..].iter().all(|code| code == OutcomeReason::CATCH_UP));
    assert!(fixture.popups.try_recv().is_err());
}

#[tokio::test]
async fn a_snooze_outlasts_a_restart_and_ends_in_one_popup_for_all_feeds() {
    let script = |count| vec![vec![stream(&numbers(1..=count)), Act::Hold], vec![stream(""), Act::Hold]];
    let (a, b) = (ScriptedServer::start(script(3)).await, ScriptedServer::start(script(2)).await);
    let go = |server: &ScriptedServer, id| feed(id, server, "paused = true");
    let urgent = "[[feed.rule]]\nevent = \"fire\"\nurgent = true\n[[feed.rule]]\n";
    let mut fixture = Fixture::start(&(go(&a, "a") + urgent + &go(&b, "b")));
    fixture.engine.report(Report::Available(true)).await;
    let until = Timestamp::now() + SignedDuration::from_hours(1);
    fixture.engine.snooze(None, Some(until)).await.expect("a snooze");
    for name in ["a", "b"] {
        fixture.engine.set_paused(id(name), false).await.expect("a feed");
    }
    fixture.events("a", 3).await;
    fixture.events("b", 2).await;
    assert_eq!(fixture.outcomes("a"), [Outcome::Held; 3]);
    let reason = fixture.log("a")[0].reason.clone();
    assert_eq!(
        (&*reason.code, reason.rule, &*reason.detail),
        (OutcomeReason::SNOOZED, Some(2), &*until.to_string())
    );

    let mut fixture = fixture.restart().await;
    fixture.engine.report(Report::Available(true)).await;
    fixture.feed("a", |view| view.connection.state == State::Connected).await;
    let attention = fixture.engine.attention().await.expect("the engine");
    assert_eq!(attention, Attention { snoozed_until: Some(until), quiet_until: None, held: 5 });
    assert!(fixture.popups.try_recv().is_err(), "nothing is shown meanwhile");
    // One is read in the window: it need not be told.
    fixture.engine.mark_read(ReadMark::Events(vec![fixture.log("b")[0].seq]), true).await.expect("a log");

    fixture.engine.snooze(None, None).await.expect("its end");
    let popup = fixture.shown().await.popup;
    let summary = popup.summary.expect("a digest");
    assert_eq!((popup.feed, summary.kind, summary.count), (None, SummaryKind::Digest, 4));
    assert_eq!(summary.feeds, [("a".to_owned(), 3), ("b".to_owned(), 1)]);
    fixture.settled().await;
    assert_eq!(fixture.outcomes("a"), [Outcome::Summarized; 3]);
    assert_eq!(fixture.outcomes("b"), [Outcome::Logged, Outcome::Summarized]);
    assert_eq!(fixture.engine.attention().await.expect("the engine"), Attention::default());
    assert!(fixture.popups.try_recv().is_err());
}

#[tokio::test]
async fn a_snooze_ends_by_itself_and_urgent_events_pass_it() {
    let go = Arc::new(Notify::new());
    let events = "data: 1\n\nevent: fire\ndata: 2\n\ndata: 3\n\n";
    let script = vec![stream(""), Act::Wait(go.clone()), send(events), Act::Hold];
    let server = ScriptedServer::start(vec![script]).await;
    let urgent = "[[feed.rule]]\nevent = \"fire\"\nurgent = true\n[[feed.rule]]\n";
    let mut fixture = Fixture::start(&feed("a", &server, urgent));
    fixture.engine.report(Report::Available(true)).await;
    fixture.feed("a", |view| view.connection.state == State::Connected).await;
    let until = Timestamp::now() + SignedDuration::from_secs(2);
    fixture.engine.snooze(Some(id("a")), Some(until)).await.expect("a snooze");
    assert_eq!(fixture.feed("a", |_| true).await.snoozed_until, Some(until));
    go.notify_one();
    assert_eq!(fixture.shown().await.popup.events, [2], "the urgent one");
    let digest = summary(&mut fixture).await;
    assert!(Timestamp::now() >= until);
    assert_eq!((digest.events, digest.feed), (vec![1, 3], Some(id("a"))));
    assert_eq!(fixture.feed("a", |_| true).await.snoozed_until, None);
}

#[tokio::test]
async fn a_newer_event_of_the_same_key_takes_the_place_of_one_that_was_not_shown() {
    let events = "data: {\"k\": \"x\", \"n\": 1}\n\ndata: {\"k\": \"y\", \"n\": 2}\n\ndata: {\"k\": \"x\", \"n\": 3}\n\n";
    let clear = "event: clear\ndata: {\"k\": \"y\"}\n\n";
    let server = ScriptedServer::start(vec![vec![stream(&(events.to_owned() + clear)), Act::Hold]]).await;
    let rules = "[[feed.rule]]\nevent = \"clear\"\naction = \"withdraw\"\nnotify = { key = \"{{ data.k }}\" }\n\
                 [[feed.rule]]\nnotify = { key = \"{{ data.k }}\" }\n";
    let mut fixture = Fixture::start(&feed("a", &server, rules));
    fixture.events("a", 4).await;
    assert_eq!(codes(&fixture, "a"), ["replaced", "withdrawn", "rule", "rule"]);
    assert_eq!(fixture.outcomes("a"), [Outcome::Logged, Outcome::Logged, Outcome::Pending, Outcome::Logged]);
    assert_eq!(fixture.feed("a", |_| true).await.counts.unread, 1);
    fixture.engine.report(Report::Available(true)).await;
    assert_eq!(fixture.shown().await.popup.events, [3]);
    fixture.settled().await;
    assert!(fixture.popups.try_recv().is_err());
}

#[tokio::test]
async fn what_is_withdrawn_after_it_was_shown_goes_away_and_is_read() {
    let go = Arc::new(Notify::new());
    let script = vec![
        stream("data: {\"k\": \"x\"}\n\n"),
        Act::Wait(go.clone()),
        send("event: clear\ndata: {\"k\": \"x\"}\n\n"),
        Act::Hold,
    ];
    let server = ScriptedServer::start(vec![script]).await;
    let rules = "[[feed.rule]]\nevent = \"clear\"\naction = \"withdraw\"\nnotify = { key = \"{{ data.k }}\" }\n\
                 [[feed.rule]]\nnotify = { key = \"{{ data.k }}\" }\n";
    let mut fixture = Fixture::start(&feed("a", &server, rules));
    fixture.engine.report(Report::Available(true)).await;
    assert_eq!(fixture.shown().await.popup.events, [1]);
    fixture.settled().await;
    assert_eq!(fixture.feed("a", |_| true).await.counts.unread, 1);
    go.notify_one();
    let withdrawn = timeout(PATIENCE, fixture.withdrawn.recv()).await.expect("in time");
    assert_eq!(withdrawn, Some((id("a"), "x".to_owned())));
    assert_eq!(fixture.feed("a", |view| view.counts.events == 2).await.counts.unread, 0);
}

#[tokio::test]
async fn a_muted_feed_is_logged_and_says_so() {
    let server = ScriptedServer::start(vec![vec![stream(&numbers(1..=2)), Act::Hold]]).await;
    let mut fixture = Fixture::start(&feed("a", &server, "mute = true"));
    fixture.engine.report(Report::Available(true)).await;
    fixture.events("a", 2).await;
    assert_eq!(
        (fixture.outcomes("a"), codes(&fixture, "a")),
        (vec![Outcome::Logged; 2], strings(["muted"; 2]))
    );
    assert!(fixture.popups.try_recv().is_err());
}

#[tokio::test]
async fn what_was_missed_while_the_machine_slept_is_one_popup() {
    let (_server, mut fixture) = with_one_of_41().await;
    fixture.engine.woke_up().await;
    caught_up(&mut fixture).await;
    assert!(fixture.popups.try_recv().is_err());
}

#[tokio::test]
async fn what_is_pending_meets_the_gates_that_close_before_it_is_shown() {
    let urgent = "[[feed.rule]]\nevent = \"fire\"\nurgent = true\n[[feed.rule]]\n";
    let events = "data: 1\n\nevent: fire\ndata: 2\n\ndata: 3\n\ndata: 4\n\n";
    let script = || vec![vec![stream(events), Act::Hold]];
    let (a, b) = (ScriptedServer::start(script()).await, ScriptedServer::start(script()).await);
    let mut fixture = Fixture::start(&(feed("a", &a, urgent) + &feed("b", &b, urgent)));
    fixture.events("a", 4).await;
    fixture.events("b", 4).await;
    assert_eq!(fixture.outcomes("a"), [Outcome::Pending; 4], "there is no notification server");
    let until = Timestamp::now() + SignedDuration::from_hours(1);
    fixture.engine.snooze(None, Some(until)).await.expect("a snooze");
    let muted = feed("b", &b, &("mute = true\n".to_owned() + urgent));
    fs::write(fixture.folder.path().join("feeds.toml"), feed("a", &a, urgent) + &muted).expect("feeds.toml");
    fixture.engine.reload_config().await;
    // What a person has read need not be told, either.
    let read = fixture.log("a")[3].seq;
    fixture.engine.mark_read(ReadMark::Events(vec![read]), true).await.expect("a log");

    fixture.engine.report(Report::Available(true)).await;
    assert_eq!(
        fixture.shown().await.popup.notification.body,
        "2",
        "the urgent one of the feed that is not muted"
    );
    fixture.settled().await;
    assert!(fixture.popups.try_recv().is_err());
    let (held, shown, logged) = (Outcome::Held, Outcome::Shown, Outcome::Logged);
    assert_eq!(fixture.outcomes("a"), [held, shown, held, logged]);
    assert_eq!(codes(&fixture, "a"), ["snoozed", "rule", "snoozed", "flood"]);
    assert_eq!(fixture.log("a")[0].reason.detail, until.to_string());
    assert_eq!((fixture.outcomes("b"), codes(&fixture, "b")), (vec![logged; 4], strings(["muted"; 4])));
    assert_eq!(fixture.feed("b", |_| true).await.counts.unread, 0);

    fixture.engine.snooze(None, None).await.expect("its end");
    assert_eq!(summary(&mut fixture).await.events, [fixture.log("a")[0].seq, fixture.log("a")[2].seq]);
}

#[tokio::test]
async fn held_events_of_one_key_count_once() {
    let go = Arc::new(Notify::new());
    let script = vec![stream(""), Act::Wait(go.clone()), send(numbers(1..=5)), Act::Hold];
    let server = ScriptedServer::start(vec![script]).await;
    let mut fixture = Fixture::start(&feed("a", &server, "[[feed.rule]]\nnotify = { key = \"k\" }\n"));
    let until = Timestamp::now() + SignedDuration::from_hours(1);
    fixture.engine.snooze(None, Some(until)).await.expect("a snooze");
    go.notify_one();
    fixture.events("a", 5).await;
    assert_eq!(codes(&fixture, "a"), ["replaced", "replaced", "replaced", "replaced", "snoozed"]);
    assert_eq!(fixture.engine.attention().await.expect("the engine").held, 1);
    assert_eq!(fixture.feed("a", |_| true).await.held, 1);
}

#[tokio::test]
async fn nothing_is_left_of_what_was_withdrawn_while_it_was_gathered() {
    let first = vec![stream("id: 1\ndata: {\"k\": \"x\", \"title\": \"first\"}\n\n"), Act::Hold];
    let missed = "id: 2\ndata: {\"k\": \"y\", \"title\": \"kept\"}\n\nid: 3\ndata: {\"k\": \"z\", \"title\": \"gone\"}\n\n";
    let go = Arc::new(Notify::new());
    let clear = "event: clear\nid: 4\ndata: {\"k\": \"z\"}\n\n";
    let second = vec![stream(missed), Act::Wait(go.clone()), send(clear), Act::Hold];
    let server = ScriptedServer::start(vec![first, second]).await;
    let rules = "[[feed.rule]]\nevent = \"clear\"\naction = \"withdraw\"\nnotify = { key = \"{{ data.k }}\" }\n\
                 [[feed.rule]]\nnotify = { key = \"{{ data.k }}\" }\n";
    let mut fixture = Fixture::start(&feed("a", &server, rules));
    fixture.engine.report(Report::Available(true)).await;
    assert_eq!(fixture.shown().await.popup.events, [1]);
    let mut fixture = fixture.restart().await;
    fixture.engine.report(Report::Available(true)).await;
    fixture.events("a", 3).await;
    go.notify_one();
    fixture.events("a", 4).await;
    let popup = fixture.shown().await.popup;
    assert_eq!((popup.events, popup.summary, &*popup.notification.title), (vec![2], None, "kept"));
    fixture.settled().await;
    assert!(fixture.popups.try_recv().is_err());
}

#[tokio::test]
async fn what_is_held_of_a_feed_that_goes_is_told_and_does_not_wait_for_its_snooze() {
    let go = Arc::new(Notify::new());
    let script = vec![stream(""), Act::Wait(go.clone()), send(numbers(1..=3)), Act::Hold];
    let server = ScriptedServer::start(vec![script]).await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    fixture.engine.report(Report::Available(true)).await;
    let until = Timestamp::now() + SignedDuration::from_hours(1);
    fixture.engine.snooze(Some(id("a")), Some(until)).await.expect("a snooze");
    go.notify_one();
    fixture.events("a", 3).await;
    assert_eq!(fixture.outcomes("a"), [Outcome::Held; 3]);
    fixture.engine.remove_feed(id("a")).await.expect("a feed");
    let popup = summary(&mut fixture).await;
    assert_eq!((popup.events, popup.feed_name.as_str()), (vec![1, 2, 3], "a"));
    assert_eq!(fixture.engine.attention().await.expect("the engine").held, 0);
}

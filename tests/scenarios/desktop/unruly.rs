//! Notification servers that refuse, hang, vanish and talk nonsense: 500 events in one second are at most three popups and one
//! that counts the others, and each event is in the log with what became of it.

use std::collections::BTreeSet;
use std::time::Duration;

use bellwether_control::wire::{Event, Outcome, PartName};
use bellwether_tests::{
    Desktop, Manner, Need, NotificationServer, Notifications, Popup, Resident, Source, needs, until,
    until_some,
};
use serde_json::json;

use crate::{PATIENCE, connected_to, feed_alone, part, until_connected, until_part};

const EVENTS: u64 = 500;

/// How long a server that takes 10 s for each call may take for all of this.
const LONG: Duration = Duration::from_secs(120);

fn send(source: &Source, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        source.send("message", &json!({ "title": format!("event {number}") }));
    }
}

/// A bus with this notification server and nothing else, what is said on it, and the resident program, connected.
fn scene(manner: Manner) -> (Desktop, NotificationServer, Notifications, Source, Resident) {
    let desktop = Desktop::with(&["--no-notify", "--no-display"]);
    let server = NotificationServer::start(&desktop, manner);
    let (popups, source) = (Notifications::watch(&desktop), Source::start());
    let resident = connected_to(&desktop, &feed_alone(&source, ""));
    (desktop, server, popups, source, resident)
}

/// Waits until all events were told by a popup; returns them, the oldest first.
#[track_caller]
fn until_told(resident: &Resident, count: u64) -> Vec<Event> {
    until_some(LONG, "all events to be told", || {
        let log = resident.log("ops");
        let told = |event: &Event| matches!(event.outcome, Outcome::Shown | Outcome::Summarized);
        (log.len() as u64 == count && log.iter().all(told)).then_some(log)
    })
}

/// The popups of one event, and the summaries.
fn sorted(popups: &Notifications) -> (Vec<Popup>, Vec<Popup>) {
    popups.popups().into_iter().partition(|popup| popup.summary.starts_with("event "))
}

/// The number that a summary begins with.
fn count(popup: &Popup) -> u64 {
    let (count, text) = popup.body.split_once(' ').expect("a count");
    assert!(text.starts_with("new event"), "{popup:?}");
    count.parse().expect("a number")
}

/// What holds whatever the server does: each event has its reason, and was told once.
#[track_caller]
fn check_log(log: &[Event]) {
    for event in log {
        let (code, single) = (event.reason.code.as_str(), event.outcome == Outcome::Shown);
        assert!(if single { code == "default" } else { matches!(code, "flood" | "backlog") }, "{event:?}");
        assert_eq!(event.summary.is_some(), !single, "{event:?}");
    }
    let shown = log.iter().filter(|event| event.outcome == Outcome::Shown).count();
    assert!(shown <= 3, "{shown} popups of one event");
}

/// The program goes on as if nothing had been.
#[track_caller]
fn check_health(resident: &mut Resident) {
    assert!(resident.process().exited().is_none());
    let lines = resident.process().lines();
    assert!(!lines.iter().any(|line| line.contains("panicked")), "{lines:#?}");
}

/// 500 events at a server that shows popups, however strangely it behaves besides.
fn floods(manner: Manner) {
    let (_desktop, _server, popups, source, mut resident) = scene(manner);
    until_part(&resident, PartName::Notifications, true);
    send(&source, 1..=EVENTS);
    let log = until_told(&resident, EVENTS);
    check_log(&log);
    // A popup that the server closes is followed by another one, which counts from the beginning.
    let total = |counts: &[u64]| {
        if manner == Manner::ClosesAtOnce {
            counts.iter().sum()
        } else {
            counts.last().copied().unwrap_or_default()
        }
    };
    // Whoever watches the bus may hear of it a moment later.
    let (single, summaries) = until_some(PATIENCE, "all events to be counted", || {
        let (single, summaries) = sorted(&popups);
        let counts: Vec<u64> = summaries.iter().map(count).collect();
        (total(&counts) + single.len() as u64 == EVENTS).then_some((single, summaries))
    });
    assert!((1..=3).contains(&single.len()), "{manner:?}: {single:#?}");
    let counts: Vec<u64> = summaries.iter().map(count).collect();
    if manner == Manner::Good {
        assert!(counts.is_sorted(), "{counts:?}");
        let ids: BTreeSet<u32> = summaries.iter().map(|popup| popup.id).collect();
        assert_eq!(ids.len(), 1, "it is replaced in place: {summaries:#?}");
        let numbers: BTreeSet<Option<u64>> = log[3..].iter().map(|event| event.summary).collect();
        let [Some(summary)] = Vec::from_iter(numbers)[..] else { panic!("one summary") };
        let told = resident.events(&format!("summary={summary}&limit=1000")).events;
        assert_eq!(told.len() as u64, EVENTS - 3);
    }
    check_health(&mut resident);
    assert!(part(&resident, PartName::Notifications).is_some_and(|part| part.available), "{manner:?}");
}

#[test]
fn a_flood_is_three_popups_and_one_that_counts_the_others() {
    needs!(Need::Desktop);
    floods(Manner::Good);
}

#[test]
fn a_flood_at_a_server_that_closes_popups_before_it_has_answered() {
    needs!(Need::Desktop);
    floods(Manner::ClosesAtOnce);
}

#[test]
fn a_flood_at_a_server_that_gives_one_id_to_all() {
    needs!(Need::Desktop);
    floods(Manner::OneId);
}

#[test]
fn a_flood_at_a_server_that_tells_of_popups_that_are_not_there() {
    needs!(Need::Desktop);
    floods(Manner::TellsNonsense);
}

#[test]
fn a_flood_at_a_server_that_can_do_two_hundred_thousand_things() {
    needs!(Need::Desktop);
    floods(Manner::Boasts);
}

#[test]
fn a_flood_at_a_server_that_takes_ten_seconds_for_each_call() {
    needs!(Need::Desktop);
    floods(Manner::Slow(Duration::from_secs(10)));
}

#[test]
fn a_server_whose_answers_are_none_is_given_each_popup_once() {
    needs!(Need::Desktop);
    let (_desktop, _server, popups, source, mut resident) = scene(Manner::AnswersNonsense);
    until_part(&resident, PartName::Notifications, true);
    source.send("message", &json!({ "title": "event 1", "message": "<b>1</b>" }));
    check_log(&until_told(&resident, 1));
    source.send("message", &json!({ "title": "event 2" }));
    check_log(&until_told(&resident, 2));
    // Whoever watches the bus may hear of it a moment later.
    until(PATIENCE, "both to be asked for", || popups.asked().len() >= 2);
    let shown: Vec<(String, String)> =
        popups.asked().into_iter().map(|popup| (popup.summary, popup.body)).collect();
    let expected = [("event 1", "&lt;b&gt;1&lt;/b&gt;"), ("event 2", "")];
    assert_eq!(shown, expected.map(|(title, body)| (title.to_owned(), body.to_owned())));
    check_health(&mut resident);
}

#[test]
fn a_server_that_has_too_many_popups_is_left_alone_and_told_all_by_one() {
    needs!(Need::Desktop);
    let (_desktop, server, popups, source, mut resident) = scene(Manner::Excess);
    until_part(&resident, PartName::Notifications, true);
    send(&source, 1..=EVENTS);
    until(PATIENCE, "all of them in the log", || resident.log("ops").len() as u64 == EVENTS);
    until(PATIENCE, "a refusal", || !popups.errors().is_empty());
    assert!(resident.log("ops").iter().all(|event| event.outcome == Outcome::Pending));
    let refused = popups.errors().len();
    assert!(refused <= 8, "{refused} attempts at a server that wants none");

    server.behave(Manner::Good);
    let log = until_told(&resident, EVENTS);
    check_log(&log);
    until(PATIENCE, "a popup", || !popups.popups().is_empty());
    let (single, summaries) = sorted(&popups);
    assert!(single.is_empty(), "{single:#?}");
    assert_eq!(summaries.iter().map(count).collect::<Vec<_>>(), [EVENTS]);
    check_health(&mut resident);
    let lines = resident.process().lines();
    assert!(!lines.iter().any(|line| line.contains("refused")), "nothing is wrong: {lines:#?}");
}

#[test]
fn a_server_that_vanishes_amid_a_flood_is_told_the_rest_by_one_popup_when_it_comes_back() {
    needs!(Need::Desktop);
    let (desktop, server, popups, source, mut resident) = scene(Manner::Good);
    until_part(&resident, PartName::Notifications, true);
    send(&source, 1..=100);
    until(PATIENCE, "a popup", || !popups.popups().is_empty());
    drop(server);
    send(&source, 101..=EVENTS);
    until_part(&resident, PartName::Notifications, false);
    until(PATIENCE, "all of them in the log", || resident.log("ops").len() as u64 == EVENTS);
    let server_of = |popup: &Popup| popup.id / NotificationServer::IDS;
    let first = server_of(&popups.popups()[0]);

    let _server = NotificationServer::start(&desktop, Manner::Good);
    let log = until_told(&resident, EVENTS);
    check_log(&log);
    let after = || popups.popups().into_iter().filter(|popup| server_of(popup) != first).collect::<Vec<_>>();
    until(PATIENCE, "a popup", || !after().is_empty());
    let [summary] = &after()[..] else { panic!("one popup: {:#?}", after()) };
    // What an earlier one told of is not told again.
    let last = log.last().and_then(|event| event.summary);
    let told = log.iter().filter(|event| event.summary == last).count() as u64;
    assert_eq!((count(summary), summary.replaces_id), (told, 0));
    check_health(&mut resident);
}

#[test]
fn a_server_that_vanishes_while_it_is_asked_shows_the_popup_when_it_is_back() {
    needs!(Need::Desktop);
    let (desktop, server, popups, source, mut resident) = scene(Manner::Slow(Duration::from_secs(3_600)));
    // What it can do, it says in no time to come either.
    until_connected(&resident);
    source.send("message", &json!({ "title": "event 1" }));
    until(PATIENCE, "it in the log", || resident.log("ops").len() == 1);
    drop(server);
    until_part(&resident, PartName::Notifications, false);
    let _server = NotificationServer::start(&desktop, Manner::Good);
    check_log(&until_told(&resident, 1));
    until(PATIENCE, "a popup", || popups.popups().len() == 1);
    check_health(&mut resident);
}

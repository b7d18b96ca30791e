//! `kill -9` at any moment: nothing is lost, nothing is doubled, and what was not shown yet is shown later.

use bellwether_control::wire::Outcome;
use bellwether_tests::{
    Desktop, Need, Notifications, NumberedStream, PATIENCE, Random, Resident, needs, until,
};

const KILLS: u64 = 20;

#[test]
fn killed_twenty_times_amid_a_stream_the_log_holds_every_event_exactly_once() {
    for seed in [3, 4] {
        let stream = NumberedStream::unruly(seed);
        let mut random = Random::new(seed);
        let mut resident = Resident::prepare();
        resident.config(&feed("numbers", &stream.url("/")));
        let flow = stream.flow();
        for _ in 0..KILLS / 2 {
            let requests = stream.requests().len();
            let mut process = resident.spawn(&["--background"]);
            stream.wait_for_request(requests + 1);
            // From right at the request to some hundred commits later.
            stream.wait_until_sent(stream.sent() + random.below(1500));
            assert_eq!(process.exited(), None, "{:#?}", process.lines());
            process.kill();
        }
        drop(flow);
        resident.start();
        let latest = stream.latest();
        until(PATIENCE, "the rest", || resident.feed("numbers").counts.events >= latest);
        let events = resident.log("numbers");
        let (ids, data): (Vec<_>, Vec<_>) =
            events.iter().map(|event| (event.id.clone(), event.data.clone())).unzip();
        let expected: Vec<String> = (1..=latest).map(|number| number.to_string()).collect();
        assert!(ids == expected, "seed {seed}: {}", first_difference(&ids, &expected));
        assert!(data.into_iter().eq((1..=latest).map(NumberedStream::data)));
        // A kill before anything was committed would prove nothing.
        assert!(latest > 1000, "only {latest} events came");
        assert!(events.iter().all(|event| event.outcome == Outcome::Pending));
    }
}

#[test]
fn what_was_not_shown_before_a_kill_is_shown_by_the_next_run() {
    needs!(Need::Desktop);
    let stream = NumberedStream::start();
    let mut resident = Resident::prepare();
    resident.config(&(feed("few", &stream.url("/few")) + &feed("many", &stream.url("/many"))));
    resident.start();
    stream.send(3);
    for id in ["few", "many"] {
        until(PATIENCE, "the events", || resident.feed(id).counts.events == 3);
    }
    resident.cli_text(&["feeds", "pause", "few"]);
    stream.send(37);
    until(PATIENCE, "the events", || resident.feed("many").counts.events == 40);
    assert!(resident.events("").events.iter().all(|event| event.outcome == Outcome::Pending));
    resident.kill();

    let desktop = Desktop::start();
    let popups = Notifications::watch(&desktop);
    resident.in_desktop(&desktop).start();
    for number in 1..=3 {
        popups.wait_for(|popup| popup.summary == "few" && popup.body == NumberedStream::data(number));
    }
    let summary = popups.wait_for(|popup| popup.summary == "many");
    assert!(summary.body.contains("40"), "{}", summary.body);
    until(PATIENCE, "the outcomes", || {
        let outcomes = |id, outcome| resident.log(id).iter().all(|event| event.outcome == outcome);
        outcomes("few", Outcome::Shown) && outcomes("many", Outcome::Summarized)
    });
    resident.kill();

    // What was recorded as handed over is not shown again.
    resident.start();
    stream.send(1);
    popups.wait_for(|popup| popup.body == NumberedStream::data(41));
    assert_eq!(popups.popups().len(), 5);
}

fn feed(id: &str, url: &str) -> String {
    format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n")
}

fn first_difference(ids: &[String], expected: &[String]) -> String {
    let at = ids.iter().zip(expected).position(|(id, expected)| id != expected);
    let at = at.unwrap_or(ids.len().min(expected.len()));
    format!(
        "{} events for {}; from {at}: {:?}",
        ids.len(),
        expected.len(),
        ids[at..].iter().take(5).collect::<Vec<_>>()
    )
}

//! Providers whose popups are right without a rule, and go away when their message does.

use bellwether_control::wire::{Outcome, PresetChoice};
use bellwether_tests::{Desktop, Need, Notifications, Resident, Source, needs, until};
use serde_json::json;

use crate::PATIENCE;

/// A feed of this source at another path of it.
fn feed(id: &str, source: &Source, path: &str) -> String {
    format!("[[feed]]\nid = '{id}'\nurl = '{}'\n", source.url().replace("/events", path))
}

#[test]
fn providers_that_are_known_need_no_rule_and_take_their_popups_away_again() {
    needs!(Need::Desktop);
    let desktop = Desktop::start();
    let [ntfy, mastodon, firebase] = [Source::start(), Source::start(), Source::start()];
    let popups = Notifications::watch(&desktop);
    let mut resident = Resident::prepare();
    let feeds = [
        feed("push", &ntfy, "/ops/sse"),
        feed("social", &mastodon, "/api/v1/streaming/user/notification"),
        feed("shop", &firebase, "/alerts.json"),
    ];
    resident.in_desktop(&desktop).config(&feeds.concat());
    resident.start();

    ntfy.send("open", &json!({ "id": "o", "time": 1, "event": "open", "topic": "ops" }));
    until(PATIENCE, "the preset of the first event", || resident.feed("push").preset.is_some());
    let message = json!({
        "id": "m1", "time": 2, "event": "message", "topic": "ops", "sequence_id": "disk",
        "title": "Disk full <5%", "message": "/var & /home", "priority": 5
    });
    ntfy.send("message", &message);
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary == "Disk full <5%");
    assert_eq!((popup.body.as_str(), popup.urgency()), ("/var &amp; /home", Some(2)));

    mastodon.send("update", &json!({ "id": "1", "content": "<p>a post</p>" }));
    let notification = json!({
        "id": "7", "type": "mention", "account": { "acct": "bob", "display_name": "Bob", "url": "https://example.org/@bob" },
        "status": { "content": "<p>tea &amp; cake?<br>at 5</p>", "visibility": "direct", "url": "https://example.org/@bob/7" }
    });
    mastodon.send("notification", &notification);
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary == "Bob — mentioned you");
    assert_eq!(popup.body, "tea &amp; cake?\nat 5");

    firebase.send("put", &json!({ "path": "/", "data": { "-a": { "title": "old" } } }));
    firebase.send("put", &json!({ "path": "/-b", "data": { "title": "Stock", "body": "5 left" } }));
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary == "Stock");
    assert_eq!(popup.body, "5 left");

    let shown = popups.wait_for(|popup| popup.summary == "Disk full <5%").id;
    ntfy.send(
        "message_delete",
        &json!({ "id": "m2", "time": 3, "event": "message_delete", "topic": "ops", "sequence_id": "disk" }),
    );
    until(PATIENCE, "the popup to be taken away", || popups.close_calls().contains(&shown));

    for (id, preset, chosen, codes) in [
        ("push", "ntfy", PresetChoice::Stream, &["keep_alive", "preset", "preset"][..]),
        ("social", "mastodon", PresetChoice::Url, &["preset", "preset"]),
        ("shop", "firebase", PresetChoice::Stream, &["snapshot", "preset"]),
    ] {
        let found = resident.feed(id).preset.expect("a preset");
        assert_eq!((found.id.as_str(), found.chosen), (preset, chosen));
        let mut events = resident.events(&format!("feed={id}")).events;
        events.extend(resident.events(&format!("feed={id}&held_back=true")).events);
        events.sort_by_key(|event| event.seq);
        events.dedup_by_key(|event| event.seq);
        let found: Vec<&str> = events.iter().map(|event| event.reason.code.as_str()).collect();
        assert_eq!(found, codes, "{id}");
        let shown = events.iter().filter(|event| event.outcome == Outcome::Shown).count();
        assert_eq!(shown, 1, "{id}: {events:#?}");
    }
    assert!(popups.popups().iter().all(|popup| popup.summary != "old" && !popup.body.contains("a post")));
}

//! Presets in the running engine: found by what comes, kept over a restart, and what they know of a connection's begin and end.

use bellwether_engine::preset::By;

use super::*;

const OPEN: &str = "event: open\ndata: {\"id\":\"o\",\"time\":1,\"event\":\"open\",\"topic\":\"ops\"}\n\n";

fn ntfy(id: &str, event: &str, rest: &str) -> String {
    let named = if event == "message" { String::new() } else { format!("event: {event}\n") };
    format!("{named}data: {{\"id\":\"{id}\",\"time\":2,\"event\":\"{event}\",\"topic\":\"ops\"{rest}}}\n\n")
}

fn put(path: &str, data: &str) -> String {
    format!("event: put\ndata: {{\"path\":\"{path}\",\"data\":{data}}}\n\n")
}

fn codes(fixture: &Fixture, id: &str) -> Vec<String> {
    fixture.log(id).into_iter().map(|record| record.reason.code.into_owned()).collect()
}

#[tokio::test]
async fn a_preset_that_the_first_event_tells_holds_from_it_on_over_a_restart_and_until_another_url() {
    let message = |id: &str| ntfy(id, "message", ",\"message\":\"x\"");
    let mut server = ScriptedServer::start(vec![
        vec![stream(&(OPEN.to_owned() + &message("m1"))), Act::Hold],
        // It connects anew, as what it resumes by is known now.
        vec![stream(&(OPEN.to_owned() + &message("m2"))), Act::Hold],
        vec![stream(""), Act::Hold],
        vec![stream("data: {\"title\": \"other\"}\n\n"), Act::Hold],
    ])
    .await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    assert_eq!(server.request().await.is_for("/"), Ok(()));
    assert_eq!(server.request().await.is_for("/?since=m1"), Ok(()));
    // What only tells of life is counted apart, and in no list.
    let both = |view: &FeedView| view.counts.events == 2 && view.counts.ignored == 2;
    fixture.feed("a", both).await;
    assert_eq!(codes(&fixture, "a"), ["preset", "preset"]);
    assert_eq!(fixture.log("a")[1].notification.title, "ops");
    let query = Query { feed: FeedId::new("a"), held_back: true, limit: 10, ..Query::default() };
    let held_back = fixture.engine.log().page(&query).expect("the log").records;
    assert_eq!(held_back.iter().filter(|record| record.reason.code == "keep_alive").count(), 2);
    let view = fixture.feed("a", |_| true).await;
    let chosen = view.feed.preset.clone().expect("a preset");
    assert_eq!((chosen.preset.id, &chosen.by), ("ntfy", &By::Stream("open".to_owned())));
    assert_eq!(chosen.why().to_string(), "it sent an event “open” as ntfy does");

    let mut fixture = fixture.restart().await;
    assert_eq!(server.request().await.is_for("/?since=m2"), Ok(()));
    assert_eq!(fixture.feed("a", |_| true).await.feed.preset, Some(chosen));

    let config = format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", server.url("/other"));
    fs::write(fixture.folder.path().join("feeds.toml"), config).expect("feeds.toml");
    fixture.engine.reload_config().await;
    assert_eq!(server.request().await.is_for("/other"), Ok(()));
    fixture.events("a", 3).await;
    assert_eq!(fixture.feed("a", |_| true).await.feed.preset, None);
    assert_eq!(fixture.log("a")[2].reason.code, "default");
}

#[tokio::test]
async fn what_each_connection_begins_with_is_no_news_and_a_server_that_says_it_is_over_is_believed() {
    let piece = |path: &str, title: &str| put(path, &format!("{{\"title\":\"{title}\"}}"));
    let server = ScriptedServer::start(vec![
        vec![stream(&(put("/", "{\"-a\":{\"title\":\"old\"}}") + &piece("/-b", "first")))],
        vec![
            stream(&(put("/", "null") + &piece("/-c", "second") + "event: cancel\ndata: null\n\n")),
            Act::Hold,
        ],
    ])
    .await;
    let mut fixture = Fixture::start(&feed("a", &server, "name = \"Shop\""));
    fixture.events("a", 5).await;
    assert_eq!(codes(&fixture, "a"), ["snapshot", "preset", "snapshot", "preset", "preset"]);
    let outcomes = fixture.outcomes("a");
    let shown: Vec<bool> = outcomes.iter().map(|outcome| *outcome == Outcome::Pending).collect();
    assert_eq!(shown, [false, true, false, true, false]);
    let view = fixture.feed("a", |view| view.connection.state == State::Stopped).await;
    assert_eq!(view.connection.reason, Some(Reason::ClosedByPreset("Firebase".to_owned())));
}

#[tokio::test]
async fn a_message_that_is_deleted_at_its_provider_takes_its_popup_away() {
    let sequence = ",\"sequence_id\":\"s1\"";
    let body = ntfy("m1", "message", &format!("{sequence},\"message\":\"x\""))
        + &ntfy("m2", "message_delete", sequence);
    let server = ScriptedServer::start(vec![vec![stream(&body), Act::Hold]]).await;
    let mut fixture = Fixture::start(&feed("a", &server, "preset = \"ntfy\""));
    let (of, key) = timeout(PATIENCE, fixture.withdrawn.recv()).await.expect("in time").expect("a popup");
    assert_eq!((of, key.as_str()), (id("a"), "s1"));
    fixture.events("a", 2).await;
    assert_eq!(fixture.outcomes("a")[1], Outcome::Logged);
}

#[tokio::test]
async fn a_feed_with_rules_of_its_own_looks_for_no_preset() {
    let server = ScriptedServer::start(vec![vec![
        stream(&(OPEN.to_owned() + &ntfy("m1", "message", ",\"message\":\"x\""))),
        Act::Hold,
    ]])
    .await;
    let mut fixture = Fixture::start(&feed("a", &server, "rule = [{ event = \"alert\" }]"));
    fixture.events("a", 2).await;
    assert_eq!(fixture.feed("a", |_| true).await.feed.preset, None);
    assert!(fixture.log("a").iter().all(|record| record.reason.code == "no_match"));
}

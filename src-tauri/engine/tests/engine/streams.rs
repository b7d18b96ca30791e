//! Streams that end, move and begin again in the running engine: what is asked for next, and that nothing is lost or doubled.

use super::*;

#[tokio::test]
async fn a_repeat_is_only_what_comes_again_right_after_a_reconnect_with_id_and_content() {
    let connections = || {
        vec![
            vec![stream(&numbers([1, 2, 3]))],
            // Repeats, news, and then an equal alert amid the stream, which is news too.
            vec![stream(&numbers([2, 3, 4, 3, 4]))],
            // The same ID with other content is no repeat, and ends the suspicion.
            vec![stream(&format!("id: 4\ndata: other\n\n{}", numbers([4])))],
            // Without an ID of its own it is no repeat, though it inherits one; with an empty one nobody can tell.
            vec![stream("data: other\n\nid\ndata: 3\n\ndata: 3\n\n"), Act::Hold],
        ]
    };
    for (setting, expected, repeats) in [
        ("", &["1", "2", "3", "4", "3", "4", "other", "4", "other", "3", "3"][..], 2),
        ("repeats = \"show\"", &["1", "2", "3", "2", "3", "4", "3", "4", "other", "4", "other", "3", "3"], 0),
    ] {
        let server = ScriptedServer::start(connections()).await;
        let mut fixture = Fixture::start(&feed("a", &server, setting));
        fixture.events("a", expected.len() as u64).await;
        assert_eq!(fixture.data("a"), expected, "{setting}");
        let view = fixture.feed("a", |_| true).await;
        assert_eq!(view.counts.repeats, repeats, "{setting}");
    }
}

#[tokio::test]
async fn a_start_with_a_last_event_id_is_a_reconnect() {
    let mut server = ScriptedServer::start(vec![
        vec![stream(&numbers([1, 2])), Act::Hold],
        vec![stream(&numbers([1, 2, 3])), Act::Hold],
    ])
    .await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    fixture.events("a", 2).await;
    assert_eq!(server.request().await.header("last-event-id"), None);
    let mut fixture = fixture.restart().await;
    fixture.events("a", 3).await;
    assert_eq!(server.request().await.header("last-event-id"), Some(&b"2"[..]));
    assert_eq!(fixture.data("a"), texts([1, 2, 3]));
}

#[tokio::test]
async fn a_reconnect_by_hand_amid_the_first_events_doubles_none() {
    let piece = || stream(&numbers(1..=400));
    let mut server = ScriptedServer::start(vec![
        vec![piece(), Act::Hold],
        vec![piece(), Act::Hold],
        vec![piece(), send(numbers([401])), Act::Hold],
    ])
    .await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    for _ in 0..2 {
        server.request().await;
        fixture.engine.reconnect(Some(id("a"))).await.expect("the feed is there");
    }
    server.request().await;
    fixture.events("a", 401).await;
    assert_eq!(fixture.data("a"), texts(1..=401));
}

#[tokio::test]
async fn waking_up_reconnects_all_but_the_stopped_and_the_paused_and_the_network_only_those_that_wait() {
    let open = |event: &str| vec![stream(event), Act::Hold];
    let refused = || vec![answer("404 Not Found", "")];
    let mut live = ScriptedServer::start(vec![open("id: 1\ndata: a\n\n"), open("")]).await;
    let mut stuck = ScriptedServer::start(vec![refused(), refused(), open("")]).await;
    let mut over = ScriptedServer::start(vec![vec![answer("204 No Content", "")]]).await;
    let mut paused = ScriptedServer::start(Vec::new()).await;
    let config = feed("live", &live, "")
        + &feed("stuck", &stuck, "")
        + &feed("over", &over, "")
        + &feed("paused", &paused, "paused = true");
    let mut fixture = Fixture::start(&config);
    fixture.events("live", 1).await;
    fixture.feed("stuck", |view| view.connection.state == State::NeedsAttention).await;
    fixture.feed("over", |view| view.connection.state == State::Stopped).await;
    for server in [&mut live, &mut stuck, &mut over] {
        server.request().await;
    }

    fixture.engine.network_came_back().await;
    stuck.request().await;
    fixture.feed("stuck", |view| view.connection.state == State::NeedsAttention).await;
    live.assert_quiet();

    fixture.engine.woke_up().await;
    live.hang_up().await;
    assert_eq!(live.request().await.header("last-event-id"), Some(&b"1"[..]));
    stuck.request().await;
    fixture.feed("stuck", |view| view.connection.state == State::Connected).await;
    for server in [&mut live, &mut stuck, &mut over, &mut paused] {
        server.assert_quiet();
    }
}

#[tokio::test]
async fn a_close_rule_ends_the_connection_until_somebody_asks_for_it() {
    let mut server = ScriptedServer::start(vec![
        vec![stream("id: 1\ndata: a\n\nid: 2\nevent: pause\ndata: b\n\n"), Act::Hold],
        vec![stream("id: 2\nevent: pause\ndata: b\n\n"), Act::Hold],
        vec![stream(""), Act::Hold],
    ])
    .await;
    let rules = "[[feed.rule]]\nevent = \"x\"\n[[feed.rule]]\nevent = \"pause\"\naction = \"close\"\n";
    let mut fixture = Fixture::start(&feed("a", &server, rules));
    fixture.engine.report(Report::Available(true)).await;
    let view = fixture.feed("a", |view| view.connection.state == State::Stopped).await;
    assert_eq!(view.connection.reason, Some(Reason::ClosedByRule(2)));
    assert_eq!(view.connection.next_attempt_at, None);
    assert_eq!(fixture.outcomes("a"), [Outcome::Logged, Outcome::Closed]);
    server.hang_up().await;
    server.request().await;
    server.assert_quiet();
    assert!(fixture.popups.try_recv().is_err());

    // Sent again after a reconnect, the closing event is no news, but the stream has ended all the same.
    fixture.engine.reconnect(Some(id("a"))).await.expect("the feed is there");
    assert_eq!(server.request().await.header("last-event-id"), Some(&b"2"[..]));
    let view = fixture.feed("a", |view| view.counts.repeats == 1).await;
    assert_eq!(view.connection.reason, Some(Reason::ClosedByRule(2)));
    assert_eq!(fixture.outcomes("a"), [Outcome::Logged, Outcome::Closed]);
    server.hang_up().await;

    fixture.engine.reconnect(Some(id("a"))).await.expect("the feed is there");
    server.request().await;
    fixture.feed("a", |view| view.connection.state == State::Connected).await;
}

#[tokio::test]
async fn a_pause_amid_the_stream_keeps_all_that_was_received() {
    let mut server = ScriptedServer::start(vec![
        vec![stream(&numbers(1..=500))],
        vec![stream(""), Act::Hold],
        vec![stream(&numbers([500, 501])), Act::Hold],
    ])
    .await;
    let (mut fixture, leave) = Fixture::held_at_the_first_popup(&mut server).await;
    let engine = fixture.engine.clone();
    let pause = tokio::spawn(async move { engine.set_paused(id("a"), true).await });
    drop(leave);
    let view = pause.await.expect("no panic").expect("the feed is there");
    assert_eq!(view.connection.state, State::Paused);
    server.hang_up().await;
    fixture.events("a", 500).await;
    assert_eq!(fixture.data("a"), texts(1..=500));

    fixture.engine.set_paused(id("a"), false).await.expect("the feed is there");
    assert_eq!(server.request().await.header("last-event-id"), Some(&b"500"[..]));
    fixture.events("a", 501).await;
    assert_eq!(fixture.data("a"), texts(1..=501));
}

#[tokio::test]
async fn another_url_loses_nothing_that_the_former_one_sent() {
    for remove in [false, true] {
        let mut old = ScriptedServer::start(vec![vec![stream(&numbers(1..=500))]]).await;
        let new = ScriptedServer::start(vec![vec![stream("data: new\n\n"), Act::Hold]]).await;
        let (mut fixture, leave) = Fixture::held_at_the_first_popup(&mut old).await;
        let config = if remove { String::new() } else { feed("a", &new, "") };
        fs::write(fixture.folder.path().join("feeds.toml"), config).expect("feeds.toml");
        fixture.engine.reload_config().await;
        drop(leave);
        fixture.settled().await;
        assert_eq!(fixture.data("a")[..500], texts(1..=500));
        if !remove {
            fixture.events("a", 501).await;
            assert_eq!(fixture.log("a")[500].message.last_event_id, "", "the new stream begins anew");
        }
    }
}

#[tokio::test]
async fn a_closed_feed_is_tried_again_when_its_settings_change() {
    let server = ScriptedServer::start(vec![
        vec![stream("id: 1\nevent: pause\ndata: b\n\n"), Act::Hold],
        vec![stream(""), Act::Hold],
    ])
    .await;
    let rules = "[[feed.rule]]\nevent = \"pause\"\naction = \"close\"\n";
    let mut fixture = Fixture::start(&feed("a", &server, rules));
    fixture.feed("a", |view| view.connection.state == State::Stopped).await;
    fixture.engine.reload_config().await;
    let unchanged = fixture.feed("a", |_| true).await.connection.state;
    assert_eq!(unchanged, State::Stopped, "nothing changed");
    fs::write(fixture.folder.path().join("feeds.toml"), feed("a", &server, "")).expect("feeds.toml");
    fixture.engine.reload_config().await;
    fixture.feed("a", |view| view.connection.state == State::Connected).await;
}

/// Events as ntfy sends them: their ID is in the data alone.
fn messages(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("data: {{\"id\":\"{id}\",\"message\":\"again\"}}\n\n")).collect()
}

#[tokio::test]
async fn a_feed_without_event_ids_resumes_by_a_parameter_from_the_data_and_doubles_nothing() {
    let mut server = ScriptedServer::start(vec![
        vec![stream(&messages(&["m1", "m2"]))],
        // It greets with an ID that it knows nothing of, and what it was asked to begin after comes again; an equal one amid the
        // stream is news.
        vec![
            stream(&format!("event: open\n{}{}", messages(&["o1"]), messages(&["m2", "m3", "m3"]))),
            Act::Hold,
        ],
        vec![stream(&messages(&["m4"])), Act::Hold],
        vec![answer("400 Bad Request", "")],
        vec![stream(&messages(&["m5"])), Act::Hold],
        vec![stream(&messages(&["m6"])), Act::Hold],
    ])
    .await;
    let ids = |fixture: &Fixture| {
        let id = |data: &String| data.split('"').nth(3).expect("an ID").to_owned();
        fixture.data("a").iter().map(id).collect::<Vec<_>>()
    };
    let by_query = "resume = { query = \"since\", from = \"data.id\" }";
    let mut fixture = Fixture::start(&feed("a", &server, by_query));
    assert_eq!(server.request().await.line, "GET / HTTP/1.1");
    let view = fixture.feed("a", |view| view.counts.events == 5).await;
    assert_eq!((ids(&fixture), view.counts.repeats), (strings(["m1", "m2", "o1", "m3", "m3"]), 1));
    let request = server.request().await;
    assert_eq!((&*request.line, request.header("last-event-id")), ("GET /?since=m2 HTTP/1.1", None));

    let mut fixture = fixture.restart().await;
    fixture.events("a", 6).await;
    assert_eq!(server.request().await.line, "GET /?since=m3 HTTP/1.1");

    // A value that the server refuses is forgotten, in the log, too.
    let mut fixture = fixture.restart().await;
    fixture.events("a", 7).await;
    assert_eq!(server.request().await.line, "GET /?since=m4 HTTP/1.1");
    assert_eq!(server.request().await.line, "GET / HTTP/1.1");
    assert_eq!(ids(&fixture), strings(["m1", "m2", "o1", "m3", "m3", "m4", "m5"]));

    // Another way begins with nothing.
    let by_time = by_query.replace("data.id", "data.time");
    fs::write(fixture.folder.path().join("feeds.toml"), feed("a", &server, &by_time)).expect("feeds.toml");
    fixture.engine.reload_config().await;
    fixture.events("a", 8).await;
    assert_eq!(server.request().await.line, "GET / HTTP/1.1");
}

#[tokio::test]
async fn where_a_feed_has_moved_to_is_shown_until_it_has_another_url() {
    // The server repeats what it was asked to begin after.
    let server = ScriptedServer::start(vec![
        vec![answer("301 Moved Permanently", "Location: /new?x=1&since=m1\r\n")],
        vec![stream(""), Act::Hold],
        vec![stream(""), Act::Hold],
    ])
    .await;
    let by_query = "resume = { query = \"since\", from = \"data.id\" }";
    let mut fixture = Fixture::start(&feed("a", &server, by_query));
    let view = fixture.feed("a", |view| view.connection.state == State::Connected).await;
    assert_eq!(view.moved_to, Some(server.url("/new?x=1").to_string()));
    assert_eq!(view.feed.url, server.url("/"), "the settings stay");

    let config = format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", server.url("/new?x=1"));
    fs::write(fixture.folder.path().join("feeds.toml"), config).expect("feeds.toml");
    fixture.engine.reload_config().await;
    let connected =
        |view: &FeedView| view.feed.url.path() == "/new" && view.connection.state == State::Connected;
    assert_eq!(fixture.feed("a", connected).await.moved_to, None);
}

//! The way of an event in the running engine: into the log first, then to the notifier, also at the end and with a log that is locked.

use super::*;

#[tokio::test]
async fn events_are_committed_before_they_are_shown_and_shown_in_their_feeds_order() {
    let go = Arc::new(Notify::new());
    let script = || vec![stream(""), Act::Wait(go.clone()), send(numbers(1..=30)), Act::Hold];
    let (one, other) =
        (ScriptedServer::start(vec![script()]).await, ScriptedServer::start(vec![script()]).await);
    let mut fixture = Fixture::start(&(feed("a", &one, "name = \"甲\"") + &feed("b", &other, "")));
    fixture.engine.report(Report::Available(true)).await;
    for id in ["a", "b"] {
        fixture.feed(id, |view| view.connection.state == State::Connected).await;
    }
    go.notify_one();
    go.notify_one();

    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    while of_a.len() + of_b.len() < 60 {
        // Those that had to wait may come drawn together.
        let Shown { popup, records } = fixture.shown().await;
        let records: Vec<Record> = records.into_iter().flatten().collect();
        assert_eq!(records.len(), popup.events.len(), "{popup:?} was shown before it was committed");
        assert!(records.iter().all(|record| record.outcome == Outcome::Pending && Some(&record.feed) == popup.feed.as_ref()));
        assert_eq!(records.last().map(|newest| &newest.notification), Some(&popup.notification));
        assert_eq!(popup.feed_name, if popup.feed == Some(id("a")) { "甲" } else { "b" });
        let of_feed = if popup.feed == Some(id("a")) { &mut of_a } else { &mut of_b };
        of_feed.extend(records.into_iter().map(|record| record.notification.body));
    }
    assert_eq!((of_a, of_b), (texts(1..=30), texts(1..=30)));
    fixture.settled().await;
    for id in ["a", "b"] {
        assert_eq!(fixture.data(id), texts(1..=30));
        let told = |outcome: &Outcome| matches!(outcome, Outcome::Shown | Outcome::Summarized);
        assert!(fixture.outcomes(id).iter().all(told));
    }
}

#[tokio::test]
async fn whoever_listens_hears_of_events_that_are_in_the_log() {
    let server = ScriptedServer::start(vec![vec![stream(&numbers(1..=50)), Act::Hold]]).await;
    let mut fixture = Fixture::start("");
    fs::write(fixture.folder.path().join("feeds.toml"), feed("a", &server, "")).expect("feeds.toml");
    fixture.engine.reload_config().await;
    let mut heard = Vec::new();
    while heard.len() < 50 {
        let update = timeout(PATIENCE, fixture.updates.recv()).await.expect("an update").expect("no lag");
        if let Update::Event(event) = update {
            let logged = fixture.engine.log().get(event.seq).expect("the log").expect("the event");
            assert_eq!(logged.message, event.message);
            heard.push(event.message.data.clone());
        }
    }
    assert_eq!(heard, texts(1..=50));
}

#[tokio::test]
async fn a_shutdown_commits_all_that_was_received() {
    let mut server = ScriptedServer::start(vec![vec![stream(&numbers(1..=500))]]).await;
    let (fixture, leave) = Fixture::held_at_the_first_popup(&mut server).await;
    let engine = fixture.engine.clone();
    let shutdown = tokio::spawn(async move { engine.shutdown().await });
    // The wish is in the queue before the loop goes on.
    tokio::task::yield_now().await;
    drop(leave);
    shutdown.await.expect("no panic");
    assert_eq!(fixture.data("a"), texts(1..=500));
    let log = EventLog::open(&fixture.folder.path().join("events.db")).expect("the log");
    assert_eq!(log.last_event_id(&id("a")).expect("the log"), "500");
    assert!(fixture.engine.feeds().await.is_err(), "the loop has ended");
}

#[tokio::test]
async fn a_notifier_that_never_reports_holds_up_popups_and_nothing_else() {
    let go = Arc::new(Notify::new());
    let script = vec![stream(""), Act::Wait(go.clone()), send(numbers(1..=50)), Act::Hold];
    let server = ScriptedServer::start(vec![script]).await;
    let mut fixture = Fixture::start(&(feed("a", &server, "") + NO_FLOOD));
    fixture.engine.report(Report::Available(true)).await;
    fixture.feed("a", |view| view.connection.state == State::Connected).await;
    go.notify_one();
    let mut unreported = Vec::new();
    for _ in 0..4 {
        unreported.push(fixture.popup().await.popup);
    }
    fixture.events("a", 50).await;
    fixture.engine.set_setting("k", "v").await.expect("the loop answers");
    assert!(fixture.popups.try_recv().is_err(), "at most four are with the notifier");
    assert_eq!(fixture.outcomes("a"), [Outcome::Pending; 50]);

    // One report, one popup.
    fixture.engine.report(Report::Shown { events: unreported[0].events.clone() }).await;
    assert_eq!(fixture.popup().await.popup.notification.body, "5");
    fixture.settled().await;
    assert!(fixture.popups.try_recv().is_err());
    assert_eq!(fixture.outcomes("a")[..2], [Outcome::Shown, Outcome::Pending]);
}

#[tokio::test]
async fn what_waited_for_a_notification_server_is_drawn_together_feed_by_feed() {
    let script = |count| vec![vec![stream(&numbers(1..=count)), Act::Hold]];
    let (few, many) = (ScriptedServer::start(script(3)).await, ScriptedServer::start(script(40)).await);
    let mut fixture = Fixture::start(&(feed("few", &few, "") + &feed("many", &many, "")));
    fixture.events("few", 3).await;
    fixture.events("many", 40).await;
    assert!(fixture.popups.try_recv().is_err(), "nothing is shown to nobody");

    // Pending outlasts a restart.
    let mut fixture = fixture.restart().await;
    fixture.engine.report(Report::Available(true)).await;
    let mut single = Vec::new();
    let mut summary = None;
    for _ in 0..4 {
        let popup = fixture.popup().await.popup;
        if popup.events.len() == 1 {
            single.push(popup);
        } else {
            summary = Some(popup);
        }
    }
    let bodies: Vec<_> = single.iter().map(|popup| popup.notification.body.as_str()).collect();
    assert_eq!(bodies, ["1", "2", "3"]);
    let summary = summary.expect("a summary");
    assert_eq!((&summary.feed, summary.events.len()), (&Some(id("many")), 40));
    assert_eq!(summary.notification.body, "40", "the newest one's text");

    // One is refused: it comes again with the server, the others do not.
    for popup in &single {
        fixture.engine.report(Report::Shown { events: popup.events.clone() }).await;
    }
    fixture.engine.report(Report::Failed { events: summary.events.clone() }).await;
    fixture.engine.report(Report::Available(true)).await;
    let again = fixture.shown().await.popup;
    assert_eq!(again, summary);
    fixture.settled().await;
    assert_eq!(fixture.outcomes("few"), [Outcome::Shown; 3]);
    assert_eq!(fixture.outcomes("many"), [Outcome::Summarized; 40]);
    assert_eq!(fixture.feed("many", |_| true).await.counts.unread, 40);
    assert!(fixture.popups.try_recv().is_err());
}

#[tokio::test]
async fn the_end_of_the_loop_is_told_also_when_it_panics() {
    struct Panics;
    impl Notifier for Panics {
        fn show(&mut self, _: Popup) {
            panic!("a fault of the program");
        }

        fn withdraw(&mut self, _: &FeedId, _: &str) {}
    }
    let server = ScriptedServer::start(vec![vec![stream("id: 1\ndata: 1\n\n"), Act::Hold]]).await;
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("feeds.toml"), feed("a", &server, "")).expect("feeds.toml");
    let log = EventLog::open(&folder.path().join("events.db")).expect("a log");
    let (config, reader) = (ConfigFile::new(folder.path().join("feeds.toml")), log.reader());
    let client = Client::new("Bellwether/0.0.0").expect("a client");
    let parts =
        Parts { config, log, client, keyring: no_keyring(), limits: quick(), notifier: Panics, seed: 1 };
    let engine = Engine::start(parts).expect("an engine");
    engine.report(Report::Available(true)).await;
    timeout(PATIENCE, engine.ended()).await.expect("the end is told");
    assert!(engine.feeds().await.is_err());
    let logged = reader.page(&Query { limit: 1, ..Query::default() }).expect("the log").records;
    assert_eq!(logged[0].outcome, Outcome::Pending, "it is shown at the next start");
}

#[tokio::test]
async fn an_edit_that_the_log_cannot_take_is_taken_up_once_it_can() {
    let script = || vec![vec![stream(&numbers([1])), Act::Hold]];
    let [one, two, three] = [script(), script(), script()].map(ScriptedServer::start);
    let (one, two, three) = (one.await, two.await, three.await);
    let mut fixture = Fixture::start(&feed("a", &one, ""));
    fixture.events("a", 1).await;

    // Somebody else holds the log, for longer than a write waits.
    let mut other = EventLog::open(&fixture.folder.path().join("events.db")).expect("the log");
    let held = other.begin().expect("the log");
    let config = feed("a", &two, "") + &feed("b", &three, "");
    fs::write(fixture.folder.path().join("feeds.toml"), config).expect("feeds.toml");
    fixture.engine.reload_config().await;
    let error = fixture.engine.log_error().await.expect("the engine runs");
    assert!(error.expect("an error").to_string().contains("locked"));
    drop(held);

    fixture.events("a", 2).await;
    fixture.events("b", 1).await;
    assert_eq!(fixture.feed("a", |_| true).await.feed.url, two.url("/"));
    let look = async { while fixture.engine.log_error().await.expect("the engine runs").is_some() {} };
    timeout(PATIENCE, look).await.expect("the error's end");
}

#[tokio::test]
async fn what_was_shown_at_the_very_end_does_not_come_again() {
    let server = ScriptedServer::start(vec![vec![stream(&numbers([1])), Act::Hold]]).await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    fixture.engine.report(Report::Available(true)).await;
    let shown = fixture.popup().await.popup;
    let engine = fixture.engine.clone();
    let shutdown = tokio::spawn(async move { engine.shutdown().await });
    // The wish is in the queue before the report is.
    tokio::task::yield_now().await;
    fixture.engine.report(Report::Shown { events: shown.events }).await;
    shutdown.await.expect("no panic");
    assert_eq!(fixture.outcomes("a"), [Outcome::Shown]);
}

#[tokio::test]
async fn what_was_shown_while_the_log_was_locked_is_not_shown_again() {
    let go = Arc::new(Notify::new());
    let script = vec![stream(&numbers([1])), Act::Wait(go.clone()), send(numbers(2..=20)), Act::Hold];
    let server = ScriptedServer::start(vec![script]).await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    fixture.engine.report(Report::Available(true)).await;
    let first = fixture.popup().await.popup;
    // As a backup or a curious person would.
    let other = rusqlite::Connection::open(fixture.folder.path().join("events.db")).expect("the log");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    fixture.engine.report(Report::Shown { events: first.events.clone() }).await;
    let told = async { while fixture.engine.log_error().await.expect("the engine runs").is_none() {} };
    timeout(PATIENCE, told).await.expect("the log's error is told");
    // Another server would have everything pending from the log.
    fixture.engine.report(Report::Available(false)).await;
    fixture.engine.report(Report::Available(true)).await;
    go.notify_one();
    other.execute_batch("ROLLBACK").expect("the lock");
    let mut told = first.events;
    while told.len() < 20 {
        told.extend(fixture.shown().await.popup.events);
    }
    fixture.settled().await;
    let pending = fixture.outcomes("a").iter().filter(|outcome| **outcome == Outcome::Pending).count();
    assert_eq!((told.len(), pending), (20, 0), "{told:?}");
    let cured = async { while fixture.engine.log_error().await.expect("the engine runs").is_some() {} };
    timeout(PATIENCE, cured).await.expect("the log's error is over");
}

#[tokio::test]
async fn a_shutdown_tells_that_the_log_did_not_take_what_had_come() {
    let go = Arc::new(Notify::new());
    let script = vec![stream(""), Act::Wait(go.clone()), send(numbers([1]))];
    let mut server = ScriptedServer::start(vec![script]).await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    fixture.feed("a", |view| view.connection.state == State::Connected).await;
    server.request().await;
    let other = rusqlite::Connection::open(fixture.folder.path().join("events.db")).expect("the log");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    go.notify_one();
    // It says that the message is in the loop's queue.
    server.request().await;
    let lost = timeout(PATIENCE, fixture.engine.shutdown()).await.expect("an end");
    assert!(lost.is_some_and(|cause| cause.to_string().contains("locked")));
    assert_eq!(fixture.engine.shutdown().await, None);
}

//! The one loop through its public face: real sockets, a real log, and a notifier that remembers.

#![allow(clippy::expect_used, clippy::panic, reason = "what is expected and does not hold ends the test")]

mod events;
mod policy;
mod presets;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs,
    sync::{Arc, mpsc as blocking},
    time::Duration,
};

use bellwether_engine::{
    access::no_keyring,
    config::ConfigFile,
    engine::{Engine, FeedView, Notifier, Parts, Popup, Report, Update},
    event_log::{EventLog, LogReader, Query, Record},
    feed::{FeedId, Reason, State},
    policy::Outcome,
    subscription::Client,
};
use support::{Act, ScriptedServer, answer, quick, send, stream};
use tempfile::TempDir;
use tokio::{
    sync::{Notify, broadcast, mpsc},
    time::timeout,
};

/// The longest that a test waits for anything: far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A profile, and an engine on it.
struct Fixture {
    folder: TempDir,
    engine: Engine,
    updates: broadcast::Receiver<Update>,
    popups: mpsc::UnboundedReceiver<Shown>,
    withdrawn: mpsc::UnboundedReceiver<(FeedId, String)>,
}

/// A popup, and its events as the log had them at that moment.
struct Shown {
    popup: Popup,
    records: Vec<Option<Record>>,
}

struct Recorder {
    log: LogReader,
    popups: mpsc::UnboundedSender<Shown>,
    withdrawn: mpsc::UnboundedSender<(FeedId, String)>,
    /// Each popup waits for one.
    leave: Option<blocking::Receiver<()>>,
}

impl Notifier for Recorder {
    fn show(&mut self, popup: Popup) {
        let records = popup.events.iter().map(|seq| self.log.get(*seq).expect("the log")).collect();
        let _ = self.popups.send(Shown { popup, records });
        self.leave.as_ref().map(blocking::Receiver::recv);
    }

    fn withdraw(&mut self, feed: &FeedId, key: &str) {
        let _ = self.withdrawn.send((feed.clone(), key.to_owned()));
    }
}

impl Fixture {
    fn start(config: &str) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), config, None)
    }

    fn start_in(folder: TempDir, config: &str, leave: Option<blocking::Receiver<()>>) -> Self {
        let (sender, popups) = mpsc::unbounded_channel();
        fs::write(folder.path().join("feeds.toml"), config).expect("feeds.toml");
        let log = EventLog::open(&folder.path().join("events.db")).expect("a log");
        let (taken_away, withdrawn) = mpsc::unbounded_channel();
        let notifier = Recorder { log: log.reader(), popups: sender, withdrawn: taken_away, leave };
        let engine = Engine::start(Parts {
            config: ConfigFile::new(folder.path().join("feeds.toml")),
            log,
            client: Client::new("Bellwether/0.0.0").expect("a client"),
            keyring: no_keyring(),
            limits: quick(),
            notifier,
            seed: 1,
        });
        let engine = engine.expect("an engine");
        let updates = engine.updates();
        Self { folder, engine, updates, popups, withdrawn }
    }

    /// The same profile with an engine of its own, as after a start of the program.
    async fn restart(self) -> Self {
        self.engine.shutdown().await;
        let config = fs::read_to_string(self.folder.path().join("feeds.toml")).expect("feeds.toml");
        Self::start_in(self.folder, &config, None)
    }

    async fn popup(&mut self) -> Shown {
        timeout(PATIENCE, self.popups.recv()).await.expect("a popup").expect("the engine runs")
    }

    /// The next popup, which is reported as shown.
    async fn shown(&mut self) -> Shown {
        let shown = self.popup().await;
        self.engine.report(Report::Shown { events: shown.popup.events.clone() }).await;
        shown
    }

    /// Waits until a feed fits; it is looked at whenever something changes.
    async fn feed(&mut self, id: &str, fits: impl Fn(&FeedView) -> bool) -> FeedView {
        let look = async {
            loop {
                let feeds = self.engine.feeds().await.expect("the engine runs");
                if let Some(view) = feeds.into_iter().find(|view| view.feed.id.as_str() == id && fits(view)) {
                    return view;
                }
                let _ = self.updates.recv().await;
            }
        };
        timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("feed {id} does not fit"))
    }

    async fn events(&mut self, id: &str, count: u64) {
        self.feed(id, |view| view.counts.events == count).await;
    }

    /// What is in the log of a feed, oldest first.
    fn log(&self, id: &str) -> Vec<Record> {
        let query = Query { feed: FeedId::new(id), limit: 1000, ..Query::default() };
        let mut records = self.engine.log().page(&query).expect("the log").records;
        records.reverse();
        records
    }

    fn data(&self, id: &str) -> Vec<String> {
        self.log(id).into_iter().map(|record| record.message.data).collect()
    }

    fn outcomes(&self, id: &str) -> Vec<Outcome> {
        self.log(id).into_iter().map(|record| record.outcome).collect()
    }

    /// Asks for something, so that everything that was queued before has been done.
    async fn settled(&self) {
        self.engine.feeds().await.expect("the engine runs");
    }
}

fn feed(id: &str, server: &ScriptedServer, rest: &str) -> String {
    format!("[[feed]]\nid = \"{id}\"\nurl = \"{}\"\n{rest}\n", server.url("/"))
}

/// Popups one by one, however many.
const NO_FLOOD: &str = "[notifications]\nflood = { popups = 1000, overall = 1000 }\n";

/// Events whose ID and data is their number.
fn numbers(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().map(|number| format!("id: {number}\ndata: {number}\n\n")).collect()
}

fn texts(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|number| number.to_string()).collect()
}

fn id(id: &str) -> FeedId {
    FeedId::new(id).expect("an id")
}

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
    let (leave, wait) = blocking::channel();
    let mut server = ScriptedServer::start(vec![
        vec![stream(&numbers(1..=500))],
        vec![stream(""), Act::Hold],
        vec![stream(&numbers([500, 501])), Act::Hold],
    ])
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut fixture = Fixture::start_in(folder, &feed("a", &server, ""), Some(wait));
    fixture.engine.report(Report::Available(true)).await;
    server.request().await;
    // The loop is held at the first popup; the second request says that all events of the first are in its queue.
    fixture.popup().await;
    server.request().await;
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
async fn a_shutdown_commits_all_that_was_received() {
    let (leave, wait) = blocking::channel();
    let mut server = ScriptedServer::start(vec![vec![stream(&numbers(1..=500))]]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut fixture = Fixture::start_in(folder, &feed("a", &server, ""), Some(wait));
    fixture.engine.report(Report::Available(true)).await;
    server.request().await;
    fixture.popup().await;
    server.request().await;
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
async fn another_url_loses_nothing_that_the_former_one_sent() {
    for remove in [false, true] {
        let (leave, wait) = blocking::channel();
        let mut old = ScriptedServer::start(vec![vec![stream(&numbers(1..=500))]]).await;
        let new = ScriptedServer::start(vec![vec![stream("data: new\n\n"), Act::Hold]]).await;
        let folder = tempfile::tempdir().expect("a folder");
        let mut fixture = Fixture::start_in(folder, &feed("a", &old, ""), Some(wait));
        fixture.engine.report(Report::Available(true)).await;
        old.request().await;
        // The loop is held at the first popup; the second request says that all events of the first are in its queue.
        fixture.popup().await;
        old.request().await;
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
    assert_eq!((ids(&fixture), view.counts.repeats), (texts_of("m1 m2 o1 m3 m3"), 1));
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
    assert_eq!(ids(&fixture), texts_of("m1 m2 o1 m3 m3 m4 m5"));

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

fn texts_of(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}

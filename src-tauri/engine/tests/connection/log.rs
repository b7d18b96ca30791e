//! What outlives a connection: the rules that need the engine and its log.

use std::{fs, time::Duration};

use bellwether_engine::{
    access::no_keyring,
    config::ConfigFile,
    engine::{Engine, FeedView, Notifier, Parts, Popup, Report},
    event_log::{EventLog, Query},
    feed::{FeedId, State},
    subscription::Client,
};
use tempfile::TempDir;
use tokio::{sync::mpsc, time::timeout};

use crate::{
    row::Row,
    support::{Act, ScriptedServer, answer, quick, stream},
};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::alone("id: kept on disk; the first request after a start carries it", || Box::pin(id_on_disk())),
        Row::alone("empty id: on disk too", || Box::pin(empty_id_on_disk())),
        Row::alone("id: removed when the feed's URL changes", || Box::pin(another_url())),
        Row::alone("old events sent again after a reconnect: neither logged nor shown", || {
            Box::pin(repeats())
        }),
        Row::alone("equal events outside that window: news", || Box::pin(equal_events())),
        Row::alone("backlog of many events: drawn together, all in the history", || Box::pin(backlog())),
        Row::alone("stopped: tried again on the person's wish, or at the next start", || Box::pin(stopped())),
    ]
}

/// An engine in a folder of its own, with one feed.
struct Program {
    folder: TempDir,
    engine: Engine,
    popups: mpsc::UnboundedReceiver<Popup>,
}

struct Shown(mpsc::UnboundedSender<Popup>);

impl Notifier for Shown {
    fn show(&mut self, popup: Popup) {
        let _ = self.0.send(popup);
    }

    fn withdraw(&mut self, _: &FeedId, _: &str) {}
}

impl Program {
    async fn start(server: &ScriptedServer) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_in(folder, server, "/").await
    }

    async fn start_in(folder: TempDir, server: &ScriptedServer, path: &str) -> Self {
        let config = folder.path().join("feeds.toml");
        fs::write(&config, format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", server.url(path)))
            .expect("feeds.toml");
        let (sender, popups) = mpsc::unbounded_channel();
        let engine = Engine::start(Parts {
            config: ConfigFile::new(config),
            log: EventLog::open(&folder.path().join("events.db")).expect("a log"),
            client: Client::new("Bellwether/0.0.0").expect("a client"),
            keyring: no_keyring(),
            limits: quick(),
            notifier: Shown(sender),
            seed: 1,
        });
        let engine = engine.expect("an engine");
        engine.report(Report::Available(true)).await;
        Self { folder, engine, popups }
    }

    async fn end(self) {
        self.engine.shutdown().await;
    }

    async fn start_again(self, server: &ScriptedServer, path: &str) -> Self {
        self.engine.shutdown().await;
        Self::start_in(self.folder, server, path).await
    }

    /// Waits until the feed fits.
    async fn until(&self, fits: impl Fn(&FeedView) -> bool) {
        let mut updates = self.engine.updates();
        let look = async {
            while !self.engine.feeds().await.expect("the engine runs").iter().all(&fits) {
                let _ = updates.recv().await;
            }
        };
        timeout(Duration::from_secs(30), look).await.expect("the feed fits in time");
    }

    async fn events(&self, count: u64) {
        self.until(|view| view.counts.events == count).await;
    }

    /// What is in the log, oldest first.
    fn data(&self) -> Vec<String> {
        let query = Query { feed: FeedId::new("a"), limit: 1000, ..Query::default() };
        let records = self.engine.log().page(&query).expect("the log").records;
        records.into_iter().rev().map(|record| record.message.data).collect()
    }

    /// The next popup, which is reported as shown.
    async fn popup(&mut self) -> Popup {
        let popup = timeout(Duration::from_secs(30), self.popups.recv()).await.expect("a popup in time");
        let popup = popup.expect("the engine runs");
        self.engine.report(Report::Shown { events: popup.events.clone() }).await;
        popup
    }
}

fn open(body: &str) -> Vec<Act> {
    vec![stream(body), Act::Hold]
}

async fn id_on_disk() {
    let mut server = ScriptedServer::start(vec![open("id: 1\ndata: a\n\n")]).await;
    let program = Program::start(&server).await;
    server.request().await.lacks("last-event-id").expect("no ID yet");
    program.events(1).await;
    let program = program.start_again(&server, "/").await;
    server.request().await.has("last-event-id", b"1").expect("the ID");
    program.end().await;
}

async fn empty_id_on_disk() {
    let mut server = ScriptedServer::start(vec![open("id: 1\ndata: a\n\nid\ndata: b\n\n")]).await;
    let program = Program::start(&server).await;
    server.request().await;
    program.events(2).await;
    let program = program.start_again(&server, "/").await;
    server.request().await.lacks("last-event-id").expect("no ID");
    program.end().await;
}

async fn another_url() {
    let mut server = ScriptedServer::start(vec![open("id: 1\ndata: a\n\n")]).await;
    let program = Program::start(&server).await;
    server.request().await;
    program.events(1).await;
    let program = program.start_again(&server, "/other").await;
    let request = server.request().await;
    request.is_for("/other").and_then(|()| request.lacks("last-event-id")).expect("no ID of another stream");
    program.end().await;
}

async fn repeats() {
    let server = ScriptedServer::start(vec![
        vec![stream("id: 1\ndata: a\n\nid: 2\ndata: b\n\n")],
        open("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n"),
    ])
    .await;
    let mut program = Program::start(&server).await;
    program.events(3).await;
    program.until(|view| view.counts.repeats == 2).await;
    assert_eq!(program.data(), ["a", "b", "c"]);
    for _ in 0..3 {
        program.popup().await;
    }
    assert!(program.popups.try_recv().is_err(), "a popup more than events");
    program.end().await;
}

async fn equal_events() {
    let server = ScriptedServer::start(vec![open(&"id: 1\ndata: a\n\n".repeat(3))]).await;
    let program = Program::start(&server).await;
    program.events(3).await;
    assert_eq!(program.data(), ["a", "a", "a"]);
    program.end().await;
}

async fn backlog() {
    let backlog: String = (2..=500).map(|number| format!("id: {number}\ndata: {number}\n\n")).collect();
    let server = ScriptedServer::start(vec![vec![stream("id: 1\ndata: 1\n\n")], open(&backlog)]).await;
    let mut program = Program::start(&server).await;
    program.events(500).await;
    let (mut told, mut popups) = (0, 0);
    while told < 500 {
        told += program.popup().await.events.len();
        popups += 1;
    }
    assert!(popups <= 20, "{popups} popups for 500 events");
    let all: Vec<String> = (1..=500).map(|number| number.to_string()).collect();
    assert_eq!(program.data(), all);
    program.end().await;
}

async fn stopped() {
    let gone = || vec![answer("410 Gone", "")];
    let mut server = ScriptedServer::start(vec![gone(), gone(), open("data: a\n\n")]).await;
    let program = Program::start(&server).await;
    server.request().await;
    program.until(|view| view.connection.state == State::Stopped).await;
    server.assert_quiet();
    program.engine.reconnect(None).await.expect("a wish that is granted");
    server.request().await;
    program.until(|view| view.connection.state == State::Stopped).await;
    let program = program.start_again(&server, "/").await;
    program.events(1).await;
    program.end().await;
}

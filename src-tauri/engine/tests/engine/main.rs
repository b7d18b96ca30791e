//! The one loop through its public face: real sockets, a real log, and a notifier that remembers.

#![allow(clippy::expect_used, clippy::panic, reason = "what is expected and does not hold ends the test")]

mod delivery;
mod events;
mod policy;
mod presets;
mod streams;
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

    /// An engine that is held at its first popup until what is given beside it is dropped: by then all that the first connection to
    /// `server` sent is in its queue, as the second request says.
    async fn held_at_the_first_popup(server: &mut ScriptedServer) -> (Self, blocking::Sender<()>) {
        let (leave, wait) = blocking::channel();
        let folder = tempfile::tempdir().expect("a folder");
        let mut fixture = Self::start_in(folder, &feed("a", server, ""), Some(wait));
        fixture.engine.report(Report::Available(true)).await;
        server.request().await;
        fixture.popup().await;
        server.request().await;
        (fixture, leave)
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

fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

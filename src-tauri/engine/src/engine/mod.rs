//! The one loop: every message of every feed, every wish of a person, and every report of the notification server passes
//! through it, in order, on a thread of its own.
//!
//! Invariants:
//! - An event, its feed's last event ID and its outcome are committed together, before anything is shown. After a `kill -9`
//!   at any moment a server that replays leaves every event in the log exactly once.
//! - The loop is the log's only writer. It commits what has queued up in one transaction, [`GROUP`] events at most.
//! - Queues are bounded, in number ([`QUEUE`]) and in memory ([`Room`](crate::subscription::Room)): a slow or full disk becomes back-pressure on the connections, never memory, never loss.
//! - No connection's future is polled here: asking for a state cannot drop a stream, waiting for a click cannot block.
//! - What is to be shown and not yet recorded as handed over is shown once a notification server is there, also after a restart.

mod commands;
mod committing;
mod deleting;
mod event_loop;
mod feeds;
mod importing;
mod outages;
mod outbox;
mod presets;
mod running;
mod showing;
mod together;

use std::{io, sync::Arc};

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::{
    access::{Keyring, Place, Source},
    activity::Signs,
    config::{
        ConfigError, ConfigFile,
        edit::{FeedChange, NewFeed, Removal, RulesChange, SettingsChange},
    },
    event_log::{
        ConnectionChange, Counts, EventLog, Importing, LogError, LogReader, PortableEvent, PortableFeed,
        ReadMark, Record, Retention,
    },
    event_source::Limits,
    feed::{ConnectionState, Feed, FeedId},
    notification::Notification,
    policy::Notifications,
    rule::RuleFault,
    run::RunFault,
    sentence::Sentence,
    subscription::Client,
};

pub use self::importing::travels;
pub use crate::policy::SummaryKind;

/// How many signals of connections, and how many wishes, may wait.
pub const QUEUE: usize = 1024;

/// How many events are committed in one transaction.
pub const GROUP: usize = 256;

/// How much of an event's data an [`Update`] carries, in bytes: slow readers keep many.
pub const PREVIEW: usize = 1024;

/// How many updates a slow reader may be behind before it is told that it lags.
const UPDATES: usize = 256;

/// Where popups go. Called after the commit and never waited for.
pub trait Notifier: Send + 'static {
    /// Takes a popup to be shown. Its end is told with [`Engine::report`]: one report for each popup.
    fn show(&mut self, popup: Popup);

    /// Takes away the popup of a feed that has this key, if it is still there. No report follows.
    fn withdraw(&mut self, feed: &FeedId, key: &str);
}

/// A popup, as a value: texts are plain, the notifier escapes what its server reads as markup.
#[derive(Clone, PartialEq, Debug)]
pub struct Popup {
    /// The events that it is the first to tell of, oldest first; empty for a sample.
    pub events: Vec<u64>,
    /// Their feed; `None`: several.
    pub feed: Option<FeedId>,
    /// What a person calls the feed.
    pub feed_name: String,
    /// Of one event what it says; of several what the newest says, as urgent as the most urgent of them.
    pub notification: Notification,
    /// Whether the feed allows images.
    pub images: bool,
    /// Whether it may make a sound.
    pub sound: bool,
    /// If it tells of several events: of which.
    pub summary: Option<Summary>,
}

/// A popup that tells of several events. One of the same id that is still there is replaced by it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Its number: that of the first event that it told of. The events bear it in the log.
    pub id: u64,
    /// Why they are drawn together.
    pub kind: SummaryKind,
    /// How many they are, with those that it told of before.
    pub count: u64,
    /// The titles of the newest, newest first: at most three.
    pub titles: Vec<String>,
    /// Feeds with their names, and how many of the events are theirs, the most first; if it is of several feeds.
    pub feeds: Vec<(String, u64)>,
}

/// What became of a popup, or of the notification server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Report {
    /// The server took it.
    Shown {
        /// The popup's events.
        events: Vec<u64>,
    },
    /// The server did not take it; it is shown later.
    Failed {
        /// The popup's events.
        events: Vec<u64>,
    },
    /// The server came or went.
    Available(bool),
    /// A popup that told of several events is no longer there: what comes next is told by another one.
    Gone {
        /// Its number.
        summary: u64,
    },
}

/// A feed as it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct FeedView {
    /// Its settings.
    pub feed: Arc<Feed>,
    /// Its connection.
    pub connection: ConnectionState,
    /// What came of it so far.
    pub counts: Counts,
    /// Messages over the size limit since the start of the program.
    pub oversized: u64,
    /// Where its server asked to connect to from now on, by redirects that are for good, when the stream was last opened; without
    /// secrets.
    pub moved_to: Option<String>,
    /// What has come on its connections, as of this moment.
    pub signs: Signs,
    /// Until when it shows no popups, if a person wanted that for a while.
    pub snoozed_until: Option<Timestamp>,
    /// How many of its events are held back, to be told later.
    pub held: u64,
    /// The newest failure of each rule that has failed since it was written, in the order of the rules.
    pub rule_faults: Vec<RuleFault>,
}

/// A feed that was removed, with all that it takes to put it back.
#[derive(Clone)]
pub struct RemovedFeed {
    /// As it was declared.
    pub feed: Arc<Feed>,
    /// Its place in `feeds.toml`, and what stood there.
    pub(crate) removal: Removal,
    /// Its last event ID, and the value that it resumed by.
    pub(crate) position: [String; 2],
    pub(crate) snoozed_until: Option<Timestamp>,
}

/// What comes from another machine, beside events.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Import {
    /// The text of `feeds.toml`.
    pub config: String,
    /// What the log keeps of feeds.
    pub feeds: Vec<PortableFeed>,
    /// The presets that were found for feeds, and the snoozes, as the log keeps them.
    pub settings: Vec<(String, String)>,
}

/// What came of a piece of another log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Imported {
    /// How many events were appended.
    pub events: u64,
    /// For the next piece.
    pub importing: Importing,
}

/// What keeps popups of all feeds away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Attention {
    /// Until when, if a person wanted that for a while.
    pub snoozed_until: Option<Timestamp>,
    /// Until when it is quiet by `feeds.toml`, if it is now.
    pub quiet_until: Option<Timestamp>,
    /// How many events of all feeds are held back, to be told later.
    pub held: u64,
}

/// What changed.
#[derive(Clone, Debug)]
pub enum Update {
    /// A feed's connection or counts.
    Feed(Box<FeedView>),
    /// The set of feeds, or the state of `feeds.toml`.
    Config,
    /// A new event in the log, its data cut at [`PREVIEW`].
    Event(Arc<Record>),
    /// A connection was lost, or is there again.
    ConnectionChange(Box<ConnectionChange>),
    /// Events changed in place, were deleted or came back.
    EventsChanged,
    /// The log cannot be written, or can be again.
    Log,
    /// What keeps popups away began or ended.
    Attention,
}

/// Why a wish was not granted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `feeds.toml`, or what was to be written into it.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The event log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An event that is not in the log.
    #[error("there is no event {0} in the log")]
    NoSuchEvent(u64),
    /// A deletion that cannot be taken back.
    #[error(
        "none of these events was deleted within the last hour, or too many deletions came after: nothing can be restored"
    )]
    NothingToRestore,
    /// The notification server is away, or has too many popups to take.
    #[error("the notification server is not there, or has not taken earlier popups yet; try again later")]
    NotShown,
    /// The engine's thread could not be started.
    #[error("cannot start the engine's thread: {0}")]
    Thread(io::Error),
    /// The engine has ended.
    #[error("Bellwether is shutting down")]
    Ended,
}

/// What an engine is made of.
pub struct Parts<N> {
    /// `feeds.toml`.
    pub config: ConfigFile,
    /// The event log.
    pub log: EventLog,
    /// What all feeds connect with.
    pub client: Client,
    /// Where their secrets are kept, if they are in the system's keyring.
    pub keyring: Arc<dyn Keyring>,
    /// Limits of every connection.
    pub limits: Limits,
    /// Where popups go.
    pub notifier: N,
    /// Seeds the jitter of every feed.
    pub seed: u64,
}

/// A handle to the running engine; clones reach the same one.
#[derive(Clone)]
pub struct Engine {
    commands: mpsc::Sender<Command>,
    updates: broadcast::Sender<Update>,
    reader: LogReader,
}

/// Everything that is asked of the loop from outside. Connections speak through a queue of their own.
pub(crate) enum Command {
    Feeds(Reply<Vec<FeedView>>),
    ConfigError(Reply<Option<ConfigError>>),
    LogError(Reply<Option<Sentence>>),
    ReloadConfig,
    AddFeed(Box<NewFeed>, Reply<Result<FeedView, Error>>),
    EditFeed(FeedId, Box<FeedChange>, Reply<Result<FeedView, Error>>),
    SetPaused(FeedId, bool, Reply<Result<FeedView, Error>>),
    SetCredential(FeedId, Place, Option<Source>, Reply<Result<FeedView, Error>>),
    CheckNewFeed(Box<NewFeed>, Reply<Result<FeedId, Error>>),
    ImportEvents(Vec<PortableEvent>, Importing, Reply<Result<Imported, Error>>),
    Import(Box<Import>, Reply<Result<(), Error>>),
    SetRules(FeedId, RulesChange, Reply<Result<FeedView, Error>>),
    SetOrder(Vec<FeedId>, Reply<Result<(), Error>>),
    RemoveFeed(FeedId, Reply<Result<RemovedFeed, Error>>),
    RestoreFeed(Box<RemovedFeed>, Reply<Result<FeedView, Error>>),
    EditSettings(Box<SettingsChange>, Reply<Result<(), Error>>),
    Settings(Reply<(Arc<Notifications>, Retention)>),
    Reconnect(Option<FeedId>, Reply<Result<(), Error>>),
    WokeUp,
    NetworkCameBack,
    Sample(FeedId, Reply<Result<(), Error>>),
    MarkRead(ReadMark, bool, Reply<Result<(), Error>>),
    Delete(Vec<u64>, Reply<Result<(), Error>>),
    Restore(Vec<u64>, Reply<Result<(), Error>>),
    ShowAgain(u64, Reply<Result<(), Error>>),
    Setting(String, Reply<Result<Option<String>, Error>>),
    SetSetting(String, String, Reply<Result<(), Error>>),
    Snooze(Option<FeedId>, Option<Timestamp>, Reply<Result<(), Error>>),
    Attention(Reply<Attention>),
    Notifications(Reply<Arc<Notifications>>),
    Report(Report),
    RunFault(RunFault),
    Shutdown(Reply<Option<Sentence>>),
}

pub(crate) type Reply<T> = oneshot::Sender<T>;

impl Engine {
    /// Reads `feeds.toml` and starts the loop on a thread of its own; its connections run on the current tokio runtime.
    /// A broken `feeds.toml` is no error here: [`Engine::config_error`] tells of it, and a mended one is picked up.
    pub fn start<N: Notifier>(parts: Parts<N>) -> Result<Self, Error> {
        event_loop::start(parts)
    }

    /// The events, for any thread.
    pub fn log(&self) -> &LogReader {
        &self.reader
    }

    /// What changes from now on. A reader that falls far behind is told so by the channel.
    pub fn updates(&self) -> broadcast::Receiver<Update> {
        self.updates.subscribe()
    }

    /// The feeds in the file's order.
    pub async fn feeds(&self) -> Result<Vec<FeedView>, Error> {
        self.ask(Command::Feeds).await
    }

    /// What is wrong with `feeds.toml`; the last good state holds on meanwhile.
    pub async fn config_error(&self) -> Result<Option<ConfigError>, Error> {
        self.ask(Command::ConfigError).await
    }

    /// Why the event log cannot be written now, if so; connections wait until it can.
    pub async fn log_error(&self) -> Result<Option<Sentence>, Error> {
        self.ask(Command::LogError).await
    }

    /// Reads `feeds.toml` again, after it changed.
    pub async fn reload_config(&self) {
        let _ = self.commands.send(Command::ReloadConfig).await;
    }

    /// Writes a new feed into `feeds.toml` and connects to it.
    pub async fn add_feed(&self, feed: NewFeed) -> Result<FeedView, Error> {
        self.ask(|reply| Command::AddFeed(Box::new(feed), reply)).await?
    }

    /// Changes a feed in `feeds.toml`, and reconnects where the change calls for it.
    pub async fn edit_feed(&self, id: FeedId, change: FeedChange) -> Result<FeedView, Error> {
        self.ask(|reply| Command::EditFeed(id, Box::new(change), reply)).await?
    }

    /// Pauses a feed, or lets it connect again, in `feeds.toml`.
    pub async fn set_paused(&self, id: FeedId, paused: bool) -> Result<FeedView, Error> {
        self.ask(|reply| Command::SetPaused(id, paused, reply)).await?
    }

    /// Says in `feeds.toml` where a feed's credential comes from, or takes it out if it comes from nowhere. It is read anew, also
    /// if the file said the same before: what lies at that place has changed.
    pub async fn set_credential(
        &self,
        id: FeedId,
        place: Place,
        source: Option<Source>,
    ) -> Result<FeedView, Error> {
        self.ask(|reply| Command::SetCredential(id, place, source, reply)).await?
    }

    /// What the id of a new feed would be, if it can be added. Nothing is written.
    pub async fn check_new_feed(&self, feed: NewFeed) -> Result<FeedId, Error> {
        self.ask(|reply| Command::CheckNewFeed(Box::new(feed), reply)).await?
    }

    /// Writes other rules of a feed into `feeds.toml`.
    pub async fn set_rules(&self, id: FeedId, change: RulesChange) -> Result<FeedView, Error> {
        self.ask(|reply| Command::SetRules(id, change, reply)).await?
    }

    /// Puts the feeds of `feeds.toml` into this order, and others after them.
    pub async fn set_order(&self, order: Vec<FeedId>) -> Result<(), Error> {
        self.ask(|reply| Command::SetOrder(order, reply)).await?
    }

    /// Removes a feed from `feeds.toml`; its events stay in the log.
    pub async fn remove_feed(&self, id: FeedId) -> Result<RemovedFeed, Error> {
        self.ask(|reply| Command::RemoveFeed(id, reply)).await?
    }

    /// Puts a feed that was removed back into `feeds.toml`. It goes on where it ended.
    pub async fn restore_feed(&self, removed: Box<RemovedFeed>) -> Result<FeedView, Error> {
        self.ask(|reply| Command::RestoreFeed(removed, reply)).await?
    }

    /// Changes what `feeds.toml` says of all feeds' popups and of the log.
    pub async fn edit_settings(&self, change: SettingsChange) -> Result<(), Error> {
        self.ask(|reply| Command::EditSettings(Box::new(change), reply)).await?
    }

    /// Appends events of another log, in their order, after the pieces that gave `importing`. An empty piece tells of those before, if
    /// no [`Engine::import`] follows.
    pub async fn import_events(
        &self,
        events: Vec<PortableEvent>,
        importing: Importing,
    ) -> Result<Imported, Error> {
        self.ask(|reply| Command::ImportEvents(events, importing, reply)).await?
    }

    /// Makes `feeds.toml` another one's, whatever it says now, keeps what it said as `feeds.toml.before-import`, and goes on where that one's feeds ended.
    pub async fn import(&self, import: Import) -> Result<(), Error> {
        self.ask(|reply| Command::Import(Box::new(import), reply)).await?
    }

    /// What `feeds.toml` says of popups and of the log.
    pub async fn settings(&self) -> Result<(Arc<Notifications>, Retention), Error> {
        self.ask(Command::Settings).await
    }

    /// Tries a feed, or all that are not paused, at once: a waiting one ends its wait, a connected one begins anew.
    pub async fn reconnect(&self, id: Option<FeedId>) -> Result<(), Error> {
        self.ask(|reply| Command::Reconnect(id, reply)).await?
    }

    /// The machine has slept: every connection is dropped and made anew within 2 s, and those that wait are tried as well.
    /// What is stopped or paused remains so.
    pub async fn woke_up(&self) {
        let _ = self.commands.send(Command::WokeUp).await;
    }

    /// The network has come back: feeds that wait are tried within 2 s, those that need attention, too. Open streams go on.
    pub async fn network_came_back(&self) {
        let _ = self.commands.send(Command::NetworkCameBack).await;
    }

    /// Shows a popup as this feed's rules make it of its newest event, or of a sample.
    pub async fn sample(&self, id: FeedId) -> Result<(), Error> {
        self.ask(|reply| Command::Sample(id, reply)).await?
    }

    /// Marks events as read or unread.
    pub async fn mark_read(&self, which: ReadMark, read: bool) -> Result<(), Error> {
        self.ask(|reply| Command::MarkRead(which, read, reply)).await?
    }

    /// Deletes events. What waited for its popup gets none; a server that sends one of them again does not make it news.
    pub async fn delete(&self, seqs: Vec<u64>) -> Result<(), Error> {
        self.ask(|reply| Command::Delete(seqs, reply)).await?
    }

    /// Takes the deletion of these events back, as far as it was one of the latest 20 and within an hour; [`Error::NothingToRestore`]
    /// if none of them was. What waited for its popup waits again.
    pub async fn restore(&self, seqs: Vec<u64>) -> Result<(), Error> {
        self.ask(|reply| Command::Restore(seqs, reply)).await?
    }

    /// Shows an event's popup, once more or at last: no gate holds it back. The event keeps its outcome, unless its popup had been
    /// kept away: then it is shown.
    pub async fn show_again(&self, seq: u64) -> Result<(), Error> {
        self.ask(|reply| Command::ShowAgain(seq, reply)).await?
    }

    /// Keeps popups of a feed, or of all, away until then; what comes meanwhile is told then, in one popup. `None` ends that at once.
    pub async fn snooze(&self, feed: Option<FeedId>, until: Option<Timestamp>) -> Result<(), Error> {
        self.ask(|reply| Command::Snooze(feed, until, reply)).await?
    }

    /// What keeps popups of all feeds away now.
    pub async fn attention(&self) -> Result<Attention, Error> {
        self.ask(Command::Attention).await
    }

    /// What `feeds.toml` says of popups.
    pub async fn notifications(&self) -> Result<Arc<Notifications>, Error> {
        self.ask(Command::Notifications).await
    }

    /// A small setting of the program's own.
    pub async fn setting(&self, key: &str) -> Result<Option<String>, Error> {
        self.ask(|reply| Command::Setting(key.to_owned(), reply)).await?
    }

    /// Keeps a small setting of the program's own.
    pub async fn set_setting(&self, key: &str, value: &str) -> Result<(), Error> {
        self.ask(|reply| Command::SetSetting(key.to_owned(), value.to_owned(), reply)).await?
    }

    /// Tells what became of a popup.
    pub async fn report(&self, report: Report) {
        let _ = self.commands.send(Command::Report(report)).await;
    }

    /// Closes every connection, commits what has come, and ends the loop. Returns why that could not be committed, if so: then
    /// only servers that replay bring it again.
    pub async fn shutdown(&self) -> Option<Sentence> {
        // Ended already: nothing was left to commit.
        self.ask(Command::Shutdown).await.ok().flatten()
    }

    /// Waits until the loop has ended: after [`Engine::shutdown`], or by a panic. Nothing is received from then on, so a
    /// program that goes on without it would only look alive.
    pub async fn ended(&self) {
        self.commands.closed().await;
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| Error::Ended)?;
        answer.await.map_err(|_| Error::Ended)
    }
}

//! The resident program: the one place where everything is put together.
//!
//! The network, popups, tray and control socket share one thread's runtime; the engine, with the event log, has its own.

mod alerts;
mod attention;
pub(crate) mod autostart;
mod credential;
mod demo;
mod doctor;
mod exports;
mod faults;
mod feeds;
#[cfg(unix)]
mod files;
mod instance;
mod listener;
mod log;
mod network;
mod parts;
mod popups;
mod portable;
mod presence;
mod preview;
mod reading;
mod removed;
mod rules;
mod server;
mod settings;
mod sleep;
mod updates;
mod watch;
mod window;
mod wire;

pub(crate) use wire::{config_error, sentence};

use std::{io::Write, sync::Arc, time::Duration};

use anyhow::Context;
use bellwether_control::{
    messages::{self, Catalogue},
    paths::Profile,
    wire::{ErrorCode, Language, OpenWindow, PartName, Status, Theme},
};
use bellwether_engine::{
    config::{ConfigFile, edit::NewFeed},
    engine::{self, Engine, FeedView},
    event_log::{EventLog, Record},
    event_source::Limits,
    feed::{Feed, FeedId},
    snooze,
    subscription::Client,
};
use jiff::{Timestamp, Zoned};
use tokio::sync::{OnceCell, watch as watched};
use url::Url;

use self::{
    autostart::Autostart, instance::Instance, listener::Socket, parts::Parts, removed::Removed,
    server::Refusal, window::Window,
};
pub(crate) use self::{
    demo::Demo,
    instance::InstanceError,
    preview::{draft as rule_draft, mistake as rule_mistake},
    window::program as window_program,
    wire::probe as probe_on_the_wire,
};
use crate::{cli::plain, desktop::Desktop, keyring::Keyring};

/// How long the engine may take to commit what has come before the program ends: longer than it waits for a lock on the log.
const FAREWELL: Duration = Duration::from_secs(8);

/// How long whoever speaks to the control socket may take to hear that the program ends.
const GOODBYE: Duration = Duration::from_secs(1);

/// How the program was started.
#[derive(Clone)]
pub(crate) struct Start {
    /// Without the window.
    pub(crate) background: bool,
    /// With the demo feed subscribed to.
    pub(crate) demo: bool,
    /// The way to the main thread, where these systems want the tray.
    #[cfg(not(target_os = "linux"))]
    pub(crate) main_thread: std::sync::mpsc::Sender<crate::tray::MainThread>,
}

/// The running program, as the control socket's routes see it. Clones share it.
#[derive(Clone)]
pub(crate) struct Resident {
    pub(crate) engine: Engine,
    /// Makes the requests of all feeds, and those of probes.
    client: Client,
    pub(crate) parts: Parts,
    pub(crate) window: Window,
    pub(crate) catalogue: Arc<Catalogue>,
    /// The language as set; the catalogue follows it.
    pub(crate) language: watched::Sender<Language>,
    /// The window's colours.
    theme: watched::Sender<Theme>,
    autostart: Autostart,
    removed: Removed,
    /// Whether the end is wanted.
    pub(crate) quit: watched::Sender<bool>,
    /// How often the machine has slept.
    woke_up: watched::Sender<u32>,
    popups: popups::Popups,
    /// Where the demo feed is served, once it is: one server, however often it is subscribed to.
    demo: Arc<OnceCell<Url>>,
    /// Files that a person asks for.
    pub(crate) exports: exports::Exports,
    profile: Profile,
    started_at: Timestamp,
}

/// The language that a setting stands for: one that there is a catalogue for.
fn locale_of(language: Language) -> &'static str {
    match language {
        Language::System => messages::system_locale(),
        Language::En => "en",
        Language::ZhCn => "zh-CN",
    }
}

/// Runs until asked to quit. [`InstanceError::Running`] if there is one already.
pub(crate) async fn run(profile: Profile, start: &Start) -> anyhow::Result<()> {
    profile.make_folders()?;
    let _instance = Instance::take(&profile)?;
    #[cfg(unix)]
    files::allow_many();
    let socket = Socket::bind(&profile)
        .with_context(|| format!("cannot listen on the control socket {}", profile.socket.display()))?;
    profile.event_log.parent().into_iter().for_each(portable::clean);
    let log = EventLog::open(&profile.event_log)?;
    let client = Client::new(concat!("Bellwether/", env!("CARGO_PKG_VERSION")))?;
    let (language, theme) = settings::kept(&log)?;
    let catalogue = Arc::new(Catalogue::new(locale_of(language)));
    let desktop = Desktop::watch();
    let (popups, popup_ends) = popups::start(&catalogue, &desktop, &profile);
    let config = ConfigFile::new(profile.config_file.clone());
    let demo = resume_demo(&config, &catalogue).await;
    let engine = Engine::start(engine::Parts {
        config,
        log,
        client: client.clone(),
        keyring: Arc::new(Keyring::of(&profile)),
        limits: Limits::default(),
        notifier: popups.clone(),
        seed: seed(),
    })?;
    let resident = Resident {
        engine: engine.clone(),
        client,
        parts: Parts::new(),
        window: Window::new(&profile),
        catalogue,
        language: watched::Sender::new(language),
        theme: watched::Sender::new(theme),
        autostart: Autostart::of(&profile),
        removed: Removed::default(),
        quit: watched::Sender::new(false),
        woke_up: watched::Sender::new(0),
        popups,
        demo: Arc::new(OnceCell::new_with(demo)),
        exports: exports::Exports::of_person(),
        started_at: Timestamp::now(),
        profile,
    };
    resident.watch();
    presence::start(&resident, &desktop, start, popup_ends);
    serve(resident, socket, start).await
}

/// Answers on the control socket until the end is asked for.
async fn serve(resident: Resident, socket: Socket, start: &Start) -> anyhow::Result<()> {
    let engine = resident.engine.clone();
    let mut going = resident.quit.subscribe();
    let server = axum::serve(socket, server::routes(resident.clone()))
        .with_graceful_shutdown(async move { drop(going.wait_for(|asked| *asked).await) });
    let server = tokio::spawn(async move { server.await });
    resident.greet(start).await;
    let asked = tokio::select! {
        () = quit_asked(&resident.quit) => true,
        // Only by a panic. Without it nothing is received any more, and whoever started a new one would be sent to this one.
        () = engine.ended() => false,
    };
    // The socket file goes first: who looks for us from now on starts a new one.
    let _ = std::fs::remove_file(&resident.profile.socket);
    anyhow::ensure!(
        asked,
        "the engine has ended by a fault of its own, and the program with it; nothing in the log is lost: start it again, and \
         report what was said above"
    );
    resident.quit.send_replace(true);
    // Windows hear of it, and whoever asked for it gets the answer.
    let _ = tokio::time::timeout(GOODBYE, server).await;
    end(&engine).await
}

/// Ends the engine, once what it has received is in the log.
async fn end(engine: &Engine) -> anyhow::Result<()> {
    let late = |_| Some("the event log did not answer in time".to_owned());
    let cause = tokio::time::timeout(FAREWELL, engine.shutdown()).await;
    match cause.map_or_else(late, |cause| cause.map(|sentence| sentence.to_string())) {
        None => Ok(()),
        Some(cause) => Err(anyhow::anyhow!("what came last could not be logged before the end: {cause}")),
    }
}

/// Serves a demo feed that was subscribed to in an earlier run, at the port that it was then given. A port that is taken is no
/// reason not to start: the feed itself will say that nobody answers there as it should.
async fn resume_demo(config: &ConfigFile, catalogue: &Arc<Catalogue>) -> Option<Url> {
    let config = config.load().ok()?;
    let feed = config.feeds.iter().find(|feed| feed.id.as_str() == demo::ID)?;
    let demo = Demo::bind(Demo::port_of(&feed.url)?).await.ok()?;
    let url = demo.url().clone();
    tokio::spawn(demo.serve(Arc::clone(catalogue)));
    Some(url)
}

/// A different jitter for each run; nothing secret depends on it.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

async fn quit_asked(quit: &watched::Sender<bool>) {
    let mut quit = quit.subscribe();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminated = async {
            match signal(SignalKind::terminate()) {
                Ok(mut terminate) => terminate.recv().await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = quit.wait_for(|asked| *asked) => {}
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated => {}
        }
    }
    #[cfg(not(unix))]
    tokio::select! {
        _ = quit.wait_for(|asked| *asked) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// A line for whoever started the program from a terminal, which gets plain text whoever wrote it; a closed one is no reason
/// to end.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", plain::line(line));
}

/// Opens a link in the person's browser or mail program. Links come from feeds, so only these three schemes, and only after a
/// click.
pub(crate) fn open_link(url: &str) -> Result<(), String> {
    let known = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto"));
    if !known {
        return Err(format!("“{url}” is not a web or mail link"));
    }
    open::that_detached(url).map_err(|error| format!("no program could be started for {url}: {error}"))
}

impl Resident {
    pub(crate) async fn status(&self) -> Result<Status, engine::Error> {
        self.parts.look().await;
        let config_error = self.engine.config_error().await?;
        let event_log_error = self.engine.log_error().await?;
        let attention = self.engine.attention().await?;
        let feeds = self.engine.feeds().await?;
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_at: wire::time(self.started_at),
            language: *self.language.borrow(),
            theme: *self.theme.borrow(),
            locale: self.catalogue.locale().to_owned(),
            config: bellwether_control::wire::ConfigState {
                path: self.profile.config_file.display().to_string(),
                error: config_error.as_ref().map(wire::config_error),
            },
            event_log: self.profile.event_log.display().to_string(),
            event_log_error: event_log_error.as_ref().map(wire::sentence),
            attention: wire::attention(attention),
            parts: self.parts.all(),
            feeds: feeds.iter().map(wire::feed).collect(),
        })
    }

    /// A feed as it stands.
    async fn view(&self, id: &FeedId) -> Result<FeedView, Refusal> {
        let feeds = self.engine.feeds().await?;
        let none =
            || Refusal::new(ErrorCode::NoSuchFeed, format!("there is no feed “{id}”; see: bellwether feeds"));
        feeds.into_iter().find(|view| view.feed.id == *id).ok_or_else(none)
    }

    /// A feed's settings.
    async fn feed(&self, id: &FeedId) -> Result<Arc<Feed>, Refusal> {
        Ok(self.view(id).await?.feed)
    }

    /// The event of a number as it stands in a path.
    async fn record(&self, seq: &str) -> Result<Record, Refusal> {
        let none = || Refusal::new(ErrorCode::NoSuchEvent, format!("there is no event {seq} in the log"));
        let number: u64 = seq.parse().map_err(|_| none())?;
        let log = self.engine.log().clone();
        reading::read(move || log.get(number)).await.map_err(Refusal::internal)??.ok_or_else(none)
    }

    /// Keeps popups of a feed, or of all, away until then, as a person says it; `None`: no longer.
    pub(crate) async fn snooze(&self, feed: Option<FeedId>, until: Option<&str>) -> Result<(), Refusal> {
        let until = until.map_or(Ok(None), |text| snooze::until(text, &Zoned::now()));
        let until = until.map_err(|mistake| wire::invalid(&mistake))?;
        Ok(self.engine.snooze(feed, until).await?)
    }

    /// Whether there is a notification server.
    fn can_notify(&self) -> bool {
        self.parts.is_available(PartName::Notifications)
    }

    pub(crate) fn needs_notifications(&self) -> Result<(), Refusal> {
        if self.can_notify() {
            return Ok(());
        }
        Err(Refusal::new(ErrorCode::NoNotifications, self.parts.detail(PartName::Notifications)))
    }

    pub(crate) fn test_notification(&self) -> Result<(), Refusal> {
        self.needs_notifications()?;
        let busy = "the notification server has not taken earlier popups yet; try again later";
        self.popups.show_test().map_err(|_| Refusal::new(ErrorCode::NoNotifications, busy))
    }

    /// Starts the demo feed's server and subscribes to it, unless that has been done.
    pub(crate) async fn subscribe_to_demo(&self) -> Result<FeedView, Refusal> {
        let feeds = self.engine.feeds().await?;
        if let Some(view) = feeds.into_iter().find(|view| view.feed.id.as_str() == demo::ID) {
            return Ok(view);
        }
        let cannot = |error: std::io::Error| {
            Refusal::new(ErrorCode::Internal, format!("the demo feed cannot listen on 127.0.0.1: {error}"))
        };
        let serve = async || {
            let demo = match Demo::bind(demo::PORT).await {
                Ok(demo) => demo,
                Err(_) => Demo::bind(0).await?,
            };
            let url = demo.url().clone();
            tokio::spawn(demo.serve(Arc::clone(&self.catalogue)));
            Ok(url)
        };
        let url = self.demo.get_or_try_init(serve).await.map_err(cannot)?;
        let feed = NewFeed {
            url: url.to_string(),
            id: Some(demo::ID.to_owned()),
            name: Some(self.catalogue.text("demo.name").to_owned()),
            ..NewFeed::default()
        };
        Ok(self.engine.add_feed(feed).await?)
    }

    /// Notices from now on what changes around the program.
    fn watch(&self) {
        watch::watch(self.profile.config_file.clone(), self.engine.clone(), self.woke_up.clone());
        network::watch(self.engine.clone());
        tokio::spawn(faults::watch(self.clone()));
    }

    /// What a start shows: the window, the demo, and in a terminal where everything is.
    async fn greet(&self, start: &Start) {
        say(&self
            .catalogue
            .format("resident.started", &[("socket", &self.profile.socket.display().to_string())]));
        if let Ok(Some(error)) = self.engine.config_error().await {
            say(&error.to_string());
        }
        if start.demo
            && let Err(refusal) = self.subscribe_to_demo().await
        {
            say(&refusal.0.message);
        }
        if !start.background
            && let Err(error) = self.window.open(OpenWindow::default()).await
        {
            say(&error.to_string());
        }
    }
}

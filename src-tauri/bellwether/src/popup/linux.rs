//! Popups over the session bus.
//!
//! All are shown over one connection of their own, which stays: servers send a popup's signals to the connection that showed it
//! and to no other (dunst), or close the popup when that connection ends (GNOME 46). While a server takes its time with a popup,
//! clicks on the others are heard; the next popup waits for its answer, so that their order is kept.

use std::{mem, pin::Pin, sync::Arc, time::Duration};

use bellwether_control::messages::Catalogue;
use futures_util::StreamExt as _;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, timeout_at},
};
use zbus::{Connection, MatchRule, Message, MessageStream, message};

use super::{
    Click, Popup, PopupReport, REMEMBERED, Wish,
    content::Request,
    open::{Open, OpenPopups},
    server::{self, NAME, PATH, Presence, Server},
};
use crate::desktop::{Bus, Desktop};

/// When it is said that a server does not answer. In a flood dunst takes 10 s.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(15);
/// What a server that has too many popups answers (KDE and GNOME call it so).
const EXCESS: &str = "org.freedesktop.Notifications.Error.ExcessNotificationGeneration";
/// Signals that wait to be looked at.
const SIGNALS: usize = 256;
/// Signals of popups whose id is not known yet that are kept until it is.
const EARLY: usize = 32;
/// Most characters of a server's own words about a refusal.
const MAX_CAUSE: usize = 200;

/// Shows what comes through `wishes` until every sender is gone.
pub(super) async fn run(
    mut wishes: mpsc::Receiver<Wish>,
    reports: mpsc::Sender<PopupReport>,
    catalogue: Arc<Catalogue>,
    desktop: Desktop,
) {
    let (presence, mut server) = watch::channel(Presence::Unknown);
    tokio::spawn(server::watch(desktop.bus(), presence));
    let mut worker = Worker {
        reports,
        catalogue,
        bus: desktop.bus(),
        server: server.clone(),
        owner: None,
        line: None,
        open: OpenPopups::new(REMEMBERED),
        asked: None,
        early: Vec::new(),
    };
    loop {
        let ready = worker.asked.is_none() && *worker.server.borrow() != Presence::Unknown;
        tokio::select! {
            // The server first: what it can do decides how the next popup is shown. Then its answer, before what it says of the
            // popup later.
            biased;
            Ok(()) = server.changed() => worker.server_changed().await,
            answer = answer(&mut worker.asked) => worker.answered(answer).await,
            signal = signal(&mut worker.line) => worker.heard(signal).await,
            wish = wishes.recv(), if ready => match wish {
                Some(Wish::Show(popup)) => worker.show(*popup),
                Some(Wish::Withdraw(number)) => worker.withdraw(number).await,
                None => return,
            },
        }
    }
}

struct Worker {
    reports: mpsc::Sender<PopupReport>,
    catalogue: Arc<Catalogue>,
    bus: watch::Receiver<Bus>,
    server: watch::Receiver<Presence>,
    /// Whose popups are open: the server's unique name on the bus.
    owner: Option<String>,
    /// Made for the first popup.
    line: Option<Line>,
    open: OpenPopups,
    /// The popup that the server is being asked to show.
    asked: Option<Asked>,
    /// What was said meanwhile of ids that nobody knows, with who said it: the server may be faster with that than with its answer.
    early: Vec<(String, Signal)>,
}

/// The connection that popups are shown over.
struct Line {
    connection: Connection,
    signals: MessageStream,
}

struct Asked {
    popup: Arc<Popup>,
    answer: Pin<Box<dyn Future<Output = Answer> + Send>>,
    /// When it is said that the server does not answer; none: it has been.
    late: Option<Instant>,
}

struct Answer {
    /// If there was none before.
    line: Option<Line>,
    taken: Result<Taken, String>,
}

/// A server has taken a popup.
struct Taken {
    server: Server,
    /// None if its answer was none.
    id: Option<u32>,
    clicks: Vec<Click>,
}

/// What a server says of a popup.
enum Signal {
    Closed(u32),
    Action(u32, String),
}

/// The server's answer, however late: one that takes its time may still show the popup, so offering it again could show it
/// twice. If the server ends, the bus answers in its place (D-Bus specification, `NoReply`). `None`: it is late now.
async fn answer(asked: &mut Option<Asked>) -> Option<Answer> {
    let Some(asked) = asked else { return std::future::pending().await };
    match asked.late {
        Some(late) => timeout_at(late, &mut asked.answer).await.ok(),
        None => Some((&mut asked.answer).await),
    }
}

/// The next signal; `None` when the line is dead.
async fn signal(line: &mut Option<Line>) -> Option<Message> {
    let Some(line) = line else { return std::future::pending().await };
    line.signals.next().await.and_then(Result::ok)
}

impl Worker {
    async fn server_changed(&mut self) {
        let presence = self.server.borrow().clone();
        match &presence {
            Presence::Present(server) => self.adopt(&server.owner).await,
            Presence::NoBus(_) => {
                self.line = None;
                self.abandon().await;
            }
            _ => self.abandon().await,
        }
        let (available, detail) = match &presence {
            Presence::Unknown => return,
            Presence::Present(server) => (true, server.name.clone()),
            Presence::OnDemand => (true, self.catalogue.text("popup.server_on_demand").to_owned()),
            absent => (false, why_not(absent, &self.catalogue)),
        };
        self.report(PopupReport::Available(available, detail)).await;
    }

    /// Another server's ids mean nothing to this one, and could be taken for its own.
    async fn adopt(&mut self, owner: &str) {
        if self.owner.as_deref() != Some(owner) {
            self.abandon().await;
            self.owner = Some(owner.to_owned());
        }
    }

    async fn abandon(&mut self) {
        self.owner = None;
        for popup in self.open.clear() {
            self.report(PopupReport::Closed { popup }).await;
        }
    }

    fn show(&mut self, popup: Popup) {
        let popup = Arc::new(popup);
        let question = Question {
            popup: Arc::clone(&popup),
            catalogue: Arc::clone(&self.catalogue),
            presence: self.server.borrow().clone(),
            bus: self.bus.clone(),
            connection: self.line.as_ref().map(|line| line.connection.clone()),
            replaces: self.owner.clone().zip(self.open.in_place(popup.place.as_ref()).map(|open| open.id)),
        };
        let late = Some(Instant::now() + NOTIFY_TIMEOUT);
        self.asked = Some(Asked { popup, answer: Box::pin(question.ask()), late });
    }

    async fn answered(&mut self, answer: Option<Answer>) {
        let Some(Answer { line, taken }) = answer else { return self.is_late().await };
        let Some(Asked { popup, late, .. }) = self.asked.take() else { return };
        if line.is_some() {
            self.line = line;
        }
        if late.is_none() {
            let name = self.server_name();
            self.report(PopupReport::Available(true, name)).await;
        }
        let early = mem::take(&mut self.early);
        let number = popup.number;
        match taken {
            Ok(Taken { server, id, clicks }) => {
                self.adopt(&server.owner).await;
                let before = self.open.in_place(popup.place.as_ref()).cloned();
                self.report(PopupReport::Shown { popup: number }).await;
                // Of a popup without an id nothing will ever be heard.
                let Some(id) = id else { return self.report(PopupReport::Closed { popup: number }).await };
                for gone in self.open.insert(Open { id, number, place: popup.place.clone(), clicks }) {
                    self.report(PopupReport::Closed { popup: gone }).await;
                }
                if let Some(before) = before.filter(|before| before.id != id) {
                    // The server gave it a place of its own.
                    self.withdraw(before.number).await;
                }
                for (_, signal) in early.into_iter().filter(|(sender, _)| *sender == server.owner) {
                    self.apply(signal).await;
                }
            }
            Err(reason) => self.report(PopupReport::Failed { popup: number, reason }).await,
        }
    }

    async fn is_late(&mut self) {
        if let Some(asked) = &mut self.asked {
            asked.late = None;
        }
        let (name, seconds) = (self.server_name(), NOTIFY_TIMEOUT.as_secs().to_string());
        let reason = self.catalogue.format("popup.no_answer", &[("server", &name), ("seconds", &seconds)]);
        self.report(PopupReport::Available(false, reason)).await;
    }

    fn server_name(&self) -> String {
        match &*self.server.borrow() {
            Presence::Present(server) => server.name.clone(),
            _ => self.catalogue.text("popup.server_on_demand").to_owned(),
        }
    }

    async fn heard(&mut self, message: Option<Message>) {
        let Some(message) = message else { return self.line = None };
        let Some((sender, signal)) = read(&message) else { return };
        // Anyone on the bus can send a signal.
        if self.asked.is_some() && self.open.by_id(signal.id()).is_none() {
            if self.early.len() < EARLY {
                self.early.push((sender, signal));
            }
        } else if self.owner.as_ref() == Some(&sender) {
            self.apply(signal).await;
        }
    }

    async fn apply(&mut self, signal: Signal) {
        let Some(open) = self.open.by_id(signal.id()).cloned() else { return };
        match signal {
            Signal::Closed(id) => {
                self.open.remove(|open| open.id == id);
                self.report(PopupReport::Closed { popup: open.number }).await;
            }
            Signal::Action(_, key) => {
                let Some(click) = Click::of_key(&key, &open.clicks) else { return };
                self.report(PopupReport::Activated { popup: open.number, click }).await;
                // Most servers do so by themselves.
                self.withdraw(open.number).await;
            }
        }
    }

    /// Closes a popup that is open.
    async fn withdraw(&mut self, number: u64) {
        let Some(open) = self.open.remove(|open| open.number == number) else { return };
        if let Some(line) = &self.line {
            // Whether it was still there is no matter.
            let _ = close(&line.connection, open.id).await;
        }
        self.report(PopupReport::Closed { popup: number }).await;
    }

    async fn report(&mut self, report: PopupReport) {
        // Nobody listens any more only when the program ends.
        let _ = self.reports.send(report).await;
    }
}

impl Signal {
    fn id(&self) -> u32 {
        match self {
            Self::Closed(id) | Self::Action(id, _) => *id,
        }
    }
}

/// Who says what of a popup.
fn read(message: &Message) -> Option<(String, Signal)> {
    let header = message.header();
    let sender = header.sender()?.to_string();
    let signal = match header.member()?.as_str() {
        "NotificationClosed" => Signal::Closed(message.body().deserialize::<(u32, u32)>().ok()?.0),
        "ActionInvoked" => {
            let (id, key) = message.body().deserialize::<(u32, String)>().ok()?;
            Signal::Action(id, key)
        }
        _ => return None,
    };
    Some((sender, signal))
}

/// Asks for a popup's end. No answer is wanted.
async fn close(connection: &Connection, id: u32) -> zbus::Result<()> {
    let call = Message::method_call(PATH, "CloseNotification")?
        .destination(NAME)?
        .interface(NAME)?
        .with_flags(message::Flags::NoReplyExpected)?
        .build(&id)?;
    connection.send(&call).await
}

impl Line {
    async fn open() -> zbus::Result<Self> {
        let connection = Connection::session().await?;
        let rule = MatchRule::builder().msg_type(message::Type::Signal).interface(NAME)?.path(PATH)?.build();
        let signals = MessageStream::for_match_rule(rule, &connection, Some(SIGNALS)).await?;
        Ok(Self { connection, signals })
    }
}

/// A popup that a server is asked to show, with all that this takes.
struct Question {
    popup: Arc<Popup>,
    catalogue: Arc<Catalogue>,
    presence: Presence,
    bus: watch::Receiver<Bus>,
    connection: Option<Connection>,
    /// The server and its id of the popup whose place this one takes.
    replaces: Option<(String, u32)>,
}

impl Question {
    async fn ask(self) -> Answer {
        let server = match self.server_at_hand().await {
            Ok(server) => server,
            Err(reason) => return Answer { line: None, taken: Err(reason) },
        };
        let (connection, line) = match &self.connection {
            Some(connection) => (connection.clone(), None),
            None => match Line::open().await {
                Ok(line) => (line.connection.clone(), Some(line)),
                Err(error) => {
                    let reason = self.catalogue.format("popup.bus_missing", &[("cause", &error.to_string())]);
                    return Answer { line: None, taken: Err(reason) };
                }
            },
        };
        Answer { line, taken: self.ask_over(&connection, server).await }
    }

    async fn ask_over(&self, connection: &Connection, server: Server) -> Result<Taken, String> {
        let replaces = self.replaces.as_ref().filter(|(owner, _)| *owner == server.owner).map(|(_, id)| *id);
        let request = Request::new(&self.popup, &server, &self.catalogue, replaces);
        let Request { replaces_id, icon, summary, body, hints, expire_timeout, .. } = &request;
        let actions = request.actions();
        let body = ("Bellwether", replaces_id, icon, summary, body, actions, hints, expire_timeout);
        match connection.call_method(Some(NAME), PATH, Some(NAME), "Notify", &body).await {
            Ok(reply) => {
                // 0 is none (Desktop Notifications 1.3, "Notify").
                let id = reply.body().deserialize::<u32>().ok().filter(|id| *id != 0);
                // It may be another one by now than the one that said what it can do.
                let owner = reply.header().sender().map_or(server.owner, ToString::to_string);
                let clicks = request.clicks.into_iter().map(|(click, _)| click).collect();
                Ok(Taken { server: Server { owner, ..server }, id, clicks })
            }
            Err(zbus::Error::MethodError(name, _, _)) if name.as_str() == EXCESS => Err(String::new()),
            Err(error) => {
                let cause: String = error.to_string().chars().take(MAX_CAUSE).collect();
                let reason = [("server", &*server.name), ("cause", &*cause)];
                Err(self.catalogue.format("popup.refused", &reason))
            }
        }
    }

    /// The server, started if the bus knows how; else why there is none.
    async fn server_at_hand(&self) -> Result<Server, String> {
        let mut presence = self.presence.clone();
        if presence == Presence::OnDemand {
            let bus = self.bus.borrow().clone();
            if let Bus::Connected(connection) = bus {
                presence = server::describe(&connection).await;
            }
        }
        match presence {
            Presence::Present(server) => Ok(server),
            absent => Err(why_not(&absent, &self.catalogue)),
        }
    }
}

fn why_not(absent: &Presence, catalogue: &Catalogue) -> String {
    match absent {
        Presence::NoBus(cause) => catalogue.format("popup.bus_missing", &[("cause", cause)]),
        Presence::Broken(cause) => catalogue.format("popup.server_broken", &[("cause", cause)]),
        _ => catalogue.text("popup.server_missing").to_owned(),
    }
}

//! The notification server: which one there is, what it can do, and when it comes and goes.

use std::{io, time::Duration};

use bellwether_engine::notification::sanitize_title;
use futures_util::StreamExt as _;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use zbus::{Connection, Message, fdo::DBusProxy, names::BusName};

use crate::desktop::Bus;

/// A running notification server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Server {
    /// Its name and version, for a person.
    pub(super) name: String,
    /// Its unique name on the bus: another owner knows none of the ids given out before.
    pub(super) owner: String,
    /// Whether it reads the body as markup.
    pub(super) markup: bool,
    /// Whether it offers actions.
    pub(super) actions: bool,
    /// Whether it shows the default action as a button, which makes another one that does the same superfluous.
    pub(super) default_is_a_button: bool,
}

/// Whether there is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    /// Not known yet.
    Unknown,
    Present(Server),
    /// None runs, but the bus starts one with the first popup.
    OnDemand,
    /// None runs.
    Absent,
    /// One owns the name but cannot be talked to, for this cause.
    Broken(String),
    /// No session bus, for this cause.
    NoBus(String),
}

pub(super) const NAME: &str = "org.freedesktop.Notifications";
pub(super) const PATH: &str = "/org/freedesktop/Notifications";

/// Most bytes of a list of capabilities; honest ones have some hundred.
const MAX_CAPABILITIES: usize = 64 << 10;
/// Most characters of a server's name and version.
const MAX_NAME: usize = 64;

/// How long a server may take to say what it is, and again what it can do, its start by the bus included.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(20);
/// Until a server that could not be talked to is asked again, and one that was just installed is noticed.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// Keeps `presence` true until nobody reads it any more.
pub(super) async fn watch(mut bus: watch::Receiver<Bus>, presence: watch::Sender<Presence>) {
    loop {
        let now = bus.borrow_and_update().clone();
        let connection = match now {
            Bus::Connecting => None,
            Bus::Missing(cause) => {
                presence.send_replace(Presence::NoBus(cause));
                None
            }
            Bus::Connected(connection) => Some(connection),
        };
        let follow = async {
            if let Some(connection) = connection {
                // Ends with the bus, which `bus` is about to say, too.
                let _ = follow(&connection, &presence).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = presence.closed() => return,
            changed = bus.changed() => if changed.is_err() { return },
            () = follow => {}
        }
    }
}

async fn follow(connection: &Connection, presence: &watch::Sender<Presence>) -> zbus::Result<()> {
    let bus = DBusProxy::new(connection).await?;
    let mut owners = bus.receive_name_owner_changed_with_args(&[(0, NAME)]).await?;
    loop {
        let now = look(connection, &bus).await?;
        let missing = !matches!(now, Presence::Present(_) | Presence::OnDemand);
        presence.send_if_modified(|known| {
            let changed = *known != now;
            *known = now;
            changed
        });
        tokio::select! {
            change = owners.next() => if change.is_none() { return Ok(()) },
            () = sleep(ASK_AGAIN), if missing => {}
        }
    }
}

/// Never starts a server: it may just have been told to end.
async fn look(connection: &Connection, bus: &DBusProxy<'_>) -> zbus::Result<Presence> {
    let name = BusName::try_from(NAME)?;
    if bus.name_has_owner(name).await? {
        return Ok(describe(connection).await);
    }
    let on_demand = bus.list_activatable_names().await?.iter().any(|name| name.as_str() == NAME);
    Ok(if on_demand { Presence::OnDemand } else { Presence::Absent })
}

/// Asks the server what it is, starting it if the bus knows how.
pub(super) async fn describe(connection: &Connection) -> Presence {
    match ask(connection).await {
        Ok(server) => Presence::Present(server),
        Err(zbus::Error::InputOutput(error)) if error.kind() == io::ErrorKind::TimedOut => {
            Presence::Broken(format!("no answer within {} s", DESCRIBE_TIMEOUT.as_secs()))
        }
        Err(error) => match zbus::fdo::Error::from(error) {
            zbus::fdo::Error::ServiceUnknown(_) | zbus::fdo::Error::NameHasNoOwner(_) => Presence::Absent,
            error => Presence::Broken(error.to_string()),
        },
    }
}

async fn ask(connection: &Connection) -> zbus::Result<Server> {
    let call = async |method| {
        let reply = connection.call_method(Some(NAME), PATH, Some(NAME), method, &());
        timeout(DESCRIBE_TIMEOUT, reply).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    };
    let information = call("GetServerInformation").await?;
    let owner = information.header().sender().map(ToString::to_string).unwrap_or_default();
    let (name, _vendor, version, _spec): (String, String, String, String) =
        information.body().deserialize().unwrap_or_default();
    let capabilities = capabilities(&call("GetCapabilities").await?);
    let can = |capability: &str| {
        capabilities.as_ref().is_some_and(|known| known.iter().any(|known| known == capability))
    };
    let called = sanitize_title(&format!("{name} {version}"));
    Ok(Server {
        // What is not known to be plain text must not be taken for markup.
        markup: can("body-markup") || capabilities.is_none(),
        actions: can("actions"),
        default_is_a_button: name == "Xfce Notify Daemon",
        name: if called.is_empty() { owner.clone() } else { called.chars().take(MAX_NAME).collect() },
        owner,
    })
}

/// What a server can do; `None` if it says nothing readable, or far too much. It still shows popups then.
fn capabilities(reply: &Message) -> Option<Vec<String>> {
    let body = reply.body();
    if body.len() > MAX_CAPABILITIES { None } else { body.deserialize().ok() }
}

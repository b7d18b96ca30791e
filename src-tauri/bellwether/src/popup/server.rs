//! The notification server: which one there is, what it can do, and when it comes and goes.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use zbus::{Connection, fdo::DBusProxy, names::BusName};

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

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// How long a server may take to say what it can do, its start by the bus included.
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
    let ask = async {
        let information =
            connection.call_method(Some(NAME), PATH, Some(NAME), "GetServerInformation", &()).await?;
        let owner = information.header().sender().map(ToString::to_string).unwrap_or_default();
        let (name, _vendor, version, _spec): (String, String, String, String) =
            information.body().deserialize()?;
        let reply = connection.call_method(Some(NAME), PATH, Some(NAME), "GetCapabilities", &()).await?;
        let capabilities: Vec<String> = reply.body().deserialize()?;
        let can = |capability: &str| capabilities.iter().any(|known| known == capability);
        zbus::Result::Ok(Server {
            markup: can("body-markup"),
            actions: can("actions"),
            default_is_a_button: name == "Xfce Notify Daemon",
            name: format!("{name} {version}").trim().to_owned(),
            owner,
        })
    };
    match timeout(DESCRIBE_TIMEOUT, ask).await {
        Ok(Ok(server)) => Presence::Present(server),
        Ok(Err(error)) => match zbus::fdo::Error::from(error) {
            zbus::fdo::Error::ServiceUnknown(_) | zbus::fdo::Error::NameHasNoOwner(_) => Presence::Absent,
            error => Presence::Broken(error.to_string()),
        },
        Err(_) => Presence::Broken(format!("no answer within {} s", DESCRIBE_TIMEOUT.as_secs())),
    }
}

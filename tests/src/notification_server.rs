use std::collections::HashMap;
use std::ffi::OsStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zbus::connection::Builder;
use zbus::names::MemberName;
use zbus::zvariant::{DynamicType, Value};
use zbus::{Connection, Message, MessageStream};

use crate::Desktop;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// How a notification server behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// As it should.
    Good,
    /// It refuses every popup, as it has too many.
    Excess,
    /// Each call takes so long.
    Slow(Duration),
    /// It closes each popup at once, before it has answered.
    ClosesAtOnce,
    /// All popups have the same id, which is given again while one of them is open.
    OneId,
    /// It tells of clicks on popups that are not there, and what is no signal at all; it closes popups of others.
    TellsNonsense,
    /// It answers with what is no answer: to what it can do, and to what it is asked to show.
    AnswersNonsense,
    /// It can do two hundred thousand things.
    Boasts,
}

/// A notification server on a desktop's bus that has no other, to behave as no honest one would. It leaves the bus with this
/// value.
pub struct NotificationServer {
    manner: Arc<Mutex<Manner>>,
    /// Ends the server when it is dropped.
    clicks: UnboundedSender<(u32, String)>,
}

impl NotificationServer {
    /// How many ids each of them has: one's begin at a multiple of this.
    pub const IDS: u32 = 10_000_000;

    /// Takes the name on the bus of a desktop that was made with `--no-notify`.
    #[track_caller]
    pub fn start(desktop: &Desktop, manner: Manner) -> Self {
        let address = desktop.environment().get(OsStr::new("DBUS_SESSION_BUS_ADDRESS"));
        let address = address.and_then(|address| address.to_str()).expect("a bus").to_owned();
        let manner = Arc::new(Mutex::new(manner));
        let (clicks, clicked) = unbounded_channel();
        let (ready, is_ready) = channel();
        let manners = Arc::clone(&manner);
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(serve(&address, &manners, clicked, &ready)).expect("a bus that stays");
        });
        is_ready.recv().expect("a notification server");
        Self { manner, clicks }
    }

    /// Somebody clicks on the action of this key on the popup of this id, which stays.
    pub fn click(&self, id: u32, key: &str) {
        self.clicks.send((id, key.to_owned())).expect("the server runs");
    }

    /// From the next call on it behaves like this.
    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }
}

async fn serve(
    address: &str,
    manner: &Mutex<Manner>,
    mut clicks: UnboundedReceiver<(u32, String)>,
    ready: &Sender<()>,
) -> zbus::Result<()> {
    let connection = Builder::address(address)?.build().await?;
    let mut messages = MessageStream::from(&connection);
    connection.request_name(NAME).await?;
    ready.send(()).expect("the test waits");
    let answering = async {
        // The ids of two servers in a row differ.
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let mut last_id = COUNT.fetch_add(1, Ordering::Relaxed) * NotificationServer::IDS;
        while let Some(Ok(message)) = messages.next().await {
            if message.message_type() == zbus::message::Type::MethodCall {
                let manner = *manner.lock().unwrap_or_else(PoisonError::into_inner);
                // Whoever asked may have gone meanwhile.
                let _ = answer(&connection, &message, manner, &mut last_id).await;
            }
        }
    };
    // Ends with the value that the test holds, even while a call takes its time.
    let clicking = async {
        while let Some(click) = clicks.recv().await {
            let _ = connection.emit_signal(None::<&str>, PATH, NAME, "ActionInvoked", &click).await;
        }
    };
    tokio::select! {
        () = answering => {}
        () = clicking => {}
    }
    Ok(())
}

async fn answer(
    connection: &Connection,
    call: &Message,
    manner: Manner,
    last_id: &mut u32,
) -> zbus::Result<()> {
    let header = call.header();
    if let Manner::Slow(time) = manner {
        tokio::time::sleep(time).await;
    }
    match header.member().map(MemberName::as_str) {
        Some("GetServerInformation" | "GetCapabilities" | "Notify") if manner == Manner::AnswersNonsense => {
            connection.reply(&header, &vec![(true, 1.5_f64)]).await
        }
        Some("GetServerInformation") => connection.reply(&header, &("Unruly", "tests", "1", "1.3")).await,
        Some("GetCapabilities") => {
            let mut can = ["actions", "body", "body-markup"].map(str::to_owned).to_vec();
            if manner == Manner::Boasts {
                can.extend((0..200_000).map(|number| format!("x-capability-{number}")));
            }
            connection.reply(&header, &can).await
        }
        Some("Notify") if manner == Manner::Excess => {
            let error = "org.freedesktop.Notifications.Error.ExcessNotificationGeneration";
            connection.reply_error(&header, error, &("Created too many similar notifications",)).await
        }
        Some("Notify") => {
            let body = call.body();
            let replaces_id = body.deserialize::<Notify<'_>>()?.1;
            let id = id(manner, replaces_id, last_id);
            if manner == Manner::ClosesAtOnce {
                tell(connection, call, "NotificationClosed", &(id, 2_u32)).await?;
            }
            connection.reply(&header, &id).await?;
            if manner == Manner::TellsNonsense { tell_nonsense(connection, call, id).await } else { Ok(()) }
        }
        Some("CloseNotification") => {
            let id: u32 = call.body().deserialize()?;
            tell(connection, call, "NotificationClosed", &(id, 3_u32)).await?;
            connection.reply(&header, &()).await
        }
        _ => connection.reply_error(&header, "org.freedesktop.DBus.Error.UnknownMethod", &("none",)).await,
    }
}

/// Sends whoever called a signal.
async fn tell<B>(connection: &Connection, call: &Message, signal: &str, body: &B) -> zbus::Result<()>
where
    B: serde::Serialize + DynamicType,
{
    let to = call.header().sender().map(ToString::to_string);
    connection.emit_signal(to.as_deref(), PATH, NAME, signal, body).await
}

async fn tell_nonsense(connection: &Connection, call: &Message, id: u32) -> zbus::Result<()> {
    for other in id + 1..id + 100 {
        tell(connection, call, "ActionInvoked", &(other, "default")).await?;
        tell(connection, call, "NotificationClosed", &(other, other)).await?;
    }
    tell(connection, call, "ActionInvoked", &(id, "no-such-action")).await?;
    tell(connection, call, "ActionInvoked", &("default", id)).await?;
    tell(connection, call, "NotificationClosed", &(id,)).await?;
    tell(connection, call, "NoSuchSignal", &(id, id)).await
}

/// What `Notify` is called with (Desktop Notifications 1.3).
type Notify<'a> = (&'a str, u32, &'a str, &'a str, &'a str, Vec<&'a str>, HashMap<&'a str, Value<'a>>, i32);

fn id(manner: Manner, replaces_id: u32, last_id: &mut u32) -> u32 {
    if manner == Manner::OneId {
        return 7;
    }
    if replaces_id > 0 {
        return replaces_id;
    }
    // Room for the popups of others between ours.
    *last_id += 1_000;
    *last_id
}

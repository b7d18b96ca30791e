//! Popups over the session bus.
//!
//! notify-rust opens a bus connection for each popup, and offers no way to share one. So it stays, for as long as the popup
//! is watched for clicks: servers send a popup's signals to the connection that showed it and to no other (dunst), or close
//! the popup when that connection ends (GNOME 46). What this costs is bounded by [`WATCHED`], and nothing once no popup is
//! open.

use std::{pin::pin, sync::Arc, time::Duration};

use bellwether_control::messages::Catalogue;
use notify_rust::{NotificationHandle, NotificationResponse};
use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use super::{
    Popup, PopupReport, content,
    open::OpenPopups,
    server::{self, Presence, Server},
};
use crate::desktop::{Bus, Desktop};

/// Of how many open popups, the newest ones, a click is noticed. Each costs a file descriptor.
const WATCHED: usize = 32;
/// When it is said that a server does not answer. In a flood dunst takes 10 s.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(15);

/// Shows what comes through `popups` until every sender is gone.
pub(super) async fn run(
    mut popups: mpsc::Receiver<Popup>,
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
        open: OpenPopups::new(WATCHED),
        clicks: JoinSet::new(),
    };
    loop {
        tokio::select! {
            // The server first: what it can do decides how the next popup is shown.
            biased;
            Ok(()) = server.changed() => worker.server_changed().await,
            Some(gone) = worker.clicks.join_next() => if let Ok((id, event)) = gone {
                worker.open.remove(id, event);
            },
            popup = popups.recv(), if *worker.server.borrow() != Presence::Unknown => match popup {
                Some(popup) => worker.show(popup).await,
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
    open: OpenPopups<Watch>,
    /// One task for each watched popup; it gives the popup's id and event back when the popup is gone.
    clicks: JoinSet<(u32, u64)>,
}

/// Ends the watching, and with it the connection, when dropped.
struct Watch(AbortHandle);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Worker {
    async fn server_changed(&mut self) {
        let presence = self.server.borrow().clone();
        if let Presence::Present(server) = &presence {
            self.adopt(&server.owner).await;
        } else {
            self.abandon().await;
        }
        let (available, detail) = match &presence {
            Presence::Unknown => return,
            Presence::Present(server) => (true, server.name.clone()),
            Presence::OnDemand => (true, self.catalogue.text("popup.server_on_demand").to_owned()),
            absent => (false, self.why_not(absent)),
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
        for event in self.open.clear() {
            self.report(PopupReport::Closed { event }).await;
        }
    }

    async fn show(&mut self, popup: Popup) {
        let event = popup.event;
        let server = match self.server_at_hand().await {
            Ok(server) => server,
            Err(reason) => return self.failed(event, reason).await,
        };
        self.adopt(&server.owner).await;
        let slot = popup.key.clone().map(|key| (popup.feed.clone(), key));
        let notification = content::notification(&popup, &server, &self.catalogue, self.open.replaces(&slot));
        match self.answer(notification.show_async(), &server.name).await {
            Ok(handle) => {
                let id = handle.id();
                let watch = self.clicks.spawn(watch_popup(handle, event, popup.url, self.reports.clone()));
                if let Some(event) = self.open.insert(id, event, slot, Watch(watch)) {
                    self.report(PopupReport::Closed { event }).await;
                }
                self.report(PopupReport::Shown { event }).await;
            }
            Err(error) => {
                let cause = error.to_string();
                let reason = [("server", &*server.name), ("cause", &*cause)];
                self.failed(event, self.catalogue.format("popup.refused", &reason)).await;
            }
        }
    }

    /// What the server answers, however late: one that takes its time may still show the popup, so offering it again could
    /// show it twice. If the server ends, the bus answers in its place (D-Bus specification, `NoReply`).
    async fn answer<T>(&self, shown: impl Future<Output = T>, server: &str) -> T {
        let mut shown = pin!(shown);
        if let Ok(answer) = timeout(NOTIFY_TIMEOUT, &mut shown).await {
            return answer;
        }
        let seconds = NOTIFY_TIMEOUT.as_secs().to_string();
        let reason = [("server", server), ("seconds", &*seconds)];
        let reason = self.catalogue.format("popup.no_answer", &reason);
        self.report(PopupReport::Available(false, reason)).await;
        let answer = shown.await;
        self.report(PopupReport::Available(true, server.to_owned())).await;
        answer
    }

    /// The server, started if the bus knows how; else why there is none.
    async fn server_at_hand(&self) -> Result<Server, String> {
        let mut presence = self.server.borrow().clone();
        if presence == Presence::OnDemand {
            let bus = self.bus.borrow().clone();
            if let Bus::Connected(connection) = bus {
                presence = server::describe(&connection).await;
            }
        }
        match presence {
            Presence::Present(server) => Ok(server),
            absent => Err(self.why_not(&absent)),
        }
    }

    fn why_not(&self, absent: &Presence) -> String {
        match absent {
            Presence::NoBus(cause) => self.catalogue.format("popup.bus_missing", &[("cause", cause)]),
            Presence::Broken(cause) => self.catalogue.format("popup.server_broken", &[("cause", cause)]),
            _ => self.catalogue.text("popup.server_missing").to_owned(),
        }
    }

    async fn failed(&self, event: u64, reason: String) {
        self.report(PopupReport::Failed { event, reason }).await;
    }

    async fn report(&self, report: PopupReport) {
        // Nobody listens any more only when the program ends.
        let _ = self.reports.send(report).await;
    }
}

/// Waits for the popup's end, says what it was, and gives its id and event back.
async fn watch_popup(
    handle: NotificationHandle,
    event: u64,
    url: Option<String>,
    reports: mpsc::Sender<PopupReport>,
) -> (u32, u64) {
    let mut activated = false;
    handle
        .wait_for_action_async(|response| {
            // There is no action but the default one and "Open", and both do the same.
            activated = matches!(response, NotificationResponse::Default | NotificationResponse::Action(_));
        })
        .await;
    let report =
        if activated { PopupReport::Activated { event, url } } else { PopupReport::Closed { event } };
    let _ = reports.send(report).await;
    (handle.id(), event)
}

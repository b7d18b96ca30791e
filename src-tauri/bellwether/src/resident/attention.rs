//! Popups for feeds that only a person can help: a sign-in that was refused is told once, and not at each retry.

use std::collections::BTreeMap;

use bellwether_control::wire::PartName;
use bellwether_engine::{
    alert::TOLD_AT_ONCE,
    engine::{FeedView, Update},
    feed::{FeedId, State},
};
use tokio::sync::broadcast::error::RecvError;
use url::Url;

use super::Resident;

/// Tells of refused sign-ins from now on, until the engine ends.
pub(super) async fn watch(resident: Resident) {
    let mut updates = resident.engine.updates();
    let mut parts = resident.parts.changes();
    let mut told = Told::default();
    loop {
        // All feeds first: one may have been refused before anyone listened here.
        let Ok(views) = resident.engine.feeds().await else { return };
        let Ok(attention) = resident.engine.attention().await else { return };
        let calm = attention.snoozed_until.is_some() || attention.quiet_until.is_some();
        told.keep(&views);
        for view in &views {
            tell(&resident, &mut told, view, calm);
        }
        loop {
            tokio::select! {
                update = updates.recv() => match update {
                    Ok(Update::Feed(view)) => tell(&resident, &mut told, &view, calm),
                    Ok(Update::Config | Update::Attention) | Err(RecvError::Lagged(_)) => break,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                },
                // A notification server may have come.
                Ok(()) = parts.changed() => break,
            }
        }
    }
}

/// Raises the popup that a feed's state calls for. One that cannot be had now, or that nobody wants now, is tried again at the next
/// chance.
fn tell(resident: &Resident, told: &mut Told, view: &FeedView, calm: bool) {
    let Some(cause) = told.news(view) else { return };
    if calm
        || view.feed.mute
        || view.snoozed_until.is_some()
        || !resident.parts.is_available(PartName::Notifications)
    {
        return;
    }
    let body = resident.catalogue.format(&format!("reason.{}", cause.0), &[("detail", &cause.1)]);
    if resident.popups.show_attention(&view.feed, body).is_ok() {
        told.add(view, cause);
    }
}

/// A reason's code and its particular.
type Cause = (&'static str, String);

/// What has been told of each feed since it was last connected, and of which URL.
#[derive(Default)]
struct Told(BTreeMap<FeedId, (Url, Vec<Cause>)>);

impl Told {
    /// What is to be told of a feed. What was told of it is forgotten if it is connected, or another stream by now.
    fn news(&mut self, view: &FeedView) -> Option<Cause> {
        let known = self.0.get(&view.feed.id);
        if view.connection.state == State::Connected || known.is_some_and(|(url, _)| *url != view.feed.url) {
            self.0.remove(&view.feed.id);
        }
        if view.connection.state != State::NeedsAttention {
            return None;
        }
        let reason =
            view.connection.reason.as_ref().filter(|reason| TOLD_AT_ONCE.contains(&reason.code()))?;
        let cause = (reason.code(), reason.detail());
        let known = self.0.get(&view.feed.id).is_some_and(|(_, causes)| causes.contains(&cause));
        (!known).then_some(cause)
    }

    fn add(&mut self, view: &FeedView, cause: Cause) {
        let (_, causes) =
            self.0.entry(view.feed.id.clone()).or_insert_with(|| (view.feed.url.clone(), Vec::new()));
        causes.push(cause);
    }

    /// Forgets the feeds that are no more.
    fn keep(&mut self, views: &[FeedView]) {
        self.0.retain(|id, _| views.iter().any(|view| view.feed.id == *id));
    }
}

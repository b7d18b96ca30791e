//! What the requests of all feeds share.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::header::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Signal,
    certificates::Roots,
    lookout::Lookouts,
    reach::Reach,
    route::{Route, WeakRoute},
};
use crate::{event_source::Limits, network::Network};

/// How much of the messages of all feeds together may have been received and not yet been dealt with, in KiB: 16 MiB. A
/// queue counts messages, and a thousand of them can be a gigabyte.
const ROOM: usize = 16 << 10;

/// Makes the requests of every feed; clones share everything.
///
/// HTTP/1.1 without pooling, so that each feed has a connection of its own and a reconnect is never given a dead one. No
/// overall timeout: a stream may last for months. Feeds with equal [`Network`] settings share one TLS configuration, and all
/// share one copy of the system's root certificates, which is most of what a TLS connection would cost in memory otherwise; it is
/// loaded at the first request.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

/// The share of [`Client`]'s memory that a signal takes until this is dropped.
#[derive(Debug, Default)]
pub struct Room {
    _taken: Option<OwnedSemaphorePermit>,
}

struct Shared {
    user_agent: HeaderValue,
    connect_timeout: Duration,
    roots: Roots,
    /// Those that are in use.
    routes: Mutex<HashMap<(Network, Reach), WeakRoute>>,
    room: Arc<Semaphore>,
    lookouts: Arc<Lookouts>,
}

/// Why there is no client.
#[derive(thiserror::Error, Debug)]
pub enum ClientError {
    /// The name cannot stand in a header.
    #[error("{0:?} cannot be a User-Agent")]
    UserAgent(String),
}

impl Client {
    /// A client that calls itself `user_agent` (`name/version`), with the usual [`Limits::connect_timeout`].
    pub fn new(user_agent: &str) -> Result<Self, ClientError> {
        Self::with_connect_timeout(user_agent, Limits::default().connect_timeout)
    }

    /// The same with another time to look up a host and to connect, TLS included.
    pub fn with_connect_timeout(user_agent: &str, connect_timeout: Duration) -> Result<Self, ClientError> {
        let user_agent =
            HeaderValue::from_str(user_agent).map_err(|_| ClientError::UserAgent(user_agent.to_owned()))?;
        let (roots, routes, room) = (Roots::new(), Mutex::default(), Arc::new(Semaphore::new(ROOM)));
        let lookouts = Arc::default();
        Ok(Self { shared: Arc::new(Shared { user_agent, connect_timeout, roots, routes, room, lookouts }) })
    }

    /// Waits until there is room for what a signal holds; in the order of asking, so that a large message gets its turn.
    pub(super) async fn room_for(&self, signal: &Signal) -> Room {
        let bytes = match signal {
            Signal::Message { message, .. } => {
                message.data.len() + message.event_type.len() + message.last_event_id.len()
            }
            Signal::LastEventId(text) | Signal::Comment(text) => text.len(),
            Signal::Opened { .. }
            | Signal::State(_)
            | Signal::Oversized(_)
            | Signal::ResumeRefused
            | Signal::Flooding => {
                return Room::default();
            }
        };
        let share = (bytes / 1024 + 1).min(ROOM);
        let taken = Arc::clone(&self.shared.room).acquire_many_owned(share as u32).await;
        // Nobody ever closes it.
        Room { _taken: taken.ok() }
    }

    /// Time to look up a host and to connect, TLS included.
    pub(super) fn connect_timeout(&self) -> Duration {
        self.shared.connect_timeout
    }

    /// What the lookouts of all its subscriptions share.
    pub(super) fn lookouts(&self) -> Arc<Lookouts> {
        Arc::clone(&self.shared.lookouts)
    }

    /// How requests go out with these settings: the same for all who ask for the same.
    pub(crate) fn route(&self, network: &Network) -> Arc<Route> {
        self.route_no_nearer(network, Reach::Machine)
    }

    /// The same for requests whose hosts are to be no nearer than this by any name. Not for those that go by a proxy, which looks
    /// them up itself, and may be near.
    pub(super) fn route_no_nearer(&self, network: &Network, reach: Reach) -> Arc<Route> {
        let key = (network.clone(), reach);
        let mut routes = self.shared.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = routes.get(&key).and_then(WeakRoute::upgrade) {
            return route;
        }
        routes.retain(|_, route| route.strong_count() > 0);
        let route = Arc::new(Route::new(self.clone(), network.clone(), reach));
        routes.insert(key, Arc::downgrade(&route));
        route
    }

    /// What requests call this program.
    pub(super) fn user_agent(&self) -> &HeaderValue {
        &self.shared.user_agent
    }

    /// The system's root certificates.
    pub(super) fn roots(&self) -> &Roots {
        &self.shared.roots
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::{event_source::Message, network::Proxy};

    #[test]
    fn equal_settings_share_a_route_for_as_long_as_it_is_in_use() {
        let client = Client::new("Bellwether/0.0.0").unwrap();
        let direct = Network { proxy: Proxy::None, ..Network::default() };
        let routes = [&Network::default(), &direct, &direct].map(|network| client.route(network));
        assert!(Arc::ptr_eq(&routes[1], &routes[2]) && !Arc::ptr_eq(&routes[0], &routes[1]));
        drop(routes);
        let _kept = client.route(&Network { verify_certificate: false, ..Network::default() });
        assert_eq!(client.shared.routes.lock().unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_dealt_with_takes_bounded_memory() {
        let client = Client::new("Bellwether/0.0.0").unwrap();
        let message = |bytes| {
            let data = "x".repeat(bytes);
            let message = Message { data, ..Message::default() };
            Signal::Message { message, identified: false, resume_value: None }
        };
        let large = message((1 << 20) - 1);
        let mut rooms: Vec<Room> =
            std::iter::from_fn(|| client.room_for(&large).now_or_never()).take(100).collect();
        assert_eq!(rooms.len(), ROOM / 1024);
        assert!(client.room_for(&message(1)).now_or_never().is_none());
        assert!(client.room_for(&Signal::Oversized(1)).now_or_never().is_some(), "states always pass");
        rooms.pop();
        assert!(client.room_for(&message(1)).now_or_never().is_some());
        rooms.clear();
        assert!(client.room_for(&message(20 << 20)).now_or_never().is_some(), "one always fits");
    }
}

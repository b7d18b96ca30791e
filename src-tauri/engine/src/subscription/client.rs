//! The HTTP client that all feeds share.

use std::{sync::Arc, time::Duration};

use reqwest::{
    header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, HeaderMap, HeaderValue, USER_AGENT},
    redirect::Policy,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::{Signal, lookout::Lookouts};
use crate::event_source::{Limits, Request};

/// How much of the messages of all feeds together may have been received and not yet been dealt with, in KiB: 16 MiB. A
/// queue counts messages, and a thousand of them can be a gigabyte.
const ROOM: usize = 16 << 10;

/// Makes the requests of every feed; clones share everything.
///
/// HTTP/1.1 without pooling, so that each feed has a connection of its own and a reconnect is never given a dead one. No
/// overall timeout: a stream may last for months. One TLS configuration with one copy of the system's root certificates,
/// which is most of what a TLS connection would cost in memory otherwise; it is loaded at the first request.
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
    http: OnceCell<reqwest::Client>,
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
        let (http, room) = (OnceCell::new(), Arc::new(Semaphore::new(ROOM)));
        let lookouts = Arc::default();
        Ok(Self { shared: Arc::new(Shared { user_agent, connect_timeout, http, room, lookouts }) })
    }

    /// Waits until there is room for what a signal holds; in the order of asking, so that a large message gets its turn.
    pub(super) async fn room_for(&self, signal: &Signal) -> Room {
        let bytes = match signal {
            Signal::Message { message, .. } => {
                message.data.len() + message.event_type.len() + message.last_event_id.len()
            }
            Signal::LastEventId(text) | Signal::Comment(text) => text.len(),
            Signal::Opened { .. } | Signal::State(_) | Signal::Oversized(_) => return Room::default(),
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

    /// Loads what the first request needs, so that no time to connect is spent on it. A failure shows at the request.
    pub(super) async fn prepare(&self) {
        let _ = self.shared.http.get_or_try_init(|| self.shared.connect()).await;
    }

    /// Sends a request with these headers beside the protocol's, and waits for the head of its response.
    pub(super) async fn send(
        &self,
        request: Request,
        headers: HeaderMap,
    ) -> Result<reqwest::Response, RequestError> {
        let http = self.shared.http.get_or_try_init(|| self.shared.connect()).await?;
        let mut builder = http.get(request.url).headers(headers);
        if let Some(id) = request.last_event_id {
            // The bytes of its UTF-8, as browsers send it: a header value from a string would be ASCII.
            builder = builder.header("Last-Event-ID", id.as_bytes());
        }
        Ok(builder.send().await?)
    }
}

/// Why no head of a response came.
#[derive(thiserror::Error, Debug)]
pub(super) enum RequestError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error("the root certificates could not be loaded")]
    Roots(#[from] tokio::task::JoinError),
}

impl Shared {
    async fn connect(&self) -> Result<reqwest::Client, RequestError> {
        // Reads some hundred files on some systems, while the other feeds of this thread go on.
        let tls = tokio::task::spawn_blocking(tls_config).await??;
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("text/event-stream")),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
            (USER_AGENT, self.user_agent.clone()),
        ]);
        let client = reqwest::Client::builder()
            .http1_only()
            .pool_max_idle_per_host(0)
            .redirect(Policy::none())
            .referer(false)
            .default_headers(headers)
            .connect_timeout(self.connect_timeout)
            .tls_backend_preconfigured(tls)
            .build()?;
        Ok(client)
    }
}

/// TLS 1.2 and 1.3 with the system's root certificates; those that cannot be read are left out.
fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::event_source::Message;

    #[test]
    fn what_is_not_dealt_with_takes_bounded_memory() {
        let client = Client::new("Bellwether/0.0.0").unwrap();
        let message = |bytes| {
            let data = "x".repeat(bytes);
            Signal::Message { message: Message { data, ..Message::default() }, identified: false }
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

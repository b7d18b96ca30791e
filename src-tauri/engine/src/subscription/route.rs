//! How requests go out: one HTTP client for all feeds with equal settings.

use std::sync::{Arc, Weak};

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{
    header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, HeaderMap, HeaderValue, USER_AGENT},
    redirect::Policy,
};
use tokio::sync::Mutex;
use url::Url;

use super::{
    certificates::{self, Stamp},
    client::Client,
    connected::TellConnected,
    reach::{NoNearer, Reach},
};
use crate::{
    event_source::Request,
    feed::Reason,
    network::{self, Network, Proxy},
};

/// Makes the requests of feeds with these settings. What they need is loaded at the first request, and again at one that finds
/// a file of the settings changed: a renewed certificate needs no restart.
pub(crate) struct Route {
    client: Client,
    network: Network,
    /// No host is nearer by any name; numbers are not looked up.
    reach: Reach,
    made: Mutex<Option<Made>>,
}

/// A route that may still be in use.
pub(super) type WeakRoute = Weak<Route>;

#[derive(Clone)]
struct Made {
    http: reqwest::Client,
    proxies: Arc<Proxies>,
    /// The files of the settings as they were.
    stamps: Vec<Stamp>,
}

/// By which proxy a URL is reached, for who has to name it.
enum Proxies {
    System(Box<Matcher>),
    None,
    One(Url),
}

/// The proxy that a request went by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Via {
    /// Its host and port.
    pub(super) proxy: String,
    /// It was told the whole URL, and asks the server by itself. Otherwise it only passes bytes on.
    pub(super) sees_requests: bool,
}

/// Why no head of a response came.
#[derive(thiserror::Error, Debug)]
pub(super) enum RequestError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error("{0:?}")]
    File(Reason),
    #[error("the root certificates could not be loaded")]
    Roots(#[from] tokio::task::JoinError),
}

impl Route {
    pub(super) fn new(client: Client, network: Network, reach: Reach) -> Self {
        Self { client, network, reach, made: Mutex::new(None) }
    }

    /// The time to look up a host and to connect is this one's.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Loads what the first request needs, so that no time to connect is spent on it. A failure shows at the request.
    pub(crate) async fn prepare(&self) {
        let _ = self.ready().await;
    }

    /// Sends a request with these headers beside the protocol's, and waits for the head of its response. The proxy comes with it,
    /// if it went by one.
    pub(super) async fn send(
        &self,
        request: Request,
        headers: HeaderMap,
    ) -> (Result<reqwest::Response, RequestError>, Option<Via>) {
        let Made { http, proxies, .. } = match self.ready().await {
            Ok(made) => made,
            Err(error) => return (Err(error), None),
        };
        let via = proxies.via(&request.url);
        let mut builder = http.get(request.url).headers(headers);
        if let Some(id) = request.last_event_id {
            // The bytes of its UTF-8, as browsers send it: a header value from a string would be ASCII.
            builder = builder.header("Last-Event-ID", id.as_bytes());
        }
        (builder.send().await.map_err(Into::into), via)
    }

    async fn ready(&self) -> Result<Made, RequestError> {
        let mut made = self.made.lock().await;
        if let Some(made) = &*made
            && made.stamps.is_empty()
        {
            return Ok(made.clone());
        }
        let (client, network, reach) = (self.client.clone(), self.network.clone(), self.reach);
        let before = made.take();
        // Reads some hundred files on some systems, while the other feeds of this thread go on.
        let now =
            tokio::task::spawn_blocking(move || Made::current(&client, &network, reach, before)).await??;
        Ok(made.insert(now).clone())
    }
}

impl Made {
    /// The one before, if it is still made from the same files.
    fn current(
        client: &Client,
        network: &Network,
        reach: Reach,
        before: Option<Self>,
    ) -> Result<Self, RequestError> {
        // Looked at before they are read: one that changes in between is read once more at the next request.
        let stamps = certificates::stamps(network);
        if let Some(before) = before.filter(|before| before.stamps == stamps) {
            return Ok(before);
        }
        let tls = certificates::tls_config(network, client.roots())?;
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("text/event-stream")),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
            (USER_AGENT, client.user_agent().clone()),
        ]);
        let builder = reqwest::Client::builder()
            .http1_only()
            .pool_max_idle_per_host(0)
            .redirect(Policy::none())
            .referer(false)
            .default_headers(headers)
            .connect_timeout(client.connect_timeout())
            .connector_layer(TellConnected)
            .tls_backend_preconfigured(tls);
        let builder = match &network.proxy {
            Proxy::System => builder,
            Proxy::None => builder.no_proxy(),
            Proxy::Url(url) => builder.proxy(reqwest::Proxy::all(url.clone())?),
        };
        let builder = match reach {
            Reach::Machine => builder,
            reach => builder.dns_resolver(NoNearer(reach)),
        };
        Ok(Self { http: builder.build()?, proxies: Arc::new(Proxies::of(network)), stamps })
    }
}

/// Whether a request goes to the URL's host itself, and not by a proxy.
pub(super) fn is_direct(network: &Network, url: &Url) -> bool {
    Proxies::of(network).via(url).is_none()
}

impl Proxies {
    fn of(network: &Network) -> Self {
        match &network.proxy {
            // What reqwest does by itself.
            Proxy::System => Self::System(Box::new(Matcher::from_system())),
            Proxy::None => Self::None,
            Proxy::Url(url) => Self::One(url.clone()),
        }
    }

    fn via(&self, url: &Url) -> Option<Via> {
        let (scheme, proxy) = match self {
            Self::None => return None,
            Self::One(proxy) => (proxy.scheme().to_owned(), network::address(proxy)),
            Self::System(matcher) => {
                let found = matcher.intercept(&url.as_str().parse().ok()?)?;
                let proxy = found.uri();
                (proxy.scheme_str()?.to_owned(), proxy.authority()?.to_string())
            }
        };
        Some(Via { proxy, sees_requests: url.scheme() == "http" && !scheme.starts_with("socks") })
    }
}

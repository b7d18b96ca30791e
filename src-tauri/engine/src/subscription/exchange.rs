//! One request and its response, told to the [`EventSource`] that wants them: what a subscription does for months, and a
//! probe once.

use std::{
    future::Future,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures_util::FutureExt;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use tokio::{sync::Notify, task, time};
use url::{Origin, Url, form_urlencoded};

use super::{client::Client, connected, fault, route::Route};
use crate::{
    access::{Credentials, Known, Shown, mask},
    config::MAX_URL,
    event_source::{Answer, EventSource, Request, Verdict, retry_after},
    feed::{ProxyFault, Reason},
    network::{self, Network, Proxy},
};

/// Makes the requests of one event source, and tells it what comes of them.
pub(crate) struct Exchange {
    route: Arc<Route>,
    /// To other origins, which are shown no client certificate.
    elsewhere: Arc<Route>,
    /// To those of them that are on this machine.
    elsewhere_here: Arc<Route>,
    /// Another machine is asked even for what is on this one: the proxy.
    leaves_machine: bool,
    /// Whom the feed's own headers and credentials may be sent to.
    origin: Origin,
    headers: HeaderMap,
    credentials: Credentials,
    /// What the server was told, and may repeat.
    known: Known,
}

/// The rest of a response whose head was accepted.
pub(crate) struct Body(reqwest::Response);

/// What the protocol reads of a response's head.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// As it may be shown, once it has been read.
    pub(crate) content_type: Option<String>,
    content_encoding: Option<String>,
    location: Option<String>,
    retry_after: Option<Duration>,
    /// The address that it came from: the server's, or a proxy's.
    pub(super) from: Option<SocketAddr>,
}

impl Exchange {
    /// Requests by way of `network`, with these headers and credentials. They and the client certificate are for the origin of
    /// `url` alone.
    pub(crate) fn new(
        client: &Client,
        network: &Network,
        url: &Url,
        headers: HeaderMap,
        credentials: Credentials,
    ) -> Self {
        let elsewhere = Network { client_certificate: None, ..network.clone() };
        let elsewhere_here = client.route(&elsewhere.within_machine());
        let (route, elsewhere) = (client.route(&network.to(url)), client.route(&elsewhere));
        let leaves_machine = matches!(&network.proxy, Proxy::Url(proxy) if !network::is_loopback(proxy));
        let (origin, known) = (url.origin(), Known::written(url, &headers));
        Self { route, elsewhere, elsewhere_here, leaves_machine, origin, headers, credentials, known }
    }

    /// Loads what the first request needs, so that no time to connect is spent on it.
    pub(crate) async fn prepare(&self) {
        self.route.prepare().await;
    }

    /// Whether requests to this URL carry the feed's own headers.
    pub(crate) fn is_trusted(&self, url: &Url) -> bool {
        url.origin() == self.origin
    }

    fn route_to(&self, url: &Url) -> &Route {
        if self.is_trusted(url) {
            &self.route
        } else if network::is_loopback(url) {
            &self.elsewhere_here
        } else {
            &self.elsewhere
        }
    }

    /// Makes a request. The head of its response, if one came in time; the body too, if the source accepts it.
    pub(crate) async fn request(
        &mut self,
        source: &mut EventSource,
        mut request: Request,
    ) -> (Option<Head>, Option<Body>) {
        let url = request.url.clone();
        let headers = match self.equip(&mut request).await {
            Ok(headers) => headers,
            Err(reason) => {
                source.failed(now(), reason);
                return (None, None);
            }
        };
        source.equipped(now());
        let route = self.route_to(&url);
        let connected = Arc::new(Notify::new());
        let mut answer = pin!(connected::telling(Arc::clone(&connected), route.send(request, headers)));
        let answered = tokio::select! {
            answered = by(source.deadline(), &mut answer) => answered,
            () = connected.notified() => {
                source.connected(now());
                by(source.deadline(), &mut answer).await
            }
        };
        match answered {
            Ok((Ok(response), via)) => {
                let mut head = Head::of(&response);
                if let (407, Some(via)) = (head.status, via) {
                    // Only the proxy itself answers so.
                    source.failed(now(), Reason::Proxy { proxy: via.proxy, fault: ProxyFault::SignIn });
                    return (Some(head), None);
                }
                let open = source.answered(now(), &head.answer()) == Verdict::Open;
                // It was read as it is: a secret may be a word that means something there.
                source.mask_quote(|text| self.known.masked(text));
                head.content_type = head.content_type.map(|text| self.known.masked(&text));
                return (Some(head), open.then_some(Body(response)));
            }
            Ok((Err(error), via)) => {
                let connect_timeout = route.client().connect_timeout();
                source.failed(now(), fault::of_request(&error, &url, via.as_ref(), connect_timeout));
            }
            Err(Late) => source.handle_timeout(now()),
        }
        (None, None)
    }

    /// Gives a request to the feed's own origin what lets it in, and takes from any other what another server told it of that.
    async fn equip(&mut self, request: &mut Request) -> Result<HeaderMap, Reason> {
        if !self.is_trusted(&request.url) {
            self.clean(&mut request.url);
            return Ok(HeaderMap::new());
        }
        if self.goes_in_the_open(&request.url) {
            return Err(Reason::PlainHttp(request.url.host_str().unwrap_or_default().to_owned()));
        }
        let Shown { headers: secret, query, secrets } =
            self.credentials.read().await.map_err(Reason::Credential)?;
        self.known.read(secrets);
        let mut headers = self.headers.clone();
        headers.extend(secret);
        for (name, value) in query {
            set_parameter(&mut request.url, &name, value.reveal());
        }
        Ok(headers)
    }

    /// Whether credentials would cross a network where anyone can read along.
    fn goes_in_the_open(&self, url: &Url) -> bool {
        let access = &self.credentials.access;
        let secret = !access.credentials.is_empty()
            || self.headers.keys().any(|name| mask::is_secret_name(name.as_str()))
            || mask::holds_secret(url.as_str());
        secret
            && !access.plain_http
            && url.scheme() == "http"
            && (self.leaves_machine || !network::is_loopback(url))
    }

    /// A redirect may repeat what the request that led to it carried: user, password and query of the URL, as they are or in a
    /// parameter that says where to return to, a token of a header, in a parameter or in its path.
    pub(crate) fn clean(&self, url: &mut Url) {
        // Neither fails for a URL that has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let told = |text: &str| self.known.are_told_by(text);
        keep_parameters(url, |name, value| !told(name) && !told(value));
        if told(url.path()) {
            // A secret may have slashes in it: then no segment alone tells it.
            let kept: Vec<&str> =
                url.path().split('/').map(|part| if told(part) { mask::MASK } else { part }).collect();
            let kept = kept.join("/");
            url.set_path(if told(&kept) { mask::MASK } else { &kept });
        }
    }

    /// The target of a redirect as it may be shown; `None` if it is too long to be a feed's URL.
    pub(crate) fn shown(&self, target: &Url) -> Option<String> {
        let mut url = target.clone();
        self.clean(&mut url);
        let url = mask::masked(url.as_str()).into_owned();
        (url.len() <= MAX_URL).then_some(url)
    }
}

/// Sets a parameter of a URL's query, and leaves the others as they are written.
fn set_parameter(url: &mut Url, name: &str, value: &str) {
    keep_parameters(url, |known, _| known != name);
    url.query_pairs_mut().append_pair(name, value);
}

/// Leaves out parameters of a URL's query.
fn keep_parameters(url: &mut Url, keep: impl Fn(&str, &str) -> bool) {
    let Some(query) = url.query() else { return };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| form_urlencoded::parse(pair.as_bytes()).all(|(name, value)| keep(&name, &value)))
        .collect();
    if kept.len() < query.split('&').count() {
        let kept = kept.join("&");
        url.set_query((!kept.is_empty()).then_some(&kept));
    }
}

impl Body {
    /// The next chunk, for the source to receive; `None` when it has been told that no more comes. May be dropped while it
    /// waits, and nothing is lost.
    pub(crate) async fn chunk(&mut self, source: &mut EventSource) -> Option<impl AsRef<[u8]> + use<>> {
        match by(source.deadline(), self.0.chunk()).await {
            Ok(Ok(Some(chunk))) => return Some(chunk),
            Ok(Ok(None)) => source.ended(now()),
            Ok(Err(error)) => source.failed(now(), fault::of_body(&error)),
            Err(Late) => source.handle_timeout(now()),
        }
        None
    }
}

impl Head {
    fn of(response: &reqwest::Response) -> Self {
        let first = |name: HeaderName| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Self {
            status: response.status().as_u16(),
            content_type: first(CONTENT_TYPE),
            content_encoding: first(CONTENT_ENCODING),
            location: first(LOCATION),
            retry_after: first(RETRY_AFTER).and_then(|value| retry_after(&value, SystemTime::now())),
            from: response.remote_addr(),
        }
    }

    fn answer(&self) -> Answer<'_> {
        Answer {
            status: self.status,
            content_type: self.content_type.as_deref(),
            content_encoding: self.content_encoding.as_deref(),
            location: self.location.as_deref(),
            retry_after: self.retry_after,
        }
    }
}

/// The deadline passed first.
pub(crate) struct Late;

/// Waits for the future until the deadline. A program that stood still, or its machine, finds the deadline passed before it
/// has looked at what came meanwhile: so it looks once more.
pub(crate) async fn by<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Result<T, Late> {
    let Some(deadline) = deadline else { return Ok(future.await) };
    let mut future = pin!(future);
    if let Ok(result) = time::timeout_at(deadline.into(), &mut future).await {
        return Ok(result);
    }
    // Sockets are looked at before this goes on.
    task::yield_now().await;
    future.now_or_never().ok_or(Late)
}

/// Tokio's clock, so that a test can pause it.
pub(crate) fn now() -> Instant {
    time::Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use std::{io::Write, net::TcpStream};

    use tokio::{io::AsyncReadExt, net::TcpListener};

    use super::*;

    #[tokio::test]
    async fn what_came_before_a_deadline_that_was_slept_through_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut receiver, _) = listener.accept().await.unwrap();
        let passed = now();
        sender.write_all(b":").unwrap();
        assert_eq!(by(Some(passed), receiver.read_u8()).await.ok().unwrap().unwrap(), b':');
        assert!(by(Some(passed), receiver.read_u8()).await.is_err(), "nothing came");
    }
}

//! The demo feed: a small event stream on the loopback interface, for trying everything out without a server.

use std::{convert::Infallible, io, net::Ipv4Addr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
    routing::get,
};
use bellwether_control::messages::Catalogue;
use futures_util::Stream;
use serde_json::json;
use tokio::{net::TcpListener, time::sleep};
use url::Url;

/// The demo feed's id in `feeds.toml`.
pub(crate) const ID: &str = "demo";

/// The port that is taken if it is free.
pub(crate) const PORT: u16 = 8738;

const PATH: &str = "/demo";

/// The demo's events, over and over, with the texts `demo.<name>_title` and `demo.<name>_body`.
const STORY: [&str; 5] = ["mail", "disk", "build", "door", "backup"];

/// The first events come quickly, so that a popup shows within seconds; later ones do not disturb.
fn pause_before(number: u64) -> Duration {
    match number {
        1 => Duration::from_millis(300),
        2 => Duration::from_secs(4),
        3 => Duration::from_secs(10),
        _ => Duration::from_secs(60),
    }
}

/// The demo's server, listening but not yet serving.
pub(crate) struct Demo {
    listener: TcpListener,
    url: Url,
}

impl Demo {
    /// Listens on a loopback port; 0 takes any that is free.
    pub(crate) async fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let url = format!("http://{}{PATH}", listener.local_addr()?);
        let url = Url::parse(&url).map_err(io::Error::other)?;
        Ok(Self { listener, url })
    }

    /// The port that a demo feed's URL names, if it is one of ours.
    pub(crate) fn port_of(url: &Url) -> Option<u16> {
        (url.host_str() == Some("127.0.0.1") && url.path() == PATH).then(|| url.port()).flatten()
    }

    /// Where it is to be subscribed to.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Serves until dropped.
    pub(crate) async fn serve(self, catalogue: Arc<Catalogue>) -> io::Result<()> {
        let routes = Router::new().route(PATH, get(stream)).with_state(catalogue);
        axum::serve(self.listener, routes).await
    }
}

async fn stream(
    State(catalogue): State<Arc<Catalogue>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let last_event_id =
        headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let first: u64 = last_event_id.map_or(1, |seen: u64| seen.saturating_add(1));
    let events = futures_util::stream::unfold(first, move |number| {
        let event = story_event(&catalogue, number);
        async move {
            sleep(pause_before(number)).await;
            Some((Ok(event), number.saturating_add(1)))
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(45)))
}

fn story_event(catalogue: &Catalogue, number: u64) -> Event {
    let position = usize::try_from(number.saturating_sub(1) % STORY.len() as u64).unwrap_or_default();
    let name = STORY.get(position).copied().unwrap_or("mail");
    let data = json!({
        "title": catalogue.text(&format!("demo.{name}_title")),
        "message": catalogue.text(&format!("demo.{name}_body")),
    });
    Event::default().id(number.to_string()).event(name).data(data.to_string())
}

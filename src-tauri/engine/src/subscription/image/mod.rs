//! Images for popups: fetched by the way that a feed's own connections go, and taken only if they are small and of a known kind.
//!
//! Whoever writes a feed's events names the URL, and must gain nothing by it: no credential, client certificate or cookie is
//! sent, nothing nearer than the feed is asked for (on this machine, or on the networks around it), and everything is bounded.
//! Names count by the addresses that they lead to, except where a proxy looks them up: there only what a URL spells out counts.

mod format;

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, LOCATION};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    Client, fault,
    reach::{Reach, TooNear},
    route,
};
use crate::{event_source::Request, network::Network};
pub use format::Kind;

/// Most bytes of an image.
pub const MAX_BYTES: usize = 256 << 10;

/// Most pixels of an image's width, and of its height: four bytes each is what a notification server needs to draw it.
pub const MAX_SIDE: u32 = 1_024;

/// From the wish for an image to its last byte.
pub const BUDGET: Duration = Duration::from_secs(3);

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 3;

/// A whole image as it came, not decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// What its first bytes say that it is.
    pub kind: Kind,
    /// At most [`MAX_BYTES`].
    pub bytes: Vec<u8>,
}

/// Why there is no image.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ImageError {
    /// The URL, or one that it redirects to, is not `https`, or leads nearer than the feed is.
    #[error("{0} is no place for an image")]
    Place(String),
    /// Nobody answered as HTTP wants it.
    #[error("the image cannot be fetched")]
    Connection,
    /// The server has none for us.
    #[error("the image's server answered {0}")]
    Status(u16),
    /// It redirects without end.
    #[error("too many redirects to the image")]
    Redirects,
    /// More than [`MAX_BYTES`].
    #[error("the image is larger than {MAX_BYTES} bytes")]
    Large,
    /// Neither PNG, JPEG, GIF nor WebP, or wider or higher than [`MAX_SIDE`].
    #[error("it is no image of a known kind and a bounded size")]
    Unknown,
    /// It did not come within [`BUDGET`].
    #[error("the image did not come in time")]
    Late,
}

/// Fetches the image at `url` for a feed whose own URL and settings these are, within [`BUDGET`]. Only the feed's proxy and whom it
/// trusts count; who it is itself is not told.
pub async fn image(client: &Client, feed: &Url, network: &Network, url: &str) -> Result<Image, ImageError> {
    let network = Network { client_certificate: None, ..network.clone() };
    let deadline = Instant::now() + BUDGET;
    timeout_at(deadline, fetch(client, feed, &network, url)).await.map_err(|_| ImageError::Late)?
}

async fn fetch(client: &Client, feed: &Url, network: &Network, url: &str) -> Result<Image, ImageError> {
    let reach = if route::is_direct(&network.to(feed), feed) {
        Reach::resolved(feed).await
    } else {
        // Only the proxy is to hear its name.
        Reach::spelled(feed).unwrap_or(Reach::World)
    };
    let mut url = Url::parse(url).map_err(|_| ImageError::Place(String::new()))?;
    for _ in 0..=MAX_REDIRECTS {
        check(&url, reach)?;
        // It may have come with the redirect; none of it is ours to send.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let response = ask(client, network, reach, &url).await?;
        let status = response.status();
        if status.is_redirection() {
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let target = location.and_then(|location| url.join(location).ok());
            url = target.ok_or(ImageError::Status(status.as_u16()))?;
        } else if status == 200 {
            return read(response).await;
        } else {
            return Err(ImageError::Status(status.as_u16()));
        }
    }
    Err(ImageError::Redirects)
}

/// Whether an image may lie there, as far as the URL says it.
fn check(url: &Url, reach: Reach) -> Result<(), ImageError> {
    if url.scheme() == "https" && Reach::spelled(url).is_none_or(|spelled| spelled >= reach) {
        return Ok(());
    }
    Err(ImageError::Place(url.origin().ascii_serialization()))
}

async fn ask(
    client: &Client,
    network: &Network,
    reach: Reach,
    url: &Url,
) -> Result<reqwest::Response, ImageError> {
    let accept = HeaderValue::from_static("image/png, image/webp, image/jpeg, image/gif");
    let request = Request { url: url.clone(), last_event_id: None };
    let network = network.to(url);
    let route = if route::is_direct(&network, url) {
        client.route_no_nearer(&network, reach)
    } else {
        client.route(&network)
    };
    let (answered, _) = route.send(request, HeaderMap::from_iter([(ACCEPT, accept)])).await;
    answered.map_err(|error| match fault::find::<TooNear>(&error) {
        Some(_) => ImageError::Place(url.origin().ascii_serialization()),
        None => ImageError::Connection,
    })
}

async fn read(mut response: reqwest::Response) -> Result<Image, ImageError> {
    if response.content_length().is_some_and(|length| length > MAX_BYTES as u64) {
        return Err(ImageError::Large);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| ImageError::Connection)? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(ImageError::Large);
        }
        bytes.extend_from_slice(&chunk);
    }
    let kind = format::recognize(&bytes).ok_or(ImageError::Unknown)?;
    Ok(Image { kind, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_lie_behind_https_and_no_nearer_than_the_feed() {
        let (here, near, elsewhere) = (Reach::Machine, Reach::Network, Reach::World);
        for (url, reach, allowed) in [
            ("https://images.example.org/a.png", elsewhere, true),
            ("https://images.example.org/a.png", here, true),
            ("https://localhost/a.png", here, true),
            ("https://localhost/a.png", elsewhere, false),
            ("https://127.0.0.1:8443/a.png", elsewhere, false),
            ("https://127.0.0.1:8443/a.png", near, false),
            ("https://[::1]/a.png", elsewhere, false),
            ("https://0.0.0.0/a.png", elsewhere, false),
            ("https://192.168.1.1/a.png", elsewhere, false),
            ("https://192.168.1.1/a.png", near, true),
            ("https://192.168.1.1/a.png", here, true),
            ("https://192.0.2.1/a.png", elsewhere, true),
            ("http://images.example.org/a.png", elsewhere, false),
            ("file:///etc/passwd", elsewhere, false),
            ("data:image/png;base64,AAAA", elsewhere, false),
        ] {
            let checked = check(&Url::parse(url).unwrap(), reach);
            assert_eq!(checked.is_ok(), allowed, "{url} for a feed on {reach:?}");
        }
    }
}

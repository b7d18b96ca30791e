//! Calling the harness back.

use std::time::Duration;

use bellwether_engine::{
    event_source::Message,
    feed::{ConnectionState, State},
    subscription::Signal,
};
use serde_json::{Value, json};
use url::Url;

/// How long the harness may take to answer a callback.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where one stream's callbacks go: `callbackUrl/1`, `/2`, … each after the answer to the one before.
///
/// ```json
/// {"kind": "event", "event": {"type": "message", "data": "…", "id": "…"}}
/// {"kind": "comment", "comment": "…"}
/// {"kind": "error", "comment": "why there is no connection"}
/// ```
pub(crate) struct Callback {
    http: reqwest::Client,
    base: String,
    count: u64,
    /// What the harness calls the stream.
    tag: String,
}

/// The client for callbacks: never through a proxy, as the harness is on this machine or this network.
pub(crate) fn http() -> reqwest::Result<reqwest::Client> {
    // Without a provider there is no client, though nothing here is encrypted. An error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()
}

impl Callback {
    pub(crate) fn new(http: reqwest::Client, url: &Url, tag: String) -> Self {
        Self { http, base: url.as_str().trim_end_matches('/').to_owned(), count: 0, tag }
    }

    /// Tells the harness of a signal, if it is one of those that it knows. A callback that fails is not repeated: the harness
    /// misses its number.
    pub(crate) async fn tell(&mut self, signal: &Signal) {
        let Some(body) = body(signal) else { return };
        self.count += 1;
        let url = format!("{}/{}", self.base, self.count);
        // reqwest's own `json` is a feature that nothing else here needs.
        let request = self.http.post(&url).header("Content-Type", "application/json").body(body.to_string());
        match request.send().await.and_then(reqwest::Response::error_for_status) {
            Ok(_) => {}
            Err(error) => eprintln!("{}: callback {url}: {error}", self.tag),
        }
    }
}

/// What a callback says of a signal; nothing of those that only a person would care about.
fn body(signal: &Signal) -> Option<Value> {
    let error = |text: String| Some(json!({ "kind": "error", "comment": text }));
    match signal {
        Signal::Message { message: Message { event_type, data, last_event_id }, .. } => Some(json!({
            "kind": "event",
            "event": { "type": event_type, "data": data, "id": last_event_id },
        })),
        Signal::Comment(comment) => Some(json!({ "kind": "comment", "comment": comment })),
        // The reason of a failure stays while the next attempt is made; it is told once.
        Signal::State(ConnectionState { state: State::Connecting | State::Connected, .. }) => None,
        Signal::State(ConnectionState { reason: Some(reason), .. }) => {
            error(format!("{}: {}", reason.code(), reason.detail()))
        }
        Signal::Oversized(_) => error("an event over the limits was skipped".to_owned()),
        Signal::State(_)
        | Signal::Opened { .. }
        | Signal::LastEventId(_)
        | Signal::ResumeRefused
        | Signal::Flooding => None,
    }
}

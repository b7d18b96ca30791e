//! The client of the control socket, for the command line and the window.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use eventsource_stream::Eventsource;
use futures_util::{Stream, StreamExt};
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::wire;

/// Why a request got no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens at the socket.
    #[error("Bellwether is not running (nobody answers at {}); start it with: bellwether --background", .0.display())]
    NotRunning(PathBuf),
    /// Somebody listens, but no answer came in time: the program hangs, or its disk does.
    #[error("Bellwether has not answered within {} s (at {}); try again, or start it anew", .limit.as_secs(), socket.display())]
    Silent {
        /// Where.
        socket: PathBuf,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The resident program refused, with its reason.
    #[error("{0}")]
    Refused(wire::Error),
    /// The connection broke, or the answer is not what this version understands.
    #[error("the control socket at {} gave no usable answer: {reason}; is it the same version of Bellwether that runs?", socket.display())]
    Broken {
        /// Where.
        socket: PathBuf,
        /// What was wrong.
        reason: String,
    },
}

/// A client of one resident program. Each request is a connection of its own, so the program may restart in between.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    http: reqwest::Client,
}

impl Client {
    /// A client of the resident program at this socket; connects at the first request.
    pub fn new(socket: &Path) -> Result<Self, ClientError> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(no_tls().map_err(|error| broken(socket, &error))?)
            .no_proxy()
            .http1_only()
            .pool_max_idle_per_host(0);
        #[cfg(unix)]
        let builder = builder.unix_socket(socket);
        #[cfg(windows)]
        let builder = builder.windows_named_pipe(socket);
        let http = builder.build().map_err(|error| broken(socket, &error))?;
        Ok(Self { socket: socket.to_owned(), http })
    }

    /// Sends a request and returns the answer's JSON; [`Value::Null`] for an answer without a body. Waits 30 s for it, ten minutes
    /// where a file is written or read. A body that is a text is sent as it is: no route takes one as JSON.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        self.request_within(limit(path), method, path, body).await
    }

    async fn request_within(
        &self,
        limit: Duration,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let response = self.send(method, path, body, Some(limit)).await?;
        let bytes = response.bytes().await.map_err(|error| self.unanswered(&error, limit))?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|error| broken(&self.socket, &error))
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        limit: Option<Duration>,
    ) -> Result<reqwest::Response, ClientError> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| broken(&self.socket, &error))?;
        // The host is never looked up: the socket decides who answers.
        let mut request = self.http.request(method, format!("http://localhost{path}"));
        if let Some(body) = body {
            request = match body {
                Value::String(text) => request.body(text.clone()),
                value => request.header("content-type", "application/json").body(value.to_string()),
            };
        }
        if let Some(limit) = limit {
            request = request.timeout(limit);
        }
        self.answered(request, limit.unwrap_or_default()).await
    }

    async fn answered(
        &self,
        request: reqwest::RequestBuilder,
        limit: Duration,
    ) -> Result<reqwest::Response, ClientError> {
        let response = request.send().await.map_err(|error| self.unanswered(&error, limit))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        Err(serde_json::from_str(&text)
            .map(ClientError::Refused)
            .unwrap_or_else(|_| broken(&self.socket, &format!("{status} {text}"))))
    }

    fn unanswered(&self, error: &reqwest::Error, limit: Duration) -> ClientError {
        if error.is_connect() {
            ClientError::NotRunning(self.socket.clone())
        } else if error.is_timeout() {
            ClientError::Silent { socket: self.socket.clone(), limit }
        } else {
            broken(&self.socket, error)
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, ClientError> {
        let body =
            body.map(serde_json::to_value).transpose().map_err(|error| broken(&self.socket, &error))?;
        let answer = self.request(method, path, body.as_ref()).await?;
        serde_json::from_value(answer).map_err(|error| broken(&self.socket, &error))
    }

    /// `GET /status`.
    pub async fn status(&self) -> Result<wire::Status, ClientError> {
        self.call("GET", "/status", NOTHING).await
    }

    /// `GET /feeds`.
    pub async fn feeds(&self) -> Result<Vec<wire::Feed>, ClientError> {
        self.call("GET", "/feeds", NOTHING).await
    }

    /// `POST /feeds`.
    pub async fn add_feed(&self, draft: &wire::FeedDraft) -> Result<wire::Feed, ClientError> {
        self.call("POST", "/feeds", Some(draft)).await
    }

    /// `PATCH /feeds/{id}`.
    pub async fn edit_feed(&self, id: &str, edit: &wire::FeedEdit) -> Result<wire::Feed, ClientError> {
        self.call("PATCH", &feed_path(id, ""), Some(edit)).await
    }

    /// `DELETE /feeds/{id}`.
    pub async fn remove_feed(&self, id: &str) -> Result<(), ClientError> {
        self.call("DELETE", &feed_path(id, ""), NOTHING).await
    }

    /// `POST /feeds/{id}/restore`.
    pub async fn restore_feed(&self, id: &str) -> Result<wire::Feed, ClientError> {
        self.call("POST", &feed_path(id, "/restore"), NOTHING).await
    }

    /// `POST /import`, with the text of an export.
    pub async fn import(&self, export: Vec<u8>) -> Result<wire::Imported, ClientError> {
        let limit = limit("/import");
        let request = self.http.post("http://localhost/import").body(export).timeout(limit);
        let response = self.answered(request, limit).await?;
        let bytes = response.bytes().await.map_err(|error| broken(&self.socket, &error))?;
        serde_json::from_slice(&bytes).map_err(|error| broken(&self.socket, &error))
    }

    /// `PUT /feeds/{id}/credential`.
    pub async fn set_credential(
        &self,
        id: &str,
        edit: &wire::CredentialEdit,
    ) -> Result<wire::Feed, ClientError> {
        self.call("PUT", &feed_path(id, "/credential"), Some(edit)).await
    }

    /// `POST /feeds/{id}/pause`.
    pub async fn pause_feed(&self, id: &str) -> Result<wire::Feed, ClientError> {
        self.call("POST", &feed_path(id, "/pause"), NOTHING).await
    }

    /// `POST /feeds/{id}/resume`.
    pub async fn resume_feed(&self, id: &str) -> Result<wire::Feed, ClientError> {
        self.call("POST", &feed_path(id, "/resume"), NOTHING).await
    }

    /// `POST /feeds/{id}/reconnect`, or `POST /reconnect` for all.
    pub async fn reconnect(&self, id: Option<&str>) -> Result<(), ClientError> {
        let path = id.map_or_else(|| "/reconnect".to_owned(), |id| feed_path(id, "/reconnect"));
        self.request("POST", &path, None).await.map(drop)
    }

    /// `POST /feeds/{id}/test`.
    pub async fn test_feed(&self, id: &str) -> Result<(), ClientError> {
        self.call("POST", &feed_path(id, "/test"), NOTHING).await
    }

    /// `PUT /snooze`.
    pub async fn snooze(&self, wish: &wire::SnoozeWish) -> Result<wire::Attention, ClientError> {
        self.call("PUT", "/snooze", Some(wish)).await
    }

    /// `GET /events`.
    pub async fn events(&self, query: &wire::EventQuery) -> Result<wire::EventPage, ClientError> {
        self.call("GET", &format!("/events{}", query_string(query)), NOTHING).await
    }

    /// `GET /events/{seq}`.
    pub async fn event(&self, seq: u64) -> Result<wire::Event, ClientError> {
        self.call("GET", &format!("/events/{seq}"), NOTHING).await
    }

    /// `GET /events/index`.
    pub async fn event_index(&self, query: &wire::EventQuery) -> Result<wire::EventIndex, ClientError> {
        self.call("GET", &format!("/events/index{}", query_string(query)), NOTHING).await
    }

    /// `GET /events/types`, of this feed or of all.
    pub async fn event_types(&self, feed: Option<&str>) -> Result<Vec<String>, ClientError> {
        let query = feed.map_or_else(String::new, |feed| format!("?feed={}", percent_encode(feed)));
        self.call("GET", &format!("/events/types{query}"), NOTHING).await
    }

    /// `GET /feeds/{id}/activity`.
    pub async fn activity(&self, id: &str) -> Result<wire::FeedActivity, ClientError> {
        self.call("GET", &feed_path(id, "/activity"), NOTHING).await
    }

    /// `POST /events/delete`.
    pub async fn delete_events(&self, events: &wire::Events) -> Result<(), ClientError> {
        self.call("POST", "/events/delete", Some(events)).await
    }

    /// `POST /events/restore`.
    pub async fn restore_events(&self, events: &wire::Events) -> Result<(), ClientError> {
        self.call("POST", "/events/restore", Some(events)).await
    }

    /// `POST /events/{seq}/show`.
    pub async fn show_event(&self, seq: u64) -> Result<(), ClientError> {
        self.call("POST", &format!("/events/{seq}/show"), NOTHING).await
    }

    /// `POST /events/export`.
    pub async fn export_events(&self, export: &wire::EventExport) -> Result<wire::Exported, ClientError> {
        self.call("POST", "/events/export", Some(export)).await
    }

    /// `POST /exports/open`.
    pub async fn open_exports(&self) -> Result<(), ClientError> {
        self.call("POST", "/exports/open", NOTHING).await
    }

    /// `POST /events/read`.
    pub async fn mark_read(&self, mark: &wire::MarkRead) -> Result<(), ClientError> {
        self.call("POST", "/events/read", Some(mark)).await
    }

    /// `POST /notifications/test`.
    pub async fn test_notification(&self) -> Result<(), ClientError> {
        self.call("POST", "/notifications/test", NOTHING).await
    }

    /// `POST /rules/test`.
    pub async fn test_rules(&self, test: &wire::RulesTest) -> Result<wire::RulesPreview, ClientError> {
        self.call("POST", "/rules/test", Some(test)).await
    }

    /// `POST /probe`; the answer takes up to 10 s.
    pub async fn probe(&self, wish: &wire::ProbeWish) -> Result<wire::Probe, ClientError> {
        self.call("POST", "/probe", Some(wish)).await
    }

    /// `POST /demo`.
    pub async fn demo(&self) -> Result<wire::Feed, ClientError> {
        self.call("POST", "/demo", NOTHING).await
    }

    /// `POST /window`.
    pub async fn open_window(&self, open: &wire::OpenWindow) -> Result<(), ClientError> {
        self.call("POST", "/window", Some(open)).await
    }

    /// `PATCH /settings`.
    pub async fn edit_settings(&self, edit: &wire::SettingsEdit) -> Result<wire::Status, ClientError> {
        self.call("PATCH", "/settings", Some(edit)).await
    }

    /// `POST /quit`.
    pub async fn quit(&self) -> Result<(), ClientError> {
        self.call("POST", "/quit", NOTHING).await
    }

    /// `GET /updates`, until the resident program ends or the connection breaks. As long as somebody reads them as the
    /// window, that window is asked to the front instead of a new one being opened.
    pub async fn updates(
        &self,
        as_window: bool,
    ) -> Result<impl Stream<Item = Result<wire::Update, ClientError>> + use<>, ClientError> {
        let path = if as_window { "/updates?window=true" } else { "/updates" };
        let response = self.send("GET", path, None, None).await?;
        let socket = self.socket.clone();
        Ok(response.bytes_stream().eventsource().map(move |item| {
            let message = item.map_err(|error| broken(&socket, &error))?;
            serde_json::from_str(&message.data).map_err(|error| broken(&socket, &error))
        }))
    }
}

const NOTHING: Option<&()> = None;

/// How long an answer may take. A probe takes up to 10 s by itself, and a command or a keyring that gives a secret as long again.
fn limit(path: &str) -> Duration {
    let room = path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    Duration::from_secs(if matches!(room, "export" | "import") { 600 } else { 30 })
}

/// A TLS configuration that trusts nobody. The socket never speaks TLS, but reqwest wants one, and the one it would make by
/// itself reads the system's certificates each time.
fn no_tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}

fn broken(socket: &Path, reason: &impl ToString) -> ClientError {
    ClientError::Broken { socket: socket.to_owned(), reason: reason.to_string() }
}

fn feed_path(id: &str, rest: &str) -> String {
    format!("/feeds/{}{rest}", percent_encode(id))
}

/// An [`wire::EventQuery`] as a URL's query, with its `?`; empty for an empty one.
pub fn query_string(query: &wire::EventQuery) -> String {
    let Ok(Value::Object(fields)) = serde_json::to_value(query) else { return String::new() };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}={}", percent_encode(text)),
            other => format!("{name}={other}"),
        })
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// Everything but unreserved characters as %XX (RFC 3986 2.1).
fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_written_as_the_server_reads_it() {
        let query = wire::EventQuery {
            feed: Some("ops".into()),
            search: Some("磁盘 full&".into()),
            unread: Some(true),
            limit: Some(5),
            ..Default::default()
        };
        assert_eq!(query_string(&query), "?feed=ops&search=%E7%A3%81%E7%9B%98%20full%26&unread=true&limit=5");
        assert_eq!(query_string(&wire::EventQuery::default()), "");
    }

    #[tokio::test]
    async fn nobody_at_the_socket_is_said_so() {
        let client = Client::new(Path::new("/nonexistent/control.sock")).unwrap();
        let error = client.status().await.unwrap_err();
        assert!(matches!(error, ClientError::NotRunning(_)), "{error}");
        assert!(error.to_string().contains("bellwether --background"));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_that_hangs_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("control.sock");
        // Takes connections, and never answers one.
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let client = Client::new(&socket).unwrap();
        let error =
            client.request_within(Duration::from_millis(50), "GET", "/status", None).await.unwrap_err();
        assert!(matches!(error, ClientError::Silent { .. }), "{error}");
    }

    #[test]
    fn files_take_their_time() {
        for (path, seconds) in
            [("/events?search=/export", 30), ("/events/export", 600), ("/import", 600), ("/probe", 30)]
        {
            assert_eq!(limit(path).as_secs(), seconds, "{path}");
        }
    }
}

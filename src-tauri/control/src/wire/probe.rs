//! Probes on the wire: what there is at a URL.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::{CredentialEdit, FeedPreset};

/// A wish to know what there is at a URL.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ProbeWish {
    /// The URL as a person gave it.
    pub url: String,
    /// With the credentials of this feed, if the URL is of the same origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub feed: Option<String>,
    /// Credentials in the URL may go over plain http.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub plain_http: bool,
    /// Somebody waits: 2 s after the first event is enough.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub brief: bool,
    /// With these credentials, which are not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<CredentialEdit>>", optional))]
    pub credentials: Vec<CredentialEdit>,
    /// By this proxy: `system`, `none`, or a URL; the feed's if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub proxy: Option<String>,
    /// Trusting these authorities as well: a path; the feed's if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub ca_file: Option<String>,
    /// Whether its server has to prove who it is; as for the feed if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub verify_certificate: Option<bool>,
}

/// What one connection, watched for a few seconds, found at a URL.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct Probe {
    /// Whether it is an event stream that can be used: there is no `fault`.
    pub usable: bool,
    /// Why it is not.
    pub fault: Option<ProbeFault>,
    /// The status code of the last answer, if one came.
    pub status: Option<u16>,
    /// Its `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// The redirects that were followed, in their order.
    pub redirects: Vec<ProbeRedirect>,
    /// How long the stream was read, in seconds.
    pub listened_seconds: Option<f64>,
    /// The longest time between two signs of life beside events, in seconds; `null` if fewer than two came.
    pub keep_alive_seconds: Option<f64>,
    /// The reconnection time that the server set, in seconds.
    pub retry_seconds: Option<f64>,
    /// The server gives IDs, so that nothing is lost over a reconnect.
    pub last_event_ids: bool,
    /// The types of the events that came, in the order of their first one; at most 5 events are waited for.
    pub events: Vec<ProbeEvent>,
    /// The server ended the response as it should after these events; it is meant to be asked again.
    pub ended: bool,
    /// The preset that address or events tell.
    pub preset: Option<FeedPreset>,
}

/// Why there is no event stream that can be used. Its sentence, with the remedy, is message `probe.<code>` with `{detail}`,
/// or `probe.<code>_none` where there is one and the detail is empty; `reason.<code>` where there is neither.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ProbeFault {
    /// A stable name: `not_a_url`, `dns`, `refused`, `timeout`, `tls_untrusted`, `unauthorized`, `html`, `silent` …
    pub code: String,
    /// Its particular: a status code, a media type, a host, seconds.
    pub detail: String,
}

/// A redirect that was followed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ProbeRedirect {
    /// 301 or 308 is meant to last, 302, 303 or 307 is not.
    pub status: u16,
    /// Where to, without user, password, query and fragment.
    pub url: String,
    /// Another origin than the first: it was not given the headers.
    pub other_origin: bool,
}

/// Events of one type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct ProbeEvent {
    /// The event type; `message` where the stream names none.
    pub event: String,
    /// How many came.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// The data of the first; its beginning if it is longer than 4,096 bytes.
    pub data: String,
    /// Whether `data` is only its beginning.
    pub data_truncated: bool,
    /// The last event ID at the first; empty if none.
    pub id: String,
}

//! A feed as it is declared, and the state of its connection as a person sees it.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use url::Url;

use crate::{
    access::{Access, Fault, Place, mask},
    network::Network,
    preset::{By, Chosen, Snapshot},
    resume::Resume,
    rule::RuleSet,
};

/// What a feed is known by in `feeds.toml`, the event log and the command line: 1 to 64 of `a-z`, `0-9`, `-`, `_`, `.`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FeedId(Arc<str>);

/// Longest feed id, in bytes.
pub const MAX_FEED_ID: usize = 64;

impl FeedId {
    /// Takes an id as written; `None` if it is empty, too long or has other characters.
    pub fn new(id: &str) -> Option<Self> {
        let fits = (1..=MAX_FEED_ID).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
        fits.then(|| Self(id.into()))
    }

    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A feed as `feeds.toml` declares it.
#[derive(Clone, PartialEq, Debug)]
pub struct Feed {
    /// Unique among the feeds.
    pub id: FeedId,
    /// What a person calls it; the id unless given.
    pub name: String,
    /// The group under which lists show it; `None`: by itself.
    pub group: Option<String>,
    /// Where every connection of it begins: `http` or `https`.
    pub url: Url,
    /// How it gets in.
    pub access: Access,
    /// Kept, but not connected.
    pub paused: bool,
    /// Silence after which the connection counts as dead; `None`: never.
    pub idle_timeout: Option<Duration>,
    /// What to do with messages that a server sends again after a reconnect.
    pub repeats: Repeats,
    /// What its connections go through.
    pub network: Network,
    /// What its reconnects carry, so that nothing is missed.
    pub resume: Resume,
    /// Its rules in order; empty: the default popup for every message.
    pub rules: Arc<RuleSet>,
    /// No popups: the log only.
    pub mute: bool,
    /// Whether its popups may have images, which are fetched from where an event says.
    pub images: bool,
    /// When its silence is told.
    pub silence_alert: Option<Silence>,
    /// What is known of its provider: it decides where none of the rules does.
    pub preset: Option<Chosen>,
    /// What `feeds.toml` leaves to the preset.
    pub left_out: LeftOut,
}

/// Keys of a feed that are not in `feeds.toml`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LeftOut {
    /// `preset`: it may be found by the feed's URL and its first messages.
    pub preset: bool,
    /// `idle_timeout`
    pub idle_timeout: bool,
    /// `resume`
    pub resume: bool,
}

impl Feed {
    /// Whether a preset may be found for it: none is asked for or refused, none is there, and no rules of its own say what a
    /// person wants of its messages.
    pub fn may_find_preset(&self) -> bool {
        self.left_out.preset && self.preset.is_none() && self.rules.texts().is_empty()
    }

    /// The feed as it were with these rules. A preset that was found by itself is written down with the first of them, so that it
    /// decides where none of them does.
    #[must_use]
    pub fn with_rules(self, rules: Arc<RuleSet>) -> Self {
        let by = |chosen: Chosen| match rules.texts().is_empty() {
            true => chosen,
            false => Chosen { by: By::Set, ..chosen },
        };
        Self { preset: self.preset.map(by), rules, ..self }
    }

    /// The preset that was found for it and is not written down.
    pub fn found_preset(&self) -> Option<&'static str> {
        let chosen = self.preset.as_ref().filter(|chosen| self.left_out.preset && chosen.by != By::Set);
        chosen.map(|chosen| chosen.preset.id)
    }

    /// What each of its connections begins with that is no news.
    pub(crate) fn snapshot(&self) -> Option<&Snapshot> {
        self.preset.as_ref()?.preset.snapshot.as_ref()
    }

    /// The feed with this preset, and with its settings where `feeds.toml` leaves them out.
    #[must_use]
    pub fn with_preset(self, chosen: Chosen) -> Self {
        let Chosen { preset, .. } = &chosen;
        let secret = |resume: &Resume| match resume {
            Resume::Query { name, .. } => self.access.get(&Place::Query(name.clone())).is_some(),
            _ => false,
        };
        let resume = preset.resume.as_ref().filter(|resume| self.left_out.resume && !secret(resume));
        Self {
            resume: resume.cloned().unwrap_or_else(|| self.resume.clone()),
            idle_timeout: match preset.idle_timeout {
                Some(timeout) if self.left_out.idle_timeout => timeout,
                _ => self.idle_timeout,
            },
            preset: Some(chosen),
            ..self
        }
    }

    /// Its URL as it may be shown: without the secrets that are written into it.
    pub fn shown_url(&self) -> Cow<'_, str> {
        mask::masked(self.url.as_str())
    }
}

/// How long a feed may have no event before that is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Silence {
    /// Longer than it usually has none.
    Usual,
    /// So long.
    After(Duration),
}

/// Silence after which a connection counts as dead, unless the feed says otherwise.
pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// What to do with a message that has the ID and the content of one in the log, in the window between a reconnect and the
/// first message that is not in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Repeats {
    /// Neither log nor show it again; count it.
    #[default]
    Hide,
    /// It is news like any other.
    Show,
}

/// The connection's state as a person sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// A request is under way.
    Connecting,
    /// The server answered with an event stream.
    Connected,
    /// The next attempt follows by itself, soon.
    Waiting,
    /// The next attempt follows by itself, but a retry alone will hardly cure the cause.
    NeedsAttention,
    /// No attempt until the person asks for one, the settings change, or the program starts again.
    Stopped,
    /// The person paused the feed.
    Paused,
}

/// A feed's connection now. Times are wall-clock times, for display only.
#[derive(Clone, PartialEq, Debug)]
pub struct ConnectionState {
    /// The state.
    pub state: State,
    /// Why it is not connected, or was not before this attempt.
    pub reason: Option<Reason>,
    /// Failed attempts in a row.
    pub attempt: u32,
    /// Since when it has been connected, if it is.
    pub connected_at: Option<Timestamp>,
    /// When the next attempt is due, if one is.
    pub next_attempt_at: Option<Timestamp>,
}

impl ConnectionState {
    /// A state without reason, attempts and times.
    pub fn new(state: State) -> Self {
        Self { state, reason: None, attempt: 0, connected_at: None, next_attempt_at: None }
    }
}

/// Why a connection ended or could not be made. [`Reason::code`] is stable; [`Reason::detail`] is for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// An answer with this status code, where an event stream was expected.
    Status(u16),
    /// 200 with another media type (as received, but in one short line and with the feed's secrets masked), or with none.
    ContentType(Option<String>),
    /// A content encoding (shown as a media type is), though `identity` was asked for.
    ContentEncoding(String),
    /// A redirect that cannot be followed: no `Location`, not http(s), https to http, or more than the limit.
    Redirect(RedirectFault),
    /// The host name was not found.
    Dns(String),
    /// The port refused the connection.
    Refused(String),
    /// No way to the host.
    Unreachable(String),
    /// Connecting, TCP and TLS together, took too long.
    ConnectTimeout(Duration),
    /// The request was sent and no answer's head came for too long.
    HeaderTimeout(Duration),
    /// The certificate is not trusted.
    TlsUntrusted(String),
    /// The certificate is for another name.
    TlsName(String),
    /// The certificate is past its time, or before it.
    TlsExpired(String),
    /// The server wants a client certificate, or does not take the one that it was shown.
    TlsClientCertificate(String),
    /// TLS failed in another way.
    Tls(String),
    /// A credential cannot be had; no request was made.
    Credential(Fault),
    /// Credentials would go to this host in the open; no request was made.
    PlainHttp(String),
    /// A file of the feed's TLS settings cannot be used.
    CertificateFile {
        /// The file.
        path: String,
        /// Why not.
        fault: FileFault,
    },
    /// The proxy, and not the server, is what failed.
    Proxy {
        /// Its host and port.
        proxy: String,
        /// How.
        fault: ProxyFault,
    },
    /// Nothing came for the idle timeout.
    Idle(Duration),
    /// The server ended the response as it should, but neither an event nor a `retry` had come.
    EndedEmpty,
    /// The server ended the response as it should, after events: it will be asked again.
    Ended,
    /// The response broke off: reset, a cut chunk, or shorter than announced.
    Broken(String),
    /// A rule of the feed with the action `close` matched; the rule's number from 1.
    ClosedByRule(u32),
    /// The server told that it is over, as the feed's preset knows; the provider's name.
    ClosedByPreset(String),
    /// Any other failure of the network.
    Network(String),
}

/// Why a file of a feed's TLS settings cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileFault {
    /// It cannot be read; the system's words.
    Unreadable(String),
    /// No certificate in PEM that can be used is in it.
    NoCertificate,
    /// No private key in PEM that can be used is in it.
    NoKey,
    /// Its key is encrypted, and nobody is there to be asked for the password.
    EncryptedKey,
    /// It is no PEM but PKCS#12, with certificate and key in one.
    Pkcs12,
    /// Its key is not that of the certificate.
    WrongKey,
}

/// How a proxy failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProxyFault {
    /// There is no way to it; why.
    Unreachable(String),
    /// No connection came about through it within this time.
    Timeout(Duration),
    /// It wants a user and a password, or others (407).
    SignIn,
    /// It was asked for the connection and did not make it; why, as far as it told.
    Refused(String),
}

/// Why a redirect was not followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RedirectFault {
    /// No usable `Location`.
    NoLocation,
    /// Neither http nor https.
    Scheme,
    /// From https to http.
    Downgrade,
    /// More hops than the limit.
    TooMany,
}

impl Reason {
    /// What it quotes of the server's words, which may be anything.
    pub(crate) fn quote_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::ContentType(kind) => kind.as_mut(),
            Self::ContentEncoding(encoding) => Some(encoding),
            _ => None,
        }
    }

    /// A stable name for programs and message catalogues.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Status(204) => "no_content",
            Self::Status(401 | 403 | 407) => "sign_in_refused",
            Self::Status(404) => "not_found",
            Self::Status(410) => "gone",
            Self::Status(_) => "status",
            Self::ContentType(_) => "content_type",
            Self::ContentEncoding(_) => "content_encoding",
            Self::Redirect(_) => "redirect",
            Self::Dns(_) => "dns",
            Self::Refused(_) => "refused",
            Self::Unreachable(_) => "unreachable",
            Self::ConnectTimeout(_) => "connect_timeout",
            Self::HeaderTimeout(_) => "header_timeout",
            Self::TlsUntrusted(_) => "tls_untrusted",
            Self::TlsName(_) => "tls_name",
            Self::TlsExpired(_) => "tls_expired",
            Self::TlsClientCertificate(_) => "tls_client_certificate",
            Self::Tls(_) => "tls",
            Self::Credential(fault) => fault.code(),
            Self::PlainHttp(_) => "plain_http",
            Self::CertificateFile { fault, .. } => match fault {
                FileFault::Unreadable(_) => "file_unreadable",
                FileFault::NoCertificate => "file_no_certificate",
                FileFault::NoKey => "file_no_key",
                FileFault::EncryptedKey => "file_encrypted_key",
                FileFault::Pkcs12 => "file_pkcs12",
                FileFault::WrongKey => "file_wrong_key",
            },
            Self::Proxy { fault, .. } => match fault {
                ProxyFault::Unreachable(_) => "proxy_unreachable",
                ProxyFault::Timeout(_) => "proxy_timeout",
                ProxyFault::SignIn => "proxy_sign_in",
                ProxyFault::Refused(_) => "proxy_refused",
            },
            Self::Idle(_) => "idle",
            Self::EndedEmpty => "ended_empty",
            Self::Ended => "ended",
            Self::Broken(_) => "broken",
            Self::ClosedByRule(_) => "closed_by_rule",
            Self::ClosedByPreset(_) => "closed_by_preset",
            Self::Network(_) => "network",
        }
    }

    /// The particular that a sentence about this reason needs: a status code, a media type, a host, seconds, a rule's number, a
    /// provider, a file, a proxy with host and port.
    pub fn detail(&self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::ContentType(kind) => kind.clone().unwrap_or_default(),
            Self::Redirect(fault) => match fault {
                RedirectFault::NoLocation => "no location",
                RedirectFault::Scheme => "scheme",
                RedirectFault::Downgrade => "https to http",
                RedirectFault::TooMany => "too many",
            }
            .to_owned(),
            Self::ContentEncoding(text)
            | Self::Dns(text)
            | Self::Refused(text)
            | Self::Unreachable(text)
            | Self::TlsUntrusted(text)
            | Self::TlsName(text)
            | Self::TlsExpired(text)
            | Self::TlsClientCertificate(text)
            | Self::Tls(text)
            | Self::PlainHttp(text)
            | Self::Broken(text)
            | Self::ClosedByPreset(text)
            | Self::Network(text) => text.clone(),
            Self::Credential(fault) => fault.detail().to_owned(),
            Self::CertificateFile { path, fault: FileFault::Unreadable(cause) }
            | Self::Proxy {
                proxy: path,
                fault: ProxyFault::Unreachable(cause) | ProxyFault::Refused(cause),
            } if !cause.is_empty() => format!("{path}: {cause}"),
            Self::CertificateFile { path, .. } | Self::Proxy { proxy: path, .. } => path.clone(),
            Self::ConnectTimeout(time) | Self::HeaderTimeout(time) | Self::Idle(time) => {
                time.as_secs().to_string()
            }
            Self::ClosedByRule(number) => number.to_string(),
            Self::EndedEmpty | Self::Ended => String::new(),
        }
    }
}

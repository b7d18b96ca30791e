//! What a feed shows its server to be let in: where each credential goes, and where its secret comes from.
//!
//! `feeds.toml` names sources and never holds a secret. Secrets are read again before each attempt, so that a renewed token
//! works without a restart; they go to the origin of the feed's own URL and nowhere else, over plain http only to this machine
//! unless the feed says otherwise, and nothing here shows them: not [`Secret`]'s `Debug`, not a [`Fault`].

mod known;
pub mod mask;
mod source;

use std::{fmt, path::PathBuf, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
pub(crate) use known::Known;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
pub use source::is_open_to_others;

use crate::feed::FeedId;

/// Most credentials of a feed.
pub const MAX_CREDENTIALS: usize = 32;

/// Longest secret, in bytes.
pub const MAX_SECRET: usize = 16 << 10;

/// How a feed gets in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Access {
    /// What it shows; each place once.
    pub credentials: Vec<Credential>,
    /// They may go over plain http to other machines.
    pub plain_http: bool,
}

/// A secret by its source, and where it goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credential {
    /// Where in the request.
    pub place: Place,
    /// Where from.
    pub source: Source,
}

/// Where in the request a secret goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// `Authorization: Bearer SECRET` (RFC 6750, 2.1).
    Bearer,
    /// `Authorization: Basic`, of a user and the secret (RFC 7617).
    Basic {
        /// Without a colon.
        user: String,
    },
    /// The value of this header.
    Header(HeaderName),
    /// The value of this parameter of the URL's query.
    Query(String),
    /// The value of this cookie.
    Cookie(String),
}

/// Where a secret comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// The system's keyring.
    Keyring,
    /// This environment variable of the resident program.
    Variable(String),
    /// The first line that this command writes; program and arguments, no shell.
    Command(Vec<String>),
    /// The first line of this file, which nobody else may read; `~/` is the home folder.
    File(PathBuf),
}

/// A text that nobody is to see.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Where the system keeps secrets.
pub trait Keyring: Send + Sync {
    /// The secret of a feed's credential. Called on a thread of its own, so it may take its time, but not forever.
    fn read(&self, feed: &FeedId, place: &Place) -> Result<Secret, KeyringFault>;
}

/// Why the keyring does not give a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyringFault {
    /// It has none of this credential.
    NoEntry,
    /// It is not there, locked, or broken; why.
    Unusable(String),
}

/// Why a secret cannot be had. [`Fault::code`] is stable; [`Fault::detail`] is for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// This environment variable is not set, or is not UTF-8.
    Variable(String),
    /// The command, and how it failed.
    Command(String),
    /// The file, and why it cannot be read.
    File(String),
    /// This file can be read by others.
    FileOpen(String),
    /// Why the keyring cannot be used.
    Keyring(String),
    /// The keyring has nothing for this place.
    NoEntry(String),
    /// This source gave an empty text.
    Empty(String),
    /// This source gave what its place cannot hold: control characters, or too much.
    Unsendable(String),
}

/// A feed's credentials, as its connection reads them.
#[derive(Clone)]
pub struct Credentials {
    /// What is declared.
    pub access: Access,
    /// Whose they are in the keyring.
    pub feed: Option<FeedId>,
    /// The keyring.
    pub keyring: Arc<dyn Keyring>,
}

/// What goes into a request.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) headers: HeaderMap,
    pub(crate) query: Vec<(String, Secret)>,
    /// Every secret in it, in each form that the server sees.
    pub(crate) secrets: Vec<Secret>,
}

impl Access {
    /// The credential of a place, whoever its user and however its header is spelled.
    pub fn get(&self, place: &Place) -> Option<&Credential> {
        self.credentials.iter().find(|credential| credential.place.is_same(place))
    }
}

impl Place {
    /// A stable name for programs: `bearer`, `basic`, `header`, `query`, `cookie`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Basic { .. } => "basic",
            Self::Header(_) => "header",
            Self::Query(_) => "query",
            Self::Cookie(_) => "cookie",
        }
    }

    /// The header's, parameter's or cookie's name, or the user; empty for a bearer token.
    pub fn name(&self) -> &str {
        match self {
            Self::Bearer => "",
            Self::Basic { user } => user,
            Self::Header(name) => name.as_str(),
            Self::Query(name) | Self::Cookie(name) => name,
        }
    }

    /// Whether a request can hold only one of the two: a changed user is still the same place.
    pub fn is_same(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Basic { .. }, Self::Basic { .. })) || self == other
    }

    /// Whether a secret can stand there.
    pub fn takes(&self, secret: &Secret) -> bool {
        let unfit = |c: char| c.is_control() || c == ';' && matches!(self, Self::Cookie(_));
        (1..=MAX_SECRET).contains(&secret.0.len()) && !secret.0.contains(unfit)
    }

    /// The header that holds it, if one does.
    pub(crate) fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::Bearer | Self::Basic { .. } => Some(&AUTHORIZATION),
            Self::Header(name) => Some(name),
            Self::Cookie(_) => Some(&COOKIE),
            Self::Query(_) => None,
        }
    }
}

impl fmt::Display for Place {
    /// Without the user, as the keyring knows it: `bearer`, `basic`, `header x-api-key`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer | Self::Basic { .. } => f.write_str(self.kind()),
            _ => write!(f, "{} {}", self.kind(), self.name()),
        }
    }
}

impl Source {
    /// A stable name for programs: `keyring`, `env`, `command`, `file`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Variable(_) => "env",
            Self::Command(_) => "command",
            Self::File(_) => "file",
        }
    }

    /// The variable's name, the command's program alone as an argument may be a secret, the file's path; empty for the keyring.
    pub fn detail(&self) -> String {
        match self {
            Self::Keyring => String::new(),
            Self::Variable(name) => name.clone(),
            Self::Command(words) => words.first().cloned().unwrap_or_default(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

impl fmt::Display for Source {
    /// As it is told in a [`Fault`]: `keyring`, `env NAME`, `command pass`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring => f.write_str(self.kind()),
            _ => write!(f, "{} {}", self.kind(), self.detail()),
        }
    }
}

impl Secret {
    /// A text to be kept from everyone's eyes.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for whom it is meant.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Fault {
    /// A stable name for programs and message catalogues.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Variable(_) => "credential_variable",
            Self::Command(_) => "credential_command",
            Self::File(_) => "credential_file",
            Self::FileOpen(_) => "credential_file_open",
            Self::Keyring(_) => "credential_keyring",
            Self::NoEntry(_) => "credential_no_entry",
            Self::Empty(_) => "credential_empty",
            Self::Unsendable(_) => "credential_unsendable",
        }
    }

    /// The particular that a sentence about this fault needs: a variable, a command, a file, a cause.
    pub fn detail(&self) -> &str {
        match self {
            Self::Variable(text)
            | Self::Command(text)
            | Self::File(text)
            | Self::FileOpen(text)
            | Self::Keyring(text)
            | Self::NoEntry(text)
            | Self::Empty(text)
            | Self::Unsendable(text) => text,
        }
    }
}

/// No keyring at all.
struct NoKeyring;

impl Keyring for NoKeyring {
    fn read(&self, _: &FeedId, _: &Place) -> Result<Secret, KeyringFault> {
        Err(KeyringFault::Unusable("there is none".to_owned()))
    }
}

impl Default for Credentials {
    /// None at all.
    fn default() -> Self {
        Self { access: Access::default(), feed: None, keyring: no_keyring() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access", &self.access)
            .field("feed", &self.feed)
            .finish_non_exhaustive()
    }
}

/// For where there is none.
pub fn no_keyring() -> Arc<dyn Keyring> {
    Arc::new(NoKeyring)
}

impl Credentials {
    /// Reads every secret anew, one after the other; each takes up to 10 s, besides waiting for its turn.
    pub(crate) async fn read(&self) -> Result<Shown, Fault> {
        let mut shown = Shown::default();
        let mut cookies = String::new();
        for credential in &self.access.credentials {
            let secret = source::read(credential, self).await?;
            let refused = || Fault::Unsendable(credential.source.to_string());
            shown.secrets.push(secret.clone());
            let text = secret.reveal();
            let (name, value) = match &credential.place {
                Place::Bearer => (AUTHORIZATION, format!("Bearer {text}")),
                Place::Basic { user } => {
                    shown.secrets.push(known::basic(user, text));
                    (AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{text}"))))
                }
                Place::Header(name) => (name.clone(), text.to_owned()),
                Place::Cookie(name) => {
                    let gap = if cookies.is_empty() { "" } else { "; " };
                    cookies += &format!("{gap}{name}={text}");
                    continue;
                }
                Place::Query(name) => {
                    shown.query.push((name.clone(), secret));
                    continue;
                }
            };
            shown.headers.insert(name, hidden(&value).ok_or_else(refused)?);
        }
        if !cookies.is_empty() {
            let value = hidden(&cookies).ok_or_else(|| Fault::Unsendable("cookie".to_owned()))?;
            shown.headers.insert(COOKIE, value);
        }
        Ok(shown)
    }
}

/// A header's value that stays out of debug output; its bytes are those of the UTF-8.
fn hidden(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests;

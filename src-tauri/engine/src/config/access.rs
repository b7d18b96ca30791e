//! A feed's `auth`: where its secrets come from, and where they go. The file never holds one, and no mistake quotes what
//! stands where a source belongs: it may be one.

use std::{
    borrow::Cow,
    ops::Range,
    path::{Path, PathBuf},
};

use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderName, TE,
    TRANSFER_ENCODING, UPGRADE,
};
use toml_edit::{Array, InlineTable, Item, Table, TableLike, Value};
use url::Url;

use super::{
    ConfigError, ConfigErrorKind as Kind,
    reader::{Reader, Section},
};
use crate::{
    access::{Access, Credential, MAX_CREDENTIALS, Place, Source},
    sentence::{self, Sentence, WANTS_BOOLEAN},
};

/// The keys of `auth`.
const AUTH: [&str; 6] = ["bearer", "basic", "headers", "query", "cookies", "plain_http"];
/// The keys of `basic`.
const BASIC: [&str; 2] = ["user", "password"];
/// The keys of a source.
const SOURCE: [&str; 4] = ["keyring", "env", "command", "file"];

/// Longest name of a parameter, cookie, user or variable, in bytes.
const MAX_NAME: usize = 256;
/// Most words of a command, and the longest, in bytes.
const MAX_WORDS: usize = 64;
const MAX_WORD: usize = 4096;

/// The headers that make an HTTP request what it is, and those of an event stream's protocol.
const OWN_HEADERS: [HeaderName; 7] =
    [ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING, UPGRADE];

impl Reader<'_> {
    /// How a feed of this URL gets in.
    pub(super) fn access(&self, feed: &Table, feed_path: &str, url: &Url) -> Result<Access, ConfigError> {
        let feed_span = feed.span();
        let feed = Section { table: feed, span: &feed_span, path: feed_path };
        let Some(item) = feed.table.get("auth") else { return Ok(Access::default()) };
        let (span, path) = (item.span(), format!("{feed_path}.auth"));
        let auth = Section { table: self.table(feed, "auth", item)?, span: &span, path: &path };
        self.check_auth_keys(auth.table, &path, &AUTH)?;
        let mut credentials = Vec::new();
        if let Some(item) = auth.table.get("bearer") {
            let source = self.source(&span, &format!("{path}.bearer"), item)?;
            credentials.push(Credential { place: Place::Bearer, source });
        }
        credentials.extend(self.basic(auth)?);
        credentials.extend(self.named(auth, "headers", |name| header(name).map(Place::Header))?);
        credentials.extend(self.named(auth, "query", |name| parameter(name).map(Place::Query))?);
        credentials.extend(self.named(auth, "cookies", |name| cookie(name).map(Place::Cookie))?);
        let wrong = |message| Err(self.error(Kind::InvalidValue, span.clone(), &path, message));
        if credentials.len() > MAX_CREDENTIALS {
            return wrong(sentence::TOO_MANY_CREDENTIALS.with([("most", MAX_CREDENTIALS.to_string())]));
        }
        let plain_http = match auth.table.get("plain_http") {
            None => false,
            Some(item) => {
                item.as_bool().ok_or_else(|| self.wrong_type(auth, "plain_http", item, WANTS_BOOLEAN))?
            }
        };
        let access = Access { credentials, plain_http };
        conflict(&access, url).map_or(Ok(access), wrong)
    }

    fn basic(&self, auth: Section<'_>) -> Result<Option<Credential>, ConfigError> {
        let Some(item) = auth.table.get("basic") else { return Ok(None) };
        let (span, path) = (item.span(), format!("{}.basic", auth.path));
        let basic = Section { table: self.table(auth, "basic", item)?, span: &span, path: &path };
        self.check_auth_keys(basic.table, &path, &BASIC)?;
        let user = self.required(basic, "user", "user = \"alice\"")?;
        check_user(user).map_err(|message| self.error_at(basic, "user", Kind::InvalidValue, message))?;
        let password = basic.table.get("password").ok_or_else(|| {
            let message = sentence::MISSING.with([("example", "password = { keyring = true }".to_owned())]);
            self.error(Kind::Broken, span.clone(), &format!("{path}.password"), message)
        })?;
        let source = self.source(&span, &format!("{path}.password"), password)?;
        Ok(Some(Credential { place: Place::Basic { user: user.to_owned() }, source }))
    }

    /// The credentials of a table whose keys are names.
    fn named(
        &self,
        auth: Section<'_>,
        key: &str,
        place: impl Fn(&str) -> Result<Place, Sentence>,
    ) -> Result<Vec<Credential>, ConfigError> {
        let Some(item) = auth.table.get(key) else { return Ok(Vec::new()) };
        let (span, path) = (item.span(), format!("{}.{key}", auth.path));
        let names = Section { table: self.table(auth, key, item)?, span: &span, path: &path };
        let mut credentials: Vec<Credential> = Vec::new();
        for (name, item) in names.table.iter() {
            let path = format!("{path}.{}", shown(name));
            let span = item.span().or_else(|| span.clone());
            let wrong = |message| self.error(Kind::InvalidValue, span.clone(), &path, message);
            let place = place(name).map_err(wrong)?;
            if credentials.iter().any(|known| known.place == place) {
                return Err(wrong(sentence::HEADER_TWICE.with([("name", name.to_owned())])));
            }
            credentials.push(Credential { place, source: self.source(&span, &path, item)? });
        }
        Ok(credentials)
    }

    /// The source that stands at `path`, in a section of the span `around`.
    fn source(&self, around: &Option<Range<usize>>, path: &str, item: &Item) -> Result<Source, ConfigError> {
        let span = item.span().or_else(|| around.clone());
        let Some(table) = item.as_table_like() else {
            return Err(self.error(Kind::InvalidValue, span, path, sentence::SECRET_IN_FILE));
        };
        let source = Section { table, span: &span, path };
        self.check_auth_keys(table, path, &SOURCE)?;
        let mut keys = table.iter();
        let (Some((kind, item)), None) = (keys.next(), keys.next()) else {
            return Err(self.error(Kind::InvalidValue, span.clone(), path, sentence::ONE_SOURCE));
        };
        let wrong = |message: Sentence| self.error_at(source, kind, Kind::InvalidValue, message);
        match kind {
            "keyring" if item.as_bool() == Some(true) => Ok(Source::Keyring),
            "keyring" => Err(wrong(sentence::KEYRING_TRUE.into())),
            "command" => {
                words(item).map(Source::Command).ok_or_else(|| wrong(sentence::WANTS_COMMAND.into()))
            }
            "env" => {
                let name = self.string(source, kind)?.unwrap_or_default();
                check_variable(name).map_err(wrong)?;
                Ok(Source::Variable(name.to_owned()))
            }
            _ => {
                let file = PathBuf::from(self.string(source, kind)?.unwrap_or_default());
                check_file(&file).map_err(wrong)?;
                Ok(Source::File(file))
            }
        }
    }

    /// The same as elsewhere, but the mistake does not name the key: it may be what it should lead to.
    fn check_auth_keys(&self, table: &dyn TableLike, path: &str, known: &[&str]) -> Result<(), ConfigError> {
        self.check_keys(table, path, known).map_err(|error| ConfigError { key: path.to_owned(), ..error })
    }

    fn table<'t>(
        &self,
        section: Section<'_>,
        key: &str,
        item: &'t Item,
    ) -> Result<&'t dyn TableLike, ConfigError> {
        item.as_table_like()
            .ok_or_else(|| self.error_at(section, key, Kind::InvalidValue, sentence::WANTS_AUTH.into()))
    }
}

/// What of it a request cannot have together.
fn conflict(access: &Access, url: &Url) -> Option<Sentence> {
    let has = |wanted: &HeaderName| {
        let places = access.credentials.iter().map(|credential| &credential.place);
        let of_header = places.filter(|place| place.header() == Some(wanted));
        of_header.filter(|place| !matches!(place, Place::Cookie(_))).count()
    };
    let cookies = access.credentials.iter().any(|known| matches!(known.place, Place::Cookie(_)));
    let in_url = !url.username().is_empty() || url.password().is_some();
    if has(&AUTHORIZATION) > 1 {
        Some(sentence::AUTHORIZATION_TWICE.into())
    } else if has(&AUTHORIZATION) > 0 && in_url {
        Some(sentence::USER_IN_URL.into())
    } else if has(&COOKIE) > 0 && cookies {
        Some(sentence::COOKIE_TWICE.into())
    } else {
        None
    }
}

/// A name as a mistake shows it: the secret may have been written with it, as `X-Key: SECRET` or `session=SECRET`.
fn shown(name: &str) -> Cow<'_, str> {
    let end = |c: char| matches!(c, ':' | '=') || c.is_whitespace() || c.is_control();
    match name.split_once(end) {
        Some((name, _)) => Cow::Owned(format!("{name}…")),
        None => Cow::Borrowed(name),
    }
}

/// A header that a feed may set, or what is wrong with the name.
pub fn header(name: &str) -> Result<HeaderName, Sentence> {
    let invalid = || sentence::HEADER_INVALID.with([("name", shown(name).into_owned())]);
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
    if header.as_str().len() > MAX_NAME {
        return Err(invalid());
    }
    if OWN_HEADERS.contains(&header) || header == "last-event-id" {
        return Err(sentence::HEADER_OWN.with([("name", name.to_owned())]));
    }
    Ok(header)
}

/// A parameter's name, or what is wrong with it.
pub fn parameter(name: &str) -> Result<String, Sentence> {
    let fits = (1..=MAX_NAME).contains(&name.len()) && !name.contains(char::is_control);
    fits.then(|| name.to_owned())
        .ok_or_else(|| sentence::PARAMETER_INVALID.with([("most", MAX_NAME.to_string())]))
}

/// A cookie's name (RFC 6265, 4.1.1), or what is wrong with it.
pub fn cookie(name: &str) -> Result<String, Sentence> {
    // The characters of a token are those of a header's name.
    let fits = name.len() <= MAX_NAME && HeaderName::from_bytes(name.as_bytes()).is_ok();
    fits.then(|| name.to_owned())
        .ok_or_else(|| sentence::COOKIE_INVALID.with([("name", shown(name).escape_debug().to_string())]))
}

/// What is wrong with a user's name (RFC 7617, 2).
pub fn check_user(user: &str) -> Result<(), Sentence> {
    let fits = user.len() <= MAX_NAME && !user.contains(|c: char| c == ':' || c.is_control());
    if fits { Ok(()) } else { Err(sentence::USER_INVALID.into()) }
}

/// What is wrong with a source.
pub fn check_source(source: &Source) -> Result<(), Sentence> {
    match source {
        Source::Keyring => Ok(()),
        Source::Variable(name) => check_variable(name),
        Source::Command(words) if are_words(words) => Ok(()),
        Source::Command(_) => Err(sentence::WANTS_COMMAND.into()),
        Source::File(path) => check_file(path),
    }
}

fn check_variable(name: &str) -> Result<(), Sentence> {
    let fits = (1..=MAX_NAME).contains(&name.len()) && !name.contains(|c: char| c == '=' || c.is_control());
    if fits { Ok(()) } else { Err(sentence::VARIABLE_INVALID.into()) }
}

fn check_file(path: &Path) -> Result<(), Sentence> {
    let whole = path.is_absolute() || path.strip_prefix("~").is_ok_and(|rest| !rest.as_os_str().is_empty());
    if whole { Ok(()) } else { Err(sentence::FILE_NOT_WHOLE.into()) }
}

pub(super) fn words(item: &Item) -> Option<Vec<String>> {
    let words = item.as_array()?.iter().map(|word| Some(word.as_str()?.to_owned()));
    words.collect::<Option<Vec<_>>>().filter(|words| are_words(words))
}

fn are_words(words: &[String]) -> bool {
    let fits = |word: &String| word.len() <= MAX_WORD && !word.contains('\0');
    words.len() <= MAX_WORDS
        && words.first().is_some_and(|program| !program.is_empty())
        && words.iter().all(fits)
}

/// The keys that lead to a place within `auth`.
pub(super) fn keys(place: &Place) -> Vec<String> {
    match place {
        Place::Bearer | Place::Basic { .. } => vec![place.kind().to_owned()],
        Place::Header(name) => vec!["headers".to_owned(), name.to_string()],
        Place::Query(name) => vec!["query".to_owned(), name.clone()],
        Place::Cookie(name) => vec!["cookies".to_owned(), name.clone()],
    }
}

/// A credential as the file has it.
pub(super) fn written(credential: &Credential) -> Value {
    let mut source = InlineTable::new();
    let (kind, value) = match &credential.source {
        Source::Keyring => ("keyring", Value::from(true)),
        Source::Variable(name) => ("env", Value::from(name)),
        Source::Command(words) => ("command", Value::Array(Array::from_iter(words))),
        Source::File(path) => ("file", Value::from(path.display().to_string())),
    };
    source.insert(kind, value);
    match &credential.place {
        Place::Basic { user } => {
            let mut basic = InlineTable::new();
            basic.insert("user", Value::from(user));
            basic.insert("password", Value::InlineTable(source));
            Value::InlineTable(basic)
        }
        _ => Value::InlineTable(source),
    }
}

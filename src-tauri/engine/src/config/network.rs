//! The keys of a feed about its network: TLS, proxy, and what a reconnect carries.

use std::{
    env,
    path::{Path, PathBuf},
};

use toml_edit::Item;

use super::{
    ConfigError, ConfigErrorKind as Kind,
    reader::{Reader, Section},
};
use crate::{
    access::{Access, Place},
    network::{ClientCertificate, Network, Proxy},
    resume::{MAX_NAME, Resume, ResumeFrom},
    rule::MAX_NAMES,
    sentence::{self, Sentence, WANTS_BOOLEAN, WANTS_CERTIFICATE, WANTS_RESUME},
};

/// The keys of `client_certificate`.
const CERTIFICATE: [&str; 2] = ["certificate", "key"];
/// The keys of `resume`.
const RESUME: [&str; 3] = ["query", "from", "event"];

/// The path that a text in `feeds.toml` of this folder means: from the home folder if it begins with `~/`.
pub fn path_in(folder: &Path, text: &str) -> PathBuf {
    let at_home = text.strip_prefix("~/").and_then(|rest| Some(env::home_dir()?.join(rest)));
    at_home.unwrap_or_else(|| folder.join(text))
}

/// A proxy as `feeds.toml` names it, or what is wrong with it; that quotes nothing, as it may hold a password.
pub fn proxy(text: &str) -> Result<Proxy, Sentence> {
    Proxy::parse(text).ok_or_else(|| sentence::PROXY_INVALID.into())
}

impl Reader<'_> {
    pub(super) fn network(&self, section: Section<'_>) -> Result<Network, ConfigError> {
        let proxy = match self.string(section, "proxy")? {
            None => Proxy::System,
            Some(text) => {
                proxy(text).map_err(|message| self.error_at(section, "proxy", Kind::InvalidValue, message))?
            }
        };
        let verify_certificate = match section.table.get("verify_certificate") {
            None => true,
            Some(item) => item
                .as_bool()
                .ok_or_else(|| self.wrong_type(section, "verify_certificate", item, WANTS_BOOLEAN))?,
        };
        Ok(Network {
            ca_file: self.file(section, "ca_file")?,
            client_certificate: self.client_certificate(section)?,
            verify_certificate,
            proxy,
        })
    }

    /// One file with both, or a table that names the two.
    fn client_certificate(&self, section: Section<'_>) -> Result<Option<ClientCertificate>, ConfigError> {
        const KEY: &str = "client_certificate";
        let Some(item) = section.table.get(KEY) else { return Ok(None) };
        if item.is_str() {
            let file = self.file(section, KEY)?;
            return Ok(file.map(|file| ClientCertificate { certificate: file.clone(), key: file }));
        }
        let Some(table) = item.as_table_like() else {
            return Err(self.wrong_type(section, KEY, item, WANTS_CERTIFICATE));
        };
        let section = Section { table, span: &item.span(), path: &format!("{}.{KEY}", section.path) };
        self.check_keys(table, section.path, &CERTIFICATE)?;
        self.required(section, "certificate", "certificate = \"client.pem\"")?;
        let Some(certificate) = self.file(section, "certificate")? else { return Ok(None) };
        let key = self.file(section, "key")?.unwrap_or_else(|| certificate.clone());
        Ok(Some(ClientCertificate { certificate, key }))
    }

    /// The path of a file: from the home folder if it begins with `~/`, from the folder of `feeds.toml` if it is relative.
    fn file(&self, section: Section<'_>, key: &str) -> Result<Option<PathBuf>, ConfigError> {
        let Some(text) = self.string(section, key)? else { return Ok(None) };
        if text.is_empty() || text.contains('\0') {
            return Err(self.error_at(section, key, Kind::InvalidValue, sentence::PATH_INVALID.into()));
        }
        Ok(Some(path_in(self.folder, text)))
    }

    /// What reconnects of a feed carry that gets in like this.
    pub(super) fn resume(&self, section: Section<'_>, access: &Access) -> Result<Resume, ConfigError> {
        const KEY: &str = "resume";
        match section.table.get(KEY) {
            None => Ok(Resume::Header),
            Some(item) => match item.as_str() {
                Some("header") => Ok(Resume::Header),
                Some("none") => Ok(Resume::None),
                Some(other) => {
                    let known = ["header", "none", "{ query = \"since\", from = \"data.id\" }"];
                    Err(self.no_choice(section, KEY, other, &known))
                }
                None => {
                    let resume = self.resume_by_query(section, item)?;
                    if let Resume::Query { name, .. } = &resume
                        && access.get(&Place::Query(name.clone())).is_some()
                    {
                        let message = sentence::RESUME_SECRET.with([("name", name.clone())]);
                        return Err(self.error_at(section, KEY, Kind::InvalidValue, message));
                    }
                    Ok(resume)
                }
            },
        }
    }

    fn resume_by_query(&self, section: Section<'_>, item: &Item) -> Result<Resume, ConfigError> {
        let Some(table) = item.as_table_like() else {
            return Err(self.wrong_type(section, "resume", item, WANTS_RESUME));
        };
        let section = Section { table, span: &item.span(), path: &format!("{}.resume", section.path) };
        self.check_keys(table, section.path, &RESUME)?;
        let name = self.required(section, "query", "query = \"since\"")?;
        if name.is_empty() || name.len() > MAX_NAME {
            let message = sentence::PARAMETER_INVALID.with([("most", MAX_NAME.to_string())]);
            return Err(self.error_at(section, "query", Kind::InvalidValue, message));
        }
        let from = self.required(section, "from", "from = \"data.id\"")?;
        let from = ResumeFrom::parse(from).ok_or_else(|| {
            let message = sentence::RESUME_FROM.with([("value", from.to_owned())]);
            self.error_at(section, "from", Kind::InvalidValue, message)
        })?;
        let events = self.events(section)?;
        if from == ResumeFrom::Id && !events.is_empty() {
            return Err(self.error_at(section, "event", Kind::InvalidValue, sentence::RESUME_EVENT.into()));
        }
        let message = match events.iter().find(|event| event.is_empty() || event.len() > MAX_NAME) {
            _ if events.len() > MAX_NAMES => sentence::TOO_MANY_NAMES.with([("most", MAX_NAMES.to_string())]),
            Some(event) if event.is_empty() => sentence::EVENT_EMPTY.into(),
            Some(_) => sentence::EVENT_TOO_LONG.with([("most", MAX_NAME.to_string())]),
            None => return Ok(Resume::Query { name: name.to_owned(), from, events }),
        };
        Err(self.error_at(section, "event", Kind::InvalidValue, message))
    }
}

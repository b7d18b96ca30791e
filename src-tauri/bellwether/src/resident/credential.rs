//! Setting a feed's credentials: the secret goes where it is kept, and `feeds.toml` says where that is.

use std::{
    fs, io,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use bellwether_control::wire::{self, ErrorCode};
use bellwether_engine::{
    access::{self, Credential, Credentials, KeyringFault, Place, Secret, Source, mask},
    config::{self, Config, edit::NewFeed},
    engine::FeedView,
    feed::{Feed, FeedId},
    network::{Network, Proxy},
};
use serde::de::DeserializeOwned;
use url::Url;

use super::{
    Resident,
    server::{Answer, Refusal, body, feed_id},
    wire as to_wire,
};
use crate::keyring::Keyring;

pub(super) async fn set(
    State(resident): State<Resident>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer<wire::Feed> {
    let edit: wire::CredentialEdit = serde_json::from_slice(&bytes)
        // Not with the reason, which quotes from the body.
        .map_err(|_| Refusal::new(ErrorCode::BadRequest, "the request's body is no credential"))?;
    let id = feed_id(&id)?;
    let place = place(&edit)?;
    let feed = resident.feed(&id).await?;
    let (before, after) = (feed.access.get(&place).cloned(), edit.secret);
    let source = match after {
        None => None,
        Some(secret) => {
            let planned = plan(&resident, &id, place.clone(), secret)?;
            store(&resident, &id, &planned).await?;
            Some(planned.source)
        }
    };
    let set = resident.engine.set_credential(id.clone(), place.clone(), source.clone()).await;
    let before = before.map(|known| known.source);
    match &set {
        // What was kept for it before is of no more use.
        Ok(_) if before != source => forget(&resident, &id, &place, before).await,
        // What was kept for it just now is of no use.
        Err(_) if before != source => forget(&resident, &id, &place, source).await,
        _ => {}
    }
    Ok(Json(to_wire::feed(&set?)))
}

/// Forgets the secrets of a feed that is removed. Those that could not be read back stay where they are: nobody could store them
/// again.
pub(super) async fn forget_recalled(resident: &Resident, feed: &FeedId, secrets: &[Recalled]) {
    for Recalled { place, source, .. } in secrets {
        forget(resident, feed, place, Some(source.clone())).await;
    }
}

/// A body that may hold a secret: what is wrong with one that names credentials is not quoted.
pub(super) fn secretive<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Refusal> {
    let names = bytes.windows(CREDENTIALS.len()).any(|part| part == CREDENTIALS);
    body(bytes).map_err(|refusal| match names {
        true => Refusal::new(ErrorCode::BadRequest, "the request's body is not what the route takes"),
        false => refusal,
    })
}

const CREDENTIALS: &[u8] = b"credentials";

/// Adds a feed with what lets it in. Secrets are stored first: if one cannot be, nothing is added, and nothing stays stored.
pub(super) async fn add_with(
    resident: &Resident,
    mut new: NewFeed,
    credentials: Vec<wire::CredentialEdit>,
) -> Result<FeedView, Refusal> {
    if credentials.is_empty() {
        return Ok(resident.engine.add_feed(new).await?);
    }
    let id = resident.engine.check_new_feed(new.clone()).await?;
    new.id = Some(id.to_string());
    let mut all = Vec::with_capacity(credentials.len());
    for edit in credentials {
        let place = place(&edit)?;
        let none = || Refusal::new(ErrorCode::InvalidValue, "a credential of a new feed names no secret");
        all.push(plan(resident, &id, place, edit.secret.ok_or_else(none)?)?);
    }
    let declared =
        |planned: &Planned| Credential { place: planned.place.clone(), source: planned.source.clone() };
    new.credentials = all.iter().map(declared).collect();
    resident.engine.check_new_feed(new.clone()).await?;
    let mut result = Ok(());
    for planned in &all {
        result = store(resident, &id, planned).await;
        if result.is_err() {
            break;
        }
    }
    let added = match result {
        Ok(()) => resident.engine.add_feed(new).await.map_err(Refusal::from),
        Err(refusal) => Err(refusal),
    };
    if added.is_err() {
        for planned in all {
            forget(resident, &id, &planned.place, Some(planned.source)).await;
        }
    }
    added
}

/// A secret that this program kept, read back before it is forgotten.
#[derive(Clone)]
pub(super) struct Recalled {
    place: Place,
    source: Source,
    secret: Secret,
}

/// How long a keyring may take to give back what is to be kept for a restore.
const RECALL: Duration = Duration::from_secs(3);

/// The secrets of a feed that are kept by this program. What cannot be read in time is not among them.
pub(super) async fn recall_all(resident: &Resident, feed: &Feed) -> Vec<Recalled> {
    let mut all = Vec::new();
    for Credential { place, source } in &feed.access.credentials {
        let (id, at) = (feed.id.clone(), place.clone());
        let secret = match source {
            Source::Keyring => recall(resident, id, at).await,
            Source::File(path) if *path == file_of(resident, &id, place) => {
                let path = path.clone();
                let text = apart(move || fs::read_to_string(path).ok()).await.ok().flatten();
                text.map(|text| Secret::new(text.trim_end_matches('\n')))
            }
            _ => None,
        };
        all.extend(secret.map(|secret| Recalled { place: place.clone(), source: source.clone(), secret }));
    }
    all
}

async fn recall(resident: &Resident, feed: FeedId, place: Place) -> Option<Secret> {
    let keyring = Keyring::of(&resident.profile);
    let read = apart(move || access::Keyring::read(&keyring, &feed, &place).ok());
    tokio::time::timeout(RECALL, read).await.ok().and_then(Result::ok).flatten()
}

/// Whether the keyring has a secret for this place of a feed.
pub(super) async fn is_in_keyring(resident: &Resident, feed: &FeedId, place: &Place) -> bool {
    recall(resident, feed.clone(), place.clone()).await.is_some()
}

/// Stores secrets again that were forgotten with their feed.
pub(super) async fn put_back(resident: &Resident, feed: &Feed, secrets: &[Recalled]) -> Result<(), Refusal> {
    for Recalled { place, source, secret } in secrets {
        let planned = Planned { place: place.clone(), source: source.clone(), secret: Some(secret.clone()) };
        if let Err(refusal) = store(resident, &feed.id, &planned).await {
            forget_recalled(resident, &feed.id, secrets).await;
            return Err(refusal);
        }
    }
    Ok(())
}

/// What a probe is to connect to, with what and by which way: those of the feed that is named, or that has this URL, and what
/// the wish itself brings.
pub(super) async fn for_probe(
    resident: &Resident,
    wish: wire::ProbeWish,
) -> Result<(String, Credentials, Network), Refusal> {
    let feeds = resident.engine.feeds().await?.into_iter().map(|view| view.feed).collect();
    let feed = match &wish.feed {
        Some(id) => Some(resident.feed(&feed_id(id)?).await?),
        None => Config { feeds, ..Config::default() }.feed_of(&wish.url).cloned(),
    };
    let (mut url, mut network) = (wish.url.clone(), Network::default());
    let mut credentials = Credentials::default();
    if let Some(feed) = feed {
        url = mask::unmasked(wish.url.trim(), feed.url.as_str()).unwrap_or(url);
        // Another origin is none of the feed's.
        if Url::parse(&url).is_ok_and(|url| url.origin() == feed.url.origin()) {
            credentials.access = feed.access.clone();
            credentials.feed = Some(feed.id.clone());
            credentials.keyring = Arc::new(Keyring::of(&resident.profile));
            network = feed.network.clone();
        }
    }
    credentials.access.plain_http |= wish.plain_http;
    tried(&mut credentials, wish.credentials)?;
    if let Some(text) = &wish.proxy {
        let old = match &network.proxy {
            Proxy::Url(url) => url.as_str(),
            _ => "",
        };
        let text = mask::unmasked(text.trim(), old).unwrap_or_default();
        network.proxy = config::proxy(&text).map_err(|message| to_wire::invalid(&message))?;
    }
    if let Some(path) = wish.ca_file.as_deref() {
        let folder = resident.profile.config_file.parent().unwrap_or(FilePath::new(""));
        network.ca_file = (!path.is_empty()).then(|| config::path_in(folder, path));
    }
    network.verify_certificate = wish.verify_certificate.unwrap_or(network.verify_certificate);
    Ok((url, credentials, network))
}

/// Credentials that are tried and not kept: those at the same places are left out for them.
fn tried(credentials: &mut Credentials, edits: Vec<wire::CredentialEdit>) -> Result<(), Refusal> {
    let mut given = Vec::new();
    for edit in edits {
        let place = place(&edit)?;
        let known = &mut credentials.access.credentials;
        known.retain(|known| !known.place.is_same(&place));
        let source = match edit.secret {
            None => continue,
            Some(wire::NewSecret::Env(name)) => Source::Variable(name),
            Some(wire::NewSecret::Command(words)) => Source::Command(words),
            Some(wire::NewSecret::Keyring(text) | wire::NewSecret::File(text)) => {
                given.push((place.clone(), fitting(&place, text)?));
                Source::Keyring
            }
        };
        config::check_source(&source).map_err(|message| to_wire::invalid(&message))?;
        known.push(Credential { place, source });
    }
    if credentials.access.credentials.len() > access::MAX_CREDENTIALS {
        return Err(Refusal::new(ErrorCode::InvalidValue, "too many credentials"));
    }
    if !given.is_empty() {
        let kept = Arc::clone(&credentials.keyring);
        credentials.keyring = Arc::new(Tried { given, kept });
        // Where secrets are kept, and these as well, they are asked for by a feed.
        credentials.feed = credentials.feed.take().or_else(|| FeedId::new("probe"));
    }
    Ok(())
}

/// The keyring with secrets in it that it does not have.
struct Tried {
    given: Vec<(Place, Secret)>,
    kept: Arc<dyn access::Keyring>,
}

impl access::Keyring for Tried {
    fn read(&self, feed: &FeedId, place: &Place) -> Result<Secret, KeyringFault> {
        match self.given.iter().find(|(known, _)| known.is_same(place)) {
            Some((_, secret)) => Ok(secret.clone()),
            None => self.kept.read(feed, place),
        }
    }
}

fn place(edit: &wire::CredentialEdit) -> Result<Place, Refusal> {
    let name = edit.name.as_str();
    let place = match edit.kind {
        wire::CredentialKind::Bearer => Ok(Place::Bearer),
        wire::CredentialKind::Basic => {
            config::check_user(name).map(|()| Place::Basic { user: name.to_owned() })
        }
        wire::CredentialKind::Header => config::header(name).map(Place::Header),
        wire::CredentialKind::Query => config::parameter(name).map(Place::Query),
        wire::CredentialKind::Cookie => config::cookie(name).map(Place::Cookie),
    };
    place.map_err(|message| to_wire::invalid(&message))
}

/// A credential as it is to be declared, with the secret that has to be stored for it.
struct Planned {
    place: Place,
    source: Source,
    secret: Option<Secret>,
}

/// Where a secret is to be, if it can be there.
fn plan(
    resident: &Resident,
    feed: &FeedId,
    place: Place,
    secret: wire::NewSecret,
) -> Result<Planned, Refusal> {
    let (source, secret) = match secret {
        wire::NewSecret::Env(name) => (Source::Variable(name), None),
        wire::NewSecret::Command(words) => (Source::Command(words), None),
        wire::NewSecret::Keyring(text) => (Source::Keyring, Some(fitting(&place, text)?)),
        wire::NewSecret::File(text) => {
            (Source::File(file_of(resident, feed, &place)), Some(fitting(&place, text)?))
        }
    };
    config::check_source(&source).map_err(|message| to_wire::invalid(&message))?;
    Ok(Planned { place, source, secret })
}

/// Stores the secret where it is to be, if it is for this program to store.
async fn store(resident: &Resident, feed: &FeedId, planned: &Planned) -> Result<(), Refusal> {
    let Planned { place, source, secret } = planned;
    let Some(secret) = secret.clone() else { return Ok(()) };
    match source {
        Source::Keyring => {
            let (keyring, feed, place) = (Keyring::of(&resident.profile), feed.clone(), place.clone());
            let stored = apart(move || keyring.store(&feed, &place, &secret)).await?;
            stored.map_err(|cause| no_keyring(&cause))
        }
        Source::File(path) => {
            let target = path.clone();
            let written = apart(move || write(&target, &secret)).await?;
            written.map_err(|error| {
                let message = format!("cannot write {}: {error}", path.display());
                Refusal::new(ErrorCode::CannotWrite, message)
            })
        }
        Source::Variable(_) | Source::Command(_) => Ok(()),
    }
}

fn fitting(place: &Place, text: String) -> Result<Secret, Refusal> {
    let secret = Secret::new(text);
    if place.takes(&secret) {
        return Ok(secret);
    }
    let message =
        "the secret is empty, too long, or has a line break or another character that cannot be sent";
    Err(Refusal::new(ErrorCode::InvalidValue, message))
}

fn no_keyring(cause: &str) -> Refusal {
    let message = format!(
        "the keyring cannot be used ({cause}); nothing was stored: choose an environment variable, a command or a file instead"
    );
    Refusal(wire::Error {
        code: ErrorCode::NoKeyring,
        message,
        detail: cause.to_owned(),
        sentence: None,
        place: None,
    })
}

/// Forgets a secret that was kept by this program; best effort, as nobody waits for it.
async fn forget(resident: &Resident, feed: &FeedId, place: &Place, source: Option<Source>) {
    let (feed, place) = (feed.clone(), place.clone());
    match source {
        Some(Source::Keyring) => {
            let keyring = Keyring::of(&resident.profile);
            let _ = apart(move || keyring.forget(&feed, &place)).await;
        }
        Some(Source::File(path)) if path == file_of(resident, &feed, &place) => {
            let _ = apart(move || fs::remove_file(path)).await;
        }
        _ => {}
    }
}

/// The file that this program keeps a secret in: `secrets/FEED.PLACE` beside `feeds.toml`.
fn file_of(resident: &Resident, feed: &FeedId, place: &Place) -> PathBuf {
    let name = if matches!(place, Place::Basic { .. }) { "" } else { place.name() };
    let mut file = format!("{feed}.{}", place.kind());
    for (at, byte) in name.bytes().enumerate() {
        file += if at == 0 { "." } else { "" };
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            file.push(char::from(byte));
        } else {
            file += &format!("_{byte:02x}");
        }
    }
    resident.profile.config_file.with_file_name("secrets").join(file)
}

/// Puts a file that only its owner can read in the place of an older one.
fn write(path: &FilePath, secret: &Secret) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("no folder"))?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)?;
    // A temporary file has mode 0600.
    let mut file = tempfile::Builder::new().prefix(".secret").tempfile_in(folder)?;
    io::Write::write_all(&mut file, format!("{}\n", secret.reveal()).as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Does the work on a thread that may wait for a keyring or a disk.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Refusal::internal(io::Error::other(error)))
}

//! Setting a feed's credentials: the secret goes where it is kept, and `feeds.toml` says where that is.

use std::{
    fs, io,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use bellwether_control::wire::{self, ErrorCode};
use bellwether_engine::{
    access::{Access, Credentials, Place, Secret, Source, mask},
    config::{self, Config},
    feed::{Feed, FeedId},
    network::Network,
};
use url::Url;

use super::{
    Resident,
    server::{Answer, Refusal, feed_id},
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
        Some(secret) => Some(keep(&resident, &id, &place, secret).await?),
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

/// Forgets the secrets of a feed that is removed, as far as they were kept by this program.
pub(super) async fn forget_all(resident: &Resident, feed: &Feed) {
    for known in &feed.access.credentials {
        forget(resident, &feed.id, &known.place, Some(known.source.clone())).await;
    }
}

/// What a probe is to connect to, with what and by which way: those of the feed that is named, or that has this URL.
pub(super) async fn for_probe(
    resident: &Resident,
    wish: &wire::ProbeWish,
) -> Result<(String, Credentials, Network), Refusal> {
    let feeds = resident.engine.feeds().await?.into_iter().map(|view| view.feed).collect();
    let feed = match &wish.feed {
        Some(id) => Some(resident.feed(&feed_id(id)?).await?),
        None => Config { feeds, ..Config::default() }.feed_of(&wish.url).cloned(),
    };
    let mut credentials = Credentials::default();
    credentials.access.plain_http = wish.plain_http;
    let Some(feed) = feed else { return Ok((wish.url.clone(), credentials, Network::default())) };
    let url = mask::unmasked(wish.url.trim(), feed.url.as_str()).unwrap_or_else(|| wish.url.clone());
    // Another origin is none of the feed's.
    if Url::parse(&url).is_ok_and(|url| url.origin() == feed.url.origin()) {
        let keyring = Arc::new(Keyring::of(&resident.profile));
        let plain_http = feed.access.plain_http || wish.plain_http;
        let access = Access { plain_http, ..feed.access.clone() };
        credentials = Credentials { access, feed: Some(feed.id.clone()), keyring };
        return Ok((url, credentials, feed.network.clone()));
    }
    Ok((url, credentials, Network::default()))
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

/// Keeps a secret, and says where it is then.
async fn keep(
    resident: &Resident,
    feed: &FeedId,
    place: &Place,
    secret: wire::NewSecret,
) -> Result<Source, Refusal> {
    let source = match secret {
        wire::NewSecret::Env(name) => Source::Variable(name),
        wire::NewSecret::Command(words) => Source::Command(words),
        wire::NewSecret::Keyring(text) => {
            let (secret, keyring) = (fitting(place, text)?, Keyring::of(&resident.profile));
            let (feed, place) = (feed.clone(), place.clone());
            let stored = apart(move || keyring.store(&feed, &place, &secret)).await?;
            stored.map_err(|cause| no_keyring(&cause))?;
            Source::Keyring
        }
        wire::NewSecret::File(text) => {
            let (secret, path) = (fitting(place, text)?, file_of(resident, feed, place));
            let target = path.clone();
            let written = apart(move || write(&target, &secret)).await?;
            written.map_err(|error| {
                let message = format!("cannot write {}: {error}", path.display());
                Refusal::new(ErrorCode::CannotWrite, message)
            })?;
            Source::File(path)
        }
    };
    config::check_source(&source).map_err(|message| to_wire::invalid(&message))?;
    Ok(source)
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

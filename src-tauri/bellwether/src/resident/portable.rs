//! `POST /export` and `POST /import`: all settings, and if wanted all events, from one machine to another.

use std::{
    fs::{self, File},
    io::{self, BufReader, Seek, Write},
    path::{Path, PathBuf},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    routing::post,
};
use bellwether_control::wire::{self, ErrorCode};
use bellwether_engine::{
    access::Source,
    config::{
        Config, ConfigFile,
        edit::{is_masked, set_paused},
    },
    engine::Import,
    event_log::{Importing, PIECE, PortableEvent},
    feed::Feed,
};
use futures_util::StreamExt;
use jiff::Zoned;
use tempfile::NamedTempFile;
use tokio::sync::Semaphore;

use super::{
    Resident, credential,
    log::{cannot_write, export_turn},
    reading,
    server::{Answer, Refusal, body, to_the_end},
};
use crate::portable::{self, ExportError, Head, ImportError, Lines};

/// Largest file that is taken, in bytes.
const MAX_FILE: u64 = 16 << 30;
/// So much of it is written at once.
const GATHERED: usize = 1 << 20;
/// Up to here no one looks whether the disk has room.
const MAX_UNLOOKED: u64 = 64 << 20;
/// So much room stays on the disk for what feeds send meanwhile.
const SPARE: u64 = 256 << 20;
/// What the names of files on their way in begin with.
const SPOOLED: &str = ".import";
/// About how much data goes to the engine at once, in bytes.
const MAX_PIECE: usize = 4 << 20;

pub(super) fn routes() -> Router<Resident> {
    Router::new().route("/export", post(export)).route("/import", post(import))
}

async fn export(State(resident): State<Resident>, bytes: Bytes) -> Answer<wire::Exported> {
    let wish: wire::Export = if bytes.is_empty() { wire::Export::default() } else { body(&bytes)? };
    let config = ConfigFile::new(resident.profile.config_file.clone());
    let (log, exports) = (resident.engine.log().clone(), resident.exports.clone());
    let autostart = resident.autostart.clone();
    let turn = export_turn().await?;
    let written = reading::read(move || {
        let _turn = turn;
        let stem = Zoned::now().strftime("bellwether-%Y-%m-%d-%H%M").to_string();
        let mut file = exports.create(&stem, "jsonl").map_err(cannot_write)?;
        let written = portable::write(&config, Some(&log), autostart.is_enabled(), wish.events, &mut file);
        let events = written.map_err(|error| match error {
            ExportError::Config(error) => error.into(),
            ExportError::Log(error) => error.into(),
            ExportError::Io(error) => cannot_write(error),
        })?;
        file.finish(events).map_err(cannot_write)
    });
    Ok(Json(written.await.map_err(Refusal::internal)??))
}

impl From<ImportError> for Refusal {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Foreign { .. } => {
                let detail = error.to_string();
                let message = format!("this is no export that can be taken: {detail}; nothing was changed");
                Self(wire::Error { detail, ..Self::new(ErrorCode::NotAnExport, message).0 })
            }
            ImportError::Io(error) => Self::internal(error),
        }
    }
}

async fn import(State(resident): State<Resident>, body: Body) -> Answer<wire::Imported> {
    let file = spooled(&resident, body).await?;
    Ok(Json(to_the_end(imported(resident, file)).await?))
}

/// One import at a time.
static IMPORTS: Semaphore = Semaphore::const_new(1);

async fn imported(resident: Resident, file: NamedTempFile) -> Result<wire::Imported, Refusal> {
    // Nobody closes it.
    let _turn = IMPORTS.acquire().await.map_err(|error| Refusal::internal(io::Error::other(error)))?;
    let config_file = ConfigFile::new(resident.profile.config_file.clone());
    let check = move || {
        let (head, config) = checked(&file, &config_file)?;
        Ok::<_, Refusal>((file, head, config))
    };
    let (file, head, config) = reading::read(check).await.map_err(Refusal::internal)??;
    let missing_secrets = missing_secrets(&resident, &config).await;
    let mut events = 0;
    if let Err(Refusal(mut error)) = put_in(&resident, file, head, &mut events).await {
        if events > 0 {
            // They are there, and are to be seen.
            let _ = resident.engine.import_events(Vec::new(), Importing::default()).await;
            error.message += &format!(
                "; {events} events were imported before that: import the file again, and none comes twice"
            );
        }
        return Err(Refusal(error));
    }
    let feeds = config.feeds.len().try_into().unwrap_or(u32::MAX);
    Ok(wire::Imported { feeds, events, missing_secrets })
}

/// Events first: feeds that are connected by then go on behind them. Those that came count as `events`, whatever happens then.
async fn put_in(
    resident: &Resident,
    file: NamedTempFile,
    head: Head,
    events: &mut u64,
) -> Result<(), Refusal> {
    import_events(resident, file, events).await?;
    let Head { config: text, settings, feeds, .. } = head;
    let kept = settings.kept.into_iter().collect();
    resident.engine.import(Import { config: text, feeds, settings: kept }).await?;
    if let Some(language) = settings.language {
        resident.set_language(language).await?;
    }
    if let Some(theme) = settings.theme {
        resident.set_theme(theme).await?;
    }
    if settings.autostart {
        let autostart = resident.autostart.clone();
        // What a machine does not have is no reason to refuse all else.
        let _ = reading::read(move || autostart.set(true)).await;
    }
    Ok(())
}

/// The request's body, in a file beside the log that only this user can read and that has no name for long.
async fn spooled(resident: &Resident, body: Body) -> Result<NamedTempFile, Refusal> {
    let folder = folder_of(resident);
    let make = move || tempfile::Builder::new().prefix(SPOOLED).tempfile_in(folder);
    let mut file = reading::read(make).await.map_err(Refusal::internal)?.map_err(cannot_spool)?;
    let mut stream = body.into_data_stream();
    let (mut gathered, mut size) = (Vec::new(), 0);
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| Refusal::new(ErrorCode::BadRequest, error.to_string()))?;
        size += part.len() as u64;
        if size > MAX_FILE {
            let message = format!("the file is larger than {} GiB", MAX_FILE >> 30);
            return Err(Refusal::new(ErrorCode::NotAnExport, message));
        }
        gathered.extend_from_slice(&part);
        if gathered.len() >= GATHERED {
            file = spool(file, std::mem::take(&mut gathered), size).await?;
        }
    }
    spool(file, gathered, size).await
}

/// Writes on another thread, as long as the disk has room for what came so far to go into the log as well.
async fn spool(mut file: NamedTempFile, bytes: Vec<u8>, size: u64) -> Result<NamedTempFile, Refusal> {
    let write = move || {
        if size > MAX_UNLOOKED && !has_room(file.path(), size.saturating_add(SPARE)) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        file.write_all(&bytes)?;
        Ok(file)
    };
    reading::read(write).await.map_err(Refusal::internal)?.map_err(cannot_spool)
}

/// Whether the disk of this file has so many bytes left, as far as the system tells.
fn has_room(path: &Path, bytes: u64) -> bool {
    #[cfg(unix)]
    return rustix::fs::statvfs(path)
        .map_or(true, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= bytes);
    #[cfg(not(unix))]
    true
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn cannot_spool(error: io::Error) -> Refusal {
    let detail = error.to_string();
    let message = format!(
        "the file cannot be taken in beside the event log: {detail}; nothing was changed: make room there, or see who may write"
    );
    Refusal(wire::Error { detail, ..Refusal::new(ErrorCode::CannotWrite, message).0 })
}

fn folder_of(resident: &Resident) -> PathBuf {
    resident.profile.event_log.parent().map_or_else(std::env::temp_dir, PathBuf::from)
}

/// Removes what a program that was killed amid an import left beside the log.
pub(super) fn clean(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let left = entry.file_name().to_str().is_some_and(|name| name.starts_with(SPOOLED));
        if left && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn beginning(file: &NamedTempFile) -> io::Result<BufReader<File>> {
    let mut file = file.reopen()?;
    file.rewind()?;
    Ok(BufReader::with_capacity(64 * 1024, file))
}

/// Reads the whole file, before anything is changed. Feeds whose URLs lack their secrets are paused.
fn checked(file: &NamedTempFile, config_file: &ConfigFile) -> Result<(Head, Config), Refusal> {
    let (mut lines, mut head) = Lines::open(beginning(file).map_err(Refusal::internal)?)?;
    let config = config_file.parse(&head.config)?;
    while lines.event()?.is_some() {}
    for feed in config.feeds.iter().filter(|feed| is_masked(feed)) {
        head.config = set_paused(&head.config, &feed.id, true)?;
    }
    Ok((head, config))
}

async fn import_events(resident: &Resident, file: NamedTempFile, count: &mut u64) -> Result<(), Refusal> {
    let open = move || Ok::<_, Refusal>(Lines::open(beginning(&file).map_err(Refusal::internal)?)?.0);
    let mut lines = Some(reading::read(open).await.map_err(Refusal::internal)??);
    let mut importing = Importing::default();
    while let Some(mut rest) = lines.take() {
        let read = move || next_piece(&mut rest).map(|piece| (piece, rest));
        let (piece, rest) = reading::read(read).await.map_err(Refusal::internal)??;
        if piece.is_empty() {
            break;
        }
        lines = Some(rest);
        let imported = resident.engine.import_events(piece, importing).await?;
        *count += imported.events;
        importing = imported.importing;
    }
    Ok(())
}

fn next_piece(lines: &mut Lines<BufReader<File>>) -> Result<Vec<PortableEvent>, ImportError> {
    let (mut piece, mut bytes) = (Vec::new(), 0);
    while piece.len() < PIECE && bytes < MAX_PIECE {
        let Some(event) = lines.event()? else { break };
        bytes += event.data.len() + event.body.len();
        piece.push(event);
    }
    Ok(piece)
}

/// The feeds that want a secret which is not on this machine.
async fn missing_secrets(resident: &Resident, config: &Config) -> Vec<String> {
    let mut missing = Vec::new();
    for feed in &config.feeds {
        if is_masked(feed) || wants_secret(resident, feed).await {
            missing.push(feed.id.to_string());
        }
    }
    missing
}

async fn wants_secret(resident: &Resident, feed: &Feed) -> bool {
    for known in &feed.access.credentials {
        let there = match &known.source {
            Source::Variable(name) => std::env::var_os(name).is_some(),
            Source::File(path) => {
                let path = path.clone();
                path.starts_with("~") || reading::read(move || path.exists()).await.unwrap_or(true)
            }
            // It may ask for something: it is tried when the feed connects.
            Source::Command(_) => true,
            Source::Keyring => credential::is_in_keyring(resident, &feed.id, &known.place).await,
        };
        if !there {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_import_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".importAb3", "events.db", "x.import"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        clean(folder.path());
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["events.db", "x.import"]);
        clean(&folder.path().join("none"));
    }

    #[cfg(unix)]
    #[test]
    fn a_disk_has_room_for_little_but_not_for_all() {
        let folder = tempfile::tempdir().unwrap();
        assert!(has_room(folder.path(), 0) && !has_room(folder.path(), u64::MAX));
    }
}

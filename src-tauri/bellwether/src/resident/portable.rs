//! `POST /export` and `POST /import`: all settings, and if wanted all events, from one machine to another.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, BufReader, Seek, Write},
    path::PathBuf,
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
    event_log::{PIECE, PortableEvent},
    feed::Feed,
};
use futures_util::StreamExt;
use jiff::Zoned;
use tempfile::NamedTempFile;

use super::{
    Resident, credential,
    log::cannot_write,
    reading,
    server::{Answer, Refusal, body},
};
use crate::portable::{self, ExportError, Head, ImportError, Lines};

/// Largest file that is taken, in bytes.
const MAX_FILE: u64 = 256 << 20;
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
    let written = reading::read(move || {
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
    let config_file = ConfigFile::new(resident.profile.config_file.clone());
    let check = move || {
        let (head, config) = checked(&file, &config_file)?;
        Ok::<_, Refusal>((file, head, config))
    };
    let (file, head, config) = reading::read(check).await.map_err(Refusal::internal)??;
    let missing = missing_secrets(&resident, &config).await;
    let config_file = resident.profile.config_file.clone();
    reading::read(move || keep(&config_file)).await.map_err(Refusal::internal)?.map_err(cannot_write)?;

    let events = import_events(&resident, file).await?;
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
    Ok(Json(wire::Imported {
        feeds: config.feeds.len().try_into().unwrap_or(u32::MAX),
        events,
        missing_secrets: missing,
    }))
}

/// The request's body, in a file beside the log that only this user can read and that has no name for long.
async fn spooled(resident: &Resident, body: Body) -> Result<NamedTempFile, Refusal> {
    let folder = resident.profile.event_log.parent().map_or_else(std::env::temp_dir, PathBuf::from);
    let mut file = tempfile::Builder::new().prefix(".import").tempfile_in(folder).map_err(cannot_write)?;
    let mut stream = body.into_data_stream();
    let mut size = 0;
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| Refusal::new(ErrorCode::BadRequest, error.to_string()))?;
        size += part.len() as u64;
        if size > MAX_FILE {
            let message = format!("the file is larger than {} MiB", MAX_FILE >> 20);
            return Err(Refusal::new(ErrorCode::NotAnExport, message));
        }
        file.write_all(&part).map_err(cannot_write)?;
    }
    Ok(file)
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

/// Keeps `feeds.toml` as it is beside itself; earlier ones that were kept stay.
fn keep(config_file: &std::path::Path) -> io::Result<()> {
    let text = match fs::read(config_file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let folder = config_file.parent().map_or_else(PathBuf::new, PathBuf::from);
    let mut kept = tempfile::Builder::new().prefix(".feeds.toml.").tempfile_in(folder)?;
    kept.write_all(&text)?;
    kept.as_file().sync_all()?;
    for number in 1_u32.. {
        let mut name = config_file.as_os_str().to_owned();
        name.push(".before-import");
        if number > 1 {
            name.push(format!(".{number}"));
        }
        match kept.persist_noclobber(PathBuf::from(name)) {
            Ok(_) => break,
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => kept = error.file,
            Err(error) => return Err(error.error),
        }
    }
    Ok(())
}

async fn import_events(resident: &Resident, file: NamedTempFile) -> Result<u64, Refusal> {
    let mut lines = Some(Lines::open(beginning(&file).map_err(Refusal::internal)?)?.0);
    let (mut count, mut summaries) = (0, HashMap::new());
    while let Some(mut rest) = lines.take() {
        let read = move || next_piece(&mut rest).map(|piece| (piece, rest));
        let (piece, rest) = reading::read(read).await.map_err(Refusal::internal)??;
        if piece.is_empty() {
            break;
        }
        lines = Some(rest);
        let imported = resident.engine.import_events(piece, summaries).await?;
        count += imported.events;
        summaries = imported.summaries;
    }
    Ok(count)
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
            Source::File(path) => path.starts_with("~") || path.exists(),
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

//! `bellwether export` and `bellwether import`: all settings, and if wanted all events, as a file.

use std::{
    fs,
    io::{self, BufWriter, Read},
    path::Path,
};

use bellwether_control::{client::Client, messages::Catalogue, paths::Profile};
use bellwether_engine::{config::ConfigFile, event_log::LogReader};
use tempfile::NamedTempFile;

use super::{Failure, output::Output};
use crate::{
    portable::{self, ExportError},
    resident::autostart::Autostart,
};

/// Writes the profile's own files to another one; needs no resident program.
pub(super) fn export(
    path: &Path,
    events: bool,
    profile: &Profile,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    let config = ConfigFile::new(&profile.config_file);
    let log = profile.event_log.exists().then(|| LogReader::new(&profile.event_log));
    let autostart = Autostart::of(profile).is_enabled();
    let shown = path.display().to_string();
    let failed = |error: ExportError| match error {
        ExportError::Config(error) => {
            Failure::Said(catalogue.sentence(&crate::resident::sentence(&error.message)))
        }
        ExportError::Log(error) => {
            Failure::Said(catalogue.sentence(&crate::resident::sentence(&error.sentence())))
        }
        ExportError::Io(error) => {
            let exists = error.kind() == io::ErrorKind::AlreadyExists;
            let key = if exists { "cli.events.export_exists" } else { "cli.export.failed" };
            Failure::Said(catalogue.format(key, &[("path", &shown), ("reason", &error.to_string())]))
        }
    };
    if path.as_os_str() == "-" {
        let mut text = Vec::new();
        portable::write(&config, log.as_ref(), autostart, events, &mut text).map_err(failed)?;
        return Ok(output.file_text(&String::from_utf8_lossy(&text))?);
    }
    if path.symlink_metadata().is_ok() {
        return Err(failed(io::Error::from(io::ErrorKind::AlreadyExists).into()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = BufWriter::new(NamedTempFile::new_in(folder).map_err(|error| failed(error.into()))?);
    let count = portable::write(&config, log.as_ref(), autostart, events, &mut file).map_err(failed)?;
    let file = file.into_inner().map_err(|error| failed(error.into_error().into()))?;
    file.persist_noclobber(path).map_err(|error| failed(error.error.into()))?;
    let values = [("count", &*count.to_string()), ("path", &*shown)];
    Ok(output.line([catalogue.format("cli.export.done", &values)])?)
}

/// Gives the file to the resident program.
pub(super) async fn import(
    path: &Path,
    client: &Client,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let shown = path.display().to_string();
        let values = [("path", shown.as_str()), ("reason", &error.to_string())];
        Failure::Said(catalogue.format("cli.import.unreadable", &values))
    };
    let mut bytes = Vec::new();
    match path.as_os_str() == "-" {
        true => io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?,
        false => fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(failed)?,
    };
    let imported = client.import(bytes).await?;
    let values = [("feeds", &*imported.feeds.to_string()), ("events", &*imported.events.to_string())];
    output.line([catalogue.format("cli.import.done", &values)])?;
    if !imported.missing_secrets.is_empty() {
        let values = [("feeds", &*imported.missing_secrets.join(", "))];
        output.line([catalogue.format("cli.import.missing_secrets", &values)])?;
    }
    Ok(())
}

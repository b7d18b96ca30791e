//! `bellwether events export`: events as a file, or on standard output.

use std::{
    io::{self, BufWriter, Write},
    path::Path,
};

use bellwether_control::{client::Client, messages::Catalogue, wire};
use tempfile::NamedTempFile;

use super::{pages, query};
use crate::{
    args::ExportArgs,
    cli::{Failure, output::Output},
    logged::{self, Logged},
};

pub(super) async fn run(
    args: &ExportArgs,
    client: &Client,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    let format = args.format.on_the_wire();
    let query = query(&args.filter);
    let path = match args.file.as_deref() {
        None => return to_output(client, query, format, output).await,
        Some(path) if path.as_os_str() == "-" => return to_output(client, query, format, output).await,
        Some(path) => path,
    };
    let shown = path.display().to_string();
    let failed = |error: &io::Error| {
        let exists = error.kind() == io::ErrorKind::AlreadyExists;
        let key = if exists { "cli.events.export_exists" } else { "cli.events.export_failed" };
        Failure::Said(catalogue.format(key, &[("path", &shown), ("reason", &error.to_string())]))
    };
    // Another file of this name stays; that is said before anything is asked for.
    if path.symlink_metadata().is_ok() {
        return Err(failed(&io::ErrorKind::AlreadyExists.into()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = BufWriter::new(NamedTempFile::new_in(folder).map_err(|error| failed(&error))?);
    let mut count = 0_u64;
    file.write_all(logged::head(format).as_bytes()).map_err(|error| failed(&error))?;
    pages(client, query, u64::MAX, |events| {
        count += events.len() as u64;
        let mut lines = events.iter().map(|event| Logged::from(event).line(format));
        lines.try_for_each(|line| file.write_all(line.as_bytes())).map_err(|error| failed(&error))
    })
    .await?;
    let file = file.into_inner().map_err(|error| failed(error.error()))?;
    file.persist_noclobber(path).map_err(|error| failed(&error.error))?;
    let text = catalogue.format("cli.events.exported", &[("count", &count.to_string()), ("path", &shown)]);
    Ok(output.line([text])?)
}

async fn to_output(
    client: &Client,
    query: wire::EventQuery,
    format: wire::ExportFormat,
    output: &mut Output,
) -> Result<(), Failure> {
    output.file_text(logged::head(format))?;
    pages(client, query, u64::MAX, |events| {
        for event in &events {
            let event = Logged::from(event);
            match format {
                wire::ExportFormat::Jsonl => output.json_line("", &event, "")?,
                wire::ExportFormat::Csv => output.file_text(&event.line(format))?,
            }
        }
        Ok(())
    })
    .await
}

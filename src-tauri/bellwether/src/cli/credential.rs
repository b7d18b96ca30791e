//! `bellwether feeds credential`: a secret goes from standard input to the resident program, which keeps it. It is never an
//! argument, as all can see those, and never shown.

use std::io::{self, IsTerminal, Read};

use bellwether_control::{
    client::{Client, ClientError},
    messages::Catalogue,
    wire,
};

use super::{Failure, output::Output};
use crate::args::{CredentialArgs, CredentialKind, SourceArgs};

/// Longest secret that is read, in bytes; longer ones are refused by the resident program.
const MAX_SECRET: u64 = 64 << 10;

pub(super) async fn run(
    args: &CredentialArgs,
    json: bool,
    client: &Client,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    let edit = wire::CredentialEdit {
        kind: match args.kind {
            CredentialKind::Bearer => wire::CredentialKind::Bearer,
            CredentialKind::Basic => wire::CredentialKind::Basic,
            CredentialKind::Header => wire::CredentialKind::Header,
            CredentialKind::Query => wire::CredentialKind::Query,
            CredentialKind::Cookie => wire::CredentialKind::Cookie,
        },
        name: args.name.clone().unwrap_or_default(),
        secret: secret(&args.source, catalogue)?,
    };
    let feed = match client.set_credential(&args.id, &edit).await {
        Err(ClientError::Refused(error)) if error.code == wire::ErrorCode::NoKeyring => {
            return Err(Failure::Said(
                catalogue.format("cli.credential.no_keyring", &[("reason", &error.detail)]),
            ));
        }
        answer => answer?,
    };
    if json {
        return Ok(output.json(&feed)?);
    }
    let now = feed.credentials.iter().find(|known| known.kind == edit.kind && is_named(known, &edit));
    let id = feed.id.as_str();
    let line = match now {
        None => catalogue.format("cli.credential.removed", &[("id", id)]),
        Some(known) if args.source.file => {
            catalogue.format("cli.credential.in_file", &[("id", id), ("path", &known.detail)])
        }
        Some(known) if known.detail.is_empty() => {
            catalogue.format("cli.credential.in_keyring", &[("id", id)])
        }
        Some(known) => {
            let source = format!("{} {}", known.source, known.detail);
            catalogue.format("cli.credential.from_source", &[("id", id), ("source", &source)])
        }
    };
    Ok(output.line([line])?)
}

/// Names of headers are the same in upper and lower case.
fn is_named(known: &wire::Credential, edit: &wire::CredentialEdit) -> bool {
    known.kind == wire::CredentialKind::Basic || known.name.eq_ignore_ascii_case(&edit.name)
}

fn secret(source: &SourceArgs, catalogue: &Catalogue) -> Result<Option<wire::NewSecret>, Failure> {
    Ok(match source {
        SourceArgs { remove: true, .. } => None,
        SourceArgs { env: Some(name), .. } => Some(wire::NewSecret::Env(name.clone())),
        SourceArgs { command: Some(words), .. } => Some(wire::NewSecret::Command(words.clone())),
        SourceArgs { file: true, .. } => Some(wire::NewSecret::File(read(catalogue)?)),
        _ => Some(wire::NewSecret::Keyring(read(catalogue)?)),
    })
}

/// Asks for the secret without showing it, or takes the first line of what comes through a pipe.
fn read(catalogue: &Catalogue) -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(catalogue.text("cli.credential.prompt"))?);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_SECRET).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

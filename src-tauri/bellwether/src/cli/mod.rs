//! The command line: a client of the resident program's control socket, and `listen`, `probe`, `presets` and `doctor`, which need none.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage. A failure is one line on standard error: what, why, what to do.

mod credential;
mod doctor;
mod events;
mod feeds;
mod listen;
mod output;
pub(crate) mod plain;
mod portable;
mod presets;
mod probe;
mod rules;
mod snooze;
mod status;
pub(crate) mod time;

#[cfg(test)]
mod tests;

use std::{io, process::ExitCode, time::Duration};

use bellwether_control::{
    client::{Client, ClientError},
    messages::Catalogue,
    paths::Profile,
    wire,
};

pub(crate) use self::{
    output::Output,
    status::{config_sentence, reason_sentence, state_text},
};
use crate::args::{ClientCommand, ListenArgs, PresetsArgs, ProbeArgs};

/// What the commands that connect to streams by themselves are called there.
const USER_AGENT: &str = concat!("bellwether/", env!("CARGO_PKG_VERSION"));

/// Runs a client's command and returns its exit code. `catalogue` holds the texts where the resident program does not say its language.
pub(crate) async fn run(command: &ClientCommand, profile: &Profile, catalogue: &Catalogue) -> ExitCode {
    ExitCode::from(run_with(command, profile, catalogue, &mut Output::stdio()).await)
}

/// Prints what a stream sends, and returns the exit code. Needs no resident program, and asks none.
pub(crate) async fn listen(args: &ListenArgs, catalogue: &Catalogue) -> ExitCode {
    let mut output = Output::stdio();
    let result = listen::run(args, catalogue, &mut output).await;
    ExitCode::from(finish(result, catalogue, &mut output))
}

/// Says what there is at a URL, and returns the exit code: 0 for an event stream that can be used. Needs no resident program,
/// and asks none; a feed of this profile's with the same URL lends its settings.
pub(crate) async fn probe(args: &ProbeArgs, profile: &Profile, catalogue: &Catalogue) -> ExitCode {
    let mut output = Output::stdio();
    let result = probe::run(args, profile, catalogue, &mut output).await;
    ExitCode::from(finish(result, catalogue, &mut output))
}

/// Lists the providers that Bellwether knows, and returns the exit code. Needs no resident program, and asks none.
pub(crate) fn presets(args: &PresetsArgs, catalogue: &Catalogue) -> ExitCode {
    let mut output = Output::stdio();
    let result = presets::run(args, catalogue, &mut output);
    ExitCode::from(finish(result, catalogue, &mut output))
}

async fn run_with(command: &ClientCommand, profile: &Profile, system: &Catalogue, output: &mut Output) -> u8 {
    let client = match Client::new(&profile.socket) {
        Ok(client) => client,
        Err(error) => return finish(Err(error.into()), system, output),
    };
    // One question first: is anybody there, and in which language is the person spoken to?
    let status = client.status().await;
    let running = status.as_ref().ok().map(|status| Catalogue::new(&status.locale));
    let catalogue = running.as_ref().unwrap_or(system);
    let result = dispatch(command, profile, &client, status, catalogue, output).await;
    finish(result, catalogue, output)
}

async fn dispatch(
    command: &ClientCommand,
    profile: &Profile,
    client: &Client,
    status: Result<wire::Status, ClientError>,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    match command {
        ClientCommand::Doctor(args) => doctor::run(args, profile, status, catalogue, output).await,
        ClientCommand::Quit => quit(client, status, catalogue, output).await,
        ClientCommand::Status(args) => status::run(args, &status?, catalogue, output),
        ClientCommand::Feeds(args) => feeds::run(args, client, &status?, catalogue, output).await,
        ClientCommand::Events(args) => {
            status?;
            events::run(args, client, catalogue, output).await
        }
        ClientCommand::Snooze(args) => {
            status?;
            snooze::run(args, client, catalogue, output).await
        }
        ClientCommand::Rules(args) => {
            status?;
            rules::run(args, client, catalogue, output).await
        }
        ClientCommand::Export { file, events } => portable::export(file, *events, profile, catalogue, output),
        ClientCommand::Import { file } => {
            status?;
            portable::import(file, client, catalogue, output).await
        }
        ClientCommand::TestNotification => {
            status?;
            client.test_notification().await?;
            Ok(output.line([catalogue.text("cli.test_notification.done")])?)
        }
    }
}

/// How long the resident program may take to end.
const QUIT_TIMEOUT: Duration = Duration::from_secs(10);
const QUIT_POLL: Duration = Duration::from_millis(20);

/// Comes back only when the program has ended, so that a start may follow at once.
async fn quit(
    client: &Client,
    status: Result<wire::Status, ClientError>,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    if matches!(status, Err(ClientError::NotRunning(_))) {
        return Ok(output.line([catalogue.text("cli.quit.not_running")])?);
    }
    client.quit().await?;
    let gone = async {
        while !matches!(client.status().await, Err(ClientError::NotRunning(_))) {
            tokio::time::sleep(QUIT_POLL).await;
        }
    };
    if tokio::time::timeout(QUIT_TIMEOUT, gone).await.is_err() {
        let seconds = QUIT_TIMEOUT.as_secs().to_string();
        let pid = status.map_or_else(|_| "?".to_owned(), |status| status.pid.to_string());
        let text = catalogue.format("cli.quit.still_running", &[("seconds", &seconds), ("pid", &pid)]);
        return Err(Failure::Said(text));
    }
    Ok(output.line([catalogue.text("cli.quit.done")])?)
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
enum Failure {
    /// The resident program is not there, or refused.
    Control(ClientError),
    /// Standard output or a file could not be used.
    Io(io::Error),
    /// With a sentence of its own, in the person's language.
    Said(String),
    /// Everything is said on standard output already.
    Shown,
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Control(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Says on standard error what failed, and returns the exit code.
fn finish(result: Result<(), Failure>, catalogue: &Catalogue, output: &mut Output) -> u8 {
    let result = result.and_then(|()| Ok(output.flush()?));
    let Err(failure) = result else { return 0 };
    // What was written before the failure comes before its line.
    let _ = output.flush();
    let sentence = match failure {
        // The reader, such as `head`, has seen enough.
        Failure::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => return 0,
        Failure::Shown => return 1,
        Failure::Said(sentence) => sentence,
        Failure::Io(error) => catalogue.format("cli.error.output", &[("reason", &error.to_string())]),
        Failure::Control(error) => control_sentence(&error, catalogue),
    };
    // If standard error is closed too, the exit code has to do.
    let _ = output.note(&format!("bellwether: {sentence}"));
    1
}

pub(crate) fn control_sentence(error: &ClientError, catalogue: &Catalogue) -> String {
    match error {
        ClientError::NotRunning(socket) => {
            catalogue.format("cli.error.not_running", &[("socket", &socket.display().to_string())])
        }
        ClientError::Silent { socket, limit } => {
            let (socket, limit) = (socket.display().to_string(), limit.as_secs().to_string());
            catalogue.format("cli.error.silent", &[("socket", &socket), ("seconds", &limit)])
        }
        ClientError::Broken { socket, reason } => {
            let socket = socket.display().to_string();
            catalogue.format("cli.error.broken", &[("socket", &socket), ("reason", reason)])
        }
        ClientError::Refused(error) => refusal(error, catalogue),
    }
}

/// The program's own sentence knows most, but is in English: elsewhere a general one stands before the particular.
fn refusal(error: &wire::Error, catalogue: &Catalogue) -> String {
    let key = format!("error.{}", name(&error.code));
    if catalogue.locale() == "en" || !catalogue.has(&key) {
        return error.message.clone();
    }
    let particular = error.sentence.as_ref().map(|particular| catalogue.sentence(particular));
    let detail = particular.as_deref().unwrap_or(&error.detail);
    let sentence = catalogue.format(&key, &[("detail", detail)]);
    let message = match &particular {
        None => error.message.clone(),
        Some(particular) if sentence.contains(particular) => return sentence,
        Some(particular) if error.code == wire::ErrorCode::BrokenConfig => {
            format!("{}: {particular}", error.detail)
        }
        Some(particular) => particular.clone(),
    };
    catalogue.format("cli.error.refused", &[("sentence", &sentence), ("message", &message)])
}

/// The stable name of one of the wire's plain enums, such as `needs_attention`.
fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

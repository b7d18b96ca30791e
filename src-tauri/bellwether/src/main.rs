//! Bellwether's resident program and its command line: one program, so that a machine without a display needs no other.

mod args;
mod cli;
mod desktop;
mod doctor;
mod keyring;
mod logged;
mod popup;
mod portable;
mod resident;
mod tray;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

use crate::{
    args::{Arguments, Command},
    resident::{InstanceError, Start},
};
use bellwether_control::{
    client::{Client, ClientError},
    messages::{self, Catalogue},
    paths::Profile,
    wire::OpenWindow,
};

fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let profile = match Profile::find(arguments.profile.as_deref()) {
        Ok(profile) => profile,
        Err(error) => return failed(&error),
    };
    // One thread serves all connections: they wait far more than they work. The few blocking threads look up host names
    // and read the log; without a bound, many feeds at a start would make a thread each.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_keep_alive(Duration::from_secs(5))
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    run(runtime, arguments, profile)
}

#[cfg(target_os = "linux")]
fn run(runtime: Runtime, arguments: Arguments, profile: Profile) -> ExitCode {
    let start = Start { background: arguments.background, demo: arguments.demo };
    run_on(runtime, arguments.command, profile, start)
}

/// These systems want the tray on the main thread, so the program runs on another.
#[cfg(not(target_os = "linux"))]
fn run(runtime: Runtime, arguments: Arguments, profile: Profile) -> ExitCode {
    let (main_thread, tray) = std::sync::mpsc::channel();
    let start = Start { background: arguments.background, demo: arguments.demo, main_thread };
    let program = std::thread::spawn(move || run_on(runtime, arguments.command, profile, start));
    match tray.recv() {
        Ok(needed) => tray::run(needed),
        // Nothing that needs a tray, and it has ended.
        Err(_) => program.join().unwrap_or(ExitCode::FAILURE),
    }
}

fn run_on(runtime: Runtime, command: Option<Command>, profile: Profile, start: Start) -> ExitCode {
    let code = runtime.block_on(dispatch(command, profile, start));
    // A name look-up may still be under way; nobody waits for its answer.
    runtime.shutdown_background();
    code
}

async fn dispatch(command: Option<Command>, profile: Profile, start: Start) -> ExitCode {
    let catalogue = Catalogue::new(messages::system_locale());
    match command {
        None => become_resident(profile, &start, &catalogue).await,
        Some(Command::Demo { port }) => demo(port, catalogue).await,
        Some(Command::Listen(what)) => cli::listen(&what, &catalogue).await,
        Some(Command::Presets(which)) => cli::presets(&which, &catalogue),
        Some(Command::Probe(what)) => cli::probe(&what, &profile, &catalogue).await,
        Some(Command::Client(command)) => cli::run(&command, &profile, &catalogue).await,
    }
}

/// How long an instance that does not answer may take to come up or to end.
const CHANGE_OF_INSTANCE: Duration = Duration::from_secs(10);

/// How often it is looked for meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Becomes the resident program, or asks the one that runs already to open the window.
async fn become_resident(profile: Profile, start: &Start, catalogue: &Catalogue) -> ExitCode {
    let deadline = Instant::now() + CHANGE_OF_INSTANCE;
    loop {
        match resident::run(profile.clone(), start).await {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) if !matches!(error.downcast_ref(), Some(InstanceError::Running)) => {
                return failed(&format_args!("{error:#}"));
            }
            Err(_) => {}
        }
        match open_running(&profile, start).await {
            Ok(()) => {
                resident::say(catalogue.text("resident.running"));
                return ExitCode::SUCCESS;
            }
            // It is about to end, and this one follows it; or it has just begun.
            Err(ClientError::NotRunning(_) | ClientError::Broken { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(LOOK).await;
            }
            Err(ClientError::NotRunning(socket)) => {
                let socket = socket.display().to_string();
                return failed(&catalogue.format("resident.running_mute", &[("socket", &socket)]));
            }
            Err(error) => {
                return failed(&format_args!("{} {error}", catalogue.text("resident.running")));
            }
        }
    }
}

/// The program runs already: whoever starts it wants to see it.
async fn open_running(profile: &Profile, start: &Start) -> Result<(), ClientError> {
    let client = Client::new(&profile.socket)?;
    if start.demo {
        client.demo().await?;
    }
    if start.background {
        client.status().await.map(drop)
    } else {
        client.open_window(&OpenWindow::default()).await
    }
}

async fn demo(port: u16, catalogue: Catalogue) -> ExitCode {
    match resident::Demo::bind(port).await {
        Ok(demo) => {
            resident::say(&catalogue.format("demo.listening", &[("url", demo.url().as_str())]));
            tokio::select! {
                served = demo.serve(catalogue.into()) => served.map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS),
                _ = tokio::signal::ctrl_c() => ExitCode::SUCCESS,
            }
        }
        Err(error) => {
            let values = [("port", &*port.to_string()), ("reason", &error.to_string())];
            failed(&catalogue.format("demo.cannot_listen", &values))
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> ExitCode {
    resident::say(&format!("bellwether: {error}"));
    ExitCode::FAILURE
}

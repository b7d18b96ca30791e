//! Bellwether's window: the web UI in the system's webview, a client of the resident program's control socket.
//!
//! It is started on demand and ends when its window is closed. It holds no state of its own; if the resident program is
//! gone, the page says so and tries again until it is back.

#![cfg_attr(windows, windows_subsystem = "windows")]

mod commands;
mod options;
mod platform;

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use bellwether_control::{client::Client, paths::Profile, wire::OpenWindow};
use tauri::{
    App, Context, Runtime, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, plugin::TauriPlugin,
    webview::PageLoadEvent,
};
use tauri_plugin_window_state::StateFlags;

use crate::{commands::Link, options::Options};

/// How long the window waits for its page; then it is shown without, and can be seen, and closed.
const PAGE_PATIENCE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(error) => return end(&error, 2),
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => end(&error, 1),
    }
}

fn end(error: &anyhow::Error, code: u8) -> ExitCode {
    eprintln!("bellwether-window: {error:#}");
    ExitCode::from(code)
}

fn run(options: &Options) -> anyhow::Result<()> {
    let profile = Profile::find(options.profile.as_deref())?;
    platform::prepare()?;
    let client = Client::new(&profile.socket)?;
    let wish = OpenWindow { event: options.event, summary: options.summary };
    tauri::Builder::default()
        .plugin(geometry(&profile))
        .manage(Link::new(client, wish))
        .invoke_handler(tauri::generate_handler![commands::request, commands::updates])
        .setup(move |app| Ok(open(app, &profile)?))
        .run(context())
        .context("the window cannot be opened")
}

/// Keeps the window's size and place, in a file beside the event log. Whether it is seen, and how it is decorated, is the
/// desktop's to say each time.
fn geometry<R: Runtime>(profile: &Profile) -> TauriPlugin<R> {
    let file = profile.event_log.with_file_name("window.json");
    tauri_plugin_window_state::Builder::new()
        // An absolute path takes the place of the folder that the plugin would choose.
        .with_filename(file.to_string_lossy())
        .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
        .build()
}

/// The configuration, the UI's files and what its page may do, all part of the program.
fn context<R: Runtime>() -> Context<R> {
    tauri::generate_context!()
}

fn open<R: Runtime>(app: &App<R>, profile: &Profile) -> tauri::Result<()> {
    let mut window = WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
        .title("Bellwether")
        .inner_size(1100.0, 720.0)
        .min_inner_size(480.0, 400.0)
        // GTK waits up to half a second for the first frame of what it shows, and WebKit for what the page is made of, which
        // comes from this very thread.
        .visible(false)
        .on_page_load(|window, load| {
            if load.event() == PageLoadEvent::Finished {
                show(&window);
            }
        })
        .on_navigation(is_own);
    if let Some(folder) = &profile.folder {
        window = window.data_directory(folder.join("window"));
    }
    let window = window.build()?;
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(PAGE_PATIENCE).await;
        show(&window);
    });
    Ok(())
}

/// Shows the window, unless it is already: an error would mean that it has just gone.
fn show<R: Runtime>(window: &WebviewWindow<R>) {
    if matches!(window.is_visible(), Ok(false)) {
        let _ = window.show();
    }
}

/// The page leads nowhere but to itself. Links of events are opened in the browser, by the resident program.
fn is_own(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => true,
        "http" | "https" => cfg!(windows) && url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

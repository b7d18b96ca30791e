//! What the page may ask for: a request to the resident program, and its updates.

use std::sync::{Mutex, PoisonError};

use bellwether_control::{
    client::{Client, ClientError},
    wire::{OpenWindow, Place, Sentence, Update},
};
use futures_util::{
    StreamExt as _,
    future::{AbortHandle, Abortable},
    lock::Mutex as Turn,
    stream::BoxStream,
};
use serde::Serialize;
use serde_json::Value;
use tauri::{Manager as _, Runtime, State, WebviewWindow};

/// Longest request path in bytes; a search is the longest part of one.
const MAX_PATH: usize = 8 * 1024;

/// Most updates that the page gets at once.
const AT_ONCE: usize = 256;

/// What the page has no use for (`/quit`, `/window` …) is not passed on.
const ROOMS: [&str; 14] = [
    "status",
    "feeds",
    "events",
    "rules",
    "probe",
    "demo",
    "snooze",
    "settings",
    "notifications",
    "config",
    "export",
    "exports",
    "import",
    "doctor",
];

/// What the resident program tells, in groups as it came.
type Updates = BoxStream<'static, Vec<Result<Update, ClientError>>>;

/// The link to the resident program.
pub(crate) struct Link {
    client: Client,
    /// What the window was opened for, until the page was told.
    wish: Mutex<Option<OpenWindow>>,
    /// The updates that the page reads.
    updates: Turn<Option<Updates>>,
    /// Ends the page's last question for updates, which an earlier load of it may have asked.
    asked: Mutex<Option<AbortHandle>>,
}

impl Link {
    pub(crate) fn new(client: Client, wish: OpenWindow) -> Self {
        let wish = Some(wish).filter(|wish| *wish != OpenWindow::default());
        Self { client, wish: Mutex::new(wish), updates: Turn::default(), asked: Mutex::default() }
    }
}

/// What the page gets instead of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Failure {
    /// A code of `wire::ErrorCode`, `unreachable` or `timeout`.
    code: String,
    message: String,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<Box<Sentence>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Box<Place>>,
}

impl Failure {
    fn new(code: &str, message: &str, detail: &str) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            detail: detail.into(),
            sentence: None,
            place: None,
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let message = error.to_string();
        match error {
            ClientError::Refused(answer) => {
                let code = serde_json::to_value(answer.code).ok();
                let code = code.as_ref().and_then(Value::as_str).unwrap_or("internal").to_owned();
                Self { code, message, detail: answer.detail, sentence: answer.sentence, place: answer.place }
            }
            ClientError::NotRunning(_) => Self::new("unreachable", &message, ""),
            ClientError::Silent { .. } => Self::new("timeout", &message, ""),
            ClientError::Broken { reason, .. } => Self::new("internal", &message, &reason),
        }
    }
}

/// One request on the control socket.
#[tauri::command]
pub(crate) async fn request(
    link: State<'_, Link>,
    method: String,
    path: String,
    body: Option<Value>,
) -> Result<Value, Failure> {
    check(&method, &path)?;
    Ok(link.client.request(&method, &path, body.as_ref()).await?)
}

fn check(method: &str, path: &str) -> Result<(), Failure> {
    let room = path.strip_prefix('/').and_then(|rest| rest.split(['/', '?']).next());
    let fits = matches!(method, "GET" | "POST" | "PUT" | "PATCH" | "DELETE")
        && path.len() <= MAX_PATH
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'\\')
        && !path.split(['/', '?']).any(|segment| segment == "." || segment == "..")
        && room.is_some_and(|room| ROOMS.contains(&room));
    if fits {
        Ok(())
    } else {
        Err(Failure::new("bad_request", "the window does not pass this request on", path))
    }
}

/// The next of the resident program's updates, as many as have come by then. `begin`: of a connection of its own, in place of the
/// one that an earlier load of the page read. The page asks for more when it is done with these: what it cannot keep up with
/// waits in the resident program, which knows a bound.
#[tauri::command]
pub(crate) async fn updates<R: Runtime>(
    window: WebviewWindow<R>,
    link: State<'_, Link>,
    begin: bool,
) -> Result<Vec<Update>, Failure> {
    let (handle, registration) = AbortHandle::new_pair();
    if let Some(earlier) = lock(&link.asked).replace(handle) {
        earlier.abort();
    }
    let next = Abortable::new(next(&window, &link, begin), registration).await;
    next.unwrap_or_else(|_| Err(ended()))
}

async fn next<R: Runtime>(
    window: &WebviewWindow<R>,
    link: &Link,
    begin: bool,
) -> Result<Vec<Update>, Failure> {
    let mut stream = link.updates.lock().await;
    if begin {
        *stream = None;
        *stream = Some(Box::pin(link.client.updates(true).await?.ready_chunks(AT_ONCE)));
    }
    let items = match stream.as_mut() {
        Some(open) => open.next().await,
        None => None,
    };
    let mut updates = Vec::new();
    for item in items.ok_or_else(ended)? {
        let update = match item {
            Ok(update) => update,
            // Nothing comes after it; what came before is passed on first.
            Err(_) if !updates.is_empty() => break,
            Err(error) => return Err(error.into()),
        };
        match update {
            Update::OpenWindow(_) => bring_to_front(window),
            Update::Quit => window.app_handle().exit(0),
            _ => {}
        }
        let is_status = matches!(update, Update::Status(_));
        updates.push(update);
        if is_status && let Some(wish) = lock(&link.wish).take() {
            updates.push(Update::OpenWindow(wish));
        }
    }
    Ok(updates)
}

fn ended() -> Failure {
    Failure::new("unreachable", "the updates have ended", "")
}

fn bring_to_front<R: Runtime>(window: &WebviewWindow<R>) {
    // A desktop may refuse; the window is open all the same.
    let _ = window.unminimize();
    let _ = window.show();
    let _ = window.set_focus();
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Each holds one plain value: nothing is left half done by a panic.
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

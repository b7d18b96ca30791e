//! The service's routes.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bellwether_engine::subscription::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::Notify, task::AbortHandle};

use crate::{
    callback,
    stream::{self, Params},
};

/// What the client under test can do, in the harness' words.
const CAPABILITIES: [&str; 7] = [
    "bom",
    "comments",
    "headers",
    "last-event-id",
    "read-timeout",
    "restart",
    "server-directed-shutdown-request",
];

/// The service; clones share everything.
#[derive(Clone)]
pub(crate) struct Service {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    http: reqwest::Client,
    streams: Mutex<Streams>,
    quit: Arc<Notify>,
}

#[derive(Default)]
struct Streams {
    /// How many there have been; each has its number.
    count: u64,
    open: BTreeMap<u64, Stream>,
}

/// A stream that runs until this is dropped.
struct Stream {
    restart: Arc<Notify>,
    task: AbortHandle,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The body of `POST` on a stream.
#[derive(Deserialize)]
#[serde(tag = "command", rename_all = "lowercase")]
enum Command {
    Restart,
    /// Every type is told of as it is, so there is nothing to prepare.
    Listen {},
}

impl Service {
    /// A service without streams, and what is ready once it is told to quit.
    pub(crate) fn new() -> Result<(Self, impl Future<Output = ()> + use<>)> {
        let quit = Arc::new(Notify::new());
        let client = Client::new(concat!("bellwether/", env!("CARGO_PKG_VERSION")))?;
        let shared =
            Shared { client, http: callback::http()?, streams: Mutex::default(), quit: Arc::clone(&quit) };
        Ok((Self { shared: Arc::new(shared) }, async move { quit.notified().await }))
    }

    pub(crate) fn routes(self) -> Router {
        Router::new()
            .route("/", get(status).post(open).delete(quit))
            .route("/streams/{number}", post(command).delete(close))
            .with_state(self)
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.shared.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn status() -> Json<Value> {
    Json(json!({ "capabilities": CAPABILITIES }))
}

async fn quit(State(service): State<Service>) -> StatusCode {
    service.streams().open.clear();
    service.shared.quit.notify_one();
    StatusCode::NO_CONTENT
}

async fn open(State(service): State<Service>, body: Bytes) -> Response {
    let Shared { client, http, .. } = &*service.shared;
    let wanted = || {
        let params: Params = serde_json::from_slice(&body)?;
        anyhow::Ok((params.subscription()?, params.callback(http.clone())?))
    };
    let (subscription, callback) = match wanted() {
        Ok(wanted) => wanted,
        Err(error) => return refuse(&format!("{error:#}")),
    };
    let restart = Arc::new(Notify::new());
    let run = stream::run(subscription, client.clone(), Arc::clone(&restart), callback);
    let task = tokio::spawn(run).abort_handle();
    let mut streams = service.streams();
    streams.count += 1;
    let number = streams.count;
    streams.open.insert(number, Stream { restart, task });
    (StatusCode::CREATED, [(LOCATION, format!("/streams/{number}"))]).into_response()
}

async fn command(State(service): State<Service>, Path(number): Path<u64>, body: Bytes) -> Response {
    let streams = service.streams();
    let Some(stream) = streams.open.get(&number) else { return StatusCode::NOT_FOUND.into_response() };
    match serde_json::from_slice(&body) {
        Ok(Command::Restart) => stream.restart.notify_one(),
        Ok(Command::Listen {}) => {}
        Err(error) => return refuse(&error),
    }
    StatusCode::ACCEPTED.into_response()
}

async fn close(State(service): State<Service>, Path(number): Path<u64>) -> StatusCode {
    match service.streams().open.remove(&number) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}

fn refuse(error: &impl ToString) -> Response {
    (StatusCode::BAD_REQUEST, error.to_string()).into_response()
}

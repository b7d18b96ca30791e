//! `GET /updates`: what changes, as an event stream.

use std::convert::Infallible;

use axum::{
    extract::{Query, State},
    response::sse::{Event, KeepAlive, Sse},
};
use bellwether_control::wire::Update;
use bellwether_engine::engine;
use futures_util::Stream;
use serde::Deserialize;
use tokio::sync::{broadcast::error::RecvError, mpsc};

use super::{Resident, wire as to_wire};

/// How many updates wait for a reader; when it is slower, those of the engine are left out and it is told that it lags.
const QUEUE: usize = 64;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct As {
    window: bool,
}

pub(super) async fn stream(
    State(resident): State<Resident>,
    Query(reader): Query<As>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(forward(resident, reader.window, sender));
    let events = futures_util::stream::unfold(receiver, async |mut receiver| {
        let update: Update = receiver.recv().await?;
        let data = serde_json::to_string(&update).unwrap_or_default();
        Some((Ok(Event::default().data(data)), receiver))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Sends updates until the reader goes or the engine ends.
async fn forward(resident: Resident, as_window: bool, sender: mpsc::Sender<Update>) {
    let mut engine = resident.engine.updates();
    let mut parts = resident.parts.changes();
    let mut language = resident.language.subscribe();
    let mut theme = resident.theme.subscribe();
    let mut wishes = resident.window.wishes();
    let mut quit = resident.quit.subscribe();
    let attached = as_window.then(|| resident.window.attach());
    if !send_status(&resident, &sender).await {
        return;
    }
    if let Some(wish) = attached.as_ref().and_then(|(_, wish)| wish.clone()) {
        let _ = sender.send(Update::OpenWindow(wish)).await;
    }
    loop {
        let going_on = tokio::select! {
            () = sender.closed() => false,
            Ok(()) = quit.changed() => {
                let _ = sender.send(Update::Quit).await;
                false
            }
            update = engine.recv() => match update {
                Ok(engine::Update::Config | engine::Update::Log | engine::Update::Attention) => send_status(&resident, &sender).await,
                Ok(engine::Update::Feed(view)) => sender.send(Update::Feed(to_wire::feed(&view))).await.is_ok(),
                Ok(engine::Update::Event(record)) => {
                    sender.send(Update::Event(to_wire::event(&record, true, resident.can_notify()))).await.is_ok()
                }
                Ok(engine::Update::ConnectionChange(change)) => {
                    sender.send(Update::ConnectionChange(to_wire::connection_change(&change))).await.is_ok()
                }
                Ok(engine::Update::EventsChanged) => sender.send(Update::EventsChanged).await.is_ok(),
                Err(RecvError::Lagged(_)) => sender.send(Update::Lagged).await.is_ok(),
                Err(RecvError::Closed) => false,
            },
            Ok(()) = parts.changed() => send_status(&resident, &sender).await,
            Ok(()) = language.changed() => send_status(&resident, &sender).await,
            Ok(()) = theme.changed() => send_status(&resident, &sender).await,
            Ok(wish) = wishes.recv() => sender.send(Update::OpenWindow(wish)).await.is_ok(),
        };
        if !going_on {
            return;
        }
    }
}

async fn send_status(resident: &Resident, sender: &mpsc::Sender<Update>) -> bool {
    match resident.status().await {
        Ok(status) => sender.send(Update::Status(status)).await.is_ok(),
        Err(_) => false,
    }
}

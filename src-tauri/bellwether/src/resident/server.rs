//! The control socket's routes. Their vocabulary is [`bellwether_control::wire`].

use axum::{
    Json, Router,
    body::{Bytes, to_bytes},
    extract::State,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use bellwether_control::wire::{self, ErrorCode};
use bellwether_engine::feed::FeedId;
use serde::de::DeserializeOwned;

use super::{Resident, doctor, feeds, log, portable, preview, settings, updates, wire as to_wire};

/// Answers of this kind: a value as JSON, or an error with its status.
pub(super) type Answer<T> = Result<Json<T>, Refusal>;

/// An error on its way out.
pub(crate) struct Refusal(pub(crate) wire::Error);

impl Refusal {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(wire::Error {
            code,
            message: message.into(),
            detail: String::new(),
            sentence: None,
            place: None,
        })
    }

    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(super) fn internal(error: std::io::Error) -> Self {
        Self::new(ErrorCode::Internal, error.to_string())
    }
}

impl<E: Into<bellwether_engine::engine::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(to_wire::error(&error.into()))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            ErrorCode::BadRequest
            | ErrorCode::InvalidUrl
            | ErrorCode::UnsupportedScheme
            | ErrorCode::InvalidId
            | ErrorCode::InvalidValue
            | ErrorCode::NotAnExport => StatusCode::BAD_REQUEST,
            ErrorCode::Forbidden => StatusCode::FORBIDDEN,
            ErrorCode::NoSuchFeed
            | ErrorCode::NoSuchEvent
            | ErrorCode::NoLink
            | ErrorCode::NothingToRestore
            | ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::DuplicateUrl
            | ErrorCode::DuplicateId
            | ErrorCode::Conflict
            | ErrorCode::BrokenConfig => StatusCode::CONFLICT,
            ErrorCode::NoKeyring | ErrorCode::NoNotifications | ErrorCode::NoWindow => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ErrorCode::CannotWrite | ErrorCode::EventLog | ErrorCode::Internal => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        (status, Json(self.0)).into_response()
    }
}

pub(crate) fn routes(resident: Resident) -> Router {
    Router::new()
        .route("/status", get(status))
        .merge(feeds::routes())
        .route("/feeds/{id}/activity", get(log::activity))
        .route("/snooze", put(snooze))
        .route("/events", get(log::events))
        .route("/events/index", get(log::index))
        .route("/events/types", get(log::types))
        .route("/events/read", post(log::mark_read))
        .route("/events/{seq}", get(log::event))
        .route("/events/delete", post(log::delete))
        .route("/events/restore", post(log::restore))
        .route("/events/export", post(log::export))
        .route("/exports/open", post(log::open_exports))
        .route("/events/{seq}/open", post(log::open_event))
        .route("/events/{seq}/show", post(log::show))
        .route("/notifications/test", post(test_notification))
        .route("/rules/test", post(preview::test))
        .merge(settings::routes())
        .merge(doctor::routes())
        .merge(portable::routes())
        .route("/demo", post(demo))
        .route("/window", post(open_window))
        .route("/quit", post(quit))
        .route("/updates", get(updates::stream))
        .fallback(async || Refusal::new(ErrorCode::NotFound, "there is no such route on the control socket"))
        .method_not_allowed_fallback(async || {
            let message = "this route of the control socket takes another method";
            (StatusCode::METHOD_NOT_ALLOWED, Json(Refusal::new(ErrorCode::NotFound, message).0))
        })
        .layer(map_response(in_our_words))
        .with_state(resident)
}

/// Most of a refusal by the HTTP library that is passed on, in bytes.
const MAX_REASON: usize = 1024;

/// What the HTTP library refuses by itself, such as a path that is not UTF-8 or a body too large, is an error like any other.
async fn in_our_words(response: Response) -> Response {
    let status = response.status();
    let is_json = |kind: &HeaderValue| kind.as_bytes().starts_with(b"application/json");
    if status.is_success() || response.headers().get(CONTENT_TYPE).is_some_and(is_json) {
        return response;
    }
    let reason = to_bytes(response.into_body(), MAX_REASON).await.unwrap_or_default();
    let reason = String::from_utf8_lossy(&reason);
    let message = format!("the request is not what the control socket takes ({status}): {reason}");
    let mut refusal = Refusal::new(ErrorCode::BadRequest, message).into_response();
    *refusal.status_mut() = status;
    refusal
}

/// Does work that must not end halfway because whoever asked for it hangs up.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::spawn(work).await.map_err(|error| Refusal::internal(std::io::Error::other(error)))?
}

pub(super) fn body<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| {
        Refusal::new(
            ErrorCode::BadRequest,
            format!("the request's body is not what the route takes: {error}"),
        )
    })
}

pub(super) fn feed_id(id: &str) -> Result<FeedId, Refusal> {
    FeedId::new(id).ok_or_else(|| {
        Refusal(wire::Error {
            code: ErrorCode::NoSuchFeed,
            message: format!("there is no feed “{id}”; see: bellwether feeds"),
            detail: id.to_owned(),
            sentence: None,
            place: None,
        })
    })
}

async fn status(State(resident): State<Resident>) -> Answer<wire::Status> {
    Ok(Json(resident.status().await?))
}

async fn snooze(State(resident): State<Resident>, bytes: Bytes) -> Answer<wire::Attention> {
    let wish: wire::SnoozeWish = body(&bytes)?;
    let feed = match wish.feed {
        // One that there is.
        Some(id) => Some(resident.feed(&feed_id(&id)?).await?.id.clone()),
        None => None,
    };
    resident.snooze(feed, wish.until.as_deref()).await?;
    Ok(Json(to_wire::attention(resident.engine.attention().await?)))
}

async fn test_notification(State(resident): State<Resident>) -> Result<StatusCode, Refusal> {
    resident.test_notification()?;
    Ok(StatusCode::NO_CONTENT)
}

async fn demo(State(resident): State<Resident>) -> Answer<wire::Feed> {
    Ok(Json(to_wire::feed(&resident.subscribe_to_demo().await?)))
}

async fn open_window(State(resident): State<Resident>, bytes: Bytes) -> Result<StatusCode, Refusal> {
    let wish = if bytes.is_empty() { wire::OpenWindow::default() } else { body(&bytes)? };
    resident.window.open(wish).await.map_err(|error| Refusal::new(ErrorCode::NoWindow, error.to_string()))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn quit(State(resident): State<Resident>) -> StatusCode {
    resident.quit.send_replace(true);
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{sync::oneshot, time::timeout};

    use super::*;

    #[test]
    fn whoever_hangs_up_does_not_end_what_was_begun() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (go_on, waiting) = oneshot::channel::<()>();
            let (done, ended) = oneshot::channel();
            let work = to_the_end(async move {
                let _ = waiting.await;
                Ok(done.send(()).is_ok())
            });
            assert!(timeout(Duration::ZERO, work).await.is_err(), "it waits");
            go_on.send(()).unwrap();
            ended.await.unwrap();
        });
    }
}

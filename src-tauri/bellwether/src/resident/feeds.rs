//! The routes of feeds: their settings, their order, their removal and its undoing.

use std::time::Duration;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, patch, post, put},
};
use bellwether_control::wire;
use bellwether_engine::{
    config::edit::{FeedChange, NewFeed, time_text},
    feed::{Feed, FeedId, Repeats, Silence},
    network::Proxy,
    preset::By,
    probe,
    resume::Resume,
    subscription::HeaderMap,
};

use super::{
    Resident, credential, rules,
    server::{Answer, Refusal, body, feed_id, to_the_end},
    wire as to_wire,
};

pub(super) fn routes() -> Router<Resident> {
    Router::new()
        .route("/feeds", get(feeds).post(add))
        .route("/feeds/order", put(set_order))
        .route("/feeds/{id}", patch(edit).delete(remove))
        .route("/feeds/{id}/restore", post(restore))
        .route("/feeds/{id}/settings", get(settings))
        .route("/feeds/{id}/rules", get(rules::get).put(rules::put))
        .route("/feeds/{id}/credential", put(credential::set))
        .route("/feeds/{id}/pause", post(pause))
        .route("/feeds/{id}/resume", post(resume))
        .route("/feeds/{id}/reconnect", post(reconnect))
        .route("/feeds/{id}/test", post(test))
        .route("/reconnect", post(reconnect_all))
        .route("/probe", post(probe_url))
}

async fn feeds(State(resident): State<Resident>) -> Answer<Vec<wire::Feed>> {
    Ok(Json(resident.engine.feeds().await?.iter().map(to_wire::feed).collect()))
}

async fn add(State(resident): State<Resident>, bytes: Bytes) -> Result<Response, Refusal> {
    // Not with the reason, which may quote a secret from the body.
    let draft: wire::FeedDraft = credential::secretive(&bytes)?;
    let new = NewFeed {
        url: draft.url,
        id: draft.id,
        name: draft.name,
        paused: draft.paused.unwrap_or(false),
        credentials: Vec::new(),
        settings: draft.settings.map(change).unwrap_or_default(),
    };
    let view = credential::add_with(&resident, new, draft.credentials).await?;
    Ok((StatusCode::CREATED, Json(to_wire::feed(&view))).into_response())
}

async fn edit(State(resident): State<Resident>, Path(id): Path<String>, bytes: Bytes) -> Answer<wire::Feed> {
    let edit: wire::FeedEdit = body(&bytes)?;
    Ok(Json(to_wire::feed(&resident.engine.edit_feed(feed_id(&id)?, change(edit)).await?)))
}

fn change(edit: wire::FeedEdit) -> FeedChange {
    FeedChange {
        name: edit.name,
        url: edit.url,
        idle_timeout: edit.idle_timeout_seconds.map(|seconds| Duration::from_secs(seconds.into())),
        repeats: edit.repeats.map(|repeats| match repeats {
            wire::Repeats::Hide => Repeats::Hide,
            wire::Repeats::Show => Repeats::Show,
        }),
        mute: edit.muted,
        group: edit.group,
        preset: edit.preset,
        images: edit.images,
        silence_alert: edit.silence_alert,
        proxy: edit.proxy,
        ca_file: edit.ca_file,
        verify_certificate: edit.verify_certificate,
        plain_http: edit.plain_http,
    }
}

async fn set_order(State(resident): State<Resident>, bytes: Bytes) -> Result<StatusCode, Refusal> {
    let order: wire::FeedOrder = body(&bytes)?;
    let feeds: Result<Vec<FeedId>, Refusal> = order.feeds.iter().map(|id| feed_id(id)).collect();
    resident.engine.set_order(feeds?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(State(resident): State<Resident>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    let id = feed_id(&id)?;
    let removal = async move {
        let feed = resident.feed(&id).await?;
        let secrets = credential::recall_all(&resident, &feed).await;
        let removed = resident.engine.remove_feed(id).await?;
        resident.removed.keep(removed, secrets.clone());
        credential::forget_recalled(&resident, &feed.id, &secrets).await;
        Ok(StatusCode::NO_CONTENT)
    };
    to_the_end(removal).await
}

async fn restore(State(resident): State<Resident>, Path(id): Path<String>) -> Answer<wire::Feed> {
    let id = feed_id(&id)?;
    let view = to_the_end(async move { resident.restore_feed(&id).await }).await?;
    Ok(Json(to_wire::feed(&view)))
}

async fn settings(State(resident): State<Resident>, Path(id): Path<String>) -> Answer<wire::FeedSettings> {
    let feed = resident.feed(&feed_id(&id)?).await?;
    Ok(Json(settings_of(&feed, &resident)))
}

fn settings_of(feed: &Feed, resident: &Resident) -> wire::FeedSettings {
    let folder = resident.profile.config_file.parent();
    // As a person writes it: from the folder of feeds.toml on.
    let path = |path: &std::path::Path| {
        let relative = folder.and_then(|folder| path.strip_prefix(folder).ok());
        relative.unwrap_or(path).display().to_string()
    };
    let network = &feed.network;
    let preset = feed.preset.as_ref().filter(|chosen| chosen.by == By::Set).map(|chosen| chosen.preset.id);
    wire::FeedSettings {
        preset: preset.or((!feed.left_out.preset).then_some("none")).map(str::to_owned),
        images: feed.images,
        silence_alert: feed.silence_alert.map(|silence| match silence {
            Silence::Usual => "usual".to_owned(),
            Silence::After(time) => time_text(time),
        }),
        proxy: match &network.proxy {
            Proxy::System => "system".to_owned(),
            Proxy::None => "none".to_owned(),
            Proxy::Url(url) => bellwether_engine::access::mask::masked(url.as_str()).into_owned(),
        },
        ca_file: network.ca_file.as_deref().map(path),
        client_certificate: network.client_certificate.as_ref().map(|shown| path(&shown.certificate)),
        verify_certificate: network.verify_certificate,
        plain_http: feed.access.plain_http,
        resume: match &feed.resume {
            Resume::Header => "header".to_owned(),
            Resume::None => "none".to_owned(),
            Resume::Query { name, .. } => name.clone(),
        },
    }
}

async fn pause(State(resident): State<Resident>, Path(id): Path<String>) -> Answer<wire::Feed> {
    set_paused(&resident, &id, true).await
}

async fn resume(State(resident): State<Resident>, Path(id): Path<String>) -> Answer<wire::Feed> {
    set_paused(&resident, &id, false).await
}

async fn set_paused(resident: &Resident, id: &str, paused: bool) -> Answer<wire::Feed> {
    Ok(Json(to_wire::feed(&resident.engine.set_paused(feed_id(id)?, paused).await?)))
}

async fn reconnect(State(resident): State<Resident>, Path(id): Path<String>) -> Answer<wire::Feed> {
    let id = feed_id(&id)?;
    resident.engine.reconnect(Some(id.clone())).await?;
    Ok(Json(to_wire::feed(&resident.view(&id).await?)))
}

async fn reconnect_all(State(resident): State<Resident>) -> Result<StatusCode, Refusal> {
    resident.engine.reconnect(None).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn test(State(resident): State<Resident>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    resident.needs_notifications()?;
    resident.engine.sample(feed_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whoever hangs up ends the probe with it.
async fn probe_url(State(resident): State<Resident>, bytes: Bytes) -> Answer<wire::Probe> {
    // Not with the reason, which may quote a secret from the body.
    let wish: wire::ProbeWish = credential::secretive(&bytes)?;
    let budget = if wish.brief { probe::BRIEF } else { probe::BUDGET.into() };
    let (url, credentials, network) = credential::for_probe(&resident, wish).await?;
    let headers = HeaderMap::new();
    let report = probe::probe(&resident.client, &url, headers, credentials, &network, budget).await;
    Ok(Json(to_wire::probe(report)))
}

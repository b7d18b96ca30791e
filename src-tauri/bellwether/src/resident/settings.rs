//! The program's own settings: `GET` and `PATCH /settings`, and `feeds.toml` itself.

use std::time::Duration;

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use bellwether_control::wire::{self, ErrorCode, Language, Theme};
use bellwether_engine::{
    config::edit::{QuietHours, SettingsChange},
    engine,
    event_log::{EventLog, LogError, Retention},
    policy::{Flood, QuietRange},
};
use jiff::{civil::Weekday, tz::TimeZone};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Resident, locale_of, reading,
    server::{Answer, Refusal, body},
    wire as to_wire,
};

/// The setting that keeps the language.
const LANGUAGE: &str = "language";
/// The setting that keeps the window's colours.
const THEME: &str = "theme";

pub(super) fn routes() -> Router<Resident> {
    Router::new().route("/settings", get(settings).patch(edit)).route("/config/open", post(open_config))
}

async fn settings(State(resident): State<Resident>) -> Answer<wire::Settings> {
    let (notifications, retention) = resident.engine.settings().await?;
    let log = resident.engine.log().clone();
    let size = reading::read(move || log.size()).await.map_err(Refusal::internal)??;
    let autostart = resident.autostart.clone();
    let place = autostart.place();
    let enabled = reading::read(move || autostart.is_enabled()).await.map_err(Refusal::internal)?;
    let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    Ok(Json(wire::Settings {
        flood: wire::FloodLimits {
            popups: notifications.flood.popups,
            seconds: seconds(notifications.flood.within),
            overall: notifications.flood.overall,
        },
        sound: notifications.sound,
        outage_alert_seconds: notifications.outage_alert.map_or(0, seconds),
        quiet_hours: notifications.quiet_hours.iter().map(quiet_hours).collect(),
        retention: wire::Retention { days: retention.days, events: retention.events },
        log: wire::LogSize {
            events: size.events,
            bytes: size.bytes,
            oldest_at: size.oldest_at.map(to_wire::time),
        },
        autostart: wire::Autostart { enabled, place },
        time_zone: TimeZone::system().iana_name().unwrap_or_default().to_owned(),
    }))
}

const DAYS: [(wire::Weekday, Weekday); 7] = [
    (wire::Weekday::Mon, Weekday::Monday),
    (wire::Weekday::Tue, Weekday::Tuesday),
    (wire::Weekday::Wed, Weekday::Wednesday),
    (wire::Weekday::Thu, Weekday::Thursday),
    (wire::Weekday::Fri, Weekday::Friday),
    (wire::Weekday::Sat, Weekday::Saturday),
    (wire::Weekday::Sun, Weekday::Sunday),
];

fn quiet_hours(range: &QuietRange) -> wire::QuietHours {
    let on = |day: &Weekday| range.days.is_empty() || range.days.contains(day);
    wire::QuietHours {
        days: DAYS.iter().filter(|(_, day)| on(day)).map(|(name, _)| *name).collect(),
        from: range.from.strftime("%H:%M").to_string(),
        to: range.to.strftime("%H:%M").to_string(),
        time_zone: range.zone.as_ref().and_then(TimeZone::iana_name).map(str::to_owned),
    }
}

async fn edit(State(resident): State<Resident>, bytes: Bytes) -> Answer<wire::Status> {
    let edit: wire::SettingsEdit = body(&bytes)?;
    let wire::SettingsEdit { language, theme, autostart, .. } = edit;
    let change = change(edit);
    if change != SettingsChange::default() {
        resident.engine.edit_settings(change).await?;
    }
    if let Some(language) = language {
        resident.set_language(language).await?;
    }
    if let Some(theme) = theme {
        resident.set_theme(theme).await?;
    }
    if let Some(wanted) = autostart {
        let autostart = resident.autostart.clone();
        let done = reading::read(move || autostart.set(wanted)).await.map_err(Refusal::internal)?;
        done.map_err(|cause| {
            let message = format!("cannot change {}: {cause}", resident.autostart.place());
            Refusal::new(ErrorCode::CannotWrite, message)
        })?;
    }
    Ok(Json(resident.status().await?))
}

fn change(edit: wire::SettingsEdit) -> SettingsChange {
    let hours = |hours: wire::QuietHours| QuietHours {
        days: DAYS.iter().filter(|(day, _)| hours.days.contains(day)).map(|(_, day)| *day).collect(),
        from: hours.from,
        to: hours.to,
        time_zone: hours.time_zone.filter(|zone| !zone.is_empty()),
    };
    SettingsChange {
        flood: edit.flood.map(|flood| Flood {
            popups: flood.popups,
            overall: flood.overall,
            within: Duration::from_secs(flood.seconds.into()),
        }),
        sound: edit.sound,
        outage_alert: edit
            .outage_alert_seconds
            .map(|seconds| (seconds > 0).then(|| Duration::from_secs(seconds.into()))),
        quiet_hours: edit.quiet_hours.map(|all| all.into_iter().map(hours).collect()),
        retention: edit.retention.map(|wire::Retention { days, events }| Retention { days, events }),
    }
}

async fn open_config(State(resident): State<Resident>) -> Result<StatusCode, Refusal> {
    let path = resident.profile.config_file.clone();
    if !path.exists() {
        // For an editor to have something to open.
        resident.engine.set_order(Vec::new()).await?;
    }
    open::that_detached(&path).map_err(|error| {
        let message = format!("no program could be started for {}: {error}", path.display());
        Refusal::new(ErrorCode::Internal, message)
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// A setting of few words, as it is kept.
fn word_of(value: impl Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}

/// The language and the colours that an earlier run kept.
pub(super) fn kept(log: &EventLog) -> Result<(Language, Theme), LogError> {
    let language = log.setting(LANGUAGE)?.and_then(|text| from_word(&text)).unwrap_or_default();
    Ok((language, log.setting(THEME)?.and_then(|text| from_word(&text)).unwrap_or_default()))
}

fn from_word<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

impl Resident {
    pub(crate) async fn set_language(&self, language: Language) -> Result<(), engine::Error> {
        if let Some(word) = word_of(language) {
            self.engine.set_setting(LANGUAGE, &word).await?;
        }
        self.catalogue.set_locale(locale_of(language));
        self.language.send_replace(language);
        Ok(())
    }

    pub(super) async fn set_theme(&self, theme: Theme) -> Result<(), engine::Error> {
        if let Some(word) = word_of(theme) {
            self.engine.set_setting(THEME, &word).await?;
        }
        self.theme.send_replace(theme);
        Ok(())
    }
}

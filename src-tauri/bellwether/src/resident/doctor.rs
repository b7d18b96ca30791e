//! `GET /doctor`: what works here and what does not, as a list and as a text that can be passed on.

use std::env;

use axum::{Json, Router, extract::State, routing::get};
use bellwether_control::{messages::Catalogue, wire};
use jiff::tz::TimeZone;

use super::{
    Resident, reading,
    server::{Answer, Refusal},
};
use crate::{
    cli::{plain, reason_sentence, state_text, time},
    doctor::{self, Check},
};

pub(super) fn routes() -> Router<Resident> {
    Router::new().route("/doctor", get(look))
}

async fn look(State(resident): State<Resident>) -> Answer<wire::Doctor> {
    let catalogue = Catalogue::new(resident.catalogue.locale());
    let status = Ok(resident.status().await?);
    let checks = doctor::look(&resident.profile, &status, &catalogue).await;
    let log = resident.engine.log().clone();
    let size = reading::read(move || log.size()).await.map_err(Refusal::internal)?.ok();
    let mut report = Report { catalogue: &catalogue, text: String::new() };
    report.system();
    checks.iter().for_each(|check| report.check(check));
    if let Some(size) = size {
        let values = [("events", &*size.events.to_string()), ("kib", &*(size.bytes / 1024).to_string())];
        report.line(&catalogue.format("cli.doctor.report.log", &values));
    }
    if let Ok(status) = &status {
        status.feeds.iter().for_each(|feed| report.feed(feed));
    }
    let check = |check: &Check| wire::DoctorCheck {
        name: check.title(&catalogue),
        fine: Some(check.ok),
        text: plain::line(&check.detail),
    };
    Ok(Json(wire::Doctor { checks: checks.iter().map(check).collect(), report: report.text }))
}

/// The text, line by line. What others wrote stands in one line, without escape sequences; URLs are masked.
struct Report<'c> {
    catalogue: &'c Catalogue,
    text: String,
}

impl Report<'_> {
    fn line(&mut self, line: &str) {
        self.text += &plain::line(line);
        self.text.push('\n');
    }

    fn system(&mut self) {
        let named = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        let pretty = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
        let desktop = [named("XDG_CURRENT_DESKTOP"), named("XDG_SESSION_TYPE")];
        let desktop: Vec<String> = desktop.into_iter().flatten().collect();
        self.line(&format!(
            "Bellwether {} · {} {} · {} · {} · {}",
            doctor::VERSION,
            env::consts::OS,
            env::consts::ARCH,
            pretty.unwrap_or("?").trim_matches('"'),
            if desktop.is_empty() { "–".to_owned() } else { desktop.join(" ") },
            time::local(&jiff::Timestamp::now().to_string(), &TimeZone::system()),
        ));
    }

    fn check(&mut self, check: &Check) {
        let title = check.title(self.catalogue);
        self.line(&format!("{} · {title}: {}", check.verdict(self.catalogue), check.detail));
    }

    fn feed(&mut self, feed: &wire::Feed) {
        let state = state_text(feed.connection.state, self.catalogue);
        let reason = feed.connection.reason.as_ref().map(|reason| reason_sentence(reason, self.catalogue));
        let reason = reason.map_or_else(String::new, |reason| format!(" · {reason}"));
        let preset = feed.preset.as_ref().map_or("–", |preset| &preset.id);
        let Counts { events, repeats, oversized } = Counts::of(feed);
        let values = [
            ("rules", &*feed.rules.to_string()),
            ("preset", preset),
            ("events", &events),
            ("repeats", &repeats),
            ("oversized", &oversized),
        ];
        let facts = self.catalogue.format("cli.doctor.report.feed", &values);
        self.line(&format!("{} · {} · {state}{reason} · {facts}", feed.id, feed.url));
    }
}

struct Counts {
    events: String,
    repeats: String,
    oversized: String,
}

impl Counts {
    fn of(feed: &wire::Feed) -> Self {
        let wire::Counts { events, repeats, oversized, .. } = feed.counts;
        Self { events: events.to_string(), repeats: repeats.to_string(), oversized: oversized.to_string() }
    }
}

//! `bellwether probe`: what there is at a URL, without the resident program.

use std::sync::Arc;

use bellwether_control::{messages::Catalogue, paths::Profile, wire};
use bellwether_engine::{
    access::Credentials,
    config::ConfigFile,
    feed::Feed,
    network::Network,
    preset,
    probe::{BUDGET, probe},
    subscription::Client,
};

use super::{
    Failure, USER_AGENT,
    output::{Output, Paint, Span, Table},
    status::{config_sentence, reason_sentence},
};
use crate::{
    args::ProbeArgs,
    keyring::Keyring,
    resident::{config_error, probe_on_the_wire},
};

/// Says what was found; a [`Failure`] if it is no event stream that can be used.
pub(super) async fn run(
    args: &ProbeArgs,
    profile: &Profile,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    let client = Client::new(USER_AGENT).map_err(|error| Failure::Said(error.to_string()))?;
    let headers = args.headers.iter().cloned().collect();
    let feed = feed_of(args, profile, catalogue)?;
    let url = feed.as_ref().map_or_else(|| args.url.clone().unwrap_or_default(), |feed| feed.url.to_string());
    let network = args.network.over(feed.as_ref().map_or_else(Network::default, |feed| feed.network.clone()));
    let mut credentials = feed.map_or_else(Credentials::default, |feed| Credentials {
        access: feed.access.clone(),
        feed: Some(feed.id.clone()),
        keyring: Arc::new(Keyring::of(profile)),
    });
    credentials.access.plain_http |= args.plain_http;
    let found = probe_on_the_wire(probe(&client, &url, headers, credentials, &network, BUDGET).await);
    show(&found, args.json, catalogue, output)
}

/// The feed that is named, or the one that has the URL.
fn feed_of(args: &ProbeArgs, profile: &Profile, catalogue: &Catalogue) -> Result<Option<Arc<Feed>>, Failure> {
    let config = ConfigFile::new(&profile.config_file).load();
    let Some(id) = &args.feed else {
        // A broken feeds.toml is no reason not to look at an address.
        let url = args.url.as_deref().unwrap_or_default();
        return Ok(config.unwrap_or_default().feed_of(url).cloned());
    };
    let path = profile.config_file.display().to_string();
    let broken = |error| Failure::Said(config_sentence(&path, &config_error(&error), catalogue));
    let feed = config.map_err(broken)?.feeds.into_iter().find(|feed| feed.id.as_str() == id);
    let none = || Failure::Said(catalogue.format("mistake.no_such_feed", &[("id", id)]));
    feed.map(Some).ok_or_else(none)
}

fn show(found: &wire::Probe, json: bool, catalogue: &Catalogue, output: &mut Output) -> Result<(), Failure> {
    if json {
        output.json(found)?;
        return if found.usable { Ok(()) } else { Err(Failure::Shown) };
    }
    if found.usable {
        output.line([Span::new(catalogue.text("cli.probe.usable")).paint(Paint::Green)])?;
    }
    output.whole_table(&facts(found, catalogue))?;
    hint(found, catalogue, output)?;
    if !found.events.is_empty() {
        output.table(&events(&found.events, catalogue))?;
    } else if let (true, Some(seconds)) = (found.usable, found.listened_seconds) {
        let text = catalogue.format("cli.probe.no_event", &[("seconds", &number(seconds))]);
        output.line([text])?;
    }
    if found.ended && found.usable {
        output.line([catalogue.text("cli.probe.ended")])?;
    }
    match &found.fault {
        None => Ok(()),
        Some(fault) => Err(Failure::Said(sentence(fault, catalogue))),
    }
}

/// The cause and its remedy; its stable name and particular where the catalogue does not know it.
fn sentence(fault: &wire::ProbeFault, catalogue: &Catalogue) -> String {
    let key = format!("probe.{}", fault.code);
    let without_detail = format!("{key}_none");
    if fault.detail.is_empty() && catalogue.has(&without_detail) {
        return catalogue.text(&without_detail).to_owned();
    }
    if catalogue.has(&key) {
        return catalogue.format(&key, &[("detail", &fault.detail)]);
    }
    let reason = wire::ConnectionReason { code: fault.code.clone(), detail: fault.detail.clone() };
    reason_sentence(&reason, catalogue)
}

/// What the provider wants, where it is known and something is missing: credentials, or another address.
fn hint(found: &wire::Probe, catalogue: &Catalogue, output: &mut Output) -> Result<(), Failure> {
    let preset = found.preset.as_ref().and_then(|preset| preset::by_id(&preset.id));
    let (Some(preset), Some(fault)) = (preset, &found.fault) else { return Ok(()) };
    let name = ("name", &*preset.name);
    if matches!(fault.code.as_str(), "unauthorized" | "forbidden") && !preset.auth.is_empty() {
        let kinds = ("kinds", &*preset.auth.join(", "));
        output.line([catalogue.format("cli.probe.preset_access", &[name, kinds])])?;
    } else if found.status.is_some() {
        let help = ("help", preset.help(catalogue.locale()));
        output.line([catalogue.format("cli.probe.preset_help", &[name, help])])?;
    }
    Ok(())
}

fn facts(found: &wire::Probe, catalogue: &Catalogue) -> Table {
    let mut table = Table::default();
    let mut fact = |label: String, value: String| {
        table.row([Span::from(label).paint(Paint::Dim), Span::from(value)]);
    };
    for redirect in &found.redirects {
        let label = catalogue.format("cli.probe.redirect", &[("status", &redirect.status.to_string())]);
        let url = redirect.url.as_str();
        let other = || catalogue.format("cli.probe.other_origin", &[("url", url)]);
        fact(label, if redirect.other_origin { other() } else { url.to_owned() });
    }
    let text = |key| catalogue.text(key).to_owned();
    if let Some(status) = found.status {
        let answer = format!("{status} {}", found.content_type.as_deref().unwrap_or_default());
        fact(text("cli.probe.answer"), answer.trim_end().to_owned());
    }
    if let Some(preset) = &found.preset {
        let values = [("name", &*preset.name), ("why", &catalogue.sentence(&preset.why))];
        fact(text("cli.probe.preset"), catalogue.format("cli.probe.preset_found", &values));
    }
    // The rest says something about a stream that was heard.
    let (true, Some(listened)) = (found.usable, found.listened_seconds) else { return table };
    let seconds = |key, seconds| catalogue.format(key, &[("seconds", &number(seconds))]);
    let keep_alive = match found.keep_alive_seconds {
        Some(interval) => seconds("cli.probe.every", interval),
        None => seconds("cli.probe.keep_alive_none", listened),
    };
    fact(text("cli.probe.keep_alive"), keep_alive);
    let retry = match found.retry_seconds {
        Some(time) => seconds("cli.probe.retry_after", time),
        None => text("cli.probe.retry_none"),
    };
    fact(text("cli.probe.retry"), retry);
    let ids = if found.last_event_ids { "cli.probe.ids_yes" } else { "cli.probe.ids_no" };
    fact(text("cli.probe.ids"), text(ids));
    table
}

fn events(events: &[wire::ProbeEvent], catalogue: &Catalogue) -> Table {
    let mut table = Table::default();
    table
        .titles(["cli.column.event", "cli.column.count", "cli.column.sample"].map(|key| catalogue.text(key)));
    for seen in events {
        let mut sample = seen.data.clone();
        if seen.data_truncated {
            sample.push('…');
        }
        table.row([Span::new(&seen.event), Span::from(seen.count.to_string()), Span::from(sample)]);
    }
    table
}

/// Seconds with one decimal, if it says anything.
fn number(seconds: f64) -> String {
    let text = format!("{seconds:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests;

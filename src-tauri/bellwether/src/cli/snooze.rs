//! `bellwether snooze`: no popups for a while.

use bellwether_control::{client::Client, messages::Catalogue, wire};
use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::{
    Failure,
    output::{Output, Paint, Span},
    time,
};
use crate::args::SnoozeArgs;

pub(super) async fn run(
    args: &SnoozeArgs,
    client: &Client,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    let wish = wire::SnoozeWish { feed: args.feed.clone(), until: Some(args.until.join(" ")) };
    let attention = client.snooze(&wish).await?;
    let Some(id) = &args.feed else {
        if args.json {
            return Ok(output.json(&attention)?);
        }
        let said = sentences(&attention, &Zoned::now(), catalogue);
        let done = catalogue.text("cli.snooze.off").to_owned();
        return Ok(output.line([said.unwrap_or(done)])?);
    };
    let feed = client.feeds().await?.into_iter().find(|feed| feed.id == *id);
    if args.json {
        return Ok(output.json(&feed)?);
    }
    let now = Zoned::now();
    let line = match feed.and_then(|feed| feed.snoozed_until) {
        Some(until) => {
            let until = time::clock(&until, &now, catalogue);
            catalogue.format("cli.snooze.feed", &[("id", id), ("time", &until)])
        }
        None => catalogue.format("cli.snooze.feed_off", &[("id", id)]),
    };
    Ok(output.line([line])?)
}

/// Until when popups of all feeds are held back, and how many wait; `None`: they are not.
pub(super) fn sentences(attention: &wire::Attention, now: &Zoned, catalogue: &Catalogue) -> Option<String> {
    let until = |key, moment: &Option<String>| {
        let until = time::clock(moment.as_deref()?, now, catalogue);
        Some(catalogue.format(key, &[("time", &until)]))
    };
    let mut sentences: Vec<String> = [
        until("attention.snoozed", &attention.snoozed_until),
        until("attention.quiet", &attention.quiet_until),
    ]
    .into_iter()
    .flatten()
    .collect();
    if sentences.is_empty() {
        return None;
    }
    if attention.held > 0 {
        sentences.push(catalogue.count("attention.held", attention.held));
    }
    Some(sentences.join(" · "))
}

/// The same as a line of `status`.
pub(super) fn line(
    attention: &wire::Attention,
    now: Timestamp,
    zone: &TimeZone,
    catalogue: &Catalogue,
) -> Option<Span> {
    let said = sentences(attention, &now.to_zoned(zone.clone()), catalogue)?;
    Some(Span::from(said).paint(Paint::Yellow))
}

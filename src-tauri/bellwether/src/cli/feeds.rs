//! `bellwether feeds`: list them, change them.

use bellwether_control::{client::Client, messages::Catalogue, wire};

use super::{
    Failure, credential,
    output::{Output, Paint, Span, Table},
    rules,
    status::{state_span, unverified},
};
use crate::args::{FeedSettings, FeedsAction, FeedsArgs, Repeats};

pub(super) async fn run(
    args: &FeedsArgs,
    client: &Client,
    status: &wire::Status,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    let Some(action) = &args.action else {
        if args.json {
            return Ok(output.json(&status.feeds)?);
        }
        return list(&status.feeds, catalogue, output);
    };
    if let FeedsAction::Credential(wish) = action {
        return credential::run(wish, args.json, client, catalogue, output).await;
    }
    let answer = change(action, client).await?;
    if args.json {
        return Ok(output.json(&answer.feed)?);
    }
    let feed = answer.feed.as_ref();
    let id = feed.map_or(answer.id, |feed| &feed.id);
    let url = feed.map_or("", |feed| &feed.url);
    Ok(output.line([catalogue.format(answer.message, &[("id", id), ("url", url)])])?)
}

fn list(feeds: &[wire::Feed], catalogue: &Catalogue, output: &mut Output) -> Result<(), Failure> {
    if feeds.is_empty() {
        return Ok(output.line([catalogue.text("cli.feeds.none")])?);
    }
    let mut table = Table::default();
    table.titles(
        [
            "cli.column.id",
            "cli.column.name",
            "cli.column.state",
            "cli.column.preset",
            "cli.column.events",
            "cli.column.unread",
            "cli.column.url",
        ]
        .map(|key| catalogue.text(key)),
    );
    for feed in feeds {
        table.row([
            Span::new(&feed.id),
            Span::new(&feed.name),
            state_span(feed.connection.state, catalogue),
            Span::new(feed.preset.as_ref().map_or("", |preset| &preset.id)),
            Span::from(feed.counts.events.to_string()),
            Span::from(feed.counts.unread.to_string()),
            Span::from(match unverified(feed, catalogue) {
                Some(warning) => format!("{}  {warning}", feed.url),
                None => feed.url.clone(),
            }),
        ]);
    }
    output.table(&table)?;
    for feed in feeds {
        for fault in &feed.rule_faults {
            let line = format!("{}: {}", feed.id, rules::fault(fault, catalogue));
            output.line([Span::from(line).paint(Paint::Red)])?;
        }
        // What a person set needs no word.
        let Some(preset) = feed.preset.as_ref().filter(|preset| preset.chosen != wire::PresetChoice::Set)
        else {
            continue;
        };
        let values = [("id", &*feed.id), ("name", &preset.name), ("why", &catalogue.sentence(&preset.why))];
        output.line([Span::from(catalogue.format("cli.feeds.preset", &values)).paint(Paint::Dim)])?;
    }
    Ok(())
}

/// What came of a change.
struct Answer<'a> {
    /// The feed's id as given.
    id: &'a str,
    /// The feed as it is now, where there is one.
    feed: Option<wire::Feed>,
    /// The key of what is to be said.
    message: &'static str,
}

async fn change<'a>(action: &'a FeedsAction, client: &Client) -> Result<Answer<'a>, Failure> {
    let answer = |id, feed, message| Ok(Answer { id, feed, message });
    match action {
        FeedsAction::Add { url, id, name, paused } => {
            let draft = wire::FeedDraft {
                url: url.clone(),
                id: id.clone(),
                name: name.clone(),
                paused: paused.then_some(true),
                ..wire::FeedDraft::default()
            };
            let feed = client.add_feed(&draft).await?;
            let message = if feed.paused { "cli.feeds.added_paused" } else { "cli.feeds.added" };
            answer("", Some(feed), message)
        }
        FeedsAction::Remove { id } => {
            client.remove_feed(id).await?;
            answer(id, None, "cli.feeds.removed")
        }
        FeedsAction::Restore { id } => answer(id, Some(client.restore_feed(id).await?), "cli.feeds.restored"),
        FeedsAction::Pause { id } => answer(id, Some(client.pause_feed(id).await?), "cli.feeds.paused"),
        FeedsAction::Resume { id } => answer(id, Some(client.resume_feed(id).await?), "cli.feeds.resumed"),
        FeedsAction::Mute { id } => {
            answer(id, Some(client.edit_feed(id, &muted(true)).await?), "cli.feeds.muted")
        }
        FeedsAction::Unmute { id } => {
            answer(id, Some(client.edit_feed(id, &muted(false)).await?), "cli.feeds.unmuted")
        }
        FeedsAction::Reconnect { id } => {
            client.reconnect(id.as_deref()).await?;
            match id {
                Some(id) => answer(id, None, "cli.feeds.reconnecting"),
                None => answer("", None, "cli.feeds.reconnecting_all"),
            }
        }
        FeedsAction::Test { id } => {
            client.test_feed(id).await?;
            answer(id, None, "cli.feeds.tested")
        }
        // It has more to say than one line.
        FeedsAction::Credential(wish) => answer(&wish.id, None, "cli.feeds.edited"),
        FeedsAction::Edit { id, settings } => {
            answer(id, Some(client.edit_feed(id, &edit(settings)).await?), "cli.feeds.edited")
        }
    }
}

fn muted(muted: bool) -> wire::FeedEdit {
    wire::FeedEdit { muted: Some(muted), ..wire::FeedEdit::default() }
}

fn edit(settings: &FeedSettings) -> wire::FeedEdit {
    wire::FeedEdit {
        name: settings.name.clone(),
        url: settings.url.clone(),
        group: settings.group.clone(),
        idle_timeout_seconds: settings.idle_timeout,
        repeats: settings.repeats.map(|repeats| match repeats {
            Repeats::Hide => wire::Repeats::Hide,
            Repeats::Show => wire::Repeats::Show,
        }),
        ..wire::FeedEdit::default()
    }
}

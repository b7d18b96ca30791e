//! Calm popups of connections: feeds that cannot be reached for long, and feeds that have grown silent. What is to be told, and
//! when, is [`bellwether_engine::alert`]'s; here it is asked when something changed, or when it may have something to say.

use std::time::{Duration, Instant};

use bellwether_control::{messages::Catalogue, wire::PartName};
use bellwether_engine::{
    alert::{Alert, Alerts, Seen},
    engine::{FeedView, Update},
    event_log::Query,
    feed::{FeedId, Silence},
    notification::Urgency,
};
use tokio::{
    sync::{
        broadcast::{
            Receiver,
            error::{RecvError, TryRecvError},
        },
        watch as watched,
    },
    time::{sleep, sleep_until},
};

use super::{
    Resident,
    popups::{Notice, QueueFull},
    reading,
};

/// How often feeds are looked at the most: what changes until then is seen at once.
const PAUSE: Duration = Duration::from_millis(500);

/// When a popup that found no place in the queue is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// From how many of a feed's newest events its usual silence is learned.
const LEARNED: u32 = 512;

/// How many feeds a popup names.
const NAMED: usize = 5;

/// Tells of outages and silences from now on, until the engine ends.
pub(super) async fn watch(resident: Resident, mut woke_up: watched::Receiver<u32>) {
    let mut updates = resident.engine.updates();
    let mut parts = resident.parts.changes();
    let mut alerts = Alerts::new();
    while let Some(due) = look(&resident, &mut alerts).await {
        let due = async {
            match due {
                Some(due) => sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = changed(&mut updates) => match changed {
                Ok(()) => sleep(PAUSE).await,
                Err(_) => return,
            },
            // A notification server may have come.
            Ok(()) = parts.changed() => {}
            Ok(()) = woke_up.changed() => alerts.woke_up(Instant::now()),
            () = due => {}
        }
        // All that came meanwhile is in the next look.
        while !matches!(updates.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
    }
}

/// Waits for a change that may matter; an error if there will be none any more.
async fn changed(updates: &mut Receiver<Update>) -> Result<(), RecvError> {
    loop {
        match updates.recv().await {
            Ok(Update::Feed(_) | Update::Config | Update::Attention) | Err(RecvError::Lagged(_)) => {
                return Ok(());
            }
            Ok(_) => {}
            Err(closed) => return Err(closed),
        }
    }
}

/// Looks at all feeds, tells what is to be told, and gives when to look again if nothing changes. `None`: the engine has ended.
async fn look(resident: &Resident, alerts: &mut Alerts) -> Option<Option<Instant>> {
    let views = resident.engine.feeds().await.ok()?;
    let settings = resident.engine.notifications().await.ok()?;
    let attention = resident.engine.attention().await.ok()?;
    let held = attention.snoozed_until.is_some()
        || attention.quiet_until.is_some()
        || !resident.parts.is_available(PartName::Notifications);
    let mut feeds: Vec<Seen> = views.iter().map(Seen::from).collect();
    for seen in &mut feeds {
        seen.held |= held;
        if alerts.has_to_learn(seen) {
            learn(resident, alerts, &seen.feed).await;
        }
    }
    let now = Instant::now();
    alerts.look(feeds, settings.outage_alert, now);
    while let Some(alert) = alerts.next(now) {
        if !tell(resident, &views, &alert) {
            return Some(now.checked_add(AGAIN));
        }
        alerts.told(&alert);
    }
    Some(alerts.due(now))
}

async fn learn(resident: &Resident, alerts: &mut Alerts, feed: &FeedId) {
    let log = resident.engine.log().clone();
    let query = Query { feed: Some(feed.clone()), limit: LEARNED, preview: Some(0), ..Query::default() };
    // A log that cannot be read now teaches nothing, and what comes from now on does.
    let records = match reading::read(move || log.page(&query)).await {
        Ok(Ok(page)) => page.records,
        _ => Vec::new(),
    };
    alerts.learn(feed, records.iter().rev().map(|record| record.received_at));
}

/// What popups tell that ask for nothing; each takes the place of the one before of its feed, or of all.
const OUTAGE: &str = "outage";
const SILENCE: &str = "silence";

/// Shows a popup, or takes one away; whether that could be handed over.
fn tell(resident: &Resident, views: &[FeedView], alert: &Alert) -> bool {
    let (popups, catalogue) = (&resident.popups, &resident.catalogue);
    let find = |id: &FeedId| views.iter().find(|view| view.feed.id == *id);
    let name = |id: &FeedId| find(id).map_or_else(|| id.to_string(), |view| view.feed.name.clone());
    let show = |kind, feed: &str, title, body, category| -> Result<(), QueueFull> {
        popups.show_notice(Notice { feed, kind, title, body, urgency: Urgency::Low, category })
    };
    let shown = match alert {
        Alert::Out(feeds) => {
            let names: Vec<String> = feeds.iter().map(name).collect();
            // Of one feed it is told why.
            let reason = feeds.first().filter(|_| feeds.len() == 1).and_then(find).and_then(reason);
            let body = reason.map_or_else(
                || named(&names, catalogue),
                |(code, detail)| resident.catalogue.format(&format!("reason.{code}"), &[("detail", &detail)]),
            );
            show(OUTAGE, "", title("alert.out", &names, catalogue), body, "network.disconnected")
        }
        Alert::Back(feeds) => {
            let names: Vec<String> = feeds.iter().map(name).collect();
            let body = if names.len() > 1 { named(&names, catalogue) } else { String::new() };
            show(OUTAGE, "", title("alert.back", &names, catalogue), body, "network.connected")
        }
        Alert::Over => {
            popups.take_notice_away("", OUTAGE);
            Ok(())
        }
        Alert::Silent(feed, time) => {
            let usual = find(feed).is_some_and(|view| view.feed.silence_alert == Some(Silence::Usual));
            let key = if usual { "alert.silent_usual_body" } else { "alert.silent_body" };
            let body = catalogue.format(key, &[("time", &long(*time, catalogue))]);
            let title = catalogue.format("alert.silent", &[("feed", &name(feed))]);
            show(SILENCE, feed.as_str(), title, body, "x-bellwether.silence")
        }
        Alert::Heard(feed) => {
            let title = catalogue.format("alert.heard", &[("feed", &name(feed))]);
            let body = catalogue.text("alert.heard_body").to_owned();
            show(SILENCE, feed.as_str(), title, body, "x-bellwether.silence")
        }
        Alert::NotSilent(feed) => {
            popups.take_notice_away(feed.as_str(), SILENCE);
            Ok(())
        }
    };
    shown.is_ok()
}

/// Why a feed is not connected: the reason's code, and its particular.
fn reason(view: &FeedView) -> Option<(String, String)> {
    let reason = view.connection.reason.as_ref()?;
    let detail = reason.detail();
    let none = if detail.is_empty() { "_none" } else { "" };
    let code = match reason.code() {
        "content_type" => format!("content_type{none}"),
        code => code.to_owned(),
    };
    Some((code, detail))
}

fn title(key: &str, names: &[String], catalogue: &Catalogue) -> String {
    match names {
        [name] => catalogue.format(&format!("{key}_one"), &[("feed", name)]),
        names => catalogue.count(key, names.len() as u64),
    }
}

/// The first names, and how many more there are.
fn named(names: &[String], catalogue: &Catalogue) -> String {
    let first: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let first = first.join(catalogue.text("alert.separator"));
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => catalogue.format("alert.more", &[("names", &first), ("count", &more.to_string())]),
    }
}

/// A time in the largest unit of which it is at least two, or in minutes.
fn long(time: Duration, catalogue: &Catalogue) -> String {
    let seconds = time.as_secs();
    let (unit, count) = match seconds {
        0..60 => ("time.seconds", seconds),
        60..7_200 => ("time.minutes", seconds / 60),
        7_200..172_800 => ("time.hours", seconds / 3_600),
        _ => ("time.days", seconds / 86_400),
    };
    catalogue.count(unit, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn popups_name_the_first_feeds_and_count_the_rest() {
        let names = |count: usize| (1..=count).map(|n| format!("f{n}")).collect::<Vec<_>>();
        let (english, chinese) = (Catalogue::new("en"), Catalogue::new("zh-CN"));
        for (count, catalogue, expected_title, expected_body) in [
            (1, &english, "f1 cannot be reached", "f1"),
            (2, &english, "2 feeds cannot be reached", "f1, f2"),
            (7, &english, "7 feeds cannot be reached", "f1, f2, f3, f4, f5 and 2 more"),
            (1, &chinese, "无法连接到 f1", "f1"),
            (6, &chinese, "6 个订阅无法连接", "f1、f2、f3、f4、f5 等（另有 1 个）"),
        ] {
            let names = names(count);
            assert_eq!(title("alert.out", &names, catalogue), expected_title);
            assert_eq!(named(&names, catalogue), expected_body);
        }
    }

    #[test]
    fn times_in_words() {
        let english = Catalogue::new("en");
        for (seconds, expected) in [
            (2, "2 seconds"),
            (60, "1 minute"),
            (7_199, "119 minutes"),
            (7_200, "2 hours"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(long(Duration::from_secs(seconds), &english), expected);
        }
    }
}

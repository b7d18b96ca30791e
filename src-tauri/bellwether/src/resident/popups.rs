//! What popups tell: the engine's way to the notification server, what the program itself has to say, and what a click means.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bellwether_control::{
    messages::Catalogue,
    paths::Profile,
    wire::{OpenWindow, PartName},
};
use bellwether_engine::{
    engine::{self, Notifier, Report, Summary, SummaryKind},
    event_log::ReadMark,
    feed::{Feed, FeedId},
    notification::{Expire, Sound, Urgency},
    subscription::image,
};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{Resident, open_link, say};
use crate::{
    desktop::Desktop,
    popup::{self, Click, Found, ImageCache, Offers, Place, PopupReport, Wish},
};

/// How many popups may wait for the notification server; the engine hands over a few at a time.
const QUEUE: usize = 16;

/// Places in that queue that popups without an event leave free: more than the engine ever needs at a time, for it waits for a report
/// of each of its popups.
const RESERVED: usize = 8;

/// How many popups may wait for their image at a time, fewer than the engine hands over: there is always room for one that needs
/// none.
const AWAIT_IMAGES: usize = 2;

/// How many feeds a digest names.
const DIGEST_FEEDS: usize = 6;

/// How long a click on "Mute 1 h" mutes.
const MUTE: Duration = Duration::from_secs(60 * 60);

/// The engine's way to the notification server. Clones share it.
#[derive(Clone)]
pub(crate) struct Popups {
    shared: Arc<Shared>,
}

struct Shared {
    wishes: mpsc::Sender<Wish>,
    images: mpsc::UnboundedSender<ImageWish>,
    cache: ImageCache,
    catalogue: Arc<Catalogue>,
    told: Mutex<Told>,
}

/// The popups that are on their way or on the screen.
#[derive(Default)]
struct Told {
    last: u64,
    popups: BTreeMap<u64, Telling>,
    /// What the program itself has to say and the notification server refused, of each place the newest.
    refused: Vec<popup::Popup>,
}

/// What a popup is about.
#[derive(Default)]
struct Telling {
    place: Option<Place>,
    /// The events that it was the first to tell of.
    events: Vec<u64>,
    feed: Option<FeedId>,
    /// What a click on it opens.
    url: Option<String>,
    links: Vec<String>,
    summary: Option<u64>,
    /// The notification server has it.
    shown: bool,
    /// It waits for its image.
    waits: Option<Box<popup::Popup>>,
    /// It is to be taken away.
    withdrawn: bool,
    /// What it says, if nothing else keeps that: the log has the events.
    notice: Option<Box<popup::Popup>>,
}

/// An image that a popup waits for.
pub(super) struct ImageWish {
    popup: u64,
    feed: FeedId,
    url: String,
}

/// What the program itself has to say of a feed, in place of what it said of the same kind before.
pub(super) struct Notice<'a> {
    /// Empty: of several.
    pub(super) feed: &'a str,
    pub(super) kind: &'static str,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) urgency: Urgency,
    /// Desktop Notifications 1.3, "Categories".
    pub(super) category: &'static str,
}

/// The popup was not taken: too many wait already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct QueueFull;

/// What became of the popups, and the images that they want: for [`hear`] and [`fetch_images`].
pub(crate) struct Ends {
    pub(super) reports: mpsc::Receiver<PopupReport>,
    pub(super) images: mpsc::UnboundedReceiver<ImageWish>,
}

/// Starts popups: the engine's end of them, and what becomes of each.
pub(crate) fn start(catalogue: &Arc<Catalogue>, desktop: &Desktop, profile: &Profile) -> (Popups, Ends) {
    // A withdrawal for each popup that there can be fits in as well.
    let (wishes, reports) = popup::start(QUEUE + popup::REMEMBERED, Arc::clone(catalogue), desktop);
    let (popups, images) = Popups::new(wishes, catalogue, profile.cache.join("images"));
    (popups, Ends { reports, images })
}

impl Popups {
    fn new(
        wishes: mpsc::Sender<Wish>,
        catalogue: &Arc<Catalogue>,
        images: PathBuf,
    ) -> (Self, mpsc::UnboundedReceiver<ImageWish>) {
        let (sender, wanted) = mpsc::unbounded_channel();
        let shared = Shared {
            wishes,
            images: sender,
            cache: ImageCache::new(images),
            catalogue: Arc::clone(catalogue),
            told: Mutex::default(),
        };
        (Self { shared: Arc::new(shared) }, wanted)
    }

    /// A popup that shows that popups work.
    pub(crate) fn show_test(&self) -> Result<(), QueueFull> {
        let popup = popup::Popup {
            summary: self.text("popup.test_title"),
            body: self.text("popup.test_body"),
            ..plain()
        };
        self.show_own(Telling::default(), popup)
    }

    /// A popup that tells what keeps a feed from connecting, in place of what the last one told of it.
    pub(super) fn show_attention(&self, feed: &Feed, body: String) -> Result<(), QueueFull> {
        self.show_notice(Notice {
            feed: feed.id.as_str(),
            kind: "attention",
            title: feed.name.clone(),
            body,
            urgency: Urgency::Normal,
            category: "x-bellwether.attention",
        })
    }

    /// A popup of the program's own.
    pub(super) fn show_notice(&self, notice: Notice<'_>) -> Result<(), QueueFull> {
        let Notice { feed, kind, title, body, urgency, category } = notice;
        let place = Place::Notice { feed: feed.to_string(), kind };
        let place = Some(place);
        let popup = popup::Popup { place: place.clone(), summary: title, body, urgency, category, ..plain() };
        let notice = Some(Box::new(popup.clone()));
        self.show_own(Telling { place, notice, ..Telling::default() }, popup)
    }

    /// Takes away what the program said of a feed, if it is still there.
    pub(super) fn take_notice_away(&self, feed: &str, kind: &'static str) {
        self.take_away(&Place::Notice { feed: feed.to_owned(), kind });
    }

    fn take_away(&self, place: &Place) {
        let mut told = self.told();
        for (number, telling) in &mut told.popups {
            if telling.place.as_ref() != Some(place) || std::mem::replace(&mut telling.withdrawn, true) {
                continue;
            }
            if let Some(popup) = telling.waits.take() {
                self.send(popup);
            }
            let _ = self.shared.wishes.try_send(Wish::Withdraw(*number));
        }
    }

    fn show_own(&self, telling: Telling, popup: popup::Popup) -> Result<(), QueueFull> {
        let mut told = self.told();
        if told.popups.values().filter(|telling| !telling.shown).count() >= QUEUE - RESERVED {
            return Err(QueueFull);
        }
        self.hand_over(&mut told, telling, popup, None);
        Ok(())
    }

    /// Gives a popup its number and sends it on its way. With the URL of an image it may have to wait for that.
    fn hand_over(
        &self,
        told: &mut Told,
        mut telling: Telling,
        mut popup: popup::Popup,
        image: Option<(FeedId, String)>,
    ) {
        told.last += 1;
        popup.number = told.last;
        popup.place.clone_from(&telling.place);
        // What stood in this place must come before this one.
        if telling.place.is_some() {
            let before = told.popups.values_mut().filter(|before| before.place == telling.place);
            before.filter_map(|before| before.waits.take()).for_each(|popup| self.send(popup));
            told.refused.retain(|refused| refused.place != telling.place);
        }
        let waiting = told.popups.values().filter(|telling| telling.waits.is_some()).count();
        match image
            .map(|(feed, url)| (self.shared.cache.look(feed.as_str(), &url, Instant::now()), feed, url))
        {
            Some((Found::File(path), ..)) => popup.image = Some(path),
            Some((Found::Unknown, feed, url)) if waiting < AWAIT_IMAGES => {
                let wish = ImageWish { popup: popup.number, feed, url };
                if self.shared.images.send(wish).is_ok() {
                    telling.waits = Some(Box::new(popup));
                    told.popups.insert(told.last, telling);
                    return;
                }
            }
            _ => {}
        }
        told.popups.insert(told.last, telling);
        self.send(Box::new(popup));
    }

    /// A popup has its image, or gets none.
    fn release(&self, number: u64, image: Option<PathBuf>) {
        let waiting = self.told().popups.get_mut(&number).and_then(|telling| telling.waits.take());
        if let Some(mut popup) = waiting {
            popup.image = image;
            self.send(popup);
        }
    }

    /// The notification server did not take a popup; returns its events, which the engine offers again.
    fn refused(&self, number: u64) -> Vec<u64> {
        let mut told = self.told();
        let Telling { events, notice, .. } = told.popups.remove(&number).unwrap_or_default();
        let stands = |place: &Option<Place>| {
            told.popups.values().any(|telling| !telling.shown && telling.place == *place)
        };
        let notice = notice.filter(|notice| !stands(&notice.place));
        told.refused.extend(notice.map(|notice| *notice));
        events
    }

    /// The notification server takes popups: what it refused of ours is shown now.
    fn show_refused(&self) {
        let mut told = self.told();
        for popup in std::mem::take(&mut told.refused) {
            let (place, notice) = (popup.place.clone(), Some(Box::new(popup.clone())));
            self.hand_over(&mut told, Telling { place, notice, ..Telling::default() }, popup, None);
        }
    }

    fn send(&self, popup: Box<popup::Popup>) {
        // There is room for all that may be on their way at a time; nobody receives any more only when the program ends.
        let _ = self.shared.wishes.try_send(Wish::Show(popup));
    }

    fn text(&self, key: &str) -> String {
        self.shared.catalogue.text(key).to_owned()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.shared.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of what was drawn together, and as much of it as fits.
    fn summary_text(&self, summary: &Summary) -> String {
        let catalogue = &self.shared.catalogue;
        let key = match summary.kind {
            SummaryKind::Flood | SummaryKind::Backlog => "popup.backlog",
            SummaryKind::CatchUp => "popup.catch_up",
            SummaryKind::Digest => "popup.digest",
        };
        let mut lines = vec![catalogue.count(key, summary.count)];
        if summary.feeds.is_empty() {
            lines.extend(summary.titles.iter().cloned());
        }
        for (name, count) in summary.feeds.iter().take(DIGEST_FEEDS) {
            let count = count.to_string();
            lines.push(catalogue.format("popup.digest_line", &[("feed", name), ("count", &count)]));
        }
        let more = summary.feeds.len().saturating_sub(DIGEST_FEEDS);
        if more > 0 {
            lines.push(catalogue.count("popup.digest_more", more as u64));
        }
        lines.join("\n")
    }
}

/// A popup of the program's own, without anything.
fn plain() -> popup::Popup {
    popup::Popup {
        number: 0,
        place: None,
        summary: String::new(),
        body: String::new(),
        urgency: Urgency::Normal,
        category: "x-bellwether.notice",
        sound: Sound::Default,
        expire: Expire::Default,
        image: None,
        group: None,
        offers: Offers::default(),
    }
}

impl Notifier for Popups {
    fn show(&mut self, popup: engine::Popup) {
        let engine::Popup { events, feed, feed_name, notification, images, sound, summary } = popup;
        let mut shown = popup::Popup {
            urgency: notification.urgency,
            sound: if sound { notification.sound } else { Sound::Silent },
            offers: Offers { mute: feed.is_some(), read: !events.is_empty(), ..Offers::default() },
            ..plain()
        };
        let mut telling = Telling { events, feed, ..Telling::default() };
        let mut image = None;
        if let Some(summary) = summary {
            shown.category = "x-bellwether.summary";
            shown.summary = if telling.feed.is_some() { feed_name } else { self.text("popup.digest_title") };
            shown.body = self.summary_text(&summary);
            shown.offers.read = true;
            telling.place = Some(Place::Summary(summary.id));
            telling.summary = Some(summary.id);
        } else {
            shown.category = "x-bellwether.event";
            shown.summary = notification.title;
            shown.body = notification.body;
            shown.expire = notification.expire;
            shown.group = notification.group;
            shown.offers.opens_link = notification.url.is_some();
            let (labels, links) =
                notification.buttons.into_iter().map(|button| (button.label, button.url)).unzip();
            shown.offers.links = labels;
            telling.links = links;
            telling.url = notification.url;
            telling.place = telling
                .feed
                .as_ref()
                .zip(notification.key)
                .map(|(feed, key)| Place::Key { feed: feed.to_string(), key });
            image = telling.feed.clone().zip(notification.icon).filter(|_| images);
        }
        self.hand_over(&mut self.told(), telling, shown, image);
    }

    fn withdraw(&mut self, feed: &FeedId, key: &str) {
        self.take_away(&Place::Key { feed: feed.to_string(), key: key.to_owned() });
    }
}

/// Fetches the images that popups wait for, until the program ends.
pub(super) async fn fetch_images(resident: Resident, mut wishes: mpsc::UnboundedReceiver<ImageWish>) {
    while let Some(wish) = wishes.recv().await {
        let resident = resident.clone();
        tokio::spawn(async move {
            let ImageWish { popup, feed, url } = wish;
            let path = tokio::time::timeout(image::BUDGET, fetch_image(&resident, &feed, &url)).await;
            resident.popups.release(popup, path.ok().flatten());
        });
    }
}

async fn fetch_image(resident: &Resident, feed: &FeedId, url: &str) -> Option<PathBuf> {
    let settings = resident.feed(feed).await.ok().filter(|settings| settings.images)?;
    let fetched = image::image(&resident.client, &settings.url, &settings.network, url).await;
    let (popups, feed, url) = (resident.popups.clone(), feed.to_string(), url.to_owned());
    let keep = move || {
        let cache = &popups.shared.cache;
        let kept = fetched.ok().and_then(|image| cache.keep(&feed, &url, &image, Instant::now()).ok());
        if kept.is_none() {
            cache.fail(&feed, &url, Instant::now());
        }
        kept
    };
    tokio::task::spawn_blocking(keep).await.ok().flatten()
}

/// Hears what becomes of popups, until the program ends.
pub(super) async fn hear(resident: Resident, mut reports: mpsc::Receiver<PopupReport>) {
    // What keeps popups away is said once, not at each new attempt.
    let mut said = String::new();
    while let Some(report) = reports.recv().await {
        match report {
            PopupReport::Shown { popup } => {
                said.clear();
                let events = resident.popups.told().popups.get_mut(&popup).map(|telling| {
                    telling.shown = true;
                    telling.events.clone()
                });
                resident.engine.report(Report::Shown { events: events.unwrap_or_default() }).await;
                resident.popups.show_refused();
            }
            PopupReport::Failed { popup, reason } => {
                if said != reason && !reason.is_empty() {
                    say(&reason);
                    said = reason;
                }
                let events = resident.popups.refused(popup);
                resident.engine.report(Report::Failed { events }).await;
            }
            PopupReport::Activated { popup, click } => clicked(&resident, popup, click).await,
            PopupReport::Closed { popup } => closed(&resident, popup).await,
            PopupReport::Available(available, detail) => {
                resident.parts.set(PartName::Notifications, if available { Ok(detail) } else { Err(detail) });
                resident.engine.report(Report::Available(available)).await;
                if available {
                    resident.popups.show_refused();
                }
            }
        }
    }
}

/// A click: a link if it was one on a link, else the window, or what else the button says.
async fn clicked(resident: &Resident, popup: u64, click: Click) {
    let (url, links, feed, events, summary) = {
        let told = resident.popups.told();
        let Some(telling) = told.popups.get(&popup) else { return };
        let Telling { url, links, feed, events, summary, .. } = telling;
        (url.clone(), links.clone(), feed.clone(), events.clone(), *summary)
    };
    let link = match click {
        Click::Popup => url,
        Click::Link(at) => links.into_iter().nth(at),
        Click::Open | Click::Mute | Click::Read => None,
    };
    let done = match (click, link) {
        (_, Some(url)) => open_link(&url),
        (Click::Popup | Click::Open, None) => {
            let event = events.last().copied().filter(|_| summary.is_none());
            let wish = OpenWindow { event, summary };
            resident.window.open(wish).await.map_err(|error| error.to_string())
        }
        (Click::Mute, None) => mute(resident, feed).await,
        (Click::Read | Click::Link(_), None) => Ok(()),
    };
    if let Err(problem) = done {
        say(&problem);
    }
    let which = summary.map_or(ReadMark::Events(events), ReadMark::Summary);
    if !matches!(&which, ReadMark::Events(events) if events.is_empty()) {
        let _ = resident.engine.mark_read(which, true).await;
    }
}

async fn mute(resident: &Resident, feed: Option<FeedId>) -> Result<(), String> {
    let until = Timestamp::now().checked_add(MUTE).ok();
    match feed {
        Some(feed) => resident.engine.snooze(Some(feed), until).await.map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

/// A popup is gone.
async fn closed(resident: &Resident, popup: u64) {
    let gone = {
        let mut told = resident.popups.told();
        let summary = told.popups.remove(&popup).and_then(|telling| telling.summary);
        // Another one may have taken its place.
        summary.filter(|_| told.popups.values().all(|telling| telling.summary != summary))
    };
    if let Some(summary) = gone {
        resident.engine.report(Report::Gone { summary }).await;
    }
}

#[cfg(test)]
mod tests {
    use bellwether_engine::notification::{Button, Notification};

    use super::*;

    fn popups() -> (Popups, mpsc::Receiver<Wish>, mpsc::UnboundedReceiver<ImageWish>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let (wishes, queue) = mpsc::channel(QUEUE + popup::REMEMBERED);
        let (popups, images) =
            Popups::new(wishes, &Arc::new(Catalogue::new("en")), folder.path().join("images"));
        (popups, queue, images, folder)
    }

    fn event(seq: u64, notification: Notification) -> engine::Popup {
        engine::Popup {
            events: vec![seq],
            feed: FeedId::new("ops"),
            feed_name: "Ops alerts".to_owned(),
            notification,
            images: true,
            sound: true,
            summary: None,
        }
    }

    fn titled(title: &str) -> Notification {
        Notification { title: title.to_owned(), ..Notification::default() }
    }

    /// What the worker is told: a popup's title with its image's name, or the number of what it is to take away.
    fn told(queue: &mut mpsc::Receiver<Wish>) -> Vec<String> {
        let wish = |wish| match wish {
            Wish::Show(popup) => {
                let image = popup.image.as_ref().and_then(|path| path.file_name()?.to_str());
                format!("{}{}", popup.summary, image.map(|name| format!(" [{name}]")).unwrap_or_default())
            }
            Wish::Withdraw(number) => format!("-{number}"),
        };
        std::iter::from_fn(|| queue.try_recv().ok()).map(wish).collect()
    }

    #[test]
    fn tests_leave_room_for_the_engine() {
        let (mut popups, mut queue, _images, _folder) = popups();
        let shown = (0..100).filter(|_| popups.show_test().is_ok()).count();
        assert_eq!(shown, QUEUE - RESERVED);
        for seq in 1..=RESERVED as u64 {
            popups.show(event(seq, titled("event")));
        }
        assert_eq!(told(&mut queue).len(), QUEUE, "none of them was dropped");
    }

    #[test]
    fn a_popup_waits_for_its_image_and_never_overtakes_what_stands_in_its_place() {
        let (mut popups, mut queue, mut images, _folder) = popups();
        let with_image = |title: &str, key: Option<&str>, url: &str| Notification {
            icon: Some(url.to_owned()),
            key: key.map(str::to_owned),
            ..titled(title)
        };
        popups.show(event(1, with_image("one", Some("k"), "https://a/1")));
        popups.show(event(2, with_image("two", None, "https://a/2")));
        popups.show(event(3, titled("three")));
        popups.show(event(4, with_image("four", None, "https://a/4")));
        assert_eq!(told(&mut queue), ["three", "four"], "only two wait at a time");
        let wanted: Vec<(u64, String)> =
            std::iter::from_fn(|| images.try_recv().ok()).map(|wish| (wish.popup, wish.url)).collect();
        assert_eq!(wanted, [(1, "https://a/1".to_owned()), (2, "https://a/2".to_owned())]);

        popups.show(event(5, Notification { key: Some("k".to_owned()), ..titled("five") }));
        assert_eq!(told(&mut queue), ["one", "five"]);
        popups.release(1, Some("/images/1.png".into()));
        assert_eq!(told(&mut queue), Vec::<String>::new(), "too late");
        popups.release(2, Some("/images/2.png".into()));
        assert_eq!(told(&mut queue), ["two [2.png]"]);

        popups.show(event(6, with_image("six", Some("w"), "https://a/6")));
        let (feed, other) = (FeedId::new("ops").unwrap(), FeedId::new("dev").unwrap());
        popups.withdraw(&other, "w");
        popups.withdraw(&feed, "no such key");
        popups.withdraw(&feed, "w");
        popups.withdraw(&feed, "w");
        assert_eq!(told(&mut queue), ["six", "-6"]);
        let silent = engine::Popup { images: false, ..event(7, with_image("seven", None, "https://a/7")) };
        popups.show(silent);
        assert_eq!(told(&mut queue), ["seven"], "the feed does not allow images");
        assert!(images.try_recv().is_ok_and(|wish| wish.popup == 6) && images.try_recv().is_err());
    }

    #[test]
    fn what_the_program_itself_has_to_say_is_said_once_the_server_takes_popups_again() {
        let (popups, mut queue, _images, _folder) = popups();
        let say = |kind, title: &str| {
            let (title, body) = (title.to_owned(), String::new());
            let notice = Notice {
                feed: "ops",
                kind,
                title,
                body,
                urgency: Urgency::Low,
                category: "network.disconnected",
            };
            popups.show_notice(notice).unwrap();
        };
        say("outage", "Ops cannot be reached");
        say("attention", "Ops needs you");
        assert_eq!(told(&mut queue), ["Ops cannot be reached", "Ops needs you"]);
        assert!(popups.refused(1).is_empty() && popups.refused(2).is_empty());
        say("outage", "Ops is back");
        assert_eq!(told(&mut queue), ["Ops is back"]);
        popups.show_refused();
        assert_eq!(told(&mut queue), ["Ops needs you"], "what is out of date is said no more");
        popups.show_refused();
        assert_eq!(told(&mut queue), Vec::<String>::new());

        say("outage", "Ops cannot be reached");
        say("outage", "Ops is back");
        assert!(popups.refused(5).is_empty() && told(&mut queue).len() == 2);
        popups.show_refused();
        assert_eq!(told(&mut queue), Vec::<String>::new(), "a newer one is on its way");
    }

    #[test]
    fn a_summary_tells_how_many_and_the_newest() {
        let (mut popups, mut queue, _images, _folder) = popups();
        let mut shown = |popup: engine::Popup| {
            popups.show(popup);
            let Ok(Wish::Show(popup)) = queue.try_recv() else { panic!("a popup") };
            *popup
        };
        let summary = |kind, count, titles: &[&str], feeds: &[(&str, u64)]| Summary {
            id: 40,
            kind,
            count,
            titles: titles.iter().map(|title| (*title).to_owned()).collect(),
            feeds: feeds.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        };
        for (kind, text) in [
            (SummaryKind::Flood, "37 new events"),
            (SummaryKind::Backlog, "37 new events"),
            (SummaryKind::CatchUp, "37 events while you were away"),
            (SummaryKind::Digest, "37 events while it was quiet"),
        ] {
            let summary = Some(summary(kind, 37, &["c", "b", "a"], &[]));
            let popup = shown(engine::Popup { summary, ..event(76, titled("c")) });
            assert_eq!((&*popup.summary, popup.body), ("Ops alerts", format!("{text}\nc\nb\na")));
            assert_eq!(popup.place, Some(Place::Summary(40)));
            assert_eq!(popup.category, "x-bellwether.summary");
            assert_eq!(popup.offers, Offers { mute: true, read: true, ..Offers::default() });
        }
        let feeds = [("A", 9), ("B", 8), ("C", 7), ("D", 6), ("E", 5), ("F", 4), ("G", 3), ("H", 2)];
        let digest = Some(summary(SummaryKind::Digest, 44, &[], &feeds));
        let popup = shown(engine::Popup { feed: None, summary: digest, ..event(80, titled("c")) });
        assert_eq!(popup.summary, "Bellwether");
        let text = "44 events while it was quiet\nA: 9\nB: 8\nC: 7\nD: 6\nE: 5\nF: 4\nand 2 more feeds";
        assert_eq!(popup.body, text);
        assert_eq!(popup.offers, Offers { read: true, ..Offers::default() }, "no one feed to mute");
    }

    #[test]
    fn an_event_brings_its_links_and_its_sound_if_sounds_are_wanted() {
        let (mut popups, mut queue, _images, _folder) = popups();
        let button = |label: &str, url: &str| Button { label: label.to_owned(), url: url.to_owned() };
        let notification = Notification {
            url: Some("https://example.org/".to_owned()),
            sound: Sound::Named("bell".to_owned()),
            buttons: vec![button("Silence", "https://example.org/s"), button("Mail", "mailto:a@example.org")],
            ..titled("Disk full")
        };
        popups.show(event(1, notification.clone()));
        popups.show(engine::Popup { sound: false, ..event(2, notification) });
        let Ok(Wish::Show(loud)) = queue.try_recv() else { panic!("a popup") };
        let Ok(Wish::Show(quiet)) = queue.try_recv() else { panic!("a popup") };
        let labels = vec!["Silence".to_owned(), "Mail".to_owned()];
        assert_eq!(loud.offers, Offers { opens_link: true, links: labels, mute: true, read: true });
        assert_eq!((loud.sound, quiet.sound), (Sound::Named("bell".to_owned()), Sound::Silent));
        let told = popups.told();
        assert_eq!(told.popups[&1].links, ["https://example.org/s", "mailto:a@example.org"]);
    }
}

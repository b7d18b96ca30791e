//! What popups tell: the engine's way to the notification server, and what the program itself has to say.

mod images;
mod reports;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use bellwether_control::{messages::Catalogue, paths::Profile};
use bellwether_engine::{
    engine::{self, Notifier, Summary, SummaryKind},
    feed::{Feed, FeedId},
    notification::{Expire, Sound, Urgency},
};
use tokio::sync::mpsc;

use self::images::ImageWish;
pub(super) use self::{images::fetch_images, reports::hear};
use crate::{
    desktop::Desktop,
    popup::{self, Found, ImageCache, Offers, Place, PopupReport, Wish},
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
    /// It waits for its image; one that is withdrawn meanwhile is never sent.
    waits: Option<Box<popup::Popup>>,
    /// It is to be taken away.
    withdrawn: bool,
    /// What it says, if nothing else keeps that: the log has the events.
    notice: Option<Box<popup::Popup>>,
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
            // One that waits is dropped when its wait is over.
            if telling.waits.is_none() {
                let _ = self.shared.wishes.try_send(Wish::Withdraw(*number));
            }
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
            let before =
                told.popups.values_mut().filter(|before| before.place == telling.place && !before.withdrawn);
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

    /// A popup has its image, or gets none. Returns the events of one that was withdrawn while it waited: nobody else will report of
    /// it.
    fn release(&self, number: u64, image: Option<PathBuf>) -> Option<Vec<u64>> {
        let mut told = self.told();
        let telling = told.popups.get_mut(&number)?;
        let mut popup = telling.waits.take()?;
        if telling.withdrawn {
            return told.popups.remove(&number).map(|telling| telling.events);
        }
        popup.image = image;
        self.send(popup);
        None
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

use bellwether_engine::notification::{Button, Notification};

use super::*;

fn popups() -> (Popups, mpsc::Receiver<Wish>, mpsc::UnboundedReceiver<ImageWish>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (wishes, queue) = mpsc::channel(QUEUE + popup::REMEMBERED);
    let (popups, images) = Popups::new(wishes, &Arc::new(Catalogue::new("en")), folder.path().join("images"));
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
    assert_eq!(popups.release(1, Some("/images/1.png".into())), None);
    assert_eq!(told(&mut queue), Vec::<String>::new(), "too late");
    assert_eq!(popups.release(2, Some("/images/2.png".into())), None);
    assert_eq!(told(&mut queue), ["two [2.png]"]);

    popups.show(event(6, with_image("six", Some("w"), "https://a/6")));
    let (feed, other) = (FeedId::new("ops").unwrap(), FeedId::new("dev").unwrap());
    popups.withdraw(&other, "w");
    popups.withdraw(&feed, "no such key");
    popups.withdraw(&feed, "w");
    popups.withdraw(&feed, "w");
    popups.show(event(7, Notification { key: Some("w".to_owned()), ..titled("seven") }));
    assert_eq!(told(&mut queue), ["seven"], "what was withdrawn before it was there is never shown");
    assert_eq!(popups.release(6, Some("/images/6.png".into())), Some(vec![6]), "it is accounted for");
    assert_eq!(popups.release(6, None), None, "once");
    popups.withdraw(&feed, "w");
    assert_eq!(told(&mut queue), ["-7"]);
    let silent = engine::Popup { images: false, ..event(8, with_image("eight", None, "https://a/8")) };
    popups.show(silent);
    assert_eq!(told(&mut queue), ["eight"], "the feed does not allow images");
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

//! A popup as the notification server at hand wants it (Desktop Notifications 1.3).

use std::collections::HashMap;

use bellwether_control::messages::Catalogue;
use bellwether_engine::notification::{Expire, Sound, Urgency};
use url::Url;
use zbus::zvariant::Value;

use super::{Click, Popup, server::Server};

/// Most lines of a popup's body. Some servers show as many as they get, and one event would cover the screen; all of the
/// text is in the log.
const MAX_LINES: usize = 8;
/// Most characters of a popup's body.
const MAX_CHARACTERS: usize = 500;
/// Most buttons: GNOME shows three and drops the others, and where all are shown more do not fit beside each other.
const MAX_BUTTONS: usize = 3;
/// What the label of an event's link ends in: whoever writes the events also words it, and must not have it read as ours.
const LEADS_OUT: &str = " ↗";

/// What `Notify` is called with, beside the program's name.
#[derive(PartialEq, Debug)]
pub(super) struct Request {
    /// The server's id of the popup whose place it takes; 0: none.
    pub(super) replaces_id: u32,
    pub(super) icon: &'static str,
    pub(super) summary: String,
    pub(super) body: String,
    /// Each with its label, in the order in which they are shown.
    pub(super) clicks: Vec<(Click, String)>,
    pub(super) hints: HashMap<&'static str, Value<'static>>,
    /// In ms; 0: until the person closes it; −1: as the server likes.
    pub(super) expire_timeout: i32,
}

impl Request {
    /// `replaces_id`: the server's id of the popup whose place it takes.
    pub(super) fn new(
        popup: &Popup,
        server: &Server,
        catalogue: &Catalogue,
        replaces_id: Option<u32>,
    ) -> Self {
        let body = shorten(&popup.body);
        Self {
            replaces_id: replaces_id.unwrap_or_default(),
            icon: "bellwether",
            summary: popup.summary.clone(),
            body: if server.markup { escape(&body) } else { body },
            clicks: if server.actions { clicks(popup, server, catalogue) } else { Vec::new() },
            hints: hints(popup),
            expire_timeout: match popup.expire {
                Expire::Default => -1,
                Expire::Never => 0,
                Expire::After(time) => i32::try_from(time.as_millis()).unwrap_or(i32::MAX),
            },
        }
    }

    /// Key, label, key, label …
    pub(super) fn actions(&self) -> Vec<String> {
        self.clicks.iter().flat_map(|(click, label)| [click.key(), label.clone()]).collect()
    }
}

impl Click {
    /// What an action is called on the bus. A click on the popup itself is "default" (Desktop Notifications 1.3, "Notify").
    fn key(self) -> String {
        match self {
            Self::Popup => "default".to_owned(),
            Self::Link(at) => format!("link-{at}"),
            Self::Open => "open".to_owned(),
            Self::Mute => "mute".to_owned(),
            Self::Read => "read".to_owned(),
        }
    }

    /// Which of these clicks a key of the bus means.
    pub(super) fn of_key(key: &str, offered: &[Self]) -> Option<Self> {
        offered.iter().copied().find(|click| click.key() == key)
    }
}

/// The popup's own click, and as many buttons as there is room for: its links first, though never in the place of "Mute 1 h", which
/// is what there is against a server that sends too much.
fn clicks(popup: &Popup, server: &Server, catalogue: &Catalogue) -> Vec<(Click, String)> {
    let text = |key| catalogue.text(key).to_owned();
    let offers = &popup.offers;
    // Without a link the popup itself opens the window already: where one sees that, no button has to.
    let own = match (offers.opens_link, server.default_is_a_button) {
        (true, _) => "popup.open_link",
        (false, true) => "popup.open",
        (false, false) => "popup.show",
    };
    let open = match (offers.opens_link, server.default_is_a_button) {
        (true, _) => Some("popup.open_in_bellwether"),
        (false, true) => None,
        (false, false) => Some("popup.open"),
    };
    let room = MAX_BUTTONS - usize::from(server.default_is_a_button);
    let room_before_mute = room - usize::from(offers.mute);
    let links = offers.links.iter().enumerate();
    let links = links.map(|(at, label)| (Click::Link(at), format!("{label}{LEADS_OUT}")));
    let buttons = links
        .chain(open.map(|key| (Click::Open, text(key))))
        .take(room_before_mute)
        .chain(offers.mute.then(|| (Click::Mute, text("popup.mute"))))
        .chain(offers.read.then(|| (Click::Read, text("popup.mark_read"))));
    [(Click::Popup, text(own))].into_iter().chain(buttons.take(room)).collect()
}

fn hints(popup: &Popup) -> HashMap<&'static str, Value<'static>> {
    let urgency: u8 = match popup.urgency {
        Urgency::Low => 0,
        Urgency::Normal => 1,
        Urgency::Critical => 2,
    };
    let mut hints = HashMap::from([
        ("urgency", urgency.into()),
        ("desktop-entry", "bellwether".into()),
        ("category", popup.category.into()),
    ]);
    match &popup.sound {
        Sound::Default => {}
        Sound::Silent => drop(hints.insert("suppress-sound", true.into())),
        Sound::Named(name) => drop(hints.insert("sound-name", name.clone().into())),
    }
    // A file's URI: the one thing beside an icon's name that every server takes.
    if let Some(uri) = popup.image.as_ref().and_then(|path| Url::from_file_path(path).ok()) {
        hints.insert("image-path", String::from(uri).into());
    }
    if let Some(group) = &popup.group {
        hints.insert("x-bellwether-group", group.clone().into());
    }
    hints
}

/// The beginning of a text, as much as a popup has room for.
fn shorten(text: &str) -> String {
    let lines: Vec<&str> = text.lines().take(MAX_LINES).collect();
    let short: String = lines.join("\n").chars().take(MAX_CHARACTERS).collect();
    if short.len() < text.trim_end().len() { short.trim_end().to_owned() + "…" } else { short }
}

/// Takes the meaning from what would be markup (Desktop Notifications 1.3, "Markup").
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::Offers, *};

    fn popup() -> Popup {
        Popup {
            number: 1,
            place: None,
            summary: "Disk < 5 % & falling".to_owned(),
            body: "<b>磁盘</b> & \"more\"".to_owned(),
            urgency: Urgency::Critical,
            category: "x-bellwether.event",
            sound: Sound::Default,
            expire: Expire::Default,
            image: None,
            group: None,
            offers: Offers::default(),
        }
    }

    fn server(markup: bool, actions: bool, default_is_a_button: bool) -> Server {
        Server { name: String::new(), owner: String::new(), markup, actions, default_is_a_button }
    }

    fn request(popup: &Popup, server: &Server) -> Request {
        Request::new(popup, server, &Catalogue::new("en"), None)
    }

    #[test]
    fn text_is_escaped_only_where_markup_is_read() {
        let escaped = request(&popup(), &server(true, true, false));
        assert_eq!(escaped.body, "&lt;b&gt;磁盘&lt;/b&gt; &amp; \"more\"");
        assert_eq!(escaped.summary, "Disk < 5 % & falling", "summaries are plain text everywhere");
        let plain = request(&popup(), &server(false, true, false));
        assert_eq!(plain.body, "<b>磁盘</b> & \"more\"");
    }

    #[test]
    fn a_body_is_as_long_as_a_popup_has_room_for() {
        for (text, expected) in [
            (String::new(), String::new()),
            ("one\ntwo".to_owned(), "one\ntwo".to_owned()),
            ("line\n".repeat(8), "line\n".repeat(8).trim_end().to_owned()),
            ("line\n".repeat(9), "line\n".repeat(8).trim_end().to_owned() + "…"),
            ("磁".repeat(500), "磁".repeat(500)),
            ("磁".repeat(501), "磁".repeat(500) + "…"),
        ] {
            assert_eq!(shorten(&text), expected);
        }
    }

    #[test]
    fn what_can_be_clicked_fits_the_server_and_there_are_never_more_than_three_buttons() {
        let links = |count: usize| (1..=count).map(|number| format!("Link {number}")).collect::<Vec<_>>();
        let all = |opens_link, count| Offers { opens_link, links: links(count), mute: true, read: true };
        let none = Offers::default();
        let imitation = Offers { links: vec!["Mute 1 h".to_owned()], ..all(false, 0) };
        let (plain, buttons, silent) =
            (server(true, true, false), server(true, true, true), server(true, false, false));
        for (offers, server, expected) in [
            (&all(true, 3), &silent, &[][..]),
            (&none, &plain, &["default:Show", "open:Open"]),
            (&none, &buttons, &["default:Open"]),
            (&all(false, 0), &plain, &["default:Show", "open:Open", "mute:Mute 1 h", "read:Mark read"]),
            (&all(false, 0), &buttons, &["default:Open", "mute:Mute 1 h", "read:Mark read"]),
            (
                &all(true, 0),
                &plain,
                &["default:Open link", "open:Open in Bellwether", "mute:Mute 1 h", "read:Mark read"],
            ),
            (&all(true, 0), &buttons, &["default:Open link", "open:Open in Bellwether", "mute:Mute 1 h"]),
            (&all(false, 1), &plain, &["default:Show", "link-0:Link 1 ↗", "open:Open", "mute:Mute 1 h"]),
            (
                &all(false, 2),
                &plain,
                &["default:Show", "link-0:Link 1 ↗", "link-1:Link 2 ↗", "mute:Mute 1 h"],
            ),
            (
                &all(true, 3),
                &plain,
                &["default:Open link", "link-0:Link 1 ↗", "link-1:Link 2 ↗", "mute:Mute 1 h"],
            ),
            (&all(true, 3), &buttons, &["default:Open link", "link-0:Link 1 ↗", "mute:Mute 1 h"]),
            (
                &Offers { mute: false, ..all(true, 3) },
                &plain,
                &["default:Open link", "link-0:Link 1 ↗", "link-1:Link 2 ↗", "link-2:Link 3 ↗"],
            ),
            (&imitation, &buttons, &["default:Open", "link-0:Mute 1 h ↗", "mute:Mute 1 h"]),
        ] {
            let popup = Popup { offers: offers.clone(), ..popup() };
            let request = request(&popup, server);
            let actions = request.actions();
            let actions: Vec<String> = actions.chunks(2).map(|pair| pair.join(":")).collect();
            assert_eq!(actions, expected, "{offers:?}");
            let offered: Vec<Click> = request.clicks.iter().map(|(click, _)| *click).collect();
            for (click, _) in &request.clicks {
                assert_eq!(Click::of_key(&click.key(), &offered), Some(*click));
            }
            assert_eq!(Click::of_key("link-7", &offered), None);
        }
    }

    #[test]
    fn hints_say_whose_it_is_and_how_it_is_to_be_shown() {
        let request = |popup: &Popup| request(popup, &server(true, true, false));
        let usual = request(&popup());
        let hint = |name: &'static str, value: Value<'static>| (name, value);
        let expected = [
            hint("urgency", 2_u8.into()),
            hint("desktop-entry", "bellwether".into()),
            hint("category", "x-bellwether.event".into()),
        ];
        assert_eq!(usual.hints, HashMap::from(expected));
        assert_eq!((usual.expire_timeout, usual.replaces_id), (-1, 0));

        let special = request(&Popup {
            urgency: Urgency::Low,
            category: "network.disconnected",
            sound: Sound::Named("bell".to_owned()),
            expire: Expire::After(Duration::from_secs(10)),
            image: Some("/home/alice/.cache/an image.png".into()),
            group: Some("builds".to_owned()),
            ..popup()
        });
        let expected = [
            hint("urgency", 0_u8.into()),
            hint("desktop-entry", "bellwether".into()),
            hint("category", "network.disconnected".into()),
            hint("sound-name", "bell".into()),
            hint("image-path", "file:///home/alice/.cache/an%20image.png".into()),
            hint("x-bellwether-group", "builds".into()),
        ];
        assert_eq!(special.hints, HashMap::from(expected));
        assert_eq!(special.expire_timeout, 10_000);

        let quiet = request(&Popup { sound: Sound::Silent, expire: Expire::Never, ..popup() });
        assert_eq!(quiet.hints.get("suppress-sound"), Some(&Value::from(true)));
        assert_eq!(quiet.expire_timeout, 0);
    }
}

//! A popup as the notification server at hand wants it (Desktop Notifications 1.3).

use bellwether_control::messages::Catalogue;
use bellwether_engine::notification::Urgency;
use notify_rust::{Hint, Notification};

use super::{Popup, server::Server};

/// The action that a click on the popup itself invokes (Desktop Notifications 1.3, "Notify").
const DEFAULT_ACTION: &str = "default";
/// The action of the button.
const OPEN_ACTION: &str = "open";

/// Most lines of a popup's body. Some servers show as many as they get, and one event would cover the screen; all of the
/// text is in the log.
const MAX_LINES: usize = 8;
/// Most characters of a popup's body.
const MAX_CHARACTERS: usize = 500;

/// `replaces_id`: the server's id of the popup whose place it takes.
pub(super) fn notification(
    popup: &Popup,
    server: &Server,
    catalogue: &Catalogue,
    replaces_id: Option<u32>,
) -> Notification {
    let mut notification = Notification::new();
    notification
        .appname("Bellwether")
        .icon("bellwether")
        .hint(Hint::DesktopEntry("bellwether".to_owned()))
        .hint(Hint::Category("x-bellwether.event".to_owned()))
        .urgency(match popup.urgency {
            Urgency::Low => notify_rust::Urgency::Low,
            Urgency::Normal => notify_rust::Urgency::Normal,
            Urgency::Critical => notify_rust::Urgency::Critical,
        })
        .summary(&popup.summary)
        .body(&if server.markup { escape(&shorten(&popup.body)) } else { shorten(&popup.body) });
    if server.actions && server.default_is_a_button {
        notification.action(DEFAULT_ACTION, catalogue.text("popup.open"));
    } else if server.actions {
        notification.action(DEFAULT_ACTION, catalogue.text("popup.show"));
        notification.action(OPEN_ACTION, catalogue.text("popup.open"));
    }
    if let Some(id) = replaces_id {
        notification.id(id);
    }
    notification
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
    use super::*;

    fn popup() -> Popup {
        Popup {
            event: 1,
            feed: "ops".to_owned(),
            summary: "Disk < 5 % & falling".to_owned(),
            body: "<b>磁盘</b> & \"more\"".to_owned(),
            urgency: Urgency::Critical,
            url: None,
            key: None,
        }
    }

    fn server(markup: bool, actions: bool, default_is_a_button: bool) -> Server {
        Server { name: String::new(), owner: String::new(), markup, actions, default_is_a_button }
    }

    #[test]
    fn text_is_escaped_only_where_markup_is_read() {
        let english = Catalogue::new("en");
        let escaped = notification(&popup(), &server(true, true, false), &english, None);
        assert_eq!(escaped.body, "&lt;b&gt;磁盘&lt;/b&gt; &amp; \"more\"");
        assert_eq!(escaped.summary, "Disk < 5 % & falling", "summaries are plain text everywhere");
        let plain = notification(&popup(), &server(false, true, false), &english, None);
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
    fn actions_only_where_there_are_any() {
        let english = Catalogue::new("en");
        for (server, expected) in [
            (server(true, false, false), &[][..]),
            (server(true, true, false), &["default", "Show", "open", "Open"][..]),
            (server(true, true, true), &["default", "Open"][..]),
        ] {
            assert_eq!(notification(&popup(), &server, &english, None).actions, expected);
        }
    }

    #[test]
    fn says_whose_it_is_and_how_urgent() {
        let shown = notification(&popup(), &server(true, true, false), &Catalogue::new("en"), Some(4));
        assert_eq!((&*shown.appname, &*shown.icon), ("Bellwether", "bellwether"));
        for hint in [
            Hint::DesktopEntry("bellwether".to_owned()),
            Hint::Category("x-bellwether.event".to_owned()),
            Hint::Urgency(notify_rust::Urgency::Critical),
        ] {
            assert!(shown.hints.contains(&hint), "{hint:?}");
        }
    }
}

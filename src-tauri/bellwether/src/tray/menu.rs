//! The menu as data.

use bellwether_control::messages::Catalogue;
use bellwether_engine::notification::sanitize_title;

use super::{RECENT, TrayReport, TrayView};

/// One line of the menu. Labels are plain text in one line; the platform escapes what it takes for access keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum MenuItem {
    /// Cannot be clicked.
    Text(String),
    Separator,
    /// A click on it makes the report.
    Entry {
        label: String,
        report: TrayReport,
    },
    /// A menu of its own.
    Submenu {
        label: String,
        items: Vec<MenuItem>,
    },
}

/// The times to snooze for that are offered, by their texts' keys.
const SNOOZES: [(&str, &str); 3] =
    [("snooze.quarter", "15m"), ("snooze.hour", "1h"), ("snooze.tomorrow", "tomorrow")];

/// The menu of a view.
pub(super) fn menu(view: &TrayView, catalogue: &Catalogue) -> Vec<MenuItem> {
    let entry = |key, report| MenuItem::Entry { label: catalogue.text(key).to_owned(), report };
    let mut menu = vec![MenuItem::Text(label(&view.status_line)), MenuItem::Separator];
    if !view.recent.is_empty() {
        menu.extend(view.recent.iter().take(RECENT).map(|recent| {
            let mut label = label(&recent.label);
            if label.is_empty() {
                label = format!("#{}", recent.event);
            }
            MenuItem::Entry { label, report: TrayReport::Open { event: Some(recent.event) } }
        }));
        menu.push(MenuItem::Separator);
    }
    let mut snoozes: Vec<_> =
        SNOOZES.into_iter().map(|(key, until)| entry(key, TrayReport::Snooze(until))).collect();
    if view.snoozed {
        snoozes.extend([MenuItem::Separator, entry("snooze.end", TrayReport::Snooze("off"))]);
    }
    menu.extend([
        MenuItem::Submenu { label: catalogue.text("tray.snooze").to_owned(), items: snoozes },
        entry("tray.open", TrayReport::Open { event: None }),
        entry("tray.reconnect", TrayReport::Reconnect),
        MenuItem::Separator,
        entry("tray.quit", TrayReport::Quit),
    ]);
    menu
}

/// The tooltip's text below the program's name.
pub(super) fn tooltip(view: &TrayView, catalogue: &Catalogue) -> String {
    let mut text = label(&view.status_line);
    if view.unread > 0 {
        text += "\n";
        text += &catalogue.count("tray.unread", view.unread);
    }
    text
}

/// How wide a label may be, in columns of a Latin letter; a CJK character takes two.
const COLUMNS: usize = 56;

/// Makes a label of a text that a feed may have written: one line, nothing invisible, not too wide.
fn label(text: &str) -> String {
    ellipsize(&sanitize_title(text))
}

fn ellipsize(text: &str) -> String {
    let mut columns = 0;
    let mut fits = 0;
    for (at, character) in text.char_indices() {
        columns += if is_wide(character) { 2 } else { 1 };
        if columns > COLUMNS {
            return format!("{}…", text[..fits].trim_end());
        }
        if columns < COLUMNS {
            // The ellipsis has its place after this character.
            fits = at + character.len_utf8();
        }
    }
    text.to_owned()
}

/// East Asian wide characters and emoji, roughly (UAX #11): off by a few is still a label.
fn is_wide(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f
        | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd)
}

#[cfg(test)]
mod tests {
    use super::{super::RecentEvent, *};

    fn recent(event: u64, label: &str) -> RecentEvent {
        RecentEvent { event, label: label.to_owned() }
    }

    #[test]
    fn the_menu_of_a_view() {
        let english = Catalogue::new("en");
        let entry = |label: &str, report| MenuItem::Entry { label: label.to_owned(), report };
        let snooze = |label: &str, until| entry(label, TrayReport::Snooze(until));
        let snoozes = vec![
            snooze("For 15 minutes", "15m"),
            snooze("For 1 hour", "1h"),
            snooze("Until tomorrow", "tomorrow"),
        ];
        let ending = [&snoozes[..], &[MenuItem::Separator, snooze("End snooze", "off")]].concat();
        let submenu = |items| MenuItem::Submenu { label: "Snooze".to_owned(), items };
        let mut commands = [
            submenu(snoozes),
            entry("Open Bellwether", TrayReport::Open { event: None }),
            entry("Reconnect all", TrayReport::Reconnect),
            MenuItem::Separator,
            entry("Quit", TrayReport::Quit),
        ];
        let mut view = TrayView { status_line: "2 feeds connected".to_owned(), ..TrayView::default() };
        let head = [MenuItem::Text("2 feeds connected".to_owned()), MenuItem::Separator];
        assert_eq!(menu(&view, &english), [&head[..], &commands[..]].concat());

        view.recent = (1..=9).rev().map(|event| recent(event, &format!("event_{event}"))).collect();
        view.snoozed = true;
        commands[0] = submenu(ending);
        let mut expected = head.to_vec();
        expected.extend(
            (5..=9)
                .rev()
                .map(|event| entry(&format!("event_{event}"), TrayReport::Open { event: Some(event) })),
        );
        expected.push(MenuItem::Separator);
        expected.extend(commands);
        assert_eq!(menu(&view, &english), expected);
    }

    #[test]
    fn labels_are_one_visible_line_of_bounded_width() {
        let x = |n| "x".repeat(n);
        let wide = |n| "磁".repeat(n);
        for (text, expected) in [
            ("plain".to_owned(), "plain".to_owned()),
            (" two\nlines\r\n\tand \u{7} a bell ".to_owned(), "two lines and a bell".to_owned()),
            ("\u{202e}evil\u{200b}\u{2066}x\u{feff}".to_owned(), "evilx".to_owned()),
            ("\u{200b} \u{200b}".to_owned(), String::new()),
            (x(56), x(56)),
            (x(57), x(55) + "…"),
            (x(1_000_000), x(55) + "…"),
            (wide(28), wide(28)),
            (wide(29), wide(27) + "…"),
            ("a ".repeat(1_000_000), "a ".repeat(28).trim().to_owned() + "…"),
        ] {
            assert_eq!(label(&text), expected, "{:?}", text.chars().take(60).collect::<String>());
        }
    }

    #[test]
    fn an_event_without_visible_text_still_has_a_label() {
        let view = TrayView { recent: vec![recent(7, "\u{200b}\n")], ..TrayView::default() };
        let labelled =
            MenuItem::Entry { label: "#7".to_owned(), report: TrayReport::Open { event: Some(7) } };
        assert!(menu(&view, &Catalogue::new("en")).contains(&labelled));
    }

    #[test]
    fn the_tooltip_counts_what_is_unread() {
        let mut view = TrayView { status_line: "Snoozed until 17:30".to_owned(), ..TrayView::default() };
        assert_eq!(tooltip(&view, &Catalogue::new("en")), "Snoozed until 17:30");
        view.unread = 3;
        assert_eq!(tooltip(&view, &Catalogue::new("en")), "Snoozed until 17:30\n3 unread events");
    }
}

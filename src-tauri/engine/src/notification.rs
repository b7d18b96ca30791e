//! What a popup says, as a value, and what makes a stranger's text fit for one.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

/// How urgent a popup is (Desktop Notifications 1.3, "Urgency Levels").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Urgency {
    /// May be shown without sound, may be grouped.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Stays until the person dismisses it.
    Critical,
}

/// What a rule, or the default, makes of one message: plain text, bounded, not yet escaped for any notification server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notification {
    /// The popup's summary; one line, never empty.
    pub title: String,
    /// The popup's body; may be empty.
    pub body: String,
    /// What a click opens: an `http`, `https` or `mailto` URL.
    pub url: Option<String>,
    /// How urgent it is.
    pub urgency: Urgency,
    /// Popups of one feed with an equal key replace each other.
    pub key: Option<String>,
    /// An image: an `https` URL. Fetched only where the feed allows it.
    pub icon: Option<String>,
    /// What notification centres may group it by.
    pub group: Option<String>,
    /// What it sounds like.
    pub sound: Sound,
    /// How long it stays.
    pub expire: Expire,
    /// Its links; at most [`MAX_BUTTONS`].
    pub buttons: Vec<Button>,
}

/// What a popup sounds like (Desktop Notifications 1.3, "Hints").
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// As the notification server likes.
    #[default]
    Default,
    /// None.
    Silent,
    /// A name of the freedesktop Sound Naming Specification: 1 to 64 of `a-z`, `0-9`, `-`.
    Named(String),
}

/// How long a popup stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expire {
    /// As the notification server likes.
    #[default]
    Default,
    /// Until the person closes it.
    Never,
    /// So long: 1 s to 1 h.
    After(Duration),
}

/// A link on a popup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Button {
    /// One line, never empty, at most [`MAX_LABEL`] characters.
    pub label: String,
    /// An `http`, `https` or `mailto` URL.
    pub url: String,
}

/// Longest title, in characters; what is longer ends in "…".
pub const MAX_TITLE: usize = 256;
/// Longest body, in characters; what is longer ends in "…".
pub const MAX_BODY: usize = 4_096;
/// Most buttons of a rule's popup.
pub const MAX_BUTTONS: usize = 3;
/// Longest label of a button, in characters.
pub const MAX_LABEL: usize = 40;
/// Longest link, in bytes; what is longer is no link.
pub const MAX_LINK: usize = 2_048;

/// One line of plain text: no control, direction-changing or invisible characters, no terminal escape sequences, blanks
/// drawn together, at most [`MAX_TITLE`] characters. May be empty.
pub fn sanitize_title(text: &str) -> String {
    let mut line = Bounded::new(MAX_TITLE);
    let mut blank = false;
    for c in visible(text) {
        if c == ' ' || c == '\n' {
            blank = true;
            continue;
        }
        let gap = std::mem::take(&mut blank) && line.length > 0;
        if gap.then_some(' ').into_iter().chain([c]).any(|c| line.push(c).is_err()) {
            break;
        }
    }
    line.text
}

/// The same for several lines, at most [`MAX_BODY`] characters: every kind of line end becomes LF, blanks stay except at the
/// end of a line, and at most one line in a row is empty.
pub fn sanitize_body(text: &str) -> String {
    let mut lines = Bounded::new(MAX_BODY);
    let (mut ends, mut blanks) = (0_usize, 0_usize);
    for c in visible(text) {
        match c {
            '\n' => (ends, blanks) = (ends + 1, 0),
            ' ' => blanks += 1,
            c => {
                let (ends, blanks) = (std::mem::take(&mut ends), std::mem::take(&mut blanks));
                let ends = if lines.length > 0 { ends.min(2) } else { 0 };
                let gap = std::iter::repeat_n('\n', ends).chain(std::iter::repeat_n(' ', blanks));
                if gap.chain([c]).any(|c| lines.push(c).is_err()) {
                    break;
                }
            }
        }
    }
    lines.text
}

/// The text as a link that is safe to open, written as a browser would send it: absolute, `http`, `https` or `mailto`, at most
/// [`MAX_LINK`] bytes. Of a `mailto` link stays what a person sees before it is sent: to whom, subject and body.
pub fn link(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > MAX_LINK {
        return None;
    }
    let mut url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "mailto"))?;
    if url.scheme() == "mailto" {
        keep_visible_fields(&mut url);
    }
    Some(String::from(url)).filter(|url| url.len() <= MAX_LINK)
}

/// What a `mailto` link (RFC 6068) may fill in. Some mail programs attach a file of this machine, or send to somebody hidden, when
/// another field says so.
const MAIL_FIELDS: [&str; 4] = ["to", "cc", "subject", "body"];

fn keep_visible_fields(url: &mut Url) {
    let is_visible = |field: &&str| {
        let name = field.split('=').next().unwrap_or_default();
        MAIL_FIELDS.iter().any(|visible| name.eq_ignore_ascii_case(visible))
    };
    let fields: Vec<&str> = url.query().unwrap_or_default().split('&').filter(is_visible).collect();
    let query = Some(fields.join("&")).filter(|query| !query.is_empty());
    url.set_query(query.as_deref());
    url.set_fragment(None);
}

/// A text that ends in "…" instead of growing over its limit.
struct Bounded {
    text: String,
    length: usize,
    limit: usize,
}

/// The text is full.
struct Full;

impl Bounded {
    fn new(limit: usize) -> Self {
        Self { text: String::new(), length: 0, limit }
    }

    fn push(&mut self, c: char) -> Result<(), Full> {
        if self.length == self.limit {
            self.text.pop();
            self.text.push('…');
            return Err(Full);
        }
        self.text.push(c);
        self.length += 1;
        Ok(())
    }
}

/// What is left for a person to see: line ends as LF, other blanks as spaces, and neither terminal escape sequences nor
/// characters that hide, reorder or control text.
fn visible(text: &str) -> impl Iterator<Item = char> {
    let mut rest = text.chars();
    let mut before = ' ';
    std::iter::from_fn(move || {
        loop {
            let c = match rest.next()? {
                '\u{1b}' | '\u{90}' | '\u{98}' | '\u{9b}' | '\u{9d}'..='\u{9f}' => {
                    rest = after_escape(text, text.len() - rest.as_str().len()).chars();
                    continue;
                }
                '\r' if rest.as_str().starts_with('\n') => continue,
                '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
                // The braille blank is a letter to Unicode, and nothing to the eye.
                c if c.is_whitespace() || c == '\u{2800}' => ' ',
                // Joins emoji and shapes Persian and Indic letters; elsewhere it only hides.
                c @ ('\u{200c}' | '\u{200d}')
                    if !before.is_ascii()
                        && rest
                            .as_str()
                            .chars()
                            .next()
                            .is_some_and(|next| !next.is_ascii() && !is_hidden(next)) =>
                {
                    c
                }
                c if is_hidden(c) => continue,
                c => c,
            };
            before = c;
            return Some(c);
        }
    })
}

/// Whether a character shows nothing and can hide, reorder or control what stands beside it. The joiners U+200C and U+200D do not
/// count: Persian words and emoji are made with them.
pub fn is_invisible(c: char) -> bool {
    is_hidden(c) && !matches!(c, '\u{200c}' | '\u{200d}')
}

/// Unicode's control, format, filler and tag characters and its non-characters, except those that `visible` handles first.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || u32::from(c) & 0xfffe == 0xfffe
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{115f}' | '\u{1160}'
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffc}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Longest operating system command of a terminal that is taken for one, in bytes; a longer one is text.
const MAX_ESCAPE: usize = 4_096;

/// What follows the terminal escape sequence (ECMA-48, 5.3 to 5.6) whose introducer ends at byte `start`. An unfinished
/// sequence hides no more than its introducer.
fn after_escape(text: &str, start: usize) -> &str {
    let (introducer, rest) = (text[..start].chars().next_back(), &text[start..]);
    let (kind, rest) = match (introducer, rest.chars().next()) {
        (Some('\u{1b}'), Some(kind @ ('[' | ']' | 'P' | 'X' | '^' | '_'))) => (kind, &rest[1..]),
        (Some('\u{1b}'), _) => {
            let rest = rest.trim_start_matches(|c| matches!(c, ' '..='/'));
            return rest.strip_prefix(|c| matches!(c, '0'..='~')).unwrap_or(rest);
        }
        (Some('\u{9b}'), _) => ('[', rest),
        _ => (']', rest),
    };
    if kind == '[' {
        let rest = rest.trim_start_matches(|c| matches!(c, ' '..='?'));
        return rest.strip_prefix(|c| matches!(c, '@'..='~')).unwrap_or(rest);
    }
    let end = rest.char_indices().take_while(|(at, _)| *at <= MAX_ESCAPE).find(|(_, c)| c.is_control());
    match end.map(|(end, _)| &rest[end..]) {
        Some(tail) => {
            tail.strip_prefix("\u{1b}\\").or(tail.strip_prefix(['\u{7}', '\u{9c}'])).unwrap_or(rest)
        }
        None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_clean_line() {
        for (text, title) in [
            ("", ""),
            ("  Stock \t is\r\n low  ", "Stock is low"),
            ("\u{1b}[1;31mERROR\u{1b}[0m disk", "ERROR disk"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;evil title\u{7}shown", "shown"),
            ("\u{1b}]8;;https://x.example\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]never ended", "never ended"),
            ("\u{1b}(Btext\u{1b}", "text"),
            ("\u{1b}[31", ""),
            ("\u{1b}[31错误", "错误"),
            ("invoice\u{202e}fdp.exe\u{202c}", "invoicefdp.exe"),
            ("a\u{200b}b\u{feff}c\u{200d}d\u{2066}e\u{ad}f", "abcdef"),
            ("\u{2800}\u{3164}\u{200b}\u{a0}", ""),
            ("\0\u{7}\u{8}x\u{7f}\u{fffe}\u{e0041}", "x"),
            (
                "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f} می\u{200c}خواهم",
                "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f} می\u{200c}خواهم",
            ),
            ("<b>&amp;</b>", "<b>&amp;</b>"),
            ("您好，世界", "您好，世界"),
        ] {
            assert_eq!(sanitize_title(text), title, "{text:?}");
        }
    }

    #[test]
    fn a_body_keeps_its_lines() {
        for (text, body) in [
            ("one\r\ntwo\rthree\u{2028}four", "one\ntwo\nthree\nfour"),
            ("\n\n a  b \t\n\n\n\n  c\n \n", " a  b\n\n  c"),
            ("\u{1b}]unfinished\nnext\u{7}", "unfinished\nnext"),
            ("a\u{2028}\u{202e}b", "a\nb"),
        ] {
            assert_eq!(sanitize_body(text), body, "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        let exact = "é".repeat(MAX_TITLE);
        assert_eq!(sanitize_title(&exact), exact);
        let cut = sanitize_title(&format!("{exact}é"));
        assert_eq!((cut.chars().count(), cut.ends_with("é…")), (MAX_TITLE, true));
        let cut = sanitize_body(&"字 ".repeat(1 << 19));
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (MAX_BODY, true));
        for escape in ["\u{1b}]", "\u{9d}", "\u{1b}[0", "\u{200d}"] {
            assert_eq!(sanitize_title(&escape.repeat(1 << 19)), "", "{escape:?}");
        }
    }

    #[test]
    fn only_links_that_are_safe_to_open() {
        for (text, url) in [
            ("https://example.org/a b?q=1#f", Some("https://example.org/a%20b?q=1#f")),
            (" HTTP://Example.org ", Some("http://example.org/")),
            ("mailto:bob@example.org", Some("mailto:bob@example.org")),
            (
                "mailto:bob@example.org,eve@example.org?Subject=A%20%26%20b&cc=c@example.org&to=d@example.org&body=x+y%0D%0Az",
                Some(
                    "mailto:bob@example.org,eve@example.org?Subject=A%20%26%20b&cc=c@example.org&to=d@example.org&body=x+y%0D%0Az",
                ),
            ),
            (
                "mailto:bob@example.org?attach=/etc/passwd&subject=Hi&Attachment=~/.ssh/id&bcc=eve@example.org",
                Some("mailto:bob@example.org?subject=Hi"),
            ),
            (
                "mailto:bob@example.org?%61ttach=/etc/passwd&body&amp;attach=x",
                Some("mailto:bob@example.org?body"),
            ),
            ("MAILTO:?attach=/etc/passwd#?attach=/etc/passwd", Some("mailto:")),
            ("https://example.org/?attach=1#f", Some("https://example.org/?attach=1#f")),
            ("java\nscript:alert(1)", None),
            ("javascript:alert(1)", None),
            ("file:///etc/passwd", None),
            ("data:text/html,x", None),
            ("vscode://open", None),
            ("/orders/5", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(link(text).as_deref(), url, "{text:?}");
        }
        assert_eq!(link(&format!("https://example.org/{}", "x".repeat(MAX_LINK))), None);
    }
}

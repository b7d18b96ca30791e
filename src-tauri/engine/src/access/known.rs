//! The secrets that a feed's server knows, found in what it says: it may repeat them.

use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use reqwest::header::HeaderMap;
use url::{Url, form_urlencoded};

use super::{Secret, mask};
use crate::notification::sanitize_title;

/// The secrets that a feed's requests carry.
pub(crate) struct Known {
    /// Those of its own URL and headers, and then those last read.
    secrets: Vec<Secret>,
    /// How many of them were not read.
    written: usize,
}

impl Known {
    /// What is secret in a feed's own URL and headers.
    pub(crate) fn written(url: &Url, headers: &HeaderMap) -> Self {
        let mut secrets: Vec<Secret> =
            mask::secret_values(url.as_str()).map(decoded).map(Secret::new).collect();
        if !url.username().is_empty() || url.password().is_some() {
            let password = percent_decode(url.password().unwrap_or_default());
            secrets.push(basic(&percent_decode(url.username()), &password));
        }
        for (_, value) in headers.iter().filter(|(name, _)| mask::is_secret_name(name.as_str())) {
            let value = String::from_utf8_lossy(value.as_bytes());
            // After the scheme, or the name of a cookie.
            let parts = value.split(';').filter_map(|part| part.trim().split_once([' ', '=']));
            secrets.extend(parts.map(|(_, secret)| Secret::new(secret)));
            secrets.push(Secret::new(value));
        }
        let written = secrets.len();
        Self { secrets, written }
    }

    /// These have been read for a request, in place of those before.
    pub(crate) fn read(&mut self, secrets: Vec<Secret>) {
        self.secrets.truncate(self.written);
        self.secrets.extend(secrets);
    }

    /// Whether a text has one of them in it as a word, escaped however often a URL within a URL is. A secret that is a part of
    /// another word is none: one of a single letter is everywhere.
    pub(crate) fn are_told_by(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| tells(text, secret))
    }

    /// A text of the server's as it may be shown: without them, on one line, and no longer than a title.
    pub(crate) fn masked(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for secret in self.secrets.iter().map(Secret::reveal) {
            if holds_word(&masked, secret) {
                masked = masked.replace(secret, mask::MASK);
            }
        }
        // Escaped, or only whole once characters that do not show are gone.
        let shown = sanitize_title(&masked);
        if self.are_told_by(&masked) || self.are_told_by(&shown) { mask::MASK.to_owned() } else { shown }
    }
}

/// What goes over the wire for user and password (RFC 7617, 2). Without the padding, which may be left out.
pub(super) fn basic(user: &str, password: &str) -> Secret {
    Secret::new(BASE64_STANDARD.encode(format!("{user}:{password}")).trim_end_matches('='))
}

/// A parameter's value as it is meant.
fn decoded(value: &str) -> String {
    form_urlencoded::parse(format!("={value}").as_bytes()).map(|(_, value)| value).collect()
}

fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn tells(text: &str, secret: &Secret) -> bool {
    /// How many URLs may be within each other.
    const DEPTH: usize = 5;
    // Some escape a blank so, and some mean a plus.
    let plain = |text: &str| text.replace('+', " ");
    let secret = plain(secret.reveal());
    let mut text = text.to_owned();
    for _ in 0..DEPTH {
        if holds_word(&plain(&text), &secret) {
            return true;
        }
        let decoded = percent_decode(&text);
        if decoded == text {
            return false;
        }
        text = decoded;
    }
    false
}

fn holds_word(text: &str, word: &str) -> bool {
    let goes_on = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            let (before, after) = (text.get(..at), text.get(at + word.len()..));
            !goes_on(before.and_then(|before| before.chars().next_back()))
                && !goes_on(after.and_then(|after| after.chars().next()))
        })
}

#[cfg(test)]
mod tests {
    use reqwest::header::{AUTHORIZATION, COOKIE, HeaderValue};

    use super::*;

    #[test]
    fn a_secret_is_found_however_a_redirect_repeats_it() {
        let secret = Secret::new("s&=/ +1");
        for (text, told) in [
            ("s&=/ +1", true),
            ("s%26%3D%2F+%2B1", true),
            ("https://a.example/?auth=s%26%3D%2F%20%2B1&x=1", true),
            ("https%3A%2F%2Fa.example%2F%3Fauth%3Ds%2526%253D%252F%2B%252B1", true),
            ("xs&=/ +1", false),
            ("s&=/ +12", false),
            ("s&=/", false),
            ("", false),
        ] {
            assert_eq!(tells(text, &secret), told, "{text}");
        }
        assert!(!tells("", &Secret::new("")) && !tells("v=12", &Secret::new("1")));
    }

    #[test]
    fn what_is_secret_in_an_address_and_in_headers_is_known_as_well() {
        let url = Url::parse("https://Aladdin:open%20sesame@a.example/?token=t%2D1&page=p-1").unwrap();
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, HeaderValue::from_static("Bearer b-1")),
            (COOKIE, HeaderValue::from_static("a=c-1; b=c-2")),
        ]);
        let mut known = Known::written(&url, &headers);
        known.read(vec![Secret::new("r-1")]);
        known.read(vec![Secret::new("r-2")]);
        for told in [
            "open sesame",
            "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "t-1",
            "Bearer%20b-1",
            "b-1",
            "c-1",
            "b=c-2",
            "r-2",
        ] {
            assert!(known.are_told_by(told), "{told}");
        }
        for other in ["Aladdin", "Bearer", "p-1", "r-1"] {
            assert!(!known.are_told_by(other), "{other}");
        }
    }

    #[test]
    fn what_a_server_says_is_shown_in_one_short_line_without_secrets() {
        let mut known = Known::written(&Url::parse("https://a.example/").unwrap(), &HeaderMap::new());
        known.read(vec![Secret::new("s/1"), Secret::new("")]);
        for (text, shown) in [
            ("text/html; charset=utf-8", "text/html; charset=utf-8"),
            ("text/x; t=s/1; u=\"s/1\"", "text/x; t=***; u=\"***\""),
            ("text/x; t=s%252F1", "***"),
            ("text/x; t=s\u{200b}/1", "***"),
            ("text/x\u{7}\u{1b}[31m;\ta", "text/x; a"),
            ("", ""),
        ] {
            assert_eq!(known.masked(text), shown, "{text:?}");
        }
        assert!(known.masked(&"x".repeat(1 << 16)).chars().count() < 300);
    }
}

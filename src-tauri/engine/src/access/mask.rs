//! URLs as they may be shown: secrets that a person wrote into them are masked.
//!
//! Works on texts, so that what is no URL is masked as well: it stands in the message that says so.

use std::borrow::Cow;

use url::Url;

/// What stands where a secret was.
pub const MASK: &str = "***";

/// Names that a secret goes by, without hyphens and underscores and in lower case.
const NAMES: [&str; 12] = [
    "auth",
    "authorization",
    "cookie",
    "credentials",
    "jwt",
    "key",
    "pass",
    "pw",
    "pwd",
    "session",
    "sid",
    "sig",
];

/// Ends of names that a secret goes by.
const ENDS: [&str; 10] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "accesskey",
    "privatekey",
    "signature",
    "credential",
];

/// Whether a parameter, header or cookie of this name holds a secret, as far as a name can tell.
pub fn is_secret_name(name: &str) -> bool {
    let name: String =
        name.chars().filter(|c| !matches!(c, '-' | '_' | '.')).flat_map(char::to_lowercase).collect();
    NAMES.contains(&&*name) || ENDS.iter().any(|end| name.ends_with(end))
}

/// A URL as it may be shown: user's password, a user alone, and parameters with the name of a secret are [`MASK`]ed.
pub fn masked(url: &str) -> Cow<'_, str> {
    let secrets = secrets(url);
    if secrets.is_empty() {
        return Cow::Borrowed(url);
    }
    Cow::Owned(replace(url, &secrets, |_| Some(MASK)))
}

/// Whether a URL has a secret in it.
pub fn holds_secret(url: &str) -> bool {
    !secrets(url).is_empty()
}

/// A URL that was [`masked`] when it was shown and then edited, with the secrets of the old one in their places again; `None` if
/// it has a mask for which the old one has nothing.
pub fn unmasked(edited: &str, old: &str) -> Option<String> {
    let masks: Vec<Part> = secrets(edited).into_iter().filter(|part| part.of(edited) == MASK).collect();
    if masks.is_empty() {
        return Some(edited.to_owned());
    }
    // A secret is for its host: it does not follow an edit to another.
    let same_origin = match (Url::parse(edited), Url::parse(old)) {
        (Ok(edited), Ok(old)) => edited.origin() == old.origin(),
        _ => false,
    };
    let known = secrets(old);
    let found = |mask: &Part| known.iter().find(|part| part.name == mask.name).map(|part| part.of(old));
    if !same_origin || masks.iter().any(|mask| found(mask).is_none()) {
        return None;
    }
    Some(replace(edited, &masks, found))
}

/// The values of a URL's secrets, as they are written.
pub(crate) fn secret_values(url: &str) -> impl Iterator<Item = &str> {
    secrets(url).into_iter().map(move |part| part.of(url))
}

/// The place of a secret in a URL.
struct Part {
    start: usize,
    end: usize,
    /// The parameter's name; empty for the user's.
    name: String,
}

impl Part {
    fn of<'u>(&self, url: &'u str) -> &'u str {
        &url[self.start..self.end]
    }
}

fn replace<'a>(url: &str, parts: &[Part], with: impl Fn(&Part) -> Option<&'a str>) -> String {
    let (mut text, mut done) = (String::with_capacity(url.len()), 0);
    for part in parts {
        text += &url[done..part.start];
        text += with(part).unwrap_or(MASK);
        done = part.end;
    }
    text + &url[done..]
}

/// Where the secrets are, in their order; empty ones left out.
fn secrets(url: &str) -> Vec<Part> {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let mut end = url[authority..].find(['/', '?', '#']).map_or(url.len(), |at| authority + at);
    if let Some(at) = url[end..].rfind('@')
        && Url::parse(url).is_err()
    {
        // Most likely a password with a slash in it.
        end += at + 1;
    }
    let mut parts = Vec::new();
    if let Some(at) = url[authority..end].rfind('@') {
        // A user without a password is a token, more often than not.
        let start = match url[authority..authority + at].find(':') {
            Some(colon) if colon + 1 < at => authority + colon + 1,
            _ => authority,
        };
        parts.push(Part { start, end: authority + at, name: String::new() });
    }
    let mut start = end;
    while let Some(at) = url[start..].find(['?', '&', '#', ';']) {
        start += at + 1;
        let end = url[start..].find(['&', '#', ';']).map_or(url.len(), |at| start + at);
        if let Some((name, _)) = url[start..end].split_once('=') {
            let name: String = url::form_urlencoded::parse(name.as_bytes()).map(|(name, _)| name).collect();
            if is_secret_name(&name) {
                let value = start + url[start..end].find('=').map_or(0, |at| at + 1);
                parts.push(Part { start: value, end, name });
            }
        }
    }
    parts.retain(|part| part.start < part.end);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_urls_are_masked() {
        for (url, shown) in [
            ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
            ("https://alice:pw@example.org/", "https://alice:***@example.org/"),
            ("https://alice:p:w@x@example.org/", "https://alice:***@example.org/"),
            ("https://tk_1@example.org/@b", "https://***@example.org/@b"),
            ("https://tk_1:@example.org", "https://***@example.org"),
            ("https://:pw@example.org/", "https://:***@example.org/"),
            ("https://example.org/@alice:b?c=d@e", "https://example.org/@alice:b?c=d@e"),
            ("https://a.example/s?x=1&token=t&y=2", "https://a.example/s?x=1&token=***&y=2"),
            (
                "https://a.example/s?Access-Token=t&apiKey=k&key=",
                "https://a.example/s?Access-Token=***&apiKey=***&key=",
            ),
            ("https://a.example/s?%61uth=t;pass=w", "https://a.example/s?%61uth=***;pass=***"),
            ("https://a.example/#access_token=t&z=1", "https://a.example/#access_token=***&z=1"),
            (
                "https://a.example/?token=a=b&monkey=1&author=2",
                "https://a.example/?token=***&monkey=1&author=2",
            ),
            // What is no URL stands in the message that says so.
            ("alice:pw@example.org/?token=t", "alice:***@example.org/?token=***"),
            ("https://alice:p/w@example.org/", "https://alice:***@example.org/"),
            ("https://alice:pw@example.org:99999/", "https://alice:***@example.org:99999/"),
            ("", ""),
        ] {
            assert_eq!(masked(url), shown);
            assert_eq!(holds_secret(url), url != shown, "{url}");
        }
    }

    #[test]
    fn an_edited_url_gets_its_secrets_back_unless_it_moves_to_another_server() {
        let old = "https://alice:pw@example.org/a?token=t&x=1";
        for (edited, whole) in [
            (
                "https://alice:***@example.org/b?x=2&token=***",
                Some("https://alice:pw@example.org/b?x=2&token=t"),
            ),
            ("https://bob:***@example.org/", Some("https://bob:pw@example.org/")),
            ("https://bob:new@example.org/?token=u", Some("https://bob:new@example.org/?token=u")),
            ("https://other.example/", Some("https://other.example/")),
            ("https://alice:***@other.example/", None),
            ("http://example.org/?token=***", None),
            ("https://example.org/?key=***", None),
            ("https://example.org/?token=***&x=***", Some("https://example.org/?token=t&x=***")),
        ] {
            assert_eq!(unmasked(edited, old).as_deref(), whole, "{edited}");
        }
        assert_eq!(unmasked("https://a.example/?token=***", ""), None);
    }
}

//! Arguments that are more than a word: addresses, headers, times.

use bellwether_engine::{
    network::Proxy,
    subscription::{HeaderName, HeaderValue},
};
use jiff::{SignedDuration, Timestamp};
use url::Url;

/// A point in time as a person gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Since {
    /// This moment.
    At(Timestamp),
    /// So long before now.
    Ago(SignedDuration),
}

impl Since {
    /// The moment, seen from `now`; never before 1970, where no event is either.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(time) => now.checked_sub(time).unwrap_or(Timestamp::MIN),
        }
        .max(Timestamp::UNIX_EPOCH)
    }
}

pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| {
        format!("it is no address ({error}); it should look like https://example.org/events")
    })?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("{other} is not supported; it has to begin with http:// or https://")),
    }
}

pub(super) fn parse_header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wanted = "it should look like 'Authorization: Bearer TOKEN'";
    let (name, value) = text.split_once(':').ok_or_else(|| format!("there is no colon; {wanted}"))?;
    let name = HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|_| format!("“{}” cannot be a header's name; {wanted}", name.trim()))?;
    let mut value = HeaderValue::from_str(value.trim())
        .map_err(|_| format!("the value of {name} has characters that no header may have; {wanted}"))?;
    // Keeps it out of debug output: most headers that a person adds are credentials.
    value.set_sensitive(true);
    Ok((name, value))
}

pub(super) fn parse_proxy(text: &str) -> Result<Proxy, String> {
    Proxy::parse(text).ok_or_else(|| {
        "give all of its address, such as http://proxy.example.org:3128, or system, or none".into()
    })
}

pub(super) fn parse_since(text: &str) -> Result<Since, String> {
    if let Some(seconds) = seconds(text) {
        return Ok(Since::Ago(SignedDuration::from_secs(seconds)));
    }
    text.parse().map(Since::At).map_err(|_| {
        "give an RFC 3339 time such as 2026-11-20T08:00:00Z, or a time back from now such as 15m, 2h, 7d"
            .into()
    })
}

pub(super) fn parse_seconds(text: &str) -> Result<u32, String> {
    let time = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        seconds(text).and_then(|seconds| u32::try_from(seconds).ok())
    };
    time.ok_or_else(|| "give seconds, or a time such as 90s, 5m, 2h; 0: never".into())
}

/// A number and one of the units s, m, h, d, w.
fn seconds(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit: u32 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    let number: u32 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    Some(i64::from(number) * i64::from(unit))
}

//! What an answer's head, or a failure, means for the connection.

use std::time::{Duration, SystemTime};

use url::Url;

use crate::feed::{ProxyFault, Reason, RedirectFault};

/// The head of a response, as far as the protocol reads it. Header values that are not valid UTF-8 may be decoded lossily.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `Content-Encoding`.
    pub content_encoding: Option<&'a str>,
    /// `Location`.
    pub location: Option<&'a str>,
    /// `Retry-After`, as [`retry_after`] reads it.
    pub retry_after: Option<Duration>,
}

/// How long a `Retry-After` that came at `now` asks to wait: it holds seconds or a date (RFC 9110, 10.2.3). A date that has
/// passed asks for nothing; neither does what is no such value.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still a long time.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    httpdate::parse_http_date(value).ok()?.duration_since(now).ok()
}

/// What is to follow from an answer.
pub(super) enum Course {
    /// The body is an event stream.
    Open,
    /// The same question goes to another place.
    Redirect(Url),
    /// The server may have refused the last event ID: ask once more without it.
    WithoutId(Reason),
    Fail(Reason),
}

/// How a failure may be overcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Remedy {
    /// By time alone.
    Retry,
    /// Hardly by a retry, but one never knows: a captive portal lets go, a token is renewed.
    RetrySlowly,
    /// Not at all: the server says that it is over.
    Stop,
}

/// Reads the answer to a request for `asked`, which carried something to resume by or not.
pub(super) fn course(answer: &Answer<'_>, asked: &Url, resumes: bool) -> Course {
    let failure = match answer.status {
        200 => match stream_fault(answer) {
            None => return Course::Open,
            Some(fault) => fault,
        },
        301 | 302 | 303 | 307 | 308 => match target(answer, asked) {
            Ok(target) => return Course::Redirect(target),
            Err(fault) => Reason::Redirect(fault),
        },
        status @ (400 | 413 | 414 | 416 | 431) if resumes => {
            return Course::WithoutId(Reason::Status(status));
        }
        status => Reason::Status(status),
    };
    Course::Fail(failure)
}

/// How a failure for this reason may be overcome.
pub(super) fn remedy(reason: &Reason) -> Remedy {
    match reason {
        Reason::Status(204 | 410) | Reason::ClosedByRule(_) | Reason::ClosedByPreset(_) => Remedy::Stop,
        Reason::Status(408 | 425 | 429 | 500..=599) => Remedy::Retry,
        Reason::Status(_)
        | Reason::ContentType(_)
        | Reason::ContentEncoding(_)
        | Reason::Redirect(_)
        | Reason::TlsUntrusted(_)
        | Reason::TlsName(_)
        | Reason::TlsExpired(_)
        | Reason::TlsClientCertificate(_)
        | Reason::CertificateFile { .. }
        | Reason::Credential(_)
        | Reason::PlainHttp(_)
        | Reason::Proxy { fault: ProxyFault::SignIn, .. } => Remedy::RetrySlowly,
        Reason::Dns(_)
        | Reason::Refused(_)
        | Reason::Unreachable(_)
        | Reason::ConnectTimeout(_)
        | Reason::HeaderTimeout(_)
        | Reason::Tls(_)
        | Reason::Proxy { .. }
        | Reason::Idle(_)
        | Reason::EndedEmpty
        | Reason::Ended
        | Reason::Broken(_)
        | Reason::Network(_) => Remedy::Retry,
    }
}

/// Why a body with this head is no readable event stream. Only the media type's essence counts: the stream is UTF-8
/// whatever `charset` says (WHATWG HTML 9.2.3, 9.2.6).
fn stream_fault(answer: &Answer<'_>) -> Option<Reason> {
    let essence = answer.content_type.map(|value| value.split(';').next().unwrap_or_default().trim());
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("text/event-stream")) {
        return Some(Reason::ContentType(answer.content_type.map(str::to_owned)));
    }
    let encoding = answer.content_encoding.unwrap_or_default().trim();
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
        return Some(Reason::ContentEncoding(encoding.to_owned()));
    }
    None
}

fn target(answer: &Answer<'_>, asked: &Url) -> Result<Url, RedirectFault> {
    let location = answer.location.ok_or(RedirectFault::NoLocation)?;
    let target = asked.join(location).map_err(|_| RedirectFault::NoLocation)?;
    match (asked.scheme(), target.scheme()) {
        ("https", "http") => Err(RedirectFault::Downgrade),
        (_, "http" | "https") => Ok(target),
        _ => Err(RedirectFault::Scheme),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // Sun, 06 Nov 1994 08:49:37 GMT is the date of RFC 9110, 5.6.7; now is a minute before it.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 60);
        for (value, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 007 ", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(60)),
            ("Sun Nov  6 08:49:37 1994", Some(60)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:48:36 GMT", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value:?}");
        }
    }
}

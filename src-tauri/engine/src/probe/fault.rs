//! Why a URL is of no use as a feed.

use std::time::Duration;

use crate::{
    config::{ConfigError, ConfigErrorKind},
    feed::{Reason, RedirectFault},
};

/// Why there is no event stream that can be used. [`Fault::code`] is stable; [`Fault::detail`] is for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Not a URL; why.
    Url(String),
    /// A URL, but neither http nor https.
    Scheme(String),
    /// The server answered an event stream, and then not one byte came for so long: it has no events and sends no
    /// comments, or something in between, such as a proxy, holds them back. From here these two look the same.
    Silent(Duration),
    /// No answer's head came for so long.
    Timeout(Duration),
    /// What would keep a feed from being connected, too.
    Connection(Reason),
}

impl Fault {
    pub(super) fn of_url(error: &ConfigError) -> Self {
        match error.kind {
            ConfigErrorKind::UnsupportedScheme => Self::Scheme(error.message.to_string()),
            _ => Self::Url(error.message.to_string()),
        }
    }

    /// A stable name for programs and message catalogues. Finer than [`Reason::code`], as each has a remedy of its own.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url(_) => "not_a_url",
            Self::Scheme(_) => "scheme",
            Self::Silent(_) => "silent",
            Self::Timeout(_) => "timeout",
            Self::Connection(reason) => code_of(reason),
        }
    }

    /// The particular that a sentence about this fault needs: a status code, a media type, a host, seconds.
    pub fn detail(&self) -> String {
        match self {
            Self::Url(text) | Self::Scheme(text) => text.clone(),
            Self::Silent(time) | Self::Timeout(time) => time.as_secs().to_string(),
            Self::Connection(reason) => reason.detail(),
        }
    }
}

fn code_of(reason: &Reason) -> &'static str {
    match reason {
        Reason::Status(401) => "unauthorized",
        Reason::Status(403) => "forbidden",
        Reason::Status(407) => "proxy_sign_in",
        Reason::Status(429) => "too_many_requests",
        Reason::Status(500..=599) => "server_error",
        Reason::ContentType(Some(kind)) => match kind_of(kind) {
            Kind::Html => "html",
            Kind::Json => "json",
            Kind::Other => reason.code(),
        },
        Reason::Redirect(fault) => match fault {
            RedirectFault::NoLocation => "redirect_no_location",
            RedirectFault::Scheme => "redirect_scheme",
            RedirectFault::Downgrade => "redirect_downgrade",
            RedirectFault::TooMany => "redirect_too_many",
        },
        Reason::ConnectTimeout(_) | Reason::HeaderTimeout(_) => "timeout",
        other => other.code(),
    }
}

enum Kind {
    Html,
    Json,
    Other,
}

/// What a `Content-Type` says of a body. JSON has many names: `application/problem+json`, `application/x-ndjson`.
fn kind_of(content_type: &str) -> Kind {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.split_once('/') {
        Some((_, "html" | "xhtml+xml")) => Kind::Html,
        Some((_, subtype)) if subtype.ends_with("json") => Kind::Json,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_a_code_of_its_own() {
        let text = || "x".to_owned();
        let kind = |kind: &str| Reason::ContentType(Some(kind.to_owned()));
        for (reason, code) in [
            (Reason::Status(204), "no_content"),
            (Reason::Status(400), "status"),
            (Reason::Status(401), "unauthorized"),
            (Reason::Status(403), "forbidden"),
            (Reason::Status(404), "not_found"),
            (Reason::Status(407), "proxy_sign_in"),
            (Reason::Status(410), "gone"),
            (Reason::Status(429), "too_many_requests"),
            (Reason::Status(503), "server_error"),
            (kind("Text/HTML ; charset=utf-8"), "html"),
            (kind("application/xhtml+xml"), "html"),
            (kind("application/json;charset=utf-8"), "json"),
            (kind("application/problem+json"), "json"),
            (kind("application/x-ndjson"), "json"),
            (kind("text/plain"), "content_type"),
            (kind("json"), "content_type"),
            (Reason::ContentType(None), "content_type"),
            (Reason::ContentEncoding(text()), "content_encoding"),
            (Reason::Redirect(RedirectFault::Downgrade), "redirect_downgrade"),
            (Reason::Dns(text()), "dns"),
            (Reason::Refused(text()), "refused"),
            (Reason::ConnectTimeout(Duration::from_secs(5)), "timeout"),
            (Reason::TlsUntrusted(text()), "tls_untrusted"),
            (Reason::TlsName(text()), "tls_name"),
            (Reason::TlsExpired(text()), "tls_expired"),
        ] {
            assert_eq!(Fault::Connection(reason.clone()).code(), code, "{reason:?}");
        }
    }
}

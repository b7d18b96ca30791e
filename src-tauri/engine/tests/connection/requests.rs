//! What every request carries.

use bellwether_engine::subscription::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    row::{OTHER, Row, Step, asked, connected, delay, message, waiting},
    support::{Act, Recorded, answer, stream},
};

pub(crate) fn rows() -> Vec<Row> {
    let asks = |name: &str, check| Row::new(name, vec![], vec![Step::Asked(check)]);
    let resumed = |name: &str, id: &str, check| asks(name, check).since(id);
    let own = [("x-api-key", "secret"), ("authorization", "Bearer secret"), ("user-agent", "Mine/1")];
    let own = own.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    vec![
        asks("Accept: text/event-stream", |request| request.has("accept", b"text/event-stream")),
        asks("Cache-Control: no-cache", |request| request.has("cache-control", b"no-cache")),
        asks("Accept-Encoding: identity", |request| request.has("accept-encoding", b"identity")),
        resumed("Last-Event-ID: as its UTF-8 bytes", "é 中\t7", |request| {
            request.has("last-event-id", "é 中\t7".as_bytes())
        }),
        asks("Last-Event-ID: none if there is no ID", |request| request.lacks("last-event-id")),
        resumed("Last-Event-ID: none if it has a control character", "a\u{1}b", |request| {
            request.lacks("last-event-id")
        }),
        resumed("Last-Event-ID: none if it has 5000 bytes", &"x".repeat(5000), |request| {
            request.lacks("last-event-id")
        }),
        Row::new(
            "Last-Event-ID: an ID that cannot be sent does not keep the feed from going on",
            vec![vec![stream("id: a\u{1}b\ndata: a\n\n")], vec![stream("data: b\n\n"), Act::Hold]],
            vec![
                asked(),
                message("a", "a\u{1}b"),
                delay(3),
                Step::Asked(|request| request.lacks("last-event-id")),
                message("b", "a\u{1}b"),
            ],
        ),
        asks("User-Agent: name/version", |request| request.has("user-agent", b"Bellwether/0.0.0")),
        Row::new(
            "the feed's own headers, on each attempt",
            vec![vec![answer("503 Service Unavailable", "")]],
            vec![Step::Asked(has_own), waiting("status 503", 1), delay(3), Step::Asked(has_own)],
        )
        .headers(HeaderMap::from_iter(own)),
        asks("Referer: none", |request| request.lacks("referer")),
        Row::new(
            "Referer: none after a redirect either",
            vec![vec![answer("302 Found", &format!("Location: {OTHER}/\r\n"))]],
            vec![asked(), Step::OtherAsked(|request| request.lacks("referer"))],
        )
        .at("{server}/stream?token=secret"),
        asks("HTTP/1.1, GET, path and query", |request| request.is_for("/stream?a=b"))
            .at("{server}/stream?a=b#part"),
        // The server reads one request from each connection: another on the same one would never be seen.
        Row::new(
            "a connection of its own for each request, though the server would keep it",
            vec![
                vec![answer("503 Service Unavailable", "Connection: keep-alive\r\n"), Act::Hold],
                vec![stream(""), Act::Hold],
            ],
            vec![asked(), waiting("status 503", 1), delay(3), asked(), connected()],
        ),
    ]
}

fn has_own(request: &Recorded) -> Result<(), String> {
    request.has("x-api-key", b"secret")?;
    request.has("authorization", b"Bearer secret")?;
    request.has("user-agent", b"Mine/1")
}

//! Redirects, which are followed by hand.

use bellwether_engine::subscription::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    numbers::not_found,
    row::{Check, OTHER, Row, SERVER, Step, asked, connected, delay, message, needs_attention},
    support::{self, Act, answer, stream},
};

/// An answer that sends elsewhere.
fn to(status: u16, location: &str) -> Vec<Act> {
    vec![answer(&format!("{status} Elsewhere"), &format!("Location: {location}\r\n"))]
}

fn own_headers() -> HeaderMap {
    let own = ["authorization", "cookie", "proxy-authorization", "x-api-key"];
    own.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("secret"))).into_iter().collect()
}

pub(crate) fn rows() -> Vec<Row> {
    let with_all: Check = |request| {
        ["authorization", "cookie", "proxy-authorization", "x-api-key"]
            .into_iter()
            .try_for_each(|name| request.has(name, b"secret"))
    };
    let with_none: Check = |request| {
        request.has("last-event-id", b"7")?;
        request.has("accept", b"text/event-stream")?;
        ["authorization", "cookie", "proxy-authorization", "x-api-key", "referer"]
            .into_iter()
            .try_for_each(|name| request.lacks(name))
    };
    let faulty = |name: &str, status: u16, headers: &str, reason: &str| {
        let script = vec![answer(&format!("{status} Elsewhere"), headers)];
        Row::new(name, vec![script], vec![asked(), needs_attention(reason, 1), delay(60), asked()])
    };
    let downgrade = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:9/\r\n\r\n";
    let downgrading = support::over_tls(support::VALID, downgrade.to_owned());
    let mut rows: Vec<Row> = [301, 302, 303, 307, 308]
        .into_iter()
        .map(|status| {
            Row::new(
                format!(
                    "{status}: followed, by GET, with the ID; each reconnect begins at the configured URL"
                ),
                vec![to(status, "/final?a=b"), vec![stream("data: a\n\n")], not_found()],
                vec![
                    Step::Asked(|request| request.is_for("/stream")),
                    Step::Asked(|request| {
                        request.has("last-event-id", b"7")?;
                        request.is_for("/final?a=b")
                    }),
                    message("a", "7"),
                    delay(3),
                    Step::Asked(|request| request.is_for("/stream")),
                ],
            )
            .since("7")
        })
        .collect();
    rows.extend([
        faulty("without Location: slow", 302, "", "redirect no location"),
        faulty("another scheme: slow", 302, "Location: ftp://example.org/\r\n", "redirect scheme"),
        faulty("another scheme: slow", 307, "Location: file:///etc/passwd\r\n", "redirect scheme"),
        Row::new(
            "from https to http: never",
            vec![],
            vec![needs_attention("redirect https to http", 1), delay(60)],
        )
        .at(format!("https://127.0.0.1:{downgrading}/"))
        .trusting(),
        Row::new(
            "the same origin gets the feed's own headers",
            vec![to(302, &format!("{SERVER}/next"))],
            vec![Step::Asked(with_all), Step::Asked(with_all)],
        )
        .headers(own_headers()),
        Row::new(
            "another port is another origin: none of the feed's own headers, but the ID",
            vec![to(307, &format!("{OTHER}/final"))],
            vec![Step::Asked(with_all), Step::OtherAsked(with_none), connected()],
        )
        .other(vec![vec![stream(""), Act::Hold]])
        .headers(own_headers())
        .since("7"),
        Row::new(
            "another host is another origin",
            vec![to(301, "http://localhost:{port}/final")],
            vec![Step::Asked(with_all), Step::Asked(with_none)],
        )
        .headers(own_headers())
        .since("7"),
        Row::new(
            "back at the first origin the headers are there again",
            vec![to(302, &format!("{OTHER}/")), vec![stream(""), Act::Hold]],
            vec![
                Step::Asked(with_all),
                Step::OtherAsked(|request| request.lacks("x-api-key")),
                Step::Asked(with_all),
                connected(),
            ],
        )
        .other(vec![to(302, &format!("{SERVER}/back"))])
        .headers(own_headers()),
    ]);
    rows.extend(moves());
    rows
}

/// Where a stream has moved to is told after redirects that are for good alone.
fn moves() -> Vec<Row> {
    let moved = |name: &str, statuses: &[u16], target: &str, told: Option<&'static str>| {
        let last = statuses.len() - 1;
        let hops = statuses.iter().enumerate().map(|(at, status)| {
            let next = format!("{SERVER}/hop{at}");
            to(*status, if at == last { target } else { &next })
        });
        let scripts = hops.chain([vec![stream(""), Act::Hold]]).collect();
        let asked = (0..=statuses.len()).map(|_| asked());
        Row::new(name, scripts, asked.chain([Step::OpenedAt(told)]).collect())
    };
    vec![
        moved("301: the new URL is told", &[301], "/new?x=1", Some("{server}/new?x=1")),
        moved("301 and 308: the last URL is told", &[301, 308, 301], "/new", Some("{server}/new")),
        moved("302 is not for good", &[302], "/new", None),
        moved("307 after 301 is not for good", &[301, 307], "/new", None),
        moved("301 after 302 is not for good", &[302, 301], "/new", None),
        moved("301 to where it came from is no new URL", &[301], "/stream", None),
        moved(
            "the new URL is told without its secrets and those of the old one",
            &[301],
            "http://user:pw@localhost:{port}/new?token=t2&return=s3cret&x=1",
            Some("http://localhost:{port}/new?token=***&x=1"),
        )
        .at(format!("{SERVER}/stream?token=s3cret")),
        Row::new(
            "a server that sends no further on is told as well",
            vec![to(301, "/new"), vec![stream("data: a\n\n")], vec![stream(""), Act::Hold]],
            vec![
                asked(),
                asked(),
                Step::OpenedAt(Some("{server}/new")),
                message("a", ""),
                delay(3),
                asked(),
                Step::OpenedAt(None),
            ],
        ),
    ]
}

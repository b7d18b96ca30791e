//! What follows from each answer, and from none.

use std::{
    net::TcpListener,
    time::{Duration, SystemTime},
};

use bellwether_engine::subscription::Signal;

use crate::{
    numbers::not_found,
    row::{Row, Step, asked, connected, delay, message, needs_attention, pass, stopped, waiting},
    support::{self, Act, answer, send},
};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = types();
    rows.extend(statuses());
    rows.extend(refused_ids());
    rows.extend(retry_after());
    rows.extend(no_answer());
    rows
}

/// An answer with these headers whose body is an event, and no end.
fn stream_with(headers: &str) -> Vec<Act> {
    vec![send(format!("HTTP/1.1 200 OK\r\n{headers}\r\ndata: é\n\n")), Act::Hold]
}

fn types() -> Vec<Row> {
    let opens = |headers: &str| {
        Row::new(
            format!("200, {headers:?}: open"),
            vec![stream_with(headers)],
            vec![asked(), connected(), message("é", "")],
        )
    };
    let slow = |headers: &str, reason: &str| {
        Row::new(
            format!("200, {headers:?}: slow"),
            vec![stream_with(headers)],
            vec![asked(), needs_attention(reason, 1), delay(60), asked()],
        )
    };
    vec![
        Row::new(
            "200, text/event-stream: open, and connected only now",
            vec![vec![Act::Pass(Duration::from_secs(20)), support::stream(""), Act::Hold]],
            vec![asked(), connecting(), pass(20), connected()],
        ),
        opens("Content-Type: text/event-stream\r\n"),
        opens("Content-Type: Text/EVENT-stream\r\n"),
        opens("Content-Type:  text/event-stream ; a=b; c=\"d\" \r\n"),
        opens("Content-Type: text/event-stream;\r\n"),
        opens("Content-Type: text/event-stream; charset=utf-8\r\n"),
        opens("Content-Type: text/event-stream; charset=\"UTF-8\"\r\n"),
        opens("Content-Type: text/event-stream; charset=utf8\r\n"),
        opens("Content-Type: text/event-stream; charset=iso-8859-1\r\n"),
        opens("Content-Type: text/event-stream\r\nContent-Encoding: identity\r\n"),
        slow("Content-Type: text/html; charset=utf-8\r\n", "content_type text/html; charset=utf-8"),
        slow("Content-Type: application/json\r\n", "content_type application/json"),
        slow("Server: captive\r\n", "content_type"),
        slow("Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n", "content_encoding gzip"),
        slow("Content-Type: text/event-stream\r\nContent-Encoding: br\r\n", "content_encoding br"),
    ]
}

fn connecting() -> Step {
    Step::State(bellwether_engine::feed::State::Connecting, String::new(), 0)
}

fn statuses() -> Vec<Row> {
    let refused = |status: u16| vec![answer(&format!("{status} No"), "")];
    let reason = |status: u16| match status {
        401 | 403 | 407 => format!("sign_in_refused {status}"),
        404 => "not_found 404".to_owned(),
        _ => format!("status {status}"),
    };
    let slow = |status: u16| {
        let twice = vec![refused(status), refused(status)];
        Row::new(
            format!("{status}: slow"),
            twice,
            vec![
                asked(),
                needs_attention(&reason(status), 1),
                delay(60),
                asked(),
                needs_attention(&reason(status), 2),
                delay(120),
                asked(),
            ],
        )
    };
    let transient = |status: u16| {
        let twice = vec![refused(status), refused(status)];
        Row::new(
            format!("{status}: transient"),
            twice,
            vec![
                asked(),
                waiting(&reason(status), 1),
                delay(3),
                asked(),
                waiting(&reason(status), 2),
                delay(6),
                asked(),
            ],
        )
    };
    let stop = |status: u16, reason: &str| {
        let mut steps = vec![asked()];
        steps.extend(stopped(reason, 0));
        Row::new(format!("{status}: stop"), vec![refused(status)], steps)
    };
    let mut rows = vec![stop(204, "no_content 204")];
    rows.extend([205, 206, 201, 202, 203].map(slow));
    rows.extend([300, 304, 400, 402, 404, 405, 406, 409, 413, 418, 431, 451].map(slow));
    rows.extend([401, 403, 407].map(slow));
    rows.push(stop(410, "gone 410"));
    rows.extend([408, 425, 429].map(transient));
    rows.extend([500, 501, 502, 503, 504, 520, 599].map(transient));
    rows
}

fn refused_ids() -> Vec<Row> {
    let refused = |status: u16| vec![answer(&format!("{status} No"), "")];
    let with: crate::row::Check = |request| request.has("last-event-id", b"7");
    let without: crate::row::Check = |request| request.lacks("last-event-id");
    let mut rows = Vec::new();
    for status in [400, 413, 414, 416, 431] {
        rows.push(
            Row::new(
                format!(
                    "{status} to an ID: asked again at once without it, and the ID is forgotten if that helps"
                ),
                vec![refused(status), vec![support::stream("data: a\n\n")], not_found()],
                vec![
                    Step::Asked(with),
                    Step::Asked(without),
                    Step::Told(Signal::LastEventId(String::new())),
                    message("a", ""),
                    delay(3),
                    Step::Asked(without),
                ],
            )
            .since("7"),
        );
        rows.push(
            Row::new(
                format!("{status} to an ID, and without it too: slow, and the ID was not to blame"),
                vec![refused(status), refused(status)],
                vec![
                    Step::Asked(with),
                    Step::Asked(without),
                    needs_attention(&format!("status {status}"), 1),
                    delay(60),
                    Step::Asked(with),
                ],
            )
            .since("7"),
        );
    }
    rows
}

fn retry_after() -> Vec<Row> {
    let after = |status: &str, value: &str| vec![answer(status, &format!("Retry-After: {value}\r\n"))];
    let seconds = |least: u64, most: u64| Step::Wait(Duration::from_secs(least), Duration::from_secs(most));
    // Dates are told by the clock on the wall, in whole seconds; it goes on while this row waits for its turn.
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(1800));
    let row = |name: &str, answer: Vec<Act>, state: Step, wait: Step| {
        Row::new(format!("Retry-After: {name}"), vec![answer, vec![]], vec![asked(), state, wait, asked()])
    };
    vec![
        row("seconds", after("503 No", "1800"), waiting("status 503", 1), seconds(1800, 1800)),
        row("a date", after("503 No", &date), waiting("status 503", 1), seconds(1500, 1801)),
        row("on 429", after("429 No", "1800"), waiting("status 429", 1), seconds(1800, 1800)),
        row(
            "on a slow answer",
            after("404 No", "1800"),
            needs_attention("not_found 404", 1),
            seconds(1800, 1800),
        ),
        row("less than the own delay", after("503 No", "1"), waiting("status 503", 1), delay(3)),
        row("1 h at most", after("503 No", "86400"), waiting("status 503", 1), seconds(3600, 3600)),
        Row::new(
            "Retry-After: for that one delay",
            vec![after("503 No", "600"), after("503 No", "soon")],
            vec![
                asked(),
                waiting("status 503", 1),
                seconds(600, 600),
                asked(),
                waiting("status 503", 2),
                delay(6),
                asked(),
            ],
        ),
    ]
}

fn no_answer() -> Vec<Row> {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let closed = closed.expect("an address");
    let label = "x".repeat(64);
    let failing = |name: &str, url: String, reason: &str| {
        let steps = vec![waiting(reason, 1), delay(3), waiting(reason, 2), delay(6), waiting(reason, 3)];
        Row::new(name, vec![], steps).at(url)
    };
    let (untrusted, _) = support::untrusted();
    let (plain, _) = plain_where_tls_is_due();
    vec![
        failing("TCP refused: transient", format!("http://{closed}/"), &format!("refused {closed}")),
        // A connection cannot be made to many hosts at once (RFC 1112).
        failing("unreachable: transient", "http://224.0.0.1:9/".to_owned(), "unreachable 224.0.0.1:9"),
        Row::new(
            "reset before headers: transient",
            vec![vec![Act::Reset], vec![Act::Reset]],
            vec![asked(), waiting("broken", 1), delay(3), asked(), waiting("broken", 2), delay(6), asked()],
        ),
        failing(
            "DNS failure: transient",
            format!("http://{label}.invalid/"),
            &format!("dns {label}.invalid"),
        ),
        tls("trusted: open", support::VALID, "127.0.0.1", vec![connected(), message("a", "")]),
        tls(
            "wrong name: slow",
            support::VALID,
            "localhost",
            vec![needs_attention("tls_name localhost", 1), delay(60)],
        ),
        tls(
            "expired: slow",
            support::EXPIRED,
            "127.0.0.1",
            vec![needs_attention("tls_expired 127.0.0.1", 1), delay(60)],
        ),
        Row::new(
            "TLS, certificate not trusted: slow",
            vec![],
            vec![needs_attention("tls_untrusted 127.0.0.1", 1), delay(60)],
        )
        .at(untrusted.as_str()),
        Row::new("TLS, any other failure: transient", vec![], vec![waiting("tls", 1), delay(3)]).at(plain),
        // No answer to the connect and no headers: the timeouts, among the numbers.
    ]
}

fn tls(name: &str, certificate: &[u8], host: &str, steps: Vec<Step>) -> Row {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n";
    let port = support::over_tls(certificate, answer.to_owned());
    Row::new(format!("TLS, {name}"), vec![], steps).at(format!("https://{host}:{port}/")).trusting()
}

/// A server that answers one TLS handshake in plain HTTP.
fn plain_where_tls_is_due() -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("https://{}/", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let Ok((mut connection, _)) = listener.accept() else { return };
        let _ = connection.read(&mut [0; 1024]);
        let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    (url, server)
}

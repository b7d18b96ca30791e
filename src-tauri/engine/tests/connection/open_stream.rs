//! The open stream: its ends, its fields, its silence.

use std::time::Duration;

use bellwether_engine::subscription::{News, Signal};

use crate::{
    numbers::{not_found, unavailable},
    row::{Check, Row, SECOND, Step, asked, connected, delay, message, needs_attention, pass, waiting},
    support::{Act, send, stream},
};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = ends();
    rows.extend(fields());
    rows.extend(silence());
    rows.extend(content());
    rows
}

fn ends() -> Vec<Row> {
    let dropped: Check = |request| request.has("last-event-id", b"1");
    let cut = "id: 1\ndata: a\n\nid: 2\ndata: b";
    let breaks = |name: &str, script: Vec<Act>| {
        let script = vec![script, vec![stream("data: c\n\n"), Act::Hold]];
        // The state is told, so the failure counts, but the delay does not grow.
        Row::new(
            name,
            script,
            vec![
                asked(),
                message("a", "1"),
                pass(1),
                waiting("broken", 1),
                delay(3),
                Step::Asked(dropped),
                message("c", "1"),
            ],
        )
    };
    let pause = || Act::Pass(SECOND);
    vec![
        Row::new(
            "clean end after events: the base delay each time, connected all along",
            vec![
                vec![stream("data: a\n\n")],
                vec![stream("data: b\n\n")],
                vec![stream("retry: 5000\n")],
                vec![stream("data: c\n\n")],
            ],
            vec![
                asked(),
                connected(),
                message("a", ""),
                delay(3),
                asked(),
                Step::Opened,
                message("b", ""),
                delay(3),
                asked(),
                Step::Opened,
                delay(5),
                asked(),
                Step::Opened,
                message("c", ""),
                delay(5),
            ],
        ),
        Row::new(
            "clean end after events: a failure of the next attempt is told",
            vec![vec![stream("data: a\n\n")], unavailable()],
            vec![asked(), message("a", ""), delay(3), asked(), waiting("status 503", 1)],
        ),
        Row::new(
            "clean end without event and retry: transient, and grows",
            vec![vec![stream(": hello\n\n")], vec![stream("id: 1\n\n")], vec![stream("")]],
            vec![
                asked(),
                connected(),
                waiting("ended_empty", 1),
                delay(3),
                asked(),
                Step::Told(Signal::LastEventId("1".to_owned())),
                waiting("ended_empty", 2),
                delay(6),
                asked(),
                connected(),
                waiting("ended_empty", 3),
                delay(12),
            ],
        ),
        // An event must be read before the reset, which takes along what is still under way.
        breaks("reset: no growth after an event", vec![stream(cut), pause(), Act::Reset]),
        breaks(
            "body shorter than its Content-Length",
            vec![send(format!("{HEAD}Content-Length: 1000\r\n\r\n{cut}")), pause()],
        ),
        breaks(
            "cut chunk",
            vec![send(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n1000\r\n{cut}")), pause()],
        ),
        Row::new(
            "reset without event and retry: grows",
            (0..3).map(|_| vec![stream(": hello\n\n"), pause(), Act::Reset]).collect(),
            [(1, 3), (2, 6), (3, 12)]
                .into_iter()
                .flat_map(|(attempt, seconds)| {
                    [asked(), connected(), pass(1), waiting("broken", attempt), delay(seconds)]
                })
                .collect(),
        ),
        Row::new(
            "end in the middle of an event: dropped, and its ID not taken",
            vec![vec![stream(cut)], vec![stream("\n\ndata: c\n\n"), Act::Hold]],
            vec![asked(), message("a", "1"), delay(3), Step::Asked(dropped), message("c", "1")],
        ),
    ]
}

fn fields() -> Vec<Row> {
    let sends_back: Check = |request| request.has("last-event-id", b"2");
    let none: Check = |request| request.lacks("last-event-id");
    vec![
        Row::new(
            "retry: at once, the last one counts, an empty, a signed and a too large one do not; kept over connections",
            vec![
                vec![stream(
                    "retry: 20000\nretry: 7000\nretry:\nretry: +9\nretry: 99999999999999999999\n: x\n",
                )],
                vec![stream("data: a\n\n")],
                unavailable(),
            ],
            vec![
                asked(),
                connected(),
                delay(7),
                asked(),
                message("a", ""),
                delay(7),
                asked(),
                waiting("status 503", 1),
                delay(7),
                asked(),
            ],
        ),
        Row::new(
            "retry: counts without its blank line, and in the middle of a broken response",
            vec![vec![stream("retry: 9000\n"), Act::Pass(SECOND), Act::Reset]],
            vec![asked(), connected(), pass(1), waiting("broken", 1), delay(9)],
        ),
        Row::new(
            "id: sent back on each connection until it changes, through failures too",
            vec![
                vec![stream("id: 1\ndata: a\n\nid: 2\ndata: b\n\ndata: c\n\n")],
                vec![stream("data: d\n\n")],
                unavailable(),
                not_found(),
            ],
            vec![
                asked(),
                message("a", "1"),
                message("b", "2"),
                message("c", "2"),
                delay(3),
                Step::Asked(sends_back),
                message("d", "2"),
                delay(3),
                Step::Asked(sends_back),
                waiting("status 503", 1),
                delay(3),
                Step::Asked(sends_back),
                needs_attention("not_found 404", 2),
                delay(60),
                Step::Asked(sends_back),
            ],
        ),
        Row::new(
            "id: one in a block without data counts too",
            vec![vec![stream("id: 2\n\nretry: 3000\n")]],
            vec![asked(), Step::Told(Signal::LastEventId("2".to_owned())), delay(3), Step::Asked(sends_back)],
        ),
        Row::new(
            "empty id: the ID is reset, and the header left out",
            vec![vec![stream("id: 1\ndata: a\n\nid\ndata: b\n\n")]],
            vec![asked(), message("a", "1"), message("b", ""), delay(3), Step::Asked(none)],
        ),
        Row::new(
            "an id with a NUL is ignored",
            vec![vec![stream("id: 2\ndata: a\n\nid: 3\0\ndata: b\n\n")]],
            vec![asked(), message("a", "2"), message("b", "2"), delay(3), Step::Asked(sends_back)],
        ),
        Row::new(
            "comments and unknown fields: ignored, but signs of life",
            vec![vec![
                stream(""),
                Act::Pass(299 * SECOND),
                send(": comment\n"),
                Act::Pass(299 * SECOND),
                send("unknown: field\n"),
                Act::Pass(299 * SECOND),
                send("data: a\n\n"),
                Act::Hold,
            ]],
            vec![
                asked(),
                connected(),
                pass(299),
                pass(299),
                pass(299),
                message("a", ""),
                pass(300),
                waiting("idle 300", 1),
            ],
        ),
    ]
}

fn silence() -> Vec<Row> {
    let silent = || vec![stream(""), Act::Hold];
    let soon = || Step::Wait(Duration::ZERO, 2 * SECOND);
    let down = || (0..5).map(|_| unavailable());
    let failures = || {
        [(1, 3), (2, 6), (3, 12), (4, 24), (5, 48)]
            .into_iter()
            .flat_map(|(attempt, seconds)| [asked(), waiting("status 503", attempt), delay(seconds)])
    };
    let mut slept = Row::new(
        "laptop sleeps: the connection is dropped and made anew within 2 s, with its ID and without growth",
        down().chain([vec![stream("id: 1\ndata: a\n\n"), Act::Hold], unavailable()]).collect(),
        failures()
            .chain([
                asked(),
                message("a", "1"),
                Step::Hear(News::woke_up),
                waiting("", 0),
                Step::HangUp,
                soon(),
                Step::Asked(|request| request.has("last-event-id", b"1")),
                waiting("status 503", 1),
                delay(3),
                asked(),
            ])
            .collect(),
    );
    slept = slept.seed(3);
    vec![
        Row::new(
            "silence: idle timeout, then transient without growth",
            vec![silent(), silent(), silent()],
            (0..3)
                .flat_map(|_| {
                    [asked(), connected(), pass(300), waiting("idle 300", 1), Step::HangUp, delay(3)]
                })
                .collect(),
        ),
        slept,
        Row::new(
            "laptop sleeps: a request that is under way, and a wait, too",
            vec![vec![Act::Hold], not_found(), silent()],
            vec![
                asked(),
                Step::Hear(News::woke_up),
                waiting("", 0),
                Step::HangUp,
                soon(),
                asked(),
                needs_attention("not_found 404", 1),
                Step::Hear(News::woke_up),
                waiting("not_found 404", 0),
                soon(),
                asked(),
                connected(),
            ],
        ),
        Row::new(
            "network comes back: what waits is tried within 2 s, slow ones too, without growth",
            vec![unavailable(), not_found(), unavailable()],
            vec![
                asked(),
                waiting("status 503", 1),
                Step::Hear(News::network_came_back),
                waiting("status 503", 0),
                soon(),
                asked(),
                needs_attention("not_found 404", 1),
                Step::Hear(News::network_came_back),
                needs_attention("not_found 404", 0),
                soon(),
                asked(),
                waiting("status 503", 1),
                delay(3),
                asked(),
            ],
        ),
        Row::new(
            "network comes back: an open stream goes on",
            vec![vec![stream("data: a\n\n"), Act::Pass(60 * SECOND), send("data: b\n\n"), Act::Hold]],
            vec![asked(), message("a", ""), Step::Hear(News::network_came_back), pass(60), message("b", "")],
        ),
    ]
}

fn content() -> Vec<Row> {
    let long = "x".repeat((1 << 20) + 1);
    let over = format!("id: 1\nretry: 9000\ndata: {long}\n\ndata: next\n\n");
    let invalid = [b"id: 1\ndata: a\xFFb\xE4\xB8\n\n".as_slice(), b"data: c\n\n"].concat();
    vec![
        Row::new(
            "event over the limit: skipped, its ID and retry taken, counted, no reconnect",
            vec![vec![stream(&over)]],
            vec![
                asked(),
                Step::Told(Signal::Oversized(1)),
                Step::Told(Signal::LastEventId("1".to_owned())),
                message("next", "1"),
                delay(9),
                Step::Asked(|request| request.has("last-event-id", b"1")),
            ],
        ),
        Row::new(
            "invalid UTF-8: U+FFFD, no reconnect",
            vec![vec![stream(""), Act::Send(invalid), Act::Hold]],
            vec![asked(), message("a\u{FFFD}b\u{FFFD}", "1"), message("c", "1"), pass(300)],
        ),
    ]
}

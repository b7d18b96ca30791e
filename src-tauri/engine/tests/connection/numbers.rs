//! Delays, timeouts and limits.

use std::{
    net::{TcpListener, TcpStream},
    time::Duration,
};

use bellwether_engine::{event_source::Limits, subscription::Signal};

use crate::{
    row::{Row, SECOND, Step, asked, connected, delay, message, needs_attention, pass, stopped, waiting},
    support::{Act, answer, send, stream},
};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = delays();
    rows.extend(timeouts());
    rows.extend(limits());
    rows
}

/// An answer that time may cure.
pub(crate) fn unavailable() -> Vec<Act> {
    vec![answer("503 Service Unavailable", "")]
}

/// An answer that time alone will hardly cure.
pub(crate) fn not_found() -> Vec<Act> {
    vec![answer("404 Not Found", "")]
}

/// The delays after failures in a row, `before` of them already: each attempt is asked for, refused, and waited after.
fn delays_of(seconds: &[u64], before: u32) -> Vec<Step> {
    let each = |(seconds, attempt): (&u64, u32)| [asked(), waiting("status 503", attempt), delay(*seconds)];
    seconds.iter().zip(before + 1..).flat_map(each).collect()
}

fn delays() -> Vec<Row> {
    let retry = |sent: &str, seconds| {
        Row::new(
            format!("a stream's retry of {sent} ms is a delay of {seconds} s: 1 s at least, 1 h at most"),
            vec![vec![stream(&format!("retry: {sent}\n"))], unavailable(), unavailable()],
            [
                vec![asked(), connected(), delay(seconds)],
                vec![asked(), waiting("status 503", 1), delay(seconds)],
                vec![asked(), waiting("status 503", 2), delay((2 * seconds).min(seconds.max(60))), asked()],
            ]
            .into_iter()
            .flatten()
            .collect(),
        )
    };
    let proof = |proof: &str, seconds: u64, next: u64| {
        let attempt = if next == 3 { 1 } else { 3 };
        let mut steps = delays_of(&[3, 6], 0);
        steps.extend([asked(), connected()]);
        if proof.starts_with("data") {
            steps.push(message("a", ""));
        }
        steps.extend([pass(seconds), waiting("broken", attempt), delay(next), asked()]);
        let script = vec![stream(proof), Act::Pass(Duration::from_secs(seconds)), Act::Reset];
        let name = format!("reset of the growth: after {proof:?} and {seconds} s the delay is {next} s");
        Row::new(name, vec![unavailable(), unavailable(), script], steps)
    };
    let seeds = [0, 1, 42, u64::MAX].map(|seed| {
        let steps = delays_of(&[3, 6, 12, 24, 48, 60, 60], 0);
        let name = format!("base delay 3 s, growth ×2, cap 60 s, jitter ×1.0 to ×1.5 (seed {seed})");
        Row::new(name, (0..7).map(|_| unavailable()).collect(), steps).seed(seed)
    });
    let slow = [60, 120, 240, 480, 900, 900];
    let slow_steps = slow.into_iter().zip(1..);
    let mut rows = Vec::from(seeds);
    rows.extend([
        retry("10000", 10),
        retry("0", 1),
        retry("999", 1),
        retry("90000", 90),
        retry("99999999999", 3600),
        proof("data: a\n\n", 1, 3),
        proof("retry: 3000\n", 1, 3),
        proof("", 60, 3),
        proof(": hello\n\n", 1, 12),
        proof("id: 1\n", 59, 12),
        Row::new(
            "slow delay 60 s, growth ×2, cap 15 min",
            (0..6).map(|_| not_found()).collect(),
            slow_steps
                .flat_map(|(seconds, attempt)| {
                    [asked(), needs_attention("not_found 404", attempt), delay(seconds)]
                })
                .collect(),
        ),
    ]);
    rows
}

fn timeouts() -> Vec<Row> {
    let (full, listener, url) = unanswering();
    let mut keep_alives = vec![stream("")];
    keep_alives.extend((0..100).flat_map(|_| [Act::Pass(200 * SECOND), send(":\n")]));
    keep_alives.extend([send("data: a\n\n"), Act::Hold]);
    let mut kept_alive = vec![asked(), connected()];
    kept_alive.extend((0..100).map(|_| pass(200)));
    kept_alive.push(message("a", ""));
    vec![
        Row::new(
            "connect timeout 10 s",
            vec![],
            vec![
                pass(10),
                waiting("connect_timeout 10", 1),
                delay(3),
                pass(10),
                waiting("connect_timeout 10", 2),
            ],
        )
        .at(url)
        .keeping((full, listener)),
        Row::new(
            "header timeout 30 s",
            vec![vec![Act::Hold]],
            vec![asked(), pass(30), waiting("header_timeout 30", 1), Step::HangUp, delay(3), asked()],
        ),
        Row::new(
            "idle timeout 300 s, any byte counts",
            vec![vec![stream(""), Act::Pass(299 * SECOND), send(":"), Act::Hold]],
            vec![asked(), connected(), pass(299), pass(300), waiting("idle 300", 1), delay(3), asked()],
        ),
        Row::new(
            "idle timeout, set for the feed",
            vec![vec![stream(""), Act::Hold]],
            vec![asked(), connected(), pass(7), waiting("idle 7", 1), Step::HangUp],
        )
        .idle_timeout(Some(7 * SECOND)),
        Row::new(
            "idle timeout, off",
            vec![vec![stream(""), Act::Hold]],
            vec![asked(), connected(), pass(365 * 86_400)],
        )
        .idle_timeout(None),
        Row::new("no overall timeout: 20,000 s with nothing but comments", vec![keep_alives], kept_alive),
    ]
}

/// A port that takes no more connections, because nobody takes those that it has; for as long as the first value is kept.
fn unanswering() -> (Vec<TcpStream>, TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
    (std::iter::from_fn(connect).collect(), listener, format!("http://{address}/"))
}

fn limits() -> Vec<Row> {
    let long = |bytes: usize| "x".repeat(bytes);
    let id = |bytes: usize| {
        Row::new(
            format!("an ID of {bytes} bytes is {}", if bytes > 4096 { "not sent back" } else { "sent back" }),
            vec![vec![stream(&format!("id: {}\ndata: a\n\n", long(bytes)))]],
            vec![
                asked(),
                message("a", &long(bytes)),
                delay(3),
                Step::Asked(if bytes > 4096 {
                    |request| request.lacks("last-event-id")
                } else {
                    |request| request.has("last-event-id", &[b'x'; 4096])
                }),
            ],
        )
    };
    let over = |name: &str, event: String| {
        let body = format!("{event}\n\nid: 2\ndata: next\n\n");
        let steps = vec![asked(), Step::Told(Signal::Oversized(1)), message("next", "2"), pass(60)];
        Row::new(name, vec![vec![stream(&body), Act::Hold]], steps)
    };
    vec![
        Row::new(
            "event limit: 1 MiB of data is an event",
            vec![vec![stream(&format!("data: {}\n\n", long(1 << 20))), Act::Hold]],
            vec![asked(), message(&long(1 << 20), "")],
        ),
        over(
            "event limit: a byte more is none, and the connection goes on",
            format!("data: {}", long((1 << 20) + 1)),
        ),
        over("type limit 64 KiB", format!("event: {}\ndata: a", long((64 << 10) + 1))),
        over("ID limit 64 KiB", format!("id: {}\ndata: a", long((64 << 10) + 1))),
        id(4096),
        id(4097),
        Row::new(
            "10 redirects are followed, the 11th is not",
            (0..11).map(|_| vec![answer("302 Found", "Location: /stream\r\n")]).collect(),
            (0..11)
                .map(|_| asked())
                .chain([needs_attention("redirect too many", 1), delay(60), asked()])
                .collect(),
        ),
        Row::new(
            "a test may lower the floor",
            vec![vec![stream("retry: 0\n")], vec![answer("204 No Content", "")]],
            vec![asked(), connected(), asked()].into_iter().chain(stopped("no_content 204", 0)).collect(),
        )
        .limits(Limits { retry_min: Duration::ZERO, ..Limits::default() }),
    ]
}

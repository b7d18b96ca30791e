//! The rules of the connection, without sockets: a script of what happens, and what is to be seen.

use super::*;

mod resume;
mod waits;

const SECOND: Duration = Duration::from_secs(1);
const STREAM: Answer<'_> = Answer {
    status: 200,
    content_type: Some("text/event-stream"),
    content_encoding: None,
    location: None,
    retry_after: None,
};

/// An event source with its own clock.
struct Bench {
    source: EventSource,
    now: Instant,
}

impl Bench {
    fn new(last_event_id: &str) -> Self {
        Self::with(Limits::default(), "https://example.org/stream", last_event_id)
    }

    fn with(limits: Limits, url: &str, last_event_id: &str) -> Self {
        let url = Url::parse(url).unwrap();
        let source = EventSource::new(limits, url, Some(300 * SECOND), last_event_id.into(), 1);
        Self { source, now: Instant::now() }
    }

    fn request(&mut self) -> Request {
        self.source.poll_request(self.now).expect("a request is due")
    }

    /// Makes the request that is due and answers it.
    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        self.request();
        self.source.answered(self.now, answer)
    }

    fn status_code(&mut self, status: u16) -> Verdict {
        self.answer(&Answer { status, ..Answer::default() })
    }

    fn open(&mut self) {
        assert_eq!(self.answer(&STREAM), Verdict::Open);
    }

    fn receive(&mut self, text: &str) -> Vec<Output> {
        self.source.received(self.now, text.as_bytes());
        let outputs = std::iter::from_fn(|| self.source.poll_output());
        outputs.filter(|output| *output != Output::Identified).collect()
    }

    fn state(&self) -> State {
        self.source.status().state
    }

    fn reason(&self) -> Option<Reason> {
        self.source.status().reason
    }

    /// The time from now to the deadline.
    fn wait(&self) -> Duration {
        self.source.deadline().expect("a wait") - self.now
    }

    #[track_caller]
    fn assert_wait(&self, seconds: u32) {
        let (low, wait) = (seconds * SECOND, self.wait());
        assert!(wait >= low && wait < low + low / 2, "{seconds} s expected, {wait:?} found");
    }

    fn sleep(&mut self) {
        self.now = self.source.deadline().expect("a deadline");
        self.source.handle_timeout(self.now);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }
}

fn data(data: &str, last_event_id: &str) -> Output {
    let message =
        Message { event_type: "message".into(), data: data.into(), last_event_id: last_event_id.into() };
    Output::Message(message)
}

#[test]
fn each_answer_has_its_consequence() {
    use State::{NeedsAttention, Stopped, Waiting};
    for (status, state, wait) in [
        (201, NeedsAttention, 60),
        (202, NeedsAttention, 60),
        (203, NeedsAttention, 60),
        (204, Stopped, 0),
        (205, NeedsAttention, 60),
        (206, NeedsAttention, 60),
        (300, NeedsAttention, 60),
        (304, NeedsAttention, 60),
        (400, NeedsAttention, 60),
        (401, NeedsAttention, 60),
        (403, NeedsAttention, 60),
        (404, NeedsAttention, 60),
        (405, NeedsAttention, 60),
        (406, NeedsAttention, 60),
        (407, NeedsAttention, 60),
        (408, Waiting, 3),
        (410, Stopped, 0),
        (418, NeedsAttention, 60),
        (425, Waiting, 3),
        (429, Waiting, 3),
        (451, NeedsAttention, 60),
        (500, Waiting, 3),
        (502, Waiting, 3),
        (503, Waiting, 3),
        (504, Waiting, 3),
        (599, Waiting, 3),
        (600, NeedsAttention, 60),
    ] {
        let mut bench = Bench::new("");
        assert_eq!(bench.status_code(status), Verdict::Refused, "{status}");
        assert_eq!((bench.state(), bench.reason()), (state, Some(Reason::Status(status))), "{status}");
        match state {
            Stopped => assert_eq!(bench.source.deadline(), None, "{status}"),
            _ => bench.assert_wait(wait),
        }
        assert_eq!(bench.source.poll_request(bench.now), None, "{status}");
    }
}

#[test]
fn the_media_type_alone_decides_and_only_plain_bodies_are_read() {
    for (content_type, content_encoding, reason) in [
        (Some("text/event-stream"), None, None),
        (Some("Text/Event-Stream"), None, None),
        (Some(" text/event-stream ; charset=utf-8"), None, None),
        (Some("text/event-stream;"), None, None),
        (Some("text/event-stream;charset=\"iso-8859-1\""), Some("Identity"), None),
        (Some("text/html"), None, Some(Reason::ContentType(Some("text/html".into())))),
        (Some("text/event-streams"), None, Some(Reason::ContentType(Some("text/event-streams".into())))),
        (Some(""), None, Some(Reason::ContentType(Some(String::new())))),
        (None, None, Some(Reason::ContentType(None))),
        (Some("text/event-stream"), Some("gzip"), Some(Reason::ContentEncoding("gzip".into()))),
        (Some("text/event-stream"), Some("gzip, br"), Some(Reason::ContentEncoding("gzip, br".into()))),
    ] {
        let mut bench = Bench::new("");
        let verdict =
            bench.answer(&Answer { status: 200, content_type, content_encoding, ..Answer::default() });
        let state = if reason.is_some() { State::NeedsAttention } else { State::Connected };
        assert_eq!(verdict == Verdict::Open, reason.is_none(), "{content_type:?}");
        assert_eq!((bench.state(), bench.reason()), (state, reason), "{content_type:?}");
    }
}

#[test]
fn each_failure_has_its_consequence() {
    use State::{NeedsAttention, Waiting};
    let text = String::new;
    for (reason, state, wait) in [
        (Reason::Dns(text()), Waiting, 3),
        (Reason::Refused(text()), Waiting, 3),
        (Reason::Unreachable(text()), Waiting, 3),
        (Reason::ConnectTimeout(10 * SECOND), Waiting, 3),
        (Reason::Tls(text()), Waiting, 3),
        (Reason::Broken(text()), Waiting, 3),
        (Reason::Network(text()), Waiting, 3),
        (Reason::TlsUntrusted(text()), NeedsAttention, 60),
        (Reason::TlsName(text()), NeedsAttention, 60),
        (Reason::TlsExpired(text()), NeedsAttention, 60),
    ] {
        let mut bench = Bench::new("");
        bench.request();
        bench.source.failed(bench.now, reason.clone());
        bench.assert_wait(wait);
        assert_eq!((bench.state(), bench.reason()), (state, Some(reason)));
        assert_eq!(bench.source.status().attempt, 1);
    }
}

#[test]
fn redirects_are_followed_within_limits_and_each_connection_begins_at_the_configured_url() {
    use RedirectFault::{Downgrade, NoLocation, Scheme};
    let fault = |fault| Err(Reason::Redirect(fault));
    for (location, expected) in [
        (Some("/other?a=b"), Ok("https://example.org/other?a=b")),
        (Some("https://other.example:8443/"), Ok("https://other.example:8443/")),
        (Some("//other.example/x"), Ok("https://other.example/x")),
        (Some("http://example.org/stream"), fault(Downgrade)),
        (Some("ftp://example.org/"), fault(Scheme)),
        (Some("https://"), fault(NoLocation)),
        (None, fault(NoLocation)),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let mut bench = Bench::new("41");
            assert_eq!(bench.answer(&Answer { status, location, ..Answer::default() }), Verdict::Refused);
            match &expected {
                Ok(url) => {
                    let request = bench.request();
                    assert_eq!(request.url.as_str(), *url);
                    assert_eq!(request.last_event_id.as_deref(), Some("41"), "the ID goes along");
                    bench.source.failed(bench.now, Reason::Refused(String::new()));
                    bench.sleep();
                    assert_eq!(bench.request().url.as_str(), "https://example.org/stream");
                }
                Err(reason) => {
                    assert_eq!(
                        (bench.state(), bench.reason()),
                        (State::NeedsAttention, Some(reason.clone()))
                    );
                    bench.assert_wait(60);
                }
            }
        }
    }
}

#[test]
fn a_loop_of_redirects_ends_at_the_limit() {
    let mut bench = Bench::new("");
    let round = Answer { status: 302, location: Some("/stream"), ..Answer::default() };
    for _ in 0..10 {
        assert_eq!(bench.answer(&round), Verdict::Refused);
        assert_eq!(bench.state(), State::Connecting);
    }
    assert_eq!(bench.answer(&round), Verdict::Refused);
    assert_eq!(bench.reason(), Some(Reason::Redirect(RedirectFault::TooMany)));
    assert_eq!(bench.state(), State::NeedsAttention);
    bench.sleep();
    assert_eq!(bench.answer(&round), Verdict::Refused);
    assert_eq!(bench.state(), State::Connecting, "the count begins anew");
}

#[test]
fn delays_grow_until_the_stream_proves_itself() {
    let mut bench = Bench::new("");
    for wait in [3, 6, 12, 24, 48, 60, 60] {
        bench.status_code(503);
        bench.assert_wait(wait);
        bench.sleep();
    }
    assert_eq!(bench.source.status().attempt, 7);
    // Opened and cut at once, or after a greeting: no proof.
    for greeting in ["", ": hello\n\n", "id: 1\n\n", "event: a\n\n", "data: never ended"] {
        bench.open();
        bench.receive(greeting);
        bench.source.failed(bench.now, Reason::Broken("reset".into()));
        bench.assert_wait(60);
        bench.sleep();
    }
    for (seconds, proof) in [(0_u32, "data: a\n\n"), (0, "retry: 3000\n"), (60, "")] {
        bench.open();
        bench.receive(proof);
        bench.pass(seconds * SECOND);
        bench.source.failed(bench.now, Reason::Broken("reset".into()));
        bench.assert_wait(3);
        bench.sleep();
        bench.status_code(502);
        bench.assert_wait(6);
        bench.sleep();
    }
}

#[test]
fn slow_delays_grow_apart_from_the_others() {
    let mut bench = Bench::new("");
    for (status, wait) in
        [(404, 60), (404, 120), (503, 3), (404, 240), (404, 480), (503, 6), (404, 900), (404, 900)]
    {
        bench.status_code(status);
        bench.assert_wait(wait);
        bench.sleep();
    }
    bench.open();
    bench.receive("data\n\n");
    bench.source.ended(bench.now);
    bench.sleep();
    bench.status_code(404);
    bench.assert_wait(60);
}

#[test]
fn a_clean_end_after_events_is_no_failure() {
    let mut bench = Bench::new("");
    bench.status_code(503);
    bench.sleep();
    bench.open();
    let connected = bench.source.status();
    for round in 0..5 {
        bench.receive("data: a\n\n");
        bench.source.ended(bench.now);
        assert_eq!(bench.source.status(), connected, "round {round}");
        bench.assert_wait(3);
        bench.sleep();
        assert_eq!(bench.source.status(), connected, "round {round}");
        bench.open();
        assert_eq!(bench.source.status(), connected, "round {round}");
    }
    bench.receive("retry: 5000\n");
    bench.source.ended(bench.now);
    bench.assert_wait(5);
    assert_eq!(bench.state(), State::Connected);
    bench.sleep();
    bench.request();
    bench.source.failed(bench.now, Reason::Refused("refused".into()));
    let status = bench.source.status();
    assert_eq!((status.state, status.attempt, status.connected_at), (State::Waiting, 1, None));
    assert_eq!(status.next_attempt_at, bench.source.deadline());
}

#[test]
fn a_clean_end_without_events_is_a_failure() {
    let mut bench = Bench::new("");
    for wait in [3, 6, 12] {
        bench.open();
        bench.receive(": hello\n\nid: 3\n\n");
        bench.source.ended(bench.now);
        assert_eq!((bench.state(), bench.reason()), (State::Waiting, Some(Reason::EndedEmpty)));
        bench.assert_wait(wait);
        bench.sleep();
    }
}

#[test]
fn the_reconnection_time_is_the_servers_within_limits() {
    for (sent, seconds) in
        [("10000", 10), ("0", 1), ("999", 1), ("99999999999", 3600), ("18446744073709551615", 3600)]
    {
        let mut bench = Bench::new("");
        assert_eq!(bench.source.reconnection_time(), None);
        bench.open();
        bench.receive(&format!("retry: {sent}\n"));
        assert_eq!(bench.source.reconnection_time(), Some(seconds * SECOND));
        bench.source.failed(bench.now, Reason::Broken(String::new()));
        bench.assert_wait(seconds);
        // It stays over later connections that send none, and is where the growth begins.
        bench.sleep();
        bench.status_code(503);
        bench.assert_wait((seconds * 2).min(seconds.max(60)));
    }
    let floor = Limits { retry_min: Duration::ZERO, ..Limits::default() };
    let mut bench = Bench::with(floor, "http://localhost/", "");
    bench.open();
    bench.receive("retry: 0\n");
    bench.source.ended(bench.now);
    assert_eq!(bench.wait(), Duration::ZERO);
}

#[test]
fn an_id_is_sent_back_if_a_header_can_hold_it() {
    let long = "x".repeat(4096);
    let too_long = "x".repeat(4097);
    for (id, sent) in [
        ("", false),
        ("7", true),
        ("é 中", true),
        ("a\tb", true),
        ("a\u{1}b", false),
        ("a\u{7F}b", false),
        (&long, true),
        (&too_long, false),
    ] {
        let mut bench = Bench::new("before");
        assert_eq!(bench.request().last_event_id.as_deref(), Some("before"));
        assert_eq!(bench.source.answered(bench.now, &STREAM), Verdict::Open);
        assert_eq!(
            bench.receive(&format!("id: {id}\ndata: a\n\ndata: b\n\n")),
            [data("a", id), data("b", id)]
        );
        assert_eq!(bench.source.last_event_id(), id);
        bench.source.ended(bench.now);
        bench.sleep();
        assert_eq!(bench.request().last_event_id.as_deref(), sent.then_some(id));
        // Through failures too, and it is still the ID of messages that bring none.
        bench.source.failed(bench.now, Reason::Dns(String::new()));
        bench.sleep();
        assert_eq!(bench.request().last_event_id.as_deref(), sent.then_some(id));
        assert_eq!(bench.source.answered(bench.now, &STREAM), Verdict::Open);
        assert_eq!(bench.receive("data: c\n\n"), [data("c", id)]);
    }
}

#[test]
fn an_event_that_no_blank_line_ended_is_dropped_with_its_id() {
    let mut bench = Bench::new("1");
    bench.open();
    assert_eq!(bench.receive("id: 2\ndata: cut"), []);
    bench.source.ended(bench.now);
    bench.sleep();
    assert_eq!(bench.request().last_event_id.as_deref(), Some("1"));
    assert_eq!(bench.source.answered(bench.now, &STREAM), Verdict::Open);
    assert_eq!(bench.receive("\n\ndata: whole\n\n"), [data("whole", "1")]);
}

#[test]
fn an_id_that_the_server_refuses_is_left_out_once_and_forgotten_if_that_helps() {
    for status in [400, 413, 414, 416, 431] {
        let mut bench = Bench::new("bad");
        assert_eq!(bench.status_code(status), Verdict::Refused);
        assert_eq!(bench.state(), State::Connecting, "at once");
        assert_eq!(bench.request().last_event_id, None);
        assert_eq!(bench.source.answered(bench.now, &STREAM), Verdict::Open);
        assert_eq!(bench.receive(""), [Output::LastEventId(String::new())]);
        assert_eq!(bench.source.last_event_id(), "");

        let mut bench = Bench::new("good");
        assert_eq!(bench.status_code(status), Verdict::Refused);
        assert_eq!(bench.status_code(status), Verdict::Refused);
        assert_eq!((bench.state(), bench.reason()), (State::NeedsAttention, Some(Reason::Status(status))));
        bench.sleep();
        assert_eq!(bench.request().last_event_id.as_deref(), Some("good"), "it was not to blame");
    }
}

#[test]
fn silence_ends_the_connection_and_any_byte_is_life() {
    let mut bench = Bench::new("");
    bench.open();
    for life in [":", "\n", "data: a", "\n\n", ": keep-alive\n"] {
        bench.pass(299 * SECOND);
        bench.source.handle_timeout(bench.now);
        bench.receive(life);
        assert_eq!(bench.state(), State::Connected);
        assert_eq!(bench.wait(), 300 * SECOND);
    }
    bench.sleep();
    assert_eq!((bench.state(), bench.reason()), (State::Waiting, Some(Reason::Idle(300 * SECOND))));
    bench.assert_wait(3);

    let url = Url::parse("http://localhost/").unwrap();
    for never in [None, Some(Duration::MAX)] {
        let mut source = EventSource::new(Limits::default(), url.clone(), never, String::new(), 1);
        let now = Instant::now();
        source.poll_request(now);
        assert_eq!(source.answered(now, &STREAM), Verdict::Open);
        assert_eq!(source.deadline(), None);
    }
}

#[test]
fn what_does_not_end_is_known_since_its_beginning() {
    let mut bench = Bench::new("");
    bench.open();
    let begin = bench.now;
    for (bytes, since) in [
        ("d", Some(0)),
        ("ata: a\n", Some(0)),
        (": a comment ends no event\n", Some(0)),
        ("\n", None),
        ("data: a\n\ndata: b\n", Some(4)),
        ("\ndata: c", Some(5)),
        ("\n\n", None),
        (": comment", Some(7)),
        ("\n", None),
        ("id: 1\nretry: 5000\n", None),
    ] {
        bench.receive(bytes);
        assert_eq!(
            bench.source.unfinished_since(),
            since.map(|since: u32| begin + since * SECOND),
            "{bytes:?}"
        );
        bench.pass(SECOND);
    }
    bench.receive("data: a");
    bench.source.ended(bench.now);
    assert_eq!(bench.source.unfinished_since(), None);
}

#[test]
fn a_request_without_an_answer_times_out() {
    let mut bench = Bench::new("");
    bench.request();
    assert_eq!(bench.wait(), 40 * SECOND);
    bench.pass(39 * SECOND);
    bench.source.handle_timeout(bench.now);
    assert_eq!(bench.state(), State::Connecting);
    bench.sleep();
    assert_eq!(bench.reason(), Some(Reason::HeaderTimeout(30 * SECOND)));
    bench.assert_wait(3);
    // Once it is sent, the time to connect is no longer granted.
    bench.sleep();
    bench.request();
    bench.pass(9 * SECOND);
    bench.source.connected(bench.now);
    assert_eq!(bench.wait(), 30 * SECOND);
}

#[test]
fn a_stopped_event_source_asks_for_nothing_ever() {
    let mut bench = Bench::new("");
    bench.status_code(204);
    for _ in 0..100 {
        bench.pass(3600 * SECOND);
        bench.source.handle_timeout(bench.now);
        assert_eq!(bench.source.poll_request(bench.now), None);
        assert_eq!(bench.source.deadline(), None);
    }
}

#[test]
fn calls_out_of_turn_are_ignored() {
    let mut bench = Bench::new("");
    assert_eq!(bench.receive("data: early\n\n"), []);
    bench.source.ended(bench.now);
    bench.source.failed(bench.now, Reason::EndedEmpty);
    assert_eq!(bench.source.answered(bench.now, &STREAM), Verdict::Refused);
    assert_eq!(bench.source.status().attempt, 0);
    bench.status_code(503);
    bench.source.failed(bench.now, Reason::EndedEmpty);
    assert_eq!(bench.receive("data: late\n\n"), []);
    assert_eq!((bench.source.status().attempt, bench.reason()), (1, Some(Reason::Status(503))));
}

#[test]
fn an_oversized_event_is_counted_and_the_connection_goes_on() {
    let limits = Limits { event_bytes: 10, ..Limits::default() };
    let mut bench = Bench::with(limits, "http://localhost/", "");
    bench.open();
    let outputs = bench.receive("id: 1\ndata: 12345678901\nretry: 7000\n\ndata: next\n\n");
    assert_eq!(outputs, [Output::Oversized, Output::LastEventId("1".into()), data("next", "1")]);
    assert_eq!((bench.source.oversized(), bench.state()), (1, State::Connected));
    assert_eq!(bench.source.reconnection_time(), Some(7 * SECOND));
}

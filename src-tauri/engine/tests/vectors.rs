//! Every vector of `tests/vectors/parse.json`, under every chunking, through the public event source.

#![allow(clippy::expect_used, reason = "a test's own helpers may panic")]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bellwether_engine::event_source::{Answer, EventSource, Limits, Message, Output, Verdict};
use proptest::prelude::*;
use serde::Deserialize;
use url::Url;

#[derive(Deserialize)]
struct Vector {
    name: String,
    input: Option<String>,
    input_base64: Option<String>,
    expect: Expectation,
}

#[derive(Deserialize)]
struct Expectation {
    events: Vec<Event>,
    retry: Option<u64>,
    last_event_id_at_eof: String,
}

#[derive(Deserialize)]
struct Event {
    event: String,
    data: String,
    last_event_id: String,
}

#[derive(PartialEq, Debug)]
struct Seen {
    messages: Vec<Message>,
    retry: Option<Duration>,
    last_event_id: String,
}

impl Vector {
    fn bytes(&self) -> Vec<u8> {
        match (&self.input, &self.input_base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(encoded)) => BASE64_STANDARD.decode(encoded).expect("base64"),
            _ => panic!("{}: one of input and input_base64", self.name),
        }
    }

    fn expected(&self) -> Seen {
        let message = |event: &Event| Message {
            event_type: event.event.clone(),
            data: event.data.clone(),
            last_event_id: event.last_event_id.clone(),
        };
        Seen {
            messages: self.expect.events.iter().map(message).collect(),
            retry: self.expect.retry.map(Duration::from_millis),
            last_event_id: self.expect.last_event_id_at_eof.clone(),
        }
    }
}

/// What an event source without limits on `retry` sees of a body that comes in these chunks.
fn decode<'a>(limits: Limits, chunks: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let now = Instant::now();
    let url = Url::parse("http://localhost/").expect("a URL");
    let mut source = EventSource::new(limits, url, None, String::new(), 0);
    source.poll_request(now).expect("the first request");
    let answer = Answer { status: 200, content_type: Some("text/event-stream"), ..Answer::default() };
    assert_eq!(source.answered(now, &answer), Verdict::Open);
    let mut messages = Vec::new();
    // What `LastEventId` and the messages say must add up to the last event ID, or a log would miss a change.
    let mut told = String::new();
    for chunk in chunks {
        source.received(now, chunk);
        while let Some(output) = source.poll_output() {
            match output {
                Output::Message(message) => {
                    told.clone_from(&message.last_event_id);
                    messages.push(message);
                }
                Output::LastEventId(id) => told = id,
                Output::Identified | Output::ResumeRefused | Output::Oversized | Output::Comment(_) => {}
            }
        }
    }
    source.ended(now);
    assert_eq!(told, source.last_event_id());
    Seen { messages, retry: source.reconnection_time(), last_event_id: told }
}

fn unlimited() -> Limits {
    Limits { retry_min: Duration::ZERO, retry_max: Duration::MAX, ..Limits::default() }
}

/// Cuts `bytes` into random chunks, about one in four of them empty.
fn random_chunks(bytes: &[u8], seed: u64) -> Vec<&[u8]> {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 33).expect("31 bits") % below
    };
    let longest = [2, 4, 9, 40][next(4)];
    let (mut chunks, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let length = if next(4) == 0 { 0 } else { (1 + next(longest)).min(rest.len()) };
        let (chunk, tail) = rest.split_at(length);
        chunks.push(chunk);
        rest = tail;
    }
    chunks.push(&[]);
    chunks
}

#[test]
fn every_vector_holds_under_every_chunking() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/parse.json");
    let vectors: Vec<Vector> =
        serde_json::from_str(&fs::read_to_string(path).expect("the vectors")).expect("vectors");
    assert!(vectors.len() >= 87);
    for vector in vectors {
        let (bytes, expected, name) = (vector.bytes(), vector.expected(), &vector.name);
        assert_eq!(decode(unlimited(), [&bytes[..]]), expected, "{name}, whole");
        assert_eq!(decode(unlimited(), bytes.chunks(1)), expected, "{name}, byte by byte");
        for split in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(split);
            assert_eq!(decode(unlimited(), [head, tail]), expected, "{name}, split at {split}");
        }
        for seed in 1..=40 {
            assert_eq!(decode(unlimited(), random_chunks(&bytes, seed)), expected, "{name}, seed {seed}");
        }
    }
}

#[test]
fn a_line_of_16_mib_is_skipped_and_what_follows_arrives() {
    let mut body = b"id: 1\ndata: ".to_vec();
    body.resize(16 << 20, b'x');
    body.extend_from_slice(b"\nretry: 5000\n\ndata: next\n\n");
    let expected = Seen {
        messages: vec![Message {
            event_type: "message".into(),
            data: "next".into(),
            last_event_id: "1".into(),
        }],
        retry: Some(Duration::from_secs(5)),
        last_event_id: "1".into(),
    };
    assert_eq!(decode(Limits::default(), body.chunks(16 << 10)), expected);
    assert_eq!(decode(Limits::default(), [&body[..]]), expected);
}

#[test]
fn an_event_as_long_as_the_limit_arrives_in_one_line_or_many() {
    let line = "x".repeat(1 << 20);
    let one = format!("data: {line}\n\n");
    assert_eq!(decode(Limits::default(), one.as_bytes().chunks(16 << 10)).messages[0].data, line);
    let many = format!("{}\n", format!("data:{}\n", "y".repeat(1023)).repeat(1024));
    assert_eq!(decode(Limits::default(), many.as_bytes().chunks(1000)).messages[0].data.len(), (1 << 20) - 1);
}

/// Pieces of which streams are made, whole and broken.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&[u8]> = vec![
        b"data",
        b"event",
        b"id",
        b"retry",
        b":",
        b": ",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\xEF\xBB\xBF",
        b"\xE4\xB8",
        b"\xAD",
        b"\xFF",
        b"\0",
        b"17",
        b"data: a\n\n",
        b"id: 1\n",
        b"event: e\n",
        b"data: a line over the limit\n",
    ];
    prop_oneof![
        4 => prop::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

proptest! {
    #[test]
    fn any_bytes_decode_alike_under_any_chunking(
        fragments in prop::collection::vec(fragment(), 0..40),
        seed in any::<u64>(),
    ) {
        let bytes = fragments.concat();
        let small = || Limits { event_bytes: 12, field_bytes: 3, ..unlimited() };
        for limits in [unlimited, small] {
            let whole = decode(limits(), [&bytes[..]]);
            prop_assert_eq!(&decode(limits(), bytes.chunks(1)), &whole);
            prop_assert_eq!(&decode(limits(), random_chunks(&bytes, seed)), &whole);
        }
    }
}

//! Bytes → events: any chunking gives the same, no limit is passed, and what is within the limits is what the standard says.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, Instant},
};

use bellwether_engine::event_source::{Answer, EventSource, Limits, Message, Output, Verdict};
use url::Url;

pub(crate) const DICTIONARY: &[&str] = &[
    "\n",
    "\n",
    "\n\n",
    "\r",
    "\r\n",
    "\r\n\r\n",
    ":",
    ": ",
    " ",
    "\0",
    "\u{FEFF}",
    "data",
    "data:",
    "data: ",
    "data: x\n\n",
    "event",
    "event: ",
    "event: put\n",
    "id",
    "id: ",
    "id: 7\n",
    "id:\0\n",
    "retry",
    "retry: ",
    "retry: 10\n",
    "retry: 99999999999999999999\n",
    "retry: +1\n",
    "中",
    "\u{FFFD}",
    "🦀",
    "dataX: y\n",
    "Data: y\n",
];

/// Everything that is told of a stream.
#[derive(PartialEq, Debug)]
struct Told {
    outputs: Vec<Output>,
    last_event_id: String,
    reconnection_time: Option<Duration>,
}

pub(crate) fn check(bytes: &[u8]) {
    let wide = Limits { comment_bytes: Some(1 << 20), retry_max: Duration::MAX, ..Limits::default() };
    let narrow = Limits { event_bytes: 12, field_bytes: 4, comment_bytes: Some(6), ..Limits::default() };
    for limits in [&wide, &narrow, &Limits { comment_bytes: None, ..narrow.clone() }] {
        let whole = told(limits, [bytes]);
        within(limits, &whole);
        assert_eq!(told(limits, bytes.chunks(1)), whole, "byte by byte");
        assert_eq!(told(limits, pieces(bytes)), whole, "in pieces");
    }
    let messages = told(&wide, [bytes]).outputs.into_iter().filter_map(|output| match output {
        Output::Message(message) => Some(message),
        _ => None,
    });
    assert_eq!(messages.collect::<Vec<_>>(), by_the_standard(bytes));
}

fn told<'a>(limits: &Limits, chunks: impl IntoIterator<Item = &'a [u8]>) -> Told {
    let now = Instant::now();
    let url = Url::parse("http://localhost/").expect("a URL");
    let mut source = EventSource::new(limits.clone(), url, None, String::new(), 0);
    source.poll_request(now).expect("the first request");
    let answer = Answer { status: 200, content_type: Some("text/event-stream"), ..Answer::default() };
    assert_eq!(source.answered(now, &answer), Verdict::Open);
    let mut outputs = Vec::new();
    for chunk in chunks {
        source.received(now, chunk);
        outputs.extend(std::iter::from_fn(|| source.poll_output()));
    }
    source.ended(now);
    Told {
        outputs,
        last_event_id: source.last_event_id().to_owned(),
        reconnection_time: source.reconnection_time(),
    }
}

fn within(limits: &Limits, told: &Told) {
    // What messages and changes of the ID say must add up to the last event ID, or a log would miss a change.
    let mut id = "";
    for output in &told.outputs {
        match output {
            Output::Message(message) => {
                assert!(message.data.len() <= limits.event_bytes, "data over its limit");
                assert!(
                    message.event_type.len() <= limits.field_bytes.max("message".len()),
                    "type over its limit"
                );
                id = &message.last_event_id;
            }
            Output::LastEventId(changed) => id = changed,
            Output::Comment(comment) => {
                assert!(
                    limits.comment_bytes.is_some_and(|most| comment.len() <= most),
                    "comment over its limit"
                );
            }
            Output::Identified | Output::ResumeRefused | Output::Oversized => {}
        }
        assert!(id.len() <= limits.field_bytes && !id.contains(['\0', '\n', '\r']), "the ID {id:?}");
    }
    assert_eq!(id, told.last_event_id);
    if let Some(time) = told.reconnection_time {
        assert!((limits.retry_min..=limits.retry_max).contains(&time), "{time:?} to reconnect");
    }
}

/// Pieces of different lengths, some of them empty; the same ones for the same bytes.
fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let mut hasher = DefaultHasher::new();
        (bytes, rest.len(), pieces.len()).hash(&mut hasher);
        let length = usize::try_from(hasher.finish() % 9).expect("below 9");
        let (piece, tail) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

/// The messages of a whole body, read as simply as the standard says it (WHATWG HTML 9.2.6), without any limit.
fn by_the_standard(bytes: &[u8]) -> Vec<Message> {
    let text = String::from_utf8_lossy(bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes));
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    // What no line end follows is not a line yet.
    lines.pop();
    let (mut messages, mut id) = (Vec::new(), "");
    let (mut data, mut event_type) = (Vec::new(), "");
    for line in lines {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            _ if line.is_empty() => {
                if !data.is_empty() {
                    let event_type = if event_type.is_empty() { "message" } else { event_type };
                    let (event_type, last_event_id) = (event_type.to_owned(), id.to_owned());
                    messages.push(Message { event_type, data: data.join("\n"), last_event_id });
                }
                data.clear();
                event_type = "";
            }
            "data" => data.push(value),
            "event" => event_type = value,
            "id" if !value.contains('\0') => id = value,
            _ => {}
        }
    }
    messages
}

//! Lines to messages (WHATWG HTML 9.2.6, "Interpreting an event stream"), each event in bounded memory.

use std::{
    borrow::Cow,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use eventsource_stream::EventStream;
use futures_util::Stream;

use super::{
    Limits, Message,
    lines::{Line, Lines},
};

/// What a stretch of the body says.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Decoded {
    Message(Message),
    /// The last event ID changed at the end of a block that gave no message.
    LastEventId(String),
    /// The stream's `retry`, in milliseconds, as sent.
    Retry(u64),
    /// An event is over the limits; the rest of it is skipped.
    Oversized,
}

/// Decodes the body of one response.
pub(super) struct Decoder {
    lines: Lines,
    block: Block,
}

impl Decoder {
    /// A decoder for a body whose first message has `last_event_id`, unless the body sets another.
    pub(super) fn new(limits: &Limits, last_event_id: String) -> Self {
        let longest_value = limits.event_bytes.max(limits.field_bytes);
        Self {
            lines: Lines::new(longest_value.saturating_add("event: ".len())),
            block: Block {
                assembler: Assembler::new(),
                event_bytes: limits.event_bytes,
                field_bytes: limits.field_bytes,
                id_buffer: last_event_id.clone(),
                last_event_id,
                data_bytes: 0,
                skipping: false,
            },
        }
    }

    /// Decodes the next bytes of the body.
    pub(super) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Decoded)) {
        let block = &mut self.block;
        self.lines.push(bytes, |line| block.line(&line, &mut each));
    }
}

/// The lines up to the next blank one.
///
/// `id` and `retry` are interpreted here, because they count in blocks without data too; type and data are assembled by
/// `eventsource-stream`.
struct Block {
    assembler: Assembler,
    event_bytes: usize,
    field_bytes: usize,
    /// The last event ID buffer of the standard: it becomes the last event ID at the blank line.
    id_buffer: String,
    last_event_id: String,
    /// Bytes of the data buffer so far, the final LF included.
    data_bytes: usize,
    /// The event is over a limit: all up to the blank line is skipped, but for `id` and `retry`.
    skipping: bool,
}

impl Block {
    fn line(&mut self, line: &Line<'_>, each: &mut impl FnMut(Decoded)) {
        if line.text.is_empty() {
            return self.end(each);
        }
        let (field, value) = match line.text.split_once(':') {
            Some((field, value)) => (field, value.strip_prefix(' ').unwrap_or(value)),
            None => (&*line.text, ""),
        };
        match field {
            "data" => {
                self.data_bytes = self.data_bytes.saturating_add(value.len() + 1);
                if line.cut || self.data_bytes - 1 > self.event_bytes {
                    self.skip(each);
                } else {
                    self.assemble(&line.text);
                }
            }
            "event" | "id" if line.cut || value.len() > self.field_bytes => self.skip(each),
            "event" => self.assemble(&line.text),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id_buffer),
            "retry" if !line.cut => {
                // The parse alone would take a sign; a value that does not fit is ignored.
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                if let (true, Ok(milliseconds)) = (digits, value.parse()) {
                    each(Decoded::Retry(milliseconds));
                }
            }
            _ => {}
        }
    }

    fn assemble(&mut self, line: &str) {
        if !self.skipping {
            self.assembler.line(line);
        }
    }

    fn skip(&mut self, each: &mut impl FnMut(Decoded)) {
        if !self.skipping {
            self.skipping = true;
            self.assembler = Assembler::new();
            each(Decoded::Oversized);
        }
    }

    fn end(&mut self, each: &mut impl FnMut(Decoded)) {
        self.skipping = false;
        self.data_bytes = 0;
        let changed = self.last_event_id != self.id_buffer;
        if changed {
            self.last_event_id.clone_from(&self.id_buffer);
        }
        if let Some((event_type, data)) = self.assembler.blank_line() {
            each(Decoded::Message(Message { event_type, data, last_event_id: self.last_event_id.clone() }));
        } else if changed {
            each(Decoded::LastEventId(self.last_event_id.clone()));
        }
    }
}

/// Drives `eventsource-stream`, one complete line ended by LF per item: its time is quadratic in the bytes that one item
/// leaves behind. It never sees a byte order mark, invalid UTF-8, CR, comments or IDs.
struct Assembler {
    events: EventStream<Feeder>,
    next: NextLine,
    /// A line of the current block has been handed over.
    begun: bool,
}

/// The line that the stream is to take at its next poll.
type NextLine = Arc<Mutex<Option<Cow<'static, [u8]>>>>;

impl Assembler {
    fn new() -> Self {
        let next = NextLine::default();
        Self { events: EventStream::new(Feeder(next.clone())), next, begun: false }
    }

    fn line(&mut self, line: &str) {
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        self.begun = true;
        self.poll(bytes.into());
    }

    /// Ends the block; gives type and data if it had data.
    fn blank_line(&mut self) -> Option<(String, String)> {
        if !std::mem::take(&mut self.begun) {
            return None;
        }
        self.poll(Cow::Borrowed(b"\n"))
    }

    fn poll(&mut self, line: Cow<'static, [u8]>) -> Option<(String, String)> {
        *lock(&self.next) = Some(line);
        match Pin::new(&mut self.events).poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(event))) => Some((event.event, event.data)),
            Poll::Pending => None,
            Poll::Ready(Some(Err(_)) | None) => {
                // Lines as they are handed over here do not fail; if one ever did, only its event may be lost.
                *self = Self::new();
                None
            }
        }
    }
}

struct Feeder(NextLine);

impl Stream for Feeder {
    type Item = Result<Cow<'static, [u8]>, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match lock(&self.0).take() {
            Some(line) => Poll::Ready(Some(Ok(line))),
            None => Poll::Pending,
        }
    }
}

fn lock(next: &NextLine) -> MutexGuard<'_, Option<Cow<'static, [u8]>>> {
    next.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(limits: &Limits, body: &str) -> Vec<Decoded> {
        let mut decoder = Decoder::new(limits, String::new());
        let mut seen = Vec::new();
        decoder.push(body.as_bytes(), |decoded| seen.push(decoded));
        seen
    }

    fn message(event_type: &str, data: &str, last_event_id: &str) -> Decoded {
        Decoded::Message(Message {
            event_type: event_type.into(),
            data: data.into(),
            last_event_id: last_event_id.into(),
        })
    }

    #[test]
    fn an_event_over_a_limit_is_skipped_but_for_its_id_and_retry() {
        let limits = Limits { event_bytes: 10, field_bytes: 4, ..Limits::default() };
        let next = || message("message", "next", "7");
        for (body, expected) in [
            ("data: 1234567890\n\n", vec![message("message", "1234567890", "")]),
            ("data: 12345\ndata: 6789\n\n", vec![message("message", "12345\n6789", "")]),
            (
                "id: 7\ndata: 12345678901\nretry: 5\n\ndata: next\n\n",
                vec![Decoded::Oversized, Decoded::Retry(5), Decoded::LastEventId("7".into()), next()],
            ),
            (
                "data: 12345\ndata: 67890\nid: 7\ndata: x\n\ndata: next\n\n",
                vec![Decoded::Oversized, Decoded::LastEventId("7".into()), next()],
            ),
            (
                "data: 123456789012345678901234567890\nid: 7\n\ndata: next\n\n",
                vec![Decoded::Oversized, Decoded::LastEventId("7".into()), next()],
            ),
            ("event: abcd\ndata\n\n", vec![message("abcd", "", "")]),
            ("event: abcde\ndata\n\n", vec![Decoded::Oversized]),
            (
                "id: 7\nid: abcde\ndata\n\ndata: next\n\n",
                vec![Decoded::Oversized, Decoded::LastEventId("7".into()), next()],
            ),
            (": a comment may be as long as it likes\ndata: a\n\n", vec![message("message", "a", "")]),
            (
                "unknown: fields may be as long as they like, too\ndata: a\n\n",
                vec![message("message", "a", "")],
            ),
        ] {
            assert_eq!(decode(&limits, body), expected, "{body:?}");
        }
    }

    #[test]
    fn an_id_without_data_is_told_once() {
        let body = "id: 1\n\n\nid: 1\n\nid: 2\nid: 1\n\nid\n\n";
        let expected = [Decoded::LastEventId("1".into()), Decoded::LastEventId(String::new())];
        assert_eq!(decode(&Limits::default(), body), expected);
    }

    #[test]
    fn a_retry_is_digits_that_fit() {
        let body =
            "retry: 10\nretry:0007\nretry: +5\nretry: 5s\nretry\nretry:\nretry: 18446744073709551616\n";
        assert_eq!(decode(&Limits::default(), body), [Decoded::Retry(10), Decoded::Retry(7)]);
    }
}

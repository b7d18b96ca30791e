//! Lines to messages (WHATWG HTML 9.2.6, "Interpreting an event stream"), each event in bounded memory.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use eventsource_stream::EventStream;
use futures_util::Stream;

use super::{
    Limits, Message,
    lines::{Line, Lines},
};

/// What a stretch of the body says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Decoded {
    Message(Message),
    /// The last event ID changed at the end of a block that gave no message.
    LastEventId(String),
    /// The first ID of the body, told before what it belongs to, if there was one before the body.
    Identified,
    /// The stream's `retry`, in milliseconds, as sent.
    Retry(u64),
    /// An event is over the limits; the rest of it is skipped.
    Oversized,
    /// A comment, where they are told.
    Comment(String),
}

/// Decodes the body of one response.
pub(super) struct Decoder {
    lines: Lines,
    block: Block,
}

impl Decoder {
    /// A decoder for a body whose first message has `last_event_id`, unless the body sets another.
    pub(super) fn new(limits: &Limits, last_event_id: String) -> Self {
        let longest_value =
            limits.event_bytes.max(limits.field_bytes).max(limits.comment_bytes.unwrap_or_default());
        Self {
            lines: Lines::new(longest_value.saturating_add("event: ".len())),
            block: Block {
                event_bytes: limits.event_bytes,
                field_bytes: limits.field_bytes,
                comment_bytes: limits.comment_bytes,
                id_buffer: last_event_id.clone(),
                id_given: false,
                inherits: !last_event_id.is_empty(),
                last_event_id,
                data_lines: Vec::new(),
                event_line: Vec::new(),
                data_bytes: 0,
                skipping: false,
                ended: 0,
            },
        }
    }

    /// Decodes the next bytes of the body.
    pub(super) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Decoded)) {
        let block = &mut self.block;
        self.lines.push(bytes, |line| block.line(&line, &mut each));
    }

    /// Whether data of an event has come, or any line, and its end has not.
    pub(super) fn is_unfinished(&self) -> bool {
        self.lines.is_partial() || self.block.skipping || !self.block.data_lines.is_empty()
    }

    /// Blocks that have ended; counted round.
    pub(super) fn ended_blocks(&self) -> u32 {
        self.block.ended
    }

    /// The last event ID string.
    pub(super) fn last_event_id(&self) -> &str {
        &self.block.last_event_id
    }
}

/// The lines up to the next blank one.
///
/// `id` and `retry` are interpreted here, because they count in blocks without data too; type and data are assembled by
/// `eventsource-stream` at the blank line.
struct Block {
    event_bytes: usize,
    field_bytes: usize,
    comment_bytes: Option<usize>,
    /// The last event ID buffer of the standard: it becomes the last event ID at the blank line.
    id_buffer: String,
    /// The block has an ID.
    id_given: bool,
    /// The last event ID is of an earlier body.
    inherits: bool,
    last_event_id: String,
    /// The `data` lines so far, each ended by LF.
    data_lines: Vec<u8>,
    /// The last `event` line, ended by LF: it is the one that counts.
    event_line: Vec<u8>,
    /// Bytes of the data so far, with an LF after each line.
    data_bytes: usize,
    /// The event is over a limit: all up to the blank line is skipped, but for `id` and `retry`.
    skipping: bool,
    /// How many blank lines there were.
    ended: u32,
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
                } else if !self.skipping {
                    keep_line(&mut self.data_lines, &line.text);
                }
            }
            "event" | "id" if line.cut || value.len() > self.field_bytes => self.skip(each),
            "event" => {
                self.event_line.clear();
                keep_line(&mut self.event_line, &line.text);
            }
            "id" if !value.contains('\0') => {
                value.clone_into(&mut self.id_buffer);
                self.id_given = true;
            }
            "retry" if !line.cut => {
                // The parse alone would take a sign; a value that does not fit is ignored.
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                if let (true, Ok(milliseconds)) = (digits, value.parse()) {
                    each(Decoded::Retry(milliseconds));
                }
            }
            // A line that begins with a colon; unlike a value, its text may begin with a space.
            "" if !line.cut => {
                let text = &line.text[1..];
                if self.comment_bytes.is_some_and(|limit| text.len() <= limit) {
                    each(Decoded::Comment(text.to_owned()));
                }
            }
            _ => {}
        }
    }

    fn skip(&mut self, each: &mut impl FnMut(Decoded)) {
        if !self.skipping {
            self.skipping = true;
            self.data_lines = Vec::new();
            each(Decoded::Oversized);
        }
    }

    fn end(&mut self, each: &mut impl FnMut(Decoded)) {
        self.ended = self.ended.wrapping_add(1);
        let given = std::mem::take(&mut self.id_given);
        if given && std::mem::take(&mut self.inherits) {
            each(Decoded::Identified);
        }
        let changed = given && self.last_event_id != self.id_buffer;
        if changed {
            self.last_event_id.clone_from(&self.id_buffer);
        }
        if let Some((event_type, data)) = self.assemble() {
            each(Decoded::Message(Message { event_type, data, last_event_id: self.last_event_id.clone() }));
        } else if changed {
            each(Decoded::LastEventId(self.last_event_id.clone()));
        }
        self.skipping = false;
        self.data_bytes = 0;
        for buffer in [&mut self.data_lines, &mut self.event_line] {
            buffer.clear();
            buffer.shrink_to(BUFFER_AT_REST);
        }
    }

    /// Type and data of the block, if it has data and is to be told.
    fn assemble(&mut self) -> Option<(String, String)> {
        if self.data_lines.is_empty() || self.skipping {
            return None;
        }
        self.data_lines.extend_from_slice(&self.event_line);
        self.data_lines.push(b'\n');
        let mut events = EventStream::new(BlockLines(&self.data_lines));
        match Pin::new(&mut events).poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(event))) => Some((event.event, event.data)),
            // Lines as they are handed over here neither fail nor lack an event.
            _ => None,
        }
    }
}

/// What an idle connection may hold on to of each of a block's buffers.
const BUFFER_AT_REST: usize = 1 << 10;

fn keep_line(buffer: &mut Vec<u8>, line: &str) {
    buffer.extend_from_slice(line.as_bytes());
    buffer.push(b'\n');
}

/// A block as `eventsource-stream` takes it in linear time and without fail: valid UTF-8, no byte order mark, lines ended by
/// LF, and one line per item. (Its time is quadratic in the length of an item.)
struct BlockLines<'a>(&'a [u8]);

/// A block of up to so many bytes is one item: an item costs more than they do.
const ONE_ITEM: usize = 256;

impl<'a> Stream for BlockLines<'a> {
    type Item = Result<&'a [u8], Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let end = if self.0.len() <= ONE_ITEM {
            self.0.len().checked_sub(1)
        } else {
            memchr::memchr(b'\n', self.0)
        };
        let Some(end) = end else { return Poll::Ready(None) };
        let (line, rest) = self.0.split_at(end + 1);
        self.0 = rest;
        Poll::Ready(Some(Ok(line)))
    }
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
    fn comments_are_told_where_they_are_asked_for() {
        let body =
            ":one\n: two\n:  three\n:\ndata: a\n:four: 4\n\nlonger: than ten\n:longer than ten\ncolonless\n";
        assert_eq!(decode(&Limits::default(), body), [message("message", "a", "")]);
        let comment = |text: &str| Decoded::Comment(text.into());
        let limits = Limits { comment_bytes: Some(10), ..Limits::default() };
        let before = ["one", " two", "  three", "", "four: 4"].map(comment);
        assert_eq!(decode(&limits, body), [&before[..], &[message("message", "a", "")]].concat());
    }

    #[test]
    fn an_id_without_data_is_told_once() {
        let body = "id: 1\n\n\nid: 1\n\nid: 2\nid: 1\n\nid\n\n";
        let expected = [Decoded::LastEventId("1".into()), Decoded::LastEventId(String::new())];
        assert_eq!(decode(&Limits::default(), body), expected);
    }

    #[test]
    fn the_first_id_is_told_where_another_was_inherited() {
        let mut decoder = Decoder::new(&Limits::default(), "1".to_owned());
        let mut seen = Vec::new();
        decoder.push(b"data: a\n\nid: 1\ndata: b\n\nid: 2\n\ndata: c\n\n", |decoded| seen.push(decoded));
        let expected = [
            message("message", "a", "1"),
            Decoded::Identified,
            message("message", "b", "1"),
            Decoded::LastEventId("2".into()),
            message("message", "c", "2"),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_retry_is_digits_that_fit() {
        let body =
            "retry: 10\nretry:0007\nretry: +5\nretry: 5s\nretry\nretry:\nretry: 18446744073709551616\n";
        assert_eq!(decode(&Limits::default(), body), [Decoded::Retry(10), Decoded::Retry(7)]);
    }
}

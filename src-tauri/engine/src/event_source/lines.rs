//! Bytes to lines (WHATWG HTML 9.2.6, "Interpreting an event stream"), in bounded memory.

use std::{borrow::Cow, mem};

/// How much of a line over the limit is kept: enough to tell its field.
const CUT_LENGTH: usize = 16;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Splits a body into lines, however it is cut into chunks.
///
/// A line ends at CR, LF or CRLF, and at CR at once: an LF that follows, perhaps much later, is swallowed. The body's byte
/// order mark is taken off. Invalid UTF-8 becomes U+FFFD, one for each maximal bad part, as the standard's decoder does it;
/// a bad part cannot reach over a line's end, so each line can be decoded alone.
pub(crate) struct Lines {
    limit: usize,
    /// The start of a line whose end has not come; empty at rest, so that an idle connection holds no buffer.
    partial: Vec<u8>,
    /// `partial` has passed the limit; it keeps only its first bytes until its end comes.
    cut: bool,
    swallow_line_feed: bool,
    started: bool,
}

/// One line without its end.
pub(crate) struct Line<'a> {
    /// The text, or, if it was too long, its first few characters.
    pub(crate) text: Cow<'a, str>,
    /// It was longer than the limit.
    pub(crate) cut: bool,
}

impl Lines {
    /// Lines of up to `limit` bytes; longer ones are [cut](Line::cut).
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, partial: Vec::new(), cut: false, swallow_line_feed: false, started: false }
    }

    /// Hands over each line that ends in `bytes`, and keeps what is left.
    pub(crate) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Line<'_>)) {
        let mut rest = bytes;
        if self.swallow_line_feed && !rest.is_empty() {
            self.swallow_line_feed = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr::memchr2(b'\r', b'\n', rest) {
            let (head, tail) = (&rest[..end], &rest[end + 1..]);
            if self.partial.is_empty() && head.len() <= self.limit {
                each(Line { text: String::from_utf8_lossy(self.without_mark(head)), cut: false });
            } else {
                self.keep(head);
                each(self.take_partial());
            }
            rest = tail;
            if bytes[bytes.len() - rest.len() - 1] == b'\r' {
                self.swallow_line_feed = rest.is_empty();
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
        }
        self.keep(rest);
    }

    /// Whether a line is under way.
    pub(crate) fn is_partial(&self) -> bool {
        !self.partial.is_empty()
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.cut || bytes.is_empty() {
            return;
        }
        let length = self.partial.len() + bytes.len();
        if length > self.limit {
            self.cut = true;
            let missing = CUT_LENGTH.saturating_sub(self.partial.len()).min(bytes.len());
            self.partial.extend_from_slice(&bytes[..missing]);
            self.partial.truncate(CUT_LENGTH);
            self.partial.shrink_to_fit();
            return;
        }
        if length > self.partial.capacity() {
            // Doubled, as a vector does it by itself, but never beyond the limit.
            let capacity = length.max(self.partial.capacity().saturating_mul(2)).min(self.limit);
            self.partial.reserve_exact(capacity - self.partial.len());
        }
        self.partial.extend_from_slice(bytes);
    }

    fn take_partial(&mut self) -> Line<'static> {
        let mut bytes = mem::take(&mut self.partial);
        let mark = bytes.len() - self.without_mark(&bytes).len();
        bytes.drain(..mark);
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Line { text: text.into(), cut: mem::take(&mut self.cut) }
    }

    /// The line without the byte order mark, if it is the body's first.
    fn without_mark<'a>(&mut self, line: &'a [u8]) -> &'a [u8] {
        if mem::replace(&mut self.started, true) {
            return line;
        }
        line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(limit: usize, chunks: &[&[u8]]) -> Vec<(String, bool)> {
        let mut lines = Lines::new(limit);
        let mut seen = Vec::new();
        for chunk in chunks {
            lines.push(chunk, |line| seen.push((line.text.into_owned(), line.cut)));
        }
        seen
    }

    #[test]
    fn a_line_ends_at_each_kind_of_end_once() {
        let whole = |text: &str| (text.to_owned(), false);
        for (chunks, expected) in [
            (&[b"a\rb\nc\r\nd".as_slice()] as &[&[u8]], vec![whole("a"), whole("b"), whole("c")]),
            (&[b"a\r"], vec![whole("a")]),
            (&[b"a\r", b"\nb\n"], vec![whole("a"), whole("b")]),
            (&[b"a\r", b"", b"\n\n"], vec![whole("a"), whole("")]),
            (&[b"a\r\r\n\n"], vec![whole("a"), whole(""), whole("")]),
            (&[b"\xEF", b"\xBB", b"\xBFa\n\xEF\xBB\xBFb\n"], vec![whole("a"), whole("\u{FEFF}b")]),
            (&[b"\xEF\xBB\n"], vec![whole("\u{FFFD}")]),
            (&[b"\xE4\xB8", b"\xADx\xE4\xB8\n"], vec![whole("\u{4E2D}x\u{FFFD}")]),
        ] {
            assert_eq!(lines(100, chunks), expected, "{chunks:?}");
        }
    }

    #[test]
    fn a_line_over_the_limit_is_cut_and_the_next_one_is_whole() {
        let expected = vec![("data: aaaaaaaaaa".to_owned(), true), ("b".to_owned(), false)];
        assert_eq!(lines(20, &[b"data: aaaaaaaaaaaaaaaaaaaaa\nb\n"]), expected);
        assert_eq!(lines(20, &[b"data: aaaaaaaaaaa", b"aaaa", b"aaaaaaaaaa", b"aaa\nb\n"]), expected);
        assert_eq!(lines(20, &[b"data: aaaaaaaaaaaaaa\n"]), [("data: aaaaaaaaaaaaaa".to_owned(), false)]);
    }

    #[test]
    fn an_endless_line_takes_no_more_memory_than_the_limit() {
        let mut lines = Lines::new(1 << 20);
        let chunk = [b'x'; 16 << 10];
        for _ in 0..1024 {
            lines.push(&chunk, |_| panic!("no line has ended"));
            assert!(lines.partial.capacity() <= 1 << 20);
        }
        assert!(lines.partial.capacity() <= CUT_LENGTH);
    }
}

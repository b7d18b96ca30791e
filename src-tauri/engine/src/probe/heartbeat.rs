//! How often a server shows that it is alive while it has no events.

use std::time::{Duration, Instant};

use crate::{activity::Rhythm, event_source::lines::Lines};

/// Longest start of a line that is looked at, in bytes: the first tells a comment.
const LINE_START: usize = 16;

/// Watches a body for comments, and for blank lines that end no event.
pub(super) struct Heartbeat {
    lines: Lines,
    /// The line belongs to an event, whose end is no sign of its own.
    in_event: bool,
    rhythm: Rhythm,
    interval: Option<Duration>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { lines: Lines::new(LINE_START), in_event: false, rhythm: Rhythm::default(), interval: None }
    }
}

impl Heartbeat {
    /// The next bytes of the body.
    pub(super) fn received(&mut self, now: Instant, bytes: &[u8]) {
        let in_event = &mut self.in_event;
        let mut beat = false;
        self.lines.push(bytes, |line| {
            if line.text.is_empty() {
                beat |= !std::mem::take(in_event);
            } else if line.text.starts_with(':') {
                beat = true;
            } else {
                *in_event = true;
            }
        });
        if beat {
            self.interval = self.interval.max(self.rhythm.beat(now));
        }
    }

    /// The longest time between two signs; `None` as long as there are fewer.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_lonely_blank_lines_are_signs_of_life() {
        for (body, seconds) in [
            (&[(0_u64, ": hello\n\n"), (2, ":\n\n"), (4, ":\n\n")] as &[(u64, &str)], Some(2)),
            (&[(0, "\n"), (3, "\n"), (4, "\n")], Some(3)),
            (&[(0, ":"), (1, " cut in two\n"), (6, ": a\n\n")], Some(5)),
            (&[(0, "data: a\n\n"), (2, "data: b\n\n"), (4, "event: c\n\n")], None),
            (&[(0, "data: a\n"), (2, "\n"), (4, "\n")], None),
            (&[(0, ": hello\n\n"), (2, "data: a\n\n"), (4, ": b\n\n")], Some(4)),
            (&[(0, ": hello\n"), (0, ": again\n\n")], None),
            (&[(1, ": hello\n")], None),
            (&[(0, "data: a long line that is cut: b\n\n"), (1, "\n")], None),
        ] {
            let start = Instant::now();
            let mut heartbeat = Heartbeat::default();
            for (second, bytes) in body {
                heartbeat.received(start + Duration::from_secs(*second), bytes.as_bytes());
            }
            assert_eq!(heartbeat.interval(), seconds.map(Duration::from_secs), "{body:?}");
        }
    }
}

//! What a stream may send beside its events.

use std::time::{Duration, Instant};

use crate::event_source::Message;

/// How much may come at once beside events, in bytes: comments, unknown fields, and what is over the limits. A whole event of
/// the greatest size is beside them until its end has come. The end of a line is work, too, and counts as some bytes.
const AT_ONCE: u64 = 2 << 20;

/// How much of that may come in a second, for ever.
const PER_SECOND: u64 = 1 << 20;

/// What a CR or LF counts as.
const LINE_END: usize = 32;

/// What a line of data counts as beside its text: `data: `, CR and LF.
const PER_LINE: usize = 8 + 2 * LINE_END;

/// What the other lines of an event count as beside its texts: ID, type, `retry`, a comment and the blank one.
const PER_EVENT: usize = 5 * PER_LINE + 64;

/// Measures one connection. What is beside events costs work and brings nothing, so that much of it is read slowly, down to the
/// sender; events are held back by the log alone, however many they are.
#[derive(Debug)]
pub(crate) struct Flood {
    /// Bytes beside events that time has not made good yet.
    owed: u64,
    since: Instant,
}

impl Flood {
    pub(crate) fn new(now: Instant) -> Self {
        Self { owed: 0, since: now }
    }

    /// These have come, and nothing is known of them yet.
    pub(crate) fn received(&mut self, bytes: &[u8]) {
        let line_ends = memchr::memchr2_iter(b'\r', b'\n', bytes).count();
        self.owed = self.owed.saturating_add((bytes.len() + LINE_END * line_ends) as u64);
    }

    /// They were this message.
    pub(crate) fn was(&mut self, message: &Message) {
        let texts = message.data.len() + message.event_type.len() + message.last_event_id.len();
        let lines = 1 + memchr::memchr_iter(b'\n', message.data.as_bytes()).count();
        self.owed = self.owed.saturating_sub((texts + PER_EVENT + PER_LINE * lines) as u64);
    }

    /// Until when nothing more is to be read; `None`: go on.
    pub(crate) fn held_until(&mut self, now: Instant) -> Option<Instant> {
        let passed = now.saturating_duration_since(self.since).as_millis().try_into().unwrap_or(u64::MAX);
        // Whole milliseconds alone, so that many short looks add up.
        self.since += Duration::from_millis(passed);
        self.owed = self.owed.saturating_sub(passed.saturating_mul(PER_SECOND) / 1000);
        let over = self.owed.checked_sub(AT_ONCE + 1)?;
        now.checked_add(Duration::from_millis(over * 1000 / PER_SECOND + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(data: &str) -> Message {
        Message { event_type: "message".into(), data: data.into(), last_event_id: "1".into() }
    }

    #[test]
    fn comments_beyond_measure_are_held_back_to_what_may_come_in_a_second() {
        let (start, mut now) = (Instant::now(), Instant::now());
        let mut flood = Flood::new(now);
        let mut read: u64 = 0;
        while read < 20 << 20 {
            flood.received(&[b'x'; 100_000]);
            read += 100_000;
            now = flood.held_until(now).unwrap_or(now);
        }
        let seconds = (now - start).as_secs();
        assert!((17..=19).contains(&seconds), "{seconds}");
    }

    #[test]
    fn a_hundred_thousand_comments_in_a_second_are_beyond_measure() {
        let mut now = Instant::now();
        let mut flood = Flood::new(now);
        let held = (0..1000).position(|_| {
            now += Duration::from_millis(1);
            flood.received(&b":\n\n".repeat(100));
            flood.held_until(now).is_some()
        });
        assert!(held.is_some(), "within a second");
    }

    #[test]
    fn events_are_never_held_back_nor_is_what_belongs_to_them() {
        let now = Instant::now();
        let pretty: String = (0..40).map(|line| format!("  \"{line}\": 1,\n")).collect();
        for data in ["x", "", &pretty, &"x".repeat(1 << 20)] {
            let mut flood = Flood::new(now);
            let lines: String = data.split('\n').map(|line| format!("data: {line}\r\n")).collect();
            let text = format!(": an event\r\nid: 1\r\nevent: message\r\nretry: 3000\r\n{lines}\r\n");
            for _ in 0..50 {
                flood.received(text.as_bytes());
                flood.was(&message(data));
                assert_eq!(flood.held_until(now), None, "{} bytes", data.len());
            }
        }
    }

    #[test]
    fn keep_alives_are_never_held_back() {
        let mut now = Instant::now();
        let mut flood = Flood::new(now);
        for _ in 0..100_000 {
            flood.received(&[b' '; 1900]);
            flood.received(b":\n\n");
            assert_eq!(flood.held_until(now), None);
            now += Duration::from_millis(2);
        }
    }
}

//! Signs of life: what has come on a feed's connection, how often something usually comes, and whether it is out of all measure.
//!
//! A connection notes them as they come, and whoever shows a feed asks for them: nobody is told of each byte.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;

mod flood;
mod rhythm;

pub(crate) use flood::Flood;
pub(crate) use rhythm::Rhythm;

/// For how long a flood is shown after it was last held back.
const FLOOD_SHOWN: Duration = Duration::from_secs(60);

/// What is known of a feed's signs of life; over all its connections, as long as they are to the same stream.
#[derive(Debug, Default)]
pub struct Activity(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    rhythm: Rhythm,
    last: Option<Timestamp>,
    /// Since when an event, or a line, has been under way.
    unfinished_since: Option<Instant>,
    flooded_at: Option<Instant>,
}

/// What is to be shown of it at a moment.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Signs {
    /// When anything came last, the head of an answer included.
    pub last: Option<Timestamp>,
    /// How often something usually comes; `None` as long as there is no such rhythm.
    pub rhythm: Option<Duration>,
    /// What is wrong with what comes.
    pub hint: Option<Hint>,
}

/// What is wrong with a stream that is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hint {
    /// So much more than its events comes that it is read slowly.
    Flooding,
    /// An event has been coming for longer than the idle timeout, and its end has not.
    Unfinished,
}

impl Activity {
    /// What is to be shown now; an event may be under way for as long as `patience`.
    pub fn signs(&self, now: Instant, patience: Duration) -> Signs {
        let noted = self.noted();
        let within =
            |time: Option<Instant>, span| time.is_some_and(|time| now.saturating_duration_since(time) < span);
        let hint = if within(noted.flooded_at, FLOOD_SHOWN) {
            Some(Hint::Flooding)
        } else if noted.unfinished_since.is_some() && !within(noted.unfinished_since, patience) {
            Some(Hint::Unfinished)
        } else {
            None
        };
        Signs { last: noted.last, rhythm: noted.rhythm.usual(), hint }
    }

    /// A stream has been opened: the time since the one before is no gap in it.
    pub(crate) fn opened(&self) {
        let mut noted = self.noted();
        noted.rhythm.interrupt();
        noted.last = Some(Timestamp::now());
    }

    /// Bytes have come, after which an event has been under way since a moment, or none is.
    pub(crate) fn received(&self, now: Instant, unfinished_since: Option<Instant>) {
        let mut noted = self.noted();
        noted.rhythm.beat(now);
        noted.last = Some(Timestamp::now());
        noted.unfinished_since = unfinished_since;
    }

    /// The stream is over.
    pub(crate) fn closed(&self) {
        self.noted().unfinished_since = None;
    }

    /// The stream is held back as a flood; whether that is news.
    pub(crate) fn flooded(&self, now: Instant) -> bool {
        let before = self.noted().flooded_at.replace(now);
        before.is_none_or(|before| now.saturating_duration_since(before) >= FLOOD_SHOWN)
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_wrong_is_shown_while_it_is_and_a_flood_for_a_while() {
        let (activity, start) = (Activity::default(), Instant::now());
        let hint = |seconds: u32| activity.signs(start + seconds * SECOND, 300 * SECOND).hint;
        assert_eq!(activity.signs(start, SECOND), Signs::default());
        activity.opened();
        activity.received(start, Some(start));
        assert_eq!((hint(299), hint(300)), (None, Some(Hint::Unfinished)));
        assert!(activity.flooded(start + 310 * SECOND));
        assert!(!activity.flooded(start + 320 * SECOND));
        assert_eq!((hint(379), hint(380)), (Some(Hint::Flooding), Some(Hint::Unfinished)));
        activity.closed();
        assert_eq!(hint(400), None);
        assert!(activity.flooded(start + 400 * SECOND));
        assert!(activity.signs(start, SECOND).last.is_some());
    }
}

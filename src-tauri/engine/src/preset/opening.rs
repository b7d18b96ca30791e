//! What a connection begins with and is no news: all states, all that is at a path.

use wildmatch::WildMatch;

use super::Preset;
use crate::{event_source::Message, rule::MAX_MATCHED_TYPE};

/// Which messages at the begin of a connection only tell how things stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Snapshot {
    /// So many of these event types.
    First {
        /// Names or patterns; empty: all.
        events: Vec<String>,
        /// How many.
        count: u32,
    },
    /// Those before so many of these event types have come.
    Until {
        /// Names or patterns.
        events: Vec<String>,
        /// How many.
        count: u32,
    },
}

/// How far a connection is past its begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Opening {
    /// Messages of the event types that the snapshot counts.
    counted: u32,
    /// A message has come.
    begun: bool,
}

impl Opening {
    /// Whether the next message of a connection belongs to what it begins with, as its feed's preset knows. To be asked for each.
    pub fn is_snapshot(&mut self, preset: Option<&Preset>, message: &Message) -> bool {
        self.begun = true;
        let Some(snapshot) = preset.and_then(|preset| preset.snapshot.as_ref()) else { return false };
        let (Snapshot::First { events, count } | Snapshot::Until { events, count }) = snapshot;
        let counts = events.is_empty() || events.iter().any(|event| matches(event, &message.event_type));
        let before = self.counted;
        self.counted = self.counted.saturating_add(u32::from(counts));
        match snapshot {
            Snapshot::First { .. } => counts && before < *count,
            Snapshot::Until { .. } => self.counted < *count,
        }
    }

    /// The preset was found by a message. What came before was not counted: if that is not the connection's first one, its begin
    /// counts as past.
    pub fn found(&mut self) {
        if self.begun {
            self.counted = u32::MAX;
        }
    }
}

fn matches(pattern: &str, event_type: &str) -> bool {
    event_type.len() <= MAX_MATCHED_TYPE && WildMatch::new(pattern).matches(event_type)
}

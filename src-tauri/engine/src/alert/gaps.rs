//! How long a feed usually says nothing.

use std::time::Duration;

use jiff::Timestamp;

/// Events that follow within this time are one: a burst says nothing of how long a feed keeps silent.
const TOGETHER: Duration = Duration::from_secs(60);

/// How many of the newest gaps are kept.
const KEPT: usize = 32;

/// How many gaps there must be before anything is usual.
const ENOUGH: usize = 8;

/// Silence is unusual from this many times the gap that nine out of ten do not exceed.
const FACTOR: u32 = 4;

/// No shorter silence is unusual.
const LEAST: Duration = Duration::from_mins(10);

/// Learns it from the times of events.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Gaps {
    last: Option<Timestamp>,
    newest: Vec<Duration>,
    /// Where the next gap goes, once as many as are kept are there.
    next: usize,
}

impl Gaps {
    /// An event came at this time.
    pub(super) fn event(&mut self, at: Timestamp) {
        // A clock that was set back gives no gap.
        let gap = self.last.map(|last| at.duration_since(last).try_into().unwrap_or(Duration::ZERO));
        match gap {
            None => self.last = Some(at),
            Some(gap) if gap >= TOGETHER => {
                self.last = Some(at);
                self.add(gap);
            }
            Some(_) => {}
        }
    }

    /// Events may have come unseen: the time to the next one is no gap.
    pub(super) fn interrupt(&mut self) {
        self.last = None;
    }

    /// From how long on silence is unusual; `None` as long as too little is known.
    pub(super) fn unusual(&self) -> Option<Duration> {
        let mut gaps = self.newest.clone();
        if gaps.len() < ENOUGH {
            return None;
        }
        gaps.sort_unstable();
        let most = gaps.get((gaps.len() * 9).div_ceil(10).saturating_sub(1)).copied()?;
        Some(most.saturating_mul(FACTOR).max(LEAST))
    }

    fn add(&mut self, gap: Duration) {
        match self.newest.get_mut(self.next) {
            Some(oldest) => *oldest = gap,
            None => self.newest.push(gap),
        }
        self.next = (self.next + 1) % KEPT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From how many seconds on silence is unusual after events with these gaps.
    fn unusual(gaps: impl IntoIterator<Item = i64>) -> Option<u64> {
        let (mut learned, mut second) = (Gaps::default(), 0);
        learned.event(Timestamp::UNIX_EPOCH);
        for gap in gaps {
            second += gap;
            learned.event(Timestamp::from_second(second).unwrap());
        }
        learned.unusual().map(|time| time.as_secs())
    }

    #[test]
    fn what_is_unusual_follows_the_longer_ones_of_the_newest_gaps() {
        const HOUR: i64 = 3600;
        for (case, gaps, expected) in [
            ("nothing", vec![], None),
            ("too few", vec![HOUR; 7], None),
            ("each hour", vec![HOUR; 8], Some(4 * HOUR as u64)),
            ("never below ten minutes", vec![70; 20], Some(600)),
            ("every second", vec![1; 600], Some(600)),
            ("one night among many hours", [vec![HOUR; 9], vec![12 * HOUR]].concat(), Some(4 * HOUR as u64)),
            ("two nights", [vec![HOUR; 8], vec![12 * HOUR; 2]].concat(), Some(48 * HOUR as u64)),
            ("bursts", [0, 1, 2, 0, 0, HOUR].repeat(8), Some(4 * (HOUR + 3) as u64)),
            ("old ones are forgotten", [vec![24 * HOUR; 40], vec![HOUR; 32]].concat(), Some(4 * HOUR as u64)),
            ("a clock set back", [vec![HOUR; 8], vec![-100 * HOUR]].concat(), Some(4 * HOUR as u64)),
        ] {
            assert_eq!(unusual(gaps), expected, "{case}");
        }
    }

    #[test]
    fn the_time_in_which_nothing_could_come_is_no_gap() {
        let mut learned = Gaps::default();
        for hour in 0..100 {
            learned.interrupt();
            learned.event(Timestamp::from_second(hour * 3600).unwrap());
        }
        assert_eq!(learned.unusual(), None);
    }
}

//! How often something comes.

use std::time::{Duration, Instant};

/// What follows faster is one sign of life: a comment and its blank line, a greeting of several comments, a burst.
const ONE_BEAT: Duration = Duration::from_millis(500);

/// How many of the newest gaps are kept.
const KEPT: usize = 16;

/// How many gaps there must be before anything is usual.
const ENOUGH: usize = 3;

/// Learns it from the gaps between signs of life.
#[derive(Debug, Default)]
pub(crate) struct Rhythm {
    last: Option<Instant>,
    /// The newest gaps, in milliseconds; a ring.
    gaps: [u32; KEPT],
    /// How many gaps there were.
    count: usize,
}

impl Rhythm {
    /// A sign of life. The gap since the one before, unless both are one.
    pub(crate) fn beat(&mut self, now: Instant) -> Option<Duration> {
        let gap = now.saturating_duration_since(self.last.replace(now)?);
        if gap < ONE_BEAT {
            return None;
        }
        self.gaps[self.count % KEPT] = gap.as_millis().try_into().unwrap_or(u32::MAX);
        self.count = self.count.wrapping_add(1);
        Some(gap)
    }

    /// The time to the next sign is no gap.
    pub(crate) fn interrupt(&mut self) {
        self.last = None;
    }

    /// The gap in the middle of the newest ones, in whole seconds. `None` if they are few, or if most of them differ from it by
    /// more than a quarter: then nothing is usual.
    pub(crate) fn usual(&self) -> Option<Duration> {
        let mut gaps = self.gaps;
        let gaps = &mut gaps[..self.count.min(KEPT)];
        if gaps.len() < ENOUGH {
            return None;
        }
        gaps.sort_unstable();
        let median = gaps[gaps.len() / 2];
        let near = gaps.iter().filter(|gap| gap.abs_diff(median) <= median / 4).count();
        let seconds = (u64::from(median) + 500) / 1000;
        (2 * near > gaps.len()).then(|| Duration::from_secs(seconds.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is usual after signs with these gaps, in milliseconds.
    fn usual(gaps: impl IntoIterator<Item = u64>) -> Option<u64> {
        let (mut rhythm, mut now) = (Rhythm::default(), Instant::now());
        rhythm.beat(now);
        for gap in gaps {
            now += Duration::from_millis(gap);
            rhythm.beat(now);
        }
        rhythm.usual().map(|time| time.as_secs())
    }

    #[test]
    fn what_is_usual_is_told_once_it_is_known_and_strays_do_not_change_it() {
        for (gaps, expected) in [
            (&[][..], None),
            (&[45_000, 45_000], None),
            (&[45_000, 45_010, 44_990], Some(45)),
            // Events between the keep-alives.
            (&[45_000, 45_000, 12_000, 33_000, 45_000, 45_000, 3_000, 45_000], Some(45)),
            // A keep-alive and what follows at once are one.
            (&[30_000, 20, 30, 30_000, 20, 29_950, 10], Some(30)),
            (&[600, 600, 600], Some(1)),
            (&[1_000, 60_000, 5_000, 400_000, 20_000], None),
            (&[100, 100, 100, 100, 100], None),
        ] {
            assert_eq!(usual(gaps.iter().copied()), expected, "{gaps:?}");
        }
    }

    #[test]
    fn a_server_that_changes_its_rhythm_is_learned_anew() {
        let gaps = [15_000].repeat(100).into_iter().chain([60_000].repeat(9));
        assert_eq!(usual(gaps), Some(60));
    }

    #[test]
    fn the_time_between_two_connections_is_no_gap() {
        let (mut rhythm, start) = (Rhythm::default(), Instant::now());
        for second in [0, 10, 20, 30] {
            rhythm.interrupt();
            assert_eq!(rhythm.beat(start + Duration::from_secs(second)), None);
        }
        assert_eq!(rhythm.usual(), None);
    }
}

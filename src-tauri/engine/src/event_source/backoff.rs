//! How long to wait before the next attempt.

use std::time::Duration;

use super::Limits;

/// Counts the failures in a row and makes the delays from them. Every delay is lengthened by a random part of up to a half,
/// upwards only, so that the reconnection time a server asked for stays a lower bound.
pub(super) struct Backoff {
    transient: u32,
    slow: u32,
    /// State of a SplitMix64 generator: it only has to keep many clients from coming back in step.
    random: u64,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        Self { transient: 0, slow: 0, random: seed }
    }

    /// Failures in a row.
    pub(super) fn failures(&self) -> u32 {
        self.transient.saturating_add(self.slow)
    }

    /// The stream has proved itself: the next delay is the base delay again.
    pub(super) fn reset(&mut self) {
        self.transient = 0;
        self.slow = 0;
    }

    /// The delay after an end that is no failure.
    pub(super) fn after_end(&mut self, limits: &Limits, reconnection_time: Option<Duration>) -> Duration {
        let base = base(limits, reconnection_time);
        self.lengthen(base)
    }

    /// The delay after a failure that time may cure.
    pub(super) fn after_failure(&mut self, limits: &Limits, reconnection_time: Option<Duration>) -> Duration {
        let base = base(limits, reconnection_time);
        let delay = grown(base, self.transient).min(limits.delay_cap.max(base));
        self.transient = self.transient.saturating_add(1);
        self.lengthen(delay)
    }

    /// The delay after a failure that time alone will hardly cure.
    pub(super) fn after_refusal(&mut self, limits: &Limits, reconnection_time: Option<Duration>) -> Duration {
        let delay = grown(limits.slow_delay, self.slow).min(limits.slow_cap);
        self.slow = self.slow.saturating_add(1);
        self.lengthen(delay.max(base(limits, reconnection_time)))
    }

    /// A part of `time`, so that many clients that are told of the same thing do not all act at once.
    pub(super) fn part_of(&mut self, time: Duration) -> Duration {
        time.mul_f64(self.uniform())
    }

    fn lengthen(&mut self, delay: Duration) -> Duration {
        delay.saturating_add(self.part_of(delay / 2))
    }

    /// A number in 0.0 to 1.0, the upper end excluded.
    fn uniform(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn base(limits: &Limits, reconnection_time: Option<Duration>) -> Duration {
    reconnection_time.unwrap_or(limits.base_delay)
}

fn grown(delay: Duration, failures_before: u32) -> Duration {
    delay.saturating_mul(1 << failures_before.min(20))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// That each delay is its step of `expected`, in seconds, lengthened by less than a half.
    fn check(expected: &[u64], mut next: impl FnMut(&mut Backoff) -> Duration) {
        for seed in [0, 1, 42, u64::MAX] {
            let mut backoff = Backoff::new(seed);
            for (step, seconds) in expected.iter().enumerate() {
                let low = Duration::from_secs(*seconds);
                let delay = next(&mut backoff);
                assert!(delay >= low && delay < low + low / 2, "seed {seed}, step {step}: {delay:?}");
            }
        }
    }

    #[test]
    fn delays_double_up_to_their_cap() {
        let limits = Limits::default();
        check(&[3, 6, 12, 24, 48, 60, 60, 60], |backoff| backoff.after_failure(&limits, None));
        check(&[5, 10, 20, 40, 60], |backoff| backoff.after_failure(&limits, Some(5 * SECOND)));
        check(&[3600, 3600, 3600], |backoff| backoff.after_failure(&limits, Some(3600 * SECOND)));
        check(&[60, 120, 240, 480, 900, 900], |backoff| backoff.after_refusal(&limits, None));
        check(&[90, 120], |backoff| backoff.after_refusal(&limits, Some(90 * SECOND)));
        check(&[3, 3, 3], |backoff| backoff.after_end(&limits, None));
    }

    #[test]
    fn a_reset_begins_anew() {
        let limits = Limits::default();
        let mut backoff = Backoff::new(7);
        for _ in 0..100 {
            backoff.after_failure(&limits, None);
        }
        assert_eq!(backoff.failures(), 100);
        backoff.reset();
        assert_eq!(backoff.failures(), 0);
        assert!(backoff.after_failure(&limits, None) < 5 * SECOND);
    }

    #[test]
    fn the_sequence_of_a_seed_is_fixed() {
        let limits = Limits::default();
        let mut backoff = Backoff::new(42);
        let delays: Vec<_> = (0..5).map(|_| backoff.after_failure(&limits, None).as_millis()).collect();
        assert_eq!(delays, [4112, 6479, 13671, 28130, 48912]);
    }

    #[test]
    fn without_a_floor_there_is_no_wait() {
        let limits = Limits { base_delay: Duration::ZERO, slow_delay: Duration::ZERO, ..Limits::default() };
        let mut backoff = Backoff::new(1);
        assert_eq!(backoff.after_failure(&limits, None), Duration::ZERO);
        assert_eq!(backoff.after_refusal(&limits, None), Duration::ZERO);
        assert_eq!(backoff.after_end(&limits, None), Duration::ZERO);
    }
}

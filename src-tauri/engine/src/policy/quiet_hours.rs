//! Times of the day at which nobody wants to be disturbed, by the clock on the wall, over midnight and changes of the clock.

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Time, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};

/// A time that comes again each day, or on some days of the week.
#[derive(Clone, PartialEq, Debug)]
pub struct QuietRange {
    /// The days on which it begins; empty: every day.
    pub days: Vec<Weekday>,
    /// When it begins.
    pub from: Time,
    /// When it ends: on the next day if not later than `from`.
    pub to: Time,
    /// Where these times are read off a clock; `None`: where this computer is.
    pub zone: Option<TimeZone>,
}

/// Whether it is quiet, and how long that holds at least.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Quiet {
    /// When it ends, if it is quiet.
    pub(super) until: Option<Timestamp>,
    /// From when all this holds.
    since: Timestamp,
    /// When it is to be asked again.
    pub(super) ask_at: Timestamp,
}

/// How long an answer holds at most: the zone of the computer may change while it travels, and its clock may be set.
const KNOWN_FOR: SignedDuration = SignedDuration::from_mins(15);

/// How many ranges in a row make one quiet time at most: whoever declares all of the week gets to know another end each week.
const IN_A_ROW: usize = 16;

impl Quiet {
    /// The state of `now`.
    pub(super) fn at(ranges: &[QuietRange], now: Timestamp) -> Self {
        let here = || TimeZone::system();
        let mut until: Option<Timestamp> = None;
        for _ in 0..IN_A_ROW {
            let moment = until.unwrap_or(now);
            let end = ranges.iter().filter_map(|range| range.end_of(moment, &here)).max();
            match end {
                Some(end) if end > moment => until = Some(end),
                _ => break,
            }
        }
        let latest = now.checked_add(KNOWN_FOR).unwrap_or(Timestamp::MAX);
        let next = ranges.iter().filter_map(|range| range.next_begin(now, &here)).min();
        let change = until.or(next).unwrap_or(latest);
        Self { until, since: now, ask_at: change.min(latest) }
    }

    /// Whether this is known of that moment, too.
    pub(super) fn holds_at(&self, now: Timestamp) -> bool {
        (self.since..self.ask_at).contains(&now)
    }
}

impl QuietRange {
    /// When the time that this moment is in ends; `None`: it is in none.
    fn end_of(&self, now: Timestamp, here: &impl Fn() -> TimeZone) -> Option<Timestamp> {
        self.around(now, here, -2..=1).find(|(begin, end)| (begin..end).contains(&&now)).map(|(_, end)| end)
    }

    fn next_begin(&self, now: Timestamp, here: &impl Fn() -> TimeZone) -> Option<Timestamp> {
        self.around(now, here, -1..=1).map(|(begin, _)| begin).filter(|begin| *begin > now).min()
    }

    /// Begins and ends on the days around a moment.
    fn around(
        &self,
        now: Timestamp,
        here: &impl Fn() -> TimeZone,
        days: std::ops::RangeInclusive<i64>,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let zone = self.zone.clone().unwrap_or_else(here);
        let today = now.to_zoned(zone.clone()).date();
        days.filter_map(move |day| {
            let date = today.checked_add(day.days()).ok()?;
            if !self.days.is_empty() && !self.days.contains(&date.weekday()) {
                return None;
            }
            let last = if self.to > self.from { date } else { date.tomorrow().ok()? };
            Some((instant(&zone, date, self.from, Edge::Begin)?, instant(&zone, last, self.to, Edge::End)?))
        })
    }
}

/// Which end of a range.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Begin,
    End,
}

/// When a clock on the wall shows this. A time that it shows twice counts from the first to the last; one that it jumps over is
/// the moment of the jump.
fn instant(zone: &TimeZone, date: Date, time: Time, edge: Edge) -> Option<Timestamp> {
    let shown = zone.to_ambiguous_timestamp(date.to_datetime(time));
    match (shown.offset(), edge) {
        (AmbiguousOffset::Gap { .. }, _) => {
            let before = shown.earlier().ok()?;
            zone.following(before).next().map(|jump| jump.timestamp())
        }
        (_, Edge::Begin) => shown.earlier().ok(),
        (_, Edge::End) => shown.later().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str, zone: &str) -> QuietRange {
        QuietRange {
            days: Vec::new(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            zone: Some(TimeZone::get(zone).expect("a time zone; is tzdata installed?")),
        }
    }

    /// The moments at which quiet begins (+) and ends (-) from one local time to another, found by asking each minute.
    fn changes(ranges: &[QuietRange], zone: &str, from: &str, to: &str) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let moment = |text: &str| zone.to_timestamp(text.parse::<jiff::civil::DateTime>().unwrap()).unwrap();
        let (mut now, end) = (moment(from), moment(to));
        let mut quiet = Quiet::at(ranges, now);
        let mut changes = Vec::new();
        while now < end {
            let before = Quiet::at(ranges, now);
            now += 1.minute();
            let after = Quiet::at(ranges, now);
            if before.until.is_some() != after.until.is_some() {
                let sign = if after.until.is_some() { '+' } else { '-' };
                changes.push(format!("{sign}{}", now.to_zoned(zone.clone()).strftime("%d %H:%M%:z")));
            }
            // What is known beforehand is never wrong.
            if quiet.holds_at(now) {
                assert_eq!(quiet.until, after.until, "{now}");
            } else {
                quiet = after;
            }
        }
        changes
    }

    #[test]
    fn a_night_is_quiet_over_midnight_and_over_each_change_of_the_clock() {
        for (zone, from, to, expected) in [
            ("Europe/Berlin", "2026-11-20T12:00", "2026-11-21T12:00", ["+20 22:00+01:00", "-21 07:00+01:00"]),
            ("Europe/Berlin", "2026-03-28T12:00", "2026-03-29T12:00", ["+28 22:00+01:00", "-29 07:00+02:00"]),
            ("Europe/Berlin", "2026-10-24T12:00", "2026-10-25T12:00", ["+24 22:00+02:00", "-25 07:00+01:00"]),
            (
                "America/New_York",
                "2026-03-07T12:00",
                "2026-03-08T12:00",
                ["+07 22:00-05:00", "-08 07:00-04:00"],
            ),
            (
                "America/New_York",
                "2026-10-31T12:00",
                "2026-11-01T12:00",
                ["+31 22:00-04:00", "-01 07:00-05:00"],
            ),
        ] {
            let night = range("22:00", "07:00", zone);
            assert_eq!(changes(&[night], zone, from, to), expected, "{zone} {from}");
        }
    }

    #[test]
    fn a_night_with_a_change_of_the_clock_lasts_as_long_as_the_clock_says() {
        for (zone, evening, hours) in [
            ("Europe/Berlin", "2026-03-28T22:00", 8),
            ("Europe/Berlin", "2026-10-24T22:00", 10),
            ("America/New_York", "2026-03-07T22:00", 8),
            ("America/New_York", "2026-10-31T22:00", 10),
            ("America/New_York", "2026-11-20T22:00", 9),
        ] {
            let night = range("22:00", "07:00", zone);
            let evening = evening.parse::<jiff::civil::DateTime>().unwrap();
            let begin = night.zone.clone().unwrap().to_timestamp(evening).unwrap();
            let until = Quiet::at(&[night], begin).until.expect("quiet");
            assert_eq!(until, begin + hours.hours(), "{zone} {evening}");
        }
    }

    #[test]
    fn times_that_the_clock_jumps_over_or_shows_twice() {
        for (from, to, day, expected) in [
            // 02:00 becomes 03:00.
            ("02:15", "02:45", 29, &[][..]),
            ("01:30", "02:30", 29, &["+29 01:30+01:00", "-29 03:00+02:00"]),
            ("02:30", "04:00", 29, &["+29 03:00+02:00", "-29 04:00+02:00"]),
        ] {
            let ranges = [range(from, to, "Europe/Berlin")];
            let (begin, end) = (format!("2026-03-{day}T00:00"), format!("2026-03-{day}T12:00"));
            assert_eq!(changes(&ranges, "Europe/Berlin", &begin, &end), expected, "{from} {to}");
        }
        for (from, to, expected) in [
            // 03:00 becomes 02:00.
            ("02:15", "02:45", ["+25 02:15+02:00", "-25 02:45+01:00"]),
            ("01:30", "02:30", ["+25 01:30+02:00", "-25 02:30+01:00"]),
            ("02:30", "04:00", ["+25 02:30+02:00", "-25 04:00+01:00"]),
        ] {
            let ranges = [range(from, to, "Europe/Berlin")];
            let found = changes(&ranges, "Europe/Berlin", "2026-10-25T00:00", "2026-10-25T12:00");
            assert_eq!(found, expected, "{from} {to}");
        }
    }

    #[test]
    fn several_ranges_and_days_of_the_week() {
        // 2026-11-20 is a Friday.
        let weekdays = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday];
        let ranges = [
            QuietRange { days: weekdays.to_vec(), ..range("22:00", "07:00", "Europe/Berlin") },
            QuietRange { days: vec![Weekday::Saturday], ..range("00:00", "00:00", "Europe/Berlin") },
            QuietRange { days: vec![Weekday::Sunday], ..range("00:00", "10:00", "Europe/Berlin") },
        ];
        let found = changes(&ranges, "Europe/Berlin", "2026-11-19T12:00", "2026-11-23T23:00");
        let expected =
            ["+19 22:00+01:00", "-20 07:00+01:00", "+21 00:00+01:00", "-22 10:00+01:00", "+23 22:00+01:00"];
        assert_eq!(found, expected);
        let saturday = TimeZone::get("Europe/Berlin").unwrap();
        let saturday = saturday.to_timestamp("2026-11-21T08:00".parse().unwrap()).unwrap();
        let sunday = Quiet::at(&ranges, saturday).until.unwrap();
        assert_eq!(sunday, saturday + 26.hours(), "ranges that meet are one quiet time");
    }

    #[test]
    fn no_range_is_never_quiet_and_a_full_week_has_an_end_to_ask_again_at() {
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        assert_eq!(Quiet::at(&[], now).until, None);
        let always = Quiet::at(&[range("00:00", "00:00", "UTC")], now);
        assert!(always.until > Some(now) && always.ask_at <= now + KNOWN_FOR);
    }
}

//! Until when popups are to be held back, as a person says it.
//!
//! | text | until when |
//! | --- | --- |
//! | `15m`, `1h`, `1h30m`, `90s` | so long from now |
//! | `08:00`, `until 08:00` | the next time that the clock shows this |
//! | `tomorrow` | tomorrow at 08:00 |
//! | `2026-12-24T18:00:00+01:00` | this moment (RFC 3339) |
//! | `off` | no longer |

use jiff::{
    SignedDuration, Timestamp, ToSpan, Zoned,
    civil::{Date, Time},
    tz::AmbiguousOffset,
};

use crate::sentence::{self, Sentence};

/// When `tomorrow` is over.
const MORNING: Time = Time::constant(8, 0, 0, 0);

/// Longest snooze, in days; from then on muting or pausing a feed is what a person wants.
pub const MAX_DAYS: i64 = 366;

/// Most of a text that is quoted, in characters.
const QUOTED: usize = 64;

/// The moment that a text stands for, seen from `now` and in its time zone; `None`: popups are no longer to be held back.
///
/// Where the clock is set back and shows a time twice, it is the next of both; where it is set forward and leaves it out, the time
/// that it shows instead.
///
/// # Errors
///
/// What is understood, for a text that is not; a moment that has passed, or is further away than [`MAX_DAYS`].
pub fn until(text: &str, now: &Zoned) -> Result<Option<Timestamp>, Sentence> {
    let words = text.trim().to_ascii_lowercase();
    if words == "off" {
        return Ok(None);
    }
    let quoted = || ("value", text.trim().chars().take(QUOTED).collect::<String>());
    let words = words.strip_prefix("until ").map_or(&*words, str::trim);
    let now_exactly = now.timestamp();
    let moment = if words == "tomorrow" {
        now.date().tomorrow().ok().and_then(|day| next(day, MORNING, now))
    } else if let Some(time) = clock(words) {
        next(now.date(), time, now)
    } else if let Some(time) = so_long(words) {
        now_exactly.checked_add(time).ok()
    } else {
        words.parse::<Timestamp>().ok()
    };
    let moment = moment.ok_or_else(|| sentence::SNOOZE_UNKNOWN.with([quoted()]))?;
    let least = Timestamp::from_second(now_exactly.as_second()).unwrap_or(now_exactly);
    if moment <= least {
        return Err(sentence::SNOOZE_PASSED.with([quoted()]));
    }
    if moment.duration_since(now_exactly) > SignedDuration::from_hours(24 * MAX_DAYS) {
        return Err(sentence::SNOOZE_TOO_LONG.with([quoted(), ("days", MAX_DAYS.to_string())]));
    }
    Ok(Some(moment))
}

/// The next moment, on this day or one of those after it, at which the clock shows this time.
fn next(from: Date, time: Time, now: &Zoned) -> Option<Timestamp> {
    (0..=2).find_map(|days| {
        let shown = from.checked_add(days.days()).ok()?.to_datetime(time);
        let moment = now.time_zone().to_ambiguous_timestamp(shown);
        let twice = matches!(moment.offset(), AmbiguousOffset::Fold { .. });
        let moments = [moment.compatible().ok(), twice.then(|| moment.later().ok()).flatten()];
        moments.into_iter().flatten().find(|moment| *moment > now.timestamp())
    })
}

/// `8:00`, `08:00`, `23:59`.
fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number =
        |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?;
    if !(1..=2).contains(&hour.len()) || minute.len() != 2 {
        return None;
    }
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

/// `15m`, `1h`, `1h30m`, `90s`, `1d`: whole numbers, each with its unit, the larger units first.
fn so_long(text: &str) -> Option<SignedDuration> {
    let mut seconds: i64 = 0;
    let mut smallest = i64::MAX;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, after) = rest.split_at(end);
        let unit = match after.chars().next()? {
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        if unit >= smallest {
            return None;
        }
        smallest = unit;
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = after.get(1..)?;
    }
    (smallest < i64::MAX).then(|| SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    /// Until when, as the clock in the zone shows it; or the mistake's code.
    fn check(now: &str, zone: &str, text: &str, expected: &str) {
        let zone = TimeZone::get(zone).expect("the system's or the built-in time zones");
        let now = now.parse::<Timestamp>().unwrap().to_zoned(zone.clone());
        let said = match until(text, &now) {
            Ok(Some(moment)) => moment.to_zoned(zone).strftime("%m-%d %H:%M:%S %:z").to_string(),
            Ok(None) => "off".to_owned(),
            Err(mistake) => mistake.code().to_owned(),
        };
        assert_eq!(said, expected, "{text} at {now}");
    }

    #[test]
    fn what_people_say() {
        for (text, expected) in [
            ("15m", "11-21 16:15:30 +01:00"),
            ("1h", "11-21 17:00:30 +01:00"),
            ("1h30m", "11-21 17:30:30 +01:00"),
            ("90s", "11-21 16:02:00 +01:00"),
            ("2d", "11-23 16:00:30 +01:00"),
            ("until 17:30", "11-21 17:30:00 +01:00"),
            (" UNTIL  8:00 ", "11-22 08:00:00 +01:00"),
            ("16:00", "11-22 16:00:00 +01:00"),
            ("16:01", "11-21 16:01:00 +01:00"),
            ("00:00", "11-22 00:00:00 +01:00"),
            ("tomorrow", "11-22 08:00:00 +01:00"),
            ("until tomorrow", "11-22 08:00:00 +01:00"),
            ("2026-12-24T18:00:00+01:00", "12-24 18:00:00 +01:00"),
            ("until 2026-11-21T15:01:00Z", "11-21 16:01:00 +01:00"),
            ("off", "off"),
            (" Off", "off"),
        ] {
            check("2026-11-21T15:00:30Z", "Europe/Berlin", text, expected);
        }
    }

    #[test]
    fn what_nobody_can_understand_or_want() {
        for text in [
            "",
            "until",
            "until off",
            "soon",
            "15",
            "15 m",
            "m",
            "30m1h",
            "1h1h",
            "1.5h",
            "-15m",
            "25:00",
            "08:60",
            "8",
            "8:0",
            "008:00",
            "+8:00",
            "08:00:00",
            "24:00",
            "99999999999999999999h",
            "1w",
            "一小时",
            "２h",
        ] {
            check("2026-11-21T15:00:30Z", "Europe/Berlin", text, "snooze_unknown");
        }
        for text in ["0m", "2026-11-21T15:00:30Z", "2020-01-01T00:00:00Z"] {
            check("2026-11-21T15:00:30Z", "Europe/Berlin", text, "snooze_passed");
        }
        for text in ["367d", "9999h59m", "2030-01-01T00:00:00Z"] {
            check("2026-11-21T15:00:30Z", "Europe/Berlin", text, "snooze_too_long");
        }
        let long = until(&"x".repeat(10_000), &Zoned::now()).unwrap_err();
        assert!(long.to_string().chars().count() < 300, "{long}");
    }

    #[test]
    fn where_the_clock_is_set_a_time_is_the_next_that_it_shows() {
        for (now, zone, text, expected) in [
            // Set forward from 2:00 to 3:00.
            ("2026-03-28T22:00:00Z", "Europe/Berlin", "02:30", "03-29 03:30:00 +02:00"),
            ("2026-03-28T22:00:00Z", "Europe/Berlin", "tomorrow", "03-29 08:00:00 +02:00"),
            ("2026-03-28T22:00:00Z", "Europe/Berlin", "8h", "03-29 08:00:00 +02:00"),
            ("2026-03-08T05:00:00Z", "America/New_York", "until 08:00", "03-08 08:00:00 -04:00"),
            // Set back from 3:00 to 2:00.
            ("2026-10-24T22:00:00Z", "Europe/Berlin", "02:30", "10-25 02:30:00 +02:00"),
            ("2026-10-25T00:45:00Z", "Europe/Berlin", "02:30", "10-25 02:30:00 +01:00"),
            ("2026-10-25T01:45:00Z", "Europe/Berlin", "02:30", "10-26 02:30:00 +01:00"),
            ("2026-10-24T22:00:00Z", "Europe/Berlin", "08:00", "10-25 08:00:00 +01:00"),
            ("2026-11-01T04:00:00Z", "America/New_York", "08:00", "11-01 08:00:00 -05:00"),
            ("2026-11-01T04:00:00Z", "America/New_York", "8h", "11-01 07:00:00 -05:00"),
            // A whole day left out, at the date line.
            ("2011-12-30T08:00:00Z", "Pacific/Apia", "tomorrow", "12-31 08:00:00 +14:00"),
        ] {
            check(now, zone, text, expected);
        }
    }
}

//! Moments as a person reads them.

use bellwether_control::messages::Catalogue;
use jiff::{Timestamp, ToSpan, Zoned, tz::TimeZone};

/// A moment on the wire as local date and time, to the second; as it stands if it is none.
pub(crate) fn local(moment: &str, zone: &TimeZone) -> String {
    moment.parse::<Timestamp>().map_or_else(
        |_| moment.to_owned(),
        |moment| moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// A moment on the wire as the time of the day, with the day unless it is today, in the time zone of `now`; as it stands if it is
/// none.
pub(crate) fn clock(moment: &str, now: &Zoned, catalogue: &Catalogue) -> String {
    let Ok(moment) = moment.parse::<Timestamp>() else { return moment.to_owned() };
    let moment = moment.to_zoned(now.time_zone().clone());
    let time = moment.strftime("%H:%M").to_string();
    let (day, today) = (moment.date(), now.date());
    if day == today {
        time
    } else if today.checked_add(1.day()).is_ok_and(|tomorrow| day == tomorrow) {
        catalogue.format("time.tomorrow", &[("time", &time)])
    } else {
        format!("{} {time}", moment.strftime("%Y-%m-%d"))
    }
}

/// How long before `now` a moment on the wire was, such as `5 min ago`.
pub(crate) fn ago(moment: &str, now: Timestamp, catalogue: &Catalogue) -> String {
    match seconds_between(moment, now) {
        Some(seconds) => distance("cli.time.ago", -seconds, catalogue),
        None => moment.to_owned(),
    }
}

/// How long after `now` a moment on the wire is, such as `in 12 s`.
pub(crate) fn until(moment: &str, now: Timestamp, catalogue: &Catalogue) -> String {
    match seconds_between(moment, now) {
        Some(seconds) => distance("cli.time.in", seconds, catalogue),
        None => moment.to_owned(),
    }
}

fn seconds_between(moment: &str, now: Timestamp) -> Option<i64> {
    Some(moment.parse::<Timestamp>().ok()?.duration_since(now).as_secs())
}

/// Clocks differ and answers take their time, so whatever is on the wrong side of now is now.
fn distance(key: &str, seconds: i64, catalogue: &Catalogue) -> String {
    let (count, unit) = match seconds {
        i64::MIN..1 => return catalogue.text(&format!("{key}.now")).to_owned(),
        1..60 => (seconds, "seconds"),
        60..3_600 => (seconds / 60, "minutes"),
        3_600..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    catalogue.format(&format!("{key}.{unit}"), &[("count", &count.to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        for (moment, english, chinese) in [
            ("2026-11-20T12:00:00.400Z", "just now", "刚刚"),
            ("2026-11-20T12:00:30Z", "just now", "刚刚"),
            ("2026-11-20T11:59:18Z", "42 s ago", "42 秒前"),
            ("2026-11-20T11:30:00Z", "30 min ago", "30 分钟前"),
            ("2026-11-19T12:00:00Z", "24 h ago", "24 小时前"),
            ("2026-11-10T12:00:00Z", "10 days ago", "10 天前"),
            ("nonsense", "nonsense", "nonsense"),
        ] {
            assert_eq!(ago(moment, now, &Catalogue::new("en")), english);
            assert_eq!(ago(moment, now, &Catalogue::new("zh-CN")), chinese);
        }
        assert_eq!(until("2026-11-20T12:00:12Z", now, &Catalogue::new("en")), "in 12 s");
        assert_eq!(until("2026-11-20T12:00:12Z", now, &Catalogue::new("zh-CN")), "12 秒后");
        assert_eq!(until("2026-11-20T11:00:00Z", now, &Catalogue::new("en")), "any moment");
    }

    #[test]
    fn clock_times() {
        let now: Zoned = "2026-11-20T22:00:00+08:00[+08:00]".parse().unwrap();
        for (moment, english, chinese) in [
            ("2026-11-20T14:30:59.900Z", "22:30", "22:30"),
            ("2026-11-20T16:00:00Z", "00:00 tomorrow", "明天 00:00"),
            ("2026-11-22T00:00:00Z", "2026-11-22 08:00", "2026-11-22 08:00"),
            ("nonsense", "nonsense", "nonsense"),
        ] {
            assert_eq!(clock(moment, &now, &Catalogue::new("en")), english);
            assert_eq!(clock(moment, &now, &Catalogue::new("zh-CN")), chinese);
        }
    }

    #[test]
    fn local_times() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        assert_eq!(local("2026-11-20T20:00:00.123Z", &zone), "2026-11-21 04:00:00");
        assert_eq!(local("?", &zone), "?");
    }
}

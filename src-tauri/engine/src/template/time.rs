//! Times as people read them.

use jiff::{
    Timestamp, Zoned,
    fmt::{strtime::BrokenDownTime, temporal::DateTimeParser},
    tz::TimeZone,
};
use minijinja::{
    Error, Value,
    value::{Kwargs, ValueKind},
};

use super::filters::invalid;

/// What a time looks like if nothing else is asked for.
const FORMAT: &str = "%Y-%m-%d %H:%M:%S";
/// Longest format, in bytes.
const MAX_FORMAT: usize = 256;
/// Numbers from here on are milliseconds: as seconds they would be the year 5138.
const FIRST_MILLIS: f64 = 1e11;

/// Unix seconds, milliseconds or RFC 3339 as local time, or in a zone such as `Europe/Berlin` or `+02:00`; what is missing is nothing.
#[expect(clippy::needless_pass_by_value, reason = "MiniJinja hands arguments over")]
pub(super) fn time(
    value: &Value,
    format: Option<&str>,
    zone: Option<&str>,
    named: Kwargs,
) -> Result<String, Error> {
    let format = format.or(named.get("format")?);
    let zone = zone.or(named.get("zone")?);
    named.assert_all_used()?;
    if value.is_undefined() || value.is_none() || value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(String::new());
    }
    let format = format.unwrap_or(FORMAT);
    if format.len() > MAX_FORMAT {
        return Err(invalid(format!("time: a format of more than {MAX_FORMAT} bytes")));
    }
    let zone = match zone {
        None => TimeZone::system(),
        // It needs no list of zones.
        Some("UTC") => TimeZone::UTC,
        Some(name) => DateTimeParser::new()
            .parse_time_zone(name)
            .map_err(|_| invalid(format!("time: no time zone “{name}”")))?,
    };
    let time: Zoned = timestamp(value)?.to_zoned(zone);
    BrokenDownTime::from(&time).to_string(format).map_err(|error| invalid(format!("time: {error}")))
}

fn timestamp(value: &Value) -> Result<Timestamp, Error> {
    let no_time = || invalid("time: needs Unix seconds, milliseconds or RFC 3339".to_owned());
    let number = match value.kind() {
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::String => value.as_str().and_then(|text| text.trim().parse().ok()),
        _ => None,
    };
    match (number, value.as_str()) {
        (Some(number), _) => {
            let millis = if number.abs() >= FIRST_MILLIS { number } else { number * 1_000.0 };
            if !millis.is_finite() || millis.abs() > 1e15 {
                return Err(no_time());
            }
            Timestamp::from_millisecond(millis.floor() as i64).map_err(|_| no_time())
        }
        (None, Some(text)) => text.trim().parse().map_err(|_| no_time()),
        (None, None) => Err(no_time()),
    }
}

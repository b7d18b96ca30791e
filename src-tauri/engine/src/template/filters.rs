//! Filters that MiniJinja lacks. What is undefined or null passes as nothing; what cannot be done is an error.

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use minijinja::{Error, ErrorKind, Value, value::ValueKind};

/// Padding may be missing, and the bits that the last character has too many may be anything.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The text that base64 stands for (RFC 4648, 4 and 5), bytes that are no UTF-8 replaced. White space is skipped.
pub(super) fn b64decode(value: &Value) -> Result<String, Error> {
    let text = text(value, "b64decode")?;
    let symbols: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => byte,
        })
        .collect();
    match LENIENT.decode(symbols) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(invalid(format!("b64decode: not base64: {error}"))),
    }
}

/// The value that a JSON text stands for.
pub(super) fn json(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(Value::UNDEFINED);
    }
    serde_json::from_str(&text(value, "json")?).map_err(|error| invalid(format!("json: not JSON: {error}")))
}

/// The value as a JSON text.
pub(super) fn tojson(value: &Value) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| invalid(format!("tojson: {error}")))
}

/// The piece of a text after so many separators, from 0; nothing if there are fewer.
pub(super) fn part(value: &Value, separator: &str, number: usize) -> Result<String, Error> {
    if separator.is_empty() {
        return Err(invalid("part: the separator is empty".to_owned()));
    }
    Ok(text(value, "part")?.split(separator).nth(number).unwrap_or_default().to_owned())
}

/// Another value for what is missing, null or an empty text; with `lax` also for what is false otherwise.
pub(super) fn default(value: &Value, other: Option<Value>, lax: Option<bool>) -> Value {
    let missing = value.is_undefined() || value.is_none() || value.as_str().is_some_and(str::is_empty);
    if missing || (lax == Some(true) && !value.is_true()) {
        other.unwrap_or_else(|| Value::from(""))
    } else {
        value.clone()
    }
}

/// At most this many characters, the last one "…" if there were more.
pub(super) fn truncate(value: &Value, length: usize) -> Result<String, Error> {
    let text = text(value, "truncate")?;
    if text.chars().nth(length).is_none() {
        return Ok(text);
    }
    Ok(text.chars().take(length.saturating_sub(1)).chain((length > 0).then_some('…')).collect())
}

pub(super) fn text(value: &Value, filter: &str) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(String::new()),
        ValueKind::String | ValueKind::Number => Ok(value.to_string()),
        kind => Err(invalid(format!("{filter}: needs a text, not a {kind}"))),
    }
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

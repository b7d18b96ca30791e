//! What one evaluation may make: MiniJinja counts steps, and one step can make a text of any length out of short ones. So every
//! filter, every operand of an operator that joins or repeats, and every value that gets a name is measured here before it is
//! used, and an evaluation that has used up [`MAX_MADE`] ends.

use minijinja::{
    Error, ErrorKind, State,
    value::{Kwargs, Rest, Value, ValueKind, ValueOrKwargs, from_args},
};

use super::{MAX_MADE, filters::invalid};

/// What a value counts beside its text, in bytes.
const NODE: usize = 16;
/// Deepest lists within lists: more than JSON's 128, and far less than the stack has room for.
const MAX_DEPTH: usize = 160;
/// Widest padding, indentation or precision, and most pieces that a list is cut into.
const MAX_WIDTH: usize = 1_000;
/// The detail of the error of an evaluation that made too much.
pub(super) const SPENT: &str = "too much";

/// What an evaluation has made so far, in bytes.
#[derive(Default)]
struct Made(usize);

/// Counts bytes, or ends the evaluation.
pub(super) fn charge(state: &mut State<'_, '_>, bytes: usize) -> Result<(), Error> {
    let made = state.get_or_insert_extension_with(Made::default);
    made.0 = made.0.saturating_add(bytes);
    if made.0 > MAX_MADE { Err(Error::new(ErrorKind::OutOfFuel, SPENT)) } else { Ok(()) }
}

/// Counts a value, and gives it back as one that can be gone through any number of times without being made again.
pub(super) fn operand(state: &mut State<'_, '_>, value: Value) -> Result<Value, Error> {
    let value = if value.kind() == ValueKind::Iterable {
        let mut list = Vec::new();
        for item in value.try_iter()? {
            charge(state, NODE)?;
            list.push(item);
        }
        Value::from(list)
    } else {
        value
    };
    charge_value(state, &value)?;
    Ok(value)
}

/// An operand of `*`: a number, as a text or list would be repeated.
pub(super) fn factor(value: Value) -> Result<Value, Error> {
    match value.kind() {
        kind @ (ValueKind::String | ValueKind::Bytes | ValueKind::Seq | ValueKind::Iterable) => {
            Err(invalid(format!("* needs numbers, not a {kind}")))
        }
        _ => Ok(value),
    }
}

fn charge_value(state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let room = MAX_MADE - state.get_extension::<Made>().map_or(0, |made| made.0.min(MAX_MADE));
    let size = measure(value, room, 0)?;
    charge(state, size)
}

/// The size of a value and all in it; stops soon above `room`.
fn measure(value: &Value, room: usize, depth: usize) -> Result<usize, Error> {
    if depth > MAX_DEPTH {
        return Err(invalid(format!("more than {MAX_DEPTH} lists within lists")));
    }
    let mut size = NODE;
    let add = |size: &mut usize, inner: &Value| -> Result<bool, Error> {
        *size = size.saturating_add(measure(inner, room.saturating_sub(*size), depth + 1)?);
        Ok(*size > room)
    };
    match value.kind() {
        ValueKind::String | ValueKind::Bytes => size += value.as_bytes().map_or(0, <[u8]>::len),
        ValueKind::Seq | ValueKind::Iterable => {
            for item in value.try_iter()? {
                if add(&mut size, &item)? {
                    break;
                }
            }
        }
        ValueKind::Map => {
            let pairs = value.as_object().and_then(minijinja::value::DynObject::try_iter_pairs);
            for (key, item) in pairs.into_iter().flatten() {
                if add(&mut size, &key)? || add(&mut size, &item)? {
                    break;
                }
            }
        }
        _ => {}
    }
    Ok(size)
}

/// A filter of MiniJinja's whose result is as large as what goes in, give or take a factor: measured before and after.
pub(super) fn linear(
    filter: Value,
) -> impl Fn(&mut State<'_, '_>, Rest<ValueOrKwargs>) -> Result<Value, Error> {
    bounded(filter, nothing)
}

/// No cost beyond the arguments.
pub(super) fn nothing(_: &Value, _: &[Value]) -> Result<usize, Error> {
    Ok(0)
}

/// A filter with what it costs beyond its arguments, in bytes.
pub(super) fn bounded(
    filter: Value,
    cost: fn(&Value, &[Value]) -> Result<usize, Error>,
) -> impl Fn(&mut State<'_, '_>, Rest<ValueOrKwargs>) -> Result<Value, Error> {
    move |state, arguments| {
        let mut arguments = arguments.into_values();
        for argument in &mut arguments {
            *argument = operand(state, argument.clone())?;
        }
        if let Some((subject, rest)) = arguments.split_first() {
            charge(state, cost(subject, rest)?)?;
        }
        let result = filter.call(state, &arguments)?;
        operand(state, result)
    }
}

/// `replace(from, to)`.
pub(super) fn replacing(subject: &Value, rest: &[Value]) -> Result<usize, Error> {
    let text = |value: Option<&Value>| value.map(Value::to_string).unwrap_or_default();
    let (subject, from, to) = (subject.to_string(), text(rest.first()), text(rest.get(1)));
    Ok(subject.matches(&*from).count().saturating_mul(to.len()))
}

/// `join(separator)`.
pub(super) fn joining(subject: &Value, rest: &[Value]) -> Result<usize, Error> {
    let pieces = match subject.as_str() {
        Some(text) => text.len(),
        None => subject.len().unwrap_or_default(),
    };
    let separator = size_of_all(rest)?;
    Ok(pieces.saturating_mul(separator))
}

/// Filters that ask a test or another filter about each element.
pub(super) fn each(subject: &Value, rest: &[Value]) -> Result<usize, Error> {
    Ok(subject.len().unwrap_or_default().saturating_mul(size_of_all(rest)?))
}

/// Filters with numbers that are widths, counts or precisions, by position or by name.
pub(super) fn widths(subject: &Value, rest: &[Value]) -> Result<usize, Error> {
    let (positional, named): (&[Value], Kwargs) = from_args(rest)?;
    let named = named.args().filter_map(|name| named.peek::<Value>(name).ok()).collect::<Vec<_>>();
    let mut widest = 0;
    for value in positional.iter().chain(&named).filter(|value| value.is_number()) {
        match value.as_i64().map(i64::unsigned_abs).and_then(|width| usize::try_from(width).ok()) {
            Some(width @ ..=MAX_WIDTH) => widest = widest.max(width),
            _ => return Err(invalid(format!("wider than {MAX_WIDTH}"))),
        }
    }
    let lines = subject.as_str().map_or(1, |text| text.matches('\n').count() + 1);
    Ok(lines.saturating_mul(widest))
}

/// `format`: the widths and precisions in its text.
pub(super) fn formats(subject: &Value, rest: &[Value]) -> Result<usize, Error> {
    let text = subject.to_string();
    // A `*` takes the width from an argument.
    if text.contains('*') || text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 3) {
        return Err(invalid(format!("format: wider than {MAX_WIDTH}")));
    }
    Ok(text.matches('%').count().saturating_mul(size_of_all(rest)?.saturating_add(MAX_WIDTH)))
}

/// `sum(attribute, start)`: of numbers, as texts and lists would be joined one by one.
pub(super) fn sums(_: &Value, rest: &[Value]) -> Result<usize, Error> {
    let (attribute, start, named): (Option<&Value>, Option<Value>, Kwargs) = from_args(rest)?;
    let start = start.or_else(|| named.peek("start").ok());
    match start.filter(|start| !start.is_number()) {
        Some(start) => Err(invalid(format!("sum: needs numbers, not a {}", start.kind()))),
        None => Ok(attribute.map_or(0, |_| NODE)),
    }
}

fn size_of_all(values: &[Value]) -> Result<usize, Error> {
    values.iter().try_fold(0_usize, |sum, value| Ok(sum.saturating_add(measure(value, MAX_MADE, 0)?)))
}

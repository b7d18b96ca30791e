//! The language of conditions and texts in rules: MiniJinja expressions and templates over one message.
//!
//! A rule sees `event` (the event type), `id` (the last event ID), `data` (the parsed JSON, or the text where it is none), `raw`
//! (the data as text), `feed` (`id`, `name`, `url`) and `received_at` (RFC 3339, UTC). What is missing is undefined, all the way
//! down: `data.a.b` never fails. Besides MiniJinja's own filters there are those of `filters`, `html` and `time`.
//!
//! Messages come from strangers, and rules may come from others, too: an evaluation has [`MAX_STEPS`] and may make [`MAX_MADE`]
//! bytes, a text has [`MAX_OUTPUT`] bytes, and nothing reads files, includes other templates or recurses.

mod allowance;
mod filters;
mod guard;
mod html;
mod kinds;
mod names;
mod time;

use std::{
    io,
    sync::{Arc, LazyLock},
};

use minijinja::{
    AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, filters as builtin,
    value::{Enumerator, Object, Serde, Value, ValueKind},
};

use crate::{
    sentence::{self, Sentence},
    template::{
        allowance::{bounded, linear},
        guard::Guarded,
        names::Code,
    },
};

pub(crate) use names::nearest;

/// Steps of MiniJinja's machine that one evaluation may take.
pub const MAX_STEPS: u64 = 20_000;
/// The same where the message has more than [`LARGE`] bytes of data, as each step may then cost as much more.
pub const MAX_STEPS_ON_LARGE: u64 = 2_000;
/// Data of more bytes is large.
pub const LARGE: usize = 64 * 1024;
/// What one evaluation may make on its way, in bytes: each value that is joined, named, gone through, or put into a filter or
/// comes out of one, with 16 bytes for each of its parts.
pub const MAX_MADE: usize = 16 * 1024 * 1024;
/// Longest rendered text, in bytes; what is longer is cut.
pub const MAX_OUTPUT: usize = 32 * 1024;
/// Longest expression or template, in bytes.
pub const MAX_SOURCE: usize = 4_096;
/// What a rule sees of a message.
pub const NAMES: [&str; 6] = ["event", "id", "data", "raw", "feed", "received_at"];

/// What is wrong with an expression or template, or went wrong in it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} (at {line}:{column})")]
pub struct TemplateError {
    /// The line within the text, from 1.
    pub line: u32,
    /// The character within the line, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: Sentence,
}

/// A compiled condition.
#[derive(Debug)]
pub struct Expression {
    source: Box<str>,
    guarded: Guarded,
    compiled: minijinja::Expression<'static, 'static>,
}

impl Expression {
    /// Compiles an expression. Misspelt names of filters, tests and variables are errors here, not when a message comes.
    pub fn compile(source: &str) -> Result<Self, TemplateError> {
        check_length(source)?;
        let compiled = ENVIRONMENT
            .compile_expression_owned(source.to_owned())
            .map_err(|error| explain(&error, source, None, MAX_STEPS))?;
        names::check(Code::Expression, source, &compiled.undeclared_variables(false))?;
        let guarded = Guarded::new(Code::Expression, source)?;
        let compiled = ENVIRONMENT
            .compile_expression_owned(guarded.code.clone())
            .map_err(|error| explain(&error, source, Some(&guarded), MAX_STEPS))?;
        Ok(Self { source: source.into(), guarded, compiled })
    }

    /// Whether the condition holds.
    pub fn holds(&self, context: &Context) -> Result<bool, TemplateError> {
        let value = if context.large {
            ENVIRONMENT_FOR_LARGE
                .compile_expression(&self.guarded.code)
                .and_then(|compiled| compiled.eval(context.values.clone()))
        } else {
            self.compiled.eval(context.values.clone())
        };
        match value {
            Ok(value) => Ok(value.is_true()),
            Err(error) => Err(explain(&error, &self.source, Some(&self.guarded), context.steps())),
        }
    }

    /// Whether the text names this variable; it may say so of one that it does not use.
    pub fn mentions(&self, name: &str) -> bool {
        self.source.contains(name)
    }
}

/// A compiled text.
#[derive(Debug)]
pub struct Template {
    source: Box<str>,
    /// None: a text without any code.
    compiled: Option<(Guarded, Environment<'static>)>,
}

impl Template {
    /// Compiles a template; as strict as [`Expression::compile`].
    pub fn compile(source: &str) -> Result<Self, TemplateError> {
        check_length(source)?;
        if !["{{", "{%", "{#"].iter().any(|code| source.contains(code)) {
            return Ok(Self { source: source.into(), compiled: None });
        }
        let mut environment = ENVIRONMENT.clone();
        environment
            .add_template_owned(ONLY, source.to_owned())
            .map_err(|error| explain(&error, source, None, MAX_STEPS))?;
        let variables = environment.get_template(ONLY).map(|template| template.undeclared_variables(false));
        names::check(
            Code::Template,
            source,
            &variables.map_err(|error| explain(&error, source, None, MAX_STEPS))?,
        )?;
        let guarded = Guarded::new(Code::Template, source)?;
        environment
            .add_template_owned(ONLY, guarded.code.clone())
            .map_err(|error| explain(&error, source, Some(&guarded), MAX_STEPS))?;
        Ok(Self { source: source.into(), compiled: Some((guarded, environment)) })
    }

    /// The text for a message, cut at [`MAX_OUTPUT`].
    pub fn render(&self, context: &Context) -> Result<String, TemplateError> {
        let Some((guarded, environment)) = &self.compiled else { return Ok(self.source.to_string()) };
        let mut output = BoundedOutput::default();
        let mut render = |environment: &Environment<'_>| {
            let template = environment.get_template(ONLY)?;
            template.render_captured_to(context.values.clone(), &mut output).map(drop)
        };
        let rendered = if context.large {
            let mut environment = environment.clone();
            environment.set_fuel(Some(MAX_STEPS_ON_LARGE));
            render(&environment)
        } else {
            render(environment)
        };
        match rendered {
            Err(error) if !output.full => Err(explain(&error, &self.source, Some(guarded), context.steps())),
            _ => Ok(output.into_text()),
        }
    }

    /// The text itself, if there is no code in it.
    pub fn literal(&self) -> Option<&str> {
        self.compiled.is_none().then_some(&*self.source)
    }

    /// Whether the text names this variable; it may say so of one that it does not use.
    pub fn mentions(&self, name: &str) -> bool {
        self.compiled.is_some() && self.source.contains(name)
    }
}

/// What rules see of one message, ready for any number of expressions and templates.
#[derive(Clone, Debug)]
pub struct Context {
    values: Value,
    large: bool,
}

/// The parts of a [`Context`].
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The event type.
    pub event: &'a str,
    /// The last event ID.
    pub id: &'a str,
    /// How many bytes of data there are.
    pub size: usize,
    /// The data as text, unless no rule asks for it.
    pub raw: Option<&'a str>,
    /// The data as JSON, where it is JSON and a rule asks for it.
    pub data: Option<&'a serde_json::Value>,
    /// The feed's id, name and URL.
    pub feed: [&'a str; 3],
    /// When it came, RFC 3339.
    pub received_at: &'a str,
}

impl Context {
    /// Converts the facts once.
    pub fn new(facts: Facts<'_>) -> Self {
        let raw = facts.raw.map(Value::from).unwrap_or_default();
        let data = facts.data.map_or_else(|| raw.clone(), |json| Value::from(Serde(json)));
        let feed = Value::from_object(Variables { names: &FEED_NAMES, values: facts.feed.map(Value::from) });
        let values = [facts.event.into(), facts.id.into(), data, raw, feed, facts.received_at.into()];
        Self { values: Value::from_object(Variables { names: &NAMES, values }), large: facts.size > LARGE }
    }
}

impl Context {
    fn steps(&self) -> u64 {
        if self.large { MAX_STEPS_ON_LARGE } else { MAX_STEPS }
    }
}

/// What a rule sees of a feed.
const FEED_NAMES: [&str; 3] = ["id", "name", "url"];

/// Values with names: cheaper than a map, as all names are known.
#[derive(Debug)]
struct Variables<const N: usize> {
    names: &'static [&'static str; N],
    values: [Value; N],
}

impl<const N: usize> Object for Variables<N> {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.names.iter().position(|name| *name == key).map(|at| self.values[at].clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(self.names)
    }
}

/// The name of the template in an environment that has no other.
const ONLY: &str = "";

/// Settings and filters; cloning it shares the filters.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// The same with fewer steps.
static ENVIRONMENT_FOR_LARGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = ENVIRONMENT.clone();
    environment.set_fuel(Some(MAX_STEPS_ON_LARGE));
    environment
});

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(MAX_STEPS));
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(print);
    // Sources and variables in errors: they cost memory, and a person sees the source in the file.
    environment.set_debug(false);
    // These show what is inside, or give a value a name behind the back of `guard`.
    environment.remove_global("debug");
    environment.remove_global("namespace");
    for unbounded in ["chain", "pprint"] {
        environment.remove_filter(unbounded);
    }
    environment.add_function("dict", linear(Value::from_function(minijinja::functions::dict)));
    environment.add_function(guard::OPERAND, allowance::operand);
    environment.add_function(guard::FACTOR, allowance::factor);
    add_filters(&mut environment);
    environment.add_test("base64", kinds::is_base64);
    environment.add_test("json", kinds::is_json);
    environment
}

/// Bounds MiniJinja's filters, and adds those for event streams. What is in neither list gives no more than an element or a
/// number.
fn add_filters(environment: &mut Environment<'static>) {
    macro_rules! add {
        ($cost:expr; $($filter:ident $(= $other:literal)?),+) => {
            $(let filter = bounded(Value::from_function(builtin::$filter), $cost);
            environment.add_filter(stringify!($filter), filter);
            $(environment.add_filter($other, bounded(Value::from_function(builtin::$filter), $cost));)?)+
        };
    }
    add!(allowance::nothing; capitalize, dictsort, escape = "e", groupby, int, items, lines, list, lower, max, min, reverse, safe, sort, split, string,
        title, trim, unique, upper, zip);
    add!(allowance::each; map, reject, rejectattr, select, selectattr);
    add!(allowance::widths; batch, indent, round, slice);
    add!(allowance::replacing; replace);
    add!(allowance::joining; join);
    add!(allowance::formats; format);
    add!(allowance::sums; sum);
    environment.add_filter("default", filters::default);
    environment.add_filter("d", filters::default);
    for (name, filter) in [
        ("b64decode", Value::from_function(filters::b64decode)),
        ("json", Value::from_function(filters::json)),
        ("part", Value::from_function(filters::part)),
        ("striptags", Value::from_function(html::striptags)),
        ("time", Value::from_function(time::time)),
        ("tojson", Value::from_function(filters::tojson)),
        ("truncate", Value::from_function(filters::truncate)),
    ] {
        environment.add_filter(name, linear(filter));
    }
}

/// Prints a value as people write it: nothing for null, and JSON's words for what came as JSON.
fn print(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(()),
        ValueKind::Bool => Ok(output.write_str(if value.is_true() { "true" } else { "false" })?),
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable => {
            // One byte more than a text can have, so that a text that is cut is known to be.
            let mut json = BoundedOutput::new(MAX_OUTPUT + 1);
            if let Err(error) = serde_json::to_writer(&mut json, value)
                && !json.full
            {
                return Err(filters::invalid(error.to_string()));
            }
            print_text(output, state, &json.into_text())
        }
        ValueKind::String => print_text(output, state, value.as_str().unwrap_or_default()),
        _ => print_text(output, state, &value.to_string()),
    }
}

/// What is printed may be on its way into a variable, which has no end of its own.
fn print_text(
    output: &mut Output<'_>,
    state: &mut State<'_, '_>,
    text: &str,
) -> Result<(), minijinja::Error> {
    allowance::charge(state, text.len())?;
    Ok(output.write_str(text)?)
}

fn check_length(source: &str) -> Result<(), TemplateError> {
    if source.len() > MAX_SOURCE {
        let message = sentence::TEMPLATE_TOO_LONG.with([("most", MAX_SOURCE.to_string())]);
        return Err(TemplateError { line: 1, column: 1, message });
    }
    Ok(())
}

/// MiniJinja's error in this module's words, with its place in the source; that is the code's where nothing was written into it.
fn explain(error: &minijinja::Error, source: &str, guarded: Option<&Guarded>, steps: u64) -> TemplateError {
    let message = match error.kind() {
        ErrorKind::OutOfFuel if error.detail() == Some(allowance::SPENT) => {
            sentence::TOO_MUCH_MADE.with([("most", (MAX_MADE / (1024 * 1024)).to_string())])
        }
        ErrorKind::OutOfFuel => sentence::TOO_MANY_STEPS.with([("most", steps.to_string())]),
        kind => {
            let cause = error.detail().map_or_else(|| kind.to_string(), str::to_owned);
            sentence::TEMPLATE.with([("cause", cause)])
        }
    };
    match error.range() {
        Some(range) => at(source, guarded.map_or(range.start, |guarded| guarded.place(range.start)), message),
        None => TemplateError { line: error.line().map_or(1, |line| line as u32), column: 1, message },
    }
}

/// An error at a byte of the source.
fn at(source: &str, offset: usize, message: Sentence) -> TemplateError {
    let before = source.get(..offset).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    TemplateError {
        line: 1 + before.matches('\n').count() as u32,
        column: 1 + before[line_start..].chars().count() as u32,
        message,
    }
}

/// Takes so many bytes and refuses the rest, which ends what writes them.
struct BoundedOutput {
    bytes: Vec<u8>,
    limit: usize,
    full: bool,
}

impl Default for BoundedOutput {
    fn default() -> Self {
        Self::new(MAX_OUTPUT)
    }
}

impl BoundedOutput {
    fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, full: false }
    }

    fn into_text(self) -> String {
        match String::from_utf8(self.bytes) {
            Ok(text) => text,
            // The cut went through a character.
            Err(error) => {
                let end = error.utf8_error().valid_up_to();
                let mut bytes = error.into_bytes();
                bytes.truncate(end);
                String::from_utf8(bytes).unwrap_or_default()
            }
        }
    }
}

impl io::Write for BoundedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.limit - self.bytes.len());
        self.full |= taken < bytes.len();
        if taken == 0 && !bytes.is_empty() {
            return Err(io::Error::other("the text is full"));
        }
        self.bytes.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! Finds misspelt names before the first message does: MiniJinja looks up filters, tests and variables only while it evaluates.

use std::collections::HashSet;

use minijinja::{ErrorKind, State};

use crate::sentence::{
    MISSPELT_FILTER, MISSPELT_NAME, MISSPELT_TEST, UNKNOWN_FILTER, UNKNOWN_NAME, UNKNOWN_TEST,
};

use super::{ENVIRONMENT, NAMES, TemplateError, at};

/// How a text is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// All of it is code.
    Expression,
    /// Code is what stands between `{{ }}` and `{% %}`.
    Template,
}

/// MiniJinja's functions that rules may use.
const FUNCTIONS: [&str; 2] = ["range", "dict"];

/// Filters and tests to suggest where a name is unknown.
const FILTERS: [&str; 31] = [
    "abs",
    "b64decode",
    "capitalize",
    "default",
    "first",
    "float",
    "format",
    "int",
    "items",
    "join",
    "json",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "part",
    "replace",
    "reverse",
    "round",
    "sort",
    "split",
    "string",
    "striptags",
    "time",
    "title",
    "tojson",
    "trim",
    "truncate",
    "upper",
];
const TESTS: [&str; 16] = [
    "base64",
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "even",
    "false",
    "in",
    "json",
    "mapping",
    "none",
    "number",
    "sequence",
    "startingwith",
    "string",
    "undefined",
];

/// Checks the names in a text that compiles. `variables` are those that it does not set itself.
pub(super) fn check(code: Code, source: &str, variables: &HashSet<String>) -> Result<(), TemplateError> {
    let mut state = ENVIRONMENT.empty_state();
    let mut before = [""; 2];
    for (offset, token) in tokens(code, source) {
        let unknown = match before {
            [_, "|"] if is_name(token) => is_unknown_filter(&mut state, token).then_some((
                UNKNOWN_FILTER,
                MISSPELT_FILTER,
                &FILTERS[..],
            )),
            ["is", "not"] | [_, "is"] if is_name(token) && token != "not" => {
                is_unknown_test(&mut state, token).then_some((UNKNOWN_TEST, MISSPELT_TEST, &TESTS[..]))
            }
            [_, "."] => None,
            _ if variables.contains(token) && !NAMES.contains(&token) && !FUNCTIONS.contains(&token) => {
                Some((UNKNOWN_NAME, MISSPELT_NAME, &NAMES[..]))
            }
            _ => None,
        };
        if let Some((unknown, misspelt, known)) = unknown {
            let name = ("name", token.to_owned());
            let message = match nearest(token, known) {
                Some(near) => misspelt.with([name, ("near", near.to_owned())]),
                None => unknown.with([name, ("known", known.join(", "))]),
            };
            return Err(at(source, offset, message));
        }
        before = if before[1] == "." { ["", ""] } else { [before[1], token] };
    }
    Ok(())
}

/// The known name that is spelt most like this one, if any is close.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let (likeness, known) = known
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), *known))
        .max_by(|one, other| one.0.total_cmp(&other.0))?;
    (likeness >= 0.8).then_some(known)
}

fn is_unknown_filter(state: &mut State<'_, '_>, name: &str) -> bool {
    state.apply_filter(name, &[]).is_err_and(|error| error.kind() == ErrorKind::UnknownFilter)
}

fn is_unknown_test(state: &mut State<'_, '_>, name: &str) -> bool {
    state.perform_test(name, &[]).is_err_and(|error| error.kind() == ErrorKind::UnknownTest)
}

pub(super) fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// The names and signs of the code with their offsets, `{{` and `{%` before each piece of it in a template. Strings count as one
/// sign, comments and raw blocks as none. Where code ends is as MiniJinja sees it: not within brackets.
pub(super) fn tokens(code: Code, source: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    let mut offset = 0;
    // What ends the code, and how many brackets are open in it.
    let (mut closing, mut open) = (None, 0_usize);
    while let Some(first) = source[offset..].chars().next() {
        let rest = &source[offset..];
        let in_code = code == Code::Expression || closing.is_some();
        let length = if !in_code {
            let raw = raw_block(rest);
            closing = match rest.get(..2) {
                Some("{{") => Some("}}"),
                Some("{%") if raw.is_none() => Some("%}"),
                _ => None,
            };
            if closing.is_some() { 2 } else { raw.or(comment(rest)).unwrap_or(first.len_utf8()) }
        } else if open == 0 && closing.is_some_and(|closing| rest.starts_with(closing)) {
            closing = None;
            2
        } else if first == '"' || first == '\'' {
            string(rest, first)
        } else if is_name(rest) {
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else {
            match first {
                '(' | '[' | '{' => open += 1,
                ')' | ']' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
            first.len_utf8()
        };
        if (code == Code::Expression || closing.is_some()) && !first.is_whitespace() {
            tokens.push((offset, &rest[..length]));
        }
        offset += length;
    }
    tokens
}

/// The length of the comment at the start of the text.
fn comment(text: &str) -> Option<usize> {
    text.starts_with("{#").then(|| text.find("#}").map_or(text.len(), |end| end + 2))
}

/// The length of the raw block at the start of the text, with its end tag.
fn raw_block(text: &str) -> Option<usize> {
    let mut rest = tag(text, "raw")?;
    while let Some(at) = rest.find("{%") {
        match tag(&rest[at..], "endraw") {
            Some(after) => return Some(text.len() - after.len()),
            None => rest = &rest[at + 2..],
        }
    }
    Some(text.len())
}

/// What follows the tag of this name at the start of the text.
fn tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let inner = text.strip_prefix("{%")?;
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner).trim_start().strip_prefix(name)?.trim_start();
    inner.strip_prefix(['-', '+']).unwrap_or(inner).strip_prefix("%}")
}

/// The length of the string at the start of the text.
fn string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, c)| at + c.len_utf8())
}

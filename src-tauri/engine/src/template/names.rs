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

/// MiniJinja's functions.
const FUNCTIONS: [&str; 3] = ["range", "dict", "namespace"];

/// Filters and tests to suggest where a name is unknown.
const FILTERS: [&str; 28] = [
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
    "replace",
    "reverse",
    "round",
    "sort",
    "split",
    "string",
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

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// The names and signs of the code with their offsets. Strings count as one sign, comments and raw blocks as none.
fn tokens(code: Code, source: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    let mut offset = 0;
    let mut in_code = code == Code::Expression;
    while let Some(first) = source[offset..].chars().next() {
        let rest = &source[offset..];
        let length = if !in_code {
            in_code = rest.starts_with("{{") || rest.starts_with("{%");
            if in_code { raw_block(rest).unwrap_or(2) } else { comment(rest).unwrap_or(first.len_utf8()) }
        } else if code == Code::Template && (rest.starts_with("}}") || rest.starts_with("%}")) {
            in_code = false;
            2
        } else if first == '"' || first == '\'' {
            string(rest, first)
        } else if is_name(rest) {
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        if in_code && !first.is_whitespace() {
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

/// The length of the raw block at the start of the text, up to its end tag.
fn raw_block(text: &str) -> Option<usize> {
    let tag = text.strip_prefix("{%")?.trim_start_matches(['-', '+']).trim_start();
    tag.starts_with("raw").then(|| text.find("endraw").unwrap_or(text.len()))
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

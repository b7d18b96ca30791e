//! Makes a text measure what it joins, repeats and names: MiniJinja has no limit on what its operators make, and `x ~ x`, given
//! the name `x` thirty times, is a gigabyte. Before a text is compiled, [`OPERAND`] is written around the operands of `~` and
//! `+`, around what `set` gives a name and what `for` goes through, and [`FACTOR`] around the operands of `*`.

use crate::sentence;

use super::{
    TemplateError, at,
    names::{Code, is_name, tokens},
};

/// The function that measures a value.
pub(super) const OPERAND: &str = "_operand";
/// The function that lets numbers pass.
pub(super) const FACTOR: &str = "_factor";

/// A text with its measures.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) code: String,
    /// What was written into it: where in `code`, how many bytes.
    inserted: Vec<(usize, usize)>,
}

impl Guarded {
    /// Writes the measures into a text that compiles. Statements that would get around them are errors.
    pub(super) fn new(code: Code, source: &str) -> Result<Self, TemplateError> {
        let tokens = tokens(code, source);
        let mut insertions = Insertions::default();
        let mut rest = &tokens[..];
        while let Some((first, tail)) = rest.split_first() {
            let opening = code == Code::Template && matches!(first.1, "{{" | "{%");
            let after = if opening { tail } else { rest };
            let end =
                after.iter().position(|(_, token)| code == Code::Template && matches!(*token, "{{" | "{%"));
            let (segment, next) = after.split_at(end.unwrap_or(after.len()));
            // A sign right after the opening takes away white space.
            let trims =
                |token: &(usize, &str)| opening && token.0 == first.0 + 2 && matches!(token.1, "-" | "+");
            let segment =
                segment.split_first().filter(|(sign, _)| trims(sign)).map_or(segment, |(_, rest)| rest);
            segment_of(source, segment, opening && first.1 == "{%", &mut insertions)?;
            rest = next;
        }
        Ok(insertions.into_text(source))
    }

    /// The place in the source of a place in the code.
    pub(super) fn place(&self, offset: usize) -> usize {
        let before = self.inserted.iter().take_while(|(at, _)| *at < offset);
        before.fold(offset, |place, (at, length)| place - (*length).min(offset - at))
    }
}

#[derive(Default)]
struct Insertions(Vec<(usize, String)>);

impl Insertions {
    fn around(&mut self, (start, end): (usize, usize), before: String, after: &str) {
        self.0.push((start, before));
        self.0.push((end, after.to_owned()));
    }

    /// Those at one place stay in the order in which they came: outer openings come first, and so do inner closings.
    fn into_text(mut self, source: &str) -> Guarded {
        self.0.sort_by_key(|(at, _)| *at);
        let mut guarded = Guarded { code: String::with_capacity(source.len()), inserted: Vec::new() };
        let mut done = 0;
        for (at, text) in self.0 {
            guarded.code.push_str(&source[done..at]);
            guarded.inserted.push((guarded.code.len(), text.len()));
            guarded.code.push_str(&text);
            done = at;
        }
        guarded.code.push_str(&source[done..]);
        guarded
    }
}

/// An operand that is being read, in one pair of brackets.
#[derive(Clone, Copy, Default)]
struct Frame {
    operand: Option<(usize, usize)>,
    joined: bool,
    multiplied: bool,
}

impl Frame {
    /// The operand has ended; the next one follows an operator of this kind.
    fn end(&mut self, source: &str, insertions: &mut Insertions, joined: bool, multiplied: bool) {
        let (joins, multiplies) = (self.joined || joined, self.multiplied || multiplied);
        if let Some((start, end)) = self.operand {
            let number = source[start..end].bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            if multiplies && !number {
                insertions.around((start, end), format!("{FACTOR}("), ")");
            } else if joins && !number {
                insertions.around((start, end), format!("{OPERAND}("), ")");
            }
        }
        *self = Self { operand: None, joined, multiplied };
    }

    /// Whether a minus here is a sign: nothing but signs is before it.
    fn is_sign(&self, source: &str) -> bool {
        self.operand.is_none_or(|(start, end)| {
            source[start..end].bytes().all(|byte| byte == b'-' || byte.is_ascii_whitespace())
        })
    }

    fn extend(&mut self, start: usize, end: usize) {
        self.operand = Some((self.operand.map_or(start, |(start, _)| start), end));
    }
}

/// What stands between `{{` and `}}`, or `{%` and `%}`, or all of an expression.
fn segment_of(
    source: &str,
    tokens: &[(usize, &str)],
    statement: bool,
    insertions: &mut Insertions,
) -> Result<(), TemplateError> {
    // So does one before the end; no expression ends so.
    let trims = |token: &(usize, &str)| matches!(token.1, "-" | "+");
    let tokens = tokens.split_last().filter(|(sign, _)| trims(sign)).map_or(tokens, |(_, rest)| rest);
    let Some((offset, keyword)) = tokens.first().copied().filter(|_| statement) else {
        operands(source, tokens, insertions);
        return Ok(());
    };
    let refused = |offset, name: &str| {
        let message = sentence::TEMPLATE.with([("cause", format!("unknown statement {name}"))]);
        Err(at(source, offset, message))
    };
    let begin = match keyword {
        "with" => return refused(offset, keyword),
        "set" => top_level(tokens, |token| token == "="),
        "for" => top_level(tokens, |token| token == "in"),
        _ => None,
    };
    let Some(begin) = begin else {
        operands(source, &tokens[1..], insertions);
        return Ok(());
    };
    let (target, value) = tokens.split_at(begin + 1);
    if let Some(recursive) = top_level(value, |token| token == "recursive").filter(|_| keyword == "for") {
        return refused(value[recursive].0, "recursive");
    }
    let end = top_level(value, |token| keyword == "for" && token == "if").unwrap_or(value.len());
    let ends = |(offset, token): &(usize, &str)| offset + token.len();
    if let (Some(before), Some(last)) = (target.last(), value[..end].last()) {
        // A tuple without brackets becomes one with them.
        insertions.0.push((ends(before), format!(" {OPERAND}((")));
        operands(source, &value[..end], insertions);
        insertions.0.push((ends(last), "))".to_owned()));
    }
    operands(source, &value[end..], insertions);
    Ok(())
}

/// The first such token outside of all brackets.
fn top_level(tokens: &[(usize, &str)], is: impl Fn(&str) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().position(|(_, token)| {
        match *token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && is(token)
    })
}

/// Writes the measures around the operands in an expression.
fn operands(source: &str, tokens: &[(usize, &str)], insertions: &mut Insertions) {
    let mut frames = vec![Frame::default()];
    let mut before = "";
    for (place, (offset, token)) in tokens.iter().copied().enumerate() {
        let end = offset + token.len();
        let twin = |at: usize| tokens.get(at) == Some(&(offset + 1, token));
        // Two stars are a power, which only numbers have.
        let power = token == "*" && (twin(place + 1) || before == "*");
        let named = matches!(before, "." | "|" | "is" | "is not");
        let Some(frame) = frames.last_mut() else { return };
        match token {
            "(" | "[" | "{" => {
                frame.extend(offset, end);
                frames.push(Frame::default());
            }
            ")" | "]" | "}" => {
                frame.end(source, insertions, false, false);
                frames.pop();
                if let Some(outer) = frames.last_mut() {
                    outer.extend(offset, end);
                }
            }
            // The sign of a number, or a list of arguments.
            "-" if frame.is_sign(source) => frame.extend(offset, end),
            "+" | "*" if frame.operand.is_none() && !power => {}
            "~" | "+" => frame.end(source, insertions, true, false),
            "*" if !power => frame.end(source, insertions, false, true),
            "*" | "-" | "/" | "%" | "<" | ">" | "=" | "!" | "," | ":" => {
                frame.end(source, insertions, false, false);
            }
            "if" | "else" | "and" | "or" | "in" | "not" if !named => {
                frame.end(source, insertions, false, false);
            }
            _ => frame.extend(offset, end),
        }
        before = match (before, token) {
            ("is", "not") => "is not",
            (_, token) if is_name(token) && named => "",
            _ => token,
        };
    }
    while let Some(mut frame) = frames.pop() {
        frame.end(source, insertions, false, false);
    }
}

//! Values at a path of keys, in whichever of TOML's ways they are written: dotted keys, a section, an inline table. They stay in
//! the way that the person chose.

use std::ops::Range;

use toml_edit::{Document, InlineTable, Item, Key, Table, TableLike, Value};

use super::{indent, line_after, line_end, line_start, unforeseen};
use crate::config::ConfigError;

/// The text with the value at a path of keys set, or taken away; `find` finds the table that they begin in.
pub(super) fn put(
    text: &str,
    find: impl Fn(&Table) -> Option<&Table>,
    path: &[&str],
    value: Option<&Value>,
) -> Result<String, ConfigError> {
    let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
    let document = Document::parse(text).map_err(unforeseen)?;
    let of = find(document.as_table()).ok_or_else(|| unforeseen(path.join(".")))?;
    if let Some(value) = value
        && let Some(span) = plain(of, &path)
    {
        return Ok(format!("{}{value}{}", &text[..span.start], &text[span.end..]));
    }
    let without = cut(text, of, &path).unwrap_or_else(|| text.to_owned());
    let Some(value) = value else { return Ok(without) };
    let document = Document::parse(without.as_str()).map_err(unforeseen)?;
    let of = find(document.as_table()).ok_or_else(|| unforeseen(path.join(".")))?;
    Ok(insert(&without, of, &path, value))
}

/// Where the value at a path stands, if it is written as one.
fn plain(of: &Table, path: &[String]) -> Option<Range<usize>> {
    let mut table: &dyn TableLike = of;
    let (last, before) = path.split_last()?;
    for key in before {
        table = table.get(key)?.as_table_like()?;
    }
    match table.get(last)? {
        Item::Value(Value::InlineTable(inline)) if inline.is_dotted() => None,
        Item::Value(value) => value.span(),
        _ => None,
    }
}

/// The text without what stands at this path, if something does.
pub(super) fn cut(text: &str, of: &Table, path: &[String]) -> Option<String> {
    let mut table: &dyn TableLike = of;
    for (depth, key) in path.iter().enumerate() {
        let item = table.get(key)?;
        let is_last = depth + 1 == path.len();
        match item {
            Item::Value(Value::InlineTable(inline)) if !is_last && !inline.is_dotted() => {
                let (span, mut known): (_, &dyn TableLike) = (inline.span()?, inline);
                for key in &path[depth + 1..path.len() - 1] {
                    known = known.get(key)?.as_table_like()?;
                }
                known.get(path.last()?)?;
                let mut value: Value = text[span.clone()].parse().ok()?;
                let table = value.as_inline_table_mut()?;
                let last = table.iter().last().map(|(key, _)| key.to_owned());
                remove(table, &path[depth + 1..]);
                // The blank before the closing brace stays.
                if last.is_some_and(|last| !table.contains_key(&last))
                    && text[..span.end].ends_with(" }")
                    && let Some((_, last)) = table.iter_mut().last()
                {
                    last.decor_mut().set_suffix(" ");
                }
                if value.as_inline_table().is_some_and(InlineTable::is_empty) {
                    return Some(without_lines(text, vec![span]));
                }
                value.decor_mut().clear();
                return Some(format!("{}{value}{}", &text[..span.start], &text[span.end..]));
            }
            _ if is_last => {
                let mut spans = Vec::new();
                leaves(item, &mut spans);
                return Some(without_lines(text, spans));
            }
            _ => table = item.as_table_like()?,
        }
    }
    None
}

/// Takes a value out of an inline table, with the tables that are empty then.
fn remove(table: &mut InlineTable, path: &[String]) {
    let Some((key, rest)) = path.split_first() else { return };
    if let Some(Value::InlineTable(inner)) = table.get_mut(key)
        && !rest.is_empty()
    {
        remove(inner, rest);
        if !inner.is_empty() {
            return;
        }
    }
    table.remove(key);
}

/// Where an item's values stand, and the headers of its sections.
fn leaves(item: &Item, spans: &mut Vec<Range<usize>>) {
    match item {
        Item::Table(table) => {
            if !table.is_dotted() && !table.is_implicit() {
                spans.extend(table.span());
            }
            table.iter().for_each(|(_, item)| leaves(item, spans));
        }
        Item::ArrayOfTables(tables) => {
            for table in tables {
                spans.extend(table.span());
                table.iter().for_each(|(_, item)| leaves(item, spans));
            }
        }
        item => spans.extend(item.span()),
    }
}

/// The text without the lines that these places are on.
fn without_lines(text: &str, mut spans: Vec<Range<usize>>) -> String {
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    spans.into_iter().fold(text.to_owned(), |mut text, span| {
        let lines = line_start(&text, span.start)..line_after(&text, span.end);
        text.replace_range(lines, "");
        text
    })
}

/// The text with a value at a path where nothing stands.
pub(super) fn insert(text: &str, of: &Table, path: &[String], value: &Value) -> String {
    // The innermost section that is there; the rest of the path becomes dotted keys in it.
    let (mut section, mut rest) = (of, path);
    let mut table = of;
    for (depth, key) in path.iter().enumerate() {
        match table.get(key) {
            Some(Item::Table(inner)) => {
                table = inner;
                if !inner.is_dotted() && !inner.is_implicit() {
                    (section, rest) = (inner, &path[depth + 1..]);
                }
            }
            Some(Item::Value(Value::InlineTable(inline))) => {
                if let Some(text) = insert_inline(text, inline, &path[depth + 1..], value) {
                    return text;
                }
                break;
            }
            _ => break,
        }
    }
    let key: Vec<String> = rest.iter().map(|key| Key::new(key).to_string()).collect();
    let end = own_end(section).or(section.span().map(|span| span.end)).unwrap_or(text.len());
    let (at, eol) = (line_after(text, end), line_end(text));
    let gap = if text[..at].ends_with('\n') { "" } else { eol };
    let line = format!("{gap}{}{} = {value}{eol}", indent(text, section), key.join("."));
    format!("{}{line}{}", &text[..at], &text[at..])
}

/// Where the last value below a section's own header ends.
fn own_end(section: &Table) -> Option<usize> {
    let end = |item: &Item| match item {
        Item::Table(table) if table.is_dotted() => own_end(table),
        Item::Value(value) => value.span().map(|span| span.end),
        _ => None,
    };
    section.iter().filter_map(|(_, item)| end(item)).max()
}

fn insert_inline(text: &str, inline: &InlineTable, path: &[String], value: &Value) -> Option<String> {
    let span = inline.span()?;
    let mut whole: Value = text[span.clone()].parse().ok()?;
    let mut table = whole.as_inline_table_mut()?;
    let (last, before) = path.split_last()?;
    // The blank before a closing brace belongs to what was last.
    let tidy = |table: &mut InlineTable| {
        table.iter_mut().for_each(|(_, value)| value.decor_mut().set_suffix(""));
    };
    for key in before {
        tidy(table);
        let inner = table.get_or_insert(key, Value::InlineTable(InlineTable::new()));
        table = inner.as_inline_table_mut()?;
    }
    tidy(table);
    table.insert(last, value.clone());
    whole.decor_mut().clear();
    Some(format!("{}{whole}{}", &text[..span.start], &text[span.end..]))
}

//! A feed's rules in its text: a rule that stays keeps its section, with its comments and the order of its keys.

use std::{ops::Range, sync::Arc};

use toml_edit::{Array, Document, InlineTable, Item, Table, Value};

use super::{
    checked, extent, find, intact, is_comment, line_end, line_start,
    paths::{cut, put},
    sections::{Piece, arrange},
    set, unforeseen,
};
use crate::{
    config::{Config, ConfigError, ConfigErrorKind as Kind, parse, rules::ACTIONS},
    event_log::text_hash,
    feed::{Feed, FeedId},
    rule::{ButtonText, NotifyText, RuleSet, RuleText},
    sentence,
};

/// The rules that a feed is to have.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RulesChange {
    /// All of them, in their order.
    pub rules: Vec<RuleChange>,
    /// The [`revision`] of the rules that they are made of; whatever they are if left out.
    pub revision: Option<String>,
}

/// A rule that a feed is to have.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuleChange {
    /// The number, from 1, of the rule that it was: that one's comments and `run` stay with it.
    pub was: Option<u32>,
    /// What it is to say; its `run` does not count.
    pub rule: RuleText,
}

/// What tells whether rules have been changed since they were read.
pub fn revision(rules: &RuleSet) -> String {
    format!("{:016x}", text_hash(&format!("{:?}", rules.texts())))
}

/// The text with other rules of a feed. `preset` is the one that was found for it: a feed that gets its first rules keeps it,
/// behind them.
pub fn set_rules(
    text: &str,
    id: &FeedId,
    change: &RulesChange,
    preset: Option<&str>,
) -> Result<String, ConfigError> {
    let config = intact(text)?;
    let document = Document::parse(text).map_err(unforeseen)?;
    let table = find(&document, id)?;
    let feed = feed_of(&config, id)?;
    let old = feed.rules.texts();
    if change.revision.as_ref().is_some_and(|known| *known != revision(&feed.rules)) {
        return Err(ConfigError::new(Kind::Conflict, sentence::RULES_CHANGED));
    }
    let mut new = Vec::with_capacity(change.rules.len());
    let mut seen = vec![false; old.len()];
    for rule in &change.rules {
        let Some(number) = rule.was else {
            new.push(RuleText { run: Vec::new(), ..rule.rule.clone() });
            continue;
        };
        let at = (number as usize).wrapping_sub(1);
        match (old.get(at), seen.get_mut(at)) {
            (Some(old), Some(seen)) if !*seen => {
                *seen = true;
                new.push(RuleText { run: old.run.clone(), ..rule.rule.clone() });
            }
            _ => {
                let message = sentence::RULE_WAS.with([("number", number.to_string())]);
                return Err(ConfigError::new(Kind::InvalidValue, message));
            }
        }
    }
    let was: Vec<_> = change.rules.iter().map(|rule| rule.was.map(|was| was as usize - 1)).collect();
    let edited = match table.get("rule") {
        _ if new.iter().map(plain).eq(old.iter().map(plain))
            && was.iter().flatten().copied().eq(0..old.len()) =>
        {
            text.to_owned()
        }
        Some(Item::ArrayOfTables(rules)) => {
            let extents: Vec<_> = rules.iter().map(|rule| extent(text, rule)).collect();
            if !extents.is_sorted_by(|one, other| one.end <= other.start) {
                return Err(unforeseen("feed.rule"));
            }
            let style = rules.iter().next().map_or_else(Style::default, |rule| Style::of(text, rule));
            arrange(text, &extents, &pieces(text, &extents, (old, &new, &was), &style)?)
        }
        Some(Item::Value(Value::Array(list))) if !list.is_empty() && !new.is_empty() => {
            in_a_list(text, list, old, &new, &was)?
        }
        _ => appended(text, id, table, &new)?,
    };
    let first = preset.filter(|_| old.is_empty() && !new.is_empty() && table.get("preset").is_none());
    let edited = match first {
        None => edited,
        Some(preset) => {
            let document = Document::parse(edited.as_str()).map_err(unforeseen)?;
            set(&edited, find(&document, id)?, &[("preset", Value::from(preset))])
        }
    };
    let edited = checked(edited)?;
    verify(&config, &parse(&edited)?, id, &new)?;
    Ok(edited)
}

fn feed_of<'c>(config: &'c Config, id: &FeedId) -> Result<&'c Arc<Feed>, ConfigError> {
    config.feeds.iter().find(|feed| feed.id == *id).ok_or_else(|| ConfigError::no_such_feed(id))
}

/// What the text says now, and no less: a way to write rules that was not foreseen here must not change anything unnoticed.
fn verify(before: &Config, after: &Config, id: &FeedId, rules: &[RuleText]) -> Result<(), ConfigError> {
    let facts = |feed: &Feed| {
        let Feed { name, url, access, paused, repeats, network, mute, images, silence_alert, group, .. } =
            feed.clone();
        (name, url, access, paused, repeats, network, (mute, images, silence_alert, group))
    };
    let same = |(one, other): (&Arc<Feed>, &Arc<Feed>)| {
        if one.id == *id {
            other.id == *id
                && facts(one) == facts(other)
                && other.rules.texts().iter().map(plain).eq(rules.iter().map(plain))
        } else {
            one == other
        }
    };
    let others = before.notifications == after.notifications && before.feeds.len() == after.feeds.len();
    match others && before.feeds.iter().zip(&after.feeds).all(same) {
        true => Ok(()),
        false => Err(unforeseen("feed.rule")),
    }
}

/// A rule as it is compared: a `notify` that says nothing is none.
fn plain(rule: &RuleText) -> RuleText {
    let notify = rule.notify.clone().filter(|notify| *notify != NotifyText::default());
    RuleText { notify, ..rule.clone() }
}

/// How the sections of rules are set in.
#[derive(Default)]
struct Style {
    header: String,
    keys: String,
}

impl Style {
    fn of(text: &str, rule: &Table) -> Self {
        let header = rule.span().unwrap_or_default().start;
        let before = &text[line_start(text, header)..header];
        let header = if before.trim().is_empty() { before } else { "" };
        let keys = if rule.is_empty() { header } else { super::indent(text, rule) };
        Self { header: header.to_owned(), keys: keys.to_owned() }
    }

    fn section(&self, rule: &RuleText, eol: &str) -> String {
        let Self { header, keys } = self;
        let mut section = format!("{header}[[feed.rule]]{eol}");
        for (path, value) in changes(&RuleText::default(), rule) {
            let Some(value) = value else { continue };
            section += &format!("{keys}{} = {value}{eol}", path.join("."));
        }
        section
    }
}

/// The sections of the rules as they are to be.
fn pieces(
    text: &str,
    extents: &[Range<usize>],
    (old, new, was): (&[RuleText], &[RuleText], &[Option<usize>]),
    style: &Style,
) -> Result<Vec<Piece>, ConfigError> {
    let eol = line_end(text);
    let piece = |(rule, was): (&RuleText, &Option<usize>)| {
        let known = was.and_then(|at| Some((extents.get(at)?, old.get(at)?)));
        let text = match known {
            Some((extent, old)) => edited(&text[extent.clone()], old, rule)?,
            None => style.section(rule, eol),
        };
        Ok(Piece { was: *was, text })
    };
    new.iter().zip(was).map(piece).collect()
}

/// A rule's section with what differs changed.
fn edited(section: &str, old: &RuleText, new: &RuleText) -> Result<String, ConfigError> {
    changes(old, new)
        .into_iter()
        .try_fold(section.to_owned(), |text, (path, value)| put(&text, first_rule, &path, value.as_ref()))
}

fn first_rule(root: &Table) -> Option<&Table> {
    root.get("feed")?.as_table()?.get("rule")?.as_array_of_tables()?.get(0)
}

/// The keys by which rules differ, with their new values; none: the key goes.
fn changes(old: &RuleText, new: &RuleText) -> Vec<(Vec<&'static str>, Option<Value>)> {
    let mut changes = Vec::new();
    if old.event != new.event {
        let value = match &new.event[..] {
            [] => None,
            [name] => Some(Value::from(name.as_str())),
            names => Some(Value::Array(names.iter().map(String::as_str).collect::<Array>())),
        };
        changes.push((vec!["event"], value));
    }
    if old.when != new.when {
        changes.push((vec!["when"], new.when.as_deref().map(Value::from)));
    }
    if old.action != new.action {
        let name =
            ACTIONS.iter().find(|(_, action)| *action == new.action).map(|(name, _)| Value::from(*name));
        changes.push((vec!["action"], name));
    }
    if old.urgent != new.urgent {
        changes.push((vec!["urgent"], Some(Value::from(new.urgent))));
    }
    let nothing = NotifyText::default();
    let (before, after) = (old.notify.as_ref().unwrap_or(&nothing), new.notify.as_ref().unwrap_or(&nothing));
    if *after == nothing && *before != nothing {
        changes.push((vec!["notify"], None));
        return changes;
    }
    for (key, before, after) in [
        ("title", &before.title, &after.title),
        ("body", &before.body, &after.body),
        ("url", &before.url, &after.url),
        ("urgency", &before.urgency, &after.urgency),
        ("key", &before.key, &after.key),
        ("icon", &before.icon, &after.icon),
        ("group", &before.group, &after.group),
        ("sound", &before.sound, &after.sound),
        ("expire", &before.expire, &after.expire),
    ] {
        if before != after {
            changes.push((vec!["notify", key], after.as_deref().map(|text| written(key, text))));
        }
    }
    if before.buttons != after.buttons {
        let buttons =
            (!after.buttons.is_empty()).then(|| Value::Array(after.buttons.iter().map(button).collect()));
        changes.push((vec!["notify", "buttons"], buttons));
    }
    changes
}

/// A value of `notify`, in the type in which a person would write it.
fn written(key: &str, text: &str) -> Value {
    match (key, text) {
        ("sound", "true") => Value::from(true),
        ("sound", "false") => Value::from(false),
        ("expire", _) => text
            .parse::<u32>()
            .ok()
            .filter(|seconds| seconds.to_string() == text)
            .map_or_else(|| Value::from(text), |seconds| Value::from(i64::from(seconds))),
        _ => Value::from(text),
    }
}

fn button(ButtonText { label, url }: &ButtonText) -> Value {
    let mut table = InlineTable::new();
    table.insert("label", Value::from(label.as_str()));
    table.insert("url", Value::from(url.as_str()));
    Value::InlineTable(table)
}

/// The text with rules below everything else of a feed that has none, or an empty list.
fn appended(text: &str, id: &FeedId, table: &Table, new: &[RuleText]) -> Result<String, ConfigError> {
    let text = cut(text, table, &["rule".to_owned()]).unwrap_or_else(|| text.to_owned());
    let document = Document::parse(text.as_str()).map_err(unforeseen)?;
    let feed = find(&document, id)?;
    let at = extent(&text, feed).end;
    let eol = line_end(&text);
    let indent = super::indent(&text, feed);
    let style = match sections_of_rules(&document) {
        Some(rule) => Style::of(&text, rule),
        None => Style { header: indent.to_owned(), keys: indent.to_owned() },
    };
    let gap = if text[..at].ends_with('\n') { "" } else { eol };
    let rules: String = new.iter().map(|rule| format!("{eol}{}", style.section(rule, eol))).collect();
    // What follows may be the header of another section, right below.
    let after = &text[at..];
    let end =
        if !rules.is_empty() && !after.is_empty() && !after.starts_with(['\n', '\r']) { eol } else { "" };
    Ok(format!("{}{gap}{rules}{end}{after}", &text[..at]))
}

/// A rule of some feed, as a person wrote it.
fn sections_of_rules<'d>(document: &'d Document<&str>) -> Option<&'d Table> {
    let mut feeds = document.as_table().get("feed")?.as_array_of_tables()?.iter();
    feeds.find_map(|feed| feed.get("rule")?.as_array_of_tables()?.get(0))
}

/// The text with other rules in a list of inline tables.
fn in_a_list(
    text: &str,
    list: &Array,
    old: &[RuleText],
    new: &[RuleText],
    was: &[Option<usize>],
) -> Result<String, ConfigError> {
    let spans: Option<Vec<_>> = list.iter().map(Value::span).collect();
    let spans: Vec<_> = spans
        .ok_or_else(|| unforeseen("feed.rule"))?
        .into_iter()
        .map(|span| with_comments(text, span))
        .collect();
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
        return Err(unforeseen("feed.rule"));
    };
    let gaps: Vec<&str> = spans.windows(2).map(|pair| &text[pair[0].end..pair[1].start]).collect();
    let usual = gaps.iter().copied().find(|gap| !gap.contains('#')).unwrap_or(", ");
    let stays = new.len() == old.len() && was.iter().all(Option::is_some);
    let mut edited = String::new();
    for (at, (rule, was_at)) in new.iter().zip(was).enumerate() {
        edited += &match was_at.and_then(|at| Some((spans.get(at)?, old.get(at)?))) {
            Some((span, old)) => inline(&text[span.clone()], old, rule)?,
            None => inline("{}", &RuleText::default(), rule)?,
        };
        let gap = match (*was_at, was.get(at + 1)) {
            (_, None) => "",
            _ if stays => gaps.get(at).copied().unwrap_or(usual),
            (Some(was), Some(Some(next))) if *next == was + 1 => gaps.get(was).copied().unwrap_or(usual),
            _ => usual,
        };
        edited += gap;
    }
    Ok(format!("{}{edited}{}", &text[..first.start], &text[last.end..]))
}

/// From the comments directly above a value that begins its line.
fn with_comments(text: &str, span: Range<usize>) -> Range<usize> {
    let mut start = span.start;
    let mut line = line_start(text, start);
    if !text[line..start].trim().is_empty() {
        return span;
    }
    while line > 0 {
        let above = line_start(text, line - 1);
        if !is_comment(&text[above..line]) {
            break;
        }
        start = above + text[above..line].len() - text[above..line].trim_start().len();
        line = above;
    }
    start..span.end
}

/// A rule's inline table, with the comments above it, with what differs changed.
fn inline(text: &str, old: &RuleText, new: &RuleText) -> Result<String, ConfigError> {
    let changes = changes(old, new);
    if changes.is_empty() {
        return Ok(text.to_owned());
    }
    let key = "rule = ";
    // A table by itself can be read; comments in front of it cannot.
    let start = text.split_inclusive('\n').take_while(|line| is_comment(line)).map(str::len).sum::<usize>();
    let (comments, table) = text.split_at(start);
    let indent = table.len() - table.trim_start().len();
    let (indent, table) = table.split_at(indent);
    let mut line = format!("{key}{table}\n");
    for (path, value) in changes {
        let path: Vec<&str> = std::iter::once("rule").chain(path).collect();
        line = match put(&line, |root| Some(root), &path, value.as_ref())? {
            // Nothing is left of it.
            line if line.is_empty() => format!("{key}{{}}\n"),
            line => line,
        };
    }
    let table = line.strip_prefix(key).unwrap_or(&line);
    Ok(format!("{comments}{indent}{}", table.strip_suffix('\n').unwrap_or(table)))
}

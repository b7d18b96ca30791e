//! `bellwether rules test`: what rules would do, before they stand in `feeds.toml`.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use bellwether_control::{client::Client, messages::Catalogue, wire};
use bellwether_engine::{
    config,
    rule::{Action, NotifyText, RuleSet, RuleText},
};
use jiff::Zoned;

use super::{
    Failure,
    events::why,
    name,
    output::{Output, Paint, Span, Table},
    status::config_sentence,
};
use crate::{
    args::{RuleAction, RuleKeys, RulesAction, RulesArgs, RulesTestArgs},
    resident::{config_error, rule_draft, rule_mistake},
};

/// Longest file of rules, and longest sample, in bytes.
const MAX_INPUT: u64 = 1024 * 1024;

pub(super) async fn run(
    args: &RulesArgs,
    client: &Client,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    let RulesAction::Test(args) = &args.action;
    let rules = rules(args, catalogue)?;
    let place = match (args.replace, args.insert) {
        (Some(number), _) => Some(wire::RulePlace::Replace(number)),
        (None, number) => number.map(wire::RulePlace::Insert),
    };
    let test = wire::RulesTest {
        feed: args.feed.clone(),
        rules: rules.map(|texts| texts.iter().map(rule_draft).collect()),
        place,
        sample: args.sample.as_deref().map(|path| read(path, catalogue)).transpose()?,
        event: args.sample_event.clone(),
        popups: args.popups,
    };
    let preview = client.test_rules(&test).await?;
    if args.json {
        return Ok(output.json(&preview)?);
    }
    show(&preview, catalogue, output)
}

/// The rules to be tried, from a file or by their keys; none: those that each feed has. What is wrong with them is found here,
/// where the file is known.
fn rules(args: &RulesTestArgs, catalogue: &Catalogue) -> Result<Option<Vec<RuleText>>, Failure> {
    if let Some(path) = &args.rule {
        let text = read(path, catalogue)?;
        let said = |error| {
            Failure::Said(config_sentence(&path.display().to_string(), &config_error(&error), catalogue))
        };
        return Ok(Some(config::parse_rules(&text).map_err(said)?.texts().to_vec()));
    }
    if args.keys == RuleKeys::default() {
        return Ok(None);
    }
    let text = rule(&args.keys);
    match RuleSet::compile(std::slice::from_ref(&text)) {
        Ok(_) => Ok(Some(vec![text])),
        Err(error) => {
            let key = error.key.strip_prefix("notify.").unwrap_or(error.key);
            let mistake = wire::ConfigError { key: String::new(), ..rule_mistake(&error) };
            let mistake = wire::ConfigError { line: 0, ..mistake };
            Err(Failure::Said(config_sentence(&format!("--{key}"), &mistake, catalogue)))
        }
    }
}

fn rule(keys: &RuleKeys) -> RuleText {
    let notify = NotifyText {
        title: keys.title.clone(),
        body: keys.body.clone(),
        url: keys.url.clone(),
        urgency: keys.urgency.clone(),
        key: keys.key.clone(),
        ..NotifyText::default()
    };
    RuleText {
        event: keys.events.clone(),
        when: keys.when.clone(),
        action: match keys.action {
            None | Some(RuleAction::Notify) => Action::Notify,
            Some(RuleAction::Log) => Action::Log,
            Some(RuleAction::Ignore) => Action::Ignore,
            Some(RuleAction::Close) => Action::Close,
            Some(RuleAction::Withdraw) => Action::Withdraw,
        },
        notify: (notify != NotifyText::default()).then_some(notify),
        ..RuleText::default()
    }
}

/// The text of a file, or of standard input for `-`.
fn read(path: &Path, catalogue: &Catalogue) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().take(MAX_INPUT + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MAX_INPUT + 1).read_to_end(&mut bytes))
    };
    let path = path.display().to_string();
    let cannot = |reason: &str| {
        Failure::Said(catalogue.format("cli.rules.cannot_read", &[("path", &path), ("reason", reason)]))
    };
    match read {
        Err(error) => Err(cannot(&error.to_string())),
        Ok(read) if read as u64 > MAX_INPUT => Err(cannot(catalogue.text("cli.rules.too_large"))),
        Ok(_) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn show(preview: &wire::RulesPreview, catalogue: &Catalogue, output: &mut Output) -> Result<(), Failure> {
    if preview.evaluated == 0 {
        return Ok(output.line([catalogue.text("cli.rules.no_events")])?);
    }
    let counts = [("events", &*preview.evaluated.to_string()), ("popups", &*preview.notified.to_string())];
    output.line([catalogue.format("cli.rules.sum", &counts)])?;
    output.line([""])?;
    let now = Zoned::now();
    let mut table = Table::default();
    table.titles(
        ["cli.column.count", "cli.column.outcome", "cli.column.reason"].map(|key| catalogue.text(key)),
    );
    for decided in &preview.decided {
        table.row([
            Span::from(decided.count.to_string()),
            Span::new(catalogue.text(&format!("cli.rules.{}", name(&decided.action)))),
            Span::from(why(&decided.reason, &now, catalogue)),
        ]);
    }
    output.table(&table)?;
    for popup in &preview.popups {
        output.line([""])?;
        let number = popup.seq.map_or_else(|| "-".to_owned(), |seq| seq.to_string());
        let place = format!("{number}  {}  ", popup.feed);
        output.line([Span::from(place).paint(Paint::Dim), Span::new(&popup.title).paint(Paint::Bold)])?;
        for text in [&popup.body, popup.url.as_deref().unwrap_or_default()]
            .into_iter()
            .filter(|text| !text.is_empty())
        {
            output.indented("    ", text)?;
        }
    }
    if preview.popups.len() as u64 != preview.notified && !preview.popups.is_empty() {
        let rest = preview.notified - preview.popups.len() as u64;
        output.line([""])?;
        output.line([Span::from(catalogue.count("cli.rules.more", rest)).paint(Paint::Dim)])?;
    }
    for failure in &preview.failures {
        let line = fault(&failure.fault, catalogue);
        output.line([Span::from(format!("{}: {line}", failure.feed)).paint(Paint::Red)])?;
    }
    Ok(())
}

/// A rule's failure in one line.
pub(super) fn fault(fault: &wire::RuleFault, catalogue: &Catalogue) -> String {
    let (rule, seq, count) = (fault.rule.to_string(), fault.seq.to_string(), fault.count.to_string());
    let values = [("rule", &*rule), ("detail", &*fault.detail), ("event", &*seq), ("count", &*count)];
    catalogue.format(if fault.seq == 0 { "rule.fails_sample" } else { "rule.fails" }, &values)
}

//! `bellwether events`: what is in the log.

mod export;

use bellwether_control::{client::Client, messages::Catalogue, wire};
use jiff::{Timestamp, Zoned};

use super::{
    Failure, name,
    output::{Output, Paint, Span, Table},
    time,
};
use crate::{
    args::{EventFilter, EventsAction, EventsArgs, Since},
    logged::{Logged, reason},
};

/// Most events that one request may ask for.
const PAGE: u64 = 1_000;

pub(super) async fn run(
    args: &EventsArgs,
    client: &Client,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    if let Some(EventsAction::Export(export)) = &args.action {
        return export::run(export, client, catalogue, output).await;
    }
    let mut query = query(&args.filter);
    // The table shows titles, not data.
    query.preview = (!args.json).then_some(true);
    let mut printer = Printer::new(args, catalogue, output);
    let most = if args.limit == 0 { u64::MAX } else { args.limit };
    pages(client, query, most, |page| Ok(printer.page(&page)?)).await?;
    Ok(printer.end()?)
}

/// What the control socket is asked for.
fn query(filter: &EventFilter) -> wire::EventQuery {
    let time = |since: Since| format!("{:.3}", since.before(Timestamp::now()));
    let outcomes: Vec<String> = filter.outcome.iter().map(|outcome| name(&outcome.on_the_wire())).collect();
    wire::EventQuery {
        feed: filter.feed.clone(),
        event: filter.event.clone(),
        search: filter.search.clone(),
        unread: filter.unread.then_some(true),
        held_back: filter.held_back.then_some(true),
        outcome: (!outcomes.is_empty()).then(|| outcomes.join(",")),
        since: filter.since.map(time),
        until: filter.until.map(time),
        ..Default::default()
    }
}

/// Asks for so many events, page by page.
async fn pages(
    client: &Client,
    mut query: wire::EventQuery,
    most: u64,
    mut take: impl FnMut(Vec<wire::Event>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut left = most;
    while left > 0 {
        query.limit = u32::try_from(left.min(PAGE)).ok();
        let mut page = client.events(&query).await?;
        // A server that sends more than it was asked for is not to overrun the limit.
        page.events.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= page.events.len() as u64;
        // No event on a page that is not the last would ask the same for ever.
        let next = page.next_before.filter(|_| !page.events.is_empty());
        take(page.events)?;
        match next {
            Some(before) => query.before = Some(before),
            None => break,
        }
    }
    Ok(())
}

/// Writes page by page, so that a long log takes no memory.
struct Printer<'a> {
    json: bool,
    /// With a column that says why.
    why: bool,
    catalogue: &'a Catalogue,
    output: &'a mut Output,
    now: Zoned,
    /// Written so far.
    count: u64,
    /// JSON wants a comma behind each event but the last, so that one is kept.
    kept: Option<wire::Event>,
}

impl<'a> Printer<'a> {
    fn new(args: &EventsArgs, catalogue: &'a Catalogue, output: &'a mut Output) -> Self {
        Self {
            json: args.json,
            why: args.filter.held_back,
            catalogue,
            output,
            now: Zoned::now(),
            count: 0,
            kept: None,
        }
    }

    fn page(&mut self, events: &[wire::Event]) -> std::io::Result<()> {
        if self.json { self.json_page(events) } else { self.table_page(events) }
    }

    fn json_page(&mut self, events: &[wire::Event]) -> std::io::Result<()> {
        for event in events {
            if let Some(event) = self.kept.replace(event.clone()) {
                self.json_event(&event, ",")?;
            }
        }
        Ok(())
    }

    fn json_event(&mut self, event: &wire::Event, after: &str) -> std::io::Result<()> {
        let before = if self.count == 0 { "[\n" } else { "" };
        self.count += 1;
        self.output.json_line(before, &Logged::from(event), after)
    }

    fn table_page(&mut self, events: &[wire::Event]) -> std::io::Result<()> {
        let mut table = Table::default();
        if self.count == 0 && !events.is_empty() {
            let titles = [
                "cli.column.received",
                "cli.column.feed",
                "cli.column.event",
                "cli.column.outcome",
                "cli.column.reason",
                "cli.column.title",
            ];
            let titles = titles.into_iter().filter(|title| self.why || *title != "cli.column.reason");
            table.titles(titles.map(|key| self.catalogue.text(key)));
        }
        for event in events {
            let why = self.why.then(|| Span::from(why(&event.reason, &self.now, self.catalogue)));
            let received = time::local(&event.received_at, self.now.time_zone());
            let head = [
                Span::from(received).paint(Paint::Dim),
                Span::new(&event.feed),
                Span::new(&event.event),
                outcome_span(event.outcome, self.catalogue),
            ];
            table.row(head.into_iter().chain(why).chain([title_span(event)]));
        }
        self.count += events.len() as u64;
        self.output.table(&table)
    }

    fn end(mut self) -> std::io::Result<()> {
        match (self.json, self.kept.take()) {
            (true, Some(event)) => self.json_event(&event, "\n]"),
            (true, None) => self.output.line(["[]"]),
            (false, _) if self.count == 0 => self.output.line([self.catalogue.text("cli.events.none")]),
            (false, _) => Ok(()),
        }
    }
}

/// The sentence for a reason; its stable name and particulars where the catalogue is older than the program.
pub(super) fn why(because: &wire::OutcomeReason, now: &Zoned, catalogue: &Catalogue) -> String {
    let key = format!("outcome.{}", because.code);
    let without_detail = format!("{key}_none");
    if because.detail.is_empty() && catalogue.has(&without_detail) {
        return catalogue.text(&without_detail).to_owned();
    }
    if !catalogue.has(&key) {
        return reason(because);
    }
    let detail = match because.code.as_str() {
        "snoozed" | "quiet_hours" => time::clock(&because.detail, now, catalogue),
        _ => because.detail.clone(),
    };
    let rule = because.rule.unwrap_or_default().to_string();
    catalogue.format(&key, &[("rule", &rule), ("detail", &detail)])
}

fn outcome_span(outcome: wire::Outcome, catalogue: &Catalogue) -> Span {
    let paint = match outcome {
        wire::Outcome::Shown | wire::Outcome::Summarized => Paint::Green,
        wire::Outcome::Pending | wire::Outcome::Held | wire::Outcome::Closed => Paint::Yellow,
        wire::Outcome::Logged | wire::Outcome::Ignored => Paint::Dim,
    };
    Span::new(catalogue.text(&format!("cli.outcome.{}", name(&outcome)))).paint(paint)
}

fn title_span(event: &wire::Event) -> Span {
    let unread = !event.read && matches!(event.outcome, wire::Outcome::Shown | wire::Outcome::Summarized);
    let text = match (event.title.as_str(), event.body.as_str()) {
        (title, "") => title.to_owned(),
        (title, body) => format!("{title}: {body}"),
    };
    Span::from(text).paint(if unread { Paint::Bold } else { Paint::Usual })
}

#[cfg(test)]
mod tests {
    use bellwether_engine::policy::OutcomeReason;

    use super::*;

    #[test]
    fn every_reason_has_its_sentence_in_each_language() {
        let now: Zoned = "2026-11-20T22:00:00+00:00[UTC]".parse().unwrap();
        for (code, detail, english, chinese) in [
            (
                "snoozed",
                "2026-11-20T23:05:00Z",
                "Popups were snoozed until 23:05.",
                "当时处于免打扰，直到 23:05。",
            ),
            ("snoozed", "", "Popups were snoozed.", "当时处于免打扰。"),
            ("preset", "ntfy", "A rule of the preset ntfy decided so.", "由预设“ntfy”的规则决定。"),
            ("rule", "", "Rule 2 of this feed decided so.", "由此订阅的第 2 条规则决定。"),
            ("something_new", "x", "something new (rule 2): x", "something new (rule 2): x"),
        ] {
            let wire = wire::OutcomeReason { code: code.into(), rule: Some(2), detail: detail.into() };
            assert_eq!(why(&wire, &now, &Catalogue::new("en")), english);
            assert_eq!(why(&wire, &now, &Catalogue::new("zh-CN")), chinese);
        }
        for code in OutcomeReason::CODES.into_iter().chain(["no_notifications"]) {
            assert!(Catalogue::new("en").has(&format!("outcome.{code}")), "{code}");
        }
    }
}

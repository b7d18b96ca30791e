//! An event as scripts and files have it: with names that stay, as JSON and as a line of a table.

use std::borrow::Cow;

use bellwether_control::wire;
use serde::Serialize;

/// An event with the names that scripts rely on.
#[derive(Serialize)]
pub(crate) struct Logged<'a> {
    seq: u64,
    feed: &'a str,
    event: &'a str,
    /// The text as received.
    data: &'a str,
    /// The last event ID at this event; empty if none.
    id: &'a str,
    received_at: &'a str,
    outcome: wire::Outcome,
    reason: String,
    title: &'a str,
    body: &'a str,
    url: Option<&'a str>,
    read: bool,
}

impl<'a> From<&'a wire::Event> for Logged<'a> {
    fn from(event: &'a wire::Event) -> Self {
        Self {
            seq: event.seq,
            feed: &event.feed,
            event: &event.event,
            data: &event.data,
            id: &event.id,
            received_at: &event.received_at,
            outcome: event.outcome,
            reason: reason(&event.reason),
            title: &event.title,
            body: &event.body,
            url: event.url.as_deref(),
            read: event.read,
        }
    }
}

/// `default`, `rule 2`, `rule 1 failed: …`, `no match`, `backlog`: the same in every language, since scripts read it.
pub(crate) fn reason(reason: &wire::OutcomeReason) -> String {
    let what = match (reason.code.as_str(), reason.rule) {
        ("rule", Some(rule)) => format!("rule {rule}"),
        ("rule_failed", Some(rule)) => format!("rule {rule} failed"),
        (code, Some(rule)) => format!("{} (rule {rule})", code.replace('_', " ")),
        (code, None) => code.replace('_', " "),
    };
    if reason.detail.is_empty() { what } else { format!("{what}: {}", reason.detail) }
}

/// What a file of this form begins with: a table with a mark by which spreadsheets know UTF-8, and the names of its columns.
pub(crate) fn head(format: wire::ExportFormat) -> &'static str {
    match format {
        wire::ExportFormat::Jsonl => "",
        wire::ExportFormat::Csv => {
            "\u{feff}seq,received_at,feed,event,title,body,url,outcome,reason,read,id,data\r\n"
        }
    }
}

impl Logged<'_> {
    /// The event as a file of this form has it, with the line's end.
    pub(crate) fn line(&self, format: wire::ExportFormat) -> String {
        match format {
            wire::ExportFormat::Jsonl => serde_json::to_string(self).unwrap_or_default() + "\n",
            wire::ExportFormat::Csv => self.csv(),
        }
    }

    /// RFC 4180, in the order of [`head`].
    fn csv(&self) -> String {
        let outcome = serde_json::to_value(self.outcome).unwrap_or_default();
        let cells = [
            Cow::Owned(self.seq.to_string()),
            self.received_at.into(),
            cell(self.feed),
            cell(self.event),
            cell(self.title),
            cell(self.body),
            cell(self.url.unwrap_or_default()),
            outcome.as_str().unwrap_or_default().into(),
            cell(&self.reason),
            self.read.to_string().into(),
            cell(self.id),
            cell(self.data),
        ];
        cells.join(",") + "\r\n"
    }
}

/// A cell of text. What a spreadsheet would take for a formula gets an apostrophe before it, which makes it text there: what feeds
/// send must not reckon, and not call anything.
fn cell(text: &str) -> Cow<'_, str> {
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let formula = text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(FORMULA);
    let quoted = text.contains([',', '"', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ');
    let before = if formula { "'" } else { "" };
    match quoted {
        true => format!("\"{before}{}\"", text.replace('"', "\"\"")).into(),
        false if formula => format!("{before}{text}").into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_stable() {
        for (code, rule, detail, expected) in [
            ("default", None, "", "default"),
            ("rule", Some(2), "", "rule 2"),
            ("rule_failed", Some(1), "out of fuel", "rule 1 failed: out of fuel"),
            ("no_match", None, "", "no match"),
            ("backlog", Some(3), "", "backlog (rule 3)"),
            ("preset", None, "ntfy", "preset: ntfy"),
            ("no_notifications", None, "", "no notifications"),
            ("quiet_hours", Some(2), "2026-11-21T07:00:00Z", "quiet hours (rule 2): 2026-11-21T07:00:00Z"),
            ("something_new", None, "x", "something new: x"),
        ] {
            let wire = wire::OutcomeReason { code: code.into(), rule, detail: detail.into() };
            assert_eq!(reason(&wire), expected);
        }
    }

    #[test]
    fn no_cell_is_a_formula_or_breaks_its_line() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("磁盘已满", "磁盘已满"),
            ("a, b", "\"a, b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("one\r\ntwo", "\"one\r\ntwo\""),
            ("=HYPERLINK(\"http://a\")", "\"'=HYPERLINK(\"\"http://a\"\")\""),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "\"'  =1\""),
            ("\t=1", "'\t=1"),
            ("\n=1", "\"'\n=1\""),
            ("＝1", "'＝1"),
            ("1=1", "1=1"),
            ("end ", "\"end \""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_has_a_cell_for_each_name() {
        let logged = Logged {
            seq: 7,
            feed: "ops",
            event: "message",
            data: "{\"n\":1}",
            id: "",
            received_at: "2026-11-21T14:05:00.000Z",
            outcome: wire::Outcome::Shown,
            reason: "default".into(),
            title: "Full",
            body: "disk",
            url: None,
            read: false,
        };
        let names = head(wire::ExportFormat::Csv).trim_start_matches('\u{feff}').trim_end().split(',');
        assert_eq!(
            logged.line(wire::ExportFormat::Csv),
            "7,2026-11-21T14:05:00.000Z,ops,message,Full,disk,,shown,default,false,,\"{\"\"n\"\":1}\"\r\n"
        );
        let json: serde_json::Value = serde_json::from_str(&logged.line(wire::ExportFormat::Jsonl)).unwrap();
        for name in names {
            assert!(json.get(name).is_some(), "{name}");
        }
    }
}

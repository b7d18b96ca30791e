//! The one place that writes to the terminal. What it is given as text it makes plain, so that no feed reaches the terminal
//! with more than text.

use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::plain;

/// Standard output and standard error.
pub(crate) struct Output {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    colour: bool,
    /// Columns of the terminal; `None` where there is none, and nothing is cut.
    width: Option<usize>,
}

/// How a stretch of text looks where there is colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Paint {
    /// As all text.
    #[default]
    Usual,
    /// Less important.
    Dim,
    /// A heading.
    Bold,
    /// Fine.
    Green,
    /// On its way, or worth a look.
    Yellow,
    /// Wrong.
    Red,
}

/// A stretch of one line: plain text in one look.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Span {
    text: String,
    paint: Paint,
}

impl Span {
    /// Text in the usual look.
    pub(crate) fn new(text: &str) -> Self {
        Self { text: plain::line(text), paint: Paint::Usual }
    }

    /// The same text in this look.
    pub(crate) fn paint(self, paint: Paint) -> Self {
        Self { paint, ..self }
    }

    fn width(&self) -> usize {
        self.text.width()
    }

    /// Cut to so many columns, the last one an ellipsis.
    fn cut(&mut self, columns: usize) {
        if self.width() <= columns {
            return;
        }
        let mut used = 0;
        let end = self
            .text
            .char_indices()
            .find(|(_, c)| {
                used += c.width().unwrap_or(0);
                used >= columns
            })
            .map_or(0, |(at, _)| at);
        self.text.truncate(end);
        self.text.push('…');
    }
}

impl From<&str> for Span {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Span {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

/// Rows of cells, aligned by the columns that they take on a terminal, where a Chinese character takes two.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<Span>>,
    widths: Vec<usize>,
}

/// Widest a column gets on a terminal, the last one aside.
const MAX_COLUMN: usize = 32;
/// Least that the last column keeps, however narrow the terminal.
const MIN_LAST_COLUMN: usize = 20;
const GAP: &str = "  ";

impl Table {
    /// A row, shown below the others.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Span>) {
        let cells: Vec<Span> = cells.into_iter().collect();
        self.widths.resize(self.widths.len().max(cells.len()), 0);
        for (width, cell) in self.widths.iter_mut().zip(&cells) {
            *width = cell.width().max(*width);
        }
        self.rows.push(cells);
    }

    /// The row of column titles.
    pub(crate) fn titles<'a>(&mut self, titles: impl IntoIterator<Item = &'a str>) {
        self.row(titles.into_iter().map(|title| Span::new(title).paint(Paint::Dim)));
    }
}

impl Output {
    /// This process's. Colour only on a terminal that has it, and not where `NO_COLOR` asks for none (no-color.org).
    pub(crate) fn stdio() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self {
            colour: terminal && !set("NO_COLOR") && !dumb,
            width: terminal.then(terminal_width).flatten(),
            out: Box::new(BufWriter::new(stdout)),
            err: Box::new(io::stderr()),
        }
    }

    /// A line made of stretches.
    pub(crate) fn line(&mut self, spans: impl IntoIterator<Item = impl Into<Span>>) -> io::Result<()> {
        let spans: Vec<Span> = spans.into_iter().map(Into::into).collect();
        self.spans(&spans)?;
        self.out.write_all(b"\n")
    }

    fn spans(&mut self, spans: &[Span]) -> io::Result<()> {
        for span in spans {
            let code = match span.paint {
                _ if !self.colour => "",
                Paint::Usual => "",
                Paint::Dim => "2",
                Paint::Bold => "1",
                Paint::Green => "32",
                Paint::Yellow => "33",
                Paint::Red => "31",
            };
            if code.is_empty() {
                self.out.write_all(span.text.as_bytes())?;
            } else {
                write!(self.out, "\x1b[{code}m{}\x1b[0m", span.text)?;
            }
        }
        Ok(())
    }

    /// Text of several lines, as it stands.
    pub(crate) fn block(&mut self, text: &str) -> io::Result<()> {
        self.indented("", text.trim_end())
    }

    /// Text of several lines, each behind this indent.
    pub(crate) fn indented(&mut self, indent: &str, text: &str) -> io::Result<()> {
        for line in plain::block(text).split('\n') {
            writeln!(self.out, "{}", format_args!("{indent}{line}").to_string().trim_end())?;
        }
        Ok(())
    }

    /// Text that is to be kept in a file, as it is; a terminal gets it plain.
    pub(crate) fn file_text(&mut self, text: &str) -> io::Result<()> {
        if self.width.is_none() {
            return self.out.write_all(text.as_bytes());
        }
        self.out.write_all(plain::block(text).as_bytes())
    }

    /// A table, its last column cut at the terminal's edge.
    pub(crate) fn table(&mut self, table: &Table) -> io::Result<()> {
        self.aligned(table, &self.fit(&table.widths))
    }

    /// A table with nothing cut.
    pub(crate) fn whole_table(&mut self, table: &Table) -> io::Result<()> {
        self.aligned(table, &table.widths)
    }

    fn aligned(&mut self, table: &Table, widths: &[usize]) -> io::Result<()> {
        for row in &table.rows {
            let mut spans = Vec::with_capacity(row.len() * 2);
            for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
                let mut cell = cell.clone();
                cell.cut(*width);
                let last = row[index + 1..].iter().all(|cell| cell.text.is_empty());
                let pad = if last { 0 } else { width.saturating_sub(cell.width()) };
                spans.push(cell);
                if last {
                    break;
                }
                spans.push(Span { text: format!("{:pad$}{GAP}", ""), paint: Paint::Usual });
            }
            self.spans(&spans)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn fit(&self, widths: &[usize]) -> Vec<usize> {
        let (Some(terminal), Some((last, others))) = (self.width, widths.split_last()) else {
            return widths.to_vec();
        };
        let mut fitting: Vec<usize> = others.iter().map(|width| *width.min(&MAX_COLUMN)).collect();
        let used: usize = fitting.iter().map(|width| width + GAP.len()).sum();
        fitting.push((*last).min(terminal.saturating_sub(used).max(MIN_LAST_COLUMN)));
        fitting
    }

    /// A value as JSON over several lines.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.json_text(&text)
    }

    /// A value as JSON on one line, between these two bits of syntax.
    pub(crate) fn json_line(&mut self, before: &str, value: &impl Serialize, after: &str) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        self.json_text(&format!("{before}{text}{after}"))
    }

    fn json_text(&mut self, json: &str) -> io::Result<()> {
        // JSON has such characters inside strings only, where the escape means the same.
        let mut rest = json;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| *c != '\n' && plain::is_unsafe(*c)) {
            self.out.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(self.out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writeln!(self.out, "{rest}")
    }

    /// A line on standard error about how things go.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.err, "{}", plain::line(text))
    }

    /// Lines on standard error about what went wrong.
    pub(crate) fn complain(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.err, "{}", plain::block(text).trim_end())
    }

    /// Hands everything written so far to the system.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(unix)]
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn terminal_width() -> Option<usize> {
    None
}

#[cfg(test)]
pub(crate) mod capture {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What an [`Output`] wrote.
    #[derive(Clone, Default)]
    pub(crate) struct Captured {
        out: Sink,
        err: Sink,
    }

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sink {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Captured {
        pub(crate) fn out(&self) -> String {
            self.out.text()
        }
        pub(crate) fn err(&self) -> String {
            self.err.text()
        }
    }

    /// An output into memory, as a pipe is, or as a colour terminal of this width is.
    pub(crate) fn captured(terminal: Option<usize>) -> (Output, Captured) {
        let captured = Captured::default();
        let output = Output {
            out: Box::new(captured.out.clone()),
            err: Box::new(captured.err.clone()),
            colour: terminal.is_some(),
            width: terminal,
        };
        (output, captured)
    }

    /// An output whose reader has gone away.
    pub(crate) fn closed() -> (Output, Captured) {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let (output, captured) = captured(None);
        (Output { out: Box::new(Closed), ..output }, captured)
    }
}

#[cfg(test)]
mod tests {
    use super::{capture::captured, *};

    fn table() -> Table {
        let mut table = Table::default();
        table.titles(["FEED", "EVENT", "TITLE"]);
        table.row(["运维告警".into(), "deploy".into(), Span::new("磁盘快满了 on db-1").paint(Paint::Red)]);
        table.row(["ops".into(), "a\u{1b}[31m\nb".into(), "".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_by_what_they_take_on_a_terminal() {
        let (mut output, captured) = captured(None);
        output.table(&table()).unwrap();
        let expected = "\
FEED      EVENT   TITLE
运维告警  deploy  磁盘快满了 on db-1
ops       a b
";
        assert_eq!(captured.out(), expected);
    }

    #[test]
    fn a_terminal_gets_colour_and_lines_no_longer_than_itself() {
        let (mut output, captured) = captured(Some(10));
        let mut table = Table::default();
        table.row([Span::new("y".repeat(40).as_str()), Span::new(&"磁".repeat(40)).paint(Paint::Dim)]);
        output.table(&table).unwrap();
        let expected = format!("{}…  \u{1b}[2m{}…\u{1b}[0m\n", "y".repeat(31), "磁".repeat(9));
        assert_eq!(captured.out(), expected);
    }

    #[test]
    fn json_is_the_same_value_and_harmless() {
        let (mut output, captured) = captured(None);
        let value = serde_json::json!({"data": "\u{1b}[31m\u{9b}x\u{202e}\u{e0041}\n磁"});
        output.json_line("", &value, ",").unwrap();
        let written = captured.out();
        assert!(written.trim_end().chars().all(|c| !plain::is_unsafe(c)), "{written:?}");
        let read: serde_json::Value = serde_json::from_str(written.trim_end_matches(",\n")).unwrap();
        assert_eq!(read, value);
    }

    #[test]
    fn lines_are_indented_and_plain() {
        let (mut output, captured) = captured(None);
        output.indented("  ", "a\n\u{1b}[2Jb\n").unwrap();
        output.note("one\nline").unwrap();
        assert_eq!((captured.out().as_str(), captured.err().as_str()), ("  a\n  b\n\n", "one line\n"));
    }
}

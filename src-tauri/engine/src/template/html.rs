//! HTML as plain text, as far as a popup needs it: no document is built, and nothing is fetched or run.

use html_escape::decode_html_entities;
use minijinja::{Error, Value};

use super::filters::text;

/// Elements whose text is not for people.
const UNSEEN: [&str; 6] = ["script", "style", "template", "title", "noscript", "head"];
/// Elements that begin a line of their own, and those that end one.
const BLOCKS: [&str; 25] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "dd",
    "div",
    "dl",
    "dt",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "tr",
    "ul",
];

/// The text of an HTML fragment: tags and comments are taken out, and so are scripts and styles with all that is in them;
/// `<br>` and the ends of paragraphs, rows and list items become line ends, and entities their characters.
pub(super) fn striptags(value: &Value) -> Result<String, Error> {
    Ok(plain(&text(value, "striptags")?))
}

fn plain(html: &str) -> String {
    let mut lines = Lines::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        lines.text(&rest[..at]);
        let from_tag = &rest[at..];
        rest = match Tag::at(from_tag) {
            // A `<` that begins no tag is text.
            None => {
                lines.text("<");
                &from_tag[1..]
            }
            Some(tag) => {
                lines.tag(&tag);
                let after = &from_tag[tag.length..];
                if !tag.closes && UNSEEN.contains(&&*tag.name) {
                    after_end_of(after, &tag.name)
                } else {
                    after
                }
            }
        };
    }
    lines.text(rest);
    lines.finished()
}

/// What follows the end tag of an element; nothing if it never ends, so that this costs once.
fn after_end_of<'t>(text: &'t str, name: &str) -> &'t str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        let from_tag = &rest[at..];
        // Its length is measured last: an end that never comes must not be looked for from each tag.
        if name_of(&from_tag[2..]) == name {
            return &from_tag[end_of(from_tag)..];
        }
        rest = &from_tag[2..];
    }
    ""
}

/// A tag, a comment or a declaration.
struct Tag {
    /// In small letters; empty for what is no element.
    name: String,
    closes: bool,
    /// In bytes, with the brackets.
    length: usize,
}

impl Tag {
    /// What begins with the `<` at the start of the text, as WHATWG HTML 13.2.5.6 tells tags from text.
    fn at(text: &str) -> Option<Self> {
        let unnamed = |length| Some(Self { name: String::new(), closes: false, length });
        if let Some(comment) = text.strip_prefix("<!--") {
            return unnamed(comment.find("-->").map_or(text.len(), |end| end + 7));
        }
        let inner = &text[1..];
        if inner.starts_with(['!', '?']) {
            return unnamed(end_of(text));
        }
        let (closes, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        Some(Self { name: name_of(inner), closes, length: end_of(text) })
    }
}

/// The element's name at the start of the text; empty if it is longer than any that matters here.
fn name_of(text: &str) -> String {
    let end =
        text.find(|c: char| c.is_ascii_whitespace() || matches!(c, '<' | '>' | '/')).unwrap_or(text.len());
    text.get(..end).filter(|name| name.len() <= 16).unwrap_or_default().to_ascii_lowercase()
}

/// The length of the tag at the start of the text: to the first `>` outside of quotes, or if there is none, all of it.
fn end_of(text: &str) -> usize {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '>' => return at + 1,
            // A quote begins a value only after an equals sign.
            None if matches!(c, '"' | '\'') && before == '=' => quote = Some(c),
            None => {}
        }
        if !c.is_ascii_whitespace() {
            before = c;
        }
    }
    text.len()
}

/// The text as it grows: white space is drawn together as HTML does, except for the ends of lines that tags make.
#[derive(Default)]
struct Lines {
    text: String,
    blank: bool,
}

impl Lines {
    fn text(&mut self, raw: &str) {
        for c in decode_html_entities(raw).chars() {
            if c.is_ascii_whitespace() {
                self.blank = true;
                continue;
            }
            let gap = std::mem::take(&mut self.blank) && !self.text.is_empty() && !self.text.ends_with('\n');
            if gap {
                self.text.push(' ');
            }
            self.text.push(c);
        }
    }

    fn tag(&mut self, tag: &Tag) {
        if tag.name == "br" || tag.name == "hr" {
            self.text.push('\n');
            self.blank = false;
        } else if BLOCKS.contains(&&*tag.name) {
            if !self.text.is_empty() && !self.text.ends_with('\n') {
                self.text.push('\n');
            }
            self.blank = false;
        } else if matches!(&*tag.name, "td" | "th") && !tag.closes {
            self.blank = true;
        }
    }

    fn finished(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        self.text
    }
}

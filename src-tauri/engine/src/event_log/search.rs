//! Text as the full-text index takes it: words as `unicode61` splits them, every CJK character a word of its own, so that
//! Chinese text of any length is found as a phrase of its characters.

use rusqlite::{Connection, params};

/// Of each text, this many bytes are searched.
pub(super) const SEARCHED_BYTES: usize = 64 * 1024;

/// Of what a person searches for, this many words and characters count.
const QUERY_WORDS: usize = 32;
const QUERY_CHARS: usize = 1024;

/// An event's words for the index; kept to reuse the memory.
#[derive(Debug, Default)]
pub(super) struct Words {
    title: String,
    body: String,
    data: String,
}

/// An event as the index has it.
pub(super) struct Indexed<'a> {
    pub(super) seq: i64,
    pub(super) feed: i64,
    pub(super) kind: i64,
    /// Whether a popup told or will tell of it.
    pub(super) told: bool,
    pub(super) title: &'a str,
    pub(super) body: &'a str,
    pub(super) data: &'a str,
}

/// Puts an event into the index.
pub(super) fn insert(db: &Connection, event: &Indexed<'_>, words: &mut Words) -> rusqlite::Result<()> {
    const INSERT: &str = "INSERT INTO search (rowid, title, body, data, facet) VALUES (?1, ?2, ?3, ?4, ?5)";
    // What the data says already need not be indexed twice.
    for (words, text) in [(&mut words.title, event.title), (&mut words.body, event.body)] {
        write_indexed(words, if covers(event.data, text) { "" } else { text });
    }
    write_indexed(&mut words.data, event.data);
    let Words { title, body, data } = &*words;
    let row = params![event.seq, title, body, data, facets(event.feed, event.kind, event.told)];
    db.prepare_cached(INSERT)?.execute(row).map(drop)
}

/// Writes `text` into `into` as the index takes it. JSON's escapes are resolved: `\u4e2d\n` is found like the characters meant.
pub(super) fn write_indexed(into: &mut String, text: &str) {
    into.clear();
    let text = &text[..text.floor_char_boundary(SEARCHED_BYTES)];
    let json = text.trim_start().starts_with(['{', '[', '"']);
    let mut rest = text;
    while let Some(at) = rest.find('\\').filter(|_| json) {
        write_spaced(into, &rest[..at]);
        rest = write_escape(into, &rest[at + 1..]);
    }
    write_spaced(into, rest);
}

/// Whether the words of `text` are found through `data` already.
pub(super) fn covers(data: &str, text: &str) -> bool {
    let searched = &data[..data.floor_char_boundary(SEARCHED_BYTES)];
    let apart = |neighbour: Option<char>| !neighbour.is_some_and(char::is_alphanumeric);
    searched.match_indices(text).any(|(at, _)| {
        apart(searched[..at].chars().next_back()) && apart(searched[at + text.len()..].chars().next())
    })
}

/// The words that stand for what an event is, not for what it says: its feed, its type, and whether a popup ever told or will
/// tell of it (`n`) or not (`h`: held back). None of them ever changes.
pub(super) fn facets(feed: i64, kind: i64, told: bool) -> String {
    format!("f{feed} t{kind} {}", if told { TOLD } else { HELD })
}

/// The facet of events that a popup told or will tell of.
pub(super) const TOLD: &str = "n";

/// The facet of all others.
pub(super) const HELD: &str = "h";

/// What is searched for, as an FTS5 query: all words, the last one as a prefix if it has more than one character and ends in a letter,
/// a digit or `*`, and not in a CJK character. Nothing else in `text` is an operator. `None` if there is no word in it, so that
/// nothing can be found.
pub(super) fn query(text: &str) -> Option<String> {
    let text: String = text.chars().take(QUERY_CHARS).collect();
    let mut words = text
        .split_whitespace()
        .filter(|word| word.contains(char::is_alphanumeric))
        .take(QUERY_WORDS)
        .peekable();
    words.peek()?;
    let mut query = String::with_capacity(text.len() * 2 + 32);
    query.push_str("{title body data} : (");
    while let Some(word) = words.next() {
        query.push('"');
        let start = query.len();
        write_spaced(&mut query, &word.replace(['"', '\0'], " "));
        query.truncate(start + query[start..].trim_end().len());
        query.push('"');
        // A CJK character is a whole word already, and punctuation ends one.
        let open = |last: char| last == '*' || last.is_alphanumeric() && !is_cjk(last);
        if words.peek().is_none() && word.ends_with(open) && word.chars().nth(1).is_some() {
            query.push('*');
        }
        query.push(' ');
    }
    query.push(')');
    Some(query)
}

/// Appends `text` with a space on both sides of each CJK character, and fullwidth forms as the ASCII that they stand for.
fn write_spaced(into: &mut String, text: &str) {
    // Runs of other characters are copied whole: most text is ASCII.
    let mut run = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| *c >= '\u{1100}') {
        let ascii = fullwidth_ascii(c);
        if ascii.is_none() && !is_cjk(c) {
            continue;
        }
        into.push_str(&text[run..at]);
        run = at + c.len_utf8();
        match ascii {
            Some(ascii) => into.push(ascii),
            None => {
                into.push(' ');
                into.push(c);
                into.push(' ');
            }
        }
    }
    into.push_str(&text[run..]);
}

/// Resolves the JSON escape at the start of `rest`, after its backslash; returns what follows it.
fn write_escape<'a>(into: &mut String, rest: &'a str) -> &'a str {
    let unit = |text: &str| text.get(1..5).and_then(|hex| u16::from_str_radix(hex, 16).ok());
    match rest.as_bytes().first() {
        Some(b'u') => {
            let Some(first) = unit(rest) else { return rest };
            let rest = &rest[5..];
            let second = rest.strip_prefix('\\').filter(|low| low.starts_with('u')).and_then(unit);
            let pair = [first, second.unwrap_or_default()];
            match (char::from_u32(first.into()), char::decode_utf16(pair).next()) {
                (Some(c), _) => write_spaced(into, c.encode_utf8(&mut [0; 4])),
                (None, Some(Ok(c))) => {
                    write_spaced(into, c.encode_utf8(&mut [0; 4]));
                    return &rest[6..];
                }
                _ => into.push(' '),
            }
            rest
        }
        Some(b'b' | b'f' | b'n' | b'r' | b't') => {
            into.push(' ');
            &rest[1..]
        }
        _ => {
            // Of `\"`, `\\` and `\/` the character itself remains; a second backslash must not begin another escape.
            into.push(' ');
            rest.strip_prefix('\\').unwrap_or(rest)
        }
    }
}

/// Characters of scripts written without spaces, and Hangul, whose words take endings: each is a word of its own.
/// From Hangul Jamo to Yi, the compatibility blocks, halfwidth kana and Hangul, and the planes of rarer Han and kana.
fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{A4CF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE4F}' | '\u{FF61}'..='\u{FFDC}' | '\u{16FE0}'..='\u{18DFF}'
        | '\u{1AFF0}'..='\u{1B2FF}' | '\u{1F200}'..='\u{1F2FF}' | '\u{20000}'..='\u{3FFFF}')
}

/// `Ａ` is `A` to whoever searches.
fn fullwidth_ascii(c: char) -> Option<char> {
    matches!(c, '\u{FF01}'..='\u{FF5E}').then(|| char::from_u32(c as u32 - 0xFEE0)).flatten()
}

//! Text from a feed, made fit for a terminal: it can neither move the cursor, nor set the title, nor turn the line around.

use std::iter::Peekable;

use bellwether_engine::notification::is_invisible;

/// The text without escape sequences, control characters and invisible direction marks. LF and tab stay; CR LF, CR and the
/// Unicode line ends become LF.
pub(crate) fn block(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' => {
                rest.next_if_eq(&'\n');
                out.push('\n');
            }
            // NEL, line separator, paragraph separator.
            '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\u{1b}' => skip_escape_sequence(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest),
            c if is_invisible(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// The same on one line: every run of white space with a line end or a tab in it becomes one space.
pub(crate) fn line(text: &str) -> String {
    let text = block(text);
    if !text.contains(['\n', '\t']) {
        return text;
    }
    text.split(['\n', '\t']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Characters that a terminal would act on, or that would hide in the line. In JSON they are written as escapes, which loses
/// nothing.
pub(crate) fn is_unsafe(c: char) -> bool {
    is_invisible(c)
}

/// What follows ESC (ECMA-48 5.3, 5.4, 5.6).
fn skip_escape_sequence(rest: &mut Peekable<impl Iterator<Item = char>>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        Some('P' | 'X' | ']' | '^' | '_') => {
            rest.next();
            skip_string(rest);
        }
        _ => {
            while rest.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            rest.next_if(|c| matches!(c, '0'..='~'));
        }
    }
}

/// Parameters, intermediates and the final character of a control sequence.
fn skip_control_sequence(rest: &mut Peekable<impl Iterator<Item = char>>) {
    while rest.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    rest.next_if(|c| matches!(c, '@'..='~'));
}

/// A control string up to its end: ST, or BEL as xterm takes it. A line end closes it as well, so that an unclosed one cannot
/// hide what follows.
fn skip_string(rest: &mut Peekable<impl Iterator<Item = char>>) {
    while let Some(c) = rest.next_if(|c| !matches!(c, '\n' | '\r')) {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                rest.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_text_alone() {
        for (text, expected) in [
            ("plain 磁盘 👩‍💻", "plain 磁盘 👩‍💻"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}[38;2;1;2;3mred\u{1b}[K", "red"),
            ("\u{9b}31mred", "red"),
            ("a\u{1b}]0;title\u{7}b", "ab"),
            ("a\u{1b}]8;;http://x/\u{1b}\\link\u{1b}]8;;\u{1b}\\b", "alinkb"),
            ("a\u{9d}0;title\u{9c}b", "ab"),
            ("a\u{1b}P$q\u{1b}\\b", "ab"),
            ("a\u{1b}]never closed\nb", "a\nb"),
            ("a\u{1b}(Bb", "ab"),
            ("a\u{1b}cb", "ab"),
            ("a\u{1b}", "a"),
            ("a\u{1b}[", "a"),
            ("a\u{1b}[31磁", "a磁"),
            ("a\u{7}\u{8}\u{0}\u{7f}b", "ab"),
            ("a\r\nb\rc\u{2028}d", "a\nb\nc\nd"),
            ("a\u{202e}txt.exe\u{2066}\u{200f}", "atxt.exe"),
            ("a\u{200b}\u{feff}\u{e0041}b", "ab"),
        ] {
            assert_eq!(block(text), expected, "{text:?}");
        }
    }

    #[test]
    fn one_line_stays_one_line() {
        assert_eq!(line("a\n\n  b\tc\r\n"), "a b c");
        assert_eq!(line("  two  spaces "), "  two  spaces ");
    }

    #[test]
    fn nothing_unsafe_is_left_whatever_comes() {
        let hostile: String =
            (0..0x3000).filter_map(char::from_u32).flat_map(|c| ['x', c, '\u{1b}']).collect();
        let left = block(&hostile);
        assert!(left.chars().all(|c| matches!(c, '\n' | '\t') || !is_unsafe(c)));
    }
}

//! Lists of sections in the text: what stands in which place, what comes, and what goes.

use std::ops::Range;

use super::{is_comment, line_end, line_start, skip_blank_lines};

/// What is to stand in a place of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// Which one of the list's it was, from 0; none: it is new.
    pub(super) was: Option<usize>,
    /// Its text, with the comments that belong to it.
    pub(super) text: String,
}

/// The text with these pieces in the places of a list's sections, which stand at `extents` in their order. Sections that only
/// change places leave what is between them where it is. A section that goes takes along the blank lines after it, and nothing
/// else that is between sections.
pub(super) fn arrange(text: &str, extents: &[Range<usize>], pieces: &[Piece]) -> String {
    let (Some(first), Some(last)) = (extents.first(), extents.last()) else { return text.to_owned() };
    let (before, after) = (&text[..first.start], &text[last.end..]);
    let gaps: Vec<&str> = extents.windows(2).map(|pair| &text[pair[0].end..pair[1].start]).collect();
    let are_the_same = pieces.len() == extents.len()
        && (0..pieces.len()).all(|at| pieces.iter().any(|piece| piece.was == Some(at)));
    let eol = line_end(text);
    if are_the_same {
        let mut list = String::new();
        for (at, piece) in pieces.iter().enumerate() {
            list += &piece.text;
            if at + 1 < pieces.len() {
                end_line(&mut list, eol);
                part(&mut list, gaps.get(at).copied().unwrap_or_default(), eol);
            }
        }
        if !after.is_empty() {
            end_line(&mut list, eol);
        }
        return format!("{before}{list}{after}");
    }
    let (mut head, tails) = tails(&gaps, extents.len(), pieces);
    let usual = gaps.iter().find(|gap| gap.trim().is_empty()).copied().unwrap_or(eol);
    if pieces.is_empty() && head.is_empty() {
        let kept = before.trim_end_matches(['\n', '\r', ' ', '\t']);
        let line = before[kept.len()..].find('\n').map_or(0, |end| end + 1);
        let rest = if skip_blank_lines(after).is_empty() { "" } else { after };
        return format!("{}{rest}", &before[..kept.len() + line]);
    }
    for (at, piece) in pieces.iter().enumerate() {
        head += &piece.text;
        end_line(&mut head, eol);
        head += piece.was.and_then(|was| tails.get(was)).map_or("", String::as_str);
        let Some(next) = pieces.get(at + 1) else { continue };
        end_line(&mut head, eol);
        let gap = match (piece.was, next.was) {
            (Some(was), Some(next)) if next == was + 1 => {
                gaps.get(was).map_or(usual, |gap| &gap[tail_of(gap)..])
            }
            _ => usual,
        };
        part(&mut head, gap, eol);
    }
    if !after.is_empty() {
        end_line(&mut head, eol);
    }
    format!("{before}{head}{after}")
}

/// What stands between sections beside blank lines, at the section that it follows; first what follows none that stays.
fn tails(gaps: &[&str], sections: usize, pieces: &[Piece]) -> (String, Vec<String>) {
    let (mut head, mut tails) = (String::new(), vec![String::new(); sections]);
    let mut last_kept = None;
    for (at, gap) in gaps.iter().enumerate() {
        if pieces.iter().any(|piece| piece.was == Some(at)) {
            last_kept = Some(at);
        }
        let tail = &gap[..tail_of(gap)];
        match last_kept.and_then(|kept: usize| tails.get_mut(kept)) {
            Some(of) => of.push_str(tail),
            None => head.push_str(tail),
        }
    }
    (head, tails)
}

/// Where the blank lines begin that a gap ends with.
fn tail_of(gap: &str) -> usize {
    match gap.trim_end_matches(['\n', '\r', ' ', '\t']).len() {
        0 => 0,
        end => gap[end..].find('\n').map_or(gap.len(), |line| end + line + 1),
    }
}

/// Adds what is between two sections. A comment at the end of the one above must not become that of the one below.
fn part(list: &mut String, gap: &str, eol: &str) {
    let last = list.trim_end_matches(['\n', '\r']).len();
    if gap.is_empty() && is_comment(&list[line_start(list, last)..last]) {
        list.push_str(eol);
    }
    list.push_str(gap);
}

fn end_line(list: &mut String, eol: &str) {
    if !list.is_empty() && !list.ends_with('\n') {
        list.push_str(eol);
    }
}

//! How inputs are made.

use proptest::{collection::vec, prelude::*, sample};

/// Longest input, in bytes: what breaks at all mostly breaks with a few.
const LONGEST: usize = 16 << 10;

/// One change of an input. Positions are taken modulo its length.
#[derive(Clone, Debug)]
enum Mutation {
    Insert(usize, Vec<u8>),
    /// At the start of a line, where more texts stay whole.
    InsertLine(usize, Vec<u8>),
    Overwrite(usize, Vec<u8>),
    Remove(usize, usize),
    RemoveLine(usize),
    /// Another stretch of the input, written so many times.
    Repeat(usize, usize, usize),
    Flip(usize, u8),
}

/// An input of the corpus or none, with a few changes, of which it may stay well-formed, or with many.
pub(crate) fn inputs(
    mut corpus: Vec<Vec<u8>>,
    dictionary: &'static [&'static str],
) -> impl Strategy<Value = Vec<u8>> {
    corpus.insert(0, Vec::new());
    let fragments = corpus.clone();
    let mutation = mutation(fragments, dictionary);
    let mutations = prop_oneof![3 => vec(mutation.clone(), 1..4), 1 => vec(mutation, 4..24)];
    (sample::select(corpus), mutations).prop_map(|(start, mutations)| {
        let mut input = start;
        for mutation in mutations {
            mutation.apply(&mut input);
            input.truncate(LONGEST);
        }
        input
    })
}

fn mutation(
    corpus: Vec<Vec<u8>>,
    dictionary: &'static [&'static str],
) -> impl Strategy<Value = Mutation> + Clone {
    let splice = (sample::select(corpus), any::<usize>(), 1..200_usize).prop_map(|(other, at, length)| {
        let start = at % (other.len() + 1);
        other[start..(start + length).min(other.len())].to_vec()
    });
    let fragment = prop_oneof![
        6 => sample::select(dictionary).prop_map(|text| text.as_bytes().to_vec()),
        2 => vec(any::<u8>(), 1..6),
        1 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        2 => splice,
    ];
    let at = any::<usize>;
    prop_oneof![
        3 => (at(), fragment.clone()).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        6 => (at(), fragment.clone()).prop_map(|(at, bytes)| Mutation::InsertLine(at, bytes)),
        2 => (at(), fragment).prop_map(|(at, bytes)| Mutation::Overwrite(at, bytes)),
        2 => (at(), 1..64_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        4 => at().prop_map(Mutation::RemoveLine),
        1 => (at(), 1..64_usize, 1..32_usize).prop_map(|(at, length, times)| Mutation::Repeat(at, length, times)),
        1 => (at(), 1..=255_u8).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
    ]
}

impl Mutation {
    fn apply(self, input: &mut Vec<u8>) {
        let place = |at: usize| at % (input.len() + 1);
        let stretch = |at: usize, length: usize| place(at)..(place(at) + length).min(input.len());
        match self {
            Self::Insert(at, bytes) => {
                let at = place(at);
                input.splice(at..at, bytes);
            }
            Self::InsertLine(at, bytes) => {
                let start = line_start(input, place(at));
                input.splice(start..start, bytes);
            }
            Self::RemoveLine(at) => {
                let start = line_start(input, place(at));
                let length = input[start..].iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                input.drain(start..start + length);
            }
            Self::Overwrite(at, bytes) => {
                let range = stretch(at, bytes.len());
                input.splice(range, bytes);
            }
            Self::Remove(at, length) => {
                let range = stretch(at, length);
                input.drain(range);
            }
            Self::Repeat(at, length, times) => {
                let range = stretch(at, length);
                let copies = input[range.clone()].repeat(times);
                input.splice(range.end..range.end, copies);
            }
            Self::Flip(at, bits) => {
                let at = place(at);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bits;
                }
            }
        }
    }
}

fn line_start(input: &[u8], at: usize) -> usize {
    input[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

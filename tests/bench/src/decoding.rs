//! Bytes to messages.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bellwether_engine::event_source::{Answer, EventSource, Limits, Output, Verdict};
use url::Url;

use crate::{
    feeds::typical,
    figures::{Figures, Unit, median},
    process::own_cpu,
};

const RUNS: usize = 5;
/// As the network's chunks are cut before they are decoded.
const PIECE: usize = 8 << 10;
const MEBI: usize = 1 << 20;

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let mut common = String::new();
    for number in 0..100_000 {
        typical(&mut common, number);
    }
    let tiny = "data: 123456789ab\n\n".repeat(MEBI);
    let long = |length: usize| format!("data: {}\n\n", "x".repeat(length - 8));
    let lines = long(MEBI).repeat(32);
    let many_lines = format!("{}\n", "data: a line of some length\n".repeat(30_000)).repeat(16);
    let usual = Limits::default();
    let wide = Limits { event_bytes: 64 * MEBI, ..Limits::default() };
    let line = long(16 * MEBI);
    let mut times = Vec::new();
    for (what, body, piece, limits, messages) in [
        ("events of 350 B", &common, PIECE, &usual, 100_000),
        ("events of 19 B", &tiny, PIECE, &usual, MEBI),
        ("events of 19 B, byte by byte", &tiny, 1, &usual, MEBI),
        ("events of 350 B, byte by byte", &common, 1, &usual, 100_000),
        ("events of one line of 1 MiB", &lines, PIECE, &usual, 32),
        ("events of 30,000 lines", &many_lines, PIECE, &usual, 16),
        ("a line of 16 MiB, over the limit", &line, 2 * PIECE, &usual, 0),
        ("a line of 16 MiB, within the limit", &line, 2 * PIECE, &wide, 1),
    ] {
        let seconds = decode(body, piece, limits, messages)?;
        #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
        figures.at_least(what, body.len() as f64 / seconds / 1e6, Unit::Megabytes, 100.0);
        times.push(seconds);
    }
    for (what, once, twice, piece, messages) in [
        ("twice as long a line takes", long(16 * MEBI), long(32 * MEBI), 2 * PIECE, [1, 1]),
        ("twice as long a line, byte by byte, takes", long(4 * MEBI), long(8 * MEBI), 1, [1, 1]),
        ("twice as many lines take", many_data(1), many_data(2), PIECE, [1, 1]),
    ] {
        let ratio = decode(&twice, piece, &wide, messages[1])? / decode(&once, piece, &wide, messages[0])?;
        figures.at_most(what, ratio, Unit::Times, 2.5);
    }
    Ok(())
}

/// One event of 8 MiB in short lines, or of so many times that.
fn many_data(times: usize) -> String {
    format!("{}\n", "data: 123456789\n".repeat(times * MEBI / 2))
}

/// The seconds that it takes to decode a body that holds so many messages.
fn decode(body: &str, piece: usize, limits: &Limits, messages: usize) -> Result<f64> {
    let url = Url::parse("https://example.org/")?;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let now = Instant::now();
        let mut source = EventSource::new(limits.clone(), url.clone(), None, String::new(), 1);
        source.poll_request(now).context("no request")?;
        let answer = Answer { status: 200, content_type: Some("text/event-stream"), ..Answer::default() };
        ensure!(source.answered(now, &answer) == Verdict::Open, "refused");
        let before = own_cpu();
        let mut seen = 0;
        for piece in body.as_bytes().chunks(piece) {
            source.received(now, piece);
            while let Some(output) = source.poll_output() {
                seen += usize::from(matches!(std::hint::black_box(output), Output::Message(_)));
            }
        }
        runs.push((own_cpu() - before).as_secs_f64());
        ensure!(seen == messages, "{seen} messages instead of {messages}");
    }
    Ok(median(runs))
}

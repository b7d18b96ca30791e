//! `bellwether listen`: what a stream sends, without the resident program.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    io,
    sync::Arc,
};

use bellwether_control::{messages::Catalogue, wire};
use bellwether_engine::{
    event_source::{Limits, Message},
    feed::{ConnectionState, DEFAULT_IDLE_TIMEOUT, Reason, State},
    subscription::{Client, Signal, Subscription},
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use tokio::sync::{Notify, mpsc};

use super::{
    Failure,
    output::{Output, Paint, Span},
    status, time,
};
use crate::args::ListenArgs;

const USER_AGENT: &str = concat!("bellwether/", env!("CARGO_PKG_VERSION"));
/// Signals that may wait for a slow standard output before the connection is held back.
const QUEUE: usize = 64;

/// Prints events until `--count` is reached or the server ends the stream for good. Ctrl-C ends it at any time, since every
/// event is handed over whole.
pub(super) async fn run(args: &ListenArgs, catalogue: &Catalogue, output: &mut Output) -> Result<(), Failure> {
    let client = Client::new(USER_AGENT).map_err(|error| Failure::Said(error.to_string()))?;
    let subscription = Subscription {
        url: args.url.clone(),
        idle_timeout: Some(DEFAULT_IDLE_TIMEOUT),
        last_event_id: args.last_event_id.clone(),
        limits: Limits::default(),
        seed: RandomState::new().build_hasher().finish(),
    };
    let (sender, mut signals) = mpsc::channel(QUEUE);
    let mut printer = Printer { args, catalogue, output, origin: String::new(), printed: 0, stopped: None };
    tokio::spawn(subscription.run(client, Arc::new(Notify::new()), sender, |signal| signal));
    while let Some(signal) = signals.recv().await {
        printer.signal(signal, Timestamp::now())?;
        if args.count.is_some_and(|count| printer.printed >= count) {
            return Ok(());
        }
    }
    match printer.stopped {
        None | Some(Reason::Status(204)) => Ok(()),
        Some(reason) => Err(Failure::Said(sentence(&reason, catalogue))),
    }
}

struct Printer<'a> {
    args: &'a ListenArgs,
    catalogue: &'a Catalogue,
    output: &'a mut Output,
    /// Of the response that is being read.
    origin: String,
    /// Events so far.
    printed: u64,
    /// Why the server ended it for good.
    stopped: Option<Reason>,
}

impl Printer<'_> {
    fn signal(&mut self, signal: Signal, now: Timestamp) -> io::Result<()> {
        match signal {
            Signal::Opened { origin, .. } => self.origin = origin,
            Signal::Message(message) => self.message(&message, now)?,
            Signal::LastEventId(_) => {}
            Signal::State(state) => self.state(state, now)?,
            Signal::Oversized(count) => self.output.note(&self.catalogue.count("cli.listen.oversized", count))?,
        }
        Ok(())
    }

    fn message(&mut self, message: &Message, now: Timestamp) -> io::Result<()> {
        if !self.args.events.is_empty() && !self.args.events.contains(&message.event_type) {
            return Ok(());
        }
        self.printed += 1;
        let received_at = format!("{now:.3}");
        if self.args.json {
            let line = Line {
                event: &message.event_type,
                data: &message.data,
                id: &message.last_event_id,
                origin: &self.origin,
                received_at: &received_at,
            };
            self.output.json_line("", &line, "")?;
        } else {
            let mut head = vec![
                Span::from(time::local(&received_at, &TimeZone::system())).paint(Paint::Dim),
                Span::from(format!("  {}", message.event_type)).paint(Paint::Bold),
            ];
            if !message.last_event_id.is_empty() {
                head.push(Span::from(format!("  id {}", message.last_event_id)).paint(Paint::Dim));
            }
            self.output.line(head)?;
            self.output.indented("    ", &message.data)?;
        }
        // Whoever waits for an event gets it now.
        self.output.flush()
    }

    fn state(&mut self, state: ConnectionState, now: Timestamp) -> io::Result<()> {
        let mut text = status::state_text(wire_state(state.state), self.catalogue);
        if let Some(reason) = state.reason.as_ref().filter(|_| state.state != State::Connected) {
            text.push_str(&format!(" · {}", sentence(reason, self.catalogue)));
        }
        if let Some(moment) = state.next_attempt_at {
            let next = time::until(&moment.to_string(), now, self.catalogue);
            text.push_str(&format!(" · {}", self.catalogue.format("cli.status.next_try", &[("time", &next)])));
        }
        if state.state == State::Stopped {
            self.stopped = state.reason;
        }
        self.output.note(&text)
    }
}

/// An event with the names that scripts rely on.
#[derive(Serialize)]
struct Line<'a> {
    event: &'a str,
    data: &'a str,
    id: &'a str,
    origin: &'a str,
    received_at: &'a str,
}

fn sentence(reason: &Reason, catalogue: &Catalogue) -> String {
    let reason = wire::ConnectionReason { code: reason.code().to_owned(), detail: reason.detail() };
    status::reason_sentence(&reason, catalogue)
}

fn wire_state(state: State) -> wire::ConnectionState {
    match state {
        State::Connecting => wire::ConnectionState::Connecting,
        State::Connected => wire::ConnectionState::Connected,
        State::Waiting => wire::ConnectionState::Waiting,
        State::NeedsAttention => wire::ConnectionState::NeedsAttention,
        State::Stopped => wire::ConnectionState::Stopped,
        State::Paused => wire::ConnectionState::Paused,
    }
}

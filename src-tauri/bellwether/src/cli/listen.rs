//! `bellwether listen`: what a stream sends, without the resident program.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    io,
    sync::Arc,
};

use bellwether_control::{messages::Catalogue, wire};
use bellwether_engine::{
    access::{Access, Credentials},
    event_source::{Limits, Message},
    feed::{ConnectionState, DEFAULT_IDLE_TIMEOUT, Reason, State},
    network::Network,
    resume::Resume,
    subscription::{Client, Signal, Subscription},
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    Failure, USER_AGENT,
    output::{Output, Paint, Span},
    status, time,
};
use crate::args::ListenArgs;

/// Signals that may wait for a slow standard output before the connection is held back.
const QUEUE: usize = 64;

/// Prints events until `--count` is reached or the server ends the stream for good. Ctrl-C ends it at any time, since every
/// event is handed over whole.
pub(super) async fn run(
    args: &ListenArgs,
    catalogue: &Catalogue,
    output: &mut Output,
) -> Result<(), Failure> {
    let client = Client::new(USER_AGENT).map_err(|error| Failure::Said(error.to_string()))?;
    let subscription = Subscription {
        url: args.url.clone(),
        headers: args.headers.iter().cloned().collect(),
        credentials: Credentials {
            access: Access { plain_http: args.plain_http, ..Access::default() },
            ..Credentials::default()
        },
        network: args.network.over(Network::default()),
        idle_timeout: Some(DEFAULT_IDLE_TIMEOUT),
        last_event_id: args.last_event_id.clone(),
        resume: Resume::Header,
        resume_value: String::new(),
        limits: Limits::default(),
        seed: RandomState::new().build_hasher().finish(),
        activity: Arc::default(),
    };
    let (sender, mut signals) = mpsc::channel(QUEUE);
    let mut printer = Printer { args, catalogue, output, origin: String::new(), printed: 0, stopped: None };
    // Ends with this set, and with it the connection.
    let mut connection = JoinSet::new();
    connection.spawn(subscription.run(client, Arc::default(), sender, |signal, _| signal));
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
            Signal::Message { message, .. } => self.message(&message, now)?,
            Signal::Flooding | Signal::LastEventId(_) | Signal::ResumeRefused | Signal::Comment(_) => {}
            Signal::State(state) => self.state(state, now)?,
            Signal::Oversized(count) => {
                self.output.note(&self.catalogue.count("cli.listen.oversized", count))?;
            }
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
            text.push_str(&format!(
                " · {}",
                self.catalogue.format("cli.status.next_try", &[("time", &next)])
            ));
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::{Value, json};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::{
        args::{Arguments, Command},
        cli::{finish, output::capture},
    };

    const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    const EVENTS: &str =
        "id: 1\ndata: 磁盘\ndata: \u{1b}[31mfull\n\nevent: deploy\ndata: {}\n\ndata: third\n\n";

    /// What `listen` left behind, and the request that it made.
    struct Heard {
        code: u8,
        out: String,
        err: String,
        request: String,
    }

    /// Listens to a server that gives this answer and then keeps the connection open.
    async fn listen(flags: &str, answer: &str) -> Heard {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let line = format!("bellwether listen http://{}/ {flags}", server.local_addr().unwrap());
        let Some(Command::Listen(args)) = Arguments::try_parse_from(line.split_whitespace()).unwrap().command
        else {
            panic!("{line}")
        };
        let answer = answer.to_owned();
        let served = tokio::spawn(async move {
            let (mut connection, _) = server.accept().await.unwrap();
            let request = read_head(&mut connection).await;
            connection.write_all(answer.as_bytes()).await.unwrap();
            // Until the client has gone.
            let _ = connection.read(&mut [0]).await;
            request
        });
        let (mut output, captured) = capture::captured(None);
        let catalogue = Catalogue::new("en");
        let result = run(&args, &catalogue, &mut output).await;
        let code = finish(result, &catalogue, &mut output);
        Heard { code, out: captured.out(), err: captured.err(), request: served.await.unwrap() }
    }

    async fn read_head(connection: &mut TcpStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap().to_ascii_lowercase()
    }

    #[tokio::test]
    async fn events_are_printed_as_plain_text_until_the_count() {
        let heard = listen("--count 2 --last-event-id 41", &format!("{STREAM}{EVENTS}")).await;
        assert_eq!(heard.code, 0, "{}", heard.err);
        let lines: Vec<&str> = heard.out.lines().collect();
        assert_eq!(lines.len(), 5, "{}", heard.out);
        assert!(lines[0].ends_with("  message  id 1"), "{}", heard.out);
        assert_eq!(lines[1..3], ["    磁盘", "    full"]);
        assert!(lines[3].ends_with("  deploy  id 1"), "{}", heard.out);
        assert!(heard.request.contains("last-event-id: 41\r\n"), "{}", heard.request);
        assert!(heard.err.contains('●'), "{}", heard.err);
    }

    #[tokio::test]
    async fn json_is_one_object_a_line() {
        let flags = "--json --count 1 --event deploy --event other";
        let heard = listen(flags, &format!("{STREAM}{EVENTS}")).await;
        let mut event: Value = serde_json::from_str(&heard.out).unwrap();
        let received_at = event["received_at"].take();
        assert!(received_at.as_str().unwrap().parse::<Timestamp>().is_ok(), "{received_at}");
        let origin = event["origin"].take();
        assert!(origin.as_str().unwrap().starts_with("http://127.0.0.1:"), "{origin}");
        let expected =
            json!({"event": "deploy", "data": "{}", "id": "1", "origin": null, "received_at": null});
        assert_eq!(event, expected);
        assert!(heard.out.ends_with("}\n"));
    }

    #[tokio::test]
    async fn a_server_that_ends_it_for_good_is_obeyed() {
        let heard = listen("", "HTTP/1.1 204 No Content\r\n\r\n").await;
        assert_eq!((heard.code, heard.out.as_str()), (0, ""));
        let heard = listen("", "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n").await;
        assert_eq!((heard.code, heard.out.as_str()), (1, ""));
        assert!(heard.err.lines().last().unwrap().starts_with("bellwether: "), "{}", heard.err);
    }
}

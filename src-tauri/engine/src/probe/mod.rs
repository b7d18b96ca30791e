//! What there is at a URL: one connection, watched for a few seconds, before a feed is made of it or when one does not work.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use url::{Position, Url};

use crate::{
    access::{Credentials, mask},
    config,
    event_source::{EventSource, Limits, Message, Output},
    network::Network,
    preset::{self, Chosen},
    rule::FeedFacts,
    subscription::{Body, Client, Exchange, HeaderMap, by, now},
};

mod fault;
mod heartbeat;

pub use fault::Fault;
use heartbeat::Heartbeat;

/// How long a probe takes at most.
pub const BUDGET: Duration = Duration::from_secs(10);

/// For somebody who waits for it: what follows the first message within 2 s still counts.
pub const BRIEF: Budget = Budget { all: BUDGET, after_first: Some(Duration::from_secs(2)) };

/// How long a probe may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// All in all.
    pub all: Duration,
    /// After the first message, if less is enough then.
    pub after_first: Option<Duration>,
}

impl From<Duration> for Budget {
    fn from(all: Duration) -> Self {
        Self { all, after_first: None }
    }
}

/// Messages after which a probe has seen enough.
pub const ENOUGH: u64 = 5;

/// How much of a message's data, and of its type and ID, a probe keeps, in bytes.
pub const SAMPLE_BYTES: usize = 4096;

/// What was found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// The status code of the last answer, if one came.
    pub status: Option<u16>,
    /// Its `Content-Type`, as sent but in one short line and with the feed's secrets masked.
    pub content_type: Option<String>,
    /// The redirects that were followed, in their order.
    pub redirects: Vec<Redirect>,
    /// How long the stream was read; `None` if there is none.
    pub listened: Option<Duration>,
    /// The longest time between two signs of life beside events (comments, blank lines); `None` if fewer than two came.
    pub keep_alive: Option<Duration>,
    /// The server gives IDs, so that nothing is lost over a reconnect.
    pub last_event_ids: bool,
    /// The reconnection time that the server set, within [`Limits`].
    pub retry: Option<Duration>,
    /// The types of the messages that came, in the order of their first one.
    pub event_types: Vec<EventType>,
    /// The server ended the response as it should after these messages; it is meant to be asked again.
    pub ended: bool,
    /// The preset that the address tells, or a message.
    pub preset: Option<Chosen>,
    /// Why it is no event stream that can be used; `None` if it is one.
    pub fault: Option<Fault>,
}

/// A redirect that was followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// 301 or 308 is meant to last, 302, 303 or 307 is not.
    pub status: u16,
    /// Where to, without user, password, query and fragment, which may hold secrets.
    pub url: String,
    /// Another origin than the first: it was not given the headers.
    pub other_origin: bool,
}

/// Messages of one type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventType {
    /// How many came.
    pub count: u64,
    /// The first, each of its texts cut at [`SAMPLE_BYTES`].
    pub sample: Message,
    /// Its data was longer.
    pub data_truncated: bool,
}

/// Connects to `url` once, by way of `network`, with `headers` and `credentials` for its origin, and reads for up to `budget`,
/// all in all, or until [`ENOUGH`] messages have come.
///
/// It looks the way a feed's first connection does: same client, redirects and rules for answers.
pub async fn probe(
    client: &Client,
    url: &str,
    headers: HeaderMap,
    credentials: Credentials,
    network: &Network,
    budget: impl Into<Budget>,
) -> Report {
    let Budget { all: budget, after_first } = budget.into();
    let mut report = Report::default();
    let url = match config::feed_url(url.trim()) {
        Ok(url) => url,
        Err(error) => {
            report.fault = Some(Fault::of_url(&error));
            return report;
        }
    };
    report.preset = preset::by_url(&url);
    let shown_url = mask::masked(url.as_str()).into_owned();
    let exchange = Exchange::new(client, network, &url, headers, credentials);
    exchange.prepare().await;
    let source = EventSource::new(Limits::default(), url, None, String::new(), 0);
    let heartbeat = Heartbeat::default();
    let mut probe =
        Probe { report, shown_url, exchange, source, heartbeat, opened_at: None, heard: false, after_first };
    // Late or not, what has been seen until then counts.
    let _ = by(now().checked_add(budget), probe.run()).await;
    probe.finish(now(), budget)
}

struct Probe {
    report: Report,
    /// The URL without secrets.
    shown_url: String,
    exchange: Exchange,
    source: EventSource,
    heartbeat: Heartbeat,
    opened_at: Option<Instant>,
    /// A byte of the body has come.
    heard: bool,
    after_first: Option<Duration>,
}

impl Probe {
    /// The first request, those of its redirects, and the stream.
    async fn run(&mut self) {
        while let Some(request) = self.source.poll_request(now()) {
            if let Some(status) = self.report.status.take() {
                let other_origin = !self.exchange.is_trusted(&request.url);
                let mut url = request.url.clone();
                self.exchange.clean(&mut url);
                let url = without_secrets(&url);
                self.report.redirects.push(Redirect { status, url, other_origin });
            }
            self.report.content_type = None;
            let (head, body) = self.exchange.request(&mut self.source, request).await;
            if let Some(head) = head {
                self.report.status = Some(head.status);
                self.report.content_type = head.content_type;
            }
            if let Some(body) = body {
                self.opened_at = Some(now());
                return self.read(body).await;
            }
        }
    }

    async fn read(&mut self, mut body: Body) {
        let mut until = None;
        loop {
            // What has come by then is enough.
            let Ok(chunk) = by(until, body.chunk(&mut self.source)).await else { return };
            let Some(chunk) = chunk else { break };
            let chunk = chunk.as_ref();
            self.heard = true;
            self.heartbeat.received(now(), chunk);
            self.source.received(now(), chunk);
            while let Some(output) = self.source.poll_output() {
                match output {
                    Output::Message(message) => self.message(&message),
                    Output::LastEventId(_) => self.report.last_event_ids = true,
                    Output::Identified | Output::ResumeRefused | Output::Oversized | Output::Comment(_) => {}
                }
            }
            if self.messages() >= ENOUGH {
                return;
            }
            if until.is_none() && self.messages() > 0 {
                until = self.after_first.and_then(|time| now().checked_add(time));
            }
        }
        self.report.ended = self.source.status().reason.is_none();
    }

    fn message(&mut self, message: &Message) {
        if self.messages() >= ENOUGH {
            return;
        }
        self.report.last_event_ids |= !message.last_event_id.is_empty();
        if self.report.preset.is_none() {
            let facts = FeedFacts { id: "", name: "", url: &self.shown_url };
            self.report.preset = preset::by_stream(&facts, message, Timestamp::now());
        }
        let event_type = cut(&message.event_type);
        let known = self.report.event_types.iter_mut().find(|known| known.sample.event_type == event_type);
        if let Some(known) = known {
            known.count += 1;
            return;
        }
        let sample =
            Message { event_type, data: cut(&message.data), last_event_id: cut(&message.last_event_id) };
        let data_truncated = sample.data.len() < message.data.len();
        self.report.event_types.push(EventType { count: 1, sample, data_truncated });
    }

    fn messages(&self) -> u64 {
        self.report.event_types.iter().map(|known| known.count).sum()
    }

    fn finish(self, now: Instant, budget: Duration) -> Report {
        let listened = self.opened_at.map(|since| now.saturating_duration_since(since));
        let fault = match (self.source.status().reason, listened) {
            (Some(reason), _) => Some(Fault::Connection(reason)),
            (None, None) => Some(Fault::Timeout(budget)),
            (None, Some(listened)) => (!self.heard).then_some(Fault::Silent(listened)),
        };
        Report {
            listened,
            keep_alive: self.heartbeat.interval(),
            retry: self.source.reconnection_time(),
            fault,
            ..self.report
        }
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(SAMPLE_BYTES)].to_owned()
}

fn without_secrets(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), &url[Position::BeforePath..Position::AfterPath])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirects_target_is_told_without_secrets() {
        let url = Url::parse("https://user:password@b.example:8443/a/b?token=secret#part").unwrap();
        assert_eq!(without_secrets(&url), "https://b.example:8443/a/b");
    }

    #[test]
    fn a_sample_is_cut_between_characters() {
        assert_eq!(cut(&"磁".repeat(2000)).len(), SAMPLE_BYTES - 1);
        assert_eq!(cut("磁盘"), "磁盘");
    }
}

//! A recorded stream, what must come of it, and the way through the engine's parts.

use std::{
    fs,
    path::Path,
    slice::Chunks,
    time::{Duration, Instant},
};

use bellwether_engine::{
    config,
    event_source::{Answer, EventSource, Limits, Message, Output, Verdict},
    feed::Feed,
    notification::{Expire, Urgency},
    preset::{self, Opening},
    resume::Resume,
    rule::{Action, Decision, FeedFacts},
};
use jiff::Timestamp;
use toml_edit::{DocumentMut, Item, Table};

/// A file of this folder.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) preset: String,
    /// How the preset comes to the feed: `url`, `stream` or `set`.
    pub(crate) found: String,
    /// The type of the event that tells it.
    pub(crate) event: Option<String>,
    url: String,
    /// So many messages begin each connection.
    greeting: usize,
    /// What its server goes on by after a reconnect: `header`, `query` or `none`.
    replay: String,
    messages: Vec<Expected>,
}

/// What must come of a message.
struct Expected {
    told: Told,
    /// What a reconnect after it asks for.
    place: Option<String>,
}

/// What came of a message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Told {
    pub(crate) outcome: String,
    pub(crate) reason: String,
    pub(crate) rule: Option<u32>,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) url: Option<String>,
    pub(crate) icon: Option<String>,
    pub(crate) urgency: String,
    pub(crate) key: Option<String>,
    /// Seconds.
    pub(crate) expire: u64,
    pub(crate) buttons: Vec<[String; 2]>,
}

/// What came of a stream.
pub(crate) struct Run {
    pub(crate) told: Vec<Told>,
    /// What the last request carried.
    pub(crate) resumed_by: Option<String>,
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    let mut names: Vec<_> = fs::read_dir("tests/presets")
        .expect("the folder of streams")
        .filter_map(|file| Some(file.ok()?.file_name().to_str()?.strip_suffix(".stream")?.to_owned()))
        .collect();
    names.sort();
    assert!(names.len() > 14, "{names:?}");
    names.iter().map(|name| Fixture::read(name)).collect()
}

impl Fixture {
    fn read(name: &str) -> Self {
        let file = Path::new("tests/presets").join(name);
        let text = fs::read_to_string(file.with_extension("toml")).expect("what must come of a stream");
        let file_bytes = fs::read(file.with_extension("stream")).expect("a stream");
        let document: DocumentMut = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = |key: &str| document.get(key).and_then(Item::as_str).map(str::to_owned);
        let messages = document["message"].as_array_of_tables().expect("messages");
        let preset = text("preset").unwrap_or_else(|| {
            // `ntfy-own-server` is a stream of `ntfy`.
            let of = |preset: &&preset::Preset| name.starts_with(preset.id);
            preset::all().iter().find(of).expect("a preset of this name").id.to_owned()
        });
        let fixture = Self {
            name: name.to_owned(),
            bytes: file_bytes,
            found: text("found").expect("found"),
            event: text("event"),
            url: text("url").expect("url"),
            greeting: document.get("greeting").and_then(Item::as_integer).unwrap_or_default() as usize,
            replay: text("replay").expect("replay"),
            messages: messages.iter().map(Expected::read).collect(),
            preset,
        };
        assert_eq!(fixture.messages().len(), fixture.messages.len(), "{name}");
        fixture
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        self.messages.iter().map(|expected| expected.told.clone()).collect()
    }

    /// The feed as `feeds.toml` declares it.
    pub(crate) fn feed(&self) -> Feed {
        let preset = if self.found == "set" { format!("preset = {:?}", self.preset) } else { String::new() };
        feed(&self.url, &preset)
    }

    pub(crate) fn feed_with(preset: &str) -> Feed {
        feed("https://example.org/events", &format!("preset = {preset:?}"))
    }

    /// The stream's messages.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        let mut source = source(&self.url, &Resume::Header);
        open(&mut source);
        read(&mut source, self.bytes.chunks(usize::MAX), |message, _| messages.push(message.clone()));
        messages
    }

    /// Where each message is complete.
    pub(crate) fn ends(&self) -> Vec<usize> {
        let (mut ends, mut at) = (Vec::new(), 0);
        let mut source = source(&self.url, &Resume::Header);
        open(&mut source);
        for chunk in self.bytes.chunks(1) {
            at += 1;
            read(&mut source, chunk.chunks(1), |_, _| ends.push(at));
        }
        ends
    }

    /// What a reconnect asks for after so many messages.
    pub(crate) fn place(&self, messages: usize) -> Option<&str> {
        self.messages[..messages].iter().rev().find_map(|message| message.place.as_deref())
    }

    /// What the server sends after a cut, and what must come of both parts together.
    pub(crate) fn after(&self, cut: usize, ends: &[usize]) -> (Vec<u8>, Vec<Told>) {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let end = |messages: usize| messages.checked_sub(1).map_or(0, |last| ends[last]);
        // The first message that it sends again: after the place that it was asked for, or after what was under way at the cut.
        let next = match self.replay.as_str() {
            "none" if end(whole) == cut => whole,
            "none" => (whole + 1).min(ends.len()),
            _ => {
                let placed = |message: &Expected| message.place.is_some();
                self.messages[..whole].iter().rposition(placed).map_or(0, |place| place + 1)
            }
        }
        .max(self.greeting);
        let bytes = [&self.bytes[..end(self.greeting)], &self.bytes[end(next)..]].concat();
        let all = self.told();
        (bytes, [&all[..whole], &all[..self.greeting], &all[next..]].concat())
    }

    /// Lets these bodies come one after the other, each on a connection of its own.
    pub(crate) fn run(&self, bodies: &[Chunks<'_, u8>]) -> Run {
        let mut feed = self.feed();
        // The engine connects anew once the stream told how that is done.
        let found = preset::by_id(&self.preset).and_then(|preset| preset.resume.clone());
        let mut source = source(&self.url, &found.unwrap_or_default());
        let mut run = Run { told: Vec::new(), resumed_by: None };
        for body in bodies {
            run.resumed_by = open(&mut source);
            let mut opening = Opening::default();
            read(&mut source, body.clone(), |message, source| {
                if feed.may_find_preset()
                    && let Some(found) = preset::by_stream(&facts(&feed), message, Timestamp::UNIX_EPOCH)
                {
                    feed = feed.clone().with_preset(found);
                    opening.found();
                }
                let preset = feed.preset.as_ref().map(|chosen| chosen.preset);
                let snapshot = opening.is_snapshot(preset, message);
                let decision = preset::decide(&feed, message, Timestamp::UNIX_EPOCH, snapshot);
                run.told.push(Told::new(decision));
                if let Some(value) = feed.resume.value_of(message) {
                    source.set_resume_value(&value);
                }
            });
            let now = Instant::now();
            source.ended(now);
            source.handle_timeout(now + Duration::from_secs(3600));
        }
        run
    }

    /// The preset that the stream tells by itself, and why.
    pub(crate) fn found_by_stream(&self) -> Option<(&'static str, String)> {
        let feed = feed(&self.url, "");
        let found = self
            .messages()
            .iter()
            .take(preset::LOOKED_AT as usize)
            .find_map(|message| preset::by_stream(&facts(&feed), message, Timestamp::UNIX_EPOCH))?;
        Some((found.preset.id, found.why().to_string()))
    }
}

impl Expected {
    fn read(table: &Table) -> Self {
        let text = |key: &str| table.get(key).and_then(Item::as_str).map(str::to_owned);
        let number = |key: &str| table.get(key).and_then(Item::as_integer);
        let word = text("as").expect("as");
        let (outcome, reason) = match word.as_str() {
            "keep_alive" => ("ignored", "keep_alive"),
            "snapshot" => ("logged", "snapshot"),
            outcome => (outcome, "preset"),
        };
        let buttons = table.get("buttons").and_then(Item::as_array);
        let buttons = buttons.into_iter().flatten().map(|button| {
            let [label, url] = [0, 1].map(|at| button.as_array()?.get(at)?.as_str().map(str::to_owned));
            [label.expect("a label"), url.expect("a URL")]
        });
        let told = Told {
            outcome: outcome.to_owned(),
            reason: reason.to_owned(),
            rule: number("rule").map(|rule| rule as u32),
            title: text("title").unwrap_or_default(),
            body: text("body").unwrap_or_default(),
            url: text("url"),
            icon: text("icon"),
            urgency: text("urgency")
                .unwrap_or_else(|| if word == "popup" { "normal" } else { "" }.to_owned()),
            key: text("key"),
            expire: number("expire").unwrap_or_default() as u64,
            buttons: buttons.collect(),
        };
        Self { told, place: text("resume") }
    }
}

impl Told {
    fn new(decision: Decision) -> Self {
        let Decision { action, notification, reason, .. } = decision;
        let outcome = match action {
            Action::Notify => "popup",
            Action::Log => "logged",
            Action::Ignore => "ignored",
            Action::Close => "closed",
            Action::Withdraw => "withdraw",
        };
        let told = Self {
            outcome: outcome.to_owned(),
            reason: reason.code.to_string(),
            rule: reason.rule,
            title: notification.title,
            body: notification.body,
            url: notification.url,
            icon: notification.icon,
            urgency: match notification.urgency {
                Urgency::Low => "low",
                Urgency::Normal => "normal",
                Urgency::Critical => "critical",
            }
            .to_owned(),
            key: notification.key,
            expire: match notification.expire {
                Expire::After(time) => time.as_secs(),
                _ => 0,
            },
            buttons: notification.buttons.into_iter().map(|button| [button.label, button.url]).collect(),
        };
        match action {
            Action::Notify => told,
            // What the lists say of it is the default popup's, unless a preset has better.
            Action::Log if reason.detail == "base64-log" => Self {
                outcome: told.outcome,
                reason: told.reason,
                title: told.title,
                body: told.body,
                ..Self::default()
            },
            _ => Self {
                outcome: told.outcome,
                reason: told.reason,
                rule: told.rule,
                key: told.key,
                ..Self::default()
            },
        }
    }

    pub(crate) fn decided(feed: &Feed, message: &Message) -> Self {
        Self::new(preset::decide(feed, message, Timestamp::UNIX_EPOCH, false))
    }

    pub(crate) fn of(feed: &Feed, event_type: &str, data: &str) -> Self {
        let (event_type, data) = (event_type.to_owned(), data.to_owned());
        let message = Message { event_type, data, last_event_id: String::new() };
        let decision = preset::decide(feed, &message, Timestamp::UNIX_EPOCH, false);
        let (title, body) = (decision.notification.title.clone(), decision.notification.body.clone());
        Self { title, body, ..Self::new(decision) }
    }
}

fn feed(url: &str, rest: &str) -> Feed {
    let text = format!("[[feed]]\nid = \"feed\"\nname = \"Feed\"\nurl = {url:?}\n{rest}");
    config::parse(&text).expect("a good file").feeds[0].as_ref().clone()
}

fn facts(feed: &Feed) -> FeedFacts<'_> {
    FeedFacts { id: feed.id.as_str(), name: &feed.name, url: feed.url.as_str() }
}

fn source(url: &str, resume: &Resume) -> EventSource {
    let url = url::Url::parse(url).expect("a URL");
    EventSource::new(Limits::default(), url, None, String::new(), 0).resuming(resume.clone(), String::new())
}

/// Connects, and says what the request carried.
fn open(source: &mut EventSource) -> Option<String> {
    let request = source.poll_request(Instant::now()).expect("a request");
    let since =
        request.url.query_pairs().find(|(name, _)| name == "since").map(|(_, value)| value.into_owned());
    // These are in the URL from the first.
    let since = since.filter(|value| value != "now" && !value.ends_with("00:00:00Z"));
    let answer = Answer { status: 200, content_type: Some("text/event-stream"), ..Answer::default() };
    assert_eq!(source.answered(Instant::now(), &answer), Verdict::Open);
    request.last_event_id.or(since)
}

fn read(source: &mut EventSource, chunks: Chunks<'_, u8>, mut take: impl FnMut(&Message, &mut EventSource)) {
    for chunk in chunks {
        source.received(Instant::now(), chunk);
        while let Some(output) = source.poll_output() {
            if let Output::Message(message) = output {
                take(&message, source);
            }
        }
    }
}

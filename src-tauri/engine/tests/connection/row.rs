//! A row of the table, and how it is tried.

use std::{
    any::Any,
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, mpsc},
    time::Duration,
};

use bellwether_engine::{
    access::Credentials,
    event_source::{Limits, Message},
    feed::{DEFAULT_IDLE_TIMEOUT, State},
    network::Network,
    resume::Resume,
    subscription::{HeaderMap, News, Signal, Subscription},
};
use jiff::Timestamp;
use tokio::{
    net::TcpListener,
    runtime::Builder,
    task::{JoinHandle, yield_now},
    time::advance,
};
use url::Url;

use crate::support::{AUTHORITY, Act, Recorded, Running, ScriptedServer};

/// The longest that a row may take, on the clock on the wall.
const PATIENCE: Duration = Duration::from_secs(30);

const TICK: Duration = Duration::from_millis(1);

/// How often everything that is ready is given its turn before nothing more is expected to happen. All of a row runs on one
/// thread, and a loopback socket has what was written to it at once.
const TURNS: usize = 200;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What stands in a script for the origins of the row's servers, which have their ports only when it is tried.
pub(crate) const SERVER: &str = "{server}";
pub(crate) const OTHER: &str = "{other}";

/// Stands for the port of the first one.
pub(crate) const PORT: &str = "{port}";

/// A rule, what servers do, and what is to be seen.
pub(crate) struct Row {
    pub(crate) name: String,
    /// What is subscribed to; [`SERVER`] stands for the server's origin.
    url: String,
    last_event_id: String,
    headers: HeaderMap,
    network: Network,
    idle_timeout: Option<Duration>,
    limits: Limits,
    seed: u64,
    /// What the server does on each connection.
    scripts: Vec<Vec<Act>>,
    /// What another origin's server does.
    other: Vec<Vec<Act>>,
    steps: Vec<Step>,
    /// What must live as long as the row.
    kept: Option<Box<dyn Any>>,
    /// In place of all that: a row of the log's.
    alone: Option<Alone>,
}

/// A row that needs more than a subscription, on the usual clock.
pub(crate) type Alone = fn() -> Pin<Box<dyn Future<Output = ()>>>;

/// What is to be seen next, or done.
pub(crate) enum Step {
    /// A request reaches the server.
    Asked(Check),
    /// A request reaches the server of the other origin.
    OtherAsked(Check),
    /// The next state but [`State::Connecting`], its reason's code and particular, or how that begins, and the failed attempts.
    State(State, String, u32),
    /// A message: its data and its last event ID.
    Message(String, String),
    /// The head of an answer was accepted.
    Opened,
    /// So it was, and redirects for good led to this URL; `None`: not those alone.
    OpenedAt(Option<&'static str>),
    /// The next attempt is told to follow within these seconds.
    NextWithin(f64, f64),
    /// Any other signal.
    Told(Signal),
    /// Nothing is asked for and nothing is told, for so long; then the rest of the second time passes.
    Wait(Duration, Duration),
    /// Somebody or something says so.
    Hear(fn(&News)),
    /// The client hangs up.
    HangUp,
    /// The subscription has ended by itself.
    Over,
}

/// Whether a request is as it should be.
pub(crate) type Check = fn(&Recorded) -> Result<(), String>;

impl Row {
    /// The rule in a few words, and what the server does on each connection; those beyond are held without an answer.
    pub(crate) fn new(name: impl Into<String>, scripts: Vec<Vec<Act>>, steps: Vec<Step>) -> Self {
        Self {
            name: name.into(),
            url: format!("{SERVER}/stream"),
            last_event_id: String::new(),
            headers: HeaderMap::new(),
            network: Network::default(),
            idle_timeout: Some(DEFAULT_IDLE_TIMEOUT),
            limits: Limits::default(),
            seed: 1,
            scripts,
            other: Vec::new(),
            steps,
            kept: None,
            alone: None,
        }
    }

    pub(crate) fn alone(name: &str, alone: Alone) -> Self {
        Self { alone: Some(alone), ..Self::new(name, Vec::new(), Vec::new()) }
    }

    pub(crate) fn at(self, url: impl Into<String>) -> Self {
        Self { url: url.into(), ..self }
    }

    pub(crate) fn since(self, last_event_id: impl Into<String>) -> Self {
        Self { last_event_id: last_event_id.into(), ..self }
    }

    pub(crate) fn headers(self, headers: HeaderMap) -> Self {
        Self { headers, ..self }
    }

    /// Trusts the authority of the tests, too.
    pub(crate) fn trusting(self) -> Self {
        Self { network: Network { ca_file: Some(AUTHORITY.into()), ..self.network }, ..self }
    }

    pub(crate) fn idle_timeout(self, idle_timeout: Option<Duration>) -> Self {
        Self { idle_timeout, ..self }
    }

    pub(crate) fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    pub(crate) fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    pub(crate) fn other(self, other: Vec<Vec<Act>>) -> Self {
        Self { other, ..self }
    }

    pub(crate) fn keeping(self, kept: impl Any) -> Self {
        Self { kept: Some(Box::new(kept)), ..self }
    }

    /// Tries it; what does not hold.
    pub(crate) fn run(self) -> Result<(), String> {
        if let Some(alone) = self.alone {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(alone());
            return Ok(());
        }
        let runtime =
            Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        runtime.block_on(self.play())
    }

    async fn play(self) -> Result<(), String> {
        let mut clock = Clock::stopped();
        let listeners = [listener().await, listener().await];
        let [at, other_at] = listeners.each_ref().map(|listener| listener.local_addr().expect("an address"));
        let fill_in = |text: &str| {
            text.replace(OTHER, &format!("http://{other_at}"))
                .replace(SERVER, &format!("http://{at}"))
                .replace(PORT, &at.port().to_string())
        };
        let serve = |listener, scripts: Vec<Vec<Act>>| {
            ScriptedServer::serve(
                listener,
                scripts.into_iter().map(|script| filled_in(script, fill_in)).collect(),
            )
        };
        let [listener, other_listener] = listeners;
        let (server, other) = (serve(listener, self.scripts), serve(other_listener, self.other));
        let subscription = Subscription {
            url: Url::parse(&fill_in(&self.url)).expect("a URL"),
            headers: self.headers,
            credentials: Credentials::default(),
            network: self.network,
            resume: Resume::Header,
            resume_value: String::new(),
            idle_timeout: self.idle_timeout,
            last_event_id: self.last_event_id,
            limits: self.limits,
            seed: self.seed,
            activity: Arc::default(),
        };
        let _kept = self.kept;
        let running = Running::start(subscription, Limits::default().connect_timeout);
        let mut world = World { server, other, running, told: VecDeque::new(), next_attempt_at: None };
        // From here on the client is ready: what it does next it does at once.
        let first = world.running.signal().await;
        world.told.push_back(first);
        for (at, step) in self.steps.into_iter().enumerate() {
            let done = tokio::select! {
                done = world.step(step) => done,
                _ = &mut clock.deadline => Err("nothing came".to_owned()),
            };
            done.map_err(|fault| format!("step {}: {fault}", at + 1))?;
        }
        Ok(())
    }
}

/// Tokio's clock, which moves only when a row says so: by itself it would jump ahead whenever all tasks wait for sockets, but
/// never while a blocking task runs. That task is the row's deadline, too.
struct Clock {
    deadline: JoinHandle<()>,
    _until: mpsc::Sender<()>,
}

impl Clock {
    fn stopped() -> Self {
        let (until, ended) = mpsc::channel();
        let deadline = tokio::task::spawn_blocking(move || {
            let _ = ended.recv_timeout(PATIENCE);
        });
        Self { deadline, _until: until }
    }
}

struct World {
    server: ScriptedServer,
    other: ScriptedServer,
    running: Running,
    /// What has come and was not looked at yet. It is taken from the client at once, as nothing here is about back-pressure.
    told: VecDeque<Signal>,
    next_attempt_at: Option<Timestamp>,
}

impl World {
    async fn step(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Asked(check) => check(&self.request(|world| &mut world.server).await),
            Step::OtherAsked(check) => check(&self.request(|world| &mut world.other).await),
            Step::State(state, reason, attempt) => self.state(state, &reason, attempt).await,
            Step::Message(data, id) => match self.signal().await {
                Signal::Message { message: Message { data: seen, last_event_id, .. }, .. } => {
                    same(&(data, id), &(seen, last_event_id))
                }
                other => Err(format!("the message {data:?} expected, {other:?} came")),
            },
            Step::Opened => self.opened().await.map(drop),
            Step::OpenedAt(url) => {
                let [server, other] =
                    [&self.server, &self.other].map(|server| server.url("/").origin().ascii_serialization());
                let port = self.server.url("/").port().unwrap_or_default().to_string();
                let url =
                    url.map(|url| url.replace(OTHER, &other).replace(SERVER, &server).replace(PORT, &port));
                same(&url, &self.opened().await?)
            }
            Step::NextWithin(least, most) => {
                let left = self.next_attempt_at.map(|due| due.duration_since(Timestamp::now()).as_secs_f64());
                // The clock on the wall has gone on meanwhile.
                let fits = left.is_some_and(|left| (least - PATIENCE.as_secs_f64()..most).contains(&left));
                if fits {
                    Ok(())
                } else {
                    Err(format!("an attempt in {least} to {most} s expected, not in {left:?}"))
                }
            }
            Step::Told(signal) => same(&signal, &self.signal().await),
            Step::Wait(least, most) => self.wait(least, most).await,
            Step::Hear(news) => {
                settle().await;
                news(&self.running.news);
                Ok(())
            }
            Step::HangUp => {
                self.server.hang_up().await;
                Ok(())
            }
            Step::Over => match self.told.pop_front() {
                Some(signal) => Err(format!("the end expected, {signal:?} came")),
                None => self
                    .running
                    .ended()
                    .await
                    .map_or(Ok(()), |signal| Err(format!("the end expected, {signal:?} came"))),
            },
        }
    }

    /// Waits for an accepted answer; where redirects for good alone led to.
    async fn opened(&mut self) -> Result<Option<String>, String> {
        loop {
            match self.next().await {
                Signal::Opened { moved_to, .. } => return Ok(moved_to),
                Signal::State(state) if state.state == State::Connecting => {}
                other => return Err(format!("an opened stream expected, {other:?} came")),
            }
        }
    }

    async fn request(&mut self, of: fn(&mut Self) -> &mut ScriptedServer) -> Recorded {
        loop {
            self.take();
            if let Some(request) = of(self).recorded() {
                self.take();
                return request;
            }
            yield_now().await;
        }
    }

    /// Takes from the client what it has told.
    fn take(&mut self) {
        self.told.extend(std::iter::from_fn(|| self.running.told()));
    }

    async fn next(&mut self) -> Signal {
        match self.told.pop_front() {
            Some(signal) => signal,
            None => self.running.signal().await,
        }
    }

    /// The next signal that is more than the beginning of an attempt.
    async fn signal(&mut self) -> Signal {
        loop {
            match self.next().await {
                Signal::Opened { .. } => {}
                Signal::State(state) if matches!(state.state, State::Connecting | State::Connected) => {}
                other => return other,
            }
        }
    }

    async fn state(&mut self, wanted: State, reason: &str, attempt: u32) -> Result<(), String> {
        loop {
            match self.next().await {
                Signal::Opened { .. } => {}
                Signal::State(state) if state.state == State::Connecting && wanted != State::Connecting => {}
                Signal::State(state) => {
                    let seen = state.reason.as_ref().map_or_else(String::new, |reason| {
                        format!("{} {}", reason.code(), reason.detail()).trim_end().to_owned()
                    });
                    let fits = if reason.is_empty() { seen.is_empty() } else { seen.starts_with(reason) };
                    self.next_attempt_at = state.next_attempt_at;
                    if (state.state, state.attempt, fits) == (wanted, attempt, true) {
                        return Ok(());
                    }
                    return Err(format!(
                        "{wanted:?} ({reason:?}, {attempt}) expected, {:?} ({seen:?}, {}) came",
                        state.state, state.attempt
                    ));
                }
                other => return Err(format!("{wanted:?} ({reason}) expected, {other:?} came")),
            }
        }
    }

    async fn wait(&mut self, least: Duration, most: Duration) -> Result<(), String> {
        settle().await;
        self.take();
        if let Some(early) = least.checked_sub(TICK) {
            advance(early).await;
            settle().await;
        }
        self.server.unasked().and_then(|()| self.other.unasked())?;
        if let Some(signal) = self.running.told() {
            return Err(format!("{signal:?} came before {least:?}"));
        }
        advance(most.saturating_sub(least) + 2 * TICK).await;
        Ok(())
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

async fn settle() {
    for _ in 0..TURNS {
        yield_now().await;
    }
}

fn filled_in(script: Vec<Act>, fill_in: impl Fn(&str) -> String) -> Vec<Act> {
    let act = |act| match act {
        Act::Send(bytes) if bytes.contains(&b'{') => match String::from_utf8(bytes) {
            Ok(text) => Act::Send(fill_in(&text).into_bytes()),
            Err(error) => Act::Send(error.into_bytes()),
        },
        other => other,
    };
    script.into_iter().map(act).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(expected: &T, seen: &T) -> Result<(), String> {
    if expected == seen { Ok(()) } else { Err(format!("{expected:?} expected, {seen:?} came")) }
}

/// A request, whatever is in it.
pub(crate) fn asked() -> Step {
    Step::Asked(|_| Ok(()))
}

/// The stream is open.
pub(crate) fn connected() -> Step {
    Step::State(State::Connected, String::new(), 0)
}

/// The next attempt follows by itself, after so many failures.
pub(crate) fn waiting(reason: &str, attempt: u32) -> Step {
    Step::State(State::Waiting, reason.to_owned(), attempt)
}

/// The same, but a retry alone will hardly help.
pub(crate) fn needs_attention(reason: &str, attempt: u32) -> Step {
    Step::State(State::NeedsAttention, reason.to_owned(), attempt)
}

/// No attempt follows by itself, not in a year either.
pub(crate) fn stopped(reason: &str, attempt: u32) -> [Step; 2] {
    [Step::State(State::Stopped, reason.to_owned(), attempt), Step::Over]
}

pub(crate) fn message(data: &str, id: &str) -> Step {
    Step::Message(data.to_owned(), id.to_owned())
}

/// A delay of so many seconds with its jitter: up to a half more, never less.
pub(crate) fn delay(seconds: u64) -> Step {
    let least = Duration::from_secs(seconds);
    Step::Wait(least, least * 3 / 2)
}

/// Exactly so many seconds.
pub(crate) fn pass(seconds: u64) -> Step {
    let time = Duration::from_secs(seconds);
    Step::Wait(time, time)
}

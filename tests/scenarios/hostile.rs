//! Feeds that send what no honest server would: they cost bounded memory and work, are named in the status, and the other feeds
//! go on as before.

use std::fs;
use std::io::{BufRead, BufReader, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_control::wire::{ConnectionHint, ConnectionState, Feed, Update};
use bellwether_tests::{NumberedStream, PATIENCE, Resident, until};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

/// How much more memory the program may ever have taken than before it all, in KiB: a feed holds one event of 1 MiB and what was
/// read at once, each a few times over while it is taken apart.
const MEMORY: u64 = 32 << 10;

/// The share of a core that the program may take while it is kept busy. Without a bound it were all of one; a debug build takes
/// several times as long for everything.
const SHARE: f64 = 0.5;

/// How much later the other feed's events may be known, beside ten times the usual.
const LATER: Duration = Duration::from_millis(250);

/// How many events are timed.
const EVENTS: usize = 20;

/// What a server does once it is told to, until its client hangs up or it has had enough.
type Attack = fn(&mut TcpStream) -> Result<()>;

/// What is to be seen of it.
type Seen = fn(&Feed) -> bool;

#[test]
fn hostile_feeds_cost_little_are_named_and_leave_the_others_alone() {
    let flooding: Seen = |feed| feed.connection.hint == Some(ConnectionHint::Flooding);
    let cases: [(&str, Attack, Seen); 9] = [
        ("an endless line", endless_line, flooding),
        ("an endless event", endless_event, |feed| {
            feed.counts.oversized == 1 && feed.connection.hint == Some(ConnectionHint::Flooding)
        }),
        ("100,000 comments a second", comments, flooding),
        ("4 MiB of retry", retries, flooding),
        ("a retry of 4 MiB", long_retry, flooding),
        ("deeply nested JSON", nested_json, |feed| feed.counts.events == 20),
        ("a slow drip", slow_drip, |feed| feed.connection.hint == Some(ConnectionHint::Unfinished)),
        ("a gzip bomb as it is", gzip_bomb, flooding),
        ("a gzip bomb that is announced", announced_gzip_bomb, |feed| {
            feed.connection.state == ConnectionState::NeedsAttention
                && feed.connection.reason.as_ref().is_some_and(|reason| reason.code == "content_encoding")
        }),
    ];
    for (name, attack, seen) in cases {
        withstands(name, attack, seen);
    }
}

fn withstands(name: &str, attack: Attack, seen: Seen) {
    let (good, hostile) = (NumberedStream::start(), Hostile::start(attack));
    let mut resident = Resident::with_config(&format!(
        "[[feed]]\nid = \"good\"\nurl = \"{}\"\nrule = [{{ action = \"log\" }}]\n\
         [[feed]]\nid = \"hostile\"\nurl = \"{}\"\nidle_timeout = 2\nrule = [{{ action = \"log\" }}]\n",
        good.url("/"),
        hostile.url()
    ));
    hostile.wait_for_client();
    let alone = delays(&resident, &good);
    let pid = resident.process().pid();
    let memory = kib(pid, "VmRSS");

    hostile.go();
    until(PATIENCE, &format!("{name}: to be named"), || seen(&resident.feed("hostile")));
    let (start, busy) = (Instant::now(), cpu(pid));
    let beside = delays(&resident, &good);
    let share = cpu(pid).saturating_sub(busy).as_secs_f64() / start.elapsed().as_secs_f64();
    let more = kib(pid, "VmHWM").saturating_sub(memory);
    println!(
        "{name}: {more} KiB more at most, {:.0} % of a core, an event after {:?}, alone after {:?}",
        share * 100.0,
        middle(&beside),
        middle(&alone)
    );
    assert!(more <= MEMORY, "{name}: {more} KiB more");
    assert!(share <= SHARE, "{name}: {share} of a core");
    assert!(middle(&beside) <= 10 * middle(&alone) + LATER, "{name}: {beside:?}, alone {alone:?}");
    assert!(seen(&resident.feed("hostile")), "{name}: still named");
    let text = resident.cli_text(&["status"]);
    if let Some(hint) = resident.feed("hostile").connection.hint {
        let sentence = match hint {
            ConnectionHint::Flooding => "It sends far more than its events",
            ConnectionHint::Unfinished => "Its newest event is incomplete",
        };
        assert!(text.lines().any(|line| line.contains("hostile") && line.contains(sentence)), "{text}");
    }
    assert_eq!(resident.feed("good").counts.events, 2 * EVENTS as u64);
    assert!(resident.quit().success());
}

/// The times from an event's sending to its being told, one event after the other, over some seconds.
fn delays(resident: &Resident, good: &NumberedStream) -> Vec<Duration> {
    let mut updates = resident.updates();
    let mut delays = Vec::new();
    for _ in 0..EVENTS {
        let number = good.latest() + 1;
        let sent = Instant::now();
        good.send(1);
        let data = NumberedStream::data(number);
        updates.wait_for(
            PATIENCE,
            "an event of the good feed",
            |update| matches!(update, Update::Event(event) if event.feed == "good" && event.data == data),
        );
        delays.push(sent.elapsed());
        // Spread over some time, in which the hostile one goes on.
        thread::park_timeout(Duration::from_millis(60));
    }
    delays
}

fn middle(delays: &[Duration]) -> Duration {
    let mut delays = delays.to_vec();
    delays.sort_unstable();
    delays[delays.len() / 2]
}

fn kib(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok()).expect("a number of KiB")
}

/// CPU time of its present threads.
fn cpu(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let times = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
    let nanoseconds = times.filter_map(|times| times.split(' ').next()?.parse::<u64>().ok());
    Duration::from_nanos(nanoseconds.sum())
}

fn endless_line(stream: &mut TcpStream) -> Result<()> {
    write!(stream, "{HEAD}\r\ndata: ")?;
    for_ever(stream, &[b'x'; 64 << 10])
}

fn endless_event(stream: &mut TcpStream) -> Result<()> {
    write!(stream, "{HEAD}\r\n")?;
    for_ever(stream, "data: one more line\n".repeat(3000).as_bytes())
}

fn comments(stream: &mut TcpStream) -> Result<()> {
    write!(stream, "{HEAD}\r\n")?;
    let start = Instant::now();
    let mut sent = 0;
    loop {
        let due = (start.elapsed().as_secs_f64() * 100_000.0) as usize;
        stream.write_all(":\n\n".repeat(due - sent).as_bytes())?;
        sent = due;
        thread::park_timeout(Duration::from_millis(2));
    }
}

fn retries(stream: &mut TcpStream) -> Result<()> {
    write!(stream, "{HEAD}\r\n{}", "retry: 1\n".repeat((4 << 20) / 9))?;
    wait_for_the_end(stream)
}

fn long_retry(stream: &mut TcpStream) -> Result<()> {
    write!(stream, "{HEAD}\r\nretry: {}\n", "1".repeat(4 << 20))?;
    wait_for_the_end(stream)
}

fn nested_json(stream: &mut TcpStream) -> Result<()> {
    write!(stream, "{HEAD}\r\n")?;
    for number in 0..20 {
        let (open, close) = ("[".repeat(500_000), "]".repeat(500_000));
        write!(stream, "id: {number}\ndata: {open}{close}\n\n")?;
    }
    wait_for_the_end(stream)
}

fn slow_drip(stream: &mut TcpStream) -> Result<()> {
    write!(stream, "{HEAD}\r\ndata: ")?;
    stream.set_nodelay(true)?;
    loop {
        stream.write_all(b"x")?;
        thread::park_timeout(Duration::from_millis(5));
    }
}

fn gzip_bomb(stream: &mut TcpStream) -> Result<()> {
    write!(stream, "{HEAD}\r\n")?;
    for_ever(stream, &bomb()?)
}

fn announced_gzip_bomb(stream: &mut TcpStream) -> Result<()> {
    write!(stream, "{HEAD}Content-Encoding: gzip\r\n\r\n")?;
    for_ever(stream, &bomb()?)
}

/// 100 MiB of nothing in some 100 KiB.
fn bomb() -> Result<Vec<u8>> {
    let mut gzip = Command::new("gzip").arg("-9").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut nothing = gzip.stdin.take().expect("a pipe");
    let writer = thread::spawn(move || (0..100).try_for_each(|_| nothing.write_all(&vec![0; 1 << 20])));
    let packed = gzip.wait_with_output()?.stdout;
    writer.join().expect("no panic")?;
    Ok(packed)
}

fn for_ever(stream: &mut TcpStream, bytes: &[u8]) -> Result<()> {
    loop {
        stream.write_all(bytes)?;
    }
}

fn wait_for_the_end(stream: &mut TcpStream) -> Result<()> {
    std::io::copy(stream, &mut std::io::sink()).map(drop)
}

/// A server that holds its answers back until it is told to begin.
struct Hostile {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    clients: usize,
    go: bool,
}

impl Hostile {
    fn start(attack: Attack) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let shared = Arc::downgrade(&state);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Some(state) = shared.upgrade() else { return };
                thread::spawn(move || {
                    let head = BufReader::new(&stream).lines().map_while(Result::ok);
                    head.take_while(|line| !line.is_empty()).for_each(drop);
                    state.0.lock().unwrap_or_else(PoisonError::into_inner).clients += 1;
                    state.1.notify_all();
                    wait(&state, |state| state.go);
                    drop(state);
                    // The client hangs up in the end, which is its right.
                    let _ = attack(&mut stream);
                });
            }
        });
        Self { address, state }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn wait_for_client(&self) {
        wait(&self.state, |state| state.clients > 0);
    }

    fn go(&self) {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner).go = true;
        self.state.1.notify_all();
    }
}

fn wait((state, changed): &(Mutex<State>, Condvar), until: impl Fn(&State) -> bool) {
    let state = state.lock().unwrap_or_else(PoisonError::into_inner);
    drop(changed.wait_timeout_while(state, PATIENCE, |state| !until(state)));
}

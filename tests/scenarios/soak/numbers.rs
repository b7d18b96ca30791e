//! Rough servers and a resident program that is killed again and again, for long: nothing is lost, nothing is doubled, and
//! memory stays flat.
//!
//! `BELLWETHER_SOAK_EVENTS=1000000` makes it a million events instead of a hundred thousand.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, iter};

use bellwether_tests::{Lan, Mishaps, PATIENCE, Process, Progress, Random, Resident, RoughServer, until};

use crate::feed;

const EVENTS: u64 = 100_000;
const FEEDS: u64 = 10;
const KILLS: usize = 50;

/// In how many of the lives that are killed every packet is lost for a while.
const OUTAGES: usize = 10;

/// For how long: the feeds call a connection dead after 1 s.
const OUTAGE: Duration = Duration::from_millis(1_500);

/// The responses that each feed's events take, about.
const RESPONSES: u64 = 25;

/// How much of its own memory the program may have at any moment, in KiB: queues that are full, SQLite's cache, and what the
/// heap keeps.
const MEMORY: u64 = 12 << 10;

/// How much more of it the later lives, and the later moments of the last one, may have than the earlier ones, in KiB.
const GROWTH: u64 = 4 << 10;

#[test]
fn among_rough_servers_and_fifty_kills_the_log_holds_every_event_exactly_once() {
    let events =
        env::var("BELLWETHER_SOAK_EVENTS").map_or(EVENTS, |events| events.parse().expect("a number"));
    let seed = env::var("BELLWETHER_SOAK_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let each = events / FEEDS;
    let mut random = Random::new(seed);
    let names: Vec<String> = (0..FEEDS).map(|number| format!("feed-{number}")).collect();
    let progress = Arc::new(Progress::default());
    let network = Network::start();
    let mut start = |name| {
        let (at, seed) = (network.server(), random.below(u64::MAX));
        network.on_server(|| RoughServer::start(at, name, seed, each, each / RESPONSES, &progress))
    };
    let servers: Vec<RoughServer> = names.iter().map(|name| start(name)).collect();
    let mut resident = Resident::prepare();
    let feeds = names.iter().zip(&servers).map(|(name, server)| feed(name, &server.url(), 1));
    resident.config(&feeds.collect::<String>());

    let begin = Instant::now();
    // The last fifth is for one life, in which memory is watched.
    let rest = each * FEEDS / 5;
    let mut moments: Vec<u64> = iter::repeat_with(|| random.below(4 * rest)).take(KILLS).collect();
    moments.sort_unstable();
    let requests = || servers.iter().map(|server| server.mishaps().requests).sum::<u64>();
    let mut lives = Vec::new();
    for (life, moment) in moments.into_iter().enumerate() {
        let before = requests();
        let mut process = network.on_client(|| resident.spawn(&["--background"]));
        until(PATIENCE, "a request", || requests() > before);
        progress.wait_until_sent(moment);
        if life % (KILLS / OUTAGES) == 0 {
            network.lose_packets();
        }
        // From right when events have been sent to when they are in the log.
        let (sent_at, later) = (Instant::now(), Duration::from_millis(random.below(250)));
        until(PATIENCE, "the moment", || sent_at.elapsed() >= later);
        lives.push(memory(&process));
        assert_eq!(process.exited(), None, "{:#?}", process.lines());
        process.kill();
    }
    network.on_client(|| resident.start());
    let mut moments = Vec::new();
    for part in 0..=10 {
        progress.wait_until_sent(4 * rest + rest * part / 10);
        if part % 5 == 0 {
            network.lose_packets();
        }
        moments.push(memory(resident.process()));
    }
    for name in &names {
        until(PATIENCE, "the last events", || resident.feed(name).counts.events >= each);
    }
    let time = begin.elapsed();
    for name in &names {
        check(&resident, name, each);
    }

    let repeats: u64 = names.iter().map(|name| resident.feed(name).counts.repeats).sum();
    let mut mishaps = Mishaps::default();
    servers.iter().for_each(|server| mishaps += server.mishaps());
    println!(
        "{} events, {KILLS} kills, {} outages, {time:.1?}; {repeats} repeats held back; {mishaps:?}",
        each * FEEDS,
        if network.0.is_some() { OUTAGES + 3 } else { 0 }
    );
    println!("KiB at each kill: {lives:?}; in the last life: {moments:?}");
    is_flat(&lives);
    is_flat(&moments);
}

/// Between the program and the servers: a router that can lose every packet, or where that cannot be had, nothing.
struct Network(Option<Lan>);

impl Network {
    fn start() -> Self {
        let lan = Lan::start().inspect_err(|reason| println!("no packets are lost here: {reason}"));
        Self(lan.ok())
    }

    fn server(&self) -> IpAddr {
        if self.0.is_some() { Lan::SERVER } else { Ipv4Addr::LOCALHOST.into() }
    }

    fn on_server<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        match &self.0 {
            Some(lan) => lan.on_server(act),
            None => act(),
        }
    }

    fn on_client<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        match &self.0 {
            Some(lan) => lan.on_client(act),
            None => act(),
        }
    }

    /// For longer than the feeds' idle timeout.
    fn lose_packets(&self) {
        let Some(lan) = &self.0 else { return };
        lan.forward(false);
        let begin = Instant::now();
        until(PATIENCE, "the silence to be noticed", || begin.elapsed() >= OUTAGE);
        lan.forward(true);
    }
}

/// That memory is bounded, and that it does not grow from the first half of these moments to the second.
fn is_flat(memory: &[u64]) {
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or_default();
    let (first, second) = memory.split_at(memory.len() / 2);
    assert!(most(memory) < MEMORY && most(second) < most(first) + GROWTH, "in KiB: {memory:?}");
}

/// That the log of a feed is every number, once and in order.
fn check(resident: &Resident, name: &str, events: u64) {
    let log = resident.log(name);
    for (event, number) in log.iter().zip(1..) {
        assert!(
            event.id == number.to_string() && event.data == RoughServer::data(name, number),
            "{name} has {} events for {events}; in place of {number}: {event:?}",
            log.len()
        );
    }
    assert_eq!(log.len() as u64, events, "{name}");
}

/// The memory that is a process's own, heap and stacks, in KiB.
fn memory(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or_default()
}

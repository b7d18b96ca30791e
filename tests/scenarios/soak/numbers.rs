//! Rough servers and a resident program that is killed again and again, for long: nothing is lost, nothing is doubled, and
//! memory stays flat.
//!
//! `BELLWETHER_SOAK_EVENTS=1000000` makes it a million events instead of a hundred thousand.

use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, iter};

use bellwether_tests::{Mishaps, PATIENCE, Process, Progress, Random, Resident, RoughServer, until};

use crate::feed;

const EVENTS: u64 = 100_000;
const FEEDS: u64 = 10;
const KILLS: usize = 50;

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
    let mut start =
        |name| RoughServer::start(name, random.below(u64::MAX), each, each / RESPONSES, &progress);
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
    for moment in moments {
        let before = requests();
        let mut process = resident.spawn(&["--background"]);
        until(PATIENCE, "a request", || requests() > before);
        progress.wait_until_sent(moment);
        // From right when events have been sent to when they are in the log.
        let (sent_at, later) = (Instant::now(), Duration::from_millis(random.below(250)));
        until(PATIENCE, "the moment", || sent_at.elapsed() >= later);
        lives.push(memory(&process));
        assert_eq!(process.exited(), None, "{:#?}", process.lines());
        process.kill();
    }
    resident.start();
    let mut moments = Vec::new();
    for part in 0..=10 {
        progress.wait_until_sent(4 * rest + rest * part / 10);
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
    println!("{} events, {KILLS} kills, {time:.1?}; {repeats} repeats held back; {mishaps:?}", each * FEEDS);
    println!("KiB at each kill: {lives:?}; in the last life: {moments:?}");
    is_flat(&lives);
    is_flat(&moments);
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

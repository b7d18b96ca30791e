//! A program that stood still: stopped for long, or with the machine, whose clock that counts sleep has gone on.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bellwether_control::wire::ConnectionState::Connected;
use bellwether_tests::{NumberedStream, PATIENCE, Resident, skip, until};
use rustix::process::{Pid, Signal, kill_process};

use crate::feed;

const FEEDS: usize = 8;

/// How far `CLOCK_BOOTTIME` is ahead stands in the file that `BOOT_AHEAD` names, in seconds.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    const char *path = getenv("BOOT_AHEAD");
    FILE *file = clock == CLOCK_BOOTTIME && path ? fopen(path, "r") : NULL;
    long ahead = 0;
    if (file) {
        if (fscanf(file, "%ld", &ahead) == 1) time->tv_sec += ahead;
        fclose(file);
    }
    return result;
}
"#;

#[test]
fn after_a_stop_and_a_jump_of_the_clock_that_counts_sleep_all_feeds_reconnect_spread_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (library, ahead) = (folder.path().join("clock.so"), folder.path().join("ahead"));
    if let Err(reason) = build(CLOCK, &library) {
        skip!("{reason}");
    }
    let mut resident = Resident::prepare();
    resident.env("LD_PRELOAD", &library.to_string_lossy()).env("BOOT_AHEAD", &ahead.to_string_lossy());
    check(resident, |stop| {
        // No clock has gone on but the one: nothing else can tell of the sleep.
        stop(Duration::from_secs(1), &|| fs::write(&ahead, "3600").expect("the file"));
    });
}

#[test]
fn after_a_stop_of_more_than_thirty_seconds_all_feeds_reconnect_spread_out() {
    check(Resident::prepare(), |stop| stop(Duration::from_secs(31), &|| {}));
}

#[test]
fn what_came_while_the_program_was_stopped_was_no_silence() {
    let stream = NumberedStream::start();
    let mut resident = Resident::with_config(&feed("busy", &stream.url("/"), 2));
    stream.send(1);
    until(PATIENCE, "an event", || resident.feed("busy").counts.events == 1);
    let pid = resident.process().pid();
    for round in 0..3 {
        signal(pid, Signal::STOP);
        let begin = Instant::now();
        until(PATIENCE, "the end of the stop", || {
            stream.send(1);
            begin.elapsed() > Duration::from_secs(4)
        });
        signal(pid, Signal::CONT);
        let latest = stream.latest();
        until(PATIENCE, "the events", || resident.feed("busy").counts.events == latest);
        assert_eq!(stream.requests().len(), 1, "round {round}");
    }
}

type Stop<'a> = &'a dyn Fn(Duration, &dyn Fn());

/// What holds after the program was stopped and something happened meanwhile.
#[track_caller]
fn check(mut resident: Resident, sleep: impl FnOnce(Stop<'_>)) {
    let stream = NumberedStream::start();
    let feeds = 0..FEEDS;
    let config: String = feeds
        .map(|number| feed(&format!("feed-{number}"), &stream.url(&format!("/{number}")), 300))
        .collect();
    resident.config(&config).start();
    stream.send(7);
    let have = |resident: &Resident, events| {
        let feeds = resident.status().feeds;
        feeds.iter().all(|feed| feed.counts.events == events && feed.connection.state == Connected)
    };
    until(PATIENCE, "the events", || have(&resident, 7));

    let pid = resident.process().pid();
    sleep(&|time, meanwhile| {
        // A stop alone, short of the limit, changes nothing: the connections are alive.
        signal(pid, Signal::STOP);
        let begin = Instant::now();
        meanwhile();
        until(2 * PATIENCE, "the end of the stop", || begin.elapsed() >= time);
        assert_eq!(stream.requests().len(), FEEDS);
        signal(pid, Signal::CONT);
    });
    let begin = Instant::now();
    stream.wait_for_request(2 * FEEDS);
    let last = begin.elapsed();
    let requests = stream.requests().split_off(FEEDS);
    let mut paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), FEEDS, "each feed: {requests:?}");
    assert!(requests.iter().all(|request| request.last_event_id.as_deref() == Some("7")), "{requests:?}");
    let at: Vec<Duration> = requests.iter().map(|request| request.at.duration_since(begin)).collect();
    println!("after the stop, requests at {at:.1?}; the last after {last:.1?}");
    assert!(at[FEEDS - 1] - at[0] > Duration::from_millis(100), "not all at once: {at:?}");
    stream.send(1);
    until(PATIENCE, "what came later", || have(&resident, 8));
    assert_eq!(stream.requests().len(), 2 * FEEDS, "once for each sleep");
}

fn signal(pid: u32, signal: Signal) {
    let pid = pid.try_into().ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("the program runs");
}

/// Compiles a library to be loaded before all others.
fn build(source: &str, library: &Path) -> Result<(), String> {
    let file = library.with_extension("c");
    fs::write(&file, source).map_err(|error| error.to_string())?;
    let output =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(library).arg(&file).arg("-ldl").output();
    let output = output.map_err(|error| format!("no C compiler: {error}"))?;
    output.status.success().then_some(()).ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

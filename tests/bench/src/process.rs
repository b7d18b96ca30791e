//! What a process costs, as Linux counts it (proc(5)).

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// Memory, in KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Resident, with the pages of the program and its libraries.
    pub(crate) resident: f64,
    /// Its own alone: heap and stacks.
    pub(crate) anonymous: f64,
    /// The most that was ever resident.
    pub(crate) peak: f64,
}

pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let value = line.and_then(|value| value.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        value.with_context(|| format!("/proc/{pid}/status has no {name}"))
    };
    Ok(Memory { resident: field("VmRSS")?, anonymous: field("RssAnon")?, peak: field("VmHWM")? })
}

/// CPU time of the process so far, ended threads included, in steps of 10 ms.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field, the name, may hold anything; utime and stime are the 14th and 15th.
    let rest = stat.rsplit_once(')').context("no name in /proc/PID/stat")?.1;
    let ticks: f64 =
        rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    #[expect(clippy::cast_precision_loss, reason = "100, usually")]
    let per_second = rustix::param::clock_ticks_per_second() as f64;
    Ok(Duration::from_secs_f64(ticks / per_second))
}

/// CPU time of its present threads, to the nanosecond.
pub(crate) fn cpu_of_threads(pid: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let schedule = fs::read_to_string(task?.path().join("schedstat"))?;
        let running: Option<u64> = schedule.split(' ').next().and_then(|field| field.parse().ok());
        nanoseconds += running.context("no time in schedstat")?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// CPU time of the calling thread.
pub(crate) fn own_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs().try_into().unwrap_or_default())
}

/// Lets time pass, for what is measured over time.
#[expect(clippy::disallowed_methods, reason = "here the time itself is the condition")]
pub(crate) fn rest(time: Duration) {
    sleep(time);
}

/// Calls `each` so often, evenly spread, `count` times.
pub(crate) fn pace(per_second: u32, count: u32, mut each: impl FnMut(u32) -> Result<()>) -> Result<()> {
    let start = Instant::now();
    for number in 0..count {
        let due = start + Duration::from_secs(1) * number / per_second;
        rest(due.saturating_duration_since(Instant::now()));
        each(number)?;
    }
    Ok(())
}

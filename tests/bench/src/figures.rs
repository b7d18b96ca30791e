//! The table: what, how much, how much it may be, and whether it is.
#![allow(clippy::print_stdout, reason = "the table is what this program is for")]

use std::{fs, time::Duration};

use tempfile::TempDir;

/// What a figure counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unit {
    MiB,
    KiB,
    Micros,
    Millis,
    Percent,
    PerSecond,
    /// 10⁶ bytes in a second.
    Megabytes,
    Times,
    Count,
}

impl Unit {
    fn write(self, value: f64) -> String {
        let (digits, name) = match self {
            Self::MiB => (1, " MiB"),
            Self::KiB => (1, " KiB"),
            Self::Micros => (1, " µs"),
            Self::Millis => (2, " ms"),
            Self::Percent => (3, " %"),
            Self::PerSecond => (0, " /s"),
            Self::Megabytes => (0, " MB/s"),
            Self::Times => (2, " ×"),
            Self::Count => (0, ""),
        };
        format!("{value:.digits$}{name}")
    }
}

/// The table as it grows; each line is printed once it is known.
pub(crate) struct Figures {
    /// How many feeds the crowd has.
    pub(crate) feeds: u32,
    /// The folder of a full `events.db`, once there is one.
    pub(crate) log: Option<TempDir>,
    group: &'static str,
    budgets: usize,
    missed: Vec<String>,
}

impl Figures {
    /// Prints what it is measured on.
    pub(crate) fn begin(feeds: u32) -> Self {
        println!("{}\n", machine());
        Self { feeds, log: None, group: "", budgets: 0, missed: Vec::new() }
    }

    /// The next figures are of this group.
    pub(crate) fn group(&mut self, name: &'static str) {
        self.group = name;
    }

    /// A figure that may be as large as its budget.
    pub(crate) fn at_most(&mut self, what: &str, value: f64, unit: Unit, budget: f64) {
        self.line(what, value, unit, ("≤", budget), value <= budget);
    }

    /// A figure that must be as large as its budget.
    pub(crate) fn at_least(&mut self, what: &str, value: f64, unit: Unit, budget: f64) {
        self.line(what, value, unit, ("≥", budget), value >= budget);
    }

    /// A figure without a budget.
    pub(crate) fn note(&self, what: &str, value: f64, unit: Unit) {
        self.row(what, &unit.write(value), "", "");
    }

    /// Why the rest of a group is not there.
    pub(crate) fn skipped(&self, reason: &str) {
        println!("{:<12} skipped: {reason}", self.group);
    }

    /// Prints the sum of it all.
    pub(crate) fn end(&self) {
        println!("\n{}", load("load at the end"));
        println!(
            "{} budgets, {} met, {} missed",
            self.budgets,
            self.budgets - self.missed.len(),
            self.missed.len()
        );
        for missed in &self.missed {
            println!("missed: {missed}");
        }
    }

    fn line(&mut self, what: &str, value: f64, unit: Unit, (sign, budget): (&str, f64), met: bool) {
        self.budgets += 1;
        let (figure, budget) = (unit.write(value), format!("{sign} {}", unit.write(budget)));
        if !met {
            self.missed.push(format!("{}: {what}: {figure} ({budget})", self.group));
        }
        self.row(what, &figure, &budget, if met { "met" } else { "missed" });
    }

    fn row(&self, what: &str, figure: &str, budget: &str, verdict: &str) {
        println!("{:<12} {what:<58} {figure:>14} {budget:>16}  {verdict}", self.group);
    }
}

/// The middle one of several measurements.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    quantile(&mut values, 50)
}

/// The value that so many per cent of the measurements do not exceed.
pub(crate) fn quantile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied().unwrap_or(f64::NAN)
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let processor = field(&read("/proc/cpuinfo"), "model name");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory: u64 =
        field(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
    format!(
        "machine: {processor}, {cores} cores, {} GiB, Linux {}, {}",
        memory >> 20,
        read("/proc/sys/kernel/osrelease").trim(),
        load("load")
    )
}

fn load(name: &str) -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("{name} {}", load.split(' ').take(3).collect::<Vec<_>>().join(" "))
}

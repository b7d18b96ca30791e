//! `cargo xtask test`: every test there is, and one line that sums them up.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::build::{self, Profile, Programs};
use crate::needs::{self, Group};
use crate::shell::{cargo, npm, shown, target};

pub(crate) fn test(arguments: &[String]) -> Result<()> {
    let filter = arguments.first().map(String::as_str);
    let mut sum = Sum::default();
    let skips = target().join("skipped-tests.txt");
    fs::create_dir_all(target())?;
    fs::write(&skips, "").with_context(|| format!("cannot write {}", skips.display()))?;
    for missing in needs::provide(&[Group::Build, Group::Desktop, Group::Servers, Group::Browser])? {
        // Told now, and once more by each test that misses it.
        println!("skipped: {missing}");
    }
    match needs::node() {
        Ok(()) => {
            ui(filter, &mut sum)?;
            if let Err(error) = build::npm_packages("tests/servers") {
                println!("document 001's server runs without koa: {error:#}");
            }
        }
        Err(reason) => sum.skips.push(format!("the UI's tests: {reason:#}")),
    }
    let mut tests = vec![cargo(&["test", "--no-fail-fast"])];
    match build::programs(Profile::Debug) {
        Ok(programs) => {
            if let Err(reason) = browser(filter, &programs, &mut sum) {
                sum.skips.push(format!("the window's tests in a browser: {reason:#}"));
            }
            match &programs.no_window {
                None => tests.push(cargo(&["test", "--no-fail-fast", "--package", "bellwether-window"])),
                Some(reason) => sum.skips.push(format!("the window's tests: {reason}")),
            }
            for tests in &mut tests {
                tests.env("BELLWETHER_BIN", programs.bellwether()).env("BELLWETHER_SKIPS", &skips);
            }
        }
        Err(error) => sum.failures.push(format!("the programs cannot be built: {error:#}")),
    }
    for tests in &mut tests {
        count(tests.args(filter), &mut sum)?;
    }
    sum.close(&fs::read_to_string(&skips)?)
}

fn ui(filter: Option<&str>, sum: &mut Sum) -> Result<()> {
    build::ui()?;
    if filter.is_none() {
        println!("\n$ npm run check");
        let checked = npm(&["run", "check"]).status().context("cannot start npm")?.success();
        sum.passed += u32::from(checked);
        if !checked {
            sum.failures.push("npm run check".into());
        }
    }
    let mut tests = npm(&["test", "--", "--passWithNoTests"]);
    if let Some(filter) = filter {
        tests.args(["--testNamePattern", filter]);
    }
    count(&mut tests, sum)
}

/// The window in a browser, over the real resident program; fails where that cannot be done on this machine.
fn browser(filter: Option<&str>, programs: &Programs, sum: &mut Sum) -> Result<()> {
    needs::node()?;
    let chromium = needs::chromium()?;
    let mut tests = npm(&["run", "browser", "--", "--pass-with-no-tests"]);
    if let Some(filter) = filter {
        tests.args(["--grep", filter]);
    }
    count(tests.env("BELLWETHER_BIN", programs.bellwether()).env("CHROMIUM", chromium), sum)
}

/// What all runners found together.
#[derive(Default)]
struct Sum {
    passed: u32,
    failed: u32,
    skipped: u32,
    /// What was skipped without being a single test: name and reason.
    skips: Vec<String>,
    /// What failed without being a single test.
    failures: Vec<String>,
}

impl Sum {
    /// Prints what was skipped and why, `scenarios` being those that skipped themselves, and the closing line; then ends the
    /// program, so that this line is the last.
    fn close(self, scenarios: &str) -> Result<()> {
        println!();
        for skip in self.skips.iter().map(String::as_str).chain(scenarios.lines()) {
            println!("skipped: {skip}");
        }
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        // To its runner, a scenario that skips itself has passed.
        let scenarios = u32::try_from(scenarios.lines().count())?;
        let passed = self.passed.saturating_sub(scenarios);
        let failed = self.failed + u32::try_from(self.failures.len())?;
        let skipped = self.skipped + scenarios + u32::try_from(self.skips.len())?;
        let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        println!("{passed} passed, {failed} failed{skipped}");
        std::process::exit(i32::from(failed > 0));
    }
}

/// Runs a test runner, passes on what it writes, and counts what it reports.
fn count(runner: &mut Command, sum: &mut Sum) -> Result<()> {
    println!("\n$ {}", shown(runner));
    let name = shown(runner);
    runner.env("CARGO_TERM_COLOR", "never").env("NO_COLOR", "1").stdout(Stdio::piped());
    let mut child = runner.spawn().with_context(|| format!("cannot start {name}"))?;
    let output = child.stdout.take().context("no output of the test runner")?;
    let failed_before = sum.failed;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        add(&line, sum);
    }
    let status = child.wait()?;
    if !status.success() && sum.failed == failed_before {
        sum.failures.push(format!("{name}: {status}"));
    }
    Ok(())
}

/// Adds what a summary line reports: libtest's `test result: ok. 3 passed; 0 failed; 1 ignored; …` or vitest's,
/// which the browser tests' reporter writes as well, `     Tests  1 failed | 2 passed | 1 skipped (4)`.
fn add(line: &str, sum: &mut Sum) {
    let line = line.trim();
    let Some(counts) = line
        .strip_prefix("test result: ")
        .and_then(|line| line.split_once(". "))
        .map(|(_, counts)| counts)
        .or_else(|| line.strip_prefix("Tests  "))
    else {
        return;
    };
    for count in counts.split(['|', ';']) {
        let mut words = count.split_whitespace();
        let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u32>), words.next()) else {
            continue;
        };
        match what {
            "passed" => sum.passed += number,
            "failed" => sum.failed += number,
            "ignored" | "skipped" | "todo" => sum.skipped += number,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Sum, add};

    #[test]
    fn summary_lines_are_counted_and_others_are_not() {
        let mut sum = Sum::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
            "      Tests  1 failed | 20 passed | 4 skipped (25)",
            " Test Files  1 failed | 2 passed (3)",
            "test tests::it_says_5 passed ... ok",
        ] {
            add(line, &mut sum);
        }
        assert_eq!((sum.passed, sum.failed, sum.skipped), (24, 3, 5));
    }
}

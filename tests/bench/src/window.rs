//! The window over a log of a million events: its size, how soon it is there, what scrolling and many events cost, and its end.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use bellwether_engine::event_log::EventLog;
use bellwether_tests::{
    Desktop, LOG_FEEDS, Need, Page, Resident, WINDOW_PATIENCE, WebDriver, append_events, until,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    cpu::send_burst,
    event_log::ROWS,
    feeds::Feeds,
    figures::{Figures, Unit, median, millis},
    process::{self, rest},
};

const RUNS: usize = 5;
/// Events after which memory is looked at first, and for the second time.
const LIVE: [u32; 2] = [10_000, 100_000];
const FIRST_PAINT: f64 = 400.0;
/// By how much memory may have grown between the two looks to count as flat.
const FLAT: f64 = 1.1;

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    bundle(figures)?;
    for need in [Need::Desktop, Need::Window] {
        if let Some(missing) = need.missing() {
            bail!("{missing}");
        }
    }
    let log = full_log(figures)?;
    let log = log.path().join("events.db");
    opened(figures, &log)?;
    in_chromium(figures, &log)
}

/// What a window loads of scripts, packed. Of the languages, each of which is a file of its own, it loads one.
fn bundle(figures: &mut Figures) -> Result<()> {
    const LANGUAGES: [&str; 2] = ["en-", "zh-CN-"];
    let assets = ui().join("dist/assets");
    let (mut loaded, mut languages) = (0, Vec::new());
    for file in fs::read_dir(&assets).with_context(|| assets.display().to_string())?.flatten() {
        if file.path().extension().is_none_or(|extension| extension != "js") {
            continue;
        }
        let packed = Command::new("gzip").arg("-9c").arg(file.path()).output().context("gzip")?;
        ensure!(packed.status.success(), "gzip: {}", String::from_utf8_lossy(&packed.stderr));
        let name = file.file_name();
        if LANGUAGES.iter().any(|language| name.to_string_lossy().starts_with(language)) {
            languages.push(packed.stdout.len());
        } else {
            loaded += packed.stdout.len();
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "some KiB")]
    let [loaded, all] = [languages.iter().max().unwrap_or(&0), &languages.iter().sum()]
        .map(|languages| (loaded + languages) as f64 / 1024.0);
    figures.at_most("scripts of the page in one language, gzipped", loaded, Unit::KiB, 150.0);
    figures.note("  with all languages", all, Unit::KiB);
    Ok(())
}

/// The log that was filled for its own figures, or a new one.
fn full_log(figures: &mut Figures) -> Result<TempDir> {
    if let Some(folder) = figures.log.take() {
        return Ok(folder);
    }
    let folder = tempfile::tempdir()?;
    append_events(&mut EventLog::open(&folder.path().join("events.db"))?, 0..ROWS, 2048)?;
    Ok(folder)
}

/// A resident program, not started yet, with this log; its feeds are paused.
fn with_log(log: &Path) -> Result<Resident> {
    let resident = Resident::prepare();
    fs::hard_link(log, resident.event_log())
        .or_else(|_| fs::copy(log, resident.event_log()).map(|_| ()))
        .context("the log cannot be given to the program")?;
    Ok(resident)
}

fn paused_feeds() -> String {
    let declare =
        |id: &&str| format!("[[feed]]\nid = \"{id}\"\nurl = \"http://127.0.0.1:9/{id}\"\npaused = true\n");
    LOG_FEEDS.iter().map(declare).collect()
}

/// The real window.
fn opened(figures: &mut Figures, log: &Path) -> Result<()> {
    let desktop = Desktop::start();
    let driver = WebDriver::start(&desktop);
    let feeds = Feeds::http()?;
    let mut resident = with_log(log)?;
    let mut config = paused_feeds();
    feeds.declare(&mut config, 1..2, "rule = [{ action = \"log\" }]");
    driver.drives(resident.in_desktop(&desktop).config(&config));
    resident.start();
    feeds.wait_for(1);
    let (mut asks, mut paints, mut rows, mut ends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..=RUNS {
        let started = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let _: Value = resident.call("POST", "/window", &json!({}));
        let page = driver.attach();
        let drawn = drawn(&page, started)?;
        if run == RUNS {
            grown(figures, &desktop, &resident, &feeds)?;
        }
        drop(page);
        ends.push(closed(&desktop));
        // The first one fills the system's caches.
        if run > 0 {
            asks.push(drawn[0]);
            paints.push(drawn[1]);
            rows.push(drawn[2] - drawn[0]);
        }
    }
    let what = "real window, process start → ";
    figures.note(&format!("{what}navigation"), median(asks), Unit::Millis);
    figures.at_most(&format!("{what}first contentful paint"), median(paints), Unit::Millis, FIRST_PAINT);
    figures.at_most("real window, navigation → first rows", median(rows), Unit::Millis, FIRST_PAINT);
    figures.at_most("closed → none of its processes is left", median(ends), Unit::Millis, 2000.0);
    Ok(())
}

/// When the page was asked for, when it first showed anything, and when it showed rows, in ms after the start.
fn drawn(page: &Page<'_>, started: Duration) -> Result<[f64; 3]> {
    page.wait("rows", "performance.getEntriesByName('rows').length > 0");
    let times = page.script(
        "const at = (name) => performance.timeOrigin + (performance.getEntriesByName(name)[0]?.startTime ?? NaN);
         return [performance.timeOrigin, at('first-contentful-paint'), at('rows')]",
    );
    let time = |at: usize| times[at].as_f64().context("the page has not noted its paints");
    let [asked, painted, rows] = [time(0)?, time(1)?, time(2)?].map(|time| time - millis(started));
    Ok([asked, painted, rows])
}

/// The memory of the window's processes over many events that arrive while it is open.
fn grown(figures: &mut Figures, desktop: &Desktop, resident: &Resident, feeds: &Feeds) -> Result<()> {
    let mut sizes = Vec::new();
    let mut sent = 0;
    for count in LIVE {
        send_burst(resident, feeds, 1, count - sent)?;
        sent = count;
        rest(Duration::from_secs(10));
        let processes = [desktop.window_processes(), desktop.webkit_processes()].concat();
        let mut size = 0.0;
        for id in processes {
            size += process::memory(id)?.resident / 1024.0;
        }
        figures.note(&format!("real window, resident after {count} live events"), size, Unit::MiB);
        sizes.push(size);
    }
    figures.at_most("  growth between the two", sizes[1] / sizes[0], Unit::Times, FLAT);
    Ok(())
}

/// Closes the window; how long its processes live on, in ms.
fn closed(desktop: &Desktop) -> f64 {
    desktop.close_window();
    let start = Instant::now();
    until(WINDOW_PATIENCE, "the end of the window's processes", || {
        desktop.window_processes().is_empty() && desktop.webkit_processes().is_empty()
    });
    millis(start.elapsed())
}

/// The same window in Chromium, which tells more of what it does: `ui/browser/bench`.
fn in_chromium(figures: &mut Figures, log: &Path) -> Result<()> {
    let resident = with_log(log)?;
    let file = resident.profile().join("figures.json");
    let mut bench = Command::new("npm");
    bench.args(["run", "browser", "--", "--config", "browser/bench/bench.config.ts"]).current_dir(ui());
    bench.env("BELLWETHER_PROFILE", resident.profile()).env("BELLWETHER_FIGURES", &file);
    fs::write(resident.config_file(), paused_feeds())?;
    let output = bench.output().context("npm cannot be started")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "the figures in Chromium: {said}");
    let found: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let of = |name: &str| found[name].as_f64().with_context(|| format!("Chromium told no {name}"));
    let what = "Chromium, navigation → ";
    figures.at_most(&format!("{what}first contentful paint"), of("paint")?, Unit::Millis, FIRST_PAINT);
    figures.at_most(&format!("{what}first rows"), of("rows")?, Unit::Millis, FIRST_PAINT);
    figures.at_most("scrolling a million rows: longest task", of("longest_task")?, Unit::Millis, 50.0);
    for (name, unit) in [("heap", Unit::MiB), ("nodes", Unit::Count)] {
        let [first, last] = [of(&format!("{name}_first"))?, of(&format!("{name}_last"))?];
        for (count, value) in LIVE.into_iter().zip([first, last]) {
            figures.note(&format!("Chromium, {name} after {count} live events"), value, unit);
        }
        figures.at_most("  growth between the two", last / first, Unit::Times, FLAT);
    }
    Ok(())
}

fn ui() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
    root.join("ui")
}

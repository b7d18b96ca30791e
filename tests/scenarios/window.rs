//! The real window, as the resident program opens it, driven from within its page.

use std::time::Duration;

use bellwether_control::wire::{ConnectionState, Event, Outcome};
use bellwether_tests::{
    Desktop, Need, Page, Resident, Source, WINDOW_PATIENCE, WebDriver, needs, until, until_some,
};
use serde_json::{Value, json};

const PATIENCE: Duration = WINDOW_PATIENCE;

/// A desktop with the resident program in it and a driver for its windows; its feeds.toml is this text.
#[track_caller]
fn prepared(config: &str) -> (Desktop, WebDriver, Resident) {
    let desktop = Desktop::start();
    let driver = WebDriver::start(&desktop);
    let mut resident = Resident::prepare();
    driver.drives(resident.in_desktop(&desktop).config(config));
    (desktop, driver, resident)
}

fn feed(id: &str, source: &Source) -> String {
    let name = id[..1].to_uppercase() + &id[1..];
    format!("[[feed]]\nid = '{id}'\nname = '{name}'\nurl = '{}'\n", source.url())
}

/// How many windows' processes run.
fn windows(desktop: &Desktop) -> usize {
    window_processes(desktop).len()
}

fn window_processes(desktop: &Desktop) -> Vec<u32> {
    let of_window = |(id, line): (u32, String)| line.contains("bellwether-window").then_some(id);
    desktop.processes().into_iter().filter_map(of_window).collect()
}

/// How many of WebKit's processes run.
fn webkits(desktop: &Desktop) -> usize {
    let of_webkit = |line: &str| line.contains("WebKit") && !line.contains("WebKitWebDriver");
    desktop.processes().iter().filter(|(_, line)| of_webkit(line)).count()
}

fn is_open(desktop: &Desktop) -> bool {
    desktop.windows().iter().any(|title| title.ends_with("Bellwether"))
}

/// Closes the window as a person does, by the window manager's key; it may take the focus a moment after it was given it.
#[track_caller]
fn close(desktop: &Desktop) {
    until(PATIENCE, "the window to close", || {
        let window = ["search", "--onlyvisible", "--name", "Bellwether$", "windowactivate", "--sync"];
        if desktop.try_run("xdotool", &window).is_ok() {
            desktop.press("alt+F4");
        }
        !is_open(desktop)
    });
}

#[test]
fn a_feed_is_added_watched_and_removed() {
    needs!(Need::Desktop, Need::Window);
    let (_desktop, driver, mut resident) = prepared("");
    let source = Source::start();
    resident.start_with(&[]);
    let page = driver.attach();
    page.see("Nothing you wait for goes by unseen");
    page.see("Try the demo feed");

    page.click("button", "Add a feed");
    page.type_into("#feed-url", "nonsense");
    page.click("button", "Add feed");
    page.see("This is not an address. It should look like https://example.org/events.");
    page.wait("the field to be marked", "document.activeElement.matches('#feed-url[aria-invalid=true]')");
    page.clear("#feed-url");
    page.type_into("#feed-url", &source.url());
    page.type_into("#feed-name", "服务器 & Co");
    page.click("button", "Add feed");
    page.see("服务器 & Co");
    page.see("Just connected");
    page.see("No events yet");
    let [feed] = &resident.status().feeds[..] else { panic!("one feed") };
    assert_eq!((feed.url.as_str(), feed.name.as_str()), (source.url().as_str(), "服务器 & Co"));

    source.send("disk", &json!({ "title": "磁盘将满", "message": "/var 只剩 3 GB", "seven": 7 }));
    page.see("磁盘将满");
    page.click("option", "磁盘将满");
    page.wait("the event", "document.querySelector('.detail h2')?.innerText === '磁盘将满'");
    page.click("tab", "Raw");
    page.wait("the data", "document.querySelector('.detail pre')?.innerText.includes('\"seven\": 7')");
    page.see("JSON,");
    until(PATIENCE, "the event to be read", || resident.events("").events[0].read);

    page.click("button", "Remove");
    page.see("Remove “服务器 & Co”?");
    page.click("button", "Remove feed");
    page.see("Removed “服务器 & Co”");
    until(PATIENCE, "the feed's end", || resident.status().feeds.is_empty());
    page.click("button", "Undo");
    page.see("“服务器 & Co” is back");
    until(PATIENCE, "the feed", || {
        let feeds = resident.status().feeds;
        feeds
            .iter()
            .any(|feed| feed.name == "服务器 & Co" && feed.connection.state == ConnectionState::Connected)
    });
    assert_eq!(resident.events("").events.len(), 1, "its event stayed, and is not there twice");
}

#[test]
fn the_log_is_narrowed_to_a_feed_and_speaks_chinese_at_once() {
    needs!(Need::Desktop, Need::Window);
    let [alpha, beta] = [Source::start(), Source::start()];
    let (desktop, driver, mut resident) = prepared(&(feed("alpha", &alpha) + &feed("beta", &beta)));
    resident.start_with(&[]);
    let page = driver.attach();
    page.see("All 2 feeds are connected");
    alpha.send("message", &json!({ "title": "from alpha" }));
    beta.send("message", &json!({ "title": "from beta" }));
    list(&page, &["from alpha", "from beta"]);
    page.click("button", "Beta Connected");
    list(&page, &["from beta"]);
    alpha.send("message", &json!({ "title": "alpha again" }));
    until(PATIENCE, "a title that counts", || page.script("return document.title") == "(3) Bellwether");
    // What arrives elsewhere is said to those who cannot see, and stays out of the list.
    page.see("New event from Alpha: alpha again");
    list(&page, &["from beta"]);
    page.click("button", "All events");
    list(&page, &["alpha again", "from alpha", "from beta"]);

    page.script(
        "const select = document.querySelector('nav select');
         select.value = 'zh-CN'; select.dispatchEvent(new Event('change', { bubbles: true }))",
    );
    page.see("全部事件");
    page.wait("the page's language", "document.documentElement.lang === 'zh-CN'");
    until(PATIENCE, "the tray's language", || desktop.tray_menu().contains(&"退出".to_owned()));
    let picture = desktop.folder().join("window.png");
    desktop.shot(&picture);
    assert!(picture.metadata().expect("a picture").len() > 10_000);
}

/// Waits until the list holds the events of these titles and no others; they are given in the order of the alphabet.
#[track_caller]
fn list(page: &Page<'_>, titles: &[&str]) {
    let listed =
        "[...document.querySelectorAll('[role=option] .title')].map((title) => title.innerText).sort()";
    page.wait(
        &format!("{titles:?}"),
        &format!("JSON.stringify({listed}) === JSON.stringify({})", json!(titles)),
    );
}

#[test]
fn the_window_outlives_the_program_and_finds_it_again() {
    needs!(Need::Desktop, Need::Window);
    let source = Source::start();
    let (desktop, driver, mut resident) = prepared(&feed("ops", &source));
    resident.start_with(&[]);
    let page = driver.attach();
    page.see("Your feed is connected");
    source.send("message", &json!({ "title": "before" }));
    page.see("before");

    resident.kill_alone();
    page.see("Bellwether does not answer.");
    page.see("before");
    resident.start();
    page.see_no_more("Bellwether does not answer.");
    page.see("Your feed is connected");
    source.send("message", &json!({ "title": "after" }));
    page.see("after");
    // The new program counts the old window as its own.
    let _: Value = resident.call("POST", "/window", &json!({}));
    resident.spawn(&[]).wait(PATIENCE);
    assert_eq!(windows(&desktop), 1);
    // And closes it, though it is not its parent.
    assert!(resident.quit().success());
    until(PATIENCE, "the end of the window with the program", || {
        (windows(&desktop), webkits(&desktop)) == (0, 0)
    });
}

#[test]
fn closing_the_window_ends_all_of_webkit_and_nothing_else() {
    needs!(Need::Desktop, Need::Window);
    let source = Source::start();
    let (desktop, driver, mut resident) = prepared(&feed("ops", &source));
    resident.start();
    assert_eq!((windows(&desktop), webkits(&desktop)), (0, 0), "a start in the background opens nothing");

    // A person who clicks three times gets one window.
    for mut start in [resident.spawn(&[]), resident.spawn(&[]), resident.spawn(&[])] {
        assert!(start.wait(PATIENCE).success(), "{:?}", start.lines());
    }
    driver.attach().see("Your feed is connected");
    assert_eq!(windows(&desktop), 1);
    assert!(webkits(&desktop) > 0);
    // One that was put away comes back, and no second one is opened.
    desktop.run("xdotool", &["search", "--onlyvisible", "--name", "Bellwether$", "windowminimize", "--sync"]);
    assert!(!is_open(&desktop));
    resident.cli_text(&[]);
    until(PATIENCE, "the window in front", || is_open(&desktop));
    assert_eq!(windows(&desktop), 1);

    close(&desktop);
    until(PATIENCE, "the end of WebKit", || (windows(&desktop), webkits(&desktop)) == (0, 0));
    source.send("message", &json!({ "title": "still here" }));
    until_shown(&resident, "still here");

    desktop.tray(&["activate"]);
    driver.attach().see("still here");
    assert_eq!(windows(&desktop), 1);
    // A crash of the window is no worse than closing it.
    let crashed = window_processes(&desktop)[0].to_string();
    desktop.run("sh", &["-c", &format!("kill -KILL {crashed}")]);
    until(PATIENCE, "the end of WebKit", || (windows(&desktop), webkits(&desktop)) == (0, 0));
    until(PATIENCE, "another window", || {
        // The program learns of the window's end a moment after us.
        let _: Value = resident.call("POST", "/window", &json!({}));
        windows(&desktop) == 1
    });
    driver.attach().see("still here");
    assert!(resident.quit().success());
    until(PATIENCE, "the end of the window with the program", || {
        (windows(&desktop), webkits(&desktop)) == (0, 0)
    });
}

#[test]
fn a_click_on_a_popup_opens_the_window_at_its_event() {
    needs!(Need::Desktop, Need::Window);
    let source = Source::start();
    let (desktop, driver, mut resident) = prepared(&feed("ops", &source));
    resident.start();
    let shown = |text: &str| format!("document.querySelector('.detail h2')?.innerText === {}", json!(text));
    source.send("message", &json!({ "title": "the first", "message": "its text" }));
    until_shown(&resident, "the first");
    source.send("message", &json!({ "title": "the second" }));
    until_shown(&resident, "the second");
    until(PATIENCE, "both popups", || desktop.displayed() == 2);
    // The older one comes first in dunst's list.
    desktop.click(1100, 45);
    let page = driver.attach();
    page.wait("the event that was clicked on", &shown("the first"));
    page.see("its text");
    // The window is there; the next click leads on in it.
    desktop.tray(&["click", "the second"]);
    page.wait("the event that was clicked on", &shown("the second"));
    assert_eq!(windows(&desktop), 1);
    until(PATIENCE, "both to be read", || resident.events("").events.iter().all(|event| event.read));
}

#[test]
fn a_click_on_a_popup_of_several_events_opens_the_window_at_exactly_those() {
    needs!(Need::Desktop, Need::Window);
    let source = Source::start();
    let (desktop, driver, mut resident) = prepared(&feed("ops", &source));
    resident.start();
    source.send("message", &json!({ "title": "before" }));
    until_shown(&resident, "before");
    desktop.run("dunstctl", &["close-all"]);
    resident.cli_text(&["snooze", "1h"]);
    for title in ["one", "three", "two"] {
        source.send("message", &json!({ "title": title }));
    }
    until(PATIENCE, "three held events", || resident.status().attention.held == 3);
    resident.cli_text(&["snooze", "off"]);
    until(PATIENCE, "one popup", || desktop.displayed() == 1);

    desktop.run("dunstctl", &["action", "0"]);
    let page = driver.attach();
    page.see("Events of one popup");
    list(&page, &["one", "three", "two"]);
    until(PATIENCE, "them to be read", || resident.feed("ops").counts.unread == 1);
    page.click("button", "Show all events");
    list(&page, &["before", "one", "three", "two"]);

    // The window's own way to snooze reaches the program.
    page.click("button", "Snooze");
    page.click("menuitem", "For 1 hour");
    page.see("Snoozed until ");
    assert!(resident.status().attention.snoozed_until.is_some());
    page.click("button", "End");
    until(PATIENCE, "the end of the snooze", || resident.status().attention.snoozed_until.is_none());
}

#[track_caller]
fn until_shown(resident: &Resident, title: &str) -> Event {
    until_some(PATIENCE, title, || {
        let events = resident.events("").events;
        events.into_iter().find(|event| event.title == title && event.outcome == Outcome::Shown)
    })
}

#[test]
fn the_page_takes_nothing_from_an_event_but_text_and_can_do_no_more_than_it_must() {
    needs!(Need::Desktop, Need::Window);
    let source = Source::start();
    let (desktop, driver, mut resident) = prepared(&feed("ops", &source));
    resident.start_with(&[]);
    let page = driver.attach();
    let hostile = "<script>window.hit = 1</script><img src=x onerror=\"window.hit = 2\"><b>bold</b>";
    source.send("message", &json!({ "title": format!("T {hostile}"), "message": format!("B {hostile}") }));
    page.see("<script>window.hit = 1</script>");
    page.click("option", &format!("T {hostile}"));
    page.wait("the event", "document.querySelector('.detail h2') !== null");
    for tab in ["Raw", "Why", "Rendered"] {
        page.click("tab", tab);
        page.wait(
            tab,
            &format!("document.querySelector('[aria-selected=true][role=tab]').innerText === '{tab}'"),
        );
        assert_eq!(
            page.script("return document.querySelectorAll('#app script, #app img, #app b').length"),
            0
        );
    }
    assert_eq!(page.script("return window.hit ?? null"), Value::Null);

    // What would run if it came in all the same is refused.
    page.script(
        "window.refused = [];
         addEventListener('securitypolicyviolation', (event) => window.refused.push(event.effectiveDirective));
         const script = document.createElement('script'); script.textContent = 'window.hit = 3'; document.body.append(script);
         const image = document.createElement('img'); image.src = 'http://127.0.0.1:9/x'; document.body.append(image);
         image.setAttribute('onclick', 'window.hit = 4'); image.click();
         fetch('http://127.0.0.1:9/').catch(() => {});
         const frame = document.createElement('iframe'); frame.src = 'https://example.org/'; document.body.append(frame)",
    );
    for directive in ["script-src-elem", "script-src-attr", "img-src", "connect-src", "frame-src"] {
        page.wait(directive, &format!("window.refused.includes('{directive}')"));
    }
    assert_eq!(page.script("return window.hit ?? null"), Value::Null);

    // Nor does the page reach more of the system than its two commands, or more of the program than its routes.
    for (command, arguments) in [
        ("plugin:shell|open", json!({ "path": "/etc/passwd" })),
        ("plugin:fs|read_text_file", json!({ "path": "/etc/passwd" })),
        ("plugin:window|create", json!({ "options": { "label": "x" } })),
        (
            "plugin:webview|create_webview_window",
            json!({ "options": { "label": "x", "url": "https://example.org" } }),
        ),
        ("no_such_command", json!({})),
        ("request", json!({ "method": "POST", "path": "/quit", "body": null })),
        ("request", json!({ "method": "POST", "path": "/events/../quit", "body": null })),
    ] {
        let answer = answer(&page, command, &arguments);
        assert!(answer.starts_with("refused: "), "{command}: {answer}");
    }
    let status = json!({ "method": "GET", "path": "/status", "body": null });
    assert!(answer(&page, "request", &status).starts_with("done: {\"version\""), "what it may ask works");

    page.script("location.href = 'https://example.org/'; window.open('https://example.org/')");
    page.wait("the page to stay", "location.origin === 'tauri://localhost'");
    assert_eq!(
        (windows(&desktop), desktop.windows().iter().filter(|title| title.contains("xample")).count()),
        (1, 0)
    );
}

/// What a command of the window's program answers to the page.
#[track_caller]
fn answer(page: &Page<'_>, command: &str, arguments: &Value) -> String {
    page.script(&format!(
        "window.answer = null;
         const set = (how) => (value) => (window.answer = how + JSON.stringify(value));
         window.__TAURI_INTERNALS__.invoke({}, {arguments}).then(set('done: '), set('refused: '))",
        json!(command)
    ));
    page.wait("an answer", "window.answer !== null");
    page.script("return window.answer").as_str().unwrap_or_default().to_owned()
}

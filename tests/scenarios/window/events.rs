//! The log in the window.

use bellwether_tests::{Need, Source, make_large_log, needs, until};
use serde_json::{Value, json};

use crate::{PATIENCE, feed, list, prepared};

/// Events of the full log.
const MANY: u64 = 1_000_000;

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
    until(PATIENCE, "a title that counts", || {
        page.script("return document.title") == "(3) Beta · Bellwether"
    });
    // What arrives elsewhere stays out of the list.
    list(&page, &["from beta"]);
    page.click("button", "All events");
    list(&page, &["alpha again", "from alpha", "from beta"]);

    page.go("#/settings/general");
    page.see("Start at login");
    page.script(
        "const select = [...document.querySelectorAll('label')].find((label) => label.innerText.trim() === 'Language').control;
         select.value = 'zh-CN'; select.dispatchEvent(new Event('change', { bubbles: true }))",
    );
    page.see("全部事件");
    page.wait("the page's language", "document.documentElement.lang === 'zh-CN'");
    until(PATIENCE, "the tray's language", || desktop.tray_menu().contains(&"退出".to_owned()));
    let picture = desktop.folder().join("window.png");
    desktop.shot(&picture);
    assert!(picture.metadata().expect("a picture").len() > 10_000);
}

#[test]
fn a_log_of_a_million_events_is_searched_and_scrolled_to_its_end() {
    needs!(Need::Desktop, Need::Window);
    let feed = "[[feed]]\nid = 'ops'\nurl = 'http://127.0.0.1:9/'\npaused = true\n";
    let (_desktop, driver, mut resident) = prepared(feed);
    make_large_log(&resident.event_log(), MANY).expect("the events can be written");
    resident.start_with(&[]);
    let page = driver.attach();
    page.see(&format!("event {}", MANY - 1));

    // A word that one of them has.
    page.type_into("input[type=search]", "177777");
    list(&page, &["event 177777"]);
    let hit = page.script("return document.querySelector('[role=option] mark')?.innerText ?? null");
    assert_eq!(hit, Value::from("177777"));
    page.click("button", "Clear the search");
    page.type_into("input[type=search]", "磁盘 15");
    let found = "[...document.querySelectorAll('[role=option] .title')].map((title) => title.innerText)";
    page.wait(
        "those alone",
        &format!("{found}.length > 5 && {found}.every((title) => title.startsWith('磁盘 15'))"),
    );
    page.click("button", "Clear the search");
    page.see(&format!("event {}", MANY - 1));

    // The oldest is as near as the newest, once it is known how many there are; the first one is ignored.
    page.see("999,999 events");
    page.script("const list = document.querySelector('[role=listbox]'); list.scrollTop = list.scrollHeight");
    page.see("event 2\n");
    page.script("document.querySelector('[role=listbox]').scrollTop = 0");
    page.see(&format!("event {}", MANY - 1));
}

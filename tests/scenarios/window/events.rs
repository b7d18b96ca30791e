//! The log in the window.

use bellwether_tests::{Need, Source, needs, until};
use serde_json::json;

use crate::{PATIENCE, feed, list, prepared};

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

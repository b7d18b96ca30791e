//! Feeds in the window.

use bellwether_control::wire::ConnectionState;
use bellwether_tests::{Need, Notifications, Source, needs, until};
use serde_json::json;

use crate::{PATIENCE, prepared};

#[test]
fn a_first_start_leads_to_the_first_popup_and_a_removed_feed_comes_back() {
    needs!(Need::Desktop, Need::Window);
    let (desktop, driver, mut resident) = prepared("");
    let popups = Notifications::watch(&desktop);
    let source = Source::start();
    // As many as end a probe at once.
    for number in 1..=5 {
        source.send("disk", &json!({ "title": format!("sample {number}"), "message": "text" }));
    }
    resident.start_with(&[]);
    let page = driver.attach();
    page.see("Nothing you wait for goes by unseen");
    page.see("Try the demo feed");
    page.fill("Address", &source.url());
    page.see("Event stream found");
    page.fill("Name", "服务器 & Co");
    page.click("button", "Add feed");
    popups.wait_for(|popup| popup.summary == "sample 1");
    page.see("sample 5");
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

    page.click("button", "More for 服务器 & Co");
    page.click("menuitem", "Remove");
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
    assert_eq!(resident.events("").events.len(), 6, "its events stayed, and are not there twice");
}

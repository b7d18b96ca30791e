//! Feeds in the window.

use bellwether_control::wire::ConnectionState;
use bellwether_tests::{Need, Source, needs, until};
use serde_json::json;

use crate::{PATIENCE, prepared};

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

//! More feeds on one host than a browser would connect.

use bellwether_control::wire::{ConnectionState, Feed};
use bellwether_tests::{Need, Resident, Server, needs, until};

use crate::{DEADLINE, feed, hang_ups};

#[test]
fn forty_feeds_of_one_host_are_connected_and_receive_all_at_once() {
    needs!(Need::Go);
    const FEEDS: usize = 40;
    let go = Server::go(&["-period", "500ms", "-count", "1000000"]);
    let feeds = (0..FEEDS).map(|n| feed(&format!("feed-{n}"), &go.url(&format!("/events?feed={n}")), ""));
    let mut resident = Resident::with_config(&feeds.collect::<String>());
    until(DEADLINE, "three events of each of the 40", || {
        let feeds: Vec<Feed> = resident.get("/feeds");
        let receiving =
            |feed: &Feed| feed.connection.state == ConnectionState::Connected && feed.counts.events >= 3;
        feeds.len() == FEEDS && feeds.iter().all(receiving)
    });
    // Nobody hung up so far, so all of them are open; at the end each is closed once.
    assert_eq!(hang_ups(&go), 0);
    resident.quit();
    until(DEADLINE, "40 hang-ups", || hang_ups(&go) == FEEDS);
}

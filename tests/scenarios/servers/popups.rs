//! What a person gets to see of the documents' events.

use bellwether_control::wire::Outcome;
use bellwether_tests::{Desktop, Need, Notifications, Resident, Server, needs, until};

use crate::document_000::insert;
use crate::document_002::ERRORS;
use crate::{DEADLINE, connect_in_turn, events, feed, wait};

#[test]
fn chinese_messages_decoded_logs_and_new_rows_become_popups_and_nothing_else_does() {
    needs!(Need::Desktop, Need::Php, Need::Go);
    let desktop = Desktop::start();
    let popups = Notifications::watch(&desktop);
    let (php, go) = (Server::php(), Server::go(&["-period", "200ms"]));
    let skip_null = "name = '测试'
        paused = true
        rule = [{ when = 'data is none', action = 'ignore' }, { action = 'notify' }]";
    let skip_idle = "paused = true
        rule = [{ when = \"data == 'idle'\", action = 'ignore' }, { action = 'notify' }]";
    let feeds = [
        feed("message", &php.url("/003_message.php?period=1&keepalive=0.2&null=3"), skip_null),
        feed("record", &php.url("/000_record.php?period=0.2"), skip_idle),
        feed("logs", &go.url("/api/container/logs/web?tail=10&follow=1"), ERRORS),
    ];
    let mut resident = Resident::prepare();
    resident.in_desktop(&desktop).config(&feeds.concat());
    resident.start();
    connect_in_turn(&resident, ["message", "record"]);
    wait(&resident, "record", "an idle message", |feed| feed.counts.ignored > 0);
    insert(&php, "库存", "5 left");

    let popup = popups.wait_within(DEADLINE, |popup| popup.summary == "测试");
    assert!(popup.body.starts_with("欢迎来到test,现在是北京时间20"), "{popup:?}");
    let popup = popups.wait_within(DEADLINE, |popup| popup.summary == "库存");
    assert_eq!(popup.body, "5 left");
    let popup = popups.wait_within(DEADLINE, |popup| popup.body.ends_with("ERROR 连接失败"));
    assert!(popup.body.starts_with("web line "), "{popup:?}");

    wait(&resident, "message", "a skipped message", |feed| feed.counts.ignored > 0);
    for popup in popups.popups() {
        for held_back in ["idle", "null", "INFO", "\u{1b}"] {
            assert!(!popup.body.contains(held_back), "{held_back:?} in {popup:?}");
        }
    }
    assert_eq!(popups.errors(), Vec::<serde_json::Value>::new());
    until(DEADLINE, "the row to be recorded as shown", || {
        events(&resident, "record").iter().any(|event| event.outcome == Outcome::Shown)
    });
}

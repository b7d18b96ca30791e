//! Events that are deleted, restored and shown again in the running engine, and what the log tells of connections.

use bellwether_engine::{
    config::edit::FeedChange,
    engine::Error,
    event_log::{ConnectionChange, Happened},
};
use jiff::{SignedDuration, Timestamp};

use super::*;

async fn changed(fixture: &mut Fixture) -> ConnectionChange {
    loop {
        let update = timeout(PATIENCE, fixture.updates.recv()).await.expect("an update").expect("the engine");
        if let Update::ConnectionChange(change) = update {
            return *change;
        }
    }
}

#[tokio::test]
async fn what_is_deleted_while_it_waits_gets_no_popup_until_it_is_restored() {
    let script = vec![stream("data: 1\n\ndata: 2\n\n"), Act::Hold];
    let server = ScriptedServer::start(vec![script]).await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    fixture.events("a", 2).await;
    fixture.engine.delete(vec![1, 77]).await.expect("the engine");
    assert_eq!(fixture.feed("a", |_| true).await.counts.events, 1);
    fixture.engine.report(Report::Available(true)).await;
    assert_eq!(fixture.shown().await.popup.events, [2]);
    fixture.settled().await;
    assert!(fixture.popups.try_recv().is_err());

    fixture.engine.restore(vec![1]).await.expect("the engine");
    assert_eq!(fixture.shown().await.popup.events, [1]);
    fixture.settled().await;
    assert_eq!(fixture.outcomes("a"), [Outcome::Shown; 2]);
    assert_eq!(fixture.feed("a", |_| true).await.counts.unread, 2);
    let error = fixture.engine.restore(vec![1]).await.expect_err("it is there");
    assert!(matches!(error, Error::NothingToRestore), "{error}");
}

#[tokio::test]
async fn what_is_held_and_deleted_is_not_counted_and_never_told() {
    let script = vec![stream("data: 1\n\ndata: 2\n\n"), Act::Hold];
    let server = ScriptedServer::start(vec![script]).await;
    let mut fixture = Fixture::start(&feed("a", &server, "paused = true"));
    fixture.engine.report(Report::Available(true)).await;
    let until = Timestamp::now() + SignedDuration::from_hours(1);
    fixture.engine.snooze(None, Some(until)).await.expect("a snooze");
    fixture.engine.set_paused(id("a"), false).await.expect("a feed");
    fixture.events("a", 2).await;
    fixture.engine.delete(vec![2]).await.expect("the engine");
    assert_eq!(fixture.engine.attention().await.expect("the engine").held, 1);
    fixture.engine.snooze(None, None).await.expect("its end");
    assert_eq!(fixture.shown().await.popup.events, [1]);
    fixture.settled().await;
    assert!(fixture.popups.try_recv().is_err());
}

#[tokio::test]
async fn a_deleted_event_whose_popup_is_on_its_way_is_not_told_twice() {
    let server = ScriptedServer::start(vec![vec![stream("data: 1\n\n"), Act::Hold]]).await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    fixture.engine.report(Report::Available(true)).await;
    let popup = fixture.popup().await.popup;
    fixture.engine.delete(vec![1]).await.expect("the engine");
    fixture.engine.report(Report::Shown { events: popup.events }).await;
    fixture.engine.restore(vec![1]).await.expect("the engine");
    fixture.settled().await;
    assert_eq!(fixture.outcomes("a"), [Outcome::Shown]);
    assert!(fixture.popups.try_recv().is_err());
}

#[tokio::test]
async fn a_deleted_event_that_its_server_sends_again_is_a_repeat() {
    let go = Arc::new(Notify::new());
    let first = vec![stream("id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n"), Act::Wait(go.clone())];
    let again = vec![stream("id: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\ndata: 3\n\n"), Act::Hold];
    let server = ScriptedServer::start(vec![first, again]).await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    fixture.events("a", 2).await;
    fixture.engine.delete(vec![1]).await.expect("the engine");
    go.notify_one();
    let view = fixture.feed("a", |view| view.counts.repeats == 2 && view.counts.events == 2).await;
    assert_eq!(view.counts.events, 2);
    assert_eq!(fixture.data("a"), ["2", "3"]);
}

#[tokio::test]
async fn a_popup_is_shown_again_whatever_keeps_it_away() {
    let rules = "mute = true\n[[feed.rule]]\nevent = \"ping\"\naction = \"ignore\"\n[[feed.rule]]\n";
    let script = vec![stream("data: 1\n\nevent: ping\ndata: 2\n\n"), Act::Hold];
    let server = ScriptedServer::start(vec![script]).await;
    let mut fixture = Fixture::start(&feed("a", &server, rules));
    let error = fixture.engine.show_again(1).await.expect_err("no event");
    assert!(matches!(error, Error::NoSuchEvent(1)), "{error}");
    fixture.feed("a", |view| view.counts.ignored == 1).await;
    let error = fixture.engine.show_again(1).await.expect_err("no server");
    assert!(matches!(error, Error::NotShown), "{error}");
    fixture.engine.report(Report::Available(true)).await;
    for seq in [1, 2] {
        fixture.engine.show_again(seq).await.expect("a popup");
        let popup = fixture.popup().await.popup;
        assert_eq!((popup.events.clone(), popup.summary.clone()), (vec![seq], None));
        fixture.engine.show_again(seq).await.expect("it is on its way");
        fixture.engine.report(Report::Shown { events: popup.events }).await;
    }
    let view = fixture.feed("a", |view| view.counts.events == 2).await;
    assert_eq!((view.counts.unread, view.counts.ignored), (0, 1));
    assert_eq!(fixture.outcomes("a"), [Outcome::Shown; 2]);
    fixture.engine.show_again(1).await.expect("a popup");
    assert_eq!(fixture.shown().await.popup.events, [1]);
    // A server that refuses it changes nothing.
    fixture.engine.show_again(1).await.expect("a popup");
    let popup = fixture.popup().await.popup;
    fixture.engine.report(Report::Failed { events: popup.events }).await;
    assert_eq!(fixture.outcomes("a"), [Outcome::Shown; 2]);
}

#[tokio::test]
async fn an_outage_is_in_the_log_once_with_its_end() {
    let go = Arc::new(Notify::new());
    let good = vec![stream("data: 1\n\n"), Act::Wait(go.clone()), Act::Reset];
    let bad = || vec![Act::Reset];
    let ended = vec![stream("data: 2\n\n")];
    let server =
        ScriptedServer::start(vec![good, bad(), bad(), ended, vec![stream("data: 3\n\n"), Act::Hold]]).await;
    let mut fixture = Fixture::start(&feed("a", &server, ""));
    fixture.events("a", 1).await;
    go.notify_one();
    let lost = changed(&mut fixture).await;
    assert!(matches!(&lost.what, Happened::Lost { code, .. } if code == "broken"), "{lost:?}");
    assert_eq!((lost.feed.clone(), lost.after), (id("a"), 1));
    let back = changed(&mut fixture).await;
    assert!(matches!(back.what, Happened::Back { .. }), "{back:?}");
    assert_eq!(back.after, 1, "it was back before the event came");
    fixture.events("a", 3).await;
    let logged = fixture.engine.log().connections(&Query::default(), None).expect("the log");
    assert_eq!(logged, [back, lost], "an end as it should be is none");
}

/// A feed at a port where nobody listens.
async fn refused() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("[[feed]]\nid = \"a\"\nurl = \"http://{}/\"\n", listener.local_addr().expect("an address"))
}

#[tokio::test]
async fn an_outage_that_outlasts_the_program_is_not_told_again() {
    let mut fixture = Fixture::start(&refused().await);
    let lost = changed(&mut fixture).await;
    let mut fixture = fixture.restart().await;
    fixture.feed("a", |view| view.connection.attempt > 0).await;
    let logged = fixture.engine.log().connections(&Query::default(), None).expect("the log");
    assert_eq!(logged, [lost]);
}

#[tokio::test]
async fn an_outage_ends_with_another_url_that_answers() {
    let server = ScriptedServer::start(vec![vec![stream("data: 1\n\n"), Act::Hold]]).await;
    let mut fixture = Fixture::start(&refused().await);
    let lost = changed(&mut fixture).await;
    let change = FeedChange { url: Some(server.url("/").to_string()), ..FeedChange::default() };
    fixture.engine.edit_feed(id("a"), change).await.expect("a feed");
    let back = changed(&mut fixture).await;
    assert!(matches!(back.what, Happened::Back { .. }), "{back:?}");
    let logged = fixture.engine.log().connections(&Query::default(), None).expect("the log");
    assert_eq!(logged, [back, lost]);
}

#[tokio::test]
async fn a_deletion_is_told_of_its_feed_alone() {
    let script = || vec![vec![stream("data: 1\n\n"), Act::Hold]];
    let (one, other) = (ScriptedServer::start(script()).await, ScriptedServer::start(script()).await);
    let mut fixture = Fixture::start(&(feed("a", &one, "") + &feed("b", &other, "")));
    fixture.feed("a", |view| view.counts.events == 1).await;
    fixture.feed("b", |view| view.counts.events == 1).await;
    let of_a = fixture.log("a").into_iter().map(|record| record.seq).collect();
    while fixture.updates.try_recv().is_ok() {}
    fixture.engine.delete(of_a).await.expect("the engine");
    fixture.settled().await;
    let mut told = Vec::new();
    while let Ok(update) = fixture.updates.try_recv() {
        if let Update::Feed(view) = update {
            told.push((view.feed.id.to_string(), view.counts.events));
        }
    }
    assert_eq!(told, [("a".to_owned(), 0)]);
}

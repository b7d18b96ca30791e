//! Each provider's stream as it comes over the wire, through the event source and its preset: which popups it gives, whole, byte
//! by byte, cut in two, and with data that no provider would send.
//!
//! `NAME.stream` holds the bytes, written from the provider's documents, and `NAME.toml` what must come of each message: the cases
//! are the files of this folder.

#![allow(clippy::expect_used, clippy::panic, reason = "what is expected and does not hold ends the test")]

mod arbitrary;
mod fixture;
mod hostile;

use std::collections::BTreeSet;

use bellwether_engine::{
    config,
    preset::{self, By},
};
use fixture::{Fixture, Told, fixtures};

#[test]
fn every_preset_is_there_and_compiles() {
    let ids: Vec<&str> = preset::all().iter().map(|preset| preset.id).collect();
    assert_eq!(ids.len(), std::fs::read_dir("presets").expect("the folder of presets").count(), "{ids:?}");
    for preset in preset::all() {
        assert!(!preset.name.is_empty() && preset.url.starts_with("http"), "{}", preset.id);
        assert!(preset.help("en").len() > 40 && preset.help("zh-CN").len() > 40, "{}", preset.id);
        preset.check().unwrap_or_else(|error| panic!("{}: {error}", preset.id));
    }
}

#[test]
fn every_preset_has_a_recorded_stream() {
    let tried: BTreeSet<String> = fixtures().into_iter().map(|fixture| fixture.preset).collect();
    let there = preset::all().iter().map(|preset| preset.id.to_owned()).collect();
    assert_eq!(tried, there);
}

/// Whole, and a byte at a time.
#[test]
fn a_recorded_stream_gives_exactly_these_popups() {
    for fixture in fixtures() {
        let expected = fixture.told();
        assert_eq!(fixture.run(&[fixture.bytes.chunks(usize::MAX)]).told, expected, "{}", fixture.name);
        assert_eq!(fixture.run(&[fixture.bytes.chunks(1)]).told, expected, "{}", fixture.name);
    }
}

/// At each end of an event, beside it, and here and there within, with the reconnect that follows: the server goes on as this one
/// does.
#[test]
fn a_recorded_stream_that_is_cut_gives_what_its_server_sends_again_and_no_more() {
    for fixture in fixtures() {
        let ends = fixture.ends();
        let beside = ends.iter().flat_map(|end| [end.saturating_sub(1), *end, end + 1]);
        let within = (0..fixture.bytes.len()).step_by(83);
        let cuts: BTreeSet<usize> = beside.chain(within).filter(|cut| *cut <= fixture.bytes.len()).collect();
        for cut in cuts {
            let whole = ends.iter().filter(|end| **end <= cut).count();
            let (again, expected) = fixture.after(cut, &ends);
            let run = fixture.run(&[fixture.bytes[..cut].chunks(usize::MAX), again.chunks(7)]);
            assert_eq!(run.told, expected, "{} cut at {cut}", fixture.name);
            assert_eq!(run.resumed_by.as_deref(), fixture.place(whole), "{} cut at {cut}", fixture.name);
        }
    }
}

#[test]
fn the_provider_is_recognised_and_told_why() {
    for fixture in fixtures() {
        let feed = fixture.feed();
        let by_url = feed.preset.as_ref().map(|chosen| (chosen.preset.id, &chosen.by));
        let (found, why) = match fixture.found.as_str() {
            "stream" => {
                assert_eq!(by_url, None, "{}", fixture.name);
                fixture.found_by_stream().expect("a preset that the stream tells")
            }
            _ => feed.preset.map(|chosen| (chosen.preset.id, chosen.why().to_string())).expect("a preset"),
        };
        let name = &preset::by_id(&fixture.preset).expect("a preset").name;
        let expected = match (fixture.found.as_str(), fixture.event.as_deref()) {
            ("set", _) => "feeds.toml says so".to_owned(),
            ("url", _) => format!("the address is that of {name}"),
            (_, Some("message")) => format!("its events are like those of {name}"),
            (_, event) => format!("it sent an event “{}” as {name} does", event.unwrap_or_default()),
        };
        assert_eq!((found, why.as_str()), (fixture.preset.as_str(), expected.as_str()), "{}", fixture.name);
    }
}

/// Where both could be taken for another: no stream tells a preset that is not its own, nor do streams that are nobody's.
#[test]
fn a_stream_is_not_taken_for_another_providers() {
    for fixture in fixtures() {
        match fixture.found_by_stream() {
            Some((found, _)) => assert_eq!(found, fixture.preset, "{}", fixture.name),
            None => assert!(
                matches!(fixture.preset.as_str(), "mercure" | "nchan" | "base64-log" | "json" | "text"),
                "{}",
                fixture.name
            ),
        }
    }
}

#[test]
fn only_plain_addresses_tell_a_preset() {
    for (url, expected) in [
        ("https://ntfy.sh/a,b/sse", Some("ntfy")),
        ("https://ntfy.sh/a/json", None),
        ("https://ntfy.example.org/a/sse", Some("ntfy")),
        ("https://example.org/a/sse", None),
        ("https://example.org/ntfy.sh/sse", None),
        ("https://notntfy.sh/a/sse", None),
        ("https://example.org/.well-known/mercure?topic=*", Some("mercure")),
        ("https://example.org/x/.well-known/mercure", None),
        ("https://example.org/api/v1/streaming?stream=user:notification", Some("mastodon")),
        ("https://example.org/api/v1/streaming/user", Some("mastodon")),
        ("https://example.org/api/v1/streams", None),
        ("http://192.0.2.7:8123/api/stream", Some("home-assistant")),
        ("http://192.0.2.7:8000/api/stream", None),
        ("https://ha.example.org/api/stream?restrict=state_changed", Some("home-assistant")),
        ("http://192.0.2.7:8080/rest/events", None),
        ("http://192.0.2.7:8080/rest/events?topics=openhab/items/*/state", Some("openhab")),
        ("http://192.0.2.7:5984/db/_changes?feed=eventsource", Some("couchdb")),
        ("http://192.0.2.7:5984/db/_changes?feed=continuous", None),
        ("https://a.firebaseio.com/x.json?auth=secret", Some("firebase")),
        ("https://a.europe-west1.firebasedatabase.app/x.json", Some("firebase")),
        ("https://firebaseio.com.example.org/x.json", None),
        ("https://stream.wikimedia.org/v2/stream/page-create", Some("wikimedia")),
        ("https://smee.io/abc", Some("smee")),
        ("http://127.0.0.1:8083/api/container/logs/web?follow=1", Some("base64-log")),
        ("http://127.0.0.1:8083/events", None),
        ("http://127.0.0.1:3000/test", None),
        ("http://127.0.0.1:8000/004_ping.php", None),
    ] {
        let found = preset::by_url(&url::Url::parse(url).expect("a URL"));
        assert_eq!(found.as_ref().map(|chosen| chosen.preset.id), expected, "{url}");
        assert!(found.is_none_or(|chosen| chosen.by == By::Url));
    }
}

/// A feed as in `feeds.toml`, and what becomes of a message of it.
#[test]
fn a_feeds_own_rules_come_before_its_presets_and_a_preset_before_the_default() {
    let feed = |rest: &str| {
        let text = format!("[[feed]]\nid = \"a\"\nurl = \"https://ntfy.sh/ops/sse\"\n{rest}");
        config::parse(&text).expect("a good file").feeds[0].as_ref().clone()
    };
    let own = "[[feed.rule]]\nwhen = \"data.priority == 1\"\naction = \"ignore\"";
    let broken = "[[feed.rule]]\nwhen = \"data.message | b64decode\"\naction = \"ignore\"";
    let low = r#"{"id":"1","topic":"ops","event":"message","message":"a?","priority":1}"#;
    let high = r#"{"id":"2","topic":"ops","event":"message","message":"b?","priority":5}"#;
    for (rest, event, data, expected) in [
        ("", "message", low, "popup preset 3 ops"),
        ("", "open", low, "ignored keep_alive - a?"),
        ("preset = \"none\"", "message", low, "popup default - a?"),
        ("preset = \"none\"", "open", low, "popup default - a?"),
        ("preset = \"json\"", "message", low, "popup preset - a?"),
        // Rules and no word of a preset: as ever.
        (own, "message", low, "ignored rule 1 a?"),
        (own, "message", high, "logged no_match - b?"),
        (own, "open", high, "logged no_match - b?"),
        // Rules and a preset.
        (&format!("preset = \"ntfy\"\n{own}"), "message", low, "ignored rule 1 a?"),
        (&format!("preset = \"ntfy\"\n{own}"), "message", high, "popup preset 3 ops"),
        (&format!("preset = \"ntfy\"\n{own}"), "keepalive", high, "ignored keep_alive - b?"),
        (&format!("preset = \"ntfy\"\n{broken}"), "message", high, "popup rule_failed 1 b?"),
    ] {
        let told = Told::of(&feed(rest), event, data);
        let body_or_title =
            if told.reason == "preset" && told.rule.is_some() { &told.title } else { &told.body };
        let rule = told.rule.map_or_else(|| "-".to_owned(), |rule| rule.to_string());
        let reason = if told.reason.is_empty() { "-" } else { &told.reason };
        let found = format!("{} {reason} {rule} {body_or_title}", told.outcome);
        assert_eq!(found, expected, "{rest} {event}");
    }
}

#[test]
fn a_preset_gives_the_connection_what_the_feed_does_not_say() {
    let settings = |rest: &str| {
        let text = format!("[[feed]]\nid = \"a\"\nurl = \"https://ntfy.sh/ops/sse\"\n{rest}");
        let feed = &config::parse(&text).expect("a good file").feeds[0];
        (feed.resume.to_string(), feed.idle_timeout.map(|time| time.as_secs()))
    };
    for (rest, resume, idle_timeout) in [
        ("", "data.id since", Some(150)),
        ("idle_timeout = \"5m\"", "data.id since", Some(300)),
        ("resume = \"none\"\nidle_timeout = 0", "none", None),
        ("preset = \"none\"", "header", Some(300)),
        ("preset = \"esphome\"", "none", Some(45)),
        ("rule = [{ action = \"log\" }]", "header", Some(300)),
        // The parameter is a secret's already.
        ("auth.query.since = { env = \"X\" }", "header", Some(150)),
    ] {
        assert_eq!(settings(rest), (resume.to_owned(), idle_timeout), "{rest}");
    }
}

#[test]
fn a_preset_that_there_is_not_is_a_mistake_with_the_nearest_name() {
    for (id, message) in [
        ("nfty", "unknown preset “nfty”; did you mean ntfy?"),
        ("Mastodon", "unknown preset “Mastodon”; did you mean mastodon?"),
        ("zzz", "known here: ntfy, mercure, mastodon, "),
    ] {
        let text = format!("[[feed]]\nid = \"a\"\nurl = \"https://example.org/\"\npreset = \"{id}\"");
        let error = config::parse(&text).expect_err("a mistake");
        assert_eq!((error.line, error.key.as_str()), (4, "feed[1].preset"));
        assert!(error.message.to_string().contains(message), "{}", error.message);
    }
}

/// Rules that are tried or set over the control socket write the preset down that was found; rules that a person writes into the
/// file are all that the person wants, unless it names one.
#[test]
fn a_preset_stays_behind_rules_that_are_tried_and_behind_written_ones_if_it_is_named() {
    for (rest, kept) in [("", false), ("preset = \"ntfy\"", true)] {
        let text = format!("[[feed]]\nid = \"a\"\nurl = \"https://ntfy.sh/ops/sse\"\n{rest}");
        let feed = config::parse(&text).expect("a good file").feeds[0].as_ref().clone();
        assert!(feed.preset.is_some());
        let with_rules =
            config::parse(&format!("{text}\nrule = [{{ event = \"x\" }}]")).expect("a good file");
        let draft = feed.clone().with_rules(with_rules.feeds[0].rules.clone());
        assert_eq!(draft.preset.as_ref().map(|chosen| &chosen.by), Some(&By::Set));
        assert_eq!(with_rules.feeds[0].preset.is_some(), kept);
        assert!(feed.with_rules(Default::default()).preset.is_some());
    }
}

/// What becomes of a message is the same as with no preset at all.
#[test]
fn the_generic_presets_are_the_default_popup() {
    for fixture in fixtures() {
        for message in fixture.messages() {
            let told =
                ["none", "json", "text"].map(|preset| Told::decided(&Fixture::feed_with(preset), &message));
            let [none, json, text] = told.map(|told| Told { reason: String::new(), ..told });
            assert_eq!((&none, &none), (&json, &text), "{}", fixture.name);
        }
    }
}

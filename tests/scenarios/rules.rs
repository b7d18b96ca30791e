//! Rules in the running program: tried before they stand in the file, what they run, and what is told of those that fail.

use std::{fs, time::Duration};

use bellwether_control::wire::{Feed, Outcome, RuleAction, RulesPreview};
use bellwether_tests::{PATIENCE, Resident, Source, until, until_some};
use serde_json::{Value, json};

/// More than a program may take.
const LONG: Duration = Duration::from_secs(60);

fn feed_with(source: &Source, rules: &str) -> String {
    format!("[[feed]]\nid = \"ops\"\nurl = \"{}\"\n{rules}", source.url())
}

#[test]
fn rules_are_tried_on_the_log_and_nothing_comes_of_it() {
    let source = Source::start();
    let trace = tempfile::tempdir().expect("a folder");
    let touch = trace.path().join("touched");
    let resident = Resident::with_config(&feed_with(&source, "[[feed.rule]]\nwhen = \"data.n == 1\"\n"));
    for n in 0..30 {
        source.send("build", &json!({ "n": n, "title": format!("Build {n}") }));
    }
    until(PATIENCE, "the events to be logged", || resident.feed("ops").counts.events == 30);
    let test = |body: Value| resident.call::<RulesPreview>("POST", "/rules/test", &body);

    let own = test(json!({ "feed": "ops" }));
    assert_eq!((own.evaluated, own.notified), (30, 1));
    let all = test(json!({}));
    assert_eq!((all.evaluated, all.notified, all.popups[0].title.as_str()), (30, 1, "Build 1"));

    let draft = json!({ "when": "data.n >= 20", "notify": { "title": "No. {{ data.n }}", "sound": false, "expire": 10 } });
    let tried = test(json!({ "feed": "ops", "rules": [draft], "popups": 2 }));
    assert_eq!((tried.evaluated, tried.notified), (30, 10));
    let titles: Vec<_> = tried.popups.iter().map(|popup| &*popup.title).collect();
    assert_eq!(titles, ["No. 29", "No. 28"]);
    let number = tried.popups[0].seq.expect("an event of the log");
    assert_eq!(resident.get::<Value>(&format!("/events/{number}"))["title"], "Build 29");
    let decided: Vec<_> =
        tried.decided.iter().map(|decided| (decided.action, &*decided.reason.code, decided.count)).collect();
    assert_eq!(decided, [(RuleAction::Log, "no_match", 20), (RuleAction::Notify, "rule", 10)]);

    let before = json!({ "when": "data.n < 3", "action": "ignore" });
    let inserted = test(json!({ "feed": "ops", "rules": [before], "place": { "insert": 1 } }));
    assert_eq!((inserted.notified, inserted.decided[1].count), (0, 3));
    let sample = test(json!({ "feed": "ops", "sample": "data: {\"n\":1}\n\ndata: {\"n\":2}\n\n" }));
    assert_eq!((sample.evaluated, sample.notified, sample.popups[0].seq), (2, 1, None));

    let file = trace.path().join("draft.toml");
    fs::write(&file, format!("[[feed.rule]]\nrun = [\"touch\", \"{}\"]\n", touch.display()))
        .expect("written");
    let out = resident.cli_text(&["rules", "test", "ops", "--rule", &file.display().to_string()]);
    assert!(out.starts_with("Events: 30, with a popup: 30\n") && out.contains("Build 29"), "{out}");
    assert!(!touch.exists());
    assert_eq!(resident.feed("ops").counts.events, 30);
    assert!(resident.log("ops").iter().all(|event| event.outcome != Outcome::Ignored));
}

#[test]
fn mistakes_in_a_trial_are_refused_with_their_place() {
    let resident =
        Resident::with_config("[[feed]]\nid = \"ops\"\nurl = \"http://127.0.0.1:9/\"\npaused = true\n");
    let ask = |body: Value| {
        let answer = resident.request("POST", "/rules/test", &body).expect("an answer");
        (answer.status, answer.body)
    };
    let wrong = json!({ "feed": "ops", "rules": [{}, { "notify": { "title": "a\n{{ data | foo }}" } }] });
    let (status, body) = ask(wrong);
    assert_eq!((status, body["code"].as_str()), (400, Some("invalid_value")));
    assert_eq!(body["place"], json!({ "key": "rule[2].notify.title", "line": 2, "column": 11 }));
    assert_eq!(body["sentence"]["code"], "unknown_filter");
    for (body, code, status) in [
        (json!({ "feed": "nobody" }), "no_such_feed", 404),
        (json!({ "feed": "ops", "rules": [{ "run": ["true"] }] }), "bad_request", 400),
        (json!({ "rules": [{}], "place": { "replace": 1 } }), "bad_request", 400),
        (json!({ "feed": "ops", "rules": [{}], "place": { "replace": 1 } }), "bad_request", 400),
        (json!({ "feed": "ops", "place": { "insert": 1 } }), "bad_request", 400),
        (json!({ "rules": 3 }), "bad_request", 400),
    ] {
        let (found, answer) = ask(body.clone());
        assert_eq!((found, answer["code"].as_str()), (status, Some(code)), "{body}: {answer}");
    }
}

#[test]
fn a_program_gets_the_event_and_its_failure_is_told() {
    let source = Source::start();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let script = format!("cat > '{0}.part'; mv '{0}.part' '{0}'", out.display());
    let rules = format!(
        "[[feed.rule]]\nevent = \"ring\"\naction = \"log\"\nrun = [\"sh\", \"-c\", \"{script}\"]\n\
         [[feed.rule]]\nevent = \"fail\"\nrun = [\"sh\", \"-c\", \"exit 3\"]\n\
         [[feed.rule]]\nnotify.title = \"{{{{ data.log | b64decode }}}}\"\n"
    );
    let mut resident = Resident::with_config(&feed_with(&source, &rules));
    source.send("ring", &json!({ "camera": 2 }));
    let input = until_some(LONG, "the program's input", || fs::read_to_string(&out).ok());
    let input: Value = serde_json::from_str(&input).expect("one JSON value");
    assert_eq!(
        (&input["feed"], &input["event"], &input["data"], &input["title"], &input["urgency"]),
        (&json!("ops"), &json!("ring"), &json!({ "camera": 2 }), &json!("ops · ring"), &json!("normal"))
    );

    source.send("fail", &json!(1));
    source.send("fail", &json!(2));
    source.send("other", &json!({ "log": "no base64." }));
    let feed = until_some(LONG, "the failures", || {
        let feed: Feed = resident.feed("ops");
        (feed.rule_faults.iter().map(|fault| fault.count).sum::<u64>() == 3).then_some(feed)
    });
    let faults: Vec<_> =
        feed.rule_faults.iter().map(|fault| (fault.rule, &*fault.detail, fault.count)).collect();
    assert_eq!(faults[0], (2, "run: sh: exit status 3", 2));
    assert!(faults[1].0 == 3 && faults[1].1.starts_with("notify.title: b64decode: not base64"), "{faults:?}");
    let said = resident.cli_text(&["feeds"]);
    assert!(said.contains("ops: Rule 2 fails: run: sh: exit status 3"), "{said}");
    resident
        .process()
        .wait_for_line(LONG, "word of it", |line| line == "ops: rule 2 fails: run: sh: exit status 3");
    let told = resident.process().lines().iter().filter(|line| line.contains("rule 2 fails")).count();
    assert_eq!(told, 1, "it is told once");

    // Other rules have not failed yet.
    fs::write(resident.config_file(), feed_with(&source, "[[feed.rule]]\nevent = \"x\"\n")).expect("written");
    until(PATIENCE, "the faults to be forgotten", || resident.feed("ops").rule_faults.is_empty());
}

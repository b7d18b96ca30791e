//! Probes, asked of the control socket and of the command line.

use std::process::Output;

use bellwether_control::wire::Probe;
use bellwether_tests::{Resident, Source, free_port};
use serde_json::{Value, json};

/// More than a probe waits for, so that it need not take its whole time.
fn lively() -> Source {
    let source = Source::start();
    for number in 0..6 {
        source.send("build", &json!({ "number": number }));
    }
    source
}

#[test]
fn the_control_socket_answers_what_there_is() {
    let resident = Resident::with_config("");
    let source = lively();
    let found: Probe = resident.call("POST", "/probe", &json!({ "url": source.url() }));
    assert!(found.usable && found.fault.is_none(), "{found:?}");
    assert_eq!((found.status, found.retry_seconds, found.last_event_ids), (Some(200), Some(1.0), true));
    let [seen] = &found.events[..] else { panic!("{found:?}") };
    assert_eq!((&*seen.event, seen.count, &*seen.data), ("build", 5, r#"{"number":0}"#));
    assert_eq!((source.requests(), resident.status().feeds), (1, vec![]), "it is only looked at");

    let closed = format!("http://127.0.0.1:{}/", free_port());
    for (url, code) in [(&*closed, "refused"), ("not a url", "not_a_url"), ("ftp://x.example/", "scheme")] {
        let found: Probe = resident.call("POST", "/probe", &json!({ "url": url }));
        assert_eq!((found.usable, found.fault.map(|fault| fault.code)), (false, Some(code.to_owned())));
    }
    for body in [Value::Null, json!({}), json!({ "url": 1 }), json!({ "url": "http://a/", "x": 1 })] {
        let answer = resident.request("POST", "/probe", &body).expect("an answer");
        assert_eq!((answer.status, answer.body["code"].as_str()), (400, Some("bad_request")), "{body}");
    }
}

#[test]
fn the_command_line_needs_no_resident_program() {
    let source = lively();
    let nobody = Resident::prepare();
    let text = |output: &Output| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, err) = text(&nobody.cli(&["probe", &source.url()]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("Answer") && out.ends_with("build  5      {\"number\":0}\n"), "{out}");

    let page = source.url().replace("/events", "/page");
    let (code, out, err) = text(&nobody.cli(&["probe", &page, "--json"]));
    let found: Probe = serde_json::from_str(&out).expect("a JSON value");
    assert_eq!((code, err.as_str()), (Some(1), ""));
    assert_eq!(found.fault.map(|fault| fault.code).as_deref(), Some("html"));
}

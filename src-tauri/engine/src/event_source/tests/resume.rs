//! What reconnects carry.

use super::*;

fn bench(from: &str, value: &str) -> Bench {
    let mut bench = Bench::with(Limits::default(), "https://example.org/sse?poll=1", "7");
    let from = ResumeFrom::parse(from).unwrap();
    bench.source =
        bench.source.resuming(Resume::Query { name: "since".into(), from, events: Vec::new() }, value.into());
    bench
}

fn request(query: &str) -> Request {
    Request { url: Url::parse(&format!("https://example.org/sse{query}")).unwrap(), last_event_id: None }
}

#[test]
fn a_value_from_the_data_is_sent_as_a_parameter_and_no_header_is() {
    let mut bench = bench("data.id", "");
    assert_eq!(bench.request(), request("?poll=1"), "the last event ID is not what counts");
    assert_eq!(bench.source.answered(bench.now, &STREAM), Verdict::Open);
    bench.receive("id: 8\ndata: a\n\n");
    bench.source.set_resume_value("x y");
    bench.source.ended(bench.now);
    bench.source.try_now();
    assert_eq!(bench.request(), request("?poll=1&since=x+y"));

    // What the server redirects to is its own affair, and the next connection begins at the configured URL again.
    let redirect = Answer { status: 307, location: Some("/other?a=b"), ..Answer::default() };
    assert_eq!(bench.source.answered(bench.now, &redirect), Verdict::Refused);
    assert_eq!(bench.request().url.as_str(), "https://example.org/other?a=b");
    bench.source.failed(bench.now, Reason::Network(String::new()));
    bench.source.try_now();
    assert_eq!(bench.request(), request("?poll=1&since=x+y"));
}

#[test]
fn a_value_of_an_earlier_run_and_the_last_event_id_are_sent_too() {
    assert_eq!(bench("data.id", "stored").request(), request("?poll=1&since=stored"));
    assert_eq!(bench("id", "").request(), request("?poll=1&since=7"));
    assert_eq!(bench("data.id", &"x".repeat(4097)).request(), request("?poll=1"));

    let mut none = Bench::with(Limits::default(), "https://example.org/sse", "7");
    none.source = none.source.resuming(Resume::None, String::new());
    assert_eq!(none.request(), request(""));
}

#[test]
fn a_value_that_the_server_refuses_is_forgotten_once_it_takes_the_request_without() {
    for (from, told) in [("data.id", Output::ResumeRefused), ("id", Output::LastEventId(String::new()))] {
        let mut bench = bench(from, "stale");
        bench.status_code(400);
        assert_eq!(bench.request(), request("?poll=1"));
        assert_eq!(bench.source.answered(bench.now, &STREAM), Verdict::Open);
        assert_eq!(bench.receive(""), [told]);
        bench.source.ended(bench.now);
        bench.source.try_now();
        assert_eq!(bench.request(), request("?poll=1"));
    }
}

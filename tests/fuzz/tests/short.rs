//! The corpus, with every find there ever was, and a short run that is the same each time.

use bellwether_fuzz::TARGETS;

fn hold(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let corpus = target.corpus().expect("its corpus");
    assert!(!corpus.is_empty(), "there is something to begin with");
    for (file, content) in &corpus {
        eprintln!("{}", target.folder().join(file).display());
        (target.check)(content);
    }
    if let Err(find) = target.run(&corpus, 2_000, 1) {
        let path = target.keep(&find).expect("a find can be kept");
        panic!("{}; kept as {}", find.reason, path.display());
    }
}

#[test]
fn bytes_to_events() {
    hold("events");
}

#[test]
fn the_text_of_feeds_toml() {
    hold("feeds");
}

#[test]
fn control_requests_and_answers() {
    hold("control");
}

#[test]
fn a_broken_promise_is_found_and_made_small() {
    let [target, ..] = TARGETS;
    let broken =
        bellwether_fuzz::Target { check: |input| assert!(!input.contains(&b'7'), "a seven"), ..target };
    let corpus = broken.corpus().expect("its corpus");
    let find = broken.run(&corpus, 2_000, 1).expect_err("some input has a 7");
    assert!(find.reason.contains("a seven"), "{}", find.reason);
    assert_eq!(find.input, broken.run(&corpus, 2_000, 1).expect_err("the same again").input);
    assert!(find.input.len() < 200, "{:?}", String::from_utf8_lossy(&find.input));
}

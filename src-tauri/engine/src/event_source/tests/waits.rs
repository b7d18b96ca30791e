//! What lengthens and shortens the waits.

use super::*;

#[test]
fn retry_after_lengthens_the_one_delay_that_follows() {
    use State::{Connecting, NeedsAttention, Stopped, Waiting};
    let minutes = |minutes: u32| minutes * 60 * SECOND;
    for (status, asked, state, expected) in [
        (200, minutes(30), NeedsAttention, Some(minutes(30))),
        (401, minutes(30), NeedsAttention, Some(minutes(30))),
        (404, minutes(30), NeedsAttention, Some(minutes(30))),
        (408, minutes(30), Waiting, Some(minutes(30))),
        (429, minutes(30), Waiting, Some(minutes(30))),
        (500, minutes(30), Waiting, Some(minutes(30))),
        (503, minutes(30), Waiting, Some(minutes(30))),
        (503, minutes(61), Waiting, Some(minutes(60))),
        (503, Duration::MAX, Waiting, Some(minutes(60))),
        // Shorter than the own delay.
        (503, 2 * SECOND, Waiting, None),
        (404, 59 * SECOND, NeedsAttention, None),
        // What is over or goes on at once does not wait.
        (204, minutes(30), Stopped, None),
        (302, minutes(30), Connecting, None),
    ] {
        let mut bench = Bench::new("");
        let answer = |retry_after| Answer { status, location: Some("/x"), retry_after, ..Answer::default() };
        assert_eq!(bench.answer(&answer(Some(asked))), Verdict::Refused);
        let mut without = Bench::new("");
        assert_eq!(without.answer(&answer(None)), Verdict::Refused);
        assert_eq!(bench.state(), state, "{status}");
        let own = without.source.deadline().map(|_| without.wait());
        let wait = bench.source.deadline().map(|_| bench.wait());
        assert_eq!(wait, expected.or(own), "{status}, {asked:?}");
        if state == Waiting {
            bench.sleep();
            assert_eq!(bench.status_code(503), Verdict::Refused);
            bench.assert_wait(6);
        }
    }
    let mut bench =
        Bench::with(Limits { retry_max: 7200 * SECOND, ..Limits::default() }, "http://localhost/", "");
    bench.open();
    bench.receive("retry: 7200000\n");
    bench.source.ended(bench.now);
    bench.sleep();
    let answer = Answer { status: 503, retry_after: Some(Duration::MAX), ..Answer::default() };
    assert_eq!(bench.answer(&answer), Verdict::Refused);
    bench.assert_wait(7200);
}

use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for something that a machine under load may do slowly. Far more than it takes: it is there to end a
/// test that hangs, and says nothing about speed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within `deadline`; the message names `what` was waited for.
#[track_caller]
pub fn until(deadline: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    until_some(deadline, what, || condition().then_some(()));
}

/// Waits until `look` finds something, and returns it.
///
/// # Panics
/// When it does not within `deadline`; the message names `what` was waited for.
#[track_caller]
pub fn until_some<T>(deadline: Duration, what: &str, look: impl FnMut() -> Option<T>) -> T {
    poll(deadline, look).unwrap_or_else(|| panic!("waited {deadline:?} in vain for {what}"))
}

/// Like [`until_some`], for who goes on without it.
pub(crate) fn poll<T>(deadline: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that sleeps: between two looks at a condition")]
fn pause() {
    thread::sleep(Duration::from_millis(20));
}

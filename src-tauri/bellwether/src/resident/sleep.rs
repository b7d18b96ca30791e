//! Notices that the machine has slept. No connection tells of its end then, and it may look alive for long.
//!
//! By its clocks: one that counts sleep gets ahead of one that does not. And by the word of systemd-logind, where there is a
//! system bus, for a sleep that the clocks do not show.

use std::time::Duration;

use tokio::sync::mpsc;

/// How far the clocks must come apart. Linux has a clock for this; elsewhere it is the wall clock, which is also set.
const ASLEEP: Duration = Duration::from_secs(if cfg!(target_os = "linux") { 1 } else { 30 });

/// After so long between two looks the program itself was stopped, or a clock counts sleep that should not.
const LATE: Duration = Duration::from_secs(30);

/// Word of a sleep that comes within this time after the clocks have shown one is of the same.
const SAME: Duration = Duration::from_secs(10);

/// Two clocks, read together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    /// Stands still while the machine sleeps.
    awake: Duration,
    /// Goes on while it sleeps.
    all: Duration,
}

impl Clocks {
    #[cfg(target_os = "linux")]
    pub(super) fn now() -> Self {
        use rustix::time::{ClockId, clock_gettime};
        let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
        Self { awake: read(ClockId::Monotonic), all: read(ClockId::Boottime) }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn now() -> Self {
        use std::{
            sync::LazyLock,
            time::{Instant, SystemTime},
        };
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let all = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { awake: START.elapsed(), all }
    }
}

/// Knows a sleep by the clocks, and each one once.
#[derive(Debug)]
pub(super) struct Sleep {
    last: Clocks,
    /// When the last one was over, on the clock that stands still.
    over_at: Option<Duration>,
}

impl Sleep {
    /// Watches from this look at the clocks on.
    pub(super) fn since(now: Clocks) -> Self {
        Self { last: now, over_at: None }
    }

    /// Whether the machine has slept since the last look; `told` if the system has just said so.
    pub(super) fn is_over(&mut self, now: Clocks, told: bool) -> bool {
        let awake = now.awake.saturating_sub(self.last.awake);
        let asleep = now.all.saturating_sub(self.last.all).saturating_sub(awake);
        self.last = now;
        let seen = asleep >= ASLEEP || awake >= LATE;
        let known = self.over_at.is_some_and(|at| now.awake.saturating_sub(at) < SAME);
        let over = seen || (told && !known);
        if over {
            self.over_at = Some(now.awake);
        }
        over
    }
}

/// Tells of each end of a sleep that the system tells of.
pub(super) fn ends() -> mpsc::Receiver<()> {
    let (ends, told) = mpsc::channel(1);
    #[cfg(target_os = "linux")]
    tokio::spawn(logind::watch(ends));
    #[cfg(not(target_os = "linux"))]
    drop(ends);
    told
}

#[cfg(target_os = "linux")]
mod logind {
    use std::time::Duration;

    use futures_util::StreamExt as _;
    use tokio::{
        sync::mpsc,
        time::{sleep, timeout},
    };
    use zbus::{Connection, MatchRule, MessageStream, message::Type};

    const NAME: &str = "org.freedesktop.login1";
    const PATH: &str = "/org/freedesktop/login1";
    const INTERFACE: &str = "org.freedesktop.login1.Manager";
    const SIGNAL: &str = "PrepareForSleep";

    /// For one attempt to connect to the system bus.
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
    /// Between two attempts. Long, as the clocks tell of nearly every sleep, too.
    const RETRY: Duration = Duration::from_secs(300);

    /// Until nobody wants to hear of it any more.
    pub(super) async fn watch(ends: mpsc::Sender<()>) {
        let follow_for_ever = async {
            loop {
                if let Ok(Ok(bus)) = timeout(CONNECT_TIMEOUT, Connection::system()).await {
                    // It ends with the bus, or without logind there is nothing to hear.
                    let _ = follow(&bus, &ends).await;
                }
                sleep(RETRY).await;
            }
        };
        tokio::select! {
            () = ends.closed() => {}
            () = follow_for_ever => {}
        }
    }

    async fn follow(bus: &Connection, ends: &mpsc::Sender<()>) -> zbus::Result<()> {
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(NAME)?
            .path(PATH)?
            .interface(INTERFACE)?
            .member(SIGNAL)?
            .build();
        let mut signals = MessageStream::for_match_rule(rule, bus, None).await?;
        while let Some(signal) = signals.next().await {
            let signal = signal?;
            // True before a sleep, false after it.
            if signal.body().deserialize::<bool>() == Ok(false) {
                let _ = ends.send(()).await;
            }
        }
        Ok(())
    }

    #[cfg(test)]
    mod tests {
        use tokio::net::UnixStream;
        use zbus::{Guid, connection::Builder};

        use super::*;

        #[tokio::test]
        async fn the_end_of_a_sleep_is_told_and_its_beginning_is_not() {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let guid = Guid::generate();
            let theirs = Builder::unix_stream(theirs).server(guid).unwrap().p2p().build();
            let (ours, theirs) = tokio::join!(Builder::unix_stream(ours).p2p().build(), theirs);
            let (bus, logind) = (ours.unwrap(), theirs.unwrap());
            let (ends, mut told) = mpsc::channel(8);
            let says = async {
                for (signal, sleeps) in [(SIGNAL, true), ("PrepareForShutdown", false), (SIGNAL, false)] {
                    logind.emit_signal(None::<&str>, PATH, INTERFACE, signal, &sleeps).await.unwrap();
                }
                logind.close().await.unwrap();
            };
            let (followed, ()) = tokio::join!(follow(&bus, &ends), says);
            followed.expect_err("the end of the bus");
            assert_eq!(told.recv().await, Some(()));
            assert!(told.try_recv().is_err(), "once");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_is_known_by_the_clocks_or_by_word_and_once() {
        // Milliseconds on the clock that stands still, those slept, whether the system says so; and what is to be concluded.
        for (case, looks) in [
            ("awake", &[(500, 0, false, false), (29_000, 0, false, false), (500, 900, false, false)][..]),
            ("asleep", &[(500, 0, false, false), (500, 60_000, false, true), (500, 0, false, false)]),
            ("twice", &[(500, 60_000, false, true), (500, 60_000, false, true)]),
            ("a late look", &[(30_000, 0, false, true), (500, 0, false, false)]),
            ("by word alone", &[(20, 0, true, true), (500, 0, false, false)]),
            ("by word first", &[(20, 60_000, true, true), (500, 0, false, false)]),
            ("by the clocks first", &[(500, 60_000, false, true), (20, 0, true, false)]),
            ("word of another", &[(500, 60_000, false, true), (11_000, 0, true, true)]),
        ] {
            // On systems without a clock for it, only long sleeps are told from a clock that is set.
            let mut now = Clocks { awake: Duration::from_secs(7), all: Duration::from_secs(1_000) };
            let mut sleep = Sleep::since(now);
            for (number, &(awake, asleep, told, expected)) in looks.iter().enumerate() {
                now.awake += Duration::from_millis(awake);
                now.all += Duration::from_millis(awake + asleep);
                assert_eq!(sleep.is_over(now, told), expected, "{case}, look {number}");
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_back_is_no_sleep() {
        let at = |awake, all| Clocks { awake: Duration::from_secs(awake), all: Duration::from_secs(all) };
        let mut sleep = Sleep::since(at(1, 1_000));
        assert!(!sleep.is_over(at(2, 10), false));
        assert!(!sleep.is_over(at(3, 11), false));
    }

    #[test]
    fn the_clocks_go_forward_together() {
        let first = Clocks::now();
        let mut sleep = Sleep::since(first);
        let second = Clocks::now();
        assert!(second.awake >= first.awake && second.all >= first.all && !first.all.is_zero());
        assert!(!sleep.is_over(second, false));
    }
}

//! Notices that a network which lost every packet carries them again. The system tells of its own links and routes; of a
//! router on the way, a firewall or a far machine nobody does, and waits that have grown would go on for a minute.
//!
//! By knocking: a connection to where the last answer came from is asked for, and closed once it is granted. No request is
//! made, and only an answer after none is news, so that a server which is there and does not serve is not asked more often.

use std::{future::pending, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    net::TcpStream,
    sync::{Notify, Semaphore},
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::feed::{ProxyFault, Reason};

/// How long a knock waits for its answer; the next one follows at once. The system repeats a packet to which nothing came
/// after a second: what is answered then was not answered at first.
const ANSWER: Duration = Duration::from_millis(900);

/// How long a feed knocks before another one has its turn.
const TURN: Duration = Duration::from_secs(8);

/// How many of all feeds knock at a time.
const PLACES: usize = 8;

/// How long an outage is watched so; after that the waits end by themselves.
const OUTAGE: Duration = Duration::from_secs(15 * 60);

/// What the lookouts of all feeds share.
pub(super) struct Lookouts {
    places: Semaphore,
    /// The network is back for one: all that wait for it try.
    back: Notify,
}

/// One feed's.
pub(super) struct Lookout {
    all: Arc<Lookouts>,
    /// Where the last answer came from: the server's own address, or a proxy's.
    address: Option<SocketAddr>,
    /// When the present outage is no longer watched.
    end: Option<Instant>,
    /// A request without an answer has been taken for an outage; a second one in a row is none, but a server's own fault.
    taken: bool,
    knocking: Option<Pin<Box<dyn Future<Output = bool> + Send>>>,
}

impl Default for Lookouts {
    fn default() -> Self {
        Self { places: Semaphore::new(PLACES), back: Notify::new() }
    }
}

impl Lookout {
    pub(super) fn new(all: Arc<Lookouts>) -> Self {
        Self { all, address: None, end: None, taken: false, knocking: None }
    }

    /// An answer has come, whatever it says: there is a network.
    pub(super) fn answered(&mut self, from: Option<SocketAddr>) {
        *self = Self { address: from.or(self.address), ..Self::new(Arc::clone(&self.all)) };
    }

    /// A wait begins for this reason.
    pub(super) fn waits(&mut self, reason: Option<&Reason>) {
        let (Some(reason), Some(address)) = (reason, self.address) else { return };
        let lost = match reason {
            Reason::ConnectTimeout(_)
            | Reason::Unreachable(_)
            | Reason::Proxy { fault: ProxyFault::Timeout(_), .. } => {
                !std::mem::replace(&mut self.taken, true)
            }
            Reason::Dns(_) => false,
            // No packet is lost within a machine: what is silent there is the server.
            Reason::Idle(_) | Reason::HeaderTimeout(_) | Reason::Broken(_) if !address.ip().is_loopback() => {
                false
            }
            _ => return,
        };
        let end = *self.end.get_or_insert_with(|| Instant::now() + OUTAGE);
        if self.knocking.is_none() && Instant::now() < end {
            let all = Arc::clone(&self.all);
            self.knocking = Some(Box::pin(async move {
                timeout_at(end, all.until_back(address, lost)).await.unwrap_or(false)
            }));
        }
    }

    /// Ends when the network is back, if it was away. May be dropped while it waits, and goes on when it is called again.
    pub(super) async fn network_came_back(&mut self) {
        if let Some(knocking) = &mut self.knocking {
            let back = knocking.await;
            self.knocking = None;
            if back {
                return;
            }
        }
        pending::<()>().await;
    }
}

impl Lookouts {
    /// Knocks until there is an answer: true if there was none before.
    async fn until_back(&self, address: SocketAddr, mut lost: bool) -> bool {
        loop {
            let place = tokio::select! {
                place = self.places.acquire() => place,
                () = self.back.notified() => return true,
            };
            let turn = Instant::now() + TURN;
            while Instant::now() < turn {
                let answers = tokio::select! {
                    // Who hears of it at the same moment is not to conclude that there was no outage.
                    biased;
                    () = self.back.notified() => return true,
                    answers = knock(address) => answers,
                };
                if answers && lost {
                    self.back.notify_waiters();
                    return true;
                }
                if answers {
                    drop(place);
                    // The network may have come back just now: then others say so.
                    return timeout(TURN, self.back.notified()).await.is_ok();
                }
                lost = true;
            }
            drop(place);
        }
    }
}

/// Whether a machine answers, be it by a refusal; takes [`ANSWER`] if not.
async fn knock(address: SocketAddr) -> bool {
    let late = sleep(ANSWER);
    match timeout(ANSWER, TcpStream::connect(address)).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => true,
        // The machine itself knows that there is no way, and says so at once.
        Ok(Err(_)) => {
            late.await;
            false
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use futures_util::FutureExt;

    use super::*;

    /// Where nobody listens, which is an answer too.
    fn refusing() -> SocketAddr {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn only_an_answer_after_none_is_a_return_and_it_is_one_for_all() {
        let all = Lookouts::default();
        assert!(!all.until_back(refusing(), false).await);
        assert!(all.until_back(refusing(), true).await);

        let mut answered = Box::pin(all.until_back(refusing(), false));
        assert_eq!((&mut answered).now_or_never(), None);
        assert!(all.until_back(refusing(), true).await);
        assert!(answered.await, "others know better");

        let _places = all.places.acquire_many(PLACES as u32).await.unwrap();
        let mut without_place = Box::pin(all.until_back(refusing(), false));
        assert_eq!((&mut without_place).now_or_never(), None);
        all.back.notify_waiters();
        assert!(without_place.await);
    }

    #[tokio::test]
    async fn what_is_taken_for_an_outage() {
        let (far, near) = (SocketAddr::from(([192, 0, 2, 1], 80)), refusing());
        let (second, text) = (Duration::from_secs(1), || "example.org".to_owned());
        for (address, reason, expected) in [
            (Some(far), Some(Reason::Idle(second)), true),
            (Some(near), Some(Reason::Idle(second)), false),
            (None, Some(Reason::ConnectTimeout(second)), false),
            (Some(near), Some(Reason::ConnectTimeout(second)), true),
            (Some(near), Some(Reason::Unreachable(text())), true),
            (Some(far), Some(Reason::Broken(text())), true),
            (Some(far), Some(Reason::Refused(text())), false),
            (Some(far), Some(Reason::Status(503)), false),
            (Some(far), None, false),
        ] {
            let mut lookout = Lookout::new(Arc::default());
            lookout.answered(address);
            lookout.waits(reason.as_ref());
            assert_eq!(lookout.knocking.is_some(), expected, "{address:?} {reason:?}");
            lookout.answered(None);
            assert!(lookout.knocking.is_none() && lookout.address == address);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_lets_requests_go_unanswered_is_no_outage_twice() {
        let mut lookout = Lookout::new(Arc::default());
        lookout.answered(Some(refusing()));
        let unanswered = Reason::ConnectTimeout(Duration::from_secs(10));
        lookout.waits(Some(&unanswered));
        lookout.network_came_back().await;
        lookout.waits(Some(&unanswered));
        assert!(!lookout.knocking.unwrap().await);
    }
}

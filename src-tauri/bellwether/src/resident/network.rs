//! Notices that the network has come back, so that feeds that wait for it are tried at once.
//!
//! On Linux the kernel tells of new routes (rtnetlink(7)), whatever program manages the network, and without one. Elsewhere
//! the waits end by themselves, after a minute at most for what the network's return can cure.

use bellwether_engine::engine::Engine;

/// Watches the network from now on.
pub(super) fn watch(engine: Engine) {
    #[cfg(target_os = "linux")]
    tokio::spawn(routes::watch(engine));
    #[cfg(not(target_os = "linux"))]
    drop(engine);
}

#[cfg(target_os = "linux")]
mod routes {
    use std::{io, os::fd::OwnedFd, thread, time::Duration};

    use bellwether_engine::engine::Engine;
    use rustix::{
        io::Errno,
        net::{
            AddressFamily, RecvFlags, SocketFlags, SocketType, bind, netlink::SocketAddrNetlink, recv,
            socket_with,
        },
    };
    use tokio::{
        sync::mpsc::{self, error::TrySendError},
        time::sleep,
    };

    /// `RTMGRP_IPV4_ROUTE` and `RTMGRP_IPV6_ROUTE` of linux/rtnetlink.h.
    const GROUPS: u32 = 0x40 | 0x400;
    const RTM_NEWROUTE: u16 = 24;
    const RTN_UNICAST: u8 = 1;
    const AF_INET: u8 = 2;

    /// Routes come in bursts: those that follow the first within this time count as one more.
    const BURST: Duration = Duration::from_secs(1);

    /// What the listening thread needs is a datagram and little more.
    const STACK: usize = 64 << 10;

    pub(super) async fn watch(engine: Engine) {
        // A sandbox may forbid it: then it is as on other systems.
        let Ok(socket) = listen() else { return };
        let (news, mut ways) = mpsc::channel(1);
        // The runtime offers no safe way to wait for a socket of this kind.
        let listener = thread::Builder::new().name("routes".to_owned()).stack_size(STACK);
        if listener.spawn(move || hear(&socket, &news)).is_err() {
            return;
        }
        while let Some(()) = ways.recv().await {
            engine.network_came_back().await;
            sleep(BURST).await;
        }
    }

    fn listen() -> io::Result<OwnedFd> {
        // The default protocol is `NETLINK_ROUTE`.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(socket)
    }

    /// Tells of each new way into the network, until nobody wants to hear of it or the socket fails.
    fn hear(socket: &OwnedFd, news: &mpsc::Sender<()>) {
        let mut datagram = [0; 4096];
        loop {
            let is_news = match recv(socket, &mut datagram, RecvFlags::empty()) {
                Ok((length, _)) => tells_of_a_way(&datagram[..length.min(datagram.len())]),
                // More was told than could be kept for us: a good moment to try as well.
                Err(Errno::NOBUFS) => true,
                Err(Errno::INTR) => false,
                Err(_) => return,
            };
            if is_news && let Err(TrySendError::Closed(())) = news.try_send(()) {
                return;
            }
        }
    }

    /// Whether one of the messages (netlink(7)) is of a new route to other machines.
    fn tells_of_a_way(mut messages: &[u8]) -> bool {
        while let Some(length) = messages.first_chunk().map(|length| u32::from_ne_bytes(*length) as usize) {
            let Some(message) = messages.get(..length.max(1)) else { return false };
            if is_a_way(message) {
                return true;
            }
            messages = messages.get(message.len().next_multiple_of(4)..).unwrap_or_default();
        }
        false
    }

    /// A new route over IPv4, or the default one over IPv6: each interface, each container's too, gets others of IPv6, and
    /// they lead nowhere.
    fn is_a_way(message: &[u8]) -> bool {
        // `struct nlmsghdr`, 16 bytes: length, type, flags, sequence number, port. Then `struct rtmsg`.
        let kind = message.get(4..6).map(|kind| kind == RTM_NEWROUTE.to_ne_bytes());
        let Some(&[family, prefix, _, _, _, _, _, route]) = message.get(16..24) else { return false };
        kind == Some(true) && route == RTN_UNICAST && (family == AF_INET || prefix == 0)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn message(kind: u16, family: u8, prefix: u8, route: u8) -> Vec<u8> {
            let mut message = 30_u32.to_ne_bytes().to_vec();
            message.extend(kind.to_ne_bytes());
            message.extend([0; 10]);
            message.extend([family, prefix, 0, 0, 254, 2, 0, route, 0, 0, 0, 0, 0, 0]);
            message
        }

        #[test]
        fn new_routes_to_other_machines_are_news() {
            const INET6: u8 = 10;
            const RTM_DELROUTE: u16 = 25;
            const RTN_LOCAL: u8 = 2;
            for (kind, family, prefix, route, expected) in [
                (RTM_NEWROUTE, AF_INET, 0, RTN_UNICAST, true),
                (RTM_NEWROUTE, AF_INET, 24, RTN_UNICAST, true),
                (RTM_NEWROUTE, INET6, 0, RTN_UNICAST, true),
                (RTM_NEWROUTE, INET6, 64, RTN_UNICAST, false),
                (RTM_NEWROUTE, AF_INET, 32, RTN_LOCAL, false),
                (RTM_DELROUTE, AF_INET, 0, RTN_UNICAST, false),
            ] {
                let alone = message(kind, family, prefix, route);
                assert_eq!(tells_of_a_way(&alone), expected, "{alone:?}");
                // Messages are aligned to 4 bytes.
                let mut second = message(RTM_DELROUTE, AF_INET, 0, RTN_UNICAST);
                second.extend([0; 2]);
                second.extend(alone);
                assert_eq!(tells_of_a_way(&second), expected, "{second:?}");
            }
        }

        #[test]
        fn nonsense_is_no_news() {
            let whole = message(RTM_NEWROUTE, AF_INET, 0, RTN_UNICAST);
            for length in 0..whole.len() {
                assert!(!tells_of_a_way(&whole[..length]), "{length}");
            }
            for byte in [0, 1, 3, 255] {
                assert!(!tells_of_a_way(&[byte; 64]));
            }
        }

        #[tokio::test]
        async fn every_user_may_listen() {
            listen().unwrap();
        }
    }
}

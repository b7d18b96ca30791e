//! How far away a server is, for requests that strangers cause: theirs must not reach nearer than the strangers' own.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;
use url::{Host, Url};

use crate::network;

/// How far from this machine an address is, the nearest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Reach {
    /// On it.
    Machine,
    /// On a network of its own kind: private, shared or link-local.
    Network,
    /// Anywhere.
    World,
}

/// A host is nearer than the request may reach.
#[derive(thiserror::Error, Debug)]
#[error("it is nearer than it may be")]
pub(super) struct TooNear;

impl Reach {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [first, second, ..] = address.octets();
                // 0.0.0.0 is this machine to a connect (RFC 1122, 3.2.1.3), 100.64.0.0/10 are networks behind a provider's or a
                // tunnel's address (RFC 6598).
                let shared = first == 100 && (64..128).contains(&second);
                match address {
                    _ if address.is_loopback() || first == 0 => Self::Machine,
                    Ipv4Addr::BROADCAST => Self::Network,
                    _ if address.is_private() || address.is_link_local() || shared => Self::Network,
                    _ => Self::World,
                }
            }
            IpAddr::V6(address) if address.is_loopback() || address.is_unspecified() => Self::Machine,
            IpAddr::V6(address) if address.is_unique_local() || address.is_unicast_link_local() => {
                Self::Network
            }
            IpAddr::V6(_) => Self::World,
        }
    }

    /// As far as the URL itself says it.
    pub(super) fn spelled(url: &Url) -> Option<Self> {
        match url.host() {
            _ if network::is_loopback(url) => Some(Self::Machine),
            Some(Host::Ipv4(address)) => Some(Self::of(address.into())),
            Some(Host::Ipv6(address)) => Some(Self::of(address.into())),
            Some(Host::Domain(_)) | None => None,
        }
    }

    /// Of a URL's host, by the farthest of its addresses; one that cannot be looked up is anywhere.
    pub(super) async fn resolved(url: &Url) -> Self {
        if let Some(reach) = Self::spelled(url) {
            return reach;
        }
        let addresses = lookup_host((url.host_str().unwrap_or_default(), 0)).await;
        let addresses = addresses.into_iter().flatten();
        addresses.map(|address| Self::of(address.ip())).max().unwrap_or(Self::World)
    }
}

/// Looks names up as the system does, and takes of their addresses only those that are no nearer than this.
pub(super) struct NoNearer(pub(super) Reach);

impl NoNearer {
    fn take(&self, addresses: impl Iterator<Item = SocketAddr>) -> Result<Addrs, TooNear> {
        let taken: Vec<SocketAddr> = addresses.filter(|address| Reach::of(address.ip()) >= self.0).collect();
        if taken.is_empty() { Err(TooNear) } else { Ok(Box::new(taken.into_iter())) }
    }
}

impl Resolve for NoNearer {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Self(self.0);
        Box::pin(async move {
            let mut addresses = lookup_host((name.as_str(), 0)).await?.peekable();
            if addresses.peek().is_none() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            Ok(resolver.take(addresses)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_on_this_machine_on_its_network_or_anywhere() {
        use Reach::{Machine, Network, World};
        for (address, expected) in [
            ("127.0.0.1", Machine),
            ("127.255.1.2", Machine),
            ("0.0.0.0", Machine),
            ("::1", Machine),
            ("::", Machine),
            ("::ffff:127.0.0.1", Machine),
            ("10.1.2.3", Network),
            ("172.16.0.1", Network),
            ("192.168.1.1", Network),
            ("169.254.169.254", Network),
            ("100.64.0.1", Network),
            ("100.127.255.255", Network),
            ("255.255.255.255", Network),
            ("::ffff:10.0.0.1", Network),
            ("fd00::1", Network),
            ("fe80::1", Network),
            ("100.128.0.1", World),
            ("172.32.0.1", World),
            ("192.0.2.1", World),
            ("2001:db8::1", World),
        ] {
            assert_eq!(Reach::of(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn of_a_name_s_addresses_only_those_far_enough_are_taken() {
        let addresses = ["127.0.0.1:0", "192.168.1.1:0", "192.0.2.1:0"]
            .map(|address| address.parse::<SocketAddr>().unwrap());
        for (reach, expected) in [(Reach::Machine, 3), (Reach::Network, 2), (Reach::World, 1)] {
            let taken = NoNearer(reach).take(addresses.into_iter()).ok().map(Iterator::count);
            assert_eq!(taken, Some(expected), "{reach:?}");
        }
        assert!(NoNearer(Reach::World).take(addresses[..2].iter().copied()).is_err());
    }
}

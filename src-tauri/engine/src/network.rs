//! What a feed's connections go through: whom they trust, how they prove who they are, and by which proxy they go.

use std::{fmt, net::Ipv4Addr, path::PathBuf};

use url::{Host, Url};

/// How a feed's connections are made. Feeds with equal settings share what these cost; those with the default ones share one
/// copy of the system's root certificates.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Network {
    /// Authorities in PEM that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// What the server is shown if it asks who the client is.
    pub client_certificate: Option<ClientCertificate>,
    /// Whether the server has to prove who it is. Without it anyone on the way can read along and forge.
    pub verify_certificate: bool,
    /// By which proxy.
    pub proxy: Proxy,
}

impl Default for Network {
    fn default() -> Self {
        Self { ca_file: None, client_certificate: None, verify_certificate: true, proxy: Proxy::System }
    }
}

impl Network {
    /// The same for connections to this URL.
    pub(crate) fn to(&self, url: &Url) -> Self {
        if is_loopback(url) { self.within_machine() } else { self.clone() }
    }

    /// The same for connections to this machine: the system's proxy is for the network, and this machine itself is none. Another
    /// machine's proxy could not reach it, and would read what is not meant to leave it.
    pub(crate) fn within_machine(&self) -> Self {
        match self.proxy {
            Proxy::System => Self { proxy: Proxy::None, ..self.clone() },
            _ => self.clone(),
        }
    }
}

/// A client's certificate with its chain, and its private key, both in PEM; one file may hold both.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ClientCertificate {
    /// The certificate, then those that lead from it to its authority.
    pub certificate: PathBuf,
    /// The key, without a password.
    pub key: PathBuf,
}

/// By which proxy connections go.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub enum Proxy {
    /// As the system says: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, and `NO_PROXY` for what goes without; where none of them
    /// is set, the settings of macOS and Windows. Never to this machine itself.
    #[default]
    System,
    /// Directly.
    None,
    /// By this one, whatever the system says: `http`, `https`, `socks5` (names are looked up here) or `socks5h` (the proxy looks
    /// them up), with `user:password@` if it asks for them.
    Url(Url),
}

impl Proxy {
    /// Schemes of proxies.
    pub const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

    /// Reads `system`, `none` or a proxy's URL; `None` if it is no such thing.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "system" => return Some(Self::System),
            "none" => return Some(Self::None),
            _ => {}
        }
        let mut url = Url::parse(text).ok().filter(|url| Self::SCHEMES.contains(&url.scheme()))?;
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if !bare || url.host_str().is_none_or(str::is_empty) {
            return None;
        }
        if url.port_or_known_default().is_none() {
            // The port of SOCKS (RFC 1928, 3).
            url.set_port(Some(1080)).ok()?;
        }
        Some(Self::Url(url))
    }
}

impl fmt::Debug for Proxy {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("System"),
            Self::None => f.write_str("None"),
            Self::Url(url) => write!(f, "Url({}://{})", url.scheme(), address(url)),
        }
    }
}

/// Whether a URL's host is this machine, by a name or number that says so by itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // A proxy's scheme is none that URLs know hosts of: its numbers are read as a name.
        Some(Host::Domain(name)) => match name.parse::<Ipv4Addr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => {
                let name = name.to_ascii_lowercase();
                name == "localhost" || name.ends_with(".localhost")
            }
        },
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
        None => false,
    }
}

/// Host and port of a proxy, without user and password.
pub(crate) fn address(proxy: &Url) -> String {
    let host = proxy.host_str().unwrap_or_default();
    match proxy.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_each_of_its_names_whatever_the_scheme() {
        for (url, expected) in [
            ("http://localhost/", true),
            ("https://a.localhost/", true),
            ("http://127.1.2.3/", true),
            ("http://[::1]/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("socks5://127.0.0.1:1080", true),
            ("socks5h://[::1]:1080", true),
            ("socks5h://LocalHost:1080", true),
            ("socks5h://10.0.0.1:1080", false),
            ("http://127.example.org/", false),
            ("http://notlocalhost/", false),
            ("http://0.0.0.0/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn proxies_are_named_by_url_and_never_shown_with_their_password() {
        assert_eq!(Proxy::parse("system"), Some(Proxy::System));
        assert_eq!(Proxy::parse("none"), Some(Proxy::None));
        for (text, shown) in [
            ("http://proxy.example.org:3128", "Url(http://proxy.example.org:3128)"),
            ("https://alice:secret@proxy.example.org/", "Url(https://proxy.example.org:443)"),
            ("socks5://[::1]", "Url(socks5://[::1]:1080)"),
            ("socks5h://alice:secret@127.0.0.1:9050", "Url(socks5h://127.0.0.1:9050)"),
        ] {
            assert_eq!(format!("{:?}", Proxy::parse(text).unwrap()), shown);
        }
        for text in [
            "",
            "proxy.example.org:3128",
            "ftp://a",
            "http://",
            "http://a/b",
            "http://a?b",
            "socks4://a",
            "None",
        ] {
            assert_eq!(Proxy::parse(text), None, "{text:?}");
        }
    }
}

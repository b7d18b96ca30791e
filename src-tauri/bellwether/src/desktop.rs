//! What there is of a desktop: a display for windows, and on Linux the session bus that popups and the tray icon go over.
//!
//! Each part may be missing, and may come or go while the program runs.

use thiserror::Error;

/// What popups and tray share of the desktop. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Desktop {
    #[cfg(target_os = "linux")]
    bus: tokio::sync::watch::Receiver<Bus>,
}

/// The session bus.
#[cfg(target_os = "linux")]
#[derive(Clone, Debug)]
pub(crate) enum Bus {
    /// The first attempt to connect is under way.
    Connecting,
    /// Everyone's connection for looking around; whoever owns a name or waits for replies in order makes its own.
    Connected(zbus::Connection),
    /// Why there is none. Another attempt follows within seconds.
    Missing(String),
}

impl Desktop {
    /// Starts watching it on the current tokio runtime, until the last clone is gone.
    pub(crate) fn watch() -> Self {
        #[cfg(target_os = "linux")]
        let desktop = Self { bus: session_bus::watch() };
        #[cfg(not(target_os = "linux"))]
        let desktop = Self {};
        desktop
    }

    /// The session bus as it comes and goes.
    #[cfg(target_os = "linux")]
    pub(crate) fn bus(&self) -> tokio::sync::watch::Receiver<Bus> {
        self.bus.clone()
    }
}

/// Why no window could be opened.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there always is one"))]
pub(crate) enum NoDisplay {
    /// Not a graphical session.
    #[error("neither WAYLAND_DISPLAY nor DISPLAY is set")]
    Unset,
    /// There should be one, but it does not answer.
    #[error("{variable}={name} does not answer: {cause}")]
    Unreachable {
        /// `WAYLAND_DISPLAY` or `DISPLAY`.
        variable: &'static str,
        /// Its value.
        name: String,
        /// The system's error.
        cause: String,
    },
}

/// Looks for a display that answers now, to open windows on, and names it: `WAYLAND_DISPLAY=wayland-0`. Takes up to 2 s
/// if `DISPLAY` names another machine.
pub(crate) async fn display() -> Result<String, NoDisplay> {
    #[cfg(target_os = "linux")]
    return linux_display::find(|name| std::env::var(name).ok().filter(|value| !value.is_empty())).await;
    #[cfg(not(target_os = "linux"))]
    Ok(std::env::consts::OS.to_owned())
}

#[cfg(target_os = "linux")]
mod session_bus {
    use std::time::Duration;

    use tokio::{
        sync::watch,
        time::{sleep, timeout},
    };

    use super::Bus;

    /// Between two attempts to connect.
    const RETRY: Duration = Duration::from_secs(3);
    /// For one attempt: a bus that accepts but never answers must not stop the next one.
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

    pub(super) fn watch() -> watch::Receiver<Bus> {
        let (sender, receiver) = watch::channel(Bus::Connecting);
        tokio::spawn(async move {
            tokio::select! {
                () = sender.closed() => {}
                () = keep_connected(&sender) => {}
            }
        });
        receiver
    }

    async fn keep_connected(bus: &watch::Sender<Bus>) {
        loop {
            let cause = match timeout(CONNECT_TIMEOUT, zbus::Connection::session()).await {
                Ok(Ok(connection)) => {
                    bus.send_replace(Bus::Connected(connection.clone()));
                    connection.closed().await;
                    "the connection was closed".to_owned()
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it does not answer".to_owned(),
            };
            bus.send_if_modified(|bus| {
                let changed = !matches!(bus, Bus::Missing(known) if *known == cause);
                *bus = Bus::Missing(cause);
                changed
            });
            sleep(RETRY).await;
        }
    }
}

#[cfg(target_os = "linux")]
mod linux_display {
    use std::{
        io,
        os::{
            linux::net::SocketAddrExt,
            unix::net::{SocketAddr, UnixStream},
        },
        path::{Path, PathBuf},
        time::Duration,
    };

    use tokio::{net::TcpStream, time::timeout};

    use super::NoDisplay;

    const TCP_TIMEOUT: Duration = Duration::from_secs(2);

    /// A Wayland compositor first, as the window's toolkit prefers it too.
    pub(super) async fn find(variable: impl Fn(&str) -> Option<String>) -> Result<String, NoDisplay> {
        let unreachable = |variable, name: &str, error: io::Error| NoDisplay::Unreachable {
            variable,
            name: name.to_owned(),
            cause: error.to_string(),
        };
        let mut missing = NoDisplay::Unset;
        if let Some(name) = variable("WAYLAND_DISPLAY") {
            let folder = variable("XDG_RUNTIME_DIR").unwrap_or_default();
            match UnixStream::connect(wayland_socket(&folder, &name)) {
                Ok(_) => return Ok(format!("WAYLAND_DISPLAY={name}")),
                Err(error) => missing = unreachable("WAYLAND_DISPLAY", &name, error),
            }
        }
        if let Some(name) = variable("DISPLAY") {
            match connect_x11(&name).await {
                Ok(()) => return Ok(format!("DISPLAY={name}")),
                Err(error) => missing = unreachable("DISPLAY", &name, error),
            }
        }
        Err(missing)
    }

    fn wayland_socket(runtime_folder: &str, name: &str) -> PathBuf {
        // `join` keeps an absolute name as it is, which is what libwayland does, too.
        Path::new(runtime_folder).join(name)
    }

    async fn connect_x11(display: &str) -> io::Result<()> {
        match x11_address(display) {
            Some(X11Address::Local(number)) => {
                let path = format!("/tmp/.X11-unix/X{number}");
                let in_sandbox = SocketAddr::from_abstract_name(&path)?;
                UnixStream::connect(&path).or_else(|_| UnixStream::connect_addr(&in_sandbox)).map(drop)
            }
            Some(X11Address::Remote(host, port)) => {
                timeout(TCP_TIMEOUT, TcpStream::connect((host, port))).await?.map(drop)
            }
            None => Err(io::Error::new(io::ErrorKind::InvalidInput, "not of the form [host]:number")),
        }
    }

    #[derive(PartialEq, Eq, Debug)]
    enum X11Address<'a> {
        Local(u16),
        Remote(&'a str, u16),
    }

    /// Reads `[host]:display[.screen]` (X(7), "Display names").
    fn x11_address(display: &str) -> Option<X11Address<'_>> {
        let (host, rest) = display.rsplit_once(':')?;
        let number = rest.split('.').next()?.parse::<u16>().ok()?;
        match host {
            "" | "unix" => Some(X11Address::Local(number)),
            host => Some(X11Address::Remote(host.trim_matches(['[', ']']), number.checked_add(6000)?)),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn display_names() {
            for (name, expected) in [
                (":0", Some(X11Address::Local(0))),
                (":99.0", Some(X11Address::Local(99))),
                ("unix:1", Some(X11Address::Local(1))),
                ("localhost:10.0", Some(X11Address::Remote("localhost", 6010))),
                ("[::1]:2", Some(X11Address::Remote("::1", 6002))),
                ("host:65000", None),
                ("nonsense", None),
                (":", None),
            ] {
                assert_eq!(x11_address(name), expected, "{name}");
            }
            assert_eq!(wayland_socket("/run/user/1", "wayland-0"), Path::new("/run/user/1/wayland-0"));
            assert_eq!(wayland_socket("/run/user/1", "/elsewhere/w"), Path::new("/elsewhere/w"));
        }

        #[tokio::test]
        async fn a_display_that_does_not_answer_is_named() {
            let folder = tempfile::tempdir().unwrap();
            let runtime = folder.path().to_str().unwrap().to_owned();
            let find = |set: &[(&str, &str)]| {
                let set: Vec<_> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
                find(move |name| set.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()))
            };
            assert_eq!(find(&[]).await, Err(NoDisplay::Unset));
            let missing = find(&[("XDG_RUNTIME_DIR", &runtime), ("WAYLAND_DISPLAY", "w")]).await;
            assert!(
                matches!(missing, Err(NoDisplay::Unreachable { variable: "WAYLAND_DISPLAY", .. })),
                "{missing:?}"
            );
            let _compositor = std::os::unix::net::UnixListener::bind(folder.path().join("w")).unwrap();
            let found = find(&[("XDG_RUNTIME_DIR", &runtime), ("WAYLAND_DISPLAY", "w")]).await;
            assert_eq!(found, Ok("WAYLAND_DISPLAY=w".to_owned()));
        }
    }
}

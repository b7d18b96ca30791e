//! The control socket's listening side: this user alone.

use std::io;

use bellwether_control::paths::Profile;

#[cfg(unix)]
pub(crate) use unix::Socket;
#[cfg(windows)]
pub(crate) use windows::Socket;

#[cfg(unix)]
mod unix {
    use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

    use axum::serve::Listener;
    use bellwether_control::wire;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{UnixListener, UnixStream, unix::SocketAddr},
        time::timeout,
    };

    use super::{Profile, io};

    /// A Unix socket of mode 0600 that serves peers of this process's user only.
    pub(crate) struct Socket {
        listener: UnixListener,
        user: u32,
    }

    impl Socket {
        pub(crate) fn bind(profile: &Profile) -> io::Result<Self> {
            let listener = UnixListener::bind(&profile.socket)?;
            fs::set_permissions(&profile.socket, fs::Permissions::from_mode(0o600))?;
            Ok(Self { listener, user: rustix::process::geteuid().as_raw() })
        }
    }

    impl Listener for Socket {
        type Io = UnixStream;
        type Addr = SocketAddr;

        async fn accept(&mut self) -> (UnixStream, SocketAddr) {
            loop {
                let (stream, address) = Listener::accept(&mut self.listener).await;
                // The file's mode keeps others out already; whoever comes in all the same (an administrator, a mode changed
                // by hand) is told so.
                match stream.peer_cred() {
                    Ok(peer) if peer.uid() == self.user => return (stream, address),
                    peer => {
                        let uid = peer.map_or_else(|_| "?".to_owned(), |peer| peer.uid().to_string());
                        tokio::spawn(refuse(stream, uid, self.user));
                    }
                }
            }
        }

        fn local_addr(&self) -> io::Result<SocketAddr> {
            self.listener.local_addr()
        }
    }

    async fn refuse(mut stream: UnixStream, peer: String, user: u32) {
        let error = wire::Error {
            code: wire::ErrorCode::Forbidden,
            message: format!(
                "this control socket serves user {user} alone and you are user {peer}; start a Bellwether of your own"
            ),
            detail: peer,
            sentence: None,
            place: None,
        };
        let body = serde_json::to_string(&error).unwrap_or_default();
        let answer = format!(
            "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        // What the peer sent is read first: closing with unread bytes would reset the connection and swallow the answer.
        let mut request = [0; 4096];
        let _ = timeout(Duration::from_secs(2), stream.read(&mut request)).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

#[cfg(windows)]
mod windows {
    use std::ffi::OsString;

    use axum::serve::Listener;
    use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};

    use super::{Profile, io};

    /// A named pipe; its default security descriptor lets in this user and administrators, and no remote clients.
    pub(crate) struct Socket {
        name: OsString,
        next: NamedPipeServer,
    }

    impl Socket {
        pub(crate) fn bind(profile: &Profile) -> io::Result<Self> {
            let name = profile.socket.clone().into_os_string();
            let next =
                ServerOptions::new().first_pipe_instance(true).reject_remote_clients(true).create(&name)?;
            Ok(Self { name, next })
        }
    }

    impl Listener for Socket {
        type Io = NamedPipeServer;
        type Addr = ();

        async fn accept(&mut self) -> (NamedPipeServer, ()) {
            loop {
                let connected = self.next.connect().await;
                if let Ok(next) = ServerOptions::new().reject_remote_clients(true).create(&self.name) {
                    let stream = std::mem::replace(&mut self.next, next);
                    if connected.is_ok() {
                        return (stream, ());
                    }
                }
            }
        }

        fn local_addr(&self) -> io::Result<()> {
            Ok(())
        }
    }
}

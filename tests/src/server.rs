use std::net::{TcpListener, TcpStream};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::{env, fs};

use tempfile::TempDir;

use crate::until::poll;
use crate::{PATIENCE, Process, here, target};

/// One of the five documents' servers, or a proxy, on 127.0.0.1 at a free port. What it prints is its [`Process::lines`].
pub struct Server {
    process: Process,
    port: u16,
    /// nginx's https port.
    https_port: u16,
    _folder: TempDir,
}

impl Server {
    /// Documents 000, 003 and 004. A stream takes one of 16 workers, and PHP sees that a client has gone only when it next writes.
    #[track_caller]
    pub fn php() -> Self {
        Self::php_with_workers(16)
    }

    /// Like [`Server::php`] with more workers, for more streams at once.
    #[track_caller]
    pub fn php_with_workers(workers: u32) -> Self {
        Self::start(|[port, _], folder| {
            let mut php = Process::command("php");
            php.args(["-q", "-d", "output_buffering=0", "-d", "display_errors=0", "-S"]);
            php.arg(format!("127.0.0.1:{port}")).arg("-t").arg(here().join("servers/php"));
            php.env("PHP_CLI_SERVER_WORKERS", workers.to_string()).env("SSE_DB", folder.join("record.db"));
            php
        })
    }

    /// Document 001. Settings are its environment variables, such as `("PERIOD_MS", "50")`.
    #[track_caller]
    pub fn koa(settings: &[(&str, &str)]) -> Self {
        Self::start(|[port, _], _| {
            let mut node = Process::command("node");
            node.arg(here().join("servers/001_koa.js")).arg(port.to_string()).envs(settings.iter().copied());
            node
        })
    }

    /// Document 002's backend. Settings are its flags, such as `"-period", "20ms"`.
    #[track_caller]
    pub fn go(flags: &[&str]) -> Self {
        let program = go_program();
        Self::start(|[port, _], _| {
            let mut go = Process::command(program);
            go.arg("-port").arg(port.to_string()).args(flags);
            go
        })
    }

    /// Document 002's nginx before `backend`. Settings are its environment variables, such as `("READ_TIMEOUT", "1s")`.
    #[track_caller]
    pub fn nginx(backend: &Self, settings: &[(&str, &str)]) -> Self {
        Self::start(|[port, https_port], _| {
            let mut nginx = Process::command("sh");
            nginx.arg(here().join("servers/002_nginx.sh")).arg(port.to_string());
            nginx.arg(format!("127.0.0.1:{}", backend.port)).arg(https_port.to_string());
            // nginx lies where only root's PATH leads.
            nginx.env("PATH", format!("{}:/usr/sbin", env::var("PATH").unwrap_or_default()));
            nginx.envs(settings.iter().copied());
            nginx
        })
    }

    /// A proxy that speaks HTTP. Settings are lines of its configuration, such as `"BasicAuth alice secret"`. It prints each request.
    #[track_caller]
    pub fn tinyproxy(settings: &[&str]) -> Self {
        Self::start(|[port, _], folder| {
            let lines = [&format!("Port {port}"), "Listen 127.0.0.1", "Timeout 600", "LogLevel Connect"];
            let file = folder.join("tinyproxy.conf");
            let text = [&lines, settings].concat().join("\n");
            fs::write(&file, text + "\n").expect("a configuration can be written");
            let mut tinyproxy = Process::command("tinyproxy");
            tinyproxy.arg("-d").arg("-c").arg(file);
            tinyproxy
        })
    }

    /// A proxy that speaks SOCKS5. Settings are its flags, such as `"-u", "alice", "-P", "secret"`. It prints each connection.
    #[track_caller]
    pub fn microsocks(flags: &[&str]) -> Self {
        Self::start(|[port, _], _| {
            let mut microsocks = Process::command("microsocks");
            microsocks.args(["-i", "127.0.0.1", "-p", &port.to_string()]).args(flags);
            microsocks
        })
    }

    /// Host and port, as a proxy's URL has them.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The URL of `path` on nginx's https port, whose certificate nobody trusts.
    pub fn https_url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.https_port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    #[track_caller]
    fn start(command: impl Fn([u16; 2], &Path) -> Command) -> Self {
        // Between finding a free port and listening on it someone else may take it: then the server ends, and another port is tried.
        for _ in 0..5 {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let [port, https_port] = [free_port(), free_port()];
            let mut process =
                Process::start(command([port, https_port], folder.path()).env("TMPDIR", folder.path()));
            let answers = poll(PATIENCE, || {
                let ended = process.exited().is_some();
                let answers = TcpStream::connect(("127.0.0.1", port)).is_ok();
                (ended || answers).then_some(answers && !ended)
            });
            match answers {
                Some(true) => return Self { process, port, https_port, _folder: folder },
                Some(false) => eprintln!("the server on port {port} ended: {:#?}", process.lines()),
                None => panic!("the server on port {port} does not answer: {:#?}", process.lines()),
            }
        }
        panic!("no server came up on any port")
    }
}

impl Deref for Server {
    type Target = Process;
    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Server {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// A port of 127.0.0.1 on which nothing listens now, below the range that the system gives to outgoing connections.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 15_000;
    const COUNT: u16 = 15_000;
    // Tests run as many processes at once: each begins its search elsewhere.
    let start = u16::try_from(std::process::id().wrapping_mul(97) % u32::from(COUNT)).unwrap_or_default();
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(step) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Builds document 002's server unless that was done before. (`go run` would leave the server behind when it is ended.)
#[track_caller]
fn go_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let source = here().join("servers/002/main.go");
        let folder = target().join("tests");
        fs::create_dir_all(&folder).expect("target/tests can be made");
        let program = folder.join("feed002");
        let changed = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
        if changed(&program) < changed(&source) {
            // Other test processes may do the same now: each builds its own and puts it into place at once.
            let built = folder.join(format!("feed002.{}", std::process::id()));
            let go = Command::new("go")
                .arg("build")
                .arg("-o")
                .arg(&built)
                .arg(&source)
                .output()
                .expect("go starts");
            assert!(go.status.success(), "go build failed: {}", String::from_utf8_lossy(&go.stderr));
            fs::rename(&built, &program).expect("the program can be put into place");
        }
        program
    })
}

//! Credentials from end to end: the servers that they are for get them, and nobody else sees them anywhere.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::{Engine, prelude::BASE64_STANDARD};
use bellwether_control::wire::{ConnectionState, Feed, Probe, Update};
use bellwether_tests::{Desktop, Need, PATIENCE, Resident, needs, until, until_some};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// A server that writes down what it is asked, on 127.0.0.1. `/guarded` wants the token that is in force, `/away` leads to the
/// same path of another server and repeats the query as nginx's `$request_uri` does, `/back` leads there with its own address to
/// return to and with what it was told in headers, `/echo` repeats that in the type of an answer that is no stream, all else is
/// an event stream.
struct Scribe {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    heads: Mutex<Vec<String>>,
    token: Mutex<String>,
    other: Mutex<String>,
}

impl Scribe {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&server);
                // However the client goes, it is its right.
                thread::spawn(move || drop(shared.serve(connection)));
            }
        });
        Self { port, shared }
    }

    fn url(&self, rest: &str) -> String {
        format!("http://127.0.0.1:{}{rest}", self.port)
    }

    fn heads(&self) -> String {
        self.shared.heads.lock().expect("no panic").concat()
    }

    /// How often a path was asked for with this in the request's head.
    fn count(&self, path: &str, what: &str) -> usize {
        let heads = self.shared.heads.lock().expect("no panic");
        heads.iter().filter(|head| head.starts_with(&format!("GET {path}")) && head.contains(what)).count()
    }
}

impl Shared {
    fn serve(&self, mut connection: TcpStream) -> std::io::Result<()> {
        let mut head = String::new();
        let mut lines = BufReader::new(connection.try_clone()?);
        while !head.ends_with("\r\n\r\n") {
            if lines.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        self.heads.lock().expect("no panic").push(head.clone());
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let token = format!("Bearer {}\r\n", self.token.lock().expect("no panic"));
        if target.starts_with("/guarded") && !head.contains(&token) {
            return connection.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
        }
        let other = self.other.lock().expect("no panic").clone();
        if target.starts_with("/away") && !other.is_empty() {
            let answer =
                format!("HTTP/1.1 302 Found\r\nLocation: {other}{target}\r\nContent-Length: 0\r\n\r\n");
            return connection.write_all(answer.as_bytes());
        }
        let told: Vec<&str> = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| matches!(*name, "authorization" | "cookie" | "x-api-key"))
            .map(|(_, value)| value)
            .collect();
        if target.starts_with("/back") && !other.is_empty() {
            let own = format!("http://127.0.0.1:{}{target}", connection.local_addr()?.port());
            let was: String = told.iter().map(|value| format!("&was={}", escaped(value))).collect();
            let location = format!("{other}/back?x=1&return_to={}{was}", escaped(&own));
            let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            return connection.write_all(answer.as_bytes());
        }
        if target.starts_with("/echo") {
            let told = told.join("; ");
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Type: text/x; t={told}\r\nContent-Length: 0\r\n\r\n");
            return connection.write_all(answer.as_bytes());
        }
        let events = "id: 1\ndata: hello\n\n".repeat(5);
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        // As many as a probe waits for.
        connection.write_all(format!("{head}retry: 1000\n{events}").as_bytes())?;
        // Until the client hangs up.
        lines.read_line(&mut String::new()).map(drop)
    }
}

/// As a parameter's value.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What nobody is to see, and in which forms it could be seen.
#[derive(Default)]
struct Secrets(BTreeMap<&'static str, String>);

impl Secrets {
    /// A secret with characters that some encodings change.
    fn make(&mut self, name: &'static str) -> String {
        let secret = format!("{name}-S3cr3t/+{:x}=", self.0.len() + 0xbe11);
        self.0.insert(name, secret.clone());
        secret
    }

    fn forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut forms = Vec::new();
        for (name, secret) in &self.0 {
            let with_user = BASE64_STANDARD.encode(format!("alice:{secret}"));
            // Its beginning is the same in a URL, in JSON and in plain text, whatever becomes of the other characters.
            let beginning = secret.split('/').next().unwrap_or_default().to_owned();
            // Without its end, which depends on what follows.
            let alone = BASE64_STANDARD.encode(&secret[..secret.len() / 3 * 3]);
            for form in [beginning, with_user, alone] {
                forms.push((*name, form.into_bytes()));
            }
        }
        forms
    }

    #[track_caller]
    fn assert_not_in(&self, place: &str, bytes: &[u8]) {
        for (name, form) in self.forms() {
            let found = bytes.windows(form.len()).any(|window| window == form);
            assert!(!found, "{place} holds the secret “{name}” as {:?}", String::from_utf8_lossy(&form));
        }
    }

    /// Every file below a folder, but for those whose path `may`.
    #[track_caller]
    fn assert_not_below(&self, folder: &Path, may: &dyn Fn(&Path) -> bool) -> usize {
        let mut seen = 0;
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let (path, kind) = (entry.path(), entry.file_type().expect("a kind"));
            if may(&path) {
                continue;
            }
            if kind.is_dir() {
                seen += self.assert_not_below(&path, may);
            } else if kind.is_file() {
                self.assert_not_in(&path.display().to_string(), &fs::read(&path).expect("a file"));
                seen += 1;
            }
        }
        seen
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn wait_for_feed(resident: &Resident, id: &str, what: impl Fn(&Feed) -> bool) -> Feed {
    let feeds = || resident.get::<Vec<Feed>>("/feeds").into_iter();
    until_some(PATIENCE, &format!("the feed {id}"), || feeds().find(|feed| feed.id == id && what(feed)))
}

fn connected(feed: &Feed) -> bool {
    feed.connection.state == ConnectionState::Connected && feed.counts.events > 0
}

fn has_reason(feed: &Feed, code: &str) -> bool {
    feed.connection.reason.as_ref().is_some_and(|reason| reason.code == code)
}

/// Sets a credential with the secret on standard input.
#[track_caller]
fn give(resident: &Resident, secrets: &Secrets, arguments: &[&str], secret: &str) {
    let output =
        resident.cli_with_input(&[&["feeds", "credential"], arguments].concat(), &format!("{secret}\n"));
    assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    secrets.assert_not_in("the command's output", text(&output).as_bytes());
}

/// All that the program says of itself, and that others can see of it.
#[track_caller]
fn assert_nowhere(resident: &mut Resident, secrets: &Secrets) {
    for arguments in [
        &["status", "--json"] as &[&str],
        &["status"],
        &["feeds", "--json"],
        &["feeds"],
        &["events", "--json", "--limit", "0"],
        &["events"],
        &["doctor", "--json"],
        &["doctor"],
        &["probe", "--feed", "url", "--json"],
        &["probe", "--feed", "away"],
        &["probe", "--feed", "echo", "--json"],
        &["probe", "--feed", "echo"],
    ] {
        secrets.assert_not_in(&arguments.join(" "), text(&resident.cli(arguments)).as_bytes());
    }
    for path in ["/status", "/feeds", "/events"] {
        let answer = resident.request("GET", path, &Value::Null).expect("an answer");
        secrets.assert_not_in(path, answer.body.to_string().as_bytes());
    }
    let update =
        resident.updates().wait_for(PATIENCE, "the status", |update| matches!(update, Update::Status(_)));
    secrets.assert_not_in("/updates", serde_json::to_string(&update).expect("JSON").as_bytes());
    let process = format!("/proc/{}", resident.status().pid);
    for file in ["cmdline", "comm", "status"] {
        secrets.assert_not_in(file, &fs::read(Path::new(&process).join(file)).expect("the process runs"));
    }
    assert_not_left_behind(resident, secrets);
}

/// What it wrote, to its terminal and to the disk; but for the file that secrets were put in on purpose, and what a person
/// wrote into feeds.toml.
#[track_caller]
fn assert_not_left_behind(resident: &mut Resident, secrets: &Secrets) {
    let lines = resident.process().lines().join("\n");
    secrets.assert_not_in("what it wrote", lines.as_bytes());
    let profile = resident.profile().to_owned();
    let may = |path: &Path| *path == profile.join("secrets") || *path == profile.join("feeds.toml");
    assert!(secrets.assert_not_below(&profile, &may) > 0, "there are files");
    let config = fs::read_to_string(profile.join("feeds.toml")).expect("feeds.toml");
    let config: String = config.lines().filter(|line| !line.starts_with("url = ")).collect();
    secrets.assert_not_in("feeds.toml", config.as_bytes());
}

#[test]
fn the_right_servers_get_every_secret_and_nobody_else_sees_one_anywhere() {
    needs!(Need::Desktop, Need::Keyring);
    let desktop = Desktop::with(&["--no-display", "--keyring"]);
    let (server, other) = (Scribe::start(), Scribe::start());
    *server.shared.other.lock().expect("no panic") = other.url("");
    let outside = tempfile::tempdir().expect("a folder");
    let mut secrets = Secrets::default();
    let (basic, command) = (secrets.make("basic"), secrets.make("command"));
    let (in_url, query) = (secrets.make("url"), secrets.make("query"));
    let source = outside.path().join("command");
    fs::write(&source, format!("{command}\nmore\n")).expect("a file");

    let encoded = in_url.replace('/', "%2F");
    let port = server.port;
    let feed = |id: &str, rest: &str| {
        format!("[[feed]]\nid = \"{id}\"\nurl = \"{}\"\n{rest}\n", server.url(&format!("/{id}")))
    };
    let all = format!(
        "auth.basic = {{ user = \"alice\", password = {{ env = \"OPS_PASSWORD\" }} }}\n\
         auth.headers.X-Api-Key = {{ command = [\"cat\", \"{0}\"] }}\n\
         auth.cookies.session = {{ command = [\"cat\", \"{0}\"] }}\n\
         auth.query.auth = {{ command = [\"cat\", \"{0}\"] }}",
        source.display()
    );
    let mut resident = Resident::prepare();
    resident.in_desktop(&desktop).env("OPS_PASSWORD", &basic).config(
        &[
            feed("basic", "auth.basic = { user = \"alice\", password = { env = \"OPS_PASSWORD\" } }"),
            feed("command", &format!("auth.headers.X-Api-Key = {{ command = [\"cat\", \"{}\"] }}", source.display())),
            feed("bearer", "# comes later"),
            feed("query", ""),
            feed("cookie", ""),
            feed("away", "auth.query.auth = { command = [\"cat\", \"/nonexistent\"] }"),
            feed("back", &all),
            feed("echo", &all),
            feed("guarded", ""),
            format!("[[feed]]\nid = \"url\"\nurl = \"http://alice:{encoded}@127.0.0.1:{port}/url?token={encoded}\"\n\
                     [[feed.rule]]\nnotify = {{ title = \"from {{{{ feed.url }}}}\" }}\n"),
        ]
        .concat(),
    );
    resident.start();
    let doctor: Value = serde_json::from_str(&resident.cli_text(&["doctor", "--json"])).expect("JSON");
    let keyring =
        doctor["checks"].as_array().expect("checks").iter().find(|check| check["name"] == "keyring");
    assert_eq!(keyring.expect("a check")["ok"], true, "{doctor}");

    // By the command line, and by the control socket.
    let (bearer, cookie) = (secrets.make("bearer"), secrets.make("cookie"));
    give(&resident, &secrets, &["bearer", "bearer"], &bearer);
    give(&resident, &secrets, &["cookie", "cookie", "session", "--file"], &cookie);
    for id in ["query", "away"] {
        let edit = json!({ "kind": "query", "name": "auth", "secret": { "keyring": query } });
        let set: Value = resident.call("PUT", &format!("/feeds/{id}/credential"), &edit);
        assert_eq!(set["credentials"][0]["source"], "keyring", "{set}");
        secrets.assert_not_in("the answer", set.to_string().as_bytes());
    }
    for id in ["basic", "command", "bearer", "query", "cookie", "url", "away", "back"] {
        wait_for_feed(&resident, id, connected);
    }
    let echo = wait_for_feed(&resident, "echo", |feed| has_reason(feed, "content_type"));
    let detail = echo.connection.reason.expect("a reason").detail;
    assert!(detail.starts_with("text/x; t=") && detail.matches("***").count() == 3, "{detail}");
    let with_user = |secret: &str| BASE64_STANDARD.encode(format!("alice:{secret}"));
    let form = query.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    for (path, what) in [
        ("/basic", format!("authorization: Basic {}\r\n", with_user(&basic))),
        ("/command", format!("x-api-key: {command}\r\n")),
        ("/bearer", format!("authorization: Bearer {bearer}\r\n")),
        ("/query", format!("GET /query?auth={form} ")),
        ("/cookie", format!("cookie: session={cookie}\r\n")),
        ("/away", format!("GET /away?auth={form} ")),
        ("/url", format!("GET /url?token={encoded} ")),
        ("/url", format!("authorization: Basic {}\r\n", with_user(&in_url))),
    ] {
        assert!(server.count(path, &what) > 0, "{what:?} is missing:\n{}", server.heads());
    }
    assert_eq!(other.count("/away ", ""), 1, "{}", other.heads());
    assert_eq!(other.count("/back?x=1 ", ""), 1, "{}", other.heads());
    secrets.assert_not_in("what the other server was sent", other.heads().as_bytes());
    let file = resident.profile().join("secrets/cookie.cookie.session");
    let modes = [&file, file.parent().expect("a folder")]
        .map(|path| fs::metadata(path).expect("is there").permissions().mode() & 0o777);
    assert_eq!(modes, [0o600, 0o700]);
    let title = resident.events("feed=url").events.remove(0).title;
    assert!(title.contains("//alice:***@127.0.0.1") && title.ends_with("?token=***"), "{title}");

    renewal(&resident, &server, &mut secrets);
    let malformed = json!({ "kind": "bearer", "secret": bearer });
    for body in [
        malformed,
        json!({ "kind": bearer }),
        json!({ "kind": "bearer", "secret": { "keyring": format!("{bearer}\n") } }),
    ] {
        let answer = resident.request("PUT", "/feeds/bearer/credential", &body).expect("an answer");
        assert_eq!(answer.status, 400, "{}", answer.body);
        secrets.assert_not_in("the refusal", answer.body.to_string().as_bytes());
    }
    // A probe of the feed uses what the feed has, and a probe of another origin does not.
    let asked = server.count("/bearer", &bearer);
    let probe =
        |url: &str| -> Probe { resident.call("POST", "/probe", &json!({ "url": url, "feed": "bearer" })) };
    assert!(
        probe(&server.url("/bearer")).status == Some(200) && server.count("/bearer", &bearer) == asked + 1
    );
    assert_eq!(probe(&other.url("/bearer")).status, Some(200));
    secrets.assert_not_in("what the other server was sent", other.heads().as_bytes());
    assert_nowhere(&mut resident, &secrets);

    locked_and_removed(&resident, &desktop);
    assert_nowhere(&mut resident, &secrets);
    kill_process(Pid::from_raw(resident.status().pid.cast_signed()).expect("a process"), Signal::ABORT)
        .expect("it runs");
    resident.process().wait(PATIENCE);
    assert_not_left_behind(&mut resident, &secrets);
}

/// A refused token needs attention; a renewed one is used at once, or at the next attempt, without a restart.
fn renewal(resident: &Resident, server: &Scribe, secrets: &mut Secrets) {
    let (old, new, newest) = (secrets.make("old"), secrets.make("new"), secrets.make("newest"));
    let accept = |token: &str| token.clone_into(&mut server.shared.token.lock().expect("no panic"));
    accept(&new);
    give(resident, secrets, &["guarded", "bearer"], &old);
    wait_for_feed(resident, "guarded", |feed| {
        feed.connection.state == ConnectionState::NeedsAttention && server.count("/guarded", &old) > 0
    });
    give(resident, secrets, &["guarded", "bearer"], &new);
    wait_for_feed(resident, "guarded", connected);
    assert_eq!(server.count("/guarded", &new), 1);
    // Now it lies in a file, and is renewed there.
    give(resident, secrets, &["guarded", "bearer", "--file"], &new);
    accept(&newest);
    let file = resident.profile().join("secrets/guarded.bearer");
    fs::write(&file, &newest).expect("the file can be written");
    resident.cli_text(&["feeds", "reconnect", "guarded"]);
    until(PATIENCE, "the newest token", || server.count("/guarded", &newest) > 0);
    wait_for_feed(resident, "guarded", connected);
    resident.cli_text(&["feeds", "credential", "guarded", "bearer", "--remove"]);
    assert!(!file.exists() && resident.feed("guarded").credentials.is_empty());
}

/// A locked keyring is said to be so; what belonged to a removed feed is not there for another of the same id.
fn locked_and_removed(resident: &Resident, desktop: &Desktop) {
    let config = fs::read_to_string(resident.config_file()).expect("feeds.toml");
    resident.call::<Value>("DELETE", "/feeds/bearer", &Value::Null);
    fs::write(resident.config_file(), &config).expect("feeds.toml");
    wait_for_feed(resident, "bearer", |feed| has_reason(feed, "credential_no_entry"));
    let lock = "org.freedesktop.Secret.Service.Lock";
    let service = ["-d", "org.freedesktop.secrets", "-o", "/org/freedesktop/secrets", "-m", lock];
    let collection = "['/org/freedesktop/secrets/collection/login']";
    desktop.run("gdbus", &[&["call", "--session"], &service[..], &[collection]].concat());
    resident.cli_text(&["feeds", "reconnect", "query"]);
    let feed = wait_for_feed(resident, "query", |feed| has_reason(feed, "credential_keyring"));
    assert_eq!(feed.connection.state, ConnectionState::NeedsAttention);
    assert_eq!(feed.connection.reason.expect("a reason").detail, "it is locked");
}

#[test]
fn without_a_keyring_a_choice_is_asked_for_and_nothing_is_stored_until_it_is_made() {
    let server = Scribe::start();
    let config = format!("# mine\n[[feed]]\nid = \"a\"\nurl = \"{}\" # here\n", server.url("/a"));
    let mut resident = Resident::with_config(&config);
    let mut secrets = Secrets::default();
    let token = secrets.make("token");
    let bearer = ["feeds", "credential", "a", "bearer"];
    let doctor = text(&resident.cli(&["doctor"]));
    assert!(doctor.contains("No keyring can be used"), "{doctor}");

    let output = resident.cli_with_input(&bearer, &token);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        ["--env", "--command", "--file", "nothing was stored"].iter().all(|word| said.contains(word)),
        "{said}"
    );
    assert_eq!(fs::read_to_string(resident.config_file()).expect("feeds.toml"), config);
    let everything = |_: &Path| false;
    secrets.assert_not_below(resident.profile(), &everything);
    let edit = json!({ "kind": "bearer", "secret": { "keyring": token } });
    let answer = resident.request("PUT", "/feeds/a/credential", &edit).expect("an answer");
    assert_eq!((answer.status, answer.body["code"].as_str()), (503, Some("no_keyring")));

    let output = resident.cli_with_input(&[&bearer[..], &["--file"]].concat(), &format!("{token}\r\n"));
    assert!(output.status.success() && text(&output).contains("backup"), "{}", text(&output));
    let line = format!("authorization: Bearer {token}\r\n");
    until(PATIENCE, "the token", || server.count("/a", &line) > 0);
    let file = resident.profile().join("secrets/a.bearer");
    let written = fs::read_to_string(resident.config_file()).expect("feeds.toml");
    assert_eq!(written, format!("{config}auth.bearer = {{ file = \"{}\" }}\n", file.display()));

    // What others can read is no secret any more.
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("its permissions");
    resident.cli_text(&["feeds", "reconnect", "a"]);
    wait_for_feed(&resident, "a", |feed| has_reason(feed, "credential_file_open"));
    let status = resident.cli_text(&["status"]);
    assert!(status.contains("chmod 600"), "{status}");

    for (source, what) in [
        (&["--env", "NO_SUCH_VARIABLE"] as &[&str], "credential_variable"),
        (&["--command", "sh", "-c", "echo no >&2; exit 3"], "credential_command"),
    ] {
        resident.cli_text(&[&bearer[..], source].concat());
        wait_for_feed(&resident, "a", |feed| has_reason(feed, what));
        assert!(!file.exists(), "nothing needs it any more");
    }
    assert_nowhere_without_keyring(&mut resident, &secrets);
}

#[track_caller]
fn assert_nowhere_without_keyring(resident: &mut Resident, secrets: &Secrets) {
    assert_not_left_behind(resident, secrets);
    secrets.assert_not_in("status", text(&resident.cli(&["status", "--json"])).as_bytes());
    assert!(resident.quit().success());
}

#[test]
fn a_secret_that_cannot_be_read_back_stays_when_its_feed_is_removed() {
    let resident =
        Resident::with_config("[[feed]]\nid = \"a\"\nurl = \"http://127.0.0.1:9/\"\npaused = true\n");
    let edit = json!({ "kind": "bearer", "secret": { "file": "hunter2" } });
    let _: Value = resident.call("PUT", "/feeds/a/credential", &edit);
    let file = resident.profile().join("secrets/a.bearer");
    assert!(file.exists());
    fs::write(&file, b"\xff\n").expect("written");
    let _: Value = resident.call("DELETE", "/feeds/a", &Value::Null);
    assert_eq!(fs::read(&file).expect("still there"), b"\xff\n");
    let _: Value = resident.call("POST", "/feeds/a/restore", &Value::Null);
    assert_eq!(resident.feed("a").credentials.len(), 1);
    assert_eq!(fs::read(&file).expect("still there"), b"\xff\n");
}

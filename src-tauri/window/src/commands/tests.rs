use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixListener,
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use tauri::{
    ipc::{CallbackFn, InvokeBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder},
    webview::InvokeRequest,
};

use super::*;

/// Not declared in the build script, so not for the page.
#[tauri::command]
fn undeclared() -> &'static str {
    "reached"
}

struct Page {
    _app: tauri::App<MockRuntime>,
    window: WebviewWindow<MockRuntime>,
}

impl Page {
    fn open(socket: &Path) -> Self {
        let app = mock_builder()
            .manage(Link::new(Client::new(socket).unwrap(), OpenWindow { event: Some(42), summary: None }))
            .invoke_handler(tauri::generate_handler![request, updates, undeclared])
            .build(crate::context())
            .unwrap();
        let window = tauri::WebviewWindowBuilder::new(&app, "main", Default::default()).build().unwrap();
        Self { _app: app, window }
    }

    fn call(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        call(&self.window, command, arguments)
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        self.call("request", json!({ "method": method, "path": path, "body": body }))
    }
}

fn call(window: &WebviewWindow<MockRuntime>, command: &str, arguments: Value) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: command.into(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: "tauri://localhost".parse().unwrap(),
        body: InvokeBody::Json(arguments),
        headers: Default::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request).map(|body| body.deserialize().unwrap())
}

/// A socket that answers each request with the next of `answers`, and tells what it read. An answer that does not announce its end
/// has none until the last was given.
fn serve(socket: &Path, answers: &'static [&'static str]) -> mpsc::Receiver<String> {
    let listener = UnixListener::bind(socket).unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut open = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut read = Vec::new();
            let mut chunk = [0; 4096];
            while !is_whole(&read) {
                let length = stream.read(&mut chunk).unwrap();
                read.extend_from_slice(&chunk[..length]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            tell.send(String::from_utf8(read).unwrap()).unwrap();
            open.extend((!answer.contains("connection: close")).then_some(stream));
        }
    });
    told
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_request_reaches_the_socket_and_its_answer_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let told = serve(
        &socket,
        &[
            "HTTP/1.1 201 Created\r\ncontent-length: 12\r\nconnection: close\r\n\r\n{\"id\":\"ops\"}",
            "HTTP/1.1 409 Conflict\r\ncontent-length: 66\r\nconnection: close\r\n\r\n{\"code\":\"duplicate_url\",\"message\":\"there already\",\"detail\":\"ops\"} ",
            "HTTP/1.1 422 Unprocessable Content\r\ncontent-length: 112\r\nconnection: close\r\n\r\n{\"code\":\"invalid_value\",\"message\":\"unknown name\",\"detail\":\"\",\"place\":{\"key\":\"rule[1].when\",\"line\":1,\"column\":8}}",
            "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
        ],
    );
    let page = Page::open(&socket);

    let draft = json!({ "url": "https://example.org/" });
    assert_eq!(page.request("POST", "/feeds", &draft), Ok(json!({ "id": "ops" })));
    let request = told.recv_timeout(SOON).unwrap();
    assert!(
        request.starts_with("POST /feeds HTTP/1.1\r\n") && request.ends_with(&draft.to_string()),
        "{request}"
    );

    let refused = json!({ "code": "duplicate_url", "message": "there already", "detail": "ops" });
    assert_eq!(page.request("POST", "/feeds", &draft), Err(refused));
    let misplaced = page.request("POST", "/rules/test", &json!({})).unwrap_err();
    assert_eq!(misplaced["place"], json!({ "key": "rule[1].when", "line": 1, "column": 8 }));
    assert_eq!(page.request("DELETE", "/feeds/ops", &Value::Null), Ok(Value::Null));
}

#[test]
fn without_the_resident_program_a_request_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(&folder.path().join("control.sock"));
    let failure = page.request("GET", "/status", &Value::Null).unwrap_err();
    assert_eq!(failure["code"], "unreachable", "{failure}");
}

#[test]
fn other_requests_are_not_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(&folder.path().join("control.sock"));
    for (method, path) in [
        ("PUT", "/quit"),
        ("OPTIONS", "/feeds"),
        ("get", "/feeds"),
        ("GET", "feeds"),
        ("GET", "//feeds"),
        ("GET", "/quit"),
        ("GET", "/updates"),
        ("GET", "/feeds/../quit"),
        ("GET", "/feeds\r\nx: y"),
        ("GET", "/feeds#"),
        ("GET", "/feeds/é"),
        ("GET", "@example.org/feeds"),
    ] {
        let failure = page.request(method, path, &Value::Null).unwrap_err();
        assert_eq!(failure["code"], "bad_request", "{method} {path}: {failure}");
    }
}

#[test]
fn a_command_that_is_not_declared_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(&folder.path().join("control.sock"));
    for command in ["undeclared", "plugin:window|close", "plugin:event|listen", "plugin:app|version"] {
        let refusal = page.call(command, json!({})).unwrap_err().to_string();
        assert!(refusal.contains("not allowed") || refusal.contains("not found"), "{command}: {refusal}");
    }
}

#[test]
fn updates_reach_the_page_and_the_event_asked_for_follows_the_status() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let told = serve(
        &socket,
        &[concat!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n",
            r#"data: {"kind":"status","value":{"version":"0.1.0","pid":1,"started_at":"2026-01-01T00:00:00.000Z","#,
            r#""language":"system","theme":"dark","locale":"en","config":{"path":"/c/feeds.toml","error":null},"#,
            r#""event_log":"/d/events.db","attention":{"snoozed_until":null,"quiet_until":null,"held":0},"#,
            r#""parts":[],"feeds":[]}}"#,
            "\n\n",
            r#"data: {"kind":"events_changed"}"#,
            "\n\n",
        )],
    );
    let page = Page::open(&socket);
    let failure = page.call("updates", json!({ "begin": false })).unwrap_err();
    assert_eq!(failure["code"], "unreachable", "nothing was begun: {failure}");
    let (mut received, mut begin) = (Vec::new(), true);
    let failure = loop {
        match page.call("updates", json!({ "begin": begin })) {
            Ok(updates) => received.extend(updates.as_array().unwrap().iter().map(|update| {
                update["kind"].as_str().unwrap_or_default().to_owned() + &update["value"]["event"].to_string()
            })),
            Err(failure) => break failure,
        }
        begin = false;
    };
    assert_eq!(received, ["statusnull", "open_window42", "events_changednull"]);
    assert_eq!(failure["code"], "unreachable", "{failure}");
    assert!(told.recv_timeout(SOON).unwrap().starts_with("GET /updates?window=true "));
}

#[test]
fn a_page_that_is_loaded_anew_does_not_wait_for_what_the_earlier_one_asked() {
    const ENDLESS: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {\"kind\":\"events_changed\"}\n\n";
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let told = serve(&socket, &[ENDLESS, ENDLESS]);
    let page = Page::open(&socket);
    let first = json!([{ "kind": "events_changed" }]);
    assert_eq!(page.call("updates", json!({ "begin": true })).as_ref(), Ok(&first));
    let ask = |begin: bool| {
        let (tell, answer) = mpsc::channel();
        let window = page.window.clone();
        thread::spawn(move || tell.send(call(&window, "updates", json!({ "begin": begin }))));
        answer
    };
    let earlier = ask(false);
    let link = tauri::Manager::state::<Link>(&page.window);
    let patience = Instant::now() + SOON;
    while link.updates.try_lock().is_some() {
        assert!(Instant::now() < patience, "it is not asked");
        thread::yield_now();
    }
    assert_eq!(ask(true).recv_timeout(SOON).unwrap().as_ref(), Ok(&first));
    let failure = earlier.recv_timeout(SOON).unwrap().unwrap_err();
    assert_eq!(failure["code"], "unreachable", "{failure}");
    assert_eq!(told.iter().count(), 2, "each load of the page has a connection of its own");
}

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::control::parse;
use crate::{Desktop, Process, Resident, free_port, until_some};

/// How long the window may take to do what a person would wait for. It starts a browser engine, on a machine under load.
pub const WINDOW_PATIENCE: Duration = Duration::from_secs(90);

/// A single answer of the driver: a script in the page may take that long.
const ANSWER: Duration = Duration::from_secs(40);

/// The name under which WebDriver hands out an element (WebDriver 2, 12.4).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// WebKitWebDriver, which drives the windows that the resident program opens: they are not started for the test.
pub struct WebDriver {
    driver: Process,
    port: u16,
    /// Where a window of the resident program listens for the driver.
    inspector: u16,
}

/// The window that is open, as seen from within its page. Dropping this ends the session; the window stays.
pub struct Page<'a> {
    driver: &'a WebDriver,
    session: String,
}

impl WebDriver {
    /// Starts the driver in this desktop.
    #[track_caller]
    pub fn start(desktop: &Desktop) -> Self {
        let (port, inspector) = (free_port(), free_port());
        let arguments =
            [format!("--port={port}"), "--host=127.0.0.1".into(), format!("--target=127.0.0.1:{inspector}")];
        let driver = desktop.spawn("WebKitWebDriver", &arguments.each_ref().map(String::as_str));
        Self { driver, port, inspector }
    }

    /// Makes the windows of this resident program open to the driver, from its next start on.
    pub fn drives(&self, resident: &mut Resident) {
        resident.env("WEBKIT_INSPECTOR_SERVER", &format!("127.0.0.1:{}", self.inspector));
        resident.env("TAURI_WEBVIEW_AUTOMATION", "true");
    }

    /// Takes hold of the window that is open or opens just now.
    #[track_caller]
    pub fn attach(&self) -> Page<'_> {
        let wanted = json!({ "capabilities": { "alwaysMatch": {} } });
        let mut last = Value::Null;
        let session = until_some(WINDOW_PATIENCE, "a window to drive", || {
            // Nobody listens before a window does, and asking earlier leaves the driver waiting.
            TcpStream::connect(("127.0.0.1", self.inspector)).ok()?;
            let answer = self.send("POST", "/session", &wanted).ok()?;
            let session = answer["sessionId"].as_str().map(str::to_owned);
            last = answer;
            session
        });
        let page = Page { driver: self, session };
        page.wait("the page", "document.querySelector('#app > *') !== null");
        page
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let exchange = || -> std::io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(ANSWER))?;
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let length = body.len();
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            )?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        };
        let answer = exchange().map_err(|error| format!("the driver: {error}"))?;
        let answer = parse(&answer).ok_or_else(|| String::from_utf8_lossy(&answer).into_owned())?;
        let value = answer.body["value"].clone();
        if answer.status == 200 { Ok(value) } else { Err(value.to_string()) }
    }

    /// What the driver has written, for a test that fails.
    pub fn lines(&self) -> Vec<String> {
        self.driver.lines()
    }
}

impl Page<'_> {
    /// Runs the body of a function in the page; returns what it returns. What it throws, or a promise that is refused, is the
    /// error.
    pub fn try_script(&self, body: &str, arguments: &[Value]) -> Result<Value, String> {
        self.send("POST", "/execute/sync", &json!({ "script": body, "args": arguments }))
    }

    /// Like [`Page::try_script`] where nothing may go wrong.
    #[track_caller]
    pub fn script(&self, body: &str) -> Value {
        self.try_script(body, &[]).unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    /// Waits until this expression of the page's is true.
    #[track_caller]
    pub fn wait(&self, what: &str, expression: &str) {
        let body = format!("return Boolean({expression})");
        if until_true(|| self.try_script(&body, &[]) == Ok(Value::Bool(true))) {
            return;
        }
        panic!("waited {WINDOW_PATIENCE:?} in vain for {what}; the page says:\n{}", self.text());
    }

    /// Waits until this text is to be seen.
    #[track_caller]
    pub fn see(&self, text: &str) {
        self.wait(&format!("“{text}”"), &format!("document.body.innerText.includes({})", json!(text)));
    }

    /// Waits until this text is no longer to be seen.
    #[track_caller]
    pub fn see_no_more(&self, text: &str) {
        self.wait(&format!("“{text}” to go"), &format!("!document.body.innerText.includes({})", json!(text)));
    }

    /// All text that is to be seen.
    pub fn text(&self) -> String {
        let text = self.try_script("return document.body.innerText", &[]);
        text.map_or_else(|error| error, |text| text.as_str().unwrap_or_default().to_owned())
    }

    /// Clicks on what has this role or tag and this name, as a person reads it or a screen reader says it: `button` `Add a feed`. Of several the last,
    /// which lies on top.
    #[track_caller]
    pub fn click(&self, role: &str, name: &str) {
        let find = format!(
            "const name = {}, role = {};
             const named = (e) => [e.innerText, e.getAttribute('aria-label'), e.title]
                 .some((text) => text?.split('\\n').some((line) => line.trim() === name));
             return [...document.querySelectorAll(`${{role}}, [role=${{role}}]`)].findLast((e) => e.checkVisibility() && named(e)) ?? null",
            json!(name),
            json!(role)
        );
        self.act(&format!("{role} “{name}”"), &find, "/click", &json!({}));
    }

    /// Types into the field that this selector finds; `\u{e007}` is the Enter key (WebDriver 2, 17.4.2).
    #[track_caller]
    pub fn type_into(&self, selector: &str, text: &str) {
        let find = format!("return document.querySelector({})", json!(selector));
        self.act(selector, &find, "/value", &json!({ "text": text }));
    }

    /// Writes into the field under this label, instead of what it holds.
    #[track_caller]
    pub fn fill(&self, label: &str, text: &str) {
        let find = format!(
            "return [...document.querySelectorAll('label')].findLast((e) => e.checkVisibility() && e.innerText.trim() === {})?.control ?? null",
            json!(label)
        );
        self.act(label, &find, "/clear", &json!({}));
        self.act(label, &find, "/value", &json!({ "text": text }));
    }

    /// What the field under this label holds.
    #[track_caller]
    pub fn value(&self, label: &str) -> String {
        let find = "return [...document.querySelectorAll('label')].findLast((e) => e.innerText.trim() === arguments[0])?.control?.value ?? null";
        let value = self.try_script(find, &[json!(label)]).unwrap_or_else(|error| panic!("{label}: {error}"));
        value
            .as_str()
            .unwrap_or_else(|| panic!("no field “{label}”; the page says:\n{}", self.text()))
            .to_owned()
    }

    /// Goes to a place of the window, such as `#/settings/general`.
    #[track_caller]
    pub fn go(&self, place: &str) {
        self.script(&format!("location.hash = {}", json!(place)));
    }

    /// Empties a field.
    #[track_caller]
    pub fn clear(&self, selector: &str) {
        let find = format!("return document.querySelector({})", json!(selector));
        self.act(selector, &find, "/clear", &json!({}));
    }

    /// Does something with an element as soon as it is there and lets it be done.
    #[track_caller]
    fn act(&self, what: &str, find: &str, action: &str, body: &Value) {
        let mut problem = String::new();
        let done = until_true(|| {
            let acted = self.try_script(find, &[]).and_then(|found| {
                let id = found[ELEMENT].as_str().ok_or("there is none")?;
                self.send("POST", &format!("/element/{id}{action}"), body)
            });
            problem = acted.err().unwrap_or_default();
            problem.is_empty()
        });
        assert!(done, "{what}: {problem}; the page says:\n{}", self.text());
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.driver.send(method, &format!("/session/{}{path}", self.session), body)
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        let _ = self.send("DELETE", "", &Value::Null);
    }
}

fn until_true(mut condition: impl FnMut() -> bool) -> bool {
    crate::until::poll(WINDOW_PATIENCE, || condition().then_some(())).is_some()
}

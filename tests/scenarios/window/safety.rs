//! What comes from feeds stays text, and the page can do no more than it must.

use bellwether_tests::{Need, Page, Source, needs};
use serde_json::{Value, json};

use crate::{feed, prepared, windows};

#[test]
fn the_page_takes_nothing_from_an_event_but_text_and_can_do_no_more_than_it_must() {
    needs!(Need::Desktop, Need::Window);
    let source = Source::start();
    let (desktop, driver, mut resident) = prepared(&feed("ops", &source));
    resident.start_with(&[]);
    let page = driver.attach();
    let hostile = "<script>window.hit = 1</script><img src=x onerror=\"window.hit = 2\"><b>bold</b>";
    source.send("message", &json!({ "title": format!("T {hostile}"), "message": format!("B {hostile}") }));
    page.see("<script>window.hit = 1</script>");
    page.click("option", &format!("T {hostile}"));
    page.wait("the event", "document.querySelector('.detail h2') !== null");
    for tab in ["Raw", "Why", "Rendered"] {
        page.click("tab", tab);
        page.wait(
            tab,
            &format!("document.querySelector('[aria-selected=true][role=tab]').innerText === '{tab}'"),
        );
        assert_eq!(
            page.script("return document.querySelectorAll('#app script, #app img, #app b').length"),
            0
        );
    }
    assert_eq!(page.script("return window.hit ?? null"), Value::Null);

    // What would run if it came in all the same is refused.
    page.script(
        "window.refused = [];
         addEventListener('securitypolicyviolation', (event) => window.refused.push(event.effectiveDirective));
         const script = document.createElement('script'); script.textContent = 'window.hit = 3'; document.body.append(script);
         const image = document.createElement('img'); image.src = 'http://127.0.0.1:9/x'; document.body.append(image);
         image.setAttribute('onclick', 'window.hit = 4'); image.click();
         fetch('http://127.0.0.1:9/').catch(() => {});
         const frame = document.createElement('iframe'); frame.src = 'https://example.org/'; document.body.append(frame)",
    );
    for directive in ["script-src-elem", "script-src-attr", "img-src", "connect-src", "frame-src"] {
        page.wait(directive, &format!("window.refused.includes('{directive}')"));
    }
    assert_eq!(page.script("return window.hit ?? null"), Value::Null);

    // Nor does the page reach more of the system than its two commands, or more of the program than its routes.
    for (command, arguments) in [
        ("plugin:shell|open", json!({ "path": "/etc/passwd" })),
        ("plugin:fs|read_text_file", json!({ "path": "/etc/passwd" })),
        ("plugin:window|create", json!({ "options": { "label": "x" } })),
        (
            "plugin:webview|create_webview_window",
            json!({ "options": { "label": "x", "url": "https://example.org" } }),
        ),
        ("no_such_command", json!({})),
        ("request", json!({ "method": "POST", "path": "/quit", "body": null })),
        ("request", json!({ "method": "POST", "path": "/events/../quit", "body": null })),
    ] {
        let answer = answer(&page, command, &arguments);
        assert!(answer.starts_with("refused: "), "{command}: {answer}");
    }
    let status = json!({ "method": "GET", "path": "/status", "body": null });
    assert!(answer(&page, "request", &status).starts_with("done: {\"version\""), "what it may ask works");

    page.script("location.href = 'https://example.org/'; window.open('https://example.org/')");
    page.wait("the page to stay", "location.origin === 'tauri://localhost'");
    assert_eq!(
        (windows(&desktop), desktop.windows().iter().filter(|title| title.contains("xample")).count()),
        (1, 0)
    );
}

/// What a command of the window's program answers to the page.
#[track_caller]
fn answer(page: &Page<'_>, command: &str, arguments: &Value) -> String {
    page.script(&format!(
        "window.answer = null;
         const set = (how) => (value) => (window.answer = how + JSON.stringify(value));
         window.__TAURI_INTERNALS__.invoke({}, {arguments}).then(set('done: '), set('refused: '))",
        json!(command)
    ));
    page.wait("an answer", "window.answer !== null");
    page.script("return window.answer").as_str().unwrap_or_default().to_owned()
}

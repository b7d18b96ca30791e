//! Images on popups: from a real server over TLS, by the feed's own trust, and only where the feed allows them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::thread;

use bellwether_tests::{Authority, Desktop, Need, Notifications, Resident, Source, TlsFront, needs};
use serde_json::{Value, json};
use url::Url;

use crate::{MANY, PATIENCE, feed_alone, until_connected};

/// Our own icon.
const PNG: &[u8] = include_bytes!("../../../icons/app/48.png");

/// A server of images without TLS; what it was asked for.
fn images() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let notes = Arc::clone(&notes);
            thread::spawn(move || {
                let head: Vec<String> = BufReader::new(&stream)
                    .lines()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let path =
                    head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
                notes.lock().expect("no panic").push(head.join("\n"));
                let body = match path.as_str() {
                    "/icon.png" => PNG.to_vec(),
                    "/large.png" => [PNG, &vec![0; 300 << 10]].concat(),
                    "/page.png" => b"<!doctype html><script>".to_vec(),
                    // Never.
                    _ => return drop(stream.read(&mut [0])),
                };
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            });
        }
    });
    (address, asked)
}

#[test]
fn an_image_is_shown_where_the_feed_allows_it_and_no_popup_waits_for_another_s() {
    needs!(Need::Desktop);
    let desktop = Desktop::start();
    let (address, asked) = images();
    let authority = Authority::new();
    let server = TlsFront::start(address, &authority.issue(&["127.0.0.1"]));
    let popups = Notifications::watch(&desktop);
    let (source, other) = (Source::start(), Source::start());
    let rules = |images: bool| {
        format!(
            "images = {images}\nca_file = 'authority.pem'\nauth = {{ bearer = {{ env = 'TOKEN' }} }}\n\
             [[feed.rule]]\nnotify = {{ icon = '{{{{ data.icon }}}}' }}\n"
        )
    };
    let config = [
        MANY.to_owned(),
        feed_alone(&source, &rules(true)),
        feed_alone(&other, &rules(false)).replace("'ops'", "'dev'"),
    ];
    let mut resident = Resident::prepare();
    fs::write(resident.profile().join("authority.pem"), authority.pem()).expect("a file");
    resident.in_desktop(&desktop).env("TOKEN", "secret").config(&config.concat());
    resident.start();
    until_connected(&resident);
    let requests = |path: &str| {
        asked.lock().expect("no panic").iter().filter(|head| head.contains(&format!(" {path} "))).count()
    };
    let shown = |source: &Source, title: &str, icon: &str| {
        source.send("message", &json!({ "title": title, "icon": icon }));
        popups.wait_within(PATIENCE, |popup| popup.summary == title).hints.get("image-path").cloned()
    };

    for title in ["first", "again"] {
        let path = shown(&source, title, &server.url("/icon.png")).expect("an image");
        let path = path.as_str().and_then(|uri| Url::parse(uri).ok()?.to_file_path().ok()).expect("a file");
        assert!(path.starts_with(resident.profile().join("cache")), "{}", path.display());
        assert_eq!(fs::read(&path).expect("it can be read"), PNG);
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(requests("/icon.png"), 1, "it was kept");
    let head = asked.lock().expect("no panic")[0].to_ascii_lowercase();
    assert!(!head.contains("secret") && !head.contains("authorization"), "{head}");

    assert_eq!(shown(&other, "not allowed", &server.url("/icon.png")), None::<Value>);
    assert_eq!(shown(&source, "plain http", &format!("http://{address}/icon.png")), None);
    assert_eq!(shown(&source, "large", &server.url("/large.png")), None);
    assert_eq!(shown(&source, "a page", &server.url("/page.png")), None);
    assert_eq!(requests("/icon.png"), 1);

    let slow = server.url("/never.png");
    source.send("message", &json!({ "title": "slow", "icon": slow }));
    assert_eq!(shown(&source, "quick", ""), None);
    let order = || popups.popups().into_iter().map(|popup| popup.summary).collect::<Vec<_>>();
    assert!(!order().contains(&"slow".to_owned()), "it waits: {:?}", order());
    let late = popups.wait_within(PATIENCE, |popup| popup.summary == "slow");
    assert_eq!(late.hints.get("image-path"), None);
}

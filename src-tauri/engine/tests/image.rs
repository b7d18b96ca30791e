//! Images for popups, from servers that give them as they should and from others.

#![allow(clippy::expect_used, reason = "what is expected and does not hold ends the test")]

mod support;

use std::{
    net::ToSocketAddrs,
    path::Path,
    sync::mpsc::{Receiver, channel},
};

use bellwether_engine::{
    network::{ClientCertificate, Network, Proxy},
    subscription::image::{Image, ImageError, Kind, MAX_BYTES, image},
};
use support::{AUTHORITY, VALID, client, over_tls_by};
use url::Url;

/// A GIF of 48 × 48 pixels, as far as anybody looks here.
const GIF: &[u8] = b"GIF89a\x30\0\x30\0and so on";

/// A server that knows the test's paths; what it is asked for.
fn server() -> (u16, Receiver<Vec<String>>) {
    let (tell, asked) = channel();
    let port = over_tls_by(VALID, move |head| {
        let _ = tell.send(head.to_vec());
        let path = head[0].split(' ').nth(1).unwrap_or_default();
        let found = |length: &str, body: &[u8]| {
            [format!("HTTP/1.1 200 OK\r\n{length}\r\n\r\n").as_bytes(), body].concat()
        };
        let redirect = |to: &str| format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\n\r\n").into_bytes();
        let close = "Connection: close";
        match path {
            "/a.gif" => found(&format!("Content-Length: {}", GIF.len()), GIF),
            "/large" => found(&format!("Content-Length: {}", MAX_BYTES + 1), GIF),
            "/endless" => found(close, &[GIF, &vec![0; MAX_BYTES]].concat()),
            "/svg" => found("Content-Type: image/png\r\nContent-Length: 6", b"<svg/>"),
            "/moved" => redirect("/a.gif"),
            "/open" => redirect("http://127.0.0.1/a.gif"),
            "/file" => redirect("file:///etc/passwd"),
            "/circle" => redirect("/circle"),
            // Nothing, and the connection stays.
            "/never" => Vec::new(),
            _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        }
    });
    (port, asked)
}

fn trusting() -> Network {
    Network { ca_file: Some(Path::new(AUTHORITY).to_owned()), proxy: Proxy::None, ..Network::default() }
}

fn feed() -> Url {
    Url::parse("https://alice:secret@127.0.0.1/events?token=secret").expect("a URL")
}

#[tokio::test]
async fn an_image_is_fetched_as_the_feed_s_connections_go_and_without_what_lets_it_in() {
    let (port, asked) = server();
    let me = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/trusted.crt");
    // That these files are no pair would be a fault if they were read.
    let mine = ClientCertificate { certificate: me.into(), key: AUTHORITY.into() };
    let network = Network { client_certificate: Some(mine), ..trusting() };
    let fetched =
        image(&client(), &feed(), &network, &format!("https://bob:pw@127.0.0.1:{port}/moved")).await;
    assert_eq!(fetched, Ok(Image { kind: Kind::Gif, bytes: GIF.to_vec() }));
    for path in ["/moved", "/a.gif"] {
        let head = asked.recv().unwrap();
        assert_eq!(head[0], format!("get {path} http/1.1"));
        let names: Vec<&str> = head[1..].iter().map(|line| line.split(':').next().unwrap()).collect();
        for secret in ["authorization", "cookie", "referer", "last-event-id"] {
            assert!(!names.contains(&secret), "{head:?}");
        }
        assert!(
            head.contains(&"accept: image/png, image/webp, image/jpeg, image/gif".to_owned()),
            "{head:?}"
        );
    }
}

#[tokio::test]
async fn what_is_no_small_image_behind_https_is_none() {
    let (port, _asked) = server();
    let (client, feed) = (client(), feed());
    let place = |origin: &str| ImageError::Place(origin.to_owned());
    for (path, error) in [
        ("/large", ImageError::Large),
        ("/endless", ImageError::Large),
        ("/svg", ImageError::Unknown),
        ("/nothing", ImageError::Status(404)),
        ("/open", place("http://127.0.0.1")),
        ("/file", place("null")),
        ("/circle", ImageError::Redirects),
        ("/never", ImageError::Late),
    ] {
        let url = format!("https://127.0.0.1:{port}{path}");
        assert_eq!(image(&client, &feed, &trusting(), &url).await, Err(error), "{path}");
    }
    let url = format!("https://127.0.0.1:{port}/a.gif");
    let stranger = Network { proxy: Proxy::None, ..Network::default() };
    assert_eq!(image(&client, &feed, &stranger, &url).await, Err(ImageError::Connection), "not trusted");
    assert_eq!(image(&client, &feed, &trusting(), "no URL").await, Err(place("")));
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_as_near_as_its_numbers() {
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let names = [own.trim(), "ip6-localhost", "ip6-loopback", "localhost.", "localhost.localdomain"];
    let name = names.into_iter().filter(|name| !matches!(*name, "" | "localhost")).find(|name| {
        let found = (*name, 0).to_socket_addrs();
        found.is_ok_and(|mut addresses| addresses.all(|address| address.ip().is_loopback()))
    });
    let Some(name) = name else {
        println!("skipped: no other name than localhost leads to this machine");
        return;
    };
    let url = format!("https://{name}:1/a.gif");
    for (feed, error) in [
        ("https://192.0.2.1/events".to_owned(), ImageError::Place(format!("https://{name}:1"))),
        ("https://192.168.1.1/events".to_owned(), ImageError::Place(format!("https://{name}:1"))),
        // Nobody listens there.
        (format!("https://{name}/events"), ImageError::Connection),
        ("http://127.0.0.1/events".to_owned(), ImageError::Connection),
    ] {
        let from = Url::parse(&feed).expect("a URL");
        assert_eq!(image(&client(), &from, &trusting(), &url).await, Err(error), "for {feed}");
    }
}

#[tokio::test]
async fn an_image_comes_by_the_feed_s_proxy() {
    let mut proxy = support::ScriptedServer::start(vec![vec![support::answer("502 Bad Gateway", "")]]).await;
    let network = Network { proxy: Proxy::Url(proxy.url("/")), ..trusting() };
    let fetched = image(&client(), &feed(), &network, "https://images.example.org/a.png").await;
    assert_eq!(fetched, Err(ImageError::Connection));
    assert_eq!(proxy.request().await.line, "CONNECT images.example.org:443 HTTP/1.1");
}

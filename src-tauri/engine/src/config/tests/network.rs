//! TLS, proxy, and what a reconnect carries.

use std::path::{Path, PathBuf};

use crate::{
    config::{ConfigErrorKind as Kind, ConfigFile, parse, reader},
    network::{ClientCertificate, Network, Proxy},
    resume::{Resume, ResumeFrom},
};

fn feed(rest: &str) -> String {
    format!("[[feed]]\nid = \"a\"\nurl = \"https://example.org\"\n{rest}\n")
}

#[test]
fn what_a_feed_says_of_its_network_is_read() {
    let of = |rest: &str| {
        let config = reader::read(&feed(rest), Path::new("/profile")).expect(rest);
        (config.feeds[0].network.clone(), config.feeds[0].resume.clone())
    };
    assert_eq!(of(""), (Network::default(), Resume::Header));
    let identity = |certificate: &str, key: &str| {
        Some(ClientCertificate { certificate: PathBuf::from(certificate), key: PathBuf::from(key) })
    };
    let written = "ca_file = \"tls/authority.pem\"\nclient_certificate = \"/etc/alice.pem\"\nverify_certificate = false\n\
                   proxy = \"socks5h://127.0.0.1:9050\"";
    let expected = Network {
        ca_file: Some("/profile/tls/authority.pem".into()),
        client_certificate: identity("/etc/alice.pem", "/etc/alice.pem"),
        verify_certificate: false,
        proxy: Proxy::parse("socks5h://127.0.0.1:9050").expect("a proxy"),
    };
    assert_eq!(of(written).0, expected);
    for (written, expected) in [
        ("{ certificate = \"a.pem\" }", identity("/profile/a.pem", "/profile/a.pem")),
        ("{ certificate = \"a.pem\", key = \"/b.key\" }", identity("/profile/a.pem", "/b.key")),
    ] {
        assert_eq!(of(&format!("client_certificate = {written}")).0.client_certificate, expected);
    }
    let home = std::env::home_dir().expect("a home folder");
    assert_eq!(of("ca_file = \"~/a.pem\"").0.ca_file, Some(home.join("a.pem")));

    let query = |from, events: &[&str]| Resume::Query {
        name: "since".to_owned(),
        from,
        events: events.iter().map(|&event| event.to_owned()).collect(),
    };
    for (written, expected) in [
        ("\"header\"", Resume::Header),
        ("\"none\"", Resume::None),
        ("{ query = \"since\", from = \"id\" }", query(ResumeFrom::Id, &[])),
        (
            "{ query = \"since\", from = \"data.a.b\" }",
            query(ResumeFrom::Data(vec!["a".to_owned(), "b".to_owned()]), &[]),
        ),
        (
            "{ query = \"since\", from = \"data\", event = [\"a*\", \"b\"] }",
            query(ResumeFrom::Data(Vec::new()), &["a*", "b"]),
        ),
    ] {
        assert_eq!(of(&format!("resume = {written}")).1, expected, "{written}");
    }
}

#[test]
fn relative_paths_are_taken_from_the_folder_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = ConfigFile::new(folder.path().join("feeds.toml"));
    let expected = Some(folder.path().join("a.pem"));
    let changed = file.change(|_| Ok(feed("ca_file = \"a.pem\""))).expect("a change");
    assert_eq!(changed.feeds[0].network.ca_file, expected);
    assert_eq!(file.load().expect("a good file").feeds[0].network.ca_file, expected);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn mistakes_name_key_and_remedy_and_never_a_proxys_password() {
    for (rest, kind, error) in [
        (
            "proxy = \"alice:secret@proxy\"",
            Kind::InvalidValue,
            "proxy: no proxy; write \"system\", \"none\", or all of its URL, such as \"http://proxy.example.org:3128\"; it may \
             begin with http, https, socks5 or socks5h",
        ),
        ("ca_file = \"\"", Kind::InvalidValue, "ca_file: no path of a file"),
        (
            "verify_certificate = \"no\"",
            Kind::InvalidValue,
            "verify_certificate: must be true or false; this is of type string",
        ),
        (
            "client_certificate = 1",
            Kind::InvalidValue,
            "client_certificate: must be a path in quotes, or { certificate = \"client.pem\", key = \"client.key\" }; this is \
             of type integer",
        ),
        (
            "client_certificate = { key = \"a\" }",
            Kind::Broken,
            "client_certificate.certificate: missing; add it, such as certificate = \"client.pem\"",
        ),
        (
            "client_certificate = { certificate = \"a\", keys = \"a\" }",
            Kind::Broken,
            "client_certificate.keys: unknown key; did you mean key?",
        ),
        (
            "resume = true",
            Kind::InvalidValue,
            "resume: must be \"header\", \"none\" or { query = \"since\", from = \"data.id\" }; this is of type boolean",
        ),
        (
            "resume = \"query\"",
            Kind::InvalidValue,
            "resume: “query” is none of header, none, { query = \"since\", from = \"data.id\" }",
        ),
        (
            "resume = { query = \"\", from = \"id\" }",
            Kind::InvalidValue,
            "resume.query: no name of a parameter; it takes 1 to 256 bytes",
        ),
        (
            "resume = { query = \"since\", from = \"event.id\" }",
            Kind::InvalidValue,
            "resume.from: “event.id” is no place in an event; write \"id\", \"data\" or the keys that lead to a value, such as \
             \"data.id\"",
        ),
        (
            "resume = { query = \"since\", from = \"id\", event = \"a\" }",
            Kind::InvalidValue,
            "resume.event: the last event ID is taken from every event; leave out event, or take the value from the data",
        ),
        (
            "resume = { query = \"since\", from = \"data\", event = \"\" }",
            Kind::InvalidValue,
            "resume.event: an empty name; leave out event to match any",
        ),
        (
            "resume = { query = \"since\", from = \"id\" }\nauth.query.since = { env = \"A\" }",
            Kind::InvalidValue,
            "resume: the parameter since holds a secret of auth already; resume by another, or by the header",
        ),
        (
            "resume = { query = \"since\" }",
            Kind::Broken,
            "resume.from: missing; add it, such as from = \"data.id\"",
        ),
    ] {
        let found = parse(&feed(rest)).expect_err(rest);
        let expected = format!("feeds.toml line 4, feed[1].{error}");
        assert_eq!((found.kind, found.to_string()), (kind, expected), "{rest}");
    }
}

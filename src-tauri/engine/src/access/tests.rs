use std::{fs, path::Path};

use super::*;

fn credential(place: Place, source: Source) -> Credential {
    Credential { place, source }
}

fn command(words: &[&str]) -> Source {
    Source::Command(words.iter().map(|word| (*word).to_owned()).collect())
}

async fn read_all(credentials: Vec<Credential>) -> Result<Shown, Fault> {
    let access = Access { credentials, plain_http: false };
    Credentials { access, feed: FeedId::new("ops"), keyring: Arc::new(Fake) }.read().await
}

async fn read(source: Source) -> Result<String, Fault> {
    let shown = read_all(vec![credential(Place::Query("q".to_owned()), source)]).await?;
    Ok(shown.query.into_iter().map(|(_, secret)| secret.0).collect())
}

/// Holds one secret.
struct Fake;

impl Keyring for Fake {
    fn read(&self, feed: &FeedId, place: &Place) -> Result<Secret, KeyringFault> {
        match place {
            Place::Bearer => Ok(Secret::new(format!("of {feed}"))),
            Place::Query(_) => Err(KeyringFault::NoEntry),
            _ => Err(KeyringFault::Unusable("locked".to_owned())),
        }
    }
}

#[tokio::test]
async fn each_place_gets_its_secret_in_its_own_form() {
    let echo = |text| command(&["echo", text]);
    let shown = read_all(vec![
        credential(Place::Basic { user: "Aladdin".to_owned() }, echo("open sesame")),
        credential(Place::Header(HeaderName::from_static("x-api-key")), echo("键")),
        credential(Place::Cookie("a".to_owned()), echo("1")),
        credential(Place::Cookie("b".to_owned()), echo("2=3")),
        credential(Place::Query("auth".to_owned()), echo("a&b")),
    ])
    .await
    .unwrap();
    let value = |name: &str| shown.headers.get(name).map(|value| value.as_bytes().to_vec());
    // The example of RFC 7617, 2.
    assert_eq!(value("authorization").as_deref(), Some(&b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="[..]));
    assert_eq!(value("x-api-key").as_deref(), Some("键".as_bytes()));
    assert_eq!(value("cookie").as_deref(), Some(&b"a=1; b=2=3"[..]));
    assert_eq!(shown.query, [("auth".to_owned(), Secret::new("a&b"))]);
    assert!(shown.headers.values().all(HeaderValue::is_sensitive));
    let bearer = read_all(vec![credential(Place::Bearer, Source::Keyring)]).await.unwrap();
    assert_eq!(bearer.headers[AUTHORIZATION], "Bearer of ops");
}

#[tokio::test]
async fn a_command_gives_its_first_line() {
    let shell = |script| command(&["sh", "-c", script]);
    for (script, secret) in [
        ("echo ' first '; echo second", "first"),
        ("printf 'no line end'", "no line end"),
        // A reader that stops at the first line would break it off.
        ("echo first; head -c 300000 /dev/zero", "first"),
        ("echo first; exec sleep 5 & exit 0", "first"),
        ("printf 'a\\r\\n'", "a"),
    ] {
        assert_eq!(read(shell(script)).await.as_deref(), Ok(secret), "{script}");
    }
}

#[tokio::test]
async fn what_a_command_says_when_it_fails_is_not_told() {
    for (words, detail) in [
        (&["sh", "-c", "echo hunter2; echo hunter2 >&2; exit 3"] as &[&str], "sh: exit status 3"),
        (&["sh", "-c", "kill -9 $$"], "sh: signal: 9 (SIGKILL)"),
        (&["sh", "-c", "printf '\\377'"], "sh: not UTF-8"),
        (&["/nonexistent/pass", "hunter2"], "/nonexistent/pass: No such file or directory (os error 2)"),
    ] {
        assert_eq!(read(command(words)).await, Err(Fault::Command(detail.to_owned())));
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_does_not_end_is_given_up() {
    let fault = read(command(&["sleep", "1000"])).await;
    assert_eq!(fault, Err(Fault::Command("sleep: no answer within 10 s".to_owned())));
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_that_is_given_up_takes_with_it_what_it_waits_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // What is waited for holds the pipe's other end, too.
    let script = format!("{{ echo; sleep 1000; true; }} > {}", pipe.display());
    let mut held = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&pipe).unwrap();
    let reading = tokio::spawn(async move { read(command(&["sh", "-c", &script])).await });
    let limit = std::time::Duration::from_secs(5);
    let mut bytes = [0; 2];
    let begun = tokio::time::timeout(limit, tokio::io::AsyncReadExt::read(&mut held, &mut bytes)).await;
    assert_eq!(begun.unwrap().unwrap(), 1);
    reading.abort();
    let ended = tokio::time::timeout(limit, tokio::io::AsyncReadExt::read(&mut held, &mut bytes)).await;
    assert_eq!(ended.unwrap().unwrap(), 0, "nobody holds it");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_read_only_if_it_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let chmod = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    fs::write(&path, "hunter2\nmore\n").unwrap();
    for (mode, open) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o660, true)] {
        chmod(mode);
        let expected =
            if open { Err(Fault::FileOpen(path.display().to_string())) } else { Ok("hunter2".to_owned()) };
        assert_eq!(read(Source::File(path.clone())).await, expected, "{mode:o}");
    }
    chmod(0o600);
    for text in ["renewed", "\u{feff}renewed\r\n"] {
        fs::write(&path, text).unwrap();
        assert_eq!(read(Source::File(path.clone())).await.as_deref(), Ok("renewed"));
    }
    for path in [folder.path(), Path::new("/nonexistent"), Path::new("/dev/null")] {
        assert!(matches!(read(Source::File(path.to_owned())).await, Err(Fault::File(_))), "{path:?}");
    }
}

#[tokio::test]
async fn what_is_missing_empty_or_cannot_be_sent_is_told_by_its_source() {
    let variable = "BELLWETHER_TEST_NO_SUCH_VARIABLE".to_owned();
    assert_eq!(read(Source::Variable(variable.clone())).await, Err(Fault::Variable(variable)));
    assert!(!read(Source::Variable("PATH".to_owned())).await.unwrap().is_empty());
    let shell = |script| command(&["sh", "-c", script]);
    let of = || "command sh".to_owned();
    for script in ["true", "echo; echo second", "echo '  '"] {
        assert_eq!(read(shell(script)).await, Err(Fault::Empty(of())), "{script}");
    }
    for script in ["printf 'a\\tb'", "printf 'a\\033b'", "head -c 20000 /dev/zero | tr '\\0' x"] {
        assert_eq!(read(shell(script)).await, Err(Fault::Unsendable(of())), "{script:?}");
    }
    let cookie = credential(Place::Cookie("a".to_owned()), command(&["echo", "1; b=2"]));
    assert_eq!(read_all(vec![cookie]).await.err(), Some(Fault::Unsendable("command echo".to_owned())));
    assert_eq!(read(Source::Keyring).await, Err(Fault::NoEntry("query q".to_owned())));
    let header = credential(Place::Header(HeaderName::from_static("x-key")), Source::Keyring);
    assert_eq!(read_all(vec![header]).await.err(), Some(Fault::Keyring("locked".to_owned())));
}

#[test]
fn a_secret_does_not_show_itself() {
    let secret = Secret::new("hunter2");
    assert_eq!(format!("{secret:?} {:?}", [&secret]), "Secret(…) [Secret(…)]");
}

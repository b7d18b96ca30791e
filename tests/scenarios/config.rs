//! `feeds.toml`: edited by hand while the program runs, and by the program while the file is somebody's own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use bellwether_control::wire::{ConnectionState, Feed, Outcome};
use bellwether_tests::{NumberedStream, PATIENCE, Resident, until, until_some};
use serde_json::{Value, json};

/// An edit by hand is live within 2 s. Four times as much here, for machines that are busy with other tests.
const LIVE: Duration = Duration::from_secs(8);

/// In place: the file is cut to nothing and written anew.
fn write_in_place(file: &Path, text: &str) {
    fs::write(file, text).expect("feeds.toml can be written");
}

/// As most editors do it: another file takes its name.
fn rename_over(file: &Path, text: &str) {
    let new = file.with_file_name("feeds.toml.new");
    fs::write(&new, text).expect("a file beside feeds.toml can be written");
    fs::rename(&new, file).expect("feeds.toml can be replaced");
}

/// As vi does it: the old file becomes the backup, and a new one is made.
fn move_away(file: &Path, text: &str) {
    fs::rename(file, file.with_file_name("feeds.toml~")).expect("feeds.toml can be moved");
    fs::write(file, text).expect("feeds.toml can be written");
}

#[test]
fn an_edit_by_hand_is_live_and_touches_only_the_connections_it_is_about() {
    for save in [write_in_place, rename_over, move_away] {
        let stream = NumberedStream::start();
        let url = |path| stream.url(path);
        let other = format!("[[feed]]\nid = \"other\"\nurl = \"{}\"\n", url("/other"));
        let mut resident = Resident::with_config(&other);
        stream.wait_for_request(1);
        let file = resident.config_file();
        let save = |text: &str| save(&file, &format!("{other}\n[[feed]]\nid = \"a\"\n{text}"));
        let paths = || stream.requests().iter().map(|request| request.path.clone()).collect::<Vec<_>>();

        save(&format!("url = \"{}\"\n", url("/first")));
        wait_for_feed(&resident, "a", |feed| feed.connection.state == ConnectionState::Connected);
        stream.send(2);
        wait_for_feed(&resident, "a", |feed| feed.counts.events == 2);

        save(&format!("name = \"甲\"\nurl = \"{}\"\n", url("/first")));
        wait_for_feed(&resident, "a", |feed| feed.name == "甲");

        let rule = "[[feed.rule]]\naction = \"log\"\n";
        save(&format!("url = \"{}\"\n{rule}", url("/first")));
        wait_for_feed(&resident, "a", |feed| feed.rules == 1);
        stream.send(1);
        wait_for_feed(&resident, "a", |feed| feed.counts.events == 3);
        let outcomes: Vec<_> = resident.events("feed=a").events.iter().map(|event| event.outcome).collect();
        assert_eq!(outcomes, [Outcome::Logged, Outcome::Pending, Outcome::Pending]);
        assert_eq!(paths(), ["/other", "/first"], "neither a name nor a rule is a reason to connect anew");

        save(&format!("url = \"{}\"\n{rule}", url("/second")));
        let request = stream.wait_for_request(3);
        assert_eq!((request.path.as_str(), request.last_event_id), ("/second", None));
        wait_for_feed(&resident, "a", |feed| feed.url == url("/second") && feed.counts.events == 6);

        save(&format!("url = \"{}\"\npaused = true\n", url("/second")));
        wait_for_feed(&resident, "a", |feed| feed.connection.state == ConnectionState::Paused);
        stream.send(1);
        save(&format!("url = \"{}\"\n", url("/second")));
        assert_eq!(stream.wait_for_request(4).last_event_id.as_deref(), Some("3"));
        wait_for_feed(&resident, "a", |feed| feed.counts.events == 7);

        write_in_place(&file, &other);
        until(LIVE, "the feed's end", || resident.get::<Vec<Feed>>("/feeds").len() == 1);
        assert_eq!(resident.events("feed=a").events.len(), 7, "what came stays in the log");
        assert_eq!(paths(), ["/other", "/first", "/second", "/second"]);
        wait_for_feed(&resident, "other", |feed| feed.counts.events == 4);
        assert!(resident.quit().success());
    }
}

#[test]
fn a_url_that_changed_while_the_program_did_not_run_is_another_stream() {
    let stream = NumberedStream::start();
    stream.send(3);
    let config = |path| format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", stream.url(path));
    let mut resident = Resident::with_config(&config("/old"));
    wait_for_feed(&resident, "a", |feed| feed.counts.events == 3);
    resident.quit();
    resident.start();
    assert_eq!(stream.wait_for_request(2).last_event_id.as_deref(), Some("3"));
    resident.quit();
    resident.config(&config("/new")).start();
    assert_eq!(stream.wait_for_request(3).last_event_id, None);
    wait_for_feed(&resident, "a", |feed| feed.counts.events == 6);
}

/// As somebody may write it: tabs, blanks, comments everywhere, both kinds of quotes, a heading, no line end at the end.
const OWN_STYLE: &str = "\
# My feeds. Do not touch!

\t# the first one
[[ feed ]]   # here
id='a'        # short
url =   \"URL/a\"   # where
name = \"\"\"A \\
   feed\"\"\"

  [[feed.rule]]
  # only the loud ones
  when = 'data.priority >= 4'   # of 5
  notify = { title = \"{{ data.title }}\" , urgency='critical' }


# about b
[[feed]]
id = \"b\" # b's id
url = \"URL/b\"
paused = true # for now
# the end";

#[test]
fn comments_and_style_survive_every_edit_by_the_program() {
    let text = OWN_STYLE.replace("URL", "http://127.0.0.1:9");
    let added = format!(
        "{text}\n\n[[feed]]\nid = \"c\"\nname = \"第三\"\nurl = \"http://127.0.0.1:9/c\"\npaused = true\n"
    );
    let paused = added.replace("   feed\"\"\"\n", "   feed\"\"\"\npaused = true\n");
    let resumed = paused.replace("paused = true # for now", "paused = false # for now");
    let renamed = resumed.replace("\"\"\"A \\\n   feed\"\"\"", "\"Alarms\"");
    let moved = renamed.replace("\"http://127.0.0.1:9/a\"", "\"http://127.0.0.1:9/new\"");
    let start = moved.find("# about b").expect("b");
    let end = moved.find("[[feed]]\nid = \"c\"").expect("c");
    let removed = format!("{}{}", &moved[..start], &moved[end..]);
    let edit = json!({ "name": "Alarms", "url": "http://127.0.0.1:9/new" });
    let draft = json!({ "url": "http://127.0.0.1:9/c", "id": "c", "name": "第三", "paused": true });
    // What the window sends, and what a person types.
    type Step<'a> = (&'a str, &'a str, Value, &'a [&'a str], &'a String);
    let steps: [Step<'_>; 5] = [
        (
            "POST",
            "/feeds",
            draft,
            &["add", "http://127.0.0.1:9/c", "--id=c", "--name=第三", "--paused"],
            &added,
        ),
        ("POST", "/feeds/a/pause", Value::Null, &["pause", "a"], &paused),
        ("POST", "/feeds/b/resume", Value::Null, &["resume", "b"], &resumed),
        ("PATCH", "/feeds/a", edit, &["edit", "a", "--name=Alarms", "--url=http://127.0.0.1:9/new"], &moved),
        ("DELETE", "/feeds/b", Value::Null, &["remove", "b"], &removed),
    ];
    for by_command in [false, true] {
        let resident = Resident::with_config(&text);
        for (method, path, body, arguments, expected) in &steps {
            if by_command {
                resident.cli_text(&[&["feeds"], *arguments].concat());
            } else {
                resident.call::<Value>(method, path, body);
            }
            let written = fs::read_to_string(resident.config_file()).expect("feeds.toml");
            assert_eq!(written, **expected, "{method} {path}");
        }
        // What is written is also what runs.
        let feeds: Vec<Feed> = resident.get("/feeds");
        let feeds: Vec<_> =
            feeds.iter().map(|feed| (feed.id.as_str(), feed.name.as_str(), feed.paused)).collect();
        assert_eq!(feeds, [("a", "Alarms", true), ("c", "第三", true)]);
    }
}

#[test]
fn a_broken_file_keeps_the_last_good_state_until_it_is_mended() {
    let stream = NumberedStream::start();
    let good = format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", stream.url("/a"));
    let resident = Resident::with_config(&good);
    wait_for_feed(&resident, "a", |feed| feed.connection.state == ConnectionState::Connected);
    for (broken, line, key, cause) in [
        ("[[feed]]\nid = \"a\"\nurl = \"ftp://example.org\"\n", 3, "feed[1].url", "use http or https"),
        ("[[feed]]\nid = \"a\"\nurl = \"example.org\"\n", 3, "feed[1].url", "https://example.org"),
        (
            "# x\n[[feed]]\nid = \"a\"\nurl = \"http://x.example\"\n\n[[feed]]\nid = \"a\"\nurl = \"http://y.example\"\n",
            7,
            "feed[2].id",
            "“a”",
        ),
        ("[[feed]]\nid = \"a\"\nurl = \"http://x.example\"\npause = true\n", 4, "feed[1].pause", "paused"),
        (
            "[[feed]]\nid = \"a\"\nurl = \"http://x.example\"\n[[feed.rule]]\nwhen = \"data.x >\"\n",
            5,
            "feed[1].rule[1].when",
            "",
        ),
        ("[[feed]]\nid = \"a\"\nurl = \"http://x.example\n", 3, "", ""),
        ("[[feed]\n", 1, "", ""),
    ] {
        write_in_place(&resident.config_file(), broken);
        let error = until_some(LIVE, "the error", || {
            let error = resident.status().config.error?;
            let fits =
                (error.line, error.key.as_str()) == (line, key) && error.sentence.message.contains(cause);
            fits.then_some(error)
        });
        assert!(!error.sentence.message.contains('\n'), "{broken}: {error:?}");
        let text = resident.cli_text(&["status"]);
        let place = format!("{}:{line}", resident.config_file().display());
        assert!(text.contains(&place) && text.contains(key), "{text}");

        // No edit, so that nothing of what the person is about to mend is lost.
        for change in [&["add", "http://127.0.0.1:9/"][..], &["pause", "a"], &["remove", "a"]] {
            let output = resident.cli(&[&["feeds"], change].concat());
            let lines = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{lines}");
            assert!(
                lines.lines().count() == 1 && lines.contains(&format!("line {line}")) && lines.contains(key),
                "{lines}"
            );
            assert!(lines.contains("mend"), "it says what to do: {lines}");
        }
        assert_eq!(fs::read_to_string(resident.config_file()).expect("feeds.toml"), broken);
    }
    stream.send(1);
    wait_for_feed(&resident, "a", |feed| feed.counts.events == 1);
    assert_eq!(stream.requests().len(), 1, "the connection lasts");

    rename_over(&resident.config_file(), &good);
    until(LIVE, "the error's end", || resident.status().config.error.is_none());
    resident.cli_text(&["feeds", "pause", "a"]);
    assert_eq!(stream.requests().len(), 1);
}

#[test]
fn a_start_with_a_broken_file_says_so_and_waits_for_it_to_be_mended() {
    let stream = NumberedStream::start();
    let mut resident = Resident::with_config("[[feed]]\nid = 5\n");
    let line =
        resident.process().wait_for_line(PATIENCE, "the error", |line| line.contains("feeds.toml line 2"));
    assert!(line.contains("feed[1].id"), "{line}");
    write_in_place(
        &resident.config_file(),
        &format!("[[feed]]\nid = \"a\"\nurl = \"{}\"\n", stream.url("/")),
    );
    wait_for_feed(&resident, "a", |feed| feed.connection.state == ConnectionState::Connected);
}

#[test]
fn a_linked_file_is_watched_where_it_lies_and_stays_a_link() {
    let stream = NumberedStream::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [first, second] = ["dotfiles", "others"].map(|name| {
        fs::create_dir(folder.path().join(name)).expect("a folder");
        folder.path().join(name).join("bellwether.toml")
    });
    let config = |id: &str| format!("# mine\n[[feed]]\nid = \"{id}\"\nurl = \"{}\"\n", stream.url("/"));
    fs::write(&first, config("a")).expect("a file");
    fs::write(&second, config("c")).expect("a file");
    let mut resident = Resident::prepare();
    let link = resident.config_file();
    symlink(&first, &link).expect("a link");
    resident.start();
    let ids = || resident.get::<Vec<Feed>>("/feeds").into_iter().map(|feed| feed.id).collect::<Vec<_>>();
    assert_eq!(ids(), ["a"]);

    for save in [write_in_place, rename_over] {
        save(&first, &config("b"));
        until(LIVE, "the edit", || ids() == ["b"]);
        save(&first, &config("a"));
        until(LIVE, "the edit", || ids() == ["a"]);
    }
    resident.cli_text(&["feeds", "pause", "a"]);
    assert_eq!(fs::read_link(&link).expect("still a link"), first);
    assert_eq!(fs::read_to_string(&first).expect("the file"), config("a") + "paused = true\n");

    // The link is pointed elsewhere, and the other file is then edited.
    let new = link.with_extension("new");
    symlink(&second, &new).expect("a link");
    fs::rename(&new, &link).expect("the link can be replaced");
    until(LIVE, "the other file", || ids() == ["c"]);
    write_in_place(&second, &config("d"));
    until(LIVE, "the edit", || ids() == ["d"]);
}

#[track_caller]
fn wait_for_feed(resident: &Resident, id: &str, fits: impl Fn(&Feed) -> bool) {
    until(LIVE, &format!("a state of feed {id}"), || {
        resident.get::<Vec<Feed>>("/feeds").iter().any(|feed| feed.id == id && fits(feed))
    });
}

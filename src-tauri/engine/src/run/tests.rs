use std::{fs, path::Path, time::Duration};

use tokio::time::timeout;

use super::*;
use crate::config;

fn feed() -> Arc<Feed> {
    let config =
        config::parse("[[feed]]\nid = \"ops\"\nurl = \"https://example.org/sse\"\n").expect("a feed");
    Arc::clone(&config.feeds[0])
}

fn job(seq: u64, script: &str, input: &str) -> Job {
    let words = ["sh", "-c", script].map(str::to_owned);
    Job { seq, feed: feed(), rule: 2, words: Arc::from(words), input: input.to_owned() }
}

/// Runs programs; their faults come out of the channel.
fn runner() -> (Runner, mpsc::UnboundedReceiver<RunFault>) {
    let (sender, faults) = mpsc::unbounded_channel();
    let tell = move |fault| {
        let sender = sender.clone();
        async move { drop(sender.send(fault)) }
    };
    (Runner::start(&Handle::current(), tell), faults)
}

async fn next(faults: &mut mpsc::UnboundedReceiver<RunFault>) -> RunFault {
    timeout(Duration::from_secs(60), faults.recv()).await.expect("a fault in time").expect("a fault")
}

async fn content(path: &Path) -> String {
    for _ in 0..6_000 {
        match fs::read_to_string(path) {
            Ok(text) if text.ends_with("}\n") => return text,
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("nothing was written");
}

#[test]
fn a_program_reads_one_json_object() {
    let message = Message {
        event_type: "alert".to_owned(),
        data: r#"{"priority":4,"tags":["disk"]}"#.to_owned(),
        last_event_id: "7".to_owned(),
    };
    let popup = Notification {
        title: "Disk".to_owned(),
        body: "93 %".to_owned(),
        url: Some("https://example.org/7".to_owned()),
        ..Notification::default()
    };
    assert_eq!(
        input(&feed(), &message, jiff::Timestamp::UNIX_EPOCH, &popup),
        r#"{"feed":"ops","event":"alert","data":{"priority":4,"tags":["disk"]},"id":"7","received_at":"1970-01-01T00:00:00Z","title":"Disk","body":"93 %","url":"https://example.org/7","urgency":"normal"}"#
    );
    let message = Message { data: "plain {".to_owned(), ..message };
    assert!(input(&feed(), &message, jiff::Timestamp::UNIX_EPOCH, &popup).contains(r#""data":"plain {""#));
}

#[tokio::test]
async fn programs_get_their_event_and_tell_how_they_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out");
    let (runner, mut faults) = runner();
    let script = format!("cat > '{0}.part' && echo >> '{0}.part' && mv '{0}.part' '{0}'", file.display());
    let large = format!("{{\"data\":\"{}\"}}", "x".repeat(1 << 20));
    runner.run(job(1, &script, &large)).expect("room");
    assert_eq!(content(&file).await.trim_end(), large);
    // Neither reading nor writing is asked of it.
    runner.run(job(2, "exec <&-; yes | head -c 100000; exit 3", &large)).expect("room");
    let fault = next(&mut faults).await;
    assert_eq!((fault.seq, fault.rule, &*fault.cause), (2, 2, "run: sh: exit status 3"));
    let missing = Job { words: Arc::from(["/nowhere/light".to_owned()]), ..job(3, "", "{}") };
    runner.run(missing).expect("room");
    let fault = next(&mut faults).await;
    assert!(fault.seq == 3 && fault.cause.starts_with("run: /nowhere/light: No such file"), "{fault:?}");
}

#[tokio::test]
async fn no_more_than_four_run_and_no_more_than_the_queue_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let (runner, mut faults) = runner();
    let gate = folder.path().join("gate");
    let script = format!(
        "mkdir '{0}'/$$; set -- '{0}'/*; [ $# -le {AT_ONCE} ] || exit 9; \
         while [ ! -e '{1}' ]; do sleep 0.05; done; rmdir '{0}'/$$",
        folder.path().join("running").display(),
        gate.display()
    );
    fs::create_dir(folder.path().join("running")).expect("a folder");
    let mut refused = 0;
    for seq in 0..200 {
        // What runs and what waits for a turn has left the queue.
        tokio::task::yield_now().await;
        refused += u64::from(runner.run(job(seq, &script, "{}")).is_err());
    }
    assert!((200 - WAITING - AT_ONCE - 2..=200 - WAITING).contains(&(refused as usize)), "{refused} refused");
    fs::write(&gate, "").expect("a file");
    runner.run(Job { input: "x".repeat(WAITING_BYTES + 1), ..job(201, "true", "") }).expect_err("too large");
    // The queue moves on: there is room again, and nobody was the fifth.
    let last = || job(202, "exit 7", "{}");
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    while runner.run(last()).is_err() && tokio::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let fault = next(&mut faults).await;
    assert_eq!((fault.seq, &*fault.cause), (202, "run: sh: exit status 7"));
}

#[tokio::test(start_paused = true)]
async fn a_program_that_takes_too_long_ends_with_all_that_it_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let pid = folder.path().join("pid");
    let (runner, mut faults) = runner();
    let script = format!("sleep 600 & echo $! > '{0}.part'; mv '{0}.part' '{0}'; wait", pid.display());
    runner.run(job(1, &script, "{}")).expect("room");
    // The clock of the limit goes as fast as it can, that of the program does not.
    let child = loop {
        match fs::read_to_string(&pid) {
            Ok(child) => break child.trim().to_owned(),
            Err(_) => std::thread::yield_now(),
        }
        tokio::task::yield_now().await;
    };
    let fault = next(&mut faults).await;
    assert_eq!(&*fault.cause, "run: sh: no answer within 10 s");
    let alive = || fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while alive() {
        assert!(std::time::Instant::now() < end, "{child} is still there");
        std::thread::yield_now();
    }
}

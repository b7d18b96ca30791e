//! The window opens once, outlives the program, and leaves nothing behind.

use bellwether_tests::{Need, Source, needs, until};
use serde_json::{Value, json};

use crate::{PATIENCE, feed, prepared, until_shown, webkits, windows};

#[test]
fn the_window_outlives_the_program_and_finds_it_again() {
    needs!(Need::Desktop, Need::Window);
    let source = Source::start();
    let (desktop, driver, mut resident) = prepared(&feed("ops", &source));
    resident.start_with(&[]);
    let page = driver.attach();
    page.see("Your feed is connected");
    source.send("message", &json!({ "title": "before" }));
    page.see("before");

    resident.kill_alone();
    page.see("Bellwether does not answer.");
    page.see("before");
    resident.start();
    page.see_no_more("Bellwether does not answer.");
    page.see("Your feed is connected");
    source.send("message", &json!({ "title": "after" }));
    page.see("after");
    // The new program counts the old window as its own.
    let _: Value = resident.call("POST", "/window", &json!({}));
    resident.spawn(&[]).wait(PATIENCE);
    assert_eq!(windows(&desktop), 1);
    // And closes it, though it is not its parent.
    assert!(resident.quit().success());
    until(PATIENCE, "the end of the window with the program", || {
        (windows(&desktop), webkits(&desktop)) == (0, 0)
    });
}

#[test]
fn closing_the_window_ends_all_of_webkit_and_nothing_else() {
    needs!(Need::Desktop, Need::Window);
    let source = Source::start();
    let (desktop, driver, mut resident) = prepared(&feed("ops", &source));
    resident.start();
    assert_eq!((windows(&desktop), webkits(&desktop)), (0, 0), "a start in the background opens nothing");

    // A person who clicks three times gets one window.
    for mut start in [resident.spawn(&[]), resident.spawn(&[]), resident.spawn(&[])] {
        assert!(start.wait(PATIENCE).success(), "{:?}", start.lines());
    }
    driver.attach().see("Your feed is connected");
    assert_eq!(windows(&desktop), 1);
    assert!(webkits(&desktop) > 0);
    // One that was put away comes back, and no second one is opened.
    desktop.run("xdotool", &["search", "--onlyvisible", "--name", "Bellwether$", "windowminimize", "--sync"]);
    assert!(!desktop.window_is_open());
    resident.cli_text(&[]);
    until(PATIENCE, "the window in front", || desktop.window_is_open());
    assert_eq!(windows(&desktop), 1);

    desktop.close_window();
    until(PATIENCE, "the end of WebKit", || (windows(&desktop), webkits(&desktop)) == (0, 0));
    source.send("message", &json!({ "title": "still here" }));
    until_shown(&resident, "still here");

    desktop.tray(&["activate"]);
    driver.attach().see("still here");
    assert_eq!(windows(&desktop), 1);
    // A crash of the window is no worse than closing it.
    let crashed = desktop.window_processes()[0].to_string();
    desktop.run("sh", &["-c", &format!("kill -KILL {crashed}")]);
    until(PATIENCE, "the end of WebKit", || (windows(&desktop), webkits(&desktop)) == (0, 0));
    until(PATIENCE, "another window", || {
        // The program learns of the window's end a moment after us.
        let _: Value = resident.call("POST", "/window", &json!({}));
        windows(&desktop) == 1
    });
    driver.attach().see("still here");
    assert!(resident.quit().success());
    until(PATIENCE, "the end of the window with the program", || {
        (windows(&desktop), webkits(&desktop)) == (0, 0)
    });
}

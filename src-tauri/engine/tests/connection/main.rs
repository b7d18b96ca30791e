//! The behaviour of a feed's connection as one table: each row is a rule, what a server does, and what is to be seen. The rows
//! stand in the order of the rules: numbers, the request, answers, redirects, the open stream, the states that people see.
//!
//! Every row has a server on a loopback port and the usual limits, and tokio's clock stands still for it unless the row says
//! that time passes: an hour is as short as a second, and no delay is measured on a busy machine.

#![allow(clippy::expect_used, clippy::panic, reason = "what is expected and does not hold ends the test")]
#![allow(clippy::too_many_lines, reason = "a table is as long as its rows are many")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod log;
mod numbers;
mod open_stream;
mod redirects;
mod requests;
mod row;
mod states;

use row::Row;

#[test]
fn each_rule_of_the_connection_holds() {
    let sections: [(&str, Vec<Row>); 7] = [
        ("numbers", numbers::rows()),
        ("request", requests::rows()),
        ("answers", answers::rows()),
        ("redirects", redirects::rows()),
        ("the open stream", open_stream::rows()),
        ("what the log keeps", log::rows()),
        ("states", states::rows()),
    ];
    let mut broken = Vec::new();
    for (section, rows) in sections {
        for row in rows {
            let name = format!("{section}: {}", row.name);
            broken.extend(row.run().err().map(|fault| format!("{name}\n    {fault}")));
        }
    }
    assert!(broken.is_empty(), "{} rows do not hold:\n{}", broken.len(), broken.join("\n"));
}

//! From what a rule decided to what a person gets: the place where popups are held back or drawn together. Pure.

use std::{borrow::Cow, collections::HashMap};

use crate::{
    event_log::Record,
    feed::FeedId,
    notification::Notification,
    rule::{Action, Decision},
};

/// Most popups of one feed that a backlog shows one by one.
pub const MAX_BACKLOG_POPUPS: usize = 3;

/// What became of an event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// Its popup was handed to the notification server.
    Shown,
    /// Its popup waits to be handed over: what every decision to notify starts as.
    Pending,
    /// One popup told of it together with others.
    Summarized,
    /// In the log only.
    Logged,
    /// A rule ignores it: it is in the log for the question "why", and in no list.
    Ignored,
    /// A rule closed its feed on it.
    Closed,
}

/// Why an event has its outcome. The code is stable; the detail is for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutcomeReason {
    /// `default`, `rule`, `no_match`, `rule_failed` or `backlog`.
    pub code: Cow<'static, str>,
    /// The rule's number in its feed, from 1, if one decided or failed.
    pub rule: Option<u32>,
    /// The particulars: the rule's error.
    pub detail: String,
}

impl OutcomeReason {
    /// The feed has no rules: every message notifies.
    pub const DEFAULT: &str = "default";
    /// A rule matched.
    pub const RULE: &str = "rule";
    /// The feed has rules, and none matched: the log only.
    pub const NO_MATCH: &str = "no_match";
    /// A rule failed on this message, and the default popup stands in for it.
    pub const RULE_FAILED: &str = "rule_failed";
    /// It waited with others of its feed, and one popup told of them all.
    pub const BACKLOG: &str = "backlog";

    /// A reason without rule and detail.
    pub fn new(code: &'static str) -> Self {
        Self { code: code.into(), rule: None, detail: String::new() }
    }

    /// The same with the number of the rule that decided, from 1.
    pub fn by_rule(self, rule: u32) -> Self {
        Self { rule: Some(rule), ..self }
    }
}

/// Makes an outcome of a decision.
pub fn apply(decision: Decision) -> (Outcome, OutcomeReason, Notification) {
    let outcome = match decision.action {
        Action::Notify => Outcome::Pending,
        Action::Log => Outcome::Logged,
        Action::Ignore => Outcome::Ignored,
        Action::Close => Outcome::Closed,
    };
    (outcome, decision.reason, decision.notification)
}

/// A popup to be handed over.
#[derive(Clone, PartialEq, Debug)]
pub struct Popup {
    /// What it tells of, of one feed, oldest first. A single one has the popup that was made for it; several have a summary: how
    /// many they are, and what the newest says.
    pub records: Vec<Record>,
}

/// Draws together what waited to be shown, such as over a restart: more than [`MAX_BACKLOG_POPUPS`] events of one feed become
/// one popup, which stands where the newest of them stood. Takes and gives the oldest first.
pub fn backlog(pending: Vec<Record>) -> Vec<Popup> {
    let mut waiting: HashMap<FeedId, usize> = HashMap::new();
    for record in &pending {
        *waiting.entry(record.feed.clone()).or_default() += 1;
    }
    let mut together: HashMap<FeedId, Vec<Record>> = HashMap::new();
    let mut popups = Vec::new();
    for record in pending {
        let count = waiting.get(&record.feed).copied().unwrap_or_default();
        if count <= MAX_BACKLOG_POPUPS {
            popups.push(Popup { records: vec![record] });
            continue;
        }
        let feed = record.feed.clone();
        let records = together.entry(feed.clone()).or_default();
        records.push(record);
        if records.len() == count {
            popups.extend(together.remove(&feed).map(|records| Popup { records }));
        }
    }
    popups
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::event_source::Message;

    fn record(seq: u64, feed: &str) -> Record {
        Record {
            seq,
            feed: FeedId::new(feed).expect("an id"),
            message: Message {
                event_type: "message".to_owned(),
                data: String::new(),
                last_event_id: String::new(),
            },
            data_truncated: false,
            origin: String::new(),
            received_at: Timestamp::UNIX_EPOCH,
            outcome: Outcome::Pending,
            reason: OutcomeReason::new(OutcomeReason::DEFAULT),
            notification: Notification::default(),
            read: false,
        }
    }

    #[test]
    fn each_action_has_its_outcome() {
        for (action, outcome) in [
            (Action::Notify, Outcome::Pending),
            (Action::Log, Outcome::Logged),
            (Action::Ignore, Outcome::Ignored),
            (Action::Close, Outcome::Closed),
        ] {
            let notification = Notification { title: "T".to_owned(), ..Notification::default() };
            let reason = OutcomeReason::new(OutcomeReason::RULE).by_rule(2);
            let decision = Decision { action, notification: notification.clone(), reason: reason.clone() };
            assert_eq!(apply(decision), (outcome, reason, notification));
        }
    }

    #[test]
    fn a_backlog_is_at_most_three_popups_of_a_feed() {
        for (waiting, expected) in [
            ("", ""),
            ("a", "1"),
            ("aaa", "1 2 3"),
            ("aaaa", "1+2+3+4"),
            ("aababaac", "3 5 1+2+4+6+7 8"),
            ("abababab", "1+3+5+7 2+4+6+8"),
        ] {
            let pending =
                (1..).zip(waiting.chars()).map(|(seq, feed)| record(seq, &feed.to_string())).collect();
            let popups = backlog(pending).into_iter().map(|Popup { records }| {
                assert!(records.iter().all(|record| record.feed == records[0].feed));
                records.iter().map(|record| record.seq.to_string()).collect::<Vec<_>>().join("+")
            });
            assert_eq!(popups.collect::<Vec<_>>().join(" "), expected, "{waiting}");
        }
    }
}

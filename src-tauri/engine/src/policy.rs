//! From what a rule decided to what a person gets: the place where popups are held back or drawn together. Pure.

use std::borrow::Cow;

use crate::{
    event_log::Record,
    feed::FeedId,
    notification::Notification,
    rule::{Action, Decision},
};

/// How many popups of one feed that had to wait are still shown one by one; more become one popup.
pub const BACKLOG_SINGLY: usize = 3;

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

/// One popup for events that had to wait: of one of them, or of several.
#[derive(Clone, PartialEq, Debug)]
pub struct Backlog {
    /// Their feed.
    pub feed: FeedId,
    /// The events, oldest first; never empty.
    pub events: Vec<u64>,
    /// What the newest of them says.
    pub notification: Notification,
}

/// Draws together the popups of events that had to wait, oldest first: more than [`BACKLOG_SINGLY`] of one feed become one, at
/// the place of the newest.
pub fn backlog(pending: Vec<Record>) -> Vec<Backlog> {
    let mut popups: Vec<Backlog> = Vec::new();
    let of_feed = |feed: &FeedId, pending: &[Record]| pending.iter().filter(|other| other.feed == *feed).count();
    let crowded: Vec<bool> =
        pending.iter().map(|record| of_feed(&record.feed, &pending) > BACKLOG_SINGLY).collect();
    for (record, crowded) in pending.into_iter().zip(crowded) {
        let Record { seq, feed, notification, .. } = record;
        let mut events = Vec::new();
        if crowded {
            if let Some(at) = popups.iter().position(|popup| popup.feed == feed) {
                events = popups.remove(at).events;
            }
        }
        events.push(seq);
        popups.push(Backlog { feed, events, notification });
    }
    popups
}

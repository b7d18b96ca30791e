//! From what a rule decided to what a person gets: the place where popups are held back or drawn together. Pure.

mod quiet_hours;
mod settings;

use std::{borrow::Cow, collections::HashMap};

pub use self::{
    quiet_hours::QuietRange,
    settings::{Flood, Notifications},
};
use crate::{
    event_log::Pending,
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
    /// Held back while nobody wants to be disturbed; one popup tells of it later, together with others.
    Held,
}

/// Why an event has its outcome. The code is stable; the detail is for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutcomeReason {
    /// One of the codes below.
    pub code: Cow<'static, str>,
    /// The rule's number in its feed, from 1, if one decided or failed.
    pub rule: Option<u32>,
    /// The particulars: a rule's error, the preset's id, until when it is held back (RFC 3339).
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
    /// A rule of the feed's preset matched.
    pub const PRESET: &str = "preset";
    /// It only says that its server is alive.
    pub const KEEP_ALIVE: &str = "keep_alive";
    /// It tells how things stand at the begin of a connection, which is no news.
    pub const SNAPSHOT: &str = "snapshot";
    /// The feed is muted.
    pub const MUTED: &str = "muted";
    /// It had been received when the feed was paused.
    pub const PAUSED: &str = "paused";
    /// The feed, or all of them, were snoozed.
    pub const SNOOZED: &str = "snoozed";
    /// It came in the quiet hours.
    pub const QUIET_HOURS: &str = "quiet_hours";
    /// Its feed, or all of them, had shown too many popups just before.
    pub const FLOOD: &str = "flood";
    /// It was missed and came after a reconnect.
    pub const CATCH_UP: &str = "catch_up";
    /// It waited with others of its feed, and one popup told of them all.
    pub const BACKLOG: &str = "backlog";
    /// A newer event of the same key took its popup's place before it was shown.
    pub const REPLACED: &str = "replaced";
    /// Its popup was taken back before it was shown.
    pub const WITHDRAWN: &str = "withdrawn";

    /// A reason without rule and detail.
    pub fn new(code: &'static str) -> Self {
        Self { code: code.into(), rule: None, detail: String::new() }
    }

    /// A code as the log has it, without memory of its own where it is one of these.
    pub(crate) fn known_code(code: &str) -> Cow<'static, str> {
        const CODES: [&str; 16] = [
            OutcomeReason::DEFAULT,
            OutcomeReason::RULE,
            OutcomeReason::NO_MATCH,
            OutcomeReason::RULE_FAILED,
            OutcomeReason::PRESET,
            OutcomeReason::KEEP_ALIVE,
            OutcomeReason::SNAPSHOT,
            OutcomeReason::MUTED,
            OutcomeReason::PAUSED,
            OutcomeReason::SNOOZED,
            OutcomeReason::QUIET_HOURS,
            OutcomeReason::FLOOD,
            OutcomeReason::CATCH_UP,
            OutcomeReason::BACKLOG,
            OutcomeReason::REPLACED,
            OutcomeReason::WITHDRAWN,
        ];
        match CODES.into_iter().find(|known| *known == code) {
            Some(known) => known.into(),
            None => code.to_owned().into(),
        }
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
        Action::Log | Action::Withdraw => Outcome::Logged,
        Action::Ignore => Outcome::Ignored,
        Action::Close => Outcome::Closed,
    };
    (outcome, decision.reason, decision.notification)
}

/// Draws together what waited to be shown, such as over a restart: more than [`MAX_BACKLOG_POPUPS`] events of one feed become
/// one popup, which stands where the newest of them stood. Takes and gives the oldest first.
pub fn backlog(pending: Vec<Pending>) -> Vec<Vec<u64>> {
    let mut waiting: HashMap<FeedId, usize> = HashMap::new();
    for event in &pending {
        *waiting.entry(event.feed.clone()).or_default() += 1;
    }
    let mut together: HashMap<FeedId, Vec<u64>> = HashMap::new();
    let mut popups = Vec::new();
    for Pending { seq, feed, .. } in pending {
        let count = waiting.get(&feed).copied().unwrap_or_default();
        if count <= MAX_BACKLOG_POPUPS {
            popups.push(vec![seq]);
            continue;
        }
        let events = together.entry(feed.clone()).or_default();
        events.push(seq);
        if events.len() == count {
            popups.extend(together.remove(&feed));
        }
    }
    popups
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let (urgent, run) = (false, None);
            let decision =
                Decision { action, notification: notification.clone(), reason: reason.clone(), urgent, run };
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
            let pending = (1..)
                .zip(waiting.chars())
                .map(|(seq, feed)| Pending {
                    seq,
                    feed: FeedId::new(&feed.to_string()).unwrap(),
                    code: OutcomeReason::DEFAULT.into(),
                })
                .collect();
            let popups = backlog(pending)
                .into_iter()
                .map(|events| events.iter().map(u64::to_string).collect::<Vec<_>>().join("+"));
            assert_eq!(popups.collect::<Vec<_>>().join(" "), expected, "{waiting}");
        }
    }
}

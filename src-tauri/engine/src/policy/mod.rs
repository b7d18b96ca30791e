//! From what a rule decided to what a person gets: the place where popups are held back or drawn together. Pure.

mod flood;
mod plan;
mod quiet_hours;
mod settings;
mod snoozes;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

pub(crate) use self::snoozes::Snoozes;
use self::{flood::Recent, quiet_hours::Quiet};
pub use self::{
    plan::{MAX_BACKLOG_POPUPS, SummaryKind, Told, plan},
    quiet_hours::QuietRange,
    settings::{Flood, Notifications},
};
use crate::{
    feed::{Feed, FeedId},
    notification::Notification,
    rule::{Action, Decision},
};

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

    /// All of them.
    pub const CODES: [&str; 16] = [
        Self::DEFAULT,
        Self::RULE,
        Self::NO_MATCH,
        Self::RULE_FAILED,
        Self::PRESET,
        Self::KEEP_ALIVE,
        Self::SNAPSHOT,
        Self::MUTED,
        Self::PAUSED,
        Self::SNOOZED,
        Self::QUIET_HOURS,
        Self::FLOOD,
        Self::CATCH_UP,
        Self::BACKLOG,
        Self::REPLACED,
        Self::WITHDRAWN,
    ];

    /// A reason without rule and detail.
    pub fn new(code: &'static str) -> Self {
        Self { code: code.into(), rule: None, detail: String::new() }
    }

    /// A code as the log has it, without memory of its own where it is one of these.
    pub(crate) fn known_code(code: &str) -> Cow<'static, str> {
        match Self::CODES.into_iter().find(|known| *known == code) {
            Some(known) => known.into(),
            None => code.to_owned().into(),
        }
    }

    /// The same with the number of the rule that decided, from 1.
    pub fn by_rule(self, rule: u32) -> Self {
        Self { rule: Some(rule), ..self }
    }
}

/// What holds popups back: quiet hours, snoozes, and what was shown of late. Time comes in with each event.
#[derive(Debug)]
pub(crate) struct Policy {
    settings: Arc<Notifications>,
    pub(crate) snoozes: Snoozes,
    recent: Recent,
    quiet: Option<Quiet>,
}

/// The policy while a group of events is on its way into the log. It takes effect with [`Policy::keep`]: what is not logged did
/// not happen.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    settings: &'a Notifications,
    snoozes: &'a Snoozes,
    recent: flood::Draft<'a>,
    quiet: Option<Quiet>,
}

/// What a kept draft changes.
#[derive(Debug)]
pub(crate) struct Changes {
    recent: (BTreeMap<FeedId, VecDeque<Timestamp>>, VecDeque<Timestamp>),
    quiet: Option<Quiet>,
}

impl Policy {
    pub(crate) fn new(snoozes: Snoozes) -> Self {
        Self { settings: Arc::default(), snoozes, recent: Recent::default(), quiet: None }
    }

    pub(crate) fn set(&mut self, settings: &Arc<Notifications>) {
        if self.settings != *settings {
            self.quiet = None;
        }
        self.settings = Arc::clone(settings);
    }

    pub(crate) fn settings(&self) -> &Arc<Notifications> {
        &self.settings
    }

    pub(crate) fn draft(&self) -> Draft<'_> {
        Draft {
            settings: &self.settings,
            snoozes: &self.snoozes,
            recent: self.recent.draft(),
            quiet: self.quiet,
        }
    }

    pub(crate) fn keep(&mut self, changes: Changes) {
        self.recent.keep(changes.recent);
        self.quiet = changes.quiet;
    }

    /// Until when it is quiet, if it is.
    pub(crate) fn quiet_until(&mut self, now: Timestamp) -> Option<Timestamp> {
        quiet_until(&self.settings, &mut self.quiet, now)
    }

    /// Until when nothing is shown of a feed that is not urgent, or of all feeds; `None`: it may be.
    pub(crate) fn closed_until(&mut self, feed: Option<&FeedId>, now: Timestamp) -> Option<Timestamp> {
        self.snoozes.until(feed, now).max(self.quiet_until(now))
    }

    /// What holds an event of this feed back now that had passed before.
    pub(crate) fn closed(&mut self, feed: &Feed, urgent: bool, now: Timestamp) -> Option<Closed> {
        closed(&self.settings, &self.snoozes, &mut self.quiet, feed, urgent, now)
    }

    /// When [`Policy::closed_until`] may say something else by itself; `None`: never.
    pub(crate) fn changes_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        let snoozed = self.snoozes.next_end(now);
        if self.settings.quiet_hours.is_empty() {
            return snoozed;
        }
        self.quiet_until(now);
        let quiet = self.quiet.map(|quiet| quiet.ask_at);
        [snoozed, quiet].into_iter().flatten().min()
    }
}

impl Draft<'_> {
    /// Makes an outcome of a decision about an event of this feed that came then. `catching_up`: it was missed and came after a
    /// reconnect.
    pub(crate) fn apply(
        &mut self,
        feed: &Feed,
        decision: Decision,
        at: Timestamp,
        catching_up: bool,
    ) -> (Outcome, OutcomeReason, Notification) {
        let Decision { action, notification, reason, urgent, .. } = decision;
        let (outcome, reason) = match action {
            Action::Log | Action::Withdraw => (Outcome::Logged, reason),
            Action::Ignore => (Outcome::Ignored, reason),
            Action::Close => (Outcome::Closed, reason),
            Action::Notify => self.gate(feed, reason, urgent, at, catching_up),
        };
        (outcome, reason, notification)
    }

    pub(crate) fn into_changes(self) -> Changes {
        Changes { recent: self.recent.into_changes(), quiet: self.quiet }
    }

    fn gate(
        &mut self,
        feed: &Feed,
        reason: OutcomeReason,
        urgent: bool,
        at: Timestamp,
        catching_up: bool,
    ) -> (Outcome, OutcomeReason) {
        let because = |code: &'static str| OutcomeReason { code: code.into(), ..reason.clone() };
        let until =
            |code: &'static str, end: Timestamp| OutcomeReason { detail: end.to_string(), ..because(code) };
        if feed.paused {
            return (Outcome::Logged, because(OutcomeReason::PAUSED));
        }
        if let Some(closed) = closed(self.settings, self.snoozes, &mut self.quiet, feed, urgent, at) {
            let reason = closed.until.map_or_else(|| because(closed.code), |end| until(closed.code, end));
            return (closed.outcome, reason);
        }
        if catching_up {
            return (Outcome::Pending, because(OutcomeReason::CATCH_UP));
        }
        if !self.recent.admits(&self.settings.flood, &feed.id, at) {
            return (Outcome::Pending, because(OutcomeReason::FLOOD));
        }
        (Outcome::Pending, reason)
    }
}

fn quiet_until(settings: &Notifications, known: &mut Option<Quiet>, now: Timestamp) -> Option<Timestamp> {
    if settings.quiet_hours.is_empty() {
        return None;
    }
    match known {
        Some(quiet) if quiet.holds_at(now) => quiet.until,
        _ => known.insert(Quiet::at(&settings.quiet_hours, now)).until,
    }
}

/// A gate that is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Closed {
    /// What becomes of an event that comes to it.
    pub(crate) outcome: Outcome,
    /// A code of [`OutcomeReason`].
    pub(crate) code: &'static str,
    /// When it opens by itself.
    pub(crate) until: Option<Timestamp>,
}

/// The gate that holds an event of this feed back, if one does.
fn closed(
    settings: &Notifications,
    snoozes: &Snoozes,
    quiet: &mut Option<Quiet>,
    feed: &Feed,
    urgent: bool,
    at: Timestamp,
) -> Option<Closed> {
    let held = |code, until| Closed { outcome: Outcome::Held, code, until: Some(until) };
    if feed.mute {
        return Some(Closed { outcome: Outcome::Logged, code: OutcomeReason::MUTED, until: None });
    }
    if urgent {
        return None;
    }
    let snoozed = snoozes.until(Some(&feed.id), at).map(|end| held(OutcomeReason::SNOOZED, end));
    snoozed.or_else(|| quiet_until(settings, quiet, at).map(|end| held(OutcomeReason::QUIET_HOURS, end)))
}

/// A reconnect after this long without a sign of the server may bring what was missed.
const GAP: SignedDuration = SignedDuration::from_secs(60);
/// What was missed comes within [`CATCHING_UP`], and from its first event on without a pause as long as this.
pub(crate) const PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// What is missed is over by then at the latest.
pub(crate) const CATCHING_UP: SignedDuration = SignedDuration::from_secs(10);

/// Whether what a connection brings was missed before it. It says nothing of that itself: what comes in one go right after a
/// gap counts as missed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct CatchUp {
    /// When the server was last heard of.
    heard_at: Option<Timestamp>,
    /// Something may have been missed, however short the time: the program was not running, or the machine slept.
    missed: bool,
    /// Since when it has been catching up, and when the newest event came that it had missed.
    going_on: Option<(Timestamp, Option<Timestamp>)>,
}

impl CatchUp {
    /// At the program's start, with the time of the newest event in the log.
    pub(crate) fn new(newest: Option<Timestamp>) -> Self {
        Self { heard_at: newest, missed: newest.is_some(), going_on: None }
    }

    /// The machine has slept.
    pub(crate) fn slept(&mut self) {
        self.missed |= self.heard_at.is_some();
    }

    /// A connection ended, of whose server this was the last sign.
    pub(crate) fn ended(&mut self, last_sign: Option<Timestamp>) {
        self.heard_at = last_sign.or(self.heard_at);
    }

    /// A stream was opened. What was missed before may come on this connection, or, if it breaks at once, on the next one.
    pub(crate) fn opened(&mut self, at: Timestamp) {
        self.missed |= self.heard_at.is_some_and(|heard| apart(at, heard) >= GAP);
        self.going_on = self.missed.then_some((at, None));
        self.heard_at = Some(at);
    }

    /// An event came; whether it had been missed.
    pub(crate) fn event(&mut self, at: Timestamp) -> bool {
        self.heard_at = Some(at);
        self.missed = false;
        self.going_on = self.going_on.filter(|(begin, last)| {
            apart(at, *begin) < CATCHING_UP && last.is_none_or(|last| apart(at, last) < PAUSE)
        });
        if let Some((_, last)) = &mut self.going_on {
            *last = Some(at);
        }
        self.going_on.is_some()
    }
}

/// The time between two moments, of which a clock that was set back may have told the later one first.
fn apart(one: Timestamp, other: Timestamp) -> SignedDuration {
    one.duration_since(other).abs()
}

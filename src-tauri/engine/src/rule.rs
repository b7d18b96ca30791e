//! What is to become of a message: a feed's rules, compiled once and asked for each message. Pure.

use crate::{notification::Notification, policy::OutcomeReason};

/// What a rule does with a message that it matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Action {
    /// A popup.
    #[default]
    Notify,
    /// The log only.
    Log,
    /// Not even a line in the lists.
    Ignore,
    /// The feed is closed: no reconnect.
    Close,
}

/// What the rules decided about one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// What the popup says; for an action without popup, what the default would have said.
    pub notification: Notification,
    /// Why.
    pub reason: OutcomeReason,
}

/// A feed's rules, compiled. Empty: the default popup for every message.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RuleSet;

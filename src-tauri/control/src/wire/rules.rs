//! Rules on the wire: tried before they stand in `feeds.toml`, and what went wrong with those that stand there.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::{Button, OutcomeReason, Urgency};

/// A rule that failed, or whose program did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct RuleFault {
    /// The rule's number, from 1.
    pub rule: u32,
    /// What went wrong the last time, in English.
    pub detail: String,
    /// The event that it was about.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// How often it has failed since it was written, or since the start of the program.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
}

/// Rules to be tried: `POST /rules/test`. Nothing is shown, run or written.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct RulesTest {
    /// The feed on whose events they are tried; all feeds if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<String>,
    /// The rules; those that each feed has if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<RuleDraft>>,
    /// Where they take their place among the feed's rules; instead of all of them if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<RulePlace>,
    /// What to try them on instead of the log: a piece of an event stream, or the data of one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// The sample's event type, where it is the data of one event; `message` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// How many popups to give as they would be shown, at most 50; 5 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub popups: Option<u32>,
}

/// A place among a feed's rules, which count from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum RulePlace {
    /// Instead of this rule.
    Replace(u32),
    /// Before this rule; after all with a number beyond the last.
    Insert(u32),
}

/// A rule as it would stand in `feeds.toml`, with the same keys. There is no `run`: that key is for the file alone.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct RuleDraft {
    /// Event types; any if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventNames>,
    /// The condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What to do; `notify` if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<RuleAction>,
    /// What the popup says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<NotifyDraft>,
    /// Whether its popups may pass snooze and quiet hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgent: Option<bool>,
}

/// One event type or several.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum EventNames {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// What a rule does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum RuleAction {
    /// A popup.
    #[default]
    Notify,
    /// The log only.
    Log,
    /// Not even a line in the lists.
    Ignore,
    /// The feed is closed.
    Close,
    /// The popup of the key is taken away.
    Withdraw,
}

/// What a popup says, as in `feeds.toml`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct NotifyDraft {
    /// The summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// What a click opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<String>,
    /// What it replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// An image's URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// What notification centres may group by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it may make a sound, or which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sound: Option<PopupSound>,
    /// How long it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire: Option<PopupExpire>,
    /// Links.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<Button>>"))]
    pub buttons: Vec<Button>,
}

/// What a popup sounds like.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum PopupSound {
    /// As the notification server likes, or none.
    Any(bool),
    /// By its name.
    Named(String),
}

/// How long a popup stays.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(TS), ts(export))]
pub enum PopupExpire {
    /// So many seconds.
    Seconds(u32),
    /// `never`, or a time such as `10s`.
    Text(String),
}

/// What rules would do.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct RulesPreview {
    /// How many events there were: the newest 10,000 at most.
    #[cfg_attr(test, ts(type = "number"))]
    pub evaluated: u64,
    /// How many of them would be told by a popup, floods and quiet hours aside.
    #[cfg_attr(test, ts(type = "number"))]
    pub notified: u64,
    /// What is decided, and how often; the most frequent first.
    pub decided: Vec<RulesDecided>,
    /// The popups of the newest of these events.
    pub popups: Vec<RulesPopup>,
    /// Rules that fail, with their newest failure.
    pub failures: Vec<RulesFailure>,
}

/// Events on which the same is decided for the same reason.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct RulesDecided {
    /// What is to be done with them.
    pub action: RuleAction,
    /// Why.
    pub reason: OutcomeReason,
    /// How many they are.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
}

/// A popup that would be shown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct RulesPopup {
    /// The event's number; none if it is of a sample.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub seq: Option<u64>,
    /// Its feed's id.
    pub feed: String,
    /// Why it is shown.
    pub reason: OutcomeReason,
    /// The summary.
    pub title: String,
    /// The body; may be empty.
    pub body: String,
    /// What a click opens.
    pub url: Option<String>,
    /// How urgent it is.
    pub urgency: Urgency,
    /// What it replaces.
    pub key: Option<String>,
    /// An image's URL.
    pub icon: Option<String>,
    /// What notification centres may group by.
    pub group: Option<String>,
    /// What it sounds like; none: as the notification server likes.
    pub sound: Option<PopupSound>,
    /// How long it stays; none: as the notification server likes.
    pub expire: Option<PopupExpire>,
    /// Links.
    pub buttons: Vec<Button>,
    /// Whether it may pass snooze and quiet hours.
    pub urgent: bool,
    /// The program that would be run for it, and is not.
    pub run: Option<Vec<String>>,
}

/// A rule that fails on events.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct RulesFailure {
    /// The feed on whose events it fails.
    pub feed: String,
    /// The newest failure, and how many there are; the event's number is 0 if it is of a sample.
    #[serde(flatten)]
    pub fault: RuleFault,
}

/// A feed's rules as they stand in `feeds.toml`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct FeedRules {
    /// The rules, in their order.
    pub rules: Vec<FeedRule>,
    /// What tells whether they have been changed meanwhile.
    pub revision: String,
}

/// A rule as it stands in `feeds.toml`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export))]
pub struct FeedRule {
    /// What it says.
    pub rule: RuleDraft,
    /// The program that it runs; only `feeds.toml` sets it.
    pub run: Option<Vec<String>>,
}

/// The rules that a feed is to have.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct RulesEdit {
    /// All of them, in their order.
    pub rules: Vec<RuleEdit>,
    /// The revision that was read: if the rules are others by now, nothing is changed. Whatever they are if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// A rule that a feed is to have.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(TS), ts(export, optional_fields))]
pub struct RuleEdit {
    /// The number, from 1, of the rule that it was: that one's comments and `run` stay with it. A new one if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<u32>,
    /// What it is to say.
    pub rule: RuleDraft,
}

//! What is to become of a message: a feed's rules, compiled once and asked for each message. Pure.
//!
//! The first rule that matches decides. A feed without rules notifies of every message; in one with rules, a message that none
//! matches goes to the log alone. A rule that fails on a message gives the default popup and says so: no message is lost to a
//! mistake in a rule.

mod data;
mod default;
mod faults;
mod popup;

use std::{cell::LazyCell, sync::Arc};

use jiff::Timestamp;
use wildmatch::WildMatch;

use crate::{
    event_source::Message,
    notification::{Notification, sanitize_title},
    policy::OutcomeReason,
    rule::{data::Data, popup::Popup},
    sentence::{self, Sentence},
    template::{Context, Expression, Facts, TemplateError},
};

pub use faults::{RuleFault, RuleFaults};

/// Most rules of one feed.
pub const MAX_RULES: usize = 100;
/// Most names in one rule's `event`.
pub const MAX_NAMES: usize = 100;
/// Longest name or pattern in a rule's `event`, in bytes.
pub const MAX_NAME: usize = 256;
/// Longest event type that patterns are tried on, in bytes. A longer one matches the same name and `*` alone: stepping through
/// it for every pattern would be the sender's choice of our time.
pub const MAX_MATCHED_TYPE: usize = 1_024;

/// A feed's rules, compiled. Empty: the default popup for every message.
#[derive(Debug, Default)]
pub struct RuleSet {
    texts: Vec<RuleText>,
    rules: Vec<Rule>,
    needs_data: bool,
    needs_raw: bool,
}

/// A rule as written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuleText {
    /// Names of event types, or patterns with `*` and `?`; empty: any.
    pub event: Vec<String>,
    /// A condition: an [`Expression`]; none: always.
    pub when: Option<String>,
    /// What to do with a message that it matches.
    pub action: Action,
    /// What the popup says; none: the default. For [`Action::Notify`] and, its key alone, [`Action::Withdraw`].
    pub notify: Option<NotifyText>,
    /// Whether its popups may pass snooze and quiet hours.
    pub urgent: bool,
    /// The person's own program, and its arguments, to be run for each event that it matches; empty: none.
    pub run: Vec<String>,
}

/// What a popup says, as written: [`Template`]s. What is left out is the default's.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NotifyText {
    /// The summary.
    pub title: Option<String>,
    /// The body.
    pub body: Option<String>,
    /// What a click opens.
    pub url: Option<String>,
    /// `low`, `normal` or `critical`; anything else that a template gives is normal.
    pub urgency: Option<String>,
    /// Popups of one feed with an equal key replace each other.
    pub key: Option<String>,
    /// An image's `https` URL.
    pub icon: Option<String>,
    /// What notification centres may group by.
    pub group: Option<String>,
    /// `true`, `false` or a sound's name; anything else that a template gives is the default.
    pub sound: Option<String>,
    /// How long it stays: `never`, seconds, or a time such as `10s`; anything else that a template gives is the default.
    pub expire: Option<String>,
    /// Links, at most [`MAX_BUTTONS`](crate::notification::MAX_BUTTONS).
    pub buttons: Vec<ButtonText>,
}

/// A button, as written: [`Template`]s.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ButtonText {
    /// What is on it.
    pub label: String,
    /// What it opens.
    pub url: String,
}

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
    /// The popup of the key is taken away, wherever it is by now.
    Withdraw,
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
    /// Whether its popup may pass snooze and quiet hours.
    pub urgent: bool,
    /// What to run for it.
    pub run: Option<Arc<[String]>>,
}

/// What rules see of a feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeedFacts<'a> {
    /// Its id.
    pub id: &'a str,
    /// What a person calls it.
    pub name: &'a str,
    /// Its URL as it may be shown.
    pub url: &'a str,
}

/// What is wrong with a rule as written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("rule {rule}, {key}: {message}")]
pub struct RuleError {
    /// The rule's number, from 1.
    pub rule: u32,
    /// The key within the rule: `event`, `when`, `notify`, `notify.title`, `notify.buttons[2].url` …
    pub key: &'static str,
    /// The line within the key's text, from 1.
    pub line: u32,
    /// The character within that line, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: Sentence,
}

impl RuleSet {
    /// Compiles rules; the first mistake is the error.
    pub fn compile(texts: &[RuleText]) -> Result<Self, RuleError> {
        if texts.len() > MAX_RULES {
            return Err(mistake(
                MAX_RULES as u32 + 1,
                "event",
                sentence::TOO_MANY_RULES.with([("most", MAX_RULES.to_string())]),
            ));
        }
        let rules = (1..)
            .zip(texts)
            .map(|(number, text)| Rule::compile(number, text))
            .collect::<Result<Vec<_>, _>>()?;
        let needs = |name| rules.iter().any(|rule: &Rule| rule.mentions(name));
        let (needs_data, needs_raw) = (needs("data"), needs("raw"));
        Ok(Self { texts: texts.to_vec(), rules, needs_data, needs_raw })
    }

    /// The rules as written.
    pub fn texts(&self) -> &[RuleText] {
        &self.texts
    }

    /// Decides about a message.
    pub fn evaluate(&self, feed: &FeedFacts<'_>, message: &Message, received_at: Timestamp) -> Decision {
        let data = Data::new(&message.data);
        let default = || default::notification(feed, &message.event_type, &data);
        let context = LazyCell::new(|| self.context(feed, message, &data, received_at));
        let decide = |action, notification, reason| Decision {
            action,
            notification,
            reason,
            urgent: false,
            run: None,
        };
        let failed = |rule: &Rule, failure: &Failure| {
            let detail = sanitize_title(&format!("{}: {}", failure.key, failure.error));
            let reason = OutcomeReason::new(OutcomeReason::RULE_FAILED).by_rule(rule.number);
            decide(Action::Notify, default(), OutcomeReason { detail, ..reason })
        };
        for rule in self.rules.iter().filter(|rule| rule.hears(&message.event_type)) {
            match rule.matches(|| &context) {
                Ok(false) => continue,
                Ok(true) => {}
                Err(failure) => return failed(rule, &failure),
            }
            let decided = match rule
                .popup
                .as_ref()
                .map_or_else(|| Ok(default()), |popup| popup.render(&context, default()))
            {
                Ok(notification) => {
                    let reason = OutcomeReason::new(OutcomeReason::RULE).by_rule(rule.number);
                    decide(rule.action, notification, reason)
                }
                Err(failure) => failed(rule, &failure),
            };
            return Decision { urgent: rule.urgent, run: rule.run.clone(), ..decided };
        }
        if self.rules.is_empty() {
            decide(Action::Notify, default(), OutcomeReason::new(OutcomeReason::DEFAULT))
        } else {
            decide(Action::Log, default(), OutcomeReason::new(OutcomeReason::NO_MATCH))
        }
    }

    fn context(
        &self,
        feed: &FeedFacts<'_>,
        message: &Message,
        data: &Data<'_>,
        received_at: Timestamp,
    ) -> Context {
        let json = if self.needs_data { data.json() } else { None };
        let needs_text = self.needs_raw || (self.needs_data && json.is_none());
        Context::new(Facts {
            event: &message.event_type,
            id: &message.last_event_id,
            size: message.data.len(),
            raw: needs_text.then_some(&message.data),
            data: json,
            feed: [feed.id, feed.name, feed.url],
            received_at: &received_at.to_string(),
        })
    }
}

/// Equal texts compile to equal rules.
impl PartialEq for RuleSet {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

/// One rule, compiled.
#[derive(Debug)]
struct Rule {
    number: u32,
    events: Vec<EventName>,
    when: Option<Expression>,
    action: Action,
    popup: Option<Popup>,
    urgent: bool,
    run: Option<Arc<[String]>>,
}

/// A rule's failure on a message.
struct Failure {
    key: &'static str,
    error: TemplateError,
}

impl Rule {
    fn compile(number: u32, text: &RuleText) -> Result<Self, RuleError> {
        check_keys(number, text)?;
        if text.event.len() > MAX_NAMES {
            return Err(mistake(
                number,
                "event",
                sentence::TOO_MANY_NAMES.with([("most", MAX_NAMES.to_string())]),
            ));
        }
        let events =
            text.event.iter().map(|name| EventName::compile(number, name)).collect::<Result<_, _>>()?;
        let when = text.when.as_deref().map(Expression::compile).transpose();
        let when = when.map_err(|error| at_place(number, "when", error))?;
        let popup = text.notify.as_ref().map(|notify| Popup::compile(number, notify)).transpose()?;
        let run = (!text.run.is_empty()).then(|| text.run.as_slice().into());
        Ok(Self { number, events, when, action: text.action, popup, urgent: text.urgent, run })
    }

    fn hears(&self, event_type: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|name| name.matches(event_type))
    }

    fn matches<'c>(&self, context: impl FnOnce() -> &'c Context) -> Result<bool, Failure> {
        let Some(when) = &self.when else { return Ok(true) };
        when.holds(context()).map_err(|error| Failure { key: "when", error })
    }

    fn mentions(&self, name: &str) -> bool {
        self.when.as_ref().is_some_and(|when| when.mentions(name))
            || self.popup.iter().flat_map(Popup::templates).any(|template| template.mentions(name))
    }
}

/// Keys that are of no use with a rule's action would be lost in silence, and so they are mistakes.
fn check_keys(number: u32, text: &RuleText) -> Result<(), RuleError> {
    match (text.action, &text.notify) {
        (Action::Notify, _) => {}
        _ if text.urgent => return Err(mistake(number, "urgent", sentence::URGENT_UNUSED)),
        (Action::Withdraw, None | Some(NotifyText { key: None, .. })) => {
            return Err(mistake(number, "notify.key", sentence::WITHDRAW_NO_KEY));
        }
        (Action::Withdraw, Some(notify)) => {
            if *notify != (NotifyText { key: notify.key.clone(), ..NotifyText::default() }) {
                return Err(mistake(number, "notify", sentence::WITHDRAW_KEY_ONLY));
            }
        }
        (_, Some(_)) => return Err(mistake(number, "notify", sentence::NOTIFY_UNUSED)),
        (_, None) => {}
    }
    Ok(())
}

/// A name or pattern in a rule's `event`.
#[derive(Debug)]
enum EventName {
    Exact(String),
    Pattern(WildMatch),
    Any,
}

impl EventName {
    fn compile(rule: u32, name: &str) -> Result<Self, RuleError> {
        let fault: Sentence = match name {
            "" => sentence::EVENT_EMPTY.into(),
            name if name.len() > MAX_NAME => sentence::EVENT_TOO_LONG.with([("most", MAX_NAME.to_string())]),
            name if name.contains(['\n', '\r', '\0']) => sentence::EVENT_LINE_BREAK.into(),
            "*" => return Ok(Self::Any),
            name if name.contains(['*', '?']) => return Ok(Self::Pattern(WildMatch::new(name))),
            name => return Ok(Self::Exact(name.to_owned())),
        };
        Err(mistake(rule, "event", fault))
    }

    fn matches(&self, event_type: &str) -> bool {
        match self {
            Self::Exact(name) => name == event_type,
            Self::Pattern(pattern) => event_type.len() <= MAX_MATCHED_TYPE && pattern.matches(event_type),
            Self::Any => true,
        }
    }
}

fn mistake(rule: u32, key: &'static str, message: impl Into<Sentence>) -> RuleError {
    RuleError { rule, key, line: 1, column: 1, message: message.into() }
}

fn at_place(rule: u32, key: &'static str, error: TemplateError) -> RuleError {
    RuleError { rule, key, line: error.line, column: error.column, message: error.message }
}

#[cfg(test)]
mod tests;

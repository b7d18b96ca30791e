//! What rules would do: tried on the events in the log, or on a sample, and nothing comes of it. No popup is raised, no program is
//! run, nothing is written.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::{
    event_log::{LogError, LogReader, Replayed},
    event_source::{self, Message},
    feed::{Feed, FeedId},
    policy::OutcomeReason,
    preset,
    rule::{Action, Decision, RuleFault, RuleFaults, RuleSet},
};

/// Most events that rules are tried on.
pub const MAX_EVENTS: usize = 10_000;
/// Most data of these events, in bytes.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;
/// How long it may take: rules that cost a lot are tried on fewer events.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How many popups are shown unless told otherwise.
pub const POPUPS: usize = 5;
/// Most popups that are shown.
pub const MAX_POPUPS: usize = 50;
/// Most messages in a sample.
pub const MAX_SAMPLES: usize = 1_000;

/// What is tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The feeds whose rules, names and URLs count.
    pub feeds: Vec<Arc<Feed>>,
    /// Rules instead of those of each feed.
    pub rules: Option<Arc<RuleSet>>,
    /// How many popups to show, at most [`MAX_POPUPS`].
    pub popups: usize,
}

/// What came of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Preview {
    /// How many events there were.
    pub evaluated: u64,
    /// How many of them the rules would show a popup for, floods and quiet hours aside.
    pub notified: u64,
    /// What is decided, and how often; the most frequent first.
    pub decided: Vec<Decided>,
    /// The first popups, of the newest events.
    pub popups: Vec<Rendered>,
    /// What fails: the newest failure of each rule.
    pub failures: Vec<(FeedId, RuleFault)>,
}

/// Events on which the same is decided for the same reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// What is to be done with them.
    pub action: Action,
    /// Why; not how a rule failed.
    pub reason: OutcomeReason,
    /// How many they are.
    pub count: u64,
}

/// A popup that would be shown.
#[derive(Clone, PartialEq, Debug)]
pub struct Rendered {
    /// The event's number; `None`: it is from a sample.
    pub seq: Option<u64>,
    /// Its feed.
    pub feed: FeedId,
    /// What is decided about it.
    pub decision: Decision,
}

impl Trial {
    /// Tries the rules on the newest events of the feed in the log, or if there are several, of all of them.
    pub fn on_log(&self, log: &LogReader) -> Result<Preview, LogError> {
        let mut tally = Tally::of(self);
        let only = match &self.feeds[..] {
            [feed] => Some(&feed.id),
            _ => None,
        };
        log.replay(only, MAX_EVENTS, MAX_BYTES, |event| {
            let Replayed { seq, feed, message, received_at, snapshot } = event;
            // Events of feeds that are no more stay in the log, and have no rules.
            if let Some(feed) = tally.feeds.get(&feed).map(Arc::clone) {
                tally.add(&feed, Some(seq), &message, received_at, snapshot);
            }
            tally.goes_on()
        })?;
        Ok(tally.finished())
    }

    /// Tries the rules on a sample: a piece of an event stream, or if it has none of its fields, the data of one message of this
    /// event type. At most [`MAX_SAMPLES`] messages, for each feed.
    pub fn on_sample(&self, sample: &str, event_type: &str, now: Timestamp) -> Preview {
        let mut tally = Tally::of(self);
        let messages = messages(sample, event_type);
        for feed in &self.feeds {
            let Some(feed) = tally.feeds.get(&feed.id).map(Arc::clone) else { continue };
            for message in &messages {
                tally.add(&feed, None, message, now, false);
                if tally.goes_on().is_break() {
                    return tally.finished();
                }
            }
        }
        tally.finished()
    }
}

/// The messages in a sample.
fn messages(sample: &str, event_type: &str) -> Vec<Message> {
    let is_field =
        |line: &str| ["data:", "event:", "id:", "retry:"].iter().any(|name| line.starts_with(name));
    if !sample.lines().any(is_field) {
        let data = sample.strip_suffix('\n').unwrap_or(sample);
        let data = data.strip_suffix('\r').unwrap_or(data).to_owned();
        return vec![Message { event_type: event_type.to_owned(), data, last_event_id: String::new() }];
    }
    let mut messages = event_source::messages(sample.as_bytes());
    messages.truncate(MAX_SAMPLES);
    messages
}

/// What is counted on the way.
struct Tally {
    feeds: BTreeMap<FeedId, Arc<Feed>>,
    most: usize,
    end: Instant,
    preview: Preview,
    faults: BTreeMap<FeedId, RuleFaults>,
}

impl Tally {
    fn of(trial: &Trial) -> Self {
        let with_rules = |feed: &Arc<Feed>| match &trial.rules {
            Some(rules) => Arc::new(Feed::clone(feed).with_rules(Arc::clone(rules))),
            None => Arc::clone(feed),
        };
        let feeds = trial.feeds.iter().map(|feed| (feed.id.clone(), with_rules(feed))).collect();
        let most = trial.popups.min(MAX_POPUPS);
        let end = Instant::now() + PATIENCE;
        Self { feeds, most, end, preview: Preview::default(), faults: BTreeMap::new() }
    }

    fn goes_on(&self) -> ControlFlow<()> {
        if Instant::now() < self.end { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn add(
        &mut self,
        feed: &Feed,
        seq: Option<u64>,
        message: &Message,
        received_at: Timestamp,
        snapshot: bool,
    ) {
        let decision = preset::decide(feed, message, received_at, snapshot);
        let preview = &mut self.preview;
        preview.evaluated += 1;
        let Decision { action, reason, .. } = &decision;
        let same = |decided: &&mut Decided| {
            decided.action == *action
                && decided.reason.rule == reason.rule
                && decided.reason.code == reason.code
        };
        match preview.decided.iter_mut().find(same) {
            Some(decided) => decided.count += 1,
            None => {
                let particular = reason.code != OutcomeReason::RULE_FAILED;
                let detail = if particular { reason.detail.clone() } else { String::new() };
                let reason = OutcomeReason { detail, ..reason.clone() };
                preview.decided.push(Decided { action: *action, reason, count: 1 });
            }
        }
        if reason.code == OutcomeReason::RULE_FAILED {
            let (rule, detail) = (reason.rule.unwrap_or_default(), reason.detail.clone());
            // The newest comes first here.
            self.faults.entry(feed.id.clone()).or_default().note_older(rule, detail, seq.unwrap_or_default());
        }
        if *action == Action::Notify {
            preview.notified += 1;
            if preview.popups.len() < self.most {
                preview.popups.push(Rendered { seq, feed: feed.id.clone(), decision });
            }
        }
    }

    fn finished(self) -> Preview {
        let Self { mut preview, faults, .. } = self;
        preview.decided.sort_by_key(|decided| std::cmp::Reverse(decided.count));
        let faults = faults
            .iter()
            .flat_map(|(feed, faults)| faults.all().iter().map(|fault| (feed.clone(), fault.clone())));
        preview.failures = faults.collect();
        preview
    }
}

#[cfg(test)]
mod tests;

//! `POST /rules/test`: rules tried before they stand in `feeds.toml`.

use std::sync::Arc;

use axum::{Json, body::Bytes, extract::State};
use bellwether_control::wire::{self, ErrorCode};
use bellwether_engine::{
    feed::Feed,
    notification::{Button, Expire, Sound},
    policy::OutcomeReason,
    preview::{POPUPS, Preview, Rendered, Trial},
    rule::{Action, ButtonText, NotifyText, RuleError, RuleSet, RuleText},
};
use jiff::Timestamp;

use super::{
    Resident, reading,
    server::{Answer, Refusal, body, feed_id},
    wire as to_wire,
};

/// The sample's event type unless it is given.
const MESSAGE: &str = "message";

pub(super) async fn test(State(resident): State<Resident>, bytes: Bytes) -> Answer<wire::RulesPreview> {
    let test: wire::RulesTest = body(&bytes)?;
    let feeds: Vec<Arc<Feed>> = match &test.feed {
        Some(id) => vec![resident.feed(&feed_id(id)?).await?],
        None => resident.engine.feeds().await?.into_iter().map(|view| view.feed).collect(),
    };
    let rules = rules(&test, &feeds)?.map(Arc::new);
    let popups = test.popups.map_or(POPUPS, |popups| popups as usize);
    let trial = Trial { feeds, rules, popups };
    let log = resident.engine.log().clone();
    let preview = reading::read(move || match &test.sample {
        Some(sample) => {
            Ok(trial.on_sample(sample, test.event.as_deref().unwrap_or(MESSAGE), Timestamp::now()))
        }
        None => trial.on_log(&log),
    });
    Ok(Json(on_the_wire(&preview.await.map_err(Refusal::internal)??)))
}

/// The rules to be tried; none: those that each feed has.
fn rules(test: &wire::RulesTest, feeds: &[Arc<Feed>]) -> Result<Option<RuleSet>, Refusal> {
    let wrong = |message| Refusal::new(ErrorCode::BadRequest, message);
    let Some(drafts) = &test.rules else {
        return match test.place {
            None => Ok(None),
            Some(_) => Err(wrong("place says where rules go; name the rules, too")),
        };
    };
    let drafts = drafts.iter().map(text);
    let texts = match (test.place, feeds) {
        (None, _) => drafts.collect(),
        (Some(place), [feed]) if test.feed.is_some() => {
            let mut texts = feed.rules.texts().to_vec();
            let (number, replaced) = match place {
                wire::RulePlace::Replace(number) => (number, 1),
                wire::RulePlace::Insert(number) => (number, 0),
            };
            let at = (number.max(1) as usize - 1).min(texts.len());
            let end = (at + replaced).min(texts.len());
            if replaced > end - at {
                return Err(wrong("place names a rule that the feed does not have"));
            }
            texts.splice(at..end, drafts);
            texts
        }
        (Some(_), _) => return Err(wrong("place is among the rules of one feed; name the feed, too")),
    };
    RuleSet::compile(&texts).map(Some).map_err(|error| refusal(&error))
}

/// A mistake in a draft, with its place.
pub(super) fn refusal(error: &RuleError) -> Refusal {
    let wire::ConfigError { line, key, column, sentence } = mistake(error);
    Refusal(wire::Error {
        code: ErrorCode::InvalidValue,
        message: format!("{key}, line {line}, character {column}: {}", sentence.message),
        detail: sentence.message.clone(),
        sentence: Some(Box::new(sentence)),
        place: Some(Box::new(wire::Place { key, line, column })),
    })
}

/// A mistake in a draft as one in `feeds.toml`; the line is that within the key's text.
pub(crate) fn mistake(error: &RuleError) -> wire::ConfigError {
    wire::ConfigError {
        line: error.line,
        key: format!("rule[{}].{}", error.rule, error.key),
        column: error.column,
        sentence: to_wire::sentence(&error.message),
    }
}

pub(super) fn text(draft: &wire::RuleDraft) -> RuleText {
    RuleText {
        event: match &draft.event {
            None => Vec::new(),
            Some(wire::EventNames::One(name)) => vec![name.clone()],
            Some(wire::EventNames::Several(names)) => names.clone(),
        },
        when: draft.when.clone(),
        action: match draft.action.unwrap_or_default() {
            wire::RuleAction::Notify => Action::Notify,
            wire::RuleAction::Log => Action::Log,
            wire::RuleAction::Ignore => Action::Ignore,
            wire::RuleAction::Close => Action::Close,
            wire::RuleAction::Withdraw => Action::Withdraw,
        },
        notify: draft.notify.as_ref().map(notify),
        urgent: draft.urgent.unwrap_or(false),
        // It is for feeds.toml alone.
        run: Vec::new(),
    }
}

fn notify(draft: &wire::NotifyDraft) -> NotifyText {
    NotifyText {
        title: draft.title.clone(),
        body: draft.body.clone(),
        url: draft.url.clone(),
        urgency: draft.urgency.clone(),
        key: draft.key.clone(),
        icon: draft.icon.clone(),
        group: draft.group.clone(),
        sound: draft.sound.as_ref().map(|sound| match sound {
            wire::PopupSound::Any(any) => any.to_string(),
            wire::PopupSound::Named(name) => name.clone(),
        }),
        expire: draft.expire.as_ref().map(|expire| match expire {
            wire::PopupExpire::Seconds(seconds) => seconds.to_string(),
            wire::PopupExpire::Text(text) => text.clone(),
        }),
        buttons: draft
            .buttons
            .iter()
            .map(|wire::Button { label, url }| ButtonText { label: label.clone(), url: url.clone() })
            .collect(),
    }
}

/// A rule as the control socket takes it; without what it may run.
pub(crate) fn draft(text: &RuleText) -> wire::RuleDraft {
    wire::RuleDraft {
        event: match &text.event[..] {
            [] => None,
            [name] => Some(wire::EventNames::One(name.clone())),
            names => Some(wire::EventNames::Several(names.to_vec())),
        },
        when: text.when.clone(),
        action: Some(action(text.action)),
        notify: text.notify.as_ref().map(|notify| wire::NotifyDraft {
            title: notify.title.clone(),
            body: notify.body.clone(),
            url: notify.url.clone(),
            urgency: notify.urgency.clone(),
            key: notify.key.clone(),
            icon: notify.icon.clone(),
            group: notify.group.clone(),
            sound: notify.sound.as_deref().map(|sound| match sound {
                "true" => wire::PopupSound::Any(true),
                "false" => wire::PopupSound::Any(false),
                name => wire::PopupSound::Named(name.to_owned()),
            }),
            expire: notify.expire.as_deref().map(|expire| match expire.parse::<u32>() {
                Ok(seconds) if seconds.to_string() == expire => wire::PopupExpire::Seconds(seconds),
                _ => wire::PopupExpire::Text(expire.to_owned()),
            }),
            buttons: notify
                .buttons
                .iter()
                .map(|ButtonText { label, url }| wire::Button { label: label.clone(), url: url.clone() })
                .collect(),
        }),
        urgent: text.urgent.then_some(true),
    }
}

fn action(action: Action) -> wire::RuleAction {
    match action {
        Action::Notify => wire::RuleAction::Notify,
        Action::Log => wire::RuleAction::Log,
        Action::Ignore => wire::RuleAction::Ignore,
        Action::Close => wire::RuleAction::Close,
        Action::Withdraw => wire::RuleAction::Withdraw,
    }
}

fn reason(reason: &OutcomeReason) -> wire::OutcomeReason {
    wire::OutcomeReason { code: reason.code.to_string(), rule: reason.rule, detail: reason.detail.clone() }
}

fn on_the_wire(preview: &Preview) -> wire::RulesPreview {
    wire::RulesPreview {
        evaluated: preview.evaluated,
        notified: preview.notified,
        decided: preview
            .decided
            .iter()
            .map(|decided| wire::RulesDecided {
                action: action(decided.action),
                reason: reason(&decided.reason),
                count: decided.count,
            })
            .collect(),
        popups: preview.popups.iter().map(popup).collect(),
        failures: preview
            .failures
            .iter()
            .map(|(feed, fault)| wire::RulesFailure {
                feed: feed.to_string(),
                fault: to_wire::rule_fault(fault),
            })
            .collect(),
    }
}

fn popup(rendered: &Rendered) -> wire::RulesPopup {
    let Rendered { seq, feed, decision } = rendered;
    let popup = decision.notification.clone();
    wire::RulesPopup {
        seq: *seq,
        feed: feed.to_string(),
        reason: reason(&decision.reason),
        title: popup.title,
        body: popup.body,
        url: popup.url,
        urgency: to_wire::urgency_of(popup.urgency),
        key: popup.key,
        icon: popup.icon,
        group: popup.group,
        sound: match popup.sound {
            Sound::Default => None,
            Sound::Silent => Some(wire::PopupSound::Any(false)),
            Sound::Named(name) => Some(wire::PopupSound::Named(name)),
        },
        expire: match popup.expire {
            Expire::Default => None,
            Expire::Never => Some(wire::PopupExpire::Text("never".to_owned())),
            Expire::After(time) => {
                Some(wire::PopupExpire::Seconds(time.as_secs().try_into().unwrap_or(u32::MAX)))
            }
        },
        buttons: popup.buttons.into_iter().map(|Button { label, url }| wire::Button { label, url }).collect(),
        urgent: decision.urgent,
        run: decision.run.as_ref().map(|words| words.to_vec()),
    }
}

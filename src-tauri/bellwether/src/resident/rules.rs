//! `GET` and `PUT /feeds/{id}/rules`: the rules of a feed as they stand in `feeds.toml`.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use bellwether_control::wire;
use bellwether_engine::{
    config::edit::{RuleChange, RulesChange, revision},
    feed::Feed,
    rule::{RuleSet, RuleText},
};

use super::{
    Resident, preview,
    server::{Answer, body, feed_id},
};

pub(super) async fn get(State(resident): State<Resident>, Path(id): Path<String>) -> Answer<wire::FeedRules> {
    Ok(Json(rules_of(&*resident.feed(&feed_id(&id)?).await?)))
}

pub(super) async fn put(
    State(resident): State<Resident>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer<wire::FeedRules> {
    let wire::RulesEdit { rules, revision } = body(&bytes)?;
    let id = feed_id(&id)?;
    let texts: Vec<RuleText> = rules.iter().map(|edit| preview::text(&edit.rule)).collect();
    RuleSet::compile(&texts).map_err(|error| preview::refusal(&error))?;
    let rules = rules.iter().zip(texts).map(|(edit, rule)| RuleChange { was: edit.was, rule });
    let change = RulesChange { rules: rules.collect(), revision };
    Ok(Json(rules_of(&resident.engine.set_rules(id, change).await?.feed)))
}

fn rules_of(feed: &Feed) -> wire::FeedRules {
    let rule = |text: &RuleText| wire::FeedRule {
        rule: preview::draft(text),
        run: (!text.run.is_empty()).then(|| text.run.clone()),
    };
    wire::FeedRules { rules: feed.rules.texts().iter().map(rule).collect(), revision: revision(&feed.rules) }
}

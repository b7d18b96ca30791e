//! Rules that fail, told on standard error: each once.

use std::collections::BTreeMap;

use bellwether_engine::{
    engine::{FeedView, Update},
    feed::FeedId,
};
use tokio::sync::broadcast::error::RecvError;

use super::{Resident, say};

/// Tells of rules that fail from now on, until the engine ends.
pub(super) async fn watch(resident: Resident) {
    let mut updates = resident.engine.updates();
    let mut told = Told::default();
    loop {
        match updates.recv().await {
            Ok(Update::Feed(view)) => {
                for (rule, detail) in told.news(&view) {
                    let feed = view.feed.id.as_str();
                    let values = [("feed", feed), ("rule", &*rule.to_string()), ("detail", &*detail)];
                    say(&resident.catalogue.format("resident.rule_failed", &values));
                }
            }
            // The next failure tells of it.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// The rules that were told of.
#[derive(Default)]
struct Told(BTreeMap<FeedId, Vec<u32>>);

impl Told {
    /// The rules to be told of, with what is wrong. A rule that was written anew is told of again.
    fn news(&mut self, view: &FeedView) -> Vec<(u32, String)> {
        let told = self.0.remove(&view.feed.id).unwrap_or_default();
        let rules: Vec<u32> = view.rule_faults.iter().map(|fault| fault.rule).collect();
        let new = view.rule_faults.iter().filter(|fault| !told.contains(&fault.rule));
        let news = new.map(|fault| (fault.rule, fault.detail.clone())).collect();
        if !rules.is_empty() {
            self.0.insert(view.feed.id.clone(), rules);
        }
        news
    }
}

//! Which preset a feed has, told by its URL or by its first messages. Pure.

use std::sync::LazyLock;

use jiff::Timestamp;
use url::Url;
use wildmatch::WildMatch;

use super::{By, Chosen, Preset, all};
use crate::{
    event_source::Message,
    policy::OutcomeReason,
    rule::{FeedFacts, RuleSet},
};

/// How many messages of a feed are looked at, from the first.
pub const LOOKED_AT: u32 = 8;

/// A kind of URL. What is not said may be anything; in texts `*` stands for any characters, `?` for one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UrlPattern {
    /// The host is one of these; empty: any.
    pub host: Vec<String>,
    /// The port, also if it is the scheme's own.
    pub port: Option<u16>,
    /// The path is one of these; empty: any.
    pub path: Vec<String>,
    /// These parameters are in the query, with values like these.
    pub query: Vec<(String, String)>,
}

impl UrlPattern {
    fn matches(&self, url: &Url) -> bool {
        let one_of = |patterns: &[String], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| WildMatch::new(pattern).matches(text))
        };
        let has = |(name, value): &(String, String)| {
            url.query_pairs().any(|(known, found)| known == *name && WildMatch::new(value).matches(&found))
        };
        self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
            && one_of(&self.host, url.host_str().unwrap_or_default())
            && one_of(&self.path, url.path())
            && self.query.iter().all(has)
    }
}

/// The preset that a URL tells, if it is plain.
pub fn by_url(url: &Url) -> Option<Chosen> {
    let preset = all().iter().find(|preset| preset.urls.iter().any(|pattern| pattern.matches(url)))?;
    Some(Chosen { preset, by: By::Url })
}

/// The preset that a message tells, if it is plain.
pub fn by_stream(feed: &FeedFacts<'_>, message: &Message, received_at: Timestamp) -> Option<Chosen> {
    /// The signs of all presets, to be tried at once, and whose they are.
    static SIGNS: LazyLock<(RuleSet, Vec<&'static Preset>)> = LazyLock::new(|| {
        let (mut texts, mut owners) = (Vec::new(), Vec::new());
        for preset in all() {
            texts.extend_from_slice(&preset.signs);
            owners.resize(texts.len(), preset);
        }
        (RuleSet::compile(&texts).unwrap_or_default(), owners)
    });
    let (signs, owners) = &*SIGNS;
    let reason = signs.evaluate(feed, message, received_at).reason;
    let found = (reason.code == OutcomeReason::RULE).then_some(reason.rule?)?;
    let preset = *owners.get(usize::try_from(found).ok()?.checked_sub(1)?)?;
    Some(Chosen { preset, by: By::Stream(message.event_type.clone()) })
}

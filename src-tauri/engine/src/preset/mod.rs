//! What is known of a provider: where its streams are, what only says that it is alive, and which popups its events give. Data, not
//! code: each preset is a file in `presets/`, in the words of `feeds.toml`, read by the same reader and compiled by the same
//! compiler; `docs/presets.md` describes its keys.
//!
//! A feed has a preset because `feeds.toml` says so, because its URL tells, or because its first messages do. Its own rules come
//! first; where none of them matches, the preset decides. Everything here is pure, and all feeds share one copy.

mod find;
mod opening;

use std::{
    fmt,
    sync::{LazyLock, OnceLock},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    config::{
        ConfigError,
        preset::{compile, read},
    },
    event_source::Message,
    feed::Feed,
    policy::OutcomeReason,
    resume::Resume,
    rule::{Action, Decision, FeedFacts, RuleSet, RuleText},
    sentence::{self, Sentence},
};

pub use find::{LOOKED_AT, UrlPattern, by_stream, by_url};
pub use opening::{Opening, Snapshot};

/// The files, in the order in which they are tried and shown.
const FILES: [(&str, &str); 14] = [
    ("ntfy", include_str!("../../presets/ntfy.toml")),
    ("mercure", include_str!("../../presets/mercure.toml")),
    ("mastodon", include_str!("../../presets/mastodon.toml")),
    ("home-assistant", include_str!("../../presets/home-assistant.toml")),
    ("openhab", include_str!("../../presets/openhab.toml")),
    ("couchdb", include_str!("../../presets/couchdb.toml")),
    ("firebase", include_str!("../../presets/firebase.toml")),
    ("wikimedia", include_str!("../../presets/wikimedia.toml")),
    ("esphome", include_str!("../../presets/esphome.toml")),
    ("smee", include_str!("../../presets/smee.toml")),
    ("nchan", include_str!("../../presets/nchan.toml")),
    ("base64-log", include_str!("../../presets/base64-log.toml")),
    ("json", include_str!("../../presets/json.toml")),
    ("text", include_str!("../../presets/text.toml")),
];

/// What `preset` in `feeds.toml` says if a feed is to have none.
pub const NONE: &str = "none";

/// One provider's.
#[derive(Debug)]
pub struct Preset {
    /// What `feeds.toml` calls it.
    pub id: &'static str,
    /// What people call the provider.
    pub name: String,
    /// How its URLs are made: English, and Simplified Chinese.
    pub help: [String; 2],
    /// A URL, with words in capitals where something is to be filled in.
    pub url: String,
    /// What lets a feed in, the best first, in the words of `auth` in `feeds.toml`: `bearer`, `query.auth`; empty: nothing needed.
    pub auth: Vec<String>,
    /// What URLs it is known by.
    pub urls: Vec<UrlPattern>,
    /// What a reconnect carries, unless the feed says.
    pub resume: Option<Resume>,
    /// Silence after which a connection counts as dead (`Some(None)`: never), unless the feed says.
    pub idle_timeout: Option<Option<Duration>>,
    /// What each connection begins with and is no news.
    pub snapshot: Option<Snapshot>,
    /// Whether a message that nothing else is said of shows a popup; else it is logged.
    pub otherwise_notify: bool,
    /// By which messages it is known: events and conditions.
    signs: Vec<RuleText>,
    file: &'static str,
    compiled: OnceLock<Compiled>,
}

/// A preset's rules, compiled when a feed first needs them.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    /// What only says that the server is alive, and after that the rules.
    pub(crate) rules: RuleSet,
    /// How many of them are about signs of life.
    pub(crate) keep_alives: u32,
    /// What a message says that is only logged; none: what the default popup would.
    pub(crate) text: Option<RuleSet>,
}

/// What a preset's file says beside its rules.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) name: String,
    pub(crate) help: [String; 2],
    pub(crate) url: String,
    pub(crate) auth: Vec<String>,
    pub(crate) urls: Vec<UrlPattern>,
    pub(crate) resume: Option<Resume>,
    pub(crate) idle_timeout: Option<Option<Duration>>,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) otherwise_notify: bool,
    pub(crate) signs: Vec<RuleText>,
}

/// All presets. A file with a mistake is left out, which the tests do not let happen.
pub fn all() -> &'static [Preset] {
    static ALL: LazyLock<Vec<Preset>> =
        LazyLock::new(|| FILES.iter().filter_map(|(id, file)| Preset::read(id, file)).collect());
    &ALL
}

/// The preset of this id.
pub fn by_id(id: &str) -> Option<&'static Preset> {
    all().iter().find(|preset| preset.id == id)
}

/// A feed's preset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// The preset.
    pub preset: &'static Preset,
    /// What told it.
    pub by: By,
}

/// What told a feed's preset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum By {
    /// `feeds.toml`.
    Set,
    /// The feed's URL.
    Url,
    /// A message of this type.
    Stream(String),
}

impl Chosen {
    /// Why it is this one.
    pub fn why(&self) -> Sentence {
        let name = ("name", self.preset.name.clone());
        match &self.by {
            By::Set => sentence::PRESET_SET.into(),
            By::Url => sentence::PRESET_URL.with([name]),
            By::Stream(event) if event == "message" => sentence::PRESET_STREAM.with([name]),
            By::Stream(event) => sentence::PRESET_EVENT.with([name, ("event", event.clone())]),
        }
    }
}

/// Decides about a message of a feed: its own rules first, then its preset. What the preset knows for a sign of life, or for how things
/// stand as a connection begins, is no event, and so is nothing to rules. `snapshot` is what [`Opening::is_snapshot`] said.
pub fn decide(feed: &Feed, message: &Message, received_at: Timestamp, snapshot: bool) -> Decision {
    let url = feed.shown_url();
    let facts = FeedFacts { id: feed.id.as_str(), name: &feed.name, url: &url };
    let Some(Chosen { preset, .. }) = &feed.preset else {
        return feed.rules.evaluate(&facts, message, received_at);
    };
    let by_preset = preset.decide(&facts, message, received_at, snapshot);
    let is_event = ![OutcomeReason::KEEP_ALIVE, OutcomeReason::SNAPSHOT].contains(&&*by_preset.reason.code);
    if is_event && !feed.rules.texts().is_empty() {
        let decision = feed.rules.evaluate(&facts, message, received_at);
        if decision.reason.code != OutcomeReason::NO_MATCH {
            return decision;
        }
    }
    by_preset
}

impl Preset {
    fn read(id: &'static str, file: &'static str) -> Option<Self> {
        let Facts { name, help, url, auth, urls, resume, idle_timeout, snapshot, otherwise_notify, signs } =
            read(file).ok()?;
        let compiled = OnceLock::new();
        Some(Self {
            id,
            name,
            help,
            url,
            auth,
            urls,
            resume,
            idle_timeout,
            snapshot,
            otherwise_notify,
            signs,
            file,
            compiled,
        })
    }

    /// How its URLs are made, in the language of this tag (`zh…` is Chinese, all others are English).
    pub fn help(&self, language: &str) -> &str {
        let [english, chinese] = &self.help;
        if language.starts_with("zh") { chinese } else { english }
    }

    /// Whether a feed's URL may tell it.
    pub fn is_found_by_url(&self) -> bool {
        !self.urls.is_empty()
    }

    /// Whether a feed's first messages may tell it.
    pub fn is_found_by_stream(&self) -> bool {
        !self.signs.is_empty()
    }

    /// Compiles its rules, as the first message of a feed does.
    pub fn check(&self) -> Result<(), ConfigError> {
        compile(self.file).map(drop)
    }

    fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| compile(self.file).unwrap_or_default())
    }

    /// Decides about a message. The reason's rule is the number in the preset, its detail the preset's id.
    fn decide(
        &self,
        feed: &FeedFacts<'_>,
        message: &Message,
        received_at: Timestamp,
        snapshot: bool,
    ) -> Decision {
        let compiled = self.compiled();
        let mut decision = compiled.rules.evaluate(feed, message, received_at);
        let number = decision.reason.rule.unwrap_or_default();
        let of_rule = number.checked_sub(compiled.keep_alives).filter(|number| *number > 0);
        let code = match decision.reason.code.as_ref() {
            // It does not happen, and the reason that is there says what did.
            OutcomeReason::RULE_FAILED => return decision,
            OutcomeReason::RULE if of_rule.is_none() => OutcomeReason::KEEP_ALIVE,
            _ if snapshot => {
                decision.action = Action::Log;
                OutcomeReason::SNAPSHOT
            }
            OutcomeReason::RULE => OutcomeReason::PRESET,
            _ => {
                decision.action = if self.otherwise_notify { Action::Notify } else { Action::Log };
                OutcomeReason::PRESET
            }
        };
        let rule = if code == OutcomeReason::PRESET { of_rule } else { None };
        decision.reason = OutcomeReason { rule, detail: self.id.to_owned(), ..OutcomeReason::new(code) };
        if let (Action::Log, Some(text)) = (decision.action, &compiled.text) {
            decision.notification = text.evaluate(feed, message, received_at).notification;
        }
        decision
    }
}

/// There is one of each.
impl PartialEq for Preset {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Preset {}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

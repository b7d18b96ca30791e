//! Presets that a feed's messages told: kept in the log, so that the next start knows them before the first message comes.

use std::sync::Arc;

use super::{
    commands::stream_of,
    event_loop::EventLoop,
    feeds::{Entry, Position},
};
use crate::{
    event_log::{LogError, text_hash},
    feed::{Feed, FeedId},
    preset::{self, By, Chosen},
};

/// What the settings' names begin with in which presets are kept.
pub(super) const PREFIX: &str = "preset/";

/// The setting in which a feed's preset is kept: its id, a hash of the URL at which it was found, the type of the event that told it.
fn setting(feed: &FeedId) -> String {
    format!("{PREFIX}{feed}")
}

impl EventLoop {
    /// The feed with the preset that its messages told in an earlier run or before a change of `feeds.toml`, if it still has that URL.
    pub(super) fn with_kept_preset(&self, feed: Arc<Feed>) -> Arc<Feed> {
        if !feed.may_find_preset() {
            return feed;
        }
        // What cannot be read now is told again by the next message.
        let kept = self.log.setting(&setting(&feed.id)).ok().flatten().unwrap_or_default();
        let mut words = kept.splitn(3, ' ');
        let (Some(id), Some(hash), Some(event)) = (words.next(), words.next(), words.next()) else {
            return feed;
        };
        match preset::by_id(id).filter(|_| hash == text_hash(feed.url.as_str()).to_string()) {
            Some(preset) => {
                let by = By::Stream(event.to_owned());
                Arc::new(Feed::clone(&feed).with_preset(Chosen { preset, by }))
            }
            None => feed,
        }
    }

    /// Keeps the presets that messages of these feeds told, and connects anew where they change what a reconnect carries. A change
    /// of `idle_timeout` alone can wait for the next connection.
    pub(super) fn keep_found_presets(&mut self, feeds: &[bool]) {
        for at in feeds.iter().enumerate().filter_map(|(at, touched)| touched.then_some(at)) {
            let Some(before) = self.feeds.get_mut(at).and_then(|entry| entry.before_preset.take()) else {
                continue;
            };
            let mut entries = std::mem::take(&mut self.feeds);
            if let Some(entry) = entries.get_mut(at)
                && let Err(error) = self.keep_found_preset(entry, &before)
            {
                // The preset holds all the same; the next start finds it again.
                self.log_failed(&error);
            }
            self.feeds = entries;
        }
    }

    fn keep_found_preset(&mut self, entry: &mut Entry, before: &Feed) -> Result<(), LogError> {
        let feed = Arc::clone(&entry.feed);
        let Some(Chosen { preset, by: By::Stream(event) }) = &feed.preset else { return Ok(()) };
        let hash = text_hash(feed.url.as_str());
        self.log.set_setting(&setting(&feed.id), &format!("{} {hash} {event}", preset.id))?;
        if before.resume == feed.resume {
            return Ok(());
        }
        // What the messages brought to resume by belongs to the new way already.
        let value = self.log.resume_value(&feed.id)?;
        self.log.set_streams([stream_of(&feed)])?;
        let mut batch = self.log.begin()?;
        batch.set_resume_value(&feed.id, &value)?;
        batch.commit()?;
        if !feed.paused {
            entry.start(Position::of(&feed.id, &self.log)?, &mut self.connector);
        }
        Ok(())
    }
}

//! What people and programs ask of the loop.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::{sync::oneshot, time::Instant};

use super::{
    Command, Error, FeedView, RemovedFeed, Update,
    committing::decide,
    event_loop::{COMMIT_RETRY, EventLoop},
    feeds::{Change, Entry, Position},
    outages::Outage,
    showing::popup,
};
use crate::{
    access::{Place, Source},
    config::{
        self, Config, ConfigError,
        edit::{FeedChange, NewFeed, RulesChange},
    },
    event_log::{LogError, Query},
    event_source::Message,
    feed::{Feed, FeedId},
    resume::Resume,
    subscription::News,
};

impl EventLoop {
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Feeds(reply) => {
                answer(reply, self.feeds.iter().map(|entry| self.view_of(entry)).collect());
            }
            Command::ConfigError(reply) => answer(reply, self.config_error.clone()),
            Command::LogError(reply) => answer(reply, self.log_error.clone()),
            Command::ReloadConfig => self.reload_config(),
            Command::AddFeed(feed, reply) => answer(reply, self.add_feed(&feed)),
            Command::EditFeed(id, change, reply) => answer(reply, self.edit_feed(&id, &change)),
            Command::SetPaused(id, paused, reply) => answer(reply, self.set_paused(&id, paused)),
            Command::SetCredential(id, place, source, reply) => {
                answer(reply, self.set_credential(&id, &place, source.as_ref()));
            }
            Command::CheckNewFeed(feed, reply) => answer(reply, self.check_new_feed(&feed)),
            Command::ImportEvents(events, importing, reply) => {
                answer(reply, self.import_events(&events, importing));
            }
            Command::Import(import, reply) => answer(reply, self.import(&import)),
            Command::SetRules(id, change, reply) => answer(reply, self.set_rules(&id, &change)),
            Command::SetOrder(order, reply) => {
                answer(reply, self.edit(|text| config::edit::set_order(text, &order)));
            }
            Command::RestoreFeed(removed, reply) => answer(reply, self.restore_feed(&removed)),
            Command::EditSettings(change, reply) => {
                answer(reply, self.edit(|text| config::edit::edit_settings(text, &change)));
            }
            Command::Settings(reply) => {
                answer(reply, (Arc::clone(self.policy.settings()), self.retention));
            }
            Command::RemoveFeed(id, reply) => answer(reply, self.remove_feed(&id)),
            Command::Reconnect(id, reply) => answer(reply, self.reconnect(id.as_ref())),
            Command::WokeUp => {
                self.feeds.iter_mut().for_each(|entry| entry.catch_up.slept());
                self.feeds.iter().filter_map(Entry::news).for_each(News::woke_up);
                self.open_gates();
            }
            Command::NetworkCameBack => {
                self.feeds.iter().filter_map(Entry::news).for_each(News::network_came_back);
            }
            Command::Sample(id, reply) => answer(reply, self.sample(&id)),
            Command::MarkRead(which, read, reply) => {
                let done = self.log.mark_read(&which, read).map_err(Error::from);
                self.tell(Update::EventsChanged);
                (0..self.feeds.len()).for_each(|feed| self.refresh(feed));
                answer(reply, done.map(drop));
            }
            Command::Delete(seqs, reply) => answer(reply, self.delete(&seqs, Timestamp::now())),
            Command::Restore(seqs, reply) => answer(reply, self.restore(&seqs, Timestamp::now())),
            Command::ShowAgain(seq, reply) => answer(reply, self.show_again(seq)),
            Command::Setting(key, reply) => answer(reply, self.log.setting(&key).map_err(Error::from)),
            Command::SetSetting(key, value, reply) => {
                answer(reply, self.log.set_setting(&key, &value).map_err(Error::from));
            }
            Command::Snooze(feed, until, reply) => answer(reply, self.snooze(feed.as_ref(), until)),
            Command::Attention(reply) => answer(reply, self.attention()),
            Command::Notifications(reply) => answer(reply, Arc::clone(self.policy.settings())),
            Command::Report(report) => self.note_report(report),
            Command::RunFault(fault) => self.note_run_fault(fault),
            // The loop has ended before it comes here.
            Command::Shutdown(_) => {}
        }
    }

    /// Reads `feeds.toml` and applies what changed. A broken one leaves everything as it is, and is told.
    pub(super) fn reload_config(&mut self) {
        let error = match self.config.load() {
            Ok(config) => {
                // It is tried again, and told as an error of the log.
                let _ = self.apply(config);
                None
            }
            Err(error) => Some(error),
        };
        self.config_error = error;
        self.tell(Update::Config);
    }

    pub(super) fn log_failed(&mut self, error: &LogError) {
        self.log_error = Some(error.sentence());
        self.tell(Update::Log);
    }

    /// Edits `feeds.toml` and applies the result, which is written only if it reads back well.
    pub(super) fn edit(
        &mut self,
        edit: impl FnMut(&str) -> Result<String, ConfigError>,
    ) -> Result<(), Error> {
        let config = self.config.change(edit)?;
        self.config_error = None;
        self.apply(config)?;
        self.tell(Update::Config);
        Ok(())
    }

    /// Makes the running feeds those of the file: in its order, each connection touched only if its own settings changed. What
    /// the log cannot take now is tried again.
    pub(super) fn apply(&mut self, config: Config) -> Result<(), LogError> {
        // What came from a feed that goes, or from a URL that changes, came before that.
        self.take_received();
        let result = self.try_apply(config);
        self.unapplied = result.is_err();
        let feeds = &self.feeds;
        if result.is_ok()
            && self.policy.snoozes.keep_feeds(|id| feeds.iter().any(|entry| entry.feed.id == *id))
        {
            self.keep_snoozes();
        }
        self.outbox.reconsider();
        self.open_gates();
        if let Err(error) = &result {
            self.log_failed(error);
            self.retry_at.get_or_insert(Instant::now() + COMMIT_RETRY);
        }
        result
    }

    fn try_apply(&mut self, config: Config) -> Result<(), LogError> {
        self.policy.set(&config.notifications);
        self.set_retention(config.retention);
        let feeds: Vec<_> = config.feeds.into_iter().map(|feed| self.with_kept_preset(feed)).collect();
        let mut old = std::mem::take(&mut self.feeds);
        let mut result = Ok(());
        let is_new = |feed: &&Arc<Feed>| old.iter().all(|entry| entry.feed.id != feed.id);
        let new: Vec<_> = feeds.iter().filter(is_new).map(|feed| stream_of(feed)).collect();
        // Their URLs may have changed while the program was not running.
        let noted = if new.is_empty() { Ok(()) } else { self.log.set_streams(new) };
        for feed in feeds {
            let known = old.iter().position(|entry| entry.feed.id == feed.id).map(|at| old.swap_remove(at));
            let entry = match known {
                Some(mut entry) => {
                    let change = entry.change(&feed);
                    if entry.feed.rules != feed.rules {
                        entry.rule_faults.clear();
                    }
                    let before = std::mem::replace(&mut entry.feed, feed);
                    if let Err(error) = self.adjust(&mut entry, change) {
                        entry.feed = before;
                        result = Err(error);
                    }
                    entry
                }
                None if noted.is_err() => continue,
                None => match self.connect_new(feed) {
                    Ok(entry) => entry,
                    Err(error) => {
                        result = Err(error);
                        continue;
                    }
                },
            };
            self.feeds.push(entry);
        }
        noted.and(result)
    }

    fn adjust(&mut self, entry: &mut Entry, change: Change) -> Result<(), LogError> {
        if change == Change::Settings {
            return Ok(());
        }
        self.log.set_streams([stream_of(&entry.feed)])?;
        if change == Change::AnotherStream {
            entry.forget_older_connections();
        }
        entry.start(Position::of(&entry.feed.id, &self.log)?, &mut self.connector);
        Ok(())
    }

    fn connect_new(&mut self, feed: Arc<Feed>) -> Result<Entry, LogError> {
        let counts = self.log.counts(&feed.id)?;
        let position = Position::of(&feed.id, &self.log)?;
        let lost_since = self.log.lost_since(&feed.id)?;
        let mut entry = Entry::new(feed, counts, &self.connector);
        entry.outage = Outage::known(lost_since);
        entry.start(position, &mut self.connector);
        Ok(entry)
    }

    fn add_feed(&mut self, feed: &NewFeed) -> Result<FeedView, Error> {
        let mut added = None;
        self.edit(|text| {
            let (text, id) = config::edit::add_feed(text, feed)?;
            added = Some(id);
            Ok(text)
        })?;
        let id = added.ok_or(Error::Ended)?;
        self.view(&id)
    }

    fn check_new_feed(&self, feed: &NewFeed) -> Result<FeedId, Error> {
        let (_, id) = config::edit::add_feed(&self.config.text()?, feed)?;
        Ok(id)
    }

    fn set_rules(&mut self, id: &FeedId, change: &RulesChange) -> Result<FeedView, Error> {
        let feed = self.view(id)?.feed;
        self.edit(|text| config::edit::set_rules(text, id, change, feed.found_preset()))?;
        self.view(id)
    }

    fn edit_feed(&mut self, id: &FeedId, change: &FeedChange) -> Result<FeedView, Error> {
        self.edit(|text| config::edit::edit_feed(text, id, change))?;
        self.view(id)
    }

    fn set_paused(&mut self, id: &FeedId, paused: bool) -> Result<FeedView, Error> {
        self.edit(|text| config::edit::set_paused(text, id, paused))?;
        self.view(id)
    }

    fn set_credential(
        &mut self,
        id: &FeedId,
        place: &Place,
        source: Option<&Source>,
    ) -> Result<FeedView, Error> {
        let before = self.view(id)?.feed;
        self.edit(|text| config::edit::set_credential(text, id, place, source))?;
        if self.view(id)?.feed.access == before.access {
            self.reconnect(Some(id))?;
        }
        self.view(id)
    }

    fn remove_feed(&mut self, id: &FeedId) -> Result<RemovedFeed, Error> {
        let view = self.view(id)?;
        let mut removal = None;
        self.edit(|text| {
            let (text, removed) = config::edit::remove_feed(text, id)?;
            removal = Some(removed);
            Ok(text)
        })?;
        let removal = removal.ok_or(Error::Ended)?;
        // By now, what was received before it went is in the log.
        let position = [self.log.last_event_id(id)?, self.log.resume_value(id)?];
        Ok(RemovedFeed { feed: view.feed, removal, position, snoozed_until: view.snoozed_until })
    }

    fn restore_feed(&mut self, removed: &RemovedFeed) -> Result<FeedView, Error> {
        let RemovedFeed { feed, removal, position: [last_event_id, resume_value], snoozed_until } = removed;
        let id = &feed.id;
        let is_there = self.view(id).is_ok();
        // Another feed may have had its id meanwhile.
        if !is_there {
            self.log.set_streams([stream_of(feed)])?;
            if self.log.last_event_id(id)?.is_empty() && self.log.resume_value(id)?.is_empty() {
                let mut batch = self.log.begin()?;
                batch.set_last_event_id(id, last_event_id)?;
                batch.set_resume_value(id, resume_value)?;
                batch.commit()?;
            }
        }
        self.edit(|text| config::edit::restore_feed(text, id, &feed.url, removal))?;
        if snoozed_until.is_some() {
            self.snooze(Some(id), *snoozed_until)?;
        }
        self.view(id)
    }

    fn reconnect(&mut self, id: Option<&FeedId>) -> Result<(), Error> {
        if let Some(id) = id {
            self.view(id)?;
        }
        for at in 0..self.feeds.len() {
            let entry = &mut self.feeds[at];
            let wanted = id.is_none_or(|id| entry.feed.id == *id);
            if !wanted || entry.feed.paused || entry.end_wait() {
                continue;
            }
            entry.start(Position::of(&entry.feed.id, &self.log)?, &mut self.connector);
            self.show_view(at);
        }
        Ok(())
    }

    /// The newest event's popup, or one of a made-up message, as the feed's rules make it.
    fn sample(&mut self, id: &FeedId) -> Result<(), Error> {
        let feed = self.view(id)?.feed;
        let query = Query { feed: Some(id.clone()), limit: 1, ..Query::default() };
        let newest = self.log.reader().page(&query)?.records.pop().map(|record| record.message);
        let message = newest.unwrap_or_else(|| Message {
            event_type: "message".to_owned(),
            data: r#"{"title": "Bellwether", "message": "🔔"}"#.to_owned(),
            last_event_id: String::new(),
        });
        let notification = decide(&feed, &message, Timestamp::now()).notification;
        self.notifier.show(popup(&feed, Vec::new(), notification));
        Ok(())
    }

    pub(super) fn view_of(&self, entry: &Entry) -> FeedView {
        let id = &entry.feed.id;
        let snoozed_until = self.policy.snoozes.of_feed(id, Timestamp::now());
        entry.view(snoozed_until, self.held.get(id).copied().unwrap_or_default())
    }

    pub(super) fn view(&self, id: &FeedId) -> Result<FeedView, Error> {
        let entry = self.feeds.iter().find(|entry| entry.feed.id == *id);
        entry.map(|entry| self.view_of(entry)).ok_or_else(|| Error::Config(ConfigError::no_such_feed(id)))
    }
}

/// What the log keeps a feed's position for.
pub(super) fn stream_of(feed: &Feed) -> (&FeedId, &str, &Resume) {
    (&feed.id, feed.url.as_str(), &feed.resume)
}

fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    // Whoever asked may have gone: that is theirs to decide.
    let _ = reply.send(value);
}

//! What comes from another machine: its events, and then its settings with the places at which its feeds go on.

use std::sync::Arc;

use super::{
    Error, Import, Imported, Update, commands::stream_of, event_loop::EventLoop, presets, showing::SNOOZED,
};
use crate::{
    config::Config,
    event_log::{Importing, LogError, PortableEvent},
    policy::Snoozes,
};

/// Whether a small setting of the program's own goes along to another machine, within an [`Import`].
pub fn travels(setting: &str) -> bool {
    setting == SNOOZED || setting.starts_with(presets::PREFIX)
}

impl EventLoop {
    pub(super) fn import_events(
        &mut self,
        events: &[PortableEvent],
        mut importing: Importing,
    ) -> Result<Imported, Error> {
        if events.is_empty() {
            self.events_came_or_went();
        }
        let mut appended = 0;
        let mut batch = self.log.begin()?;
        for event in events {
            appended += u64::from(batch.import(event, &mut importing)?);
        }
        batch.commit()?;
        Ok(Imported { events: appended, importing })
    }

    pub(super) fn import(&mut self, import: &Import) -> Result<(), Error> {
        let mut kept: Option<String> = None;
        let config = self.config.change(|now| {
            // Not the text of some time before, as somebody may have edited it since.
            if !now.is_empty() && kept.as_deref() != Some(now) {
                self.config.keep(now, "before-import")?;
                kept = Some(now.to_owned());
            }
            Ok(import.config.clone())
        })?;
        self.config_error = None;
        // What was received until now was received under the old file.
        self.take_received();
        // Where feeds go on is known before they connect.
        let noted = self.note_imported(&config, import);
        self.apply(config)?;
        self.tell(Update::Config);
        noted?;
        if let Some((_, text)) = import.settings.iter().find(|(key, _)| key == SNOOZED) {
            self.log.set_setting(SNOOZED, text)?;
            self.policy.snoozes = Snoozes::read(text);
        }
        self.count_held();
        self.outbox.reconsider();
        self.open_gates();
        self.tell(Update::EventsChanged);
        self.tell(Update::Attention);
        (0..self.feeds.len()).for_each(|feed| self.refresh(feed));
        Ok(())
    }

    fn note_imported(&mut self, config: &Config, import: &Import) -> Result<(), LogError> {
        let found = import.settings.iter().filter(|(key, _)| key.starts_with(presets::PREFIX));
        found.clone().try_for_each(|(key, value)| self.log.set_setting(key, value))?;
        let feeds: Vec<_> = config.feeds.iter().map(|feed| self.with_kept_preset(Arc::clone(feed))).collect();
        self.log.set_streams(feeds.iter().map(|feed| stream_of(feed)))?;
        self.log.import_feeds(&import.feeds)
    }
}

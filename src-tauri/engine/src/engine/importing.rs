//! What comes from another machine: its events, and then its settings with the places at which its feeds go on.

use std::{collections::HashMap, sync::Arc};

use super::{
    Error, Import, Imported, Update, commands::stream_of, event_loop::EventLoop, presets, showing::SNOOZED,
};
use crate::{event_log::PortableEvent, policy::Snoozes};

/// Whether a small setting of the program's own goes along to another machine, within an [`Import`].
pub fn travels(setting: &str) -> bool {
    setting == SNOOZED || setting.starts_with(presets::PREFIX)
}

impl EventLoop {
    pub(super) fn import_events(
        &mut self,
        events: &[PortableEvent],
        mut summaries: HashMap<u64, u64>,
    ) -> Result<Imported, Error> {
        let mut appended = 0;
        let mut batch = self.log.begin()?;
        for event in events {
            appended += u64::from(batch.import(event, &mut summaries)?);
        }
        batch.commit()?;
        Ok(Imported { events: appended, summaries })
    }

    pub(super) fn import(&mut self, import: &Import) -> Result<(), Error> {
        let config = self.config.parse(&import.config)?;
        let found = import.settings.iter().filter(|(key, _)| key.starts_with(presets::PREFIX));
        found.clone().try_for_each(|(key, value)| self.log.set_setting(key, value))?;
        // Where feeds go on is known before they connect.
        let feeds: Vec<_> = config.feeds.iter().map(|feed| self.with_kept_preset(Arc::clone(feed))).collect();
        self.log.set_streams(feeds.iter().map(|feed| stream_of(feed)))?;
        self.log.import_feeds(&import.feeds)?;
        self.edit(|_| Ok(import.config.clone()))?;
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
}

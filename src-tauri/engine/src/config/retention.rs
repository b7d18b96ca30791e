//! `[log]`: how long events stay.

use toml_edit::Table;

use super::{
    ConfigError, ConfigErrorKind as Kind,
    reader::{Reader, Section},
};
use crate::{event_log::Retention, sentence};

/// The keys of `[log]`.
const LOG: [&str; 2] = ["keep_days", "keep_events"];
/// Fewest and most days: a hundred years.
const DAYS: [u32; 2] = [1, 36_500];
/// Fewest and most events.
const EVENTS: [u32; 2] = [1_000, 1_000_000_000];

impl Reader<'_> {
    pub(super) fn retention(&self, root: &Table) -> Result<Retention, ConfigError> {
        let Some(item) = root.get("log") else { return Ok(Retention::default()) };
        let Some(table) = item.as_table_like() else {
            return Err(self.error(Kind::InvalidValue, item.span(), "log", sentence::LOG_NO_SECTION));
        };
        let section = Section { table, span: &item.span(), path: "log" };
        self.check_keys(table, section.path, &LOG)?;
        Ok(Retention {
            days: self.bounded(section, LOG[0], DAYS)?,
            events: self.bounded(section, LOG[1], EVENTS)?,
        })
    }

    fn bounded(
        &self,
        section: Section<'_>,
        key: &str,
        [least, most]: [u32; 2],
    ) -> Result<Option<u32>, ConfigError> {
        let Some(item) = section.table.get(key) else { return Ok(None) };
        let number = item.as_integer().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| (least..=most).contains(number)).map(Some).ok_or_else(|| {
            let message =
                sentence::WANTS_COUNT.with([("least", least.to_string()), ("most", most.to_string())]);
            self.error_at(section, key, Kind::InvalidValue, message)
        })
    }
}

//! What a person wants of popups, as `feeds.toml` says it.

use std::time::Duration;

use super::QuietRange;

/// What holds for the popups of all feeds.
#[derive(Clone, PartialEq, Debug)]
pub struct Notifications {
    /// When popups are too many.
    pub flood: Flood,
    /// Whether popups may make a sound.
    pub sound: bool,
    /// After how long an outage is told; `None`: never.
    pub outage_alert: Option<Duration>,
    /// When nobody wants to be disturbed.
    pub quiet_hours: Vec<QuietRange>,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            flood: Flood::default(),
            sound: true,
            outage_alert: Some(Self::OUTAGE_ALERT),
            quiet_hours: Vec::new(),
        }
    }
}

impl Notifications {
    /// After how long an outage is told unless `feeds.toml` says otherwise.
    pub const OUTAGE_ALERT: Duration = Duration::from_secs(600);
}

/// How many popups are shown one by one; what comes beyond is drawn together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flood {
    /// Most popups of one feed in the time.
    pub popups: u32,
    /// Most popups of all feeds in the time.
    pub overall: u32,
    /// The time.
    pub within: Duration,
}

impl Default for Flood {
    fn default() -> Self {
        Self { popups: 3, overall: 10, within: Duration::from_secs(10) }
    }
}

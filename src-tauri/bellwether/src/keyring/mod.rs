//! The system's keyring: the Secret Service on Linux, the Keychain on macOS, the Credential Manager on Windows.
//!
//! Each entry has the service "bellwether" and the user `PROFILE/FEED/PLACE`. Nothing is kept open in between: a keyring may
//! come, go and be locked at any time. All calls wait, and are for threads that may.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

use bellwether_control::paths::Profile;
use bellwether_engine::{
    access::{self, KeyringFault, Place, Secret},
    feed::FeedId,
};

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

const SERVICE: &str = "bellwether";

/// The keyring, as one profile uses it.
#[derive(Clone, Debug)]
pub(crate) struct Keyring {
    profile: String,
}

/// What is known of an entry.
struct Entry {
    user: String,
    /// What people see of it in the keyring's own window.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the other systems show the service"))]
    label: String,
}

impl Keyring {
    pub(crate) fn of(profile: &Profile) -> Self {
        let folder = profile.folder.as_ref().map(|folder| folder.display().to_string());
        Self { profile: folder.unwrap_or_else(|| "default".to_owned()) }
    }

    /// What answers as the keyring, or why nothing does.
    pub(crate) fn find() -> Result<String, String> {
        system::find()
    }

    /// Keeps a secret, in place of an older one. Whoever has to unlock the keyring for it may take a minute.
    pub(crate) fn store(&self, feed: &FeedId, place: &Place, secret: &Secret) -> Result<(), String> {
        system::store(&self.entry(feed, place), secret.reveal())
    }

    /// Forgets a secret, if there is one.
    pub(crate) fn forget(&self, feed: &FeedId, place: &Place) -> Result<(), String> {
        system::forget(&self.entry(feed, place))
    }

    fn entry(&self, feed: &FeedId, place: &Place) -> Entry {
        let user = format!("{}/{feed}/{place}", self.profile);
        Entry { user, label: format!("Bellwether: {feed} ({place})") }
    }
}

impl access::Keyring for Keyring {
    fn read(&self, feed: &FeedId, place: &Place) -> Result<Secret, KeyringFault> {
        match system::read(&self.entry(feed, place)) {
            Ok(Some(secret)) => Ok(Secret::new(secret)),
            Ok(None) => Err(KeyringFault::NoEntry),
            Err(cause) => Err(KeyringFault::Unusable(cause)),
        }
    }
}

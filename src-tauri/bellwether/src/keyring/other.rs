//! The Keychain of macOS, and the Credential Manager of Windows. Both are always there.

use keyring::{Entry as Credential, Error};

use super::{Entry, SERVICE};

const NAME: &str = if cfg!(windows) { "Credential Manager" } else { "Keychain" };

pub(super) fn find() -> Result<String, String> {
    match Credential::store_status() {
        Ok(()) => Ok(NAME.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn read(entry: &Entry) -> Result<Option<String>, String> {
    match credential(entry)?.get_password() {
        Ok(secret) => Ok(Some(secret)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn store(entry: &Entry, secret: &str) -> Result<(), String> {
    credential(entry)?.set_password(secret).map_err(|error| error.to_string())
}

pub(super) fn forget(entry: &Entry) -> Result<(), String> {
    match credential(entry)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn credential(entry: &Entry) -> Result<Credential, String> {
    Credential::new(SERVICE, &entry.user).map_err(|error| error.to_string())
}

//! The Secret Service (freedesktop.org, Secret Service API 0.2): GNOME Keyring, KWallet, KeePassXC and others.

use std::{collections::HashMap, time::Duration};

use secret_service::{EncryptionType, Error, SecretService};
use tokio::{runtime, time::timeout};

use super::{Entry, SERVICE};

/// How long the keyring may take. Less than what the engine grants, so that the cause is told from here.
const TIMEOUT: Duration = Duration::from_secs(8);

/// How long a person may take to unlock it.
const UNLOCK_TIMEOUT: Duration = Duration::from_secs(60);

const NAME: &str = "org.freedesktop.secrets";

pub(super) fn find() -> Result<String, String> {
    wait(TIMEOUT, async {
        connect().await?;
        Ok(NAME.to_owned())
    })
}

/// Asks nobody to unlock it: feeds connect at any time, and windows that ask for a password must not come out of nowhere.
pub(super) fn read(entry: &Entry) -> Result<Option<String>, String> {
    wait(TIMEOUT, async {
        let service = connect().await?;
        let found = service.search_items(attributes(entry)).await?;
        match found.unlocked.first() {
            Some(item) => Ok(Some(String::from_utf8_lossy(&item.get_secret().await?).into_owned())),
            None if found.locked.is_empty() => Ok(None),
            None => Err(Error::Locked),
        }
    })
}

pub(super) fn store(entry: &Entry, secret: &str) -> Result<(), String> {
    wait(UNLOCK_TIMEOUT, async {
        let service = connect().await?;
        let collection = match service.get_default_collection().await {
            Err(Error::NoResult) => service.create_collection("Bellwether", "default").await?,
            found => found?,
        };
        if collection.is_locked().await? {
            collection.unlock().await?;
        }
        let attributes = attributes(entry);
        collection.create_item(&entry.label, attributes, secret.as_bytes(), true, "text/plain").await?;
        Ok(())
    })
}

pub(super) fn forget(entry: &Entry) -> Result<(), String> {
    wait(TIMEOUT, async {
        let service = connect().await?;
        let found = service.search_items(attributes(entry)).await?;
        for item in found.unlocked.iter().chain(&found.locked) {
            item.delete().await?;
        }
        Ok(())
    })
}

/// Encrypted on the bus, which others may watch.
async fn connect() -> Result<SecretService<'static>, Error> {
    SecretService::connect(EncryptionType::Dh).await
}

/// The names that other programs use as well.
fn attributes(entry: &Entry) -> HashMap<&str, &str> {
    HashMap::from([("service", SERVICE), ("username", &*entry.user)])
}

/// Runs it on this thread, which is not one of the connections'.
fn wait<T>(limit: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, String> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    match runtime.block_on(async { timeout(limit, work).await }) {
        Ok(result) => result.map_err(|error| cause(&error)),
        Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
    }
}

fn cause(error: &Error) -> String {
    match error {
        Error::Unavailable => "there is no session bus".to_owned(),
        Error::Locked | Error::Prompt | Error::PromptDisconnected => "it is locked".to_owned(),
        other => {
            let text = other.to_string();
            // By their texts: the types are those of a version of zbus that is not ours.
            if text.contains("ServiceUnknown") {
                format!("nobody answers as {NAME} on the session bus")
            } else if text.contains("Failed to connect to address") {
                "there is no session bus".to_owned()
            } else {
                text
            }
        }
    }
}

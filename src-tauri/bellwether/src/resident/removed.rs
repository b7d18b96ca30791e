//! Feeds that were removed: kept for a while, so that a removal can be taken back.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bellwether_control::wire::ErrorCode;
use bellwether_engine::{
    engine::{FeedView, RemovedFeed},
    feed::FeedId,
};

use super::{
    Resident,
    credential::{self, Recalled},
    server::Refusal,
};

/// How many removals can be taken back.
const MOST: usize = 20;
/// For how long.
const FOR: Duration = Duration::from_secs(60 * 60);

/// The latest removals, in memory alone. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Removed(Arc<Mutex<VecDeque<Kept>>>);

struct Kept {
    removed: RemovedFeed,
    secrets: Vec<Recalled>,
    at: Instant,
}

impl Removed {
    /// Keeps a feed that was removed, with the secrets that are forgotten with it.
    pub(super) fn keep(&self, removed: RemovedFeed, secrets: Vec<Recalled>) {
        let mut list = self.recent();
        list.retain(|kept| kept.removed.feed.id != removed.feed.id);
        list.truncate(MOST - 1);
        list.push_front(Kept { removed, secrets, at: Instant::now() });
        drop(list);
        // Secrets do not stay longer because nobody asks for them.
        let removed = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(FOR).await;
            drop(removed.recent());
        });
    }

    fn take(&self, id: &FeedId) -> Option<Kept> {
        let mut list = self.recent();
        let at = list.iter().position(|kept| kept.removed.feed.id == *id)?;
        list.remove(at)
    }

    /// Those that are not too old by now; none of these survives.
    fn recent(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|kept| kept.at.elapsed() < FOR);
        list
    }
}

impl Resident {
    /// Puts a feed that was removed back, with its secrets. If that fails, it can be tried again.
    pub(super) async fn restore_feed(&self, id: &FeedId) -> Result<FeedView, Refusal> {
        let Some(kept) = self.removed.take(id) else {
            let message = format!("no feed “{id}” was removed within the last hour, or it is there again");
            return Err(Refusal::new(ErrorCode::NothingToRestore, message));
        };
        let result = self.put_back(&kept).await;
        if result.is_err() {
            self.removed.recent().push_front(kept);
        }
        result
    }

    async fn put_back(&self, kept: &Kept) -> Result<FeedView, Refusal> {
        let Kept { removed, secrets, .. } = kept;
        let feed = &removed.feed;
        if self.engine.feeds().await?.iter().any(|view| view.feed.id == feed.id) {
            // Its secrets are none of ours.
            return Ok(self.engine.restore_feed(Box::new(removed.clone())).await?);
        }
        credential::put_back(self, feed, secrets).await?;
        match self.engine.restore_feed(Box::new(removed.clone())).await {
            Ok(view) => Ok(view),
            Err(error) => {
                credential::forget_recalled(self, &feed.id, secrets).await;
                Err(error.into())
            }
        }
    }
}

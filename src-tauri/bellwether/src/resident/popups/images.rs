//! The images that popups wait for.

use std::{path::PathBuf, time::Instant};

use bellwether_engine::{engine::Report, feed::FeedId, subscription::image};
use tokio::{sync::mpsc, task::spawn_blocking, time::timeout};

use super::super::Resident;

/// An image that a popup waits for.
pub(in crate::resident) struct ImageWish {
    pub(super) popup: u64,
    pub(super) feed: FeedId,
    pub(super) url: String,
}

/// Fetches the images that popups wait for, until the program ends.
pub(in crate::resident) async fn fetch_images(
    resident: Resident,
    mut wishes: mpsc::UnboundedReceiver<ImageWish>,
) {
    while let Some(wish) = wishes.recv().await {
        let resident = resident.clone();
        tokio::spawn(async move {
            let ImageWish { popup, feed, url } = wish;
            let path = timeout(image::BUDGET, fetch_image(&resident, &feed, &url)).await;
            if let Some(events) = resident.popups.release(popup, path.ok().flatten()) {
                // The log has them as withdrawn; this says only that their popup is no more on its way.
                resident.engine.report(Report::Shown { events }).await;
            }
        });
    }
}

async fn fetch_image(resident: &Resident, feed: &FeedId, url: &str) -> Option<PathBuf> {
    let settings = resident.feed(feed).await.ok().filter(|settings| settings.images)?;
    let fetched = image::image(&resident.client, &settings.url, &settings.network, url).await;
    let (popups, feed, url) = (resident.popups.clone(), feed.to_string(), url.to_owned());
    let keep = move || {
        let cache = &popups.shared.cache;
        let kept = fetched.ok().and_then(|image| cache.keep(&feed, &url, &image, Instant::now()).ok());
        if kept.is_none() {
            cache.fail(&feed, &url, Instant::now());
        }
        kept
    };
    spawn_blocking(keep).await.ok().flatten()
}

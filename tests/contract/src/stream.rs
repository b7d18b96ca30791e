//! One stream that the harness asked for.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use bellwether_engine::{
    access::{Access, Credentials},
    event_source::{Limits, Message},
    feed::DEFAULT_IDLE_TIMEOUT,
    network::Network,
    resume::Resume,
    subscription::{Client, HeaderMap, HeaderName, HeaderValue, Room, Signal, Subscription},
};
use serde::Deserialize;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
};
use url::Url;

use crate::callback::Callback;

/// The wait before a next attempt, before it is lengthened by up to a half, unless the harness or the server sets one: the
/// harness waits for 5 s.
const DELAY: Duration = Duration::from_secs(1);

/// Signals that wait for the harness before the connection is held back.
const QUEUE: usize = 64;

/// The body of `POST /`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    stream_url: String,
    callback_url: String,
    tag: Option<String>,
    initial_delay_ms: Option<u64>,
    read_timeout_ms: Option<u64>,
    last_event_id: Option<String>,
    headers: Option<BTreeMap<String, String>>,
}

impl Params {
    pub(crate) fn callback(&self, http: reqwest::Client) -> Result<Callback> {
        let url = Url::parse(&self.callback_url).context("callbackUrl")?;
        Ok(Callback::new(http, &url, self.tag.clone().unwrap_or_default()))
    }

    pub(crate) fn subscription(&self) -> Result<Subscription> {
        let headers = self.headers.iter().flatten().map(|(name, value)| {
            let header = || format!("the header {name:?}");
            let value = HeaderValue::from_bytes(value.as_bytes()).with_context(header)?;
            Ok((name.parse::<HeaderName>().with_context(header)?, value))
        });
        Ok(Subscription {
            url: Url::parse(&self.stream_url).context("streamUrl")?,
            headers: headers.collect::<Result<HeaderMap>>()?,
            // The harness decides what goes where.
            credentials: Credentials {
                access: Access { plain_http: true, ..Access::default() },
                ..Credentials::default()
            },
            network: Network::default(),
            idle_timeout: Some(self.read_timeout_ms.map_or(DEFAULT_IDLE_TIMEOUT, Duration::from_millis)),
            last_event_id: self.last_event_id.clone().unwrap_or_default(),
            resume: Resume::Header,
            resume_value: String::new(),
            limits: limits(self.initial_delay_ms.map(Duration::from_millis)),
            seed: 1,
            activity: Arc::default(),
        })
    }
}

/// Delays for a harness that waits: they begin at `initial_delay`, below the usual floor too, and do not grow.
fn limits(initial_delay: Option<Duration>) -> Limits {
    let usual = Limits::default();
    let base_delay = initial_delay.unwrap_or(DELAY);
    Limits {
        base_delay,
        retry_min: usual.retry_min.min(base_delay),
        delay_cap: DELAY,
        slow_delay: DELAY,
        slow_cap: DELAY,
        comment_bytes: Some(usual.event_bytes),
        ..usual
    }
}

/// Runs a subscription and tells of it, until this future is dropped. `restart` drops the connection and connects anew where
/// the old one was, after all that it had received is told.
pub(crate) async fn run(
    mut subscription: Subscription,
    client: Client,
    restart: Arc<Notify>,
    mut callback: Callback,
) {
    loop {
        // Ends with this set, and with it the connection.
        let mut connection = JoinSet::new();
        let (sender, mut signals) = mpsc::channel::<(Signal, Room)>(QUEUE);
        let run =
            subscription.clone().run(client.clone(), Arc::default(), sender, |signal, room| (signal, room));
        connection.spawn(run);
        let mut dropped = false;
        loop {
            let next = tokio::select! {
                () = restart.notified() => {
                    dropped = true;
                    connection.shutdown().await;
                    continue;
                }
                next = signals.recv() => next,
            };
            let Some((signal, _room)) = next else { break };
            callback.tell(&signal).await;
            if let Signal::Message { message: Message { last_event_id: id, .. }, .. }
            | Signal::LastEventId(id) = signal
            {
                subscription.last_event_id = id;
            }
        }
        if !dropped {
            // The server has ended it for good.
            restart.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(initial: Option<u64>) -> (Duration, Duration) {
        let limits = limits(initial.map(Duration::from_millis));
        (limits.base_delay, limits.retry_min)
    }

    #[test]
    fn an_initial_delay_lowers_the_floor_and_never_raises_it() {
        let seconds = Duration::from_secs;
        assert_eq!(delays(Some(0)), (Duration::ZERO, Duration::ZERO));
        assert_eq!(delays(None), (seconds(1), seconds(1)));
        assert_eq!(delays(Some(10_000)), (seconds(10), seconds(1)));
    }
}
